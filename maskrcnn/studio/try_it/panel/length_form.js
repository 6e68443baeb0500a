// The known length: draws a line, types how long it is, and so gives areas and lengths a unit.

import { make } from "../../inspect/drawing_bar.js";
import { lineLength, numberText } from "../object_measures.js";

const HINT = "Drag a line along something whose length you know. Shift keeps it level or upright.";

/**
 * Shows and changes a length {line, value, unit, shared}: `line` is [x1, y1, x2, y2] in px or null, `value` a number or
 * null.
 *
 * Events: "draw" {} when the button was pressed, "change" {} when a value was typed or chosen, "remove" {}.
 */
export class LengthForm extends EventTarget {
  /** @param {string[]} units */
  constructor(units) {
    super();
    this.root = make("section", "length");
    this.root.setAttribute("aria-label", "Known length");
    this.draw = make("button", "small", "Known length");
    this.draw.title = "Draw a line of known length, so that sizes get a unit (m)";
    this.number = make("input", "number");
    Object.assign(this.number, { type: "number", min: 0, step: "any", name: "known-length", placeholder: "length" });
    this.number.setAttribute("aria-label", "Length of the line");
    this.unit = make("select");
    this.unit.setAttribute("aria-label", "Unit");
    this.unit.append(...units.map((unit) => Object.assign(make("option", "", unit), { value: unit })));
    this.remove = make("button", "small", "✕");
    this.remove.title = "Take the line away";
    this.remove.setAttribute("aria-label", this.remove.title);
    this.shared = make("input");
    Object.assign(this.shared, { type: "checkbox", name: "shared-length" });
    const share = make("label", "switch share");
    share.title = "The other pictures have the same scale, as long as they have no line of their own.";
    share.append(this.shared, "for all pictures");
    this.share = share;
    this.note = make("div", "note");
    for (const one of [this.draw, this.remove]) one.type = "button";
    const row = make("div", "length-row");
    row.append(this.draw, this.number, this.unit, this.remove);
    this.root.append(row, this.note, share);
    const tell = (name) => () => this.dispatchEvent(new CustomEvent(name));
    this.draw.onclick = tell("draw");
    this.remove.onclick = tell("remove");
    this.number.oninput = this.unit.onchange = this.shared.onchange = () => this.#typed();
  }

  /** Show a length and whether a line is being drawn; `scale` {per_pixel, unit} is that of another picture, or null. */
  show(length, isDrawing, scale) {
    this.length = length;
    const hasLine = length.line !== null;
    this.draw.setAttribute("aria-pressed", String(isDrawing));
    for (const one of [this.number, this.unit, this.remove, this.share]) one.hidden = !hasLine;
    if (Number(this.number.value || NaN) !== length.value) this.number.value = length.value ?? "";
    this.unit.value = length.unit;
    this.shared.checked = length.shared;
    this.note.textContent = this.#words(length, isDrawing, scale);
    this.note.hidden = !this.note.textContent;
  }

  /** Put the cursor into the number, if it has none yet. */
  ask() {
    if (this.length?.value === null) this.number.focus({ preventScroll: true });
  }

  #words({ line, value, unit }, isDrawing, scale) {
    if (!line) {
      if (isDrawing) return HINT;
      return scale ? `1 px = ${numberText(scale.per_pixel, scale.unit)} ${scale.unit}, from another picture` : "";
    }
    const pixels = lineLength(line);
    if (!value) return `The line has ${numberText(pixels, "px")} px. How long is it?`;
    return `${numberText(pixels, "px")} px, so 1 px = ${numberText(value / pixels, unit)} ${unit}`;
  }

  #typed() {
    const value = this.number.valueAsNumber;
    Object.assign(this.length, {
      value: value > 0 && value <= 1e9 ? value : null, unit: this.unit.value, shared: this.shared.checked,
    });
    this.dispatchEvent(new CustomEvent("change"));
  }
}
