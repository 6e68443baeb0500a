// Geometry of the objects that a view shows: outlines, bounds, area, paths for drawing, and what is at a place.

import { rleRings } from "./rle.js";

/**
 * An object on a picture, as the view draws it. All coordinates are picture px of the displayed picture. Objects and
 * what they contain are never changed in place: a changed object is a new one, since paths are kept per object.
 *
 * @typedef {object} PictureObject
 * @property {string | number} id
 * @property {number} [number] number that is shown in the label
 * @property {string} [class] name of its class
 * @property {string} [label] text of the label, instead of number, class and score
 * @property {number} [score] 0..1
 * @property {string} [colour] CSS colour
 * @property {"solid" | "dashed" | "hatched"} [style]
 * @property {number[][][][]} [parts] polygons [ring, hole, ...], ring = [[x, y], ...]
 * @property {number[][]} [line] open line [[x, y], ...]
 * @property {[number, number, number]} [circle] cx, cy, radius
 * @property {[number, number, number, number, number]} [ellipse] cx, cy, rx, ry, theta (radians, clockwise on screen)
 * @property {{size: [number, number], counts: string | number[]}} [rle] COCO run lengths of a mask, size [h, w]
 * @property {[number, number, number, number]} [box] x, y, w, h
 * @property {[number, number, number][]} [points] keypoints x, y, visibility (0: absent, 1: hidden, 2: visible)
 * @property {[number, number][]} [limbs] pairs of places in `points`
 * @property {[number, number, number, number, number, number]} [grid] x, y, w, h, columns, rows
 */

const MANY_VERTICES = 300; // above which an outline is drawn without vertices that cannot be told apart
const kept = new WeakMap(); // object -> its Geometry

/** Return the geometry of an object; it is computed once per object. */
export function geometryOf(object) {
  let geometry = kept.get(object);
  if (!geometry) kept.set(object, (geometry = new Geometry(object)));
  return geometry;
}

/** Outlines, bounds, area and paths of one object, in picture px. */
export class Geometry {
  #rings;
  #bounds;
  #area;
  #path;
  #coarsePaths = new Map(); // power of two of the scale -> Path2D

  /** @param {PictureObject} object */
  constructor(object) {
    this.object = object;
    const { parts, line, circle, ellipse, rle, box } = object;
    /** Whether the object has an outline apart from its box. */
    this.hasOutline = Boolean(parts?.length || line?.length || circle || ellipse || rle);
    /** Whether the box is the object's own outline. */
    this.isBox = !this.hasOutline && Boolean(box) && !object.points?.length;
    /** Whether the outline encloses an area that can be filled. */
    this.isClosed = this.isBox || (this.hasOutline && !(line?.length && !parts?.length && !circle && !ellipse && !rle));
  }

