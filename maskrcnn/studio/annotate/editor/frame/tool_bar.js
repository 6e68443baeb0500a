// The tools, modes and commands of the editor as one row of buttons above the picture.

import { element, iconButton } from "./elements.js";

const GROUPS = ["tools", "modes", "shapes", "hints", "history", "view"];
const GROUP_LABELS = {
  tools: "Tools", modes: "Modes", shapes: "Combine", hints: "Help", history: "Undo", view: "View",
};

/** The row of buttons. `element` is its element. */
export class ToolBar {
  constructor(editor) {
    this.editor = editor;
    this.buttons = new Map(); // name -> {button, action}
    this.groups = new Map(GROUPS.map((name) => [
      name, element("div", { class: "group", role: "group", "aria-label": GROUP_LABELS[name] }),
    ]));
    this.spring = element("div", { class: "spring" });
    const groups = [...this.groups.values()];
    this.element = element(
      "div", { class: "tool-bar", role: "toolbar", "aria-label": "Tools" }, ...groups.slice(0, 4), this.spring,
      ...groups.slice(4),
    );
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    for (const name of ["tool", "selection", "regions", "picture", "status", "state", "classes"]) {
      editor.addEventListener(name, () => this.updateSoon());
    }
    editor.addEventListener("classes", () => { this.hasNewKeys = true; });
  }

  /**
   * Add a button. `action` is {name, label, icon, group, words, run(editor), isOn(editor), isEnabled(editor)}; with
   * `isOn` the button shows whether it is on. Return the button.
   */
  add(action) {
    const button = iconButton({
      name: action.icon, letters: action.letters, label: action.label, "data-action": action.name,
      onclick: () => { action.run(this.editor); this.update(); },
    });
    this.buttons.set(action.name, { button, action });
    this.groups.get(action.group).append(button);
    this.hasNewKeys = true;
    return button;
  }

  /** Update in the next frame, once for all that has changed until then. */
  updateSoon() {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.update();
    });
  }

  /** Show which tool and modes are on, and what can be done now. */
  update() {
    for (const [name, { button, action }] of this.buttons) {
      if (this.hasNewKeys) {
        const key = this.editor.keys.labelOf(name);
        button.title = `${action.words ?? action.label}${key ? ` (${key})` : ""}`;
      }
      if (action.isOn) {
        const on = Boolean(action.isOn(this.editor));
        button.setAttribute("aria-pressed", on);
        button.classList.toggle("on", on);
      }
      // aria-disabled, not disabled: the button keeps the focus and its tooltip.
      const enabled = action.isEnabled ? Boolean(action.isEnabled(this.editor)) : true;
      button.setAttribute("aria-disabled", !enabled);
    }
    this.hasNewKeys = false;
    const all = [...this.element.querySelectorAll("button")];
    const focused = all.find((button) => button.matches(":focus"));
    const stop = focused ?? all.find((button) => button.getAttribute("aria-pressed") === "true") ?? all[0];
    for (const button of all) button.tabIndex = button === stop ? 0 : -1;
  }

  onKey(event) {
    const all = [...this.element.querySelectorAll("button")].filter((button) => button.offsetParent !== null);
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -all.length, End: all.length };
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const place = all.indexOf(event.composedPath()[0].closest("button"));
    all[Math.min(Math.max(0, place + step), all.length - 1)]?.focus();
    this.update();
  }
}
