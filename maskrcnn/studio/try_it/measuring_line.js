// A line that is drawn on a picture with the pointer or with keys: its ends can be moved again.

import { lineLength } from "./object_measures.js";

const REACH = 12; // CSS px around an end at which it is taken,
const TOUCH_REACH = 24; // with a finger
const LEAST = 2; // px; a shorter line is none
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * A line [x1, y1, x2, y2] in px on a PictureView, or null. While `isDrawing`, a drag draws a new one; its ends can be
 * dragged at any time.
 *
 * Events: "change" {} while the line is moved, "released" {} when it is let go, "leave" {} when Escape was pressed.
 */
export class MeasuringLine extends EventTarget {
  #drag = null; // {end: 0 or 1, before} while an end is dragged
  #chosen = 1; // the end that the arrow keys move

  /** `words(line)` is the text beside a line. Listens until `signal` is aborted. */
  constructor(view, words, signal) {
    super();
    this.view = view;
    this.words = words;
    this.line = null;
    this.isDrawing = false;
    view.painters.push((context) => this.#paint(context));
    for (const name of ["pointermove", "pointerdown"]) {
      view.root.addEventListener(name, (event) => this.#watch(event), { signal, capture: true });
    }
  }

  /** Show a line, or none. */
  setLine(line) {
    this.line = line;
    this.view.redrawOverlay();
  }

  /** Begin or end the drawing. While it goes on, the picture has the arrow keys. */
  setDrawing(isDrawing) {
    this.isDrawing = isDrawing;
    const { element } = this.view;
    if (isDrawing) element.dataset.movesByArrows = "";
    else delete element.dataset.movesByArrows;
    this.view.tool = isDrawing ? this.#tool : null;
    element.style.cursor = isDrawing ? "crosshair" : "grab";
  }

  /** What the view's gestures call. */
  #tool = {
    pointerdown: ({ x, y, event }) => {
      const end = this.#endAt(event);
      if (end === null && !this.isDrawing) return;
      this.#drag = { end: end ?? 1, before: this.line };
      if (end === null) this.line = [...this.#within(x, y), ...this.#within(x, y)];
      this.#chosen = this.#drag.end;
    },
    pointermove: ({ x, y, event }) => this.#drag && this.#moveEnd(this.#drag.end, x, y, event.shiftKey),
    pointerup: () => {
      if (!this.#drag) return;
      if (lineLength(this.line) < LEAST) this.line = this.#drag.before;
      this.#drag = null;
      this.#tell("change");
      this.#tell("released");
    },
    pointercancel: () => {
      if (!this.#drag) return;
      this.line = this.#drag.before;
      this.#drag = null;
      this.#tell("change");
    },
    cursor: ({ event }) => (this.#drag || this.#endAt(event) !== null ? "move" : "crosshair"),
    key: (event) => this.#key(event),
  };

  /** Take the pointer from the view while it is near an end, and give it back afterwards. */
  #watch(event) {
    if (this.isDrawing || this.#drag) return;
    const wanted = this.#endAt(event) === null ? null : this.#tool;
    if (event.buttons && event.type === "pointermove") return; // the picture is being moved
    if (this.view.tool !== wanted) this.view.tool = wanted;
  }

  /** The end at the place of an event: 0, 1 or null. */
  #endAt(event) {
    if (!this.line) return null;
    const { sx, sy } = this.view.place(event), [x1, y1, x2, y2] = this.line;
    const reach = event.pointerType === "touch" ? TOUCH_REACH : REACH;
    const away = [[x1, y1], [x2, y2]].map((end) => {
      const [x, y] = this.view.camera.toScreen(end);
      return Math.hypot(x - sx, y - sy);
    });
    const end = away[0] < away[1] ? 0 : 1;
    return away[end] <= reach ? end : null;
  }

  #moveEnd(end, x, y, isStraight) {
    const other = this.line.slice(2 - 2 * end, 4 - 2 * end), place = this.#within(x, y);
    if (isStraight) {
      const isLevel = Math.abs(place[0] - other[0]) >= Math.abs(place[1] - other[1]);
      place[isLevel ? 1 : 0] = other[isLevel ? 1 : 0];
    }
    this.line = end === 0 ? [...place, ...other] : [...other, ...place];
    this.#tell("change");
  }

  #within(x, y) {
    const { width, height } = this.view.picture;
    return [Math.max(0, Math.min(width, x)), Math.max(0, Math.min(height, y))];
  }

  #key(event) {
    if (event.key === "Escape") {
      this.#tell("leave");
      return true;
    }
    if (!this.isDrawing || event.ctrlKey || event.altKey || event.metaKey) return false;
    if (event.key === "Enter") {
      if (this.line) this.#chosen = 1 - this.#chosen;
      else this.line = this.#middleLine();
      this.#tell("change");
      return true;
    }
    const step = STEPS[event.key];
    if (!step || !this.line) return false;
    const [x, y] = this.line.slice(2 * this.#chosen, 2 * this.#chosen + 2), far = event.shiftKey ? 10 : 1;
    const before = this.line;
    this.#moveEnd(this.#chosen, x + far * step[0], y + far * step[1], false);
    if (lineLength(this.line) < LEAST) this.line = before;
    this.#tell("released");
    return true;
  }

  /** A level line through the middle half of what is seen of the picture. */
  #middleLine() {
    const [left, top, width, height] = this.view.camera.visibleBox, y = top + height / 2;
    return [...this.#within(left + width / 4, y), ...this.#within(left + (3 * width) / 4, y)];
  }

  #tell(name) {
    this.view.redrawOverlay();
    this.dispatchEvent(new CustomEvent(name));
  }

  #paint(context) {
    if (!this.line) return;
    const [x1, y1, x2, y2] = this.line;
    const ends = [this.view.camera.toScreen([x1, y1]), this.view.camera.toScreen([x2, y2])];
    const [[ax, ay], [bx, by]] = ends, length = Math.hypot(bx - ax, by - ay) || 1;
    const [nx, ny] = [(-7 * (by - ay)) / length, (7 * (bx - ax)) / length]; // half of the bar at an end
    context.lineCap = "round";
    for (const [colour, width] of [["#fff", 6], ["#111", 2.5]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(ax, ay);
      context.lineTo(bx, by);
      for (const [x, y] of ends) {
        context.moveTo(x - nx, y - ny);
        context.lineTo(x + nx, y + ny);
      }
      context.stroke();
    }
    if (this.isDrawing && this.view.element.matches(":focus-visible")) {
      context.strokeStyle = "#111";
      context.beginPath();
      context.arc(...ends[this.#chosen], 11, 0, 2 * Math.PI);
      context.stroke();
    }
    this.#paintWords(context, (ax + bx) / 2, (ay + by) / 2);
  }

  #paintWords(context, x, y) {
    const text = this.words(this.line);
    const family = getComputedStyle(this.view.element).getPropertyValue("--st-font") || "sans-serif";
    context.font = `600 15px ${family}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const width = context.measureText(text).width + 14;
    context.fillStyle = "#fff";
    context.strokeStyle = "#111";
    context.lineWidth = 1;
    context.beginPath();
    context.roundRect(x - width / 2, y - 13, width, 26, 5);
    context.fill();
    context.stroke();
    context.fillStyle = "#111";
    context.fillText(text, x, y + 1);
  }
}
