// The classes of the project with colour and key. A click chooses the class of new regions and of the selected ones.

import { keyLabel } from "./keys.js";
import { element, icon } from "./elements.js";

/** The list of classes, and the form that adds one. `element` is its element. */
export class ClassList {
  constructor(editor) {
    this.editor = editor;
    this.rows = element(
      "div", { class: "rows", role: "radiogroup", "aria-label": "Class of new and of selected regions" },
    );
    this.add = element(
      "button", { type: "button", class: "small-button", onclick: () => this.ask() }, icon("add"), "Add class",
    );
    this.form = element("div", { class: "class-form", hidden: true });
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    this.element = element("section", { class: "classes", "aria-label": "Classes" }, this.rows, this.form, this.add);
    this.rows.addEventListener("keydown", (event) => this.onKey(event));
    for (const name of ["classes", "class", "picture"]) editor.addEventListener(name, () => this.draw());
    editor.addEventListener("counts", () => this.drawCounts());
  }

  draw() {
    const { classes, className } = this.editor;
    this.counts = new Map();
    const rows = classes.map((entry) => {
      const chosen = entry.name === className;
      const count = element("span", { class: "count" });
      this.counts.set(entry.name, count);
      const row = element(
        "button",
        {
          type: "button", class: "class-row", role: "radio", "aria-checked": String(chosen), tabindex: chosen ? 0 : -1,
          title: entry.name, "data-class": entry.name, onclick: () => this.editor.classChoice.choose(entry.name),
        },
        element("span", { class: "swatch" }), element("span", { class: "text" }, entry.name), count,
        entry.hotkey ? element("kbd", {}, keyLabel(entry.hotkey)) : null,
      );
      row.querySelector(".swatch").style.background = this.editor.colourOf(entry.name);
      return row;
    });
    const focused = this.rows.contains(this.rows.getRootNode().activeElement);
    this.rows.replaceChildren(...rows);
    if (rows.length && !rows.some((row) => row.tabIndex === 0)) rows[0].tabIndex = 0;
    if (focused) this.rows.querySelector('[aria-checked="true"]')?.focus();
    this.drawCounts();
  }

  drawCounts() {
    if (!this.counts) return;
    const found = new Map();
    for (const region of this.editor.doc?.regions ?? []) {
      found.set(region.class_name, (found.get(region.class_name) ?? 0) + 1);
    }
    for (const [name, count] of this.counts) {
      const number = found.get(name) ?? 0;
      count.textContent = number || "";
      count.title = number ? `${number} on this picture` : "";
    }
  }

  onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const rows = [...this.rows.children];
    const place = rows.indexOf(event.composedPath()[0]) + step;
    rows[Math.min(Math.max(0, place), rows.length - 1)]?.focus();
  }

  /** Open the form that adds a class. */
  ask(name = "") {
    const input = element("input", {
      type: "text", class: "text-input", "aria-label": "Name of the new class", placeholder: "for example cell",
      maxlength: "200",
    });
    input.value = name;
    const form = element(
      "form", { onsubmit: (event) => { event.preventDefault(); this.send(input.value.trim(), false); } },
      input,
      element("div", { class: "buttons" },
        element("button", { type: "submit", class: "small-button primary" }, "Add class"),
        element("button", { type: "button", class: "small-button", onclick: () => this.close() }, "Cancel")),
    );
    this.form.replaceChildren(form);
    this.form.hidden = false;
    this.add.hidden = true;
    input.focus();
  }

  async send(name, anyway) {
    if (!name) return;
    try {
      const similar = await this.editor.classChoice.add(name, anyway);
      if (similar.length) this.askSimilar(name, similar);
      else this.close();
    } catch (error) {
      this.editor.say(error.message, "problem");
    }
  }

  askSimilar(name, similar) {
    const buttons = similar.slice(0, 4).map((other) => element(
      "button", { type: "button", class: "small-button primary", onclick: () => this.use(other) },
      `Use “${other}”`,
    ));
    const again = element(
      "button", { type: "button", class: "small-button", onclick: () => this.send(name, true) }, `Add “${name}”`,
    );
    this.form.replaceChildren(
      element(
        "p", {},
        `There is already ${similar.slice(0, 4).map((other) => `“${other}”`).join(", ")}. `
          + "Two spellings become two classes.",
      ),
      element("div", { class: "buttons" }, ...buttons, again,
        element("button", { type: "button", class: "small-button", onclick: () => this.close() }, "Cancel")),
    );
    buttons[0].focus();
  }

  use(other) {
    this.editor.classChoice.choose(other);
    this.close();
  }

  close() {
    const hadFocus = this.form.contains(this.form.getRootNode().activeElement);
    this.form.hidden = true;
    this.form.replaceChildren();
    this.add.hidden = false;
    if (hadFocus) this.editor.focusPicture();
  }
}
