// Where the pictures of the Predictions page go: beside each other or below each other, and how high they are.

const GAP = 8; // CSS px between two pictures
const LEAST = 260; // CSS px: a picture is not made lower, the page scrolls instead
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
