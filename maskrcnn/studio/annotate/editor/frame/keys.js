// The keys of the editor: one table, from which the listener, the tooltips and the sheet of keys are made.
//
// A key is named as in a KeyboardEvent, with the modifiers before it: "q", "shift+h", "ctrl+z", "shift+ArrowLeft". No
// key may be "r" or "c" (with or without Shift), to which Streamlit reacts even when they are handled here.

import { namesOf, takesText } from "../../../shell/hotkeys.js";
import * as actions from "../selection_actions.js";

const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"];

/**
 * One entry of the table: `name`, `keys`, `words` for the sheet, `group` of the sheet, `run(editor, event)`. `held` is
 * true if holding the key repeats it; `when(editor)` says whether the key means this now.
 */
const ACTIONS = [
  {
    name: "next", group: "Pictures", keys: ["PageDown", "."], held: true, words: "Next picture",
    run: (editor) => editor.pictureList.step(1),
  },
  {
    name: "previous", group: "Pictures", keys: ["PageUp", ","], held: true, words: "Previous picture",
    run: (editor) => editor.pictureList.step(-1),
  },
  {
    name: "arrow_next", group: "Pictures", keys: ["ArrowRight", "ArrowDown"], held: true,
    words: "Next picture, if nothing is selected",
    when: (editor) => !editor.hasSelection, run: (editor) => editor.pictureList.step(1),
  },
  {
    name: "arrow_previous", group: "Pictures", keys: ["ArrowLeft", "ArrowUp"], held: true,
    words: "Previous picture, if nothing is selected", when: (editor) => !editor.hasSelection,
    run: (editor) => editor.pictureList.step(-1),
  },
  {
    name: "unlabelled", group: "Pictures", keys: ["n"], words: "Next unlabelled picture",
    run: (editor) => editor.pictureList.stepToUnlabelled(),
  },
  {
    name: "done", group: "Pictures", keys: ["d"], words: "Picture done, or not done",
    run: (editor) => editor.pictureList.setDone(!editor.pictureList.isDone),
  },
  {
    name: "repeat", group: "Pictures", keys: ["z"], words: "The regions of the picture before, here again",
    run: (editor) => editor.edits.repeatLast(),
  },

  { name: "undo", group: "Edit", keys: ["ctrl+z"], held: true, words: "Undo", run: (editor) => editor.undo() },
  {
    name: "redo", group: "Edit", keys: ["ctrl+y", "ctrl+shift+z"], held: true, words: "Redo",
    run: (editor) => editor.redo(),
  },
  {
    name: "copy", group: "Edit", keys: ["ctrl+c"], words: "Copy", when: (editor) => editor.hasSelection,
    run: actions.copy,
  },
  {
    name: "cut_out", group: "Edit", keys: ["ctrl+x"], words: "Copy and delete", when: (editor) => editor.hasSelection,
    run: actions.cut,
  },
  { name: "paste", group: "Edit", keys: ["ctrl+v"], words: "Paste, on another picture too", run: actions.paste },
  { name: "duplicate", group: "Edit", keys: ["ctrl+d"], words: "Duplicate", run: actions.duplicate },
  { name: "all", group: "Edit", keys: ["ctrl+a"], words: "Select all regions", run: actions.selectAll },
  {
    name: "select_next", group: "Edit", keys: ["v"], held: true, words: "Select the next region",
    run: (editor) => editor.edits.selectNext(1),
  },
  {
    name: "select_previous", group: "Edit", keys: ["shift+v"], held: true, words: "Select the region before",
    run: (editor) => editor.edits.selectNext(-1),
  },
  {
    name: "delete", group: "Edit", keys: ["Delete", "Backspace"], words: "Delete the vertex, or the selected regions",
    run: actions.deleteSelected,
  },
  {
    name: "nudge", group: "Edit", held: true, words: "Move the selected regions by 1 px, with Shift by 10 px",
    keys: ARROWS.slice(0, 4).flatMap((key) => [key, `shift+${key}`]),
    when: (editor) => editor.hasSelection, run: actions.nudgeByKey,
  },
  {
    name: "backward", group: "Edit", keys: ["["], words: "To the back",
    run: (editor) => actions.reorder(editor, "back"),
  },
  {
    name: "forward", group: "Edit", keys: ["]"], words: "To the front",
    run: (editor) => actions.reorder(editor, "front"),
  },
  {
    name: "mirror", group: "Edit", keys: ["shift+m"], words: "Mirror the selected regions left-right",
    run: actions.mirror,
  },
  {
    name: "hide", group: "Edit", keys: ["h"], words: "Hide the selected regions", run: (editor) => editor.edits.hide(),
  },
  {
    name: "show_all", group: "Edit", keys: ["shift+h"], words: "Show all regions",
    run: (editor) => editor.edits.showAll(),
  },
  {
    name: "lock", group: "Edit", keys: ["shift+l"], words: "Lock the selected regions, or unlock all",
    run: (editor) => editor.edits.lock(),
  },
  { name: "escape", group: "Edit", keys: ["Escape"], words: "Cancel, deselect", run: (editor) => editor.escape() },

  {
    name: "zoom_in", group: "View", keys: ["+", "="], held: true, words: "Zoom in", run: (editor) => editor.zoom(1.25),
  },
  {
    name: "zoom_out", group: "View", keys: ["-", "_"], held: true, words: "Zoom out",
    run: (editor) => editor.zoom(1 / 1.25),
  },
  { name: "fit", group: "View", keys: ["f"], words: "The whole picture", run: (editor) => editor.view.camera.fit() },
  {
    name: "one_to_one", group: "View", keys: ["shift+f"], words: "One pixel as one dot of the screen",
    run: (editor) => editor.view.camera.oneToOne(),
  },
  {
    name: "labels", group: "View", keys: ["shift+n"], words: "Class names on the picture",
    run: (editor) => editor.toggleLayer("labels"),
  },
  {
    name: "fills", group: "View", keys: ["shift+w"], words: "Fill regions",
    run: (editor) => editor.toggleLayer("fills"),
  },
  {
    name: "full_screen", group: "View", keys: ["shift+Enter"], words: "Full screen",
    run: (editor) => editor.layout.toggleFullScreen(),
  },
  {
    name: "panels", group: "View", keys: ["\\"], words: "Hide or show the panels",
    run: (editor) => editor.layout.togglePanels(),
  },
  {
    name: "cursor", group: "View", keys: ["j"], words: "Keyboard cursor: arrows move, Space clicks",
    run: (editor) => editor.cursor.toggle(),
  },
  { name: "sheet", group: "View", keys: ["?"], words: "This sheet", run: (editor) => editor.keySheet.open() },
];

