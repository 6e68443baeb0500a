// Scrolls to a part of the page that Python draws below the pictures after a button of theirs was clicked.

const AT_MOST = 60000; // ms until it is there; the network may have to be loaded first

/**
 * Scroll to the container with this Streamlit key as soon as it is there and `isReady(element)`, unless `signal` is
 * aborted before.
 */
export function scrollToKey(key, signal, isReady = () => true) {
  const until = performance.now() + AT_MOST;
  const look = () => {
    if (signal.aborted || performance.now() > until) return;
    const element = document.querySelector(`.st-key-${key}`);
    if (element && isReady(element)) element.scrollIntoView({ block: "end", behavior: "smooth" });
    else setTimeout(look, 100);
  };
  look();
}
