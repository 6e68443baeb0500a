// The classes of a network: which count, how many objects each has, and its scores.

import { make } from "../../inspect/drawing_bar.js";
import { ScoreHistogram } from "./score_histogram.js";

const FEW = 12; // so many classes are all listed; of more, those that the picture has candidates of

/**
 * A row for each class. It changes the `classes` of a selection (null: all). Events: "change" {}, "score" {value} and
 * "released" {} of a histogram's line.
 */
export class ClassList extends EventTarget {
  #rows = []; // of each class: {root, box, count, histogram}

  /** `classes` are {name, colour}, those of the labels 1, 2, ... */
  constructor(classes) {
    super();
    this.root = make("section", "classes");
    this.root.setAttribute("aria-label", "Classes");
    this.head = make("div", "head");
    this.all = button("All", "All classes", () => this.#choose(null));
    this.none = button("None", "No class", () => this.#choose([]));
    this.head.append(make("span", "title", "Classes"), this.all, this.none);
    this.head.hidden = classes.length < 2;
    this.rows = make("div", "rows");
    this.more = make("div", "note");
    this.root.append(this.head, this.rows, this.more);
    this.#rows = classes.map((entry, place) => this.#row(entry, place + 1));
    this.rows.append(...this.#rows.map(({ root }) => root));
  }

  /**
   * Show a selection, and change it from now on. `counts` and `scores` are the number of objects and the scores of the
   * candidates of each label.
   */
  update(selection, counts, scores) {
    this.selection = selection;
    const chosen = selection.classes && new Set(selection.classes);
    let absent = 0;
    this.#rows.forEach(({ root, box, count, histogram }, place) => {
      const label = place + 1, found = scores.get(label) ?? [];
      root.hidden = this.#rows.length > FEW && found.length === 0;
      absent += root.hidden;
      box.checked = !chosen || chosen.has(label);
      root.classList.toggle("is-off", !box.checked);
      count.textContent = String(counts.get(label) ?? 0);
      if (!root.hidden) histogram.update(found, selection.min_score);
    });
    this.all.disabled = !chosen;
    this.none.disabled = chosen?.size === 0;
    this.more.textContent = `${absent} more ${absent === 1 ? "class has" : "classes have"} no candidate here`;
    this.more.hidden = absent === 0;
  }

  /** Choose only this label; if it is the only one already, all. */
  only(label) {
    const isOnly = this.selection.classes?.length === 1 && this.selection.classes[0] === label;
    this.#choose(isOnly ? null : [label]);
  }

  #choose(labels) {
    this.selection.classes = labels?.length === this.#rows.length ? null : labels;
    this.dispatchEvent(new CustomEvent("change"));
  }

  #row({ name, colour }, label) {
    const root = make("div", "class-row"), words = make("label", "switch"), box = make("input");
    const swatch = make("span", "swatch"), count = make("strong", "count", "0"), histogram = new ScoreHistogram(colour);
    box.type = "checkbox";
    box.name = `class-${label}`;
    box.onchange = () => {
      const all = this.#rows.map((_, place) => place + 1), chosen = new Set(this.selection.classes ?? all);
      if (box.checked) chosen.add(label);
      else chosen.delete(label);
      this.#choose(all.filter((one) => chosen.has(one)));
    };
    swatch.style.setProperty("--colour", colour);
    words.append(box, swatch, make("span", "name", name));
    words.title = `${name}: double click for this class alone`;
    words.addEventListener("dblclick", (event) => {
      event.preventDefault();
      this.only(label);
    });
    for (const type of ["score", "released"]) {
      histogram.addEventListener(type, ({ detail }) => this.dispatchEvent(new CustomEvent(type, { detail })));
    }
    root.append(words, histogram.root, count);
    return { root, box, count, histogram };
  }
}

function button(text, title, action) {
  const made = make("button", "small", text);
  return Object.assign(made, { type: "button", title, onclick: action });
}
