// Outlines of soft masks at a threshold, in picture px: sharp at any zoom, and the same shape as the pasted mask.
//
// A soft mask is interpolated as in model/mask_pasting.py: a cell's value lies at the centre of the cell, between the
// centres it changes linearly, and outside the grid it falls to 0 within one cell. The line where it has the value of
// the threshold is found by marching squares (Lorensen and Cline 1987, in two dimensions).

import { signedArea } from "../components/picture/objects.js";
import { boxOf } from "./candidate_table.js";

const STEP = 2; // px: a cell is divided until its parts are about this long,
const MOST_PARTS = 4; // into at most this many
const kept = new WeakMap(); // candidates -> place -> its field, which is the same at each threshold

/**
 * The outline of a candidate's mask at a threshold (0..1): closed rings [[x, y], ...] in picture px.
 *
 * Outer rings run clockwise on the screen, holes the other way. Nothing lies outside the picture.
 */
export function softOutline(candidates, place, threshold) {
  if (!kept.has(candidates)) kept.set(candidates, new Map());
  const fields = kept.get(candidates);
  if (!fields.has(place)) fields.set(place, fieldOf(candidates, place));
  const { values, columns, rows } = fields.get(place);
  return values ? ringsOf(values, columns, rows, threshold * 255) : [];
}

/** A candidate's mask at the nodes of a grid: {values, columns, rows}; without values if it has no extent. */
function fieldOf(candidates, place) {
  const { side, masks } = candidates, [columns, rows] = axesOf(candidates, place);
  if (!columns || !rows) return {};
  const cells = masks.subarray(place * side * side, (place + 1) * side * side);
  return { values: valuesAt(cells, side, columns, rows), columns, rows };
}

/** The area that rings enclose, in px². */
export function areaOf(rings) {
  return Math.max(0, rings.reduce((sum, ring) => sum + signedArea(ring), 0));
}

/** Rings as polygons [outer ring, hole, ...]; a hole belongs to the smallest outer ring around it. */
export function polygonsOf(rings) {
  const outer = rings.map((ring) => ({ ring, area: signedArea(ring), holes: [] })).filter(({ area }) => area > 0);
  outer.sort((one, other) => one.area - other.area);
  for (const hole of rings) {
    if (signedArea(hole) < 0) outer.find(({ ring }) => contains(ring, hole[0]))?.holes.push(hole);
  }
  return outer.map(({ ring, holes }) => [ring, ...holes]);
}

