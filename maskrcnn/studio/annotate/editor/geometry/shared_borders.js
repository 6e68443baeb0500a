// Borders that regions share: vertices at the same place move together, so that no gap and no overlap opens.
//
// Before something moves, the edges that change get all vertices of other regions that lie on them. Then every piece of
// a shared border has the same two vertices in all its regions, and moving vertices by place keeps the regions
// together.

import { withVertexInserted } from "../shape_handles.js";
import { distance, exact, roundedPoint } from "../shapes.js";
import { boxesTouch, fractionOn, isSamePoint, ON_EDGE, pointKey, ringsBox, ringsOf, withRings } from "./rings.js";

/**
 * The regions that touch some regions, and the vertices that may lie on the edges of all of them.
 * @returns {{regions: object[], vertices: number[][]}} `regions` without those of `ids`.
 */
function neighbourhood(regions, touched) {
  const ids = new Set(touched.map((region) => region.id));
  const touches = (region, others) => others.some((other) => boxesTouch(ringsBox(region), ringsBox(other)));
  const near = regions.filter((region) => !ids.has(region.id) && touches(region, touched));
  const around = regions.filter((region) => !ids.has(region.id) && touches(region, near));
  const vertices = new Map();
  for (const region of new Set([...touched, ...near, ...around])) {
    for (const { points } of ringsOf(region)) for (const point of points) vertices.set(pointKey(point), point);
  }
  return { regions: near, vertices: [...vertices.values()] };
}

/**
 * The regions that change when `before` becomes `after` (the same regions, with moved vertices) and borders stay
 * shared.
 *
 * Vertices at exactly the same place move with them in all regions, and vertices on an edge that moves as a whole.
 * Edges that change get the vertices that lie on them.
 * @param {object[]} regions all regions; those that must not change are left out.
 * @param {{regions: object[], vertices: number[][]}} near what `neighbourhood(regions, before)` returns.
 * @returns {object[]} changed regions: those of `after`, perhaps with more vertices, and others.
 */
export function sharedMoves(regions, before, after, near = neighbourhood(regions, before)) {
  const moves = new Map(); // key of an old place -> new place
  const moving = []; // [a, b] edges of which both ends move
  before.forEach((region, place) => {
    const rings = ringsOf(after[place]);
    ringsOf(region).forEach(({ points }, ring) => {
      const moved = rings[ring].points;
      if (moved.length !== points.length) return;
      points.forEach((point, i) => {
        if (!isSamePoint(point, moved[i])) moves.set(pointKey(point), moved[i]);
        const next = (i + 1) % points.length;
        if (!isSamePoint(point, moved[i]) && !isSamePoint(points[next], moved[next])) {
          moving.push([point, points[next], moved[i], moved[next]]);
        }
      });
    });
  });
  if (!moves.size) return after;
  for (const [a, b, c, d] of moving) {
    for (const vertex of near.vertices) {
      const fraction = moves.has(pointKey(vertex)) ? null : fractionOn(vertex, a, b);
      if (fraction === null) continue;
      const at = [c[0] + fraction * (d[0] - c[0]), c[1] + fraction * (d[1] - c[1])];
      moves.set(pointKey(vertex), roundedPoint(at));
    }
  }
  const places = [...moves].map(([key, to]) => ({ from: key.split(",").map(Number), to }));
  const moved = (point) => moves.get(pointKey(point)) ?? point;
  const isAffected = (a, b) => moves.has(pointKey(a)) || moves.has(pointKey(b))
    || places.some(({ from }) => fractionOn(from, a, b) !== null);
  const replaced = (region) => withRings(region, (points) => {
    const full = withVerticesOnEdges(points, isAffected, near.vertices, places);
    return full === points && !points.some((point) => moves.has(pointKey(point))) ? points : full.map(moved);
  });
  const others = near.regions.map((region) => [region, replaced(region)]).filter(([old, now]) => old !== now);
  const dragged = before.map((region, place) => replacedOr(region, replaced(region), after[place]));
  return [...dragged, ...others.map(([, now]) => now)];
}

/** A region of `after` with the rings that `replaced` found; without rings it is as it was moved. */
function replacedOr(before, replaced, after) {
  return ringsOf(before).length ? { ...after, shape: replaced.shape } : after;
}

/**
 * A ring whose affected edges have all vertices that lie on them; the same list if none is added.
 * @param {(a: number[], b: number[]) => boolean} isAffected whether an edge gets vertices.
 * @param {{from: number[]}[]} places more places that count as vertices.
 */