  /** Closed rings and the open line: [{points: [[x, y], ...], closed}, ...]. Curves have 72 vertices. */
  get rings() {
    return (this.#rings ??= this.#makeRings());
  }

  /** Smallest box around everything that is drawn of the object: [x0, y0, x1, y1]. */
  get bounds() {
    return (this.#bounds ??= this.#makeBounds());
  }

  /** Enclosed area in px^2; 0 of lines and points. */
  get area() {
    return (this.#area ??= this.#makeArea());
  }

  /** Path2D of the outline; fill it with the rule "evenodd". */
  get path() {
    return (this.#path ??= this.#makePath());
  }

  /** Path2D of the outline for a scale (CSS px per picture px); without vertices that are less than half a px apart. */
  pathAt(scale) {
    const { circle, ellipse } = this.object;
    if (circle || ellipse || this.#vertices <= MANY_VERTICES) return this.path;
    const level = Math.ceil(Math.log2(scale));
    if (!this.#coarsePaths.has(level)) this.#coarsePaths.set(level, this.#makePath(0.5 / 2 ** level));
    return this.#coarsePaths.get(level);
  }

  get #vertices() {
    return this.rings.reduce((sum, { points }) => sum + points.length, 0);
  }

  /** Whether a point is inside the outline (even-odd rule). */
  contains(x, y) {
    if (!this.isClosed) return false;
    let inside = false;
    for (const { points, closed } of this.rings) {
      if (!closed) continue;
      for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
        const [xi, yi] = points[i], [xj, yj] = points[j];
        if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
      }
    }
    return inside;
  }

  /** Distance in picture px from a point to the nearest outline, limb or keypoint. */
  distanceTo(x, y) {
    let least = Infinity;
    for (const { points, closed } of this.rings) {
      for (let i = closed ? 0 : 1, j = closed ? points.length - 1 : 0; i < points.length; j = i++) {
        least = Math.min(least, squaredDistance(x, y, points[j], points[i]));
      }
      if (points.length === 1) least = Math.min(least, squaredDistance(x, y, points[0], points[0]));
    }
    const { points = [], limbs = [] } = this.object;
    for (const point of points) if (point[2] !== 0) least = Math.min(least, squaredDistance(x, y, point, point));
    for (const [i, j] of limbs) {
      if (points[i]?.[2] && points[j]?.[2]) least = Math.min(least, squaredDistance(x, y, points[i], points[j]));
    }
    return Math.sqrt(least);
  }

  #makeRings() {
    const { parts = [], line, circle, ellipse, rle, box } = this.object;
    const rings = [];
    for (const part of parts) for (const points of part) if (points.length) rings.push({ points, closed: true });
    if (line?.length) rings.push({ points: line, closed: false });
    if (circle) rings.push({ points: ellipsePoints(circle[0], circle[1], circle[2], circle[2], 0), closed: true });
    if (ellipse) rings.push({ points: ellipsePoints(...ellipse), closed: true });
    if (rle) for (const points of rleRings(rle)) rings.push({ points, closed: true });
    if (this.isBox) rings.push({ points: boxPoints(box), closed: true });
    return rings;
  }

  #makeBounds() {
    let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
    const include = ([x, y]) => {
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
    };
    for (const { points } of this.rings) points.forEach(include);
    const { box, points = [], grid } = this.object;
    if (box) boxPoints(box).forEach(include);
    if (grid) boxPoints(grid).forEach(include);
    for (const point of points) if (point[2] !== 0) include(point);
    return [x0, y0, x1, y1];
  }

  #makeArea() {
    const { parts, rle } = this.object;
    if (!this.isClosed) return 0;
    if (rle) return Math.abs(this.rings.reduce((sum, { points }) => sum + signedArea(points), 0));
    const areaOf = ({ points, closed }) => (closed ? Math.abs(signedArea(points)) : 0);
    if (!parts) return this.rings.reduce((sum, ring) => sum + areaOf(ring), 0);
    return parts.reduce((sum, part) => sum + part.reduce(
      (area, ring, place) => area + (place ? -1 : 1) * Math.abs(signedArea(ring)), 0), 0);
  }

  #makePath(apart = 0) {
    const { circle, ellipse } = this.object;
    const path = new Path2D();
    if (circle) addEllipse(path, circle[0], circle[1], circle[2], circle[2], 0);
    if (ellipse) addEllipse(path, ...ellipse);
    if (circle || ellipse) return path;
    for (const { points, closed } of this.rings) {
      path.moveTo(points[0][0], points[0][1]);
      let last = points[0];
      for (let i = 1; i < points.length; i++) {
        const [x, y] = points[i];
        if (apart > 0 && Math.abs(x - last[0]) < apart && Math.abs(y - last[1]) < apart) continue;
        path.lineTo(x, y);
        last = points[i];
      }
      if (closed) path.closePath();
    }
    return path;
  }
}

/** Return the ids of the objects at a place, best first: lines within `reach` picture px, then small ones. */
export function objectsAt(objects, [x, y], reach) {
  const found = [];
  for (let place = objects.length - 1; place >= 0; place--) {
    const geometry = geometryOf(objects[place]);
    const [x0, y0, x1, y1] = geometry.bounds;
    if (!(x >= x0 - reach && x <= x1 + reach && y >= y0 - reach && y <= y1 + reach)) continue;
    const distance = geometry.distanceTo(x, y);
    if (distance <= reach) found.push([Math.round((2 * distance) / reach) / 2 || 0, geometry.area, objects[place].id]);
    else if (geometry.contains(x, y)) found.push([2, geometry.area, objects[place].id]);
  }
  return found.sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , id]) => id);
}

/** Return the ids of the objects that are wholly inside a box [x, y, w, h] of picture px, back to front. */
export function objectsIn(objects, [x, y, w, h]) {
  const inside = ({ bounds: [x0, y0, x1, y1] }) => x0 >= x && y0 >= y && x1 <= x + w && y1 <= y + h;
  return objects.filter((object) => inside(geometryOf(object))).map((object) => object.id);
}

/** Signed area of a ring in px^2 (positive: clockwise on the screen). */
export function signedArea(points) {
  let sum = 0;
  for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
    sum += points[j][0] * points[i][1] - points[i][0] * points[j][1];
  }
  return sum / 2;
}

/** Squared distance from (x, y) to the line segment from a to b. */
export function squaredDistance(x, y, a, b) {
  const dx = b[0] - a[0], dy = b[1] - a[1], length = dx * dx + dy * dy;
  const t = length > 0 ? Math.max(0, Math.min(1, ((x - a[0]) * dx + (y - a[1]) * dy) / length)) : 0;
  return (x - a[0] - t * dx) ** 2 + (y - a[1] - t * dy) ** 2;
}

function boxPoints([x, y, w, h]) {
  return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
}

function ellipsePoints(cx, cy, rx, ry, theta = 0) {
  const cos = Math.cos(theta), sin = Math.sin(theta);
  return Array.from({ length: 72 }, (_, i) => {
    const angle = (i * Math.PI) / 36, u = rx * Math.cos(angle), v = ry * Math.sin(angle);
    return [cx + u * cos - v * sin, cy + u * sin + v * cos];
  });
}

function addEllipse(path, cx, cy, rx, ry, theta = 0) {
  path.moveTo(cx + Math.abs(rx) * Math.cos(theta), cy + Math.abs(rx) * Math.sin(theta));
  path.ellipse(cx, cy, Math.abs(rx), Math.abs(ry), theta, 0, 2 * Math.PI);
  path.closePath();
}
