// Labels of objects, placed so that they do not cover each other.

import { inkOn } from "./object_drawing.js";

const HEIGHT = 18; // CSS px of a label
const SPACE = 5; // CSS px left and right of its text
const CELL = 64; // CSS px of a cell of the occupancy table
const MOST_LABELS = 300;
const FONT = "600 13px";

/** Rectangles that are taken, found by cells: a test looks at the few rectangles near a place only. */
export class OccupiedPlaces {
  #cells = new Map();

  /** Take a rectangle [x, y, w, h] if it overlaps none that is taken, and return whether it was free. */
  take(rectangle) {
    const [x, y, w, h] = rectangle;
    const cells = [];
    for (let row = Math.floor(y / CELL); row <= Math.floor((y + h) / CELL); row++) {
      for (let column = Math.floor(x / CELL); column <= Math.floor((x + w) / CELL); column++) {
        const cell = column * 65536 + row, there = this.#cells.get(cell);
        if (there?.some(([a, b, c, d]) => x < a + c && a < x + w && y < b + d && b < y + h)) return false;
        cells.push(cell);
      }
    }
    for (const cell of cells) {
      if (!this.#cells.has(cell)) this.#cells.set(cell, []);
      this.#cells.get(cell).push(rectangle);
    }
    return true;
  }
}

/**
 * Choose the places of labels. One that finds no free place is left out.
 *
 * @param {{text: string, width: number, bounds: number[]}[]} labels the important ones first; `width` in CSS px,
 *   `bounds` [x0, y0, x1, y1] of the object in CSS px of the view
 * @param {number} width of the view, CSS px
 * @param {number} height of the view, CSS px
 * @returns {{label: object, x: number, y: number}[]} left top corners in CSS px
 */
export function placeLabels(labels, width, height) {
  const places = new OccupiedPlaces(), placed = [];
  for (const label of labels) {
    const [x0, y0, x1, y1] = label.bounds;
    const w = label.width + 2 * SPACE;
    const left = Math.max(0, Math.min(width - w, x0)), right = Math.max(0, Math.min(width - w, x1 - w));
    const inside = [[left, Math.max(2, y0 + 2)], [right, Math.max(2, y0 + 2)]];
    const isLarge = x1 - x0 > 1.5 * w && y1 - Math.max(0, y0) > 2 * HEIGHT;
    const candidates = [
      [left, y0 - HEIGHT - 2], [right, y0 - HEIGHT - 2],
      ...(isLarge && y0 < HEIGHT + 2 ? inside : []),
      [left, y1 + 2], [right, y1 + 2],
      ...(isLarge ? inside : [[x1 + 2, y0], [x0 - w - 2, y0]]),
    ];
    for (const [x, y] of candidates) {
      if (x < 0 || y < 0 || x + w > width || y + HEIGHT > height) continue;
      if (!places.take([x, y, w, HEIGHT])) continue;
      placed.push({ label, x, y });
      break;
    }
    if (placed.length >= MOST_LABELS) break;
  }
  return placed;
}

const widths = new Map();

/** Width of a label's text in CSS px; the context's font must be that of `setLabelFont`. */
export function textWidth(context, text) {
  const name = `${context.font} ${text}`;
  if (!widths.has(name)) {
    if (widths.size > 5000) widths.clear();
    widths.set(name, context.measureText(text).width);
  }
  return widths.get(name);
}

/** Set the context's font to that of labels. */
export function setLabelFont(context, family) {
  context.font = `${FONT} ${family || "sans-serif"}`;
}

/** Draw a label with its left top corner at (x, y), CSS px. */
export function drawLabel(context, text, width, colour, x, y) {
  context.fillStyle = colour;
  context.beginPath();
  if (context.roundRect) context.roundRect(x, y, width + 2 * SPACE, HEIGHT, 3);
  else context.rect(x, y, width + 2 * SPACE, HEIGHT);
  context.fill();
  context.fillStyle = inkOn(colour);
  context.textBaseline = "middle";
  context.fillText(text, x + SPACE, y + HEIGHT / 2 + 1);
}

/** Shorten a text to what is readable in a label. */
export function shortened(text, most = 40) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
