// Drawing along the border of a neighbour: its vertices between two places on it become vertices of the new outline.

import { distance, exact } from "../shapes.js";
import { fractionOn, isSamePoint, ON_EDGE, ringsOf } from "./rings.js";

/**
 * Where a point is on a ring: the index of the vertex or edge, as a number with a fraction; null if it is not on it.
 */
function placeOnRing(points, at) {
  let best = null, least = ON_EDGE;
  points.forEach((point, i) => {
    const away = distance(point, at);
    if (away <= least) [best, least] = [i, away];
  });
  if (best !== null) return best;
  for (let i = 0; i < points.length; i++) {
    const fraction = fractionOn(at, points[i], points[(i + 1) % points.length]);
    if (fraction !== null) return i + fraction;
  }
  return null;
}

/** The vertices of a ring that lie strictly between two places on it, in the direction of the ring. */
function verticesBetween(points, from, to) {
  const { length } = points, result = [];
  const end = to > from ? to : to + length;
  for (let i = Math.floor(from) + 1; i < end; i++) result.push(points[i % length]);
  return result;
}

function lengthOf(path) {
  return path.reduce((sum, point, i) => (i ? sum + distance(path[i - 1], point) : 0), 0);
}

/**
 * The vertices of a border between two points on it, exactly as they are; null if the points are not on one border.
 *
 * Of the two ways round, and of several borders, the shortest is taken; with `other` the longer way of the same border.
 * @param {object[]} regions regions whose borders count.
 * @returns {number[][] | null} points without `from` and `to`; [] if they are on one edge.
 */
export function borderPath(regions, from, to, other = false) {
  if (isSamePoint(from, to)) return null;
  let best = null;
  for (const region of regions) {
    for (const { points } of ringsOf(region)) {
      const start = placeOnRing(points, from), end = start === null ? null : placeOnRing(points, to);
      if (end === null || start === end) continue;
      const ways = [verticesBetween(points, start, end), verticesBetween(points, end, start).reverse()]
        .map((path) => ({ path, length: lengthOf([from, ...path, to]) }))
        .sort((one, another) => one.length - another.length);
      if (best === null || ways[0].length < best.shortest) {
        best = { shortest: ways[0].length, path: ways[other ? 1 : 0].path };
      }
    }
  }
  return best && best.path.filter((point) => !isSamePoint(point, from) && !isSamePoint(point, to));
}

/**
 * Border following of an editor: while Shift is held in an outline, its next edge runs along the border of a neighbour,
 * if the last vertex and the pointer are on it. Shift+Tab takes the other way round.
 *
 * It takes the place of `editor.edgeTracer` meanwhile; another tracer that is set there stays the tracer at other
 * times.
 */
export class BorderFollowing {
  constructor(editor) {
    this.editor = editor;
    this.isHeld = false;
    this.other = false;
    let tracer = editor.edgeTracer ?? null;
    Object.defineProperty(editor, "edgeTracer", {
      configurable: true,
      get: () => (this.isHeld && this.isDrawing ? this : tracer),
      set: (value) => { tracer = value; },
    });
    this.inner = () => tracer;
    const { signal } = editor.stopped;
    const onKey = (event) => this.hold(event.shiftKey);
    window.addEventListener("keydown", onKey, { signal, capture: true });
    window.addEventListener("keyup", onKey, { signal, capture: true });
    window.addEventListener("blur", () => this.hold(false), { signal });
  }

  /** Whether an outline has begun. */
  get isDrawing() {
    return Boolean(this.editor.tool?.begun && this.editor.tool.traced);
  }

  hold(isHeld) {
    if (isHeld === this.isHeld) return;
    this.isHeld = isHeld;
    this.other = false;
    this.refresh();
  }

  /** Take the other way round. */
  turn() {
    this.other = !this.other;
    this.refresh();
  }

  refresh() {
    const { tool } = this.editor;
    if (!this.isDrawing || !tool.pointer) return;
    tool.traced.propose(tool.pointer);
    this.editor.view.redrawOverlay();
  }

  /** The points between two places: along a border, else what the other tracer says; null for a straight edge. */
  path(from, to, options = {}) {
    const { doc } = this.editor;
    const regions = doc.regions.filter((region) => !doc.hidden.has(region.id));
    const found = borderPath(regions, from, to, this.other);
    return found ? found.map((point) => exact([...point])) : this.inner()?.path(from, to, options) ?? null;
  }
}