const MOST_WAITING = 20;
const NAMES = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "Space", Delete: "Del", Escape: "Esc", "-": "−",
  PageUp: "Page ↑", PageDown: "Page ↓",
};
const HIDDEN = ["=", "_"]; // the same physical keys as + and -; not listed in the sheet
const USES_ARROWS =
  "[role=slider], [role=radiogroup], [role=radio], [role=tab], [role=combobox], [role=listbox], [role=option], " +
  "[role=menuitem], [role=menuitemradio], [role=spinbutton], [role=grid], [role=gridcell], [role=toolbar] button, " +
  "select, input[type=range], input[type=radio], canvas[data-testid=data-grid-canvas]";
const CLOSED_BY_ESCAPE = ".class-form"; // it handles the key itself, also on its buttons
const PRESSED_BY_KEY = "button, a[href], summary, select, input, [role=option], [role=button], label";

/** The label of a key for the user, such as "Ctrl + Z" for "ctrl+z". */
export function keyLabel(key) {
  const parts = key.length > 1 && key.includes("+") ? key.split("+") : [key];
  return parts.map(
    (part) => NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part[0].toUpperCase() + part.slice(1))
  ).join(" + ");
}

/** The names under which the key of an event may be bound, best first; also with Shift and a named key. */
function boundNames(event) {
  if (event.key.length > 1 && event.shiftKey && !event.altKey) {
    return [`${event.ctrlKey || event.metaKey ? "ctrl+" : ""}shift+${event.key}`];
  }
  return namesOf(event);
}

/** Listens to the keys on the whole window while the editor is on the page, and calls the actions of the table. */
export class Keys {
  constructor(editor) {
    this.editor = editor;
    this.more = []; // entries of tools and of `editor.addAction`
    this.byTab = false;
    this.waiting = []; // events that came while a picture was loading
    this.onKey = (event) => this.handle(event);
    this.onKeyUp = (event) => this.editor.cursor.keyup(event);
    this.onPointer = () => { this.byTab = false; };
  }

