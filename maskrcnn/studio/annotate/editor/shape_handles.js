/*
 * What can be taken hold of on a region: its handles and edges, which of them is near a point, and the region with one
 * of them moved, inserted or deleted. All functions are pure; shapes.js says what a region is.
 */

import { asPolygon } from "./shape_transforms.js";
import {
  arc, corners, distance, keypointsOf, lines, rectBetween, rounded, roundedPoint, SMALLEST, withKeypoints,
  withShape,
} from "./shapes.js";

function lineOf(shape, part, ring) {
  return shape.kind === "multipolygon" ? shape.parts[part][ring] : shape.points;
}

/** The shape with another list of points in one of its lines. */
function withLine(shape, part, ring, points) {
  if (shape.kind !== "multipolygon") return { ...shape, points };
  const changed = shape.parts[part].map((old, place) => (place === ring ? points : old));
  return { ...shape, parts: shape.parts.map((old, place) => (place === part ? changed : old)) };
}

/**
 * The handles of a region: `[{kind, part, ring, index, at: [x, y]}]`. Kinds: "vertex" of a polygon or line, "corner" of
 * a rectangle, "radius" of a circle, "axis" of an ellipse, "point", and "keypoint" (only labelled ones).
 */
export function handles(region) {
  const { shape } = region, found = [];
  const add = (kind, points, part = 0, ring = 0) =>
    points.forEach((at, index) => found.push({ kind, part, ring, index, at }));
  for (const { part, ring, points } of lines(shape)) add("vertex", points, part, ring);
  if (shape.kind === "rect") add("corner", corners(shape));
  if (shape.kind === "circle") add("radius", arc(shape.cx, shape.cy, shape.r, shape.r, 0, 4));
  if (shape.kind === "ellipse") add("axis", arc(shape.cx, shape.cy, shape.rx, shape.ry, shape.theta, 4));
  if (shape.kind === "point") add("point", [[shape.cx, shape.cy]]);
  keypointsOf(region)?.forEach(([x, y, v], index) => {
    if (v > 0) found.push({ kind: "keypoint", part: 0, ring: 0, index, at: [x, y] });
  });
  return found;
}

/** The edges of a region that can be dragged: `[{kind: "edge" | "side", part, ring, index, a: [x, y], b: [x, y]}]`. */
export function edges(region) {
  const found = [];
  const add = (kind, points, closed, part, ring) => {
    for (let index = 0; index < points.length - (closed ? 0 : 1); index++) {
      found.push({ kind, part, ring, index, a: points[index], b: points[(index + 1) % points.length] });
    }
  };
  for (const { part, ring, points, closed } of lines(region.shape)) add("edge", points, closed, part, ring);
  if (region.shape.kind === "rect") add("side", corners(region.shape), true, 0, 0);
  return found;
}

/** The place on the line from a to b that is nearest to p: `{at: [x, y], fraction: 0..1, distance}`. */
export function nearestOnEdge(p, a, b) {
  const dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
  const along = length ? ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length : 0;
  const fraction = Math.max(0, Math.min(1, along));
  const at = [a[0] + fraction * dx, a[1] + fraction * dy];
  return { at, fraction, distance: distance(p, at) };
}

/** The handle of a region that is nearest to a point within `radius` (picture px); null if there is none. */
export function nearestHandle(region, point, radius) {
  let best = null, least = radius;
  for (const handle of handles(region)) {
    const away = distance(handle.at, point);
    if (away <= least) [best, least] = [handle, away];
  }
  return best && { ...best, distance: least };
}

/** The edge of a region that is nearest to a point within `radius`, with `at`, `fraction`, `distance`; else null. */
export function nearestEdge(region, point, radius) {
  let best = null, least = radius;
  for (const edge of edges(region)) {
    const near = nearestOnEdge(point, edge.a, edge.b);
    if (near.distance <= least) {
      best = { ...edge, ...near };
      least = near.distance;
    }
  }
  return best;
}

/** The distance of a point from a circle's or (to first order) an ellipse's outline; Infinity for other shapes. */
export function distanceFromCurve(shape, [x, y]) {
  if (shape.kind === "circle") return Math.abs(Math.hypot(x - shape.cx, y - shape.cy) - shape.r);
  if (shape.kind !== "ellipse") return Infinity;
  const cos = Math.cos(shape.theta), sin = Math.sin(shape.theta);
  const u = (x - shape.cx) * cos + (y - shape.cy) * sin, v = -(x - shape.cx) * sin + (y - shape.cy) * cos;
  const value = (u / shape.rx) ** 2 + (v / shape.ry) ** 2 - 1;
  const slope = 2 * Math.hypot(u / shape.rx ** 2, v / shape.ry ** 2);
  return slope ? Math.abs(value) / slope : Math.min(shape.rx, shape.ry);
}

