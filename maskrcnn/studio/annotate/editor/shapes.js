/*
 * Geometry of regions as the project store writes them: `{id, shape: {kind, ...}, keypoints?, ...}`.
 *
 * All functions are pure: they return new regions and never change the ones they get. Coordinates are picture pixels
 * (x to the right, y down), angles radians, clockwise on the screen. New coordinates are rounded to 2 decimals.
 */

import { runLengths } from "../../components/picture/rle.js";

const LIMIT = 1e6; // farther from the picture than any sensible drag; the store refuses infinite numbers
const SMALLEST = 0.01; // least radius or scale, so that a shape can be made larger again

/** Round a coordinate to 2 decimals, within what the store accepts. */
export function rounded(value) {
  const near = Math.max(-LIMIT, Math.min(LIMIT, value));
  return Math.round(near * 100) / 100 + 0; // + 0: no negative zero
}

const exactPoints = new WeakSet();

/** Mark a point as exact: it lies on another region's border, and is not rounded. Returns the point. */
export function exact(point) {
  exactPoints.add(point);
  return point;
}

/** The point [x, y] with rounded coordinates; an exact point as it is. */
export const roundedPoint = (point) => (exactPoints.has(point) ? point : [rounded(point[0]), rounded(point[1])]);

/** A new region id: 32 hexadecimal digits, random. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The distance of two points. */
export const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);

/**
 * A region with another shape. `extras` describe the old shape and are left out. A suggestion of a network becomes a person's
 * region: it loses its source and its score.
 */
export function withShape(region, shape) {
  const { extras, ...rest } = region;
  if (rest.source !== "model") return { ...rest, shape };
  const { source, score, ...own } = rest;
  return { ...own, shape };
}

/** Whether two regions have the same shape and keypoints. */
export function sameShape(a, b) {
  return a === b || (JSON.stringify(a.shape) === JSON.stringify(b.shape)
    && JSON.stringify(a.keypoints ?? null) === JSON.stringify(b.keypoints ?? null));
}

/** The name of a shape's kind for a person. */
export function kindWords(shape) {
  return {
    multipolygon: "polygon in parts", rect: "rectangle", polyline: "line", keypoints: "keypoints", rle: "mask",
  }[shape.kind] ?? shape.kind;
}

// Rings

/**
 * The lines of vertices of a shape: `[{part, ring, points, closed}]`. A polygon has one, a multipolygon one for each
 * ring, a polyline an open one; other kinds have none.
 */
export function lines(shape) {
  switch (shape.kind) {
    case "polygon": return [{ part: 0, ring: 0, points: shape.points, closed: true }];
    case "polyline": return [{ part: 0, ring: 0, points: shape.points, closed: false }];
    case "multipolygon":
      return shape.parts.flatMap((rings, part) => rings.map((points, ring) => ({ part, ring, points, closed: true })));
    default: return [];
  }
}

/** The shape with another list of points in one of its lines. */
function withLine(shape, part, ring, points) {
  if (shape.kind !== "multipolygon") return { ...shape, points };
  const changed = shape.parts[part].map((old, place) => (place === ring ? points : old));
  return { ...shape, parts: shape.parts.map((old, place) => (place === part ? changed : old)) };
}

function lineOf(shape, part, ring) {
  return shape.kind === "multipolygon" ? shape.parts[part][ring] : shape.points;
}

/** The outline of a shape as rings of an even-odd fill, curves as `steps` straight edges; [] if it has none. */
export function outlines(shape, steps = 64) {
  switch (shape.kind) {
    case "polygon": return [shape.points];
    case "multipolygon": return shape.parts.flat();
    case "rect": return [corners(shape)];
    case "circle": return [arc(shape.cx, shape.cy, shape.r, shape.r, 0, steps)];
    case "ellipse": return [arc(shape.cx, shape.cy, shape.rx, shape.ry, shape.theta, steps)];
    default: return [];
  }
}

function corners({ x, y, width, height }) {
  return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
}

