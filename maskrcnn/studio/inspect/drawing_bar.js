// The controls above the pictures of the Predictions page: which picture, score, IoU, colours, and parts of objects.

/** The view with both pictures. */
export const BOTH = "both";
/** The view with the ground truth alone, larger. */
export const TRUTH = "truth";
/** The view with the prediction alone, larger. */
export const FOUND = "found";

const VIEWS = {
  options: [[BOTH, "Both"], [TRUTH, "Ground truth"], [FOUND, "Prediction"]],
  title: "Both side by side, or one of them large. The key L makes the prediction large.",
};
const COLOURS = [["match", "match"], ["class", "class"]];

/** Make an element with a class and a text. */
export function make(kind, className = "", text = "") {
  const element = document.createElement(kind);
  element.className = className;
  element.textContent = text;
  return element;
}

/**
 * A row of controls. `choices` is the object that they show and change: {view, score, iou, colour, masks, boxes,
 * keypoints, labels}. Dispatches "change" {name} while a slider moves and after a click, and "released" {name} when a
 * slider was let go.
 */
export class DrawingBar extends EventTarget {
  #paints = [];

  /**
   * `drawable` are the parts of objects that the network finds, `measure` is "mask" or "box". `views` are the pictures
   * that can be shown: `options` are pairs of a value and a text.
   */
  constructor(container, choices, drawable, measure, views = VIEWS) {
    super();
    this.choices = choices;
    this.root = make("div", "bar");
    this.root.setAttribute("role", "toolbar");
    this.root.setAttribute("aria-label", "What is drawn");
    this.root.append(
      this.#segments("view", "Show", views.options, views.title),
      this.#slider("score", "Score from", 0, 1, 0.01,
        "Detections below this score are neither drawn nor counted as right or wrong. AP uses all of them."),
      this.#slider("iou", "IoU from", 0.05, 0.95, 0.05,
        `A detection finds an object of its class if their ${measure} IoU is at least this.`),
      this.#segments("colour", "Colour", COLOURS,
        "match: right, wrong or missed. class: the project's colours.", "Colour by"),
      this.#switches(drawable),
    );
    container.append(this.root);
    this.paint();
  }

  /** Show the current choices. */
  paint() {
    for (const paint of this.#paints) paint();
  }

  #change(name, value) {
    if (this.choices[name] === value) return;
    this.choices[name] = value;
    this.paint();
    this.dispatchEvent(new CustomEvent("change", { detail: { name } }));
  }

  #group(label, title) {
    const group = make("div", "group");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", label);
    group.title = title;
    return group;
  }

  #segments(name, label, options, title, words = "") {
    const group = this.#group(words || label, title), segments = make("span", "segments");
    if (words) group.append(make("span", "words", words));
    for (const [value, text] of options) {
      const button = make("button", "", text);
      button.type = "button";
      button.dataset[name] = value;
      button.onclick = () => this.#change(name, value);
      segments.append(button);
      this.#paints.push(() => button.setAttribute("aria-pressed", String(this.choices[name] === value)));
    }
    group.append(segments);
    return group;
  }

  #slider(name, label, min, max, step, title) {
    const group = make("label", "group slider"), input = make("input"), output = make("output");
    group.title = title;
    Object.assign(input, { type: "range", min, max, step, name });
    input.setAttribute("aria-label", label);
    input.oninput = () => this.#change(name, Math.round(input.valueAsNumber * 100) / 100);
    input.onchange = () => this.dispatchEvent(new CustomEvent("released", { detail: { name } }));
    group.append(make("span", "words", label), input, output);
    this.#paints.push(() => {
      const value = this.choices[name];
      if (input.valueAsNumber !== value) input.value = value;
      output.textContent = value.toFixed(2);
      input.style.setProperty("--part", `${((value - min) / (max - min)) * 100}%`);
    });
    return group;
  }

  #switches(drawable) {
    const group = this.#group("Parts of objects that are drawn", "Parts of objects that are drawn");
    group.classList.add("switches");
    for (const part of drawable) {
      const label = make("label", "switch"), box = make("input");
      box.type = "checkbox";
      box.name = part;
      box.onchange = () => this.#change(part, box.checked);
      label.append(box, make("span", "", part));
      group.append(label);
      this.#paints.push(() => (box.checked = this.choices[part]));
    }
    return group;
  }
}