/** The region with one handle moved to [x, y]. A corner may cross over; `even` keeps a rectangle a square. */
export function withHandleAt(region, handle, to, { even = false } = {}) {
  const { shape } = region, [x, y] = to, at = roundedPoint(to);
  switch (handle.kind) {
    case "vertex": {
      const points = lineOf(shape, handle.part, handle.ring).slice();
      points[handle.index] = at;
      return withShape(region, withLine(shape, handle.part, handle.ring, points));
    }
    case "corner": return withShape(region, rectBetween(corners(shape)[(handle.index + 2) % 4], [x, y], even));
    case "radius": {
      const r = Math.max(SMALLEST, rounded(Math.hypot(x - shape.cx, y - shape.cy)));
      return withShape(region, { ...shape, r });
    }
    case "axis": {
      const cos = Math.cos(shape.theta), sin = Math.sin(shape.theta);
      const along = Math.abs((x - shape.cx) * cos + (y - shape.cy) * sin);
      const across = Math.abs(-(x - shape.cx) * sin + (y - shape.cy) * cos);
      const name = handle.index % 2 ? "ry" : "rx";
      return withShape(region, { ...shape, [name]: Math.max(SMALLEST, rounded(handle.index % 2 ? across : along)) });
    }
    case "point": return withShape(region, { ...shape, cx: at[0], cy: at[1] });
    case "keypoint": {
      const points = keypointsOf(region).slice();
      points[handle.index] = [...at, points[handle.index][2] || 2];
      return withKeypoints(region, points);
    }
    default: return region;
  }
}

/** The region with one edge moved by (dx, dy). A side of a rectangle moves only across itself. */
export function withEdgeMoved(region, edge, dx, dy) {
  const { shape } = region;
  if (edge.kind === "side") {
    const [left, top, right, bottom] = [shape.x, shape.y, shape.x + shape.width, shape.y + shape.height];
    const moved = [[left, top + dy, right, bottom], [left, top, right + dx, bottom], [left, top, right, bottom + dy],
      [left + dx, top, right, bottom]][edge.index];
    return withShape(region, rectBetween(moved.slice(0, 2), moved.slice(2)));
  }
  const points = lineOf(shape, edge.part, edge.ring).slice();
  for (const index of [edge.index, (edge.index + 1) % points.length]) {
    points[index] = roundedPoint([points[index][0] + dx, points[index][1] + dy]);
  }
  return withShape(region, withLine(shape, edge.part, edge.ring, points));
}

/** The circle or ellipse scaled about its centre so that its outline passes through a point. */
export function withCurveThrough(region, [x, y]) {
  const { shape } = region;
  if (shape.kind === "circle") return withHandleAt(region, { kind: "radius" }, [x, y]);
  const cos = Math.cos(shape.theta), sin = Math.sin(shape.theta);
  const u = (x - shape.cx) * cos + (y - shape.cy) * sin, v = -(x - shape.cx) * sin + (y - shape.cy) * cos;
  const factor = Math.hypot(u / shape.rx, v / shape.ry);
  const radius = (value) => Math.max(SMALLEST, rounded(value * factor));
  return withShape(region, { ...shape, rx: radius(shape.rx), ry: radius(shape.ry) });
}

/** The region with a vertex inserted on an edge, at `point`. A rectangle becomes a polygon with its four corners. */
export function withVertexInserted(region, edge, point) {
  const shape = asPolygon(region.shape);
  const points = lineOf(shape, edge.part, edge.ring).slice();
  points.splice(edge.index + 1, 0, roundedPoint(point));
  return withShape(region, withLine(shape, edge.part, edge.ring, points));
}

/**
 * The region without one handle; null if the shape would have too few vertices. A hole with three vertices disappears
 * with one of them, and so does a part if another part is left; a keypoint becomes "not labelled".
 */
export function withHandleDeleted(region, handle) {
  const { shape } = region;
  if (handle.kind === "keypoint") {
    const points = keypointsOf(region).slice();
    points[handle.index] = [0, 0, 0];
    const empty = points.every(([, , v]) => v === 0);
    return empty && shape.kind === "keypoints" ? null : withKeypoints(region, points);
  }
  if (handle.kind !== "vertex") return null;
  const points = lineOf(shape, handle.part, handle.ring).filter((_, index) => index !== handle.index);
  if (points.length >= (shape.kind === "polyline" ? 2 : 3)) {
    return withShape(region, withLine(shape, handle.part, handle.ring, points));
  }
  if (shape.kind !== "multipolygon") return null;
  const parts = handle.ring > 0
    ? shape.parts.map((rings, part) => (part === handle.part ? rings.filter((_, r) => r !== handle.ring) : rings))
    : shape.parts.filter((_, part) => part !== handle.part);
  return parts.length ? withShape(region, withFewestParts(parts)) : null;
}

/** A multipolygon, or a polygon if there is one part without holes. */
function withFewestParts(parts) {
  const simple = parts.length === 1 && parts[0].length === 1;
  return simple ? { kind: "polygon", points: parts[0][0] } : { kind: "multipolygon", parts };
}