function withVerticesOnEdges(points, isAffected, vertices, places = []) {
  const result = [];
  points.forEach((a, i) => {
    const b = points[(i + 1) % points.length];
    result.push(a);
    if (!isAffected(a, b)) return;
    const found = new Map();
    for (const vertex of [...vertices, ...places.map((place) => place.from)]) {
      const fraction = fractionOn(vertex, a, b);
      if (fraction !== null) found.set(pointKey(vertex), { vertex, fraction });
    }
    const sorted = [...found.values()].sort((one, other) => one.fraction - other.fraction);
    result.push(...sorted.map(({ vertex }) => vertex));
  });
  return result.length === points.length ? points : result;
}

/**
 * The regions that change when a vertex is inserted on an edge of a region and borders stay shared. `inserted` is the
 * region with the vertex, at index `edge.index + 1` of the ring.
 */
export function sharedInsertion(regions, region, edge, inserted, near = neighbourhood(regions, [region])) {
  const middle = exact([(edge.a[0] + edge.b[0]) / 2, (edge.a[1] + edge.b[1]) / 2]);
  const before = withVertexInserted(region, edge, middle);
  return sharedMoves(regions, [before], [inserted], near);
}

/**
 * The regions that change when a vertex of a region is deleted and borders stay shared: it goes in all regions that
 * have it. Null if that would open a gap or an overlap, because more than two regions meet there or one ends there, or
 * if a ring would have fewer than three vertices.
 */
export function sharedDeletion(regions, region, at, near = neighbourhood(regions, [region])) {
  const isAffected = (a, b) => isSamePoint(a, at) || isSamePoint(b, at) || fractionOn(at, a, b) !== null;
  const ends = new Set(); // the vertices before and after, in either direction, of each occurrence
  let isPossible = true;
  const changed = [region, ...near.regions].map((each) => [each, withRings(each, (points) => {
    const full = withVerticesOnEdges(points, isAffected, near.vertices);
    const places = full.flatMap((point, i) => (isSamePoint(point, at) ? [i] : []));
    if (!places.length) return full;
    const [i] = places, { length } = full;
    ends.add([full[(i + length - 1) % length], full[(i + 1) % length]].map(pointKey).sort().join(" "));
    if (places.length > 1 || length <= 3) isPossible = false;
    return full.filter((_, place) => place !== i);
  })]);
  return isPossible && ends.size === 1 ? changed.filter(([old, now]) => old !== now).map(([, now]) => now) : null;
}

/** Whether a place is on an outline of a region: at a vertex, or on an edge. */
function isOnBorder(region, at) {
  return ringsOf(region).some(({ points }) => points.some((a, i) => (
    distance(a, at) <= ON_EDGE || fractionOn(at, a, points[(i + 1) % points.length]) !== null
  )));
}

/**
 * The mode "shared borders" of an editor; the tools call it as `editor.sharedBorders`. Locked regions stay as they are.
 */
export class SharedBorders {
  constructor(editor) {
    this.editor = editor;
    this.on = false;
    this.followers = new Set(); // ids of regions that move along with the dragged vertex: it does not snap to them
  }

  get regions() {
    const { doc } = this.editor;
    return doc.regions.filter((region) => !doc.locked.has(region.id));
  }

  /**
   * Begin to follow a drag of the regions `before` by what `hit` names. Null if the mode is off.
   * @returns {((changed: object[]) => object[]) | null} a function of the changed regions that returns all that change.
   */
  following(before, hit) {
    this.followers = new Set();
    if (!this.on) return null;
    const { regions } = this, near = neighbourhood(regions, before);
    if (hit.kind === "handle") {
      this.followers = new Set(near.regions.filter((region) => isOnBorder(region, hit.handle.at)).map(({ id }) => id));
    }
    if (hit.kind === "middle") return ([changed]) => sharedInsertion(regions, hit.region, hit.edge, changed, near);
    return (changed) => sharedMoves(regions, before, changed, near);
  }

  /** The regions that change when a vertex is inserted; null if the mode is off. */
  inserting(region, edge, inserted) {
    return this.on ? sharedInsertion(this.regions, region, edge, inserted) : null;
  }

  /**
   * The regions that change when the vertex of a handle is deleted; null if the mode is off. An empty list if it cannot
   * be deleted; then the reason is said.
   */
  deleting(region, handle) {
    if (!this.on || handle.kind !== "vertex" || !ringsOf(region).length) return null;
    const changed = sharedDeletion(this.regions, region, handle.at);
    if (changed === null) {
      this.editor.say("This vertex holds several borders together; switch shared borders off to delete it", "warning");
    }
    return changed ?? [];
  }
}