function contains(ring, [x, y]) {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i], [xj, yj] = ring[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

// Where the mask is interpolated

/** The columns and rows of a candidate's mask; null for one that has no extent in the picture. */
function axesOf({ boxes, width, height, side, legacy }, place) {
  const [x1, y1, x2, y2] = boxOf({ boxes }, place);
  const axis = legacy ? legacyAxis : exactAxis;
  return [axis(x1, x2, side, width), axis(y1, y2, side, height)];
}

/** The cells divide the box; pixels that the box touches are pasted. */
function exactAxis(low, high, cells, length) {
  return nodes(low, high, cells, Math.max(0, Math.floor(low)), Math.min(length, Math.ceil(high)));
}

/** As torchvision pastes: the grid gets a border of one cell of 0, and the larger box is rounded to whole pixels. */
function legacyAxis(low, high, cells, length) {
  const single = Math.fround, centre = single(single(low + high) * 0.5);
  const half = single(single(single(high - low) * 0.5) * single((cells + 2) / cells));
  const first = Math.trunc(single(centre - half));
  const end = Math.max(Math.trunc(single(centre + half)), first) + 1;
  const cell = (end - first) / (cells + 2);
  return nodes(first + cell, end - cell, cells, Math.max(0, first), Math.min(length, end));
}

/**
 * The positions along one axis at which a mask is interpolated, from `from` to `to`: its first and last position are
 * there twice, first with the value 0, so that no outline leaves this range. Each position has a place on the grid, in
 * cells from the centre of the first one; NaN stands for the value 0.
 */
function nodes(low, high, cells, from, to) {
  if (!(high > low && to > from)) return null;
  const cell = (high - low) / cells;
  const parts = Math.max(1, Math.min(MOST_PARTS, Math.round(cell / STEP)));
  const positions = [from, from], onGrid = [NaN, (from - low) / cell - 0.5];
  for (let step = -parts; step <= cells * parts; step++) {
    const position = low + (step / parts + 0.5) * cell;
    if (position <= from || position >= to) continue;
    positions.push(position);
    onGrid.push(step / parts);
  }
  positions.push(to, to);
  onGrid.push((to - low) / cell - 0.5, NaN);
  return { positions, onGrid };
}

/** The values of a mask at all columns and rows, row by row. */
function valuesAt(cells, side, columns, rows) {
  const width = columns.onGrid.length, height = rows.onGrid.length;
  const wide = new Float64Array(width * side), values = new Float64Array(width * height);
  columns.onGrid.forEach((place, column) => {
    eachWeight(place, side, (cell, weight) => {
      for (let row = 0; row < side; row++) wide[row * width + column] += weight * cells[row * side + cell];
    });
  });
  rows.onGrid.forEach((place, row) => {
    eachWeight(place, side, (cell, weight) => {
      for (let column = 0; column < width; column++) {
        values[row * width + column] += weight * wide[cell * width + column];
      }
    });
  });
  return values;
}

/** Call `use(cell, weight)` for the cells between whose centres a place of the grid lies. */
function eachWeight(place, side, use) {
  if (Number.isNaN(place)) return;
  const before = Math.floor(place), part = place - before;
  if (before >= 0 && before < side) use(before, 1 - part);
  if (part > 0 && before + 1 >= 0 && before + 1 < side) use(before + 1, part);
}

// Marching squares

/**
 * The rings around the nodes with a value of at least `level`. The outermost nodes are below it.
 *
 * Each side between two neighbouring nodes of which one is inside is crossed by a ring once. A crossing is numbered by
 * its upper or left node, twice that plus 1 for a side that goes down; `next` is the crossing that follows on its ring.
 */
function ringsOf(values, columns, rows, level) {
  const width = columns.onGrid.length, height = rows.onGrid.length;
  const next = new Int32Array(2 * width * height).fill(-1), starts = [];
  const link = (from, to) => {
    next[from] = to;
    starts.push(from);
  };
  for (let row = 0; row + 1 < height; row++) {
    for (let column = 0; column + 1 < width; column++) {
      const node = row * width + column;
      const a = values[node], b = values[node + 1], d = values[node + width], c = values[node + width + 1];
      const inside = (a >= level) + 2 * (b >= level) + 4 * (c >= level) + 8 * (d >= level);
      if (inside === 0 || inside === 15) continue;
      const sides = [2 * node, 2 * (node + 1) + 1, 2 * (node + width), 2 * node + 1]; // top, right, bottom, left
      if (inside === 5 || inside === 10) linkSaddle(sides, inside === 5, a + b + c + d >= 4 * level, link);
      else link(sides[leaving(inside)], sides[entering(inside)]);
    }
  }
  return chained(next, starts, (crossing) => crossingAt(crossing, values, columns, rows, level));
}

/** Around a cell, clockwise from its upper left corner: the side on which the inside ends. */
function leaving(inside) {
  for (let corner = 0; ; corner++) if (inside >> corner & 1 && !(inside >> ((corner + 1) % 4) & 1)) return corner;
}

/** The side on which the inside begins. */
function entering(inside) {
  for (let corner = 0; ; corner++) if (!(inside >> corner & 1) && inside >> ((corner + 1) % 4) & 1) return corner;
}

/** Two opposite corners are inside: `isFalling` those at the upper left and lower right. They may be `joined`. */
function linkSaddle([top, right, bottom, left], isFalling, joined, link) {
  if (isFalling) {
    link(top, joined ? right : left);
    link(bottom, joined ? left : right);
  } else {
    link(right, joined ? bottom : top);
    link(left, joined ? top : bottom);
  }
}

/** The point of a crossing: where the value, between two nodes, is `level`. */
function crossingAt(crossing, values, { positions: xs }, { positions: ys }, level) {
  const width = xs.length, node = crossing >> 1, isDown = crossing & 1;
  const column = node % width, row = (node - column) / width;
  const first = values[node], second = values[isDown ? node + width : node + 1];
  const part = (level - first) / (second - first);
  return isDown
    ? [xs[column], ys[row] + part * (ys[row + 1] - ys[row])]
    : [xs[column] + part * (xs[column + 1] - xs[column]), ys[row]];
}

/** Follow the crossings to closed rings. Points that lie on each other become one. */
function chained(next, starts, pointOf) {
  const rings = [];
  for (const start of starts) {
    if (next[start] < 0) continue;
    const ring = [];
    for (let at = start; next[at] >= 0; ) {
      const point = pointOf(at), before = ring.at(-1), following = next[at];
      if (!before || Math.abs(point[0] - before[0]) + Math.abs(point[1] - before[1]) > 1e-9) ring.push(point);
      next[at] = -1;
      at = following;
    }
    if (ring.length > 2) rings.push(ring);
  }
  return rings;
}