function arc(cx, cy, rx, ry, theta, steps) {
  const cos = Math.cos(theta), sin = Math.sin(theta);
  return Array.from({ length: steps }, (_, i) => {
    const u = rx * Math.cos((2 * Math.PI * i) / steps), v = ry * Math.sin((2 * Math.PI * i) / steps);
    return [cx + u * cos - v * sin, cy + u * sin + v * cos];
  });
}

/** A polygon with the outline of a rectangle, circle or ellipse (curves within 0.25 px); other shapes unchanged. */
export function asPolygon(shape) {
  if (!["rect", "circle", "ellipse"].includes(shape.kind)) return shape;
  const radius = Math.max(shape.r ?? 0, shape.rx ?? 0, shape.ry ?? 0, 1);
  const steps = Math.max(12, Math.min(360, Math.ceil(Math.PI / Math.acos(Math.max(0, 1 - 0.25 / radius)))));
  return { kind: "polygon", points: outlines(shape, steps)[0].map(roundedPoint) };
}

// Extent and area

/** The smallest box [x, y, width, height] around points; null without points. */
export function boxAround(points) {
  if (!points.length) return null;
  let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
  for (const [x, y] of points) {
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  return [left, top, right - left, bottom - top];
}

/** The box around a shape; of a mask, its whole frame; null if nothing of it has a place. */
export function shapeBounds(shape) {
  switch (shape.kind) {
    case "rect": return [shape.x, shape.y, shape.width, shape.height];
    case "circle": return [shape.cx - shape.r, shape.cy - shape.r, 2 * shape.r, 2 * shape.r];
    case "ellipse": {
      const cos = Math.cos(shape.theta), sin = Math.sin(shape.theta);
      const w = Math.hypot(shape.rx * cos, shape.ry * sin), h = Math.hypot(shape.rx * sin, shape.ry * cos);
      return [shape.cx - w, shape.cy - h, 2 * w, 2 * h];
    }
    case "point": return [shape.cx, shape.cy, 0, 0];
    case "keypoints": return boxAround(shape.points.filter(([, , v]) => v > 0));
    case "rle": return maskBounds(shape);
    default: return boxAround(lines(shape).flatMap((line) => line.points));
  }
}

/** The box around a region with the keypoints beside its outline; null if nothing of it has a place. */
export function bounds(region) {
  const own = shapeBounds(region.shape);
  if (!region.keypoints) return own;
  return boxUnion([own, boxAround(region.keypoints.filter(([, , v]) => v > 0))]);
}

/** The box around boxes; nulls are left out; null if nothing is left. */
export function boxUnion(boxes) {
  return boxAround(boxes.filter(Boolean).flatMap(([x, y, w, h]) => [[x, y], [x + w, y + h]]));
}

function ringArea(points) {
  let twice = 0;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    twice += points[j][0] * points[i][1] - points[i][0] * points[j][1];
  }
  return Math.abs(twice) / 2;
}

/** The area of a shape in square pixels; holes are subtracted. Lines and points have none. */
export function area(shape) {
  switch (shape.kind) {
    case "rect": return shape.width * shape.height;
    case "circle": return Math.PI * shape.r ** 2;
    case "ellipse": return Math.PI * shape.rx * shape.ry;
    case "polygon": return ringArea(shape.points);
    case "multipolygon":
      return shape.parts.reduce((sum, [outer, ...holes]) =>
        sum + ringArea(outer) - holes.reduce((inner, hole) => inner + ringArea(hole), 0), 0);
    case "rle": return maskIntervals(shape).reduce((sum, [start, end]) => sum + end - start, 0);
    default: return 0;
  }
}

