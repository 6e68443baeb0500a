// The tools and actions of the editor: adding them, choosing a tool, and the unfinished outlines that tools draft.

import { TOOL_HINTS } from "./tool_hints.js";

const SHEET_GROUPS = {
  modes: "Tools", shapes: "Combine", hints: "Help from the machine", view: "View", history: "Edit",
  review: "Objects of a run",
}; // group of buttons -> group in the sheet of keys

/** The tools of one editor. `chosen` is the tool that is chosen. */
export class ToolBox {
  constructor(editor) {
    this.editor = editor;
    this.tools = new Map(); // name -> tool
    this.chosen = null;
    editor.view.painters.push((context, view) => this.chosen?.paint?.(context, view));
  }

  /** Add a tool: a class as tools.js describes. `group` is the group of its button. */
  addTool(Tool, group = "tools") {
    const tool = new Tool(this.editor);
    const { name, label, icon, key } = Tool;
    this.tools.set(name, tool);
    const action = {
      name: `tool ${name}`, label, icon, group, isOn: () => this.chosen === tool, run: () => this.choose(name),
    };
    this.editor.toolBar.add(action);
    if (key) this.editor.keys.more.push({
      name: action.name, group: "Tools", keys: [key], words: label, run: action.run,
    });
    return tool;
  }

  /**
   * Add a command or a mode: {name, label, icon, group, key, words, run(editor), isOn(editor), isEnabled(editor)}.
   * `group` is "modes", "shapes" (of operations), "hints", "view" or "review". It gets a button, a key and a row in the
   * sheet of keys. With `when`, the key is the action's only while `when(editor)` is true; with `isFirst` it is then
   * not that of a tool or an earlier action. The sheet leaves it out while `isListed()` is false.
   */
  addAction(action) {
    const { toolBar, keys } = this.editor;
    const { name, label, words, key, group, run, when, held, isFirst, isListed } = action;
    if (action.icon) toolBar.add(action);
    const names = key === undefined || key === null ? [] : [key].flat();
    if (names.length) keys.more[isFirst ? "unshift" : "push"]({
      name, group: SHEET_GROUPS[group] ?? "Edit", keys: names, words: words ?? label, run, when, held, isListed,
    });
    toolBar.update();
  }

  /** Choose a tool by its name. Unless `keeps` is false, the unfinished outline of the tool before is kept. */
  choose(name, keeps = true) {
    const { editor } = this;
    const next = this.tools.get(name);
    if (!next) return;
    if (next !== this.chosen) {
      this.chosen?.stop?.();
      if (keeps) {
        this.chosen?.left?.();
        this.keepDraft();
      }
      this.chosen = next;
      editor.root.dataset.tool = name;
      if (editor.doc) {
        editor.view.tool = next;
        next.start?.();
      }
      editor.cursor.toolChanged(name);
    }
    editor.status.showHint(next.constructor.hint ?? TOOL_HINTS[name] ?? "");
    editor.view.redrawOverlay();
    editor.emit("tool");
  }

  /** Give a key to the tool first; return whether it was the tool's. */
  key(event) {
    return Boolean(this.editor.doc && this.chosen?.key?.(event));
  }

  /** Keep what is unfinished on the picture, `tool.draft()` of each tool; that of the chosen tool first. */
  keepDraft() {
    const { drafts, entry } = this.editor;
    if (!entry || !drafts || this.isRestoring) return;
    const tools = new Set([this.chosen, ...this.tools.values()]);
    const kept = [...tools].map((tool) => tool?.draft?.()).filter(Boolean);
    drafts.set(entry.id, kept.length ? kept : null);
  }

  /** Give what is unfinished on the picture that is shown back to its tools, and choose the first of them. */
  restoreDraft() {
    const { classChoice, drafts, entry } = this.editor;
    this.isRestoring = true;
    const kept = [drafts?.get(entry.id) ?? []].flat().filter(({ tool }) => this.tools.has(tool));
    for (const tool of this.tools.values()) tool.restore?.(null);
    const [first] = kept;
    if (first?.class_name && classChoice.has(first.class_name)) classChoice.choose(first.class_name, false);
    if (first && this.tools.get(first.tool) !== this.chosen) this.choose(first.tool, false);
    else this.chosen?.start?.();
    for (const draft of kept) this.tools.get(draft.tool).restore(draft);
    this.isRestoring = false;
  }
}
