// What of the page cannot be seen or pressed because it lies outside of the window or of a box that hides what does not
// fit into it, across. Gives a line for each: what it is, and what cuts it.
() => {
  const SEEN = "button, a, select, textarea, img, canvas, [role=radio], [role=tab]";
  const ELSEWHERE = '[data-testid="stDataFrameGlideDataEditor"], [aria-hidden="true"]'; // a table scrolls by itself
  const isGone = (e) => (e.closest('[data-testid="stSidebar"]')?.getBoundingClientRect().right ?? 9) < 8; // it is closed
  const HIDES = ["hidden", "clip", "auto", "scroll"];
  const found = new Set();
  const hasWords = (e) => [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  const name = (e) => {
    const words = (e.innerText || e.getAttribute("aria-label") || e.alt || e.textContent || "").trim();
    return `${e.closest("[data-testid]")?.dataset.testid ?? e.tagName} "${words.replace(/\s+/g, " ").slice(0, 40)}"`;
  };
  const isDrawing = (e) => e instanceof SVGElement;

  const aside = document.documentElement.scrollWidth - window.innerWidth;
  if (aside > 0) found.add(`the page scrolls sideways by ${aside} px`);
  for (const e of document.querySelectorAll('[data-testid="stApp"] *')) {
    let { left, right, width, height } = e.getBoundingClientRect();
    const style = getComputedStyle(e);
    const isChart = e.matches("svg") && width > 60;
    if (!(hasWords(e) || isChart || e.matches(SEEN)) || width < 2 || height < 2 || e.closest(ELSEWHERE) || isGone(e)) continue;
    if (!e.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || style.clip !== "auto") continue;
    if (style.textOverflow === "ellipsis") {
      if (e.scrollWidth > e.clientWidth + 1) found.add(`${name(e)} is shortened`);
    } else if (hasWords(e) && !isDrawing(e)) { // words may stand out of their own box
      const range = document.createRange();
      range.selectNodeContents(e);
      const words = range.getBoundingClientRect();
      [left, right] = [Math.min(left, words.left), Math.max(right, words.right)];
    }
    let [from, to, by] = [0, window.innerWidth, "the window"];
    for (let up = e; (up = up.parentElement ?? up.getRootNode().host); ) {
      if (up === document.body || !HIDES.includes(getComputedStyle(up).overflowX)) continue;
      const box = up.getBoundingClientRect();
      if (box.left > from) [from, by] = [box.left, name(up)];
      if (box.right < to) [to, by] = [box.right, name(up)];
    }
    const most = isDrawing(e) ? 4 : 1.5; // words in a chart: the box of a glyph is larger than the glyph
    if (left < from - most || right > to + most)
      found.add(`${name(e)} at ${Math.round(left)}..${Math.round(right)} is cut at ${Math.round(from)}..${Math.round(to)} by ${by}`);
  }
  return [...found];
}
