// Clicks on links to other pages of the studio.
//
// Until the page of a link is there, Streamlit takes each message of a component for one of the page that is left: it
// runs that page, and forgets the link. So a component that tells Python something later than at once asks here first.

const AT_MOST = 10000; // milliseconds until the page of a link is there; afterwards the link has not been followed

let until = 0, from = "";

document.addEventListener("click", (event) => {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest?.("a[href]");
  if (!link || link.target === "_blank" || link.pathname === window.location.pathname) return;
  until = performance.now() + AT_MOST;
  from = window.location.pathname;
}, true);

/** Milliseconds for which Python should be told nothing, because a link was clicked; 0 if its page is there already. */
export function untilLinkIsFollowed() {
  return window.location.pathname === from ? Math.max(0, until - performance.now()) : 0;
}
