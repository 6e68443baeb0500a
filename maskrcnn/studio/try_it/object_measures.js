// Sizes of objects in pixels and in the unit of a known length, and their texts.

/** The scale of pictures without a known length. */
export const PIXELS = { per_pixel: 1, unit: "px" };

/** The scale {per_pixel, unit} of a line [x1, y1, x2, y2] of px whose length is `value` in `unit`. */
export function scaleOf({ line, value, unit }) {
  return { per_pixel: value / lineLength(line), unit };
}

/** The length of a line [x1, y1, x2, y2]. */
export function lineLength([x1, y1, x2, y2]) {
  return Math.hypot(x2 - x1, y2 - y1);
}

/** The largest distance between two points of rings: the length of an object, in px. */
export function longestOf(rings) {
  const hull = convexHull(rings.flat());
  let longest = 0;
  for (const [x1, y1] of hull) for (const [x2, y2] of hull) longest = Math.max(longest, Math.hypot(x2 - x1, y2 - y1));
  return longest;
}

/** The corners of the smallest convex polygon around points (Andrew 1979, monotone chain). */
function convexHull(points) {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = (ordered) => {
    const chain = [];
    for (const point of ordered) {
      while (chain.length > 1 && turn(chain.at(-2), chain.at(-1), point) <= 0) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return sorted.length < 3 ? sorted : [...half(sorted), ...half(sorted.reverse())];
}

function turn([ax, ay], [bx, by], [cx, cy]) {
  return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
}

/** An area in px² as a text in the unit of a scale: "1234 px²", "5.67 mm²". */
export function areaText(area, { per_pixel, unit }) {
  return `${numberText(area * per_pixel ** 2, unit)} ${unit}²`;
}

/** A length in px as a text in the unit of a scale. */
export function lengthText(length, { per_pixel, unit }) {
  return `${numberText(length * per_pixel, unit)} ${unit}`;
}

/** A number of pixels without, of another unit with three significant digits. */
export function numberText(value, unit) {
  if (unit === "px" || Math.abs(value) >= 1000) return grouped(Math.round(value));
  return Math.abs(value) >= 1e-4 ? String(Number(value.toPrecision(3))) : value.toExponential(2);
}

/** A whole number with narrow spaces between groups of three digits. */
function grouped(value) {
  return String(value).replace(/(?<=\d)(?=(\d{3})+$)/g, "\u202f");
}
