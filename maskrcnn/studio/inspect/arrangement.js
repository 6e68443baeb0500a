// Where the pictures of a page go: beside each other or below each other, and how high they are.

import { isFullScreen } from "../components/picture/view_buttons.js";

const GAP = 8; // CSS px between two pictures
const LEAST = 260; // CSS px: a picture is not made lower, the page scrolls instead
const LEAST_HEADING = 26; // CSS px
const MUCH_LARGER = 1.25; // pictures stand below each other if this makes them larger by this factor

/**
 * Arrange pictures in `width` x `free` CSS px. `aspect` is width / height of the usual picture of the run, so that
 * nothing moves when another picture is chosen. Each picture has a heading of `heading` CSS px.
 *
 * Returns `direction` ("row" or "column") and the `height` of all in CSS px. With `fills`, all of `free` is used.
 */
export function arrangement(width, free, aspect, pictures, heading, fills = false) {
  const all = Math.max(free, LEAST);
  const gaps = (pictures - 1) * GAP;
  const inRow = Math.min(all - heading, (width - gaps) / pictures / aspect);
  const inColumn = Math.min((Math.max(free, pictures * LEAST) - gaps) / pictures - heading, width / aspect);
  const direction = pictures > 1 && inColumn > inRow * MUCH_LARGER ? "column" : "row";
  if (fills) return { direction, height: Math.max(free, 0) };
  if (direction === "column") return { direction, height: Math.round(pictures * (inColumn + heading) + gaps) };
  return { direction, height: Math.round(Math.max(inRow, Math.min(LEAST, all - heading)) + heading) };
}

/** CSS px from the upper edge of a part of `root` to the lower edge of the window, when the page is at its top. */
export function heightBelow(root, part) {
  const { top } = part.getBoundingClientRect();
  if (isFullScreen(root)) return window.innerHeight - top;
  const scroller = root.getRootNode().host?.closest('[data-testid="stMain"]') ?? document.documentElement;
  return window.innerHeight - top - scroller.scrollTop;
}

/** The height of the highest of these headings in CSS px; that of a line at least. */
export function headingHeight(headings) {
  return Math.max(...headings.map((heading) => heading.offsetHeight), LEAST_HEADING);
}

/**
 * Arrange the `pictures` shown in `parts`, which is a part of `root`, and give them the height that the window has.
 * `kept` CSS px stay free below them, unless `root` fills the screen.
 */
export function arrange(root, parts, { headings, aspect, pictures, kept }) {
  const fills = isFullScreen(root), free = heightBelow(root, parts) - (fills ? 0 : kept);
  const { width } = parts.getBoundingClientRect();
  const { direction, height } = arrangement(width, free, aspect, pictures, headingHeight(headings), fills);
  parts.dataset.direction = direction;
  parts.style.height = `${height}px`;
}

/** Call `again` when the size of `root` or of the window has changed, until `signal` is aborted. */
export function whenResized(root, again, signal) {
  const observer = new ResizeObserver(again);
  observer.observe(root);
  signal.addEventListener("abort", () => observer.disconnect());
  window.addEventListener("resize", again, { signal });
  document.addEventListener("fullscreenchange", again, { signal });
}