/** Whether a point lies inside a shape with an area (even-odd); of a mask, whether its pixel is set. */
export function contains(shape, [x, y]) {
  switch (shape.kind) {
    case "rect": return x >= shape.x && x <= shape.x + shape.width && y >= shape.y && y <= shape.y + shape.height;
    case "circle": return Math.hypot(x - shape.cx, y - shape.cy) <= shape.r;
    case "ellipse": {
      const cos = Math.cos(shape.theta), sin = Math.sin(shape.theta);
      const u = (x - shape.cx) * cos + (y - shape.cy) * sin, v = -(x - shape.cx) * sin + (y - shape.cy) * cos;
      return (u / shape.rx) ** 2 + (v / shape.ry) ** 2 <= 1;
    }
    case "polygon": case "multipolygon": {
      let inside = false;
      for (const { points } of lines(shape)) {
        for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
          const [xi, yi] = points[i], [xj, yj] = points[j];
          if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
        }
      }
      return inside;
    }
    case "rle": {
      const [height, width] = shape.size, column = Math.floor(x), row = Math.floor(y);
      if (column < 0 || row < 0 || column >= width || row >= height) return false;
      const place = column * height + row;
      return maskIntervals(shape).some(([start, end]) => place >= start && place < end);
    }
    default: return false;
  }
}

// Handles and edges

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

/** The keypoints [[x, y, visibility]] of a region, as its shape or beside its outline; null if it has none. */
export function keypointsOf(region) {
  return region.shape.kind === "keypoints" ? region.shape.points : region.keypoints ?? null;
}

