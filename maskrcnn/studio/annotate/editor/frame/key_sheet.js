// The sheet of all keys, made from the table of keys.js.

import { element, iconButton } from "./elements.js";

/** A dialog that lists all keys. `element` is its element. */
export class KeySheet {
  constructor(editor) {
    this.editor = editor;
    this.body = element("div", { class: "key-groups" });
    this.element = element(
      "dialog", { class: "key-sheet", "aria-label": "Keyboard shortcuts" },
      element("header", {}, element("h2", {}, "Keys"),
        iconButton({ name: "close", label: "Close", key: "Esc", onclick: () => this.element.close() })),
      this.body,
      element("p", {}, "They work wherever no text is being typed. On a Mac, Ctrl is ⌘. With the keyboard alone: J "
        + "shows a cursor, arrows move it (Shift: 10 px), Space clicks, Shift + Space presses and lets go."),
    );
    this.element.addEventListener("click", (event) => { if (event.target === this.element) this.element.close(); });
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "?") this.element.close();
      event.stopPropagation();
    });
    this.element.addEventListener("close", () => editor.focusPicture());
  }

  get isOpen() {
    return this.element.open;
  }

  /** Open the sheet. */
  open() {
    if (this.isOpen) return;
    const groups = [...this.editor.keys.rows()].map(([title, rows]) => element(
      "section", {}, element("h3", {}, title),
      element("table", {}, element("tbody", {}, ...rows.map(({ keys, words }) => element(
        "tr", {}, element("td", {}, ...keys.map((key) => element("kbd", {}, key))), element("td", {}, words),
      )))),
    ));
    this.body.replaceChildren(...groups);
    this.element.showModal();
  }
}
