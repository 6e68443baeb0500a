// Snapping: a place near a vertex or an edge of another region takes exactly its coordinates.

import { nearestOnEdge } from "../shape_handles.js";
import { exact, lines, outlines } from "../shapes.js";
import { paintHandle, paintLine } from "../marks.js";

const REACH = 6; // CSS px
const CELL = 64; // picture px of a cell of the index
const FARTHEST = 200000; // picture px: what is farther from the picture is in the outermost cells
const ORIGIN = Math.ceil(FARTHEST / CELL); // cells above and left of the picture
const ROW = 2 * ORIGIN + 1; // cells in a row

/**
 * Vertices and edges of regions, found by place: a grid of cells. Regions are frozen, so that only those that are new
 * or gone are indexed again.
 */
export class BorderIndex {
  constructor() {
    this.cells = new Map(); // number of a cell -> entries {record, a, b}
    this.records = new Map(); // region -> {region, isAlive}
    this.dead = 0;
  }

  /** Index these regions, and forget all others. */
  update(regions) {
    const wanted = new Set(regions);
    for (const [region, record] of this.records) {
      if (wanted.has(region)) continue;
      record.isAlive = false;
      this.records.delete(region);
      this.dead += 1;
    }
    if (this.dead > 200 && this.dead > this.records.size) {
      this.cells.clear();
      this.records.clear();
      this.dead = 0;
    }
    for (const region of regions) if (!this.records.has(region)) this.add(region);
  }

  add(region) {
    const record = { region, isAlive: true };
    this.records.set(region, record);
    for (const { points, closed } of bordersOf(region.shape)) {
      points.forEach((a, i) => {
        const isLast = i === points.length - 1;
        const b = isLast && !closed ? a : points[(i + 1) % points.length];
        this.put({ record, a, b });
      });
    }
  }

  put(entry) {
    const { a, b } = entry;
    const [start, end] = a[0] <= b[0] ? [a, b] : [b, a];
    const first = cellOf(start[0]), last = cellOf(end[0]);
    for (let column = first; column <= last; column++) {
      // The part of the edge that is in this column.
      const y0 = column === first ? start[1] : heightAt(start, end, (column - ORIGIN) * CELL);
      const y1 = column === last ? end[1] : heightAt(start, end, (column + 1 - ORIGIN) * CELL);
      const bottom = cellOf(Math.max(y0, y1));
      for (let row = cellOf(Math.min(y0, y1)); row <= bottom; row++) {
        const number = row * ROW + column, cell = this.cells.get(number);
        if (cell) cell.push(entry);
        else this.cells.set(number, [entry]);
      }
    }
  }

  /**
   * The nearest vertex within `radius` (picture px) of a point, else the nearest edge there, else null.
   * @param {Set<string>} without ids of regions that do not count.
   * @returns {{at: number[], kind: "vertex" | "edge", region: object, edge: number[][]} | null}
   */
  nearest(point, radius, without = new Set()) {
    const [x, y] = point;
    let vertex = null, edge = null, toVertex = radius, toEdge = radius;
    for (let row = cellOf(y - radius); row <= cellOf(y + radius); row++) {
      for (let column = cellOf(x - radius); column <= cellOf(x + radius); column++) {
        for (const { record, a, b } of this.cells.get(row * ROW + column) ?? []) {
          if (!record.isAlive || without.has(record.region.id)) continue;
          for (const corner of a === b ? [a] : [a, b]) {
            const away = Math.hypot(corner[0] - x, corner[1] - y);
            if (away <= toVertex && (away < toVertex || !vertex)) {
              toVertex = away;
              vertex = { at: corner, kind: "vertex", region: record.region, edge: [a, b] };
            }
          }
          if (vertex || a === b) continue;
          const near = nearestOnEdge(point, a, b);
          if (near.distance <= toEdge && (near.distance < toEdge || !edge)) {
            toEdge = near.distance;
            edge = { at: near.at, kind: "edge", region: record.region, edge: [a, b] };
          }
        }
      }
    }
    return vertex ?? edge;
  }
}

const cellOf = (value) => Math.floor(Math.max(-FARTHEST, Math.min(FARTHEST, value)) / CELL) + ORIGIN;

/** The y of a line at an x between its ends. */
function heightAt([x0, y0], [x1, y1], x) {
  return x1 === x0 ? y0 : y0 + ((y1 - y0) * Math.max(0, Math.min(1, (x - x0) / (x1 - x0))));
}

/** The borders to snap to: of outlines and lines, and of rectangles. Curves and masks have none. */
function bordersOf(shape) {
  if (shape.kind === "rect") return [{ points: outlines(shape)[0], closed: true }];
  if (shape.kind === "point") return [{ points: [[shape.cx, shape.cy]], closed: false }];
  return lines(shape);
}

/** Snapping of an editor; the tools call it as `editor.snapper`. It is off until `on` is set. */
export class Snapper {
  constructor(editor) {
    this.editor = editor;
    this.on = false;
    this.index = new BorderIndex();
    this.shown = null; // what the pointer has snapped to
    this.indexed = null; // the list of regions in the index
    this.hidden = "";
    editor.view.painters.push((context, view) => this.paint(context, view));
  }

  /**
   * The place to which a place snaps, marked as exact; null if nothing is near, or if snapping is off.
   * @param {{ids?: Set<string>}} options ids of regions that do not count.
   */
  snap(point, { ids = new Set() } = {}) {
    this.show(null);
    if (!this.on || !this.editor.doc) return null;
    this.update();
    const followers = this.editor.sharedBorders?.followers;
    const without = followers?.size ? new Set([...ids, ...followers]) : ids;
    const found = this.index.nearest(point, REACH / this.editor.view.camera.scale, without);
    this.show(found);
    return found && exact([...found.at]);
  }

  update() {
    const { regions, hidden } = this.editor.doc, names = [...hidden].join();
    if (this.indexed === regions && this.hidden === names) return;
    this.index.update(hidden.size ? regions.filter((region) => !hidden.has(region.id)) : regions);
    this.indexed = regions;
    this.hidden = names;
  }

  show(found) {
    if (this.shown === found) return;
    this.shown = found;
    this.editor.view.redrawOverlay();
  }

  paint(context, view) {
    if (!this.shown) return;
    const { at, kind, edge } = this.shown;
    if (kind === "edge") paintLine(context, edge.map((point) => view.camera.toScreen(point)), { colour: MARK });
    const form = kind === "vertex" ? "square" : "round";
    paintHandle(context, view.camera.toScreen(at), { form, hot: true, colour: MARK });
  }
}

const MARK = "#f0e442";
