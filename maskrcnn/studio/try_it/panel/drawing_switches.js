// What is drawn of the objects on the Try it page: masks, their filling, boxes, labels, keypoints, and how opaque.

import { make } from "../../inspect/drawing_bar.js";

const PARTS = ["masks", "boxes", "keypoints", "labels"];
const MOST = 80; // percent

/** Switches and a slider. It changes `choices` {masks, boxes, keypoints, labels, opacity}. Event: "change" {}. */
export class DrawingSwitches extends EventTarget {
  /** `finds` are the parts of objects that the network finds. */
  constructor(choices, finds) {
    super();
    this.root = make("section", "drawing");
    this.root.setAttribute("aria-label", "What is drawn");
    const switches = make("div", "switches");
    for (const part of PARTS) {
      if (part !== "labels" && !finds.includes(part)) continue;
      const label = make("label", "switch"), box = make("input");
      Object.assign(box, { type: "checkbox", name: part, checked: choices[part] });
      box.onchange = () => {
        choices[part] = box.checked;
        this.#changed();
      };
      label.append(box, part);
      switches.append(label);
    }
    const row = make("label", "slider"), input = make("input"), output = make("output");
    row.title = "How opaque objects are filled. 0: only their contours are drawn.";
    Object.assign(input, { type: "range", min: 0, max: MOST, step: 5, name: "opacity", value: 100 * choices.opacity });
    input.setAttribute("aria-label", "Filling");
    const paint = () => {
      output.textContent = choices.opacity ? `${Math.round(100 * choices.opacity)} %` : "contour";
      input.setAttribute("aria-valuetext", output.textContent);
    };
    input.oninput = () => {
      choices.opacity = input.valueAsNumber / 100;
      paint();
      this.#changed();
    };
    paint();
    row.append(make("span", "words", "Filling"), input, output);
    this.root.append(switches, row);
  }

  #changed() {
    this.dispatchEvent(new CustomEvent("change"));
  }
}
