// The panels below the pictures, and the buttons that open them. All are closed at first: the window belongs to the
// pictures. Open ones stand side by side, and the pictures leave them a part of the window.

import { make } from "../drawing_bar.js";

/** Height of open panels in CSS px, with their distance from the strip. */
export const OPEN_HEIGHT = 268;

/**
 * The strip. `choices` has for each panel whether it is open, under the panel's name. Events: "change" {name}.
 */
export class PanelStrip extends EventTarget {
  #buttons = new Map();

  /** `panels` are {name, root, title (tooltip)}, in their order. */
  constructor(choices, panels) {
    super();
    this.choices = choices;
    this.panels = panels;
    this.root = make("div", "below");
    this.strip = make("div", "strip");
    this.strip.setAttribute("role", "toolbar");
    this.strip.setAttribute("aria-label", "Panels below the pictures");
    this.row = make("div", "panels");
    for (const { name, root, title } of panels) {
      const button = make("button", "opener");
      button.type = "button";
      button.title = title;
      button.dataset.panel = name;
      button.onclick = () => this.toggle(name);
      this.#buttons.set(name, button);
      this.strip.append(button);
      this.row.append(root);
    }
    this.root.append(this.strip, this.row);
    this.paint();
  }

  /** Write on a button. */
  label(name, text) {
    const button = this.#buttons.get(name);
    if (button.textContent !== text) button.textContent = text;
  }

  /** Open a panel, unless it is open. */
  open(name) {
    if (!this.choices[name]) this.toggle(name);
  }

  /** CSS px that strip and open panels need. */
  get height() {
    return this.strip.offsetHeight + (this.#isOpen ? OPEN_HEIGHT : 0);
  }

  /** Show which panels are open. */
  paint() {
    for (const { name, root } of this.panels) {
      root.hidden = !this.choices[name];
      this.#buttons.get(name).setAttribute("aria-expanded", String(this.choices[name]));
    }
    this.row.hidden = !this.#isOpen;
  }

  get #isOpen() {
    return this.panels.some(({ name }) => this.choices[name]);
  }

  /** Open or close a panel. */
  toggle(name) {
    this.choices[name] = !this.choices[name];
    this.paint();
    this.dispatchEvent(new CustomEvent("change", { detail: { name } }));
  }
}
