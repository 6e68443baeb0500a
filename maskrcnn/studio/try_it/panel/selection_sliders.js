// The sliders of the Try it page: which candidates count as objects.

import { make } from "../../inspect/drawing_bar.js";

const SCORE = Array.from({ length: 101 }, (_, step) => step / 100);
const MASK = Array.from({ length: 19 }, (_, step) => (step + 1) / 20);

const SLIDERS = [
  ["min_score", "Score from", "Objects of which the network is less sure are left out."],
  ["nms_iou", "Overlap up to", "IoU of non-maximum suppression (NMS): of two boxes of a class that overlap more than "
    + "this, the one with the lower score is left out."],
  ["mask_threshold", "Mask from", "A pixel belongs to the object from this probability on."],
  ["proposals", "Proposals", "How many boxes of the region proposal network are used: those with the highest "
    + "objectness."],
  ["most", "At most", "Maximum number of objects in a picture: those with the highest scores."],
];
const WHOLE = ["proposals", "most"];

/**
 * A slider for each number of a selection, which it changes. Events: "change" {} while one moves, "released" {} when it
 * was let go.
 */
export class SelectionSliders extends EventTarget {
  #rows = new Map(); // name -> {input, output, stops}

  /** `stops` are the values of some sliders, by name; `hasMasks` says whether the network finds masks. */
  constructor(stops, hasMasks) {
    super();
    this.root = make("div", "sliders");
    const all = { min_score: SCORE, mask_threshold: MASK, ...stops };
    for (const [name, label, title] of SLIDERS) {
      if (name !== "mask_threshold" || hasMasks) this.root.append(this.#slider(name, label, title, all[name]));
    }
  }

  /** Show a selection, and change it from now on. */
  show(selection) {
    this.selection = selection;
    for (const [name, { input, output, stops }] of this.#rows) {
      const value = selection[name], text = WHOLE.includes(name) ? String(value) : value.toFixed(2);
      input.value = nearest(stops, value);
      output.textContent = text;
      input.setAttribute("aria-valuetext", text);
    }
  }

  #slider(name, label, title, stops) {
    const row = make("label", "slider"), input = make("input"), output = make("output");
    row.title = title;
    Object.assign(input, { type: "range", min: 0, max: stops.length - 1, step: 1, name });
    input.setAttribute("aria-label", label);
    input.oninput = () => {
      this.selection[name] = stops[input.valueAsNumber];
      this.show(this.selection);
      this.dispatchEvent(new CustomEvent("change"));
    };
    input.onchange = () => this.dispatchEvent(new CustomEvent("released"));
    row.append(make("span", "words", label), input, output);
    this.#rows.set(name, { input, output, stops });
    return row;
  }
}

/** The place of the stop that is closest to a value. */
function nearest(stops, value) {
  let best = 0;
  stops.forEach((stop, place) => {
    if (Math.abs(stop - value) < Math.abs(stops[best] - value)) best = place;
  });
  return best;
}
