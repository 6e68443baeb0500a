// Makes an element as high as the rest of the window below it.

/**
 * Make an element fill the height of the window that is left below its top edge, as seen when the page is not scrolled.
 * It follows changes of the window and of what is above the element.
 *
 * @param {HTMLElement} element
 * @param {{bottom?: number, min?: number}} [options] CSS px that stay free below it (default: the lower padding of
 *   Streamlit's page, so that the page need not scroll), and its smallest height
 * @returns {() => void} ends it
 */
export function fillWindow(element, { bottom = null, min = 320 } = {}) {
  const scroller = element.isConnected ? scrollContainer(element) : document.documentElement;
  let height = 0, frame = 0;
  const measure = () => {
    frame = 0;
    if (!element.isConnected || element.offsetParent === null || isFullScreen(element)) return;
    const isPage = scroller === document.documentElement;
    const frameTop = isPage ? 0 : scroller.getBoundingClientRect().top;
    const visible = isPage ? window.innerHeight : Math.min(scroller.clientHeight, window.innerHeight - frameTop);
    const scrolled = isPage ? window.scrollY : scroller.scrollTop;
    const top = element.getBoundingClientRect().top - frameTop + scrolled;
    const next = Math.max(min, Math.floor(visible - top - (bottom ?? pagePadding(scroller))));
    if (next === height) return;
    height = next;
    element.style.height = `${height}px`;
  };
  const later = () => (frame ||= requestAnimationFrame(measure));
  const observer = new ResizeObserver(later);
  observer.observe(scroller);
  for (const content of scroller.children) observer.observe(content);
  window.addEventListener("resize", later);
  document.addEventListener("fullscreenchange", later);
  measure();
  return () => {
    cancelAnimationFrame(frame);
    observer.disconnect();
    window.removeEventListener("resize", later);
    document.removeEventListener("fullscreenchange", later);
  };
}

/** The element that scrolls the page: Streamlit's main part, or the document. */
function scrollContainer(element) {
  for (let node = element; node; node = node.parentNode ?? node.host) {
    if (node.matches?.('[data-testid="stMain"]')) return node;
    if (node instanceof ShadowRoot && !node.parentNode) {
      node = node.host;
      if (node.matches('[data-testid="stMain"]')) return node;
    }
  }
  return document.documentElement;
}

/** CSS px that Streamlit leaves free at the end of a page. */
function pagePadding(scroller) {
  const content = scroller.querySelector('[data-testid="stMainBlockContainer"]');
  return content ? parseFloat(getComputedStyle(content).paddingBottom) || 0 : 16;
}

/** Whether the element is shown in full screen, or is in such an element. */
function isFullScreen(element) {
  const root = element.getRootNode();
  return Boolean(root.fullscreenElement?.contains(element) || document.fullscreenElement?.contains(element));
}
