// The panel about the selected object or detection: what became of it and why, and what can be done with it.

import { make } from "../drawing_bar.js";
import { detectionStory, objectStory } from "./object_story.js";

const KINDS = {
  tp: "found, TP", fn: "missed, FN", fp: "wrong, FP", ignored: "on a crowd, counts neither way",
  below: "below the score slider",
};

/**
 * Shows the selected object or detection. Events, by its buttons: "only" {}, "editor" {}, "follow" {}, "soft" {}.
 */
export class StoryPanel extends EventTarget {
  constructor() {
    super();
    this.root = make("section", "panel story");
    this.root.setAttribute("aria-label", "What became of the selected one");
    this.root.setAttribute("aria-live", "polite");
    this.title = make("strong", "story-title");
    this.lines = make("ul", "story-lines");
    this.buttons = make("div", "story-buttons");
    this.root.append(this.title, this.lines, this.buttons);
    this.only = this.#button("only", "Only this (O)", "Draw only this one and its partner; again: all");
    this.editor = this.#button("editor", "Open in the editor (E)", "Mend or add the label");
    this.follow = this.#button("follow", "Follow it through the network", "See at which filter its last box was lost");
    this.soft = this.#button("soft", "Soft mask", "The mask as found, cell by cell, beside the pasted one");
    this.note = make("span", "note");
    this.buttons.append(this.note);
  }

  #button(name, text, title) {
    const button = make("button", "small", text);
    button.type = "button";
    button.title = title;
    button.dataset.action = name;
    button.onclick = () => this.dispatchEvent(new CustomEvent(name));
    this.buttons.append(button);
    return button;
  }

  /**
   * Show `about` ({side, place} of an object or a detection, or null). `data` is that of the component: whether there
   * is a network (`asks`), masks (`softens`), an editor (`editor` {says}), and what the network told (`verdicts`).
   */
  update(about, table, matches, choices, data) {
    const isThere = Boolean(about && table && matches);
    this.buttons.hidden = !isThere;
    if (!isThere) {
      this.title.textContent = "Click an object or a detection to see what became of it.";
      this.lines.replaceChildren();
      return;
    }
    const { side, place } = about, isObject = side === "truth";
    const match = isObject ? matches.objects[place] : matches.detections[place];
    const story = (isObject ? objectStory : detectionStory)(table, matches, place, choices);
    const label = isObject ? `${place + 1} ${table.objects[place].label}` : table.detections[place].label;
    this.root.dataset.kind = story.kind;
    this.title.textContent = `${label}: ${KINDS[match?.status ?? "below"]}`;
    const told = isObject ? data.verdicts[table.objects[place].id] : null;
    const lines = told ? [...story.lines, `In the network: ${told}`] : story.lines;
    this.lines.replaceChildren(...lines.map((line) => make("li", "", line)));
    this.editor.hidden = Boolean(data.editor.says);
    this.note.textContent = data.editor.says;
    this.follow.hidden = !(data.asks && isObject && match?.status === "fn" && !told);
    this.soft.hidden = !(data.asks && !isObject && data.softens);
  }
}
