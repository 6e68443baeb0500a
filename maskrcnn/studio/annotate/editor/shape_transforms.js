/*
 * Regions moved, turned, scaled and mirrored. A map is [a, b, c, d, e, f]: x' = a x + c y + e, y' = b x + d y + f. All
 * functions are pure; shapes.js says what a region is.
 */

import { movedMask } from "./mask_runs.js";
import { corners, outlines, rectBetween, rounded, roundedPoint, SMALLEST, withShape } from "./shapes.js";

/** The map that moves by (dx, dy). */
export const moving = (dx, dy) => [1, 0, 0, 1, dx, dy];

/** The map that turns by an angle (clockwise on the screen) about a point. */
export function turning(angle, [cx, cy]) {
  const cos = Math.cos(angle), sin = Math.sin(angle);
  return [cos, sin, -sin, cos, cx - cos * cx + sin * cy, cy - sin * cx - cos * cy];
}

/** The map that scales by factors along x and y about a point. Negative factors mirror. */
export const scaling = (sx, sy, [ox, oy]) => [sx, 0, 0, sy, ox - sx * ox, oy - sy * oy];

/** The point [x, y] under a map, rounded. */
function mapped([a, b, c, d, e, f], [x, y]) {
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

/** A polygon with the outline of a rectangle, circle or ellipse (curves within 0.25 px); other shapes unchanged. */
export function asPolygon(shape) {
  if (!["rect", "circle", "ellipse"].includes(shape.kind)) return shape;
  const radius = Math.max(shape.r ?? 0, shape.rx ?? 0, shape.ry ?? 0, 1);
  const steps = Math.max(12, Math.min(360, Math.ceil(Math.PI / Math.acos(Math.max(0, 1 - 0.25 / radius)))));
  return { kind: "polygon", points: outlines(shape, steps)[0].map(roundedPoint) };
}