  start() {
    window.addEventListener("keydown", this.onKey, true);
    window.addEventListener("keyup", this.onKeyUp, true);
    window.addEventListener("pointerdown", this.onPointer, true);
  }

  stop() {
    window.removeEventListener("keydown", this.onKey, true);
    window.removeEventListener("keyup", this.onKeyUp, true);
    window.removeEventListener("pointerdown", this.onPointer, true);
  }

  /** All entries, those that win first: classes, then tools and added actions, then the table of this file. */
  table() {
    const classes = this.editor.classes.filter((entry) => entry.hotkey).map((entry) => ({
      name: `class ${entry.name}`, group: "Classes", keys: [entry.hotkey.toLowerCase()], words: entry.name,
      run: (editor) => editor.classChoice.choose(entry.name),
    }));
    return [...classes, ...this.more, ...ACTIONS];
  }

  /** The label of the first key of an entry, for tooltips; "" if it has none, or if a class has taken it. */
  labelOf(name) {
    const table = this.table().filter(({ when, name: own }) => own === name || (when?.(this.editor) ?? true));
    const entry = table.find((candidate) => candidate.name === name);
    const key = entry?.keys.find((candidate) => table.find((other) => other.keys.includes(candidate)) === entry);
    return key ? keyLabel(key) : "";
  }

  /** The rows of the sheet: group -> [{keys: [label], words}], without keys that an entry before has taken. */
  rows() {
    const taken = new Set(), groups = new Map();
    for (const entry of this.table()) {
      if (entry.isListed?.() === false) continue;
      const keys = entry.keys.filter((key) => entry.when || !taken.has(key));
      if (!entry.when) keys.forEach((key) => taken.add(key));
      if (keys.length === 0) continue;
      const isNudge = entry.name === "nudge";
      const labels = isNudge ? ["← → ↑ ↓"] : keys.filter((key) => !HIDDEN.includes(key)).map(keyLabel);
      if (!groups.has(entry.group)) groups.set(entry.group, []);
      groups.get(entry.group).push({ keys: labels, words: entry.words });
    }
    return groups;
  }

  handle(event) {
    const { editor } = this;
    if (event.key === "Tab") this.byTab = true;
    if (event.isComposing || typeof event.key !== "string" || !editor.isOnPage) return;
    const target = event.composedPath()[0];
    if (takesText(target) || editor.layout.hasDialog) return;
    if (event.key === "Escape" && target.closest?.(CLOSED_BY_ESCAPE)) return;
    const names = boundNames(event);
    const isNamedKey = ["Enter", " "].includes(event.key);
    if (isNamedKey && target !== editor.view.element && target.closest?.(PRESSED_BY_KEY)) return;
    if (this.byTab && names.some(
      (name) => ARROWS.includes(name.replace("shift+", ""))
    ) && target.closest?.(USES_ARROWS)) return;
    if (editor.shown.isSwitching && !this.isNavigation(names)) {
      // It is meant for the picture that is about to be shown.
      if (this.table().some((entry) => entry.keys.some((key) => names.includes(key)))) this.took(event);
      if (this.waiting.length < MOST_WAITING) this.waiting.push(event);
      return;
    }
    this.act(event, names);
  }

  isNavigation(names) {
    const entry = ACTIONS.find(
      ({ keys, when }) => keys.some((key) => names.includes(key)) && (when?.(this.editor) ?? true)
    );
    return ["next", "previous", "arrow_next", "arrow_previous", "unlabelled", "sheet"].includes(entry?.name);
  }

  act(event, names) {
    const { editor } = this;
    if (editor.cursor.keydown(event) || editor.toolBox.key(event)) return this.took(event);
    for (const name of names) {
      const entry = this.table().find(
        (candidate) => candidate.keys.includes(name) && (candidate.when?.(editor) ?? true)
      );
      if (!entry) continue;
      if (name === "ctrl+c" && String(window.getSelection())) return;
      this.took(event);
      if (!event.repeat || entry.held) entry.run(editor, event);
      return;
    }
  }

  /** Do what was pressed while the picture was loading. */
  runWaiting() {
    const waiting = this.waiting.splice(0);
    for (const event of waiting) this.act(event, boundNames(event));
  }

  forgetWaiting() {
    this.waiting = [];
  }

  took(event) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}
