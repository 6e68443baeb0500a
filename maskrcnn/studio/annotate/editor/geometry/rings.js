// Closed rings of regions, and places on them: what snapping, border following and shared borders have in common.

import { distance, lines, withShape } from "../shapes.js";

/** A point at most this far (picture px) from an edge lies on it. Coordinates are stored with 2 decimals. */
export const ON_EDGE = 0.01;

const boxes = new WeakMap(); // region -> box of its rings

/** A text that is the same for exactly equal points. */
export const pointKey = ([x, y]) => `${x},${y}`;

/** Whether two points are exactly the same place. */
export const isSamePoint = (a, b) => a[0] === b[0] && a[1] === b[1];

/** The closed rings of a polygon or multipolygon, `[{part, ring, points}]`; none for other shapes. */
export function ringsOf(region) {
  return lines(region.shape).filter((line) => line.closed);
}

/** The region with other rings: `change(points, part, ring)` returns the new points, or the same list for no change. */
export function withRings(region, change) {
  const { shape } = region;
  if (shape.kind === "polygon") {
    const points = change(shape.points, 0, 0);
    return points === shape.points ? region : withShape(region, { ...shape, points });
  }
  if (shape.kind !== "multipolygon") return region;
  let isChanged = false;
  const parts = shape.parts.map((rings, part) => rings.map((points, ring) => {
    const changed = change(points, part, ring);
    isChanged ||= changed !== points;
    return changed;
  }));
  return isChanged ? withShape(region, { ...shape, parts }) : region;
}

/** The box [left, top, right, bottom] around the rings of a region; null without rings. */
export function ringsBox(region) {
  let box = boxes.get(region);
  if (box !== undefined) return box;
  box = null;
  for (const { points } of ringsOf(region)) {
    for (const [x, y] of points) {
      if (box === null) box = [x, y, x, y];
      else {
        if (x < box[0]) box[0] = x;
        if (y < box[1]) box[1] = y;
        if (x > box[2]) box[2] = x;
        if (y > box[3]) box[3] = y;
      }
    }
  }
  boxes.set(region, box);
  return box;
}

/** Whether two boxes touch, or nearly do. */
export function boxesTouch(a, b, margin = ON_EDGE) {
  return a !== null && b !== null && a[0] <= b[2] + margin && b[0] <= a[2] + margin
    && a[1] <= b[3] + margin && b[1] <= a[3] + margin;
}

/** How far along the line from a to b (0..1) a point lies; null if it is not on it, or at one of its ends. */
export function fractionOn(point, a, b) {
  const dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
  if (!length) return null;
  const fraction = ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / length;
  if (fraction <= 0 || fraction >= 1) return null;
  if (Math.abs((point[0] - a[0]) * dy - (point[1] - a[1]) * dx) > ON_EDGE * Math.sqrt(length)) return null;
  if (distance(point, a) <= ON_EDGE || distance(point, b) <= ON_EDGE) return null;
  return fraction;
}
