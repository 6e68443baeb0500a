// The line of the Compare page that divides one large picture: A is left of it, B is right of it.

import { make } from "../inspect/drawing_bar.js";

const STEP = 1; // per cent of the width that an arrow key moves the line
const LARGE_STEP = 10; // with Shift, and for PageUp and PageDown

/** A line with a grip that is moved by mouse, touch and keys. Dispatches "change" {part}: 0 (left end) to 100. */
export class SwipeLine extends EventTarget {
  #part = 50;

  constructor() {
    super();
    this.root = make("div", "swipe-line");
    this.root.append(make("span", "swipe-grip", "◂ ▸"));
    this.root.tabIndex = 0;
    this.root.dataset.movesByArrows = "";
    const named = { role: "slider", "aria-label": "Line between A and B", "aria-valuemin": 0, "aria-valuemax": 100 };
    for (const [name, value] of Object.entries(named)) this.root.setAttribute(name, value);
    this.root.title = "Left of the line is A, right of it B. Drag it, or use the arrow keys.";
    this.root.addEventListener("pointerdown", (event) => this.#down(event));
    this.root.addEventListener("pointermove", (event) => this.#move(event));
    this.root.addEventListener("keydown", (event) => this.#key(event));
    this.#place();
  }

  /** Where the line is: 0 (left end) to 100 (right end). */
  get part() {
    return this.#part;
  }

  set part(value) {
    const part = Math.min(100, Math.max(0, value));
    if (part === this.#part || !Number.isFinite(part)) return;
    this.#part = part;
    this.#place();
    this.dispatchEvent(new CustomEvent("change", { detail: { part } }));
  }

  #place() {
    const shown = Math.round(this.#part);
    this.root.style.left = `${this.#part}%`;
    this.root.setAttribute("aria-valuenow", shown);
    this.root.setAttribute("aria-valuetext", `A on ${shown} % of the width, B on ${100 - shown} %`);
  }

  #down(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    this.root.focus({ preventScroll: true });
    this.root.setPointerCapture(event.pointerId);
  }

  #move(event) {
    if (!this.root.hasPointerCapture(event.pointerId)) return;
    const { left, width } = this.root.parentElement.getBoundingClientRect();
    if (width > 0) this.part = (100 * (event.clientX - left)) / width;
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? LARGE_STEP : STEP;
    const places = {
      ArrowLeft: this.#part - step, ArrowDown: this.#part - step,
      ArrowRight: this.#part + step, ArrowUp: this.#part + step,
      PageDown: this.#part - LARGE_STEP, PageUp: this.#part + LARGE_STEP, Home: 0, End: 100,
    };
    if (!(event.key in places)) return;
    event.preventDefault();
    event.stopPropagation();
    this.part = places[event.key];
  }
}
