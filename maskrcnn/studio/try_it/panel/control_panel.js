// The controls beside the picture of the Try it page, and the list of its objects.

import { make } from "../../inspect/drawing_bar.js";
import { counted } from "../../inspect/match_words.js";
import { ClassList } from "./class_list.js";
import { DrawingSwitches } from "./drawing_switches.js";
import { LengthForm } from "./length_form.js";
import { ObjectList } from "./object_list.js";
import { SelectionSliders } from "./selection_sliders.js";

/**
 * All controls. `data` is that of tried_picture.py, `choices` are what is drawn.
 *
 * Events: "change" {} while the selection changes, "released" {} when it was changed for good, "reset" {}, "drawn" {}
 * when `choices` have changed. The parts `length` (LengthForm) and `objects` (ObjectList) have events of their own.
 */
export class ControlPanel extends EventTarget {
  constructor(data, choices) {
    super();
    this.root = make("div", "panel");
    this.head = make("div", "summary");
    this.count = make("strong", "count");
    this.mean = make("span", "mean");
    this.reset = make("button", "small", "Reset");
    Object.assign(this.reset, { type: "button", title: "Back to the values that the network itself uses" });
    this.reset.onclick = () => this.#tell("reset");
    this.count.setAttribute("aria-live", "polite");
    this.head.append(this.count, this.mean, this.reset);
    this.sliders = new SelectionSliders(data.stops, data.finds.includes("masks"));
    this.drawing = new DrawingSwitches(choices, data.finds);
    this.classes = new ClassList(data.classes);
    this.length = new LengthForm(data.units);
    this.objects = new ObjectList();
    this.root.append(this.head, ...[this.sliders, this.drawing, this.length, this.classes, this.objects]
      .map(({ root }) => root));
    this.#listen();
  }

  #listen() {
    this.sliders.addEventListener("change", () => this.#tell("change"));
    this.sliders.addEventListener("released", () => this.#tell("released"));
    this.drawing.addEventListener("change", () => this.#tell("drawn"));
    this.classes.addEventListener("change", () => {
      this.#tell("change");
      this.#tell("released");
    });
    this.classes.addEventListener("score", ({ detail }) => {
      this.selection.min_score = detail.value;
      this.sliders.show(this.selection);
      this.#tell("change");
    });
    this.classes.addEventListener("released", () => this.#tell("released"));
  }

  /** Show a selection, and change it from now on. */
  show(selection, isOwn) {
    this.selection = selection;
    this.sliders.show(selection);
    this.reset.disabled = isOwn;
  }

  /**
   * Show what is selected: `objects` (see ObjectList), and the scores of all candidates of each label at any score;
   * `objects` is null as long as the candidates are not there.
   */
  update(objects, scores) {
    const counts = new Map();
    for (const { label } of objects ?? []) counts.set(label, (counts.get(label) ?? 0) + 1);
    this.count.textContent = objects ? counted(objects.length, "object") : "";
    const sum = (objects ?? []).reduce((total, { score }) => total + score, 0);
    this.mean.textContent = objects?.length ? `mean score ${(sum / objects.length).toFixed(2)}` : "";
    this.classes.update(this.selection, counts, scores);
    this.objects.update(objects ?? []);
  }

  #tell(name) {
    this.dispatchEvent(new CustomEvent(name));
  }
}
