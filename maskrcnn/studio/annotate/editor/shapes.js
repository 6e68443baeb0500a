/*
 * Regions as the project store writes them, `{id, shape: {kind, ...}, keypoints?, ...}`: their outlines, extent and
 * area, and how they are drawn.
 *
 * All functions here, in shape_handles.js and in shape_transforms.js are pure: they return new regions and never change
 * the ones they get. Coordinates are picture pixels (x to the right, y down), angles radians, clockwise on the screen.
 * New coordinates are rounded to 2 decimals.
 */

import { maskBounds, maskIntervals } from "./mask_runs.js";

const LIMIT = 1e6; // farther from the picture than any sensible drag; the store refuses infinite numbers

/** Least radius or scale, so that a shape can be made larger again. */
export const SMALLEST = 0.01;

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
 * A region with another shape. `extras` describe the old shape and are left out. A suggestion of a network becomes a
 * person's region: it loses its source and its score.
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

/** The corners of a rectangle, clockwise from the top left. */
export function corners({ x, y, width, height }) {
  return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]];
}

/** Points on an ellipse, `steps` of them at equal angles from its first axis on. */
export function arc(cx, cy, rx, ry, theta, steps) {
  const cos = Math.cos(theta), sin = Math.sin(theta);
  return Array.from({ length: steps }, (_, i) => {
    const u = rx * Math.cos((2 * Math.PI * i) / steps), v = ry * Math.sin((2 * Math.PI * i) / steps);
    return [cx + u * cos - v * sin, cy + u * sin + v * cos];
  });
}

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

/** The keypoints [[x, y, visibility]] of a region, as its shape or beside its outline; null if it has none. */
export function keypointsOf(region) {
  return region.shape.kind === "keypoints" ? region.shape.points : region.keypoints ?? null;
}

/** The region with other keypoints. */
export function withKeypoints(region, points) {
  return region.shape.kind === "keypoints"
    ? withShape(region, { ...region.shape, points }) : { ...withShape(region, region.shape), keypoints: points };
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