/** The region with other keypoints. */
export function withKeypoints(region, points) {
  return region.shape.kind === "keypoints"
    ? withShape(region, { ...region.shape, points }) : { ...withShape(region, region.shape), keypoints: points };
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

/** The rectangle between two opposite corners; `even` makes it a square whose side is the longer one. */
export function rectBetween([x0, y0], [x1, y1], even = false) {
  if (even) {
    const side = Math.max(Math.abs(x1 - x0), Math.abs(y1 - y0));
    [x1, y1] = [x0 + (x1 < x0 ? -side : side), y0 + (y1 < y0 ? -side : side)];
  }
  const x = rounded(Math.min(x0, x1)), y = rounded(Math.min(y0, y1));
  return { kind: "rect", x, y, width: rounded(Math.max(x0, x1) - x), height: rounded(Math.max(y0, y1) - y) };
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

// Moving, turning, scaling. A map is [a, b, c, d, e, f]: x' = a x + c y + e, y' = b x + d y + f.

/** The map that moves by (dx, dy). */
export const moving = (dx, dy) => [1, 0, 0, 1, dx, dy];

/** The map that turns by an angle (clockwise on the screen) about a point. */
export function turning(angle, [cx, cy]) {
  const cos = Math.cos(angle), sin = Math.sin(angle);
  return [cos, sin, -sin, cos, cx - cos * cx + sin * cy, cy - sin * cx - cos * cy];
}

/** The map that scales by factors along x and y about a point. Negative factors flip. */
export const scaling = (sx, sy, [ox, oy]) => [sx, 0, 0, sy, ox - sx * ox, oy - sy * oy];

/** The point [x, y] under a map, rounded. */
export function mapped([a, b, c, d, e, f], [x, y]) {
  return [rounded(a * x + c * y + e), rounded(b * x + d * y + f)];
}

/** Whether a region can be turned and scaled. A mask of pixels can only be moved. */
export const canTransform = (region) => region.shape.kind !== "rle";

/**
 * The region under a map, with its keypoints. A rectangle that is turned becomes a polygon, a circle that is scaled
 * unevenly an ellipse. A mask is moved by whole pixels; what leaves the picture is cut off.
 */
export function transformed(region, map) {
  const result = withShape(region, transformedShape(region.shape, map));
  return region.keypoints ? { ...result, keypoints: mapKeypoints(region.keypoints, map) } : result;
}

function mapKeypoints(points, map) {
  return points.map(([x, y, v]) => (v > 0 ? [...mapped(map, [x, y]), v] : [x, y, v]));
}

function transformedShape(shape, map) {
  const ring = (points) => points.map((point) => mapped(map, point));
  const [a, b, c, d] = map;
  switch (shape.kind) {
    case "polygon": case "polyline": return { ...shape, points: ring(shape.points) };
    case "multipolygon": return { ...shape, parts: shape.parts.map((rings) => rings.map(ring)) };
    case "keypoints": return { ...shape, points: mapKeypoints(shape.points, map) };
    case "point": {
      const [cx, cy] = mapped(map, [shape.cx, shape.cy]);
      return { ...shape, cx, cy };
    }
    case "rect": {
      if (a === 1 && d === 1 && !b && !c) {
        const [x, y] = mapped(map, [shape.x, shape.y]);
        return { ...shape, x, y };
      }
      if (Math.abs(b) > 1e-9 || Math.abs(c) > 1e-9) return { kind: "polygon", points: ring(corners(shape)) };
      return rectBetween(...ring([[shape.x, shape.y], [shape.x + shape.width, shape.y + shape.height]]));
    }
    case "circle": case "ellipse": return transformedEllipse(shape, map);
    case "rle": return movedMask(shape, Math.round(map[4]), Math.round(map[5]));
    default: return shape;
  }
}

/** A circle or ellipse under a map: the half axes are the singular values of the map times the old axes. */
function transformedEllipse(shape, map) {
  const [cx, cy] = mapped(map, [shape.cx, shape.cy]);
  const [a, b, c, d] = map;
  if (a === 1 && d === 1 && !b && !c) return { ...shape, cx, cy };
  const rx = shape.rx ?? shape.r, ry = shape.ry ?? shape.r, theta = shape.theta ?? 0;
  const similar = Math.abs(a * c + b * d) < 1e-9 && Math.abs(Math.hypot(a, b) - Math.hypot(c, d)) < 1e-9;
  if (shape.kind === "circle" && similar) {
    return { kind: "circle", cx, cy, r: Math.max(SMALLEST, rounded(shape.r * Math.hypot(a, b))) };
  }
  const cos = Math.cos(theta), sin = Math.sin(theta);
  if (similar) { // keeps which axis is which, and the angle of an ellipse that is nearly round
    const factor = Math.hypot(a, b), [ux, uy] = [a * cos + c * sin, b * cos + d * sin];
    const size = (radius) => Math.max(SMALLEST, rounded(radius * factor));
    return { kind: "ellipse", cx, cy, rx: size(rx), ry: size(ry), theta: halfTurn(Math.atan2(uy, ux)) };
  }
  const [p, q] = [(a * cos + c * sin) * rx, (c * cos - a * sin) * ry];
  const [r, s] = [(b * cos + d * sin) * rx, (d * cos - b * sin) * ry];
  const [e, f, g, h] = [(p + s) / 2, (p - s) / 2, (r + q) / 2, (r - q) / 2];
  const [sum, difference] = [Math.hypot(e, h), Math.hypot(f, g)];
  const angle = (Math.atan2(g, f) + Math.atan2(h, e)) / 2;
  let [long, short, turn] = [sum + difference, Math.abs(sum - difference), angle];
  // Of the two descriptions of the same ellipse, the one whose first axis is nearer to the old first axis.
  if (Math.abs(Math.sin(turn - Math.atan2(r, p))) > Math.SQRT1_2) {
    [long, short, turn] = [short, long, turn + Math.PI / 2];
  }
  const size = (radius) => Math.max(SMALLEST, rounded(radius));
  return { kind: "ellipse", cx, cy, rx: size(long), ry: size(short), theta: halfTurn(turn) };
}

/** The same direction of an axis within (-pi / 2, pi / 2], with 6 decimals. */
function halfTurn(angle) {
  const turned = angle - Math.PI * Math.ceil(angle / Math.PI - 0.5);
  return Math.round(turned * 1e6) / 1e6 + 0;
}

/** The region flipped about the middle of its bounds, "across" (left and right) or "down" (top and bottom). */
export function flipped(region, direction, [x, y, width, height] = bounds(region)) {
  const middle = [x + width / 2, y + height / 2];
  return transformed(region, direction === "across" ? scaling(-1, 1, middle) : scaling(1, -1, middle));
}

// Masks: COCO's compressed run lengths, columns first

const intervalsOf = new WeakMap(); // mask -> its intervals: a hit test must not decode again

/** The set pixels of a mask as half-open intervals [start, end) of column * height + row. */
export function maskIntervals(shape) {
  if (!intervalsOf.has(shape)) intervalsOf.set(shape, decoded(shape.counts));
  return intervalsOf.get(shape);
}

function decoded(counts) {
  const runs = runLengths(counts), intervals = [];
  for (let i = 0, start = 0; i < runs.length; start += runs[i++]) {
    if (i % 2 && runs[i]) intervals.push([start, start + runs[i]]);
  }
  return intervals;
}

function encoded(intervals, total) {
  const runs = [];
  let end = 0;
  for (const [from, to] of intervals) {
    runs.push(from - end, to - from);
    end = to;
  }
  if (end < total || !runs.length) runs.push(total - end);
  let text = "";
  runs.forEach((run, i) => {
    let value = i > 2 ? run - runs[i - 2] : run, more = true;
    while (more) {
      let code = ((value % 32) + 32) % 32;
      value = Math.floor(value / 32);
      more = code & 16 ? value !== -1 : value !== 0;
      if (more) code |= 32;
      text += String.fromCharCode(code + 48);
    }
  });
  return text;
}

function maskBounds(shape) {
  const height = shape.size[0];
  let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
  for (const [start, end] of maskIntervals(shape)) {
    const first = Math.floor(start / height), last = Math.floor((end - 1) / height);
    left = Math.min(left, first);
    right = Math.max(right, last + 1);
    top = Math.min(top, first === last ? start % height : 0);
    bottom = Math.max(bottom, first === last ? ((end - 1) % height) + 1 : height);
  }
  return left < right ? [left, top, right - left, bottom - top] : null;
}

function movedMask(shape, dx, dy) {
  if (!dx && !dy) return shape;
  const [height, width] = shape.size, intervals = [];
  for (const [start, end] of maskIntervals(shape)) {
    for (let from = start; from < end;) {
      const column = Math.floor(from / height), to = Math.min(end, (column + 1) * height);
      const top = Math.max(0, from - column * height + dy), bottom = Math.min(height, to - column * height + dy);
      const place = (column + dx) * height;
      if (column + dx >= 0 && column + dx < width && top < bottom) {
        const last = intervals[intervals.length - 1];
        if (last && last[1] === place + top) last[1] = place + bottom;
        else intervals.push([place + top, place + bottom]);
      }
      from = to;
    }
  }
  return { ...shape, counts: encoded(intervals, height * width) };
}

// Drawing

/**
 * The drawing object of a region, as the picture component draws it. The editor gives colours (`colourOf(className)`)
 * and classes with skeletons (`classes`).
 */
export function objectOf(region, editor) {
  const { shape } = region, name = region.class_name ?? null;
  const object = { id: region.id, class: name, label: name ?? "", colour: editor.colourOf(name), kind: shape.kind };
  if (region.score != null) object.score = region.score;
  switch (shape.kind) {
    case "polygon": object.parts = [[shape.points]]; break;
    case "multipolygon": object.parts = shape.parts; break;
    case "rect": object.parts = [[corners(shape)]]; break;
    case "circle": object.circle = [shape.cx, shape.cy, shape.r]; break;
    case "ellipse": object.ellipse = [shape.cx, shape.cy, shape.rx, shape.ry, shape.theta]; break;
    case "polyline": object.line = shape.points; break;
    case "point": object.points = [[shape.cx, shape.cy, 2]]; break;
    case "rle": object.rle = { size: shape.size, counts: shape.counts }; break;
    default: break;
  }
  const keypoints = keypointsOf(region);
  if (keypoints) {
    object.points = keypoints;
    object.limbs = editor.classes?.find((each) => each.name === name)?.skeleton?.edges ?? [];
  }
  return object;
}
