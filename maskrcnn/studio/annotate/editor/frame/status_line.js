// The line below the picture: which picture it is, what to do next or what went wrong, and whether it is saved.

import { element, icon, iconButton, timeOfDay } from "./elements.js";

const SECONDS = 8000; // milliseconds that a message of kind "info" stays
const SHOWN_AFTER = 300; // milliseconds after which work that goes on is shown

/** The row with the navigation, the message and the state of saving. `element` is its element. */
export class StatusLine {
  constructor(editor) {
    this.editor = editor;
    this.timer = 0;
    this.works = new Set();
    this.hint = "";
    this.previous = iconButton({
      name: "chevron_left", label: "Previous picture", key: "←", onclick: () => editor.pictureList.step(-1),
    });
    this.next = iconButton({
      name: "chevron_right", label: "Next picture", key: "→", onclick: () => editor.pictureList.step(1),
    });
    this.unlabelled = iconButton({
      name: "keyboard_double_arrow_right", label: "Next unlabelled picture", key: "N",
      onclick: () => editor.pictureList.stepToUnlabelled(),
    });
    this.place = element("span", { class: "place" });
    this.name = element("span", { class: "name" });
    this.done = element("input", { type: "checkbox", onchange: () => editor.pictureList.setDone(this.done.checked) });
    this.message = element("div", { class: "message", role: "status", "aria-live": "polite" });
    this.saved = element("div", { class: "saved", role: "status", "aria-live": "polite" });
    this.element = element(
      "div", { class: "status-line" },
      element(
        "div", { class: "where", role: "group", "aria-label": "Picture" },
        this.previous, this.next, this.unlabelled, this.place, this.name,
        element("label", { class: "done", title: "Nothing left to label here (D)" }, this.done, "Done"),
      ),
      this.message, this.saved,
    );
  }

  /** Show which picture of how many it is. */
  showPicture(entry) {
    const { pictureList } = this.editor;
    const number = pictureList.placeInSequence(entry) + 1, total = pictureList.sequence.length;
    this.place.textContent = `${number || "–"} / ${total}`;
    this.name.textContent = this.name.title = entry.name;
    this.done.checked = entry.done;
    this.previous.disabled = number <= 1;
    this.next.disabled = number >= total;
  }

  /** Show whether the picture is done. */
  showDone(done) {
    this.done.checked = done;
  }

  /**
   * Show the state of saving, as `doc.status` gives it. While this picture is saved, the line tells of others that are
   * not: {unsaved, conflict}, their numbers. `removed` is a line about a picture that was removed from the project.
   */
  showSaved({ state: own, at, message, removed = null }, others = { unsaved: 0, conflict: 0 }) {
    const count = others.conflict || others.unsaved;
    const isOfOthers = own === "saved" && count > 0;
    const state = !isOfOthers ? own : others.conflict ? "conflict" : "unsaved";
    const names = { saved: "cloud_done", saving: "cloud_upload", unsaved: "cloud_off", conflict: "call_split" };
    const time = at ? ` ${typeof at === "string" ? at : timeOfDay(new Date(at))}` : "";
    const words = {
      saved: removed ? `saved${time} in a removed picture` : at ? `saved${time}` : "all saved",
      saving: "saving",
      unsaved: `not saved: ${message || "no connection"}`,
      conflict: "saved elsewhere",
    };
    if (isOfOthers) {
      const pictures = count === 1 ? "1 other picture" : `${count} other pictures`;
      words.unsaved = `${pictures} not saved yet`;
      words.conflict = `${pictures} saved elsewhere`;
    }
    const shown = `${state} ${words[state]}`;
    if (shown === this.shownSaved) return;
    this.shownSaved = shown;
    this.saved.replaceChildren(icon(names[state] ?? "cloud_off"), element("span", {}, words[state] ?? state));
    this.saved.dataset.kind = state;
    const kept = `${words.unsaved}. Your work is kept in this browser and sent again.`;
    this.saved.title = state === "unsaved" ? kept : state === "saved" && removed ? removed : "";
  }

  /** Show what the tool wants next; it stands where no message is shown. */
  showHint(text) {
    this.hint = text;
    if (!this.timer && this.works.size === 0) this.write(text, "hint");
  }

  /** Show a message in one line. Kind "info" goes by itself; "problem" stays until the next message or Esc. */
  say(text, kind = "info") {
    clearTimeout(this.timer);
    this.timer = 0;
    if (!text) return this.rest();
    this.write(text, kind);
    this.timer = kind === "problem" ? -1 : setTimeout(() => this.rest(), SECONDS);
  }

  /** Show that work goes on, with a button that stops it. The progress is 0..1, or null while it is unknown. */
  busy(words, promise, onStop = null) {
    const bar = element("progress", { "aria-label": words });
    const text = element("span", {}, words);
    const work = { text, bar, stop: null };
    if (onStop) {
      work.stop = element("button", { type: "button", class: "small-button", onclick: () => onStop() }, "Stop");
    }
    const timer = setTimeout(() => { this.works.add(work); this.showWork(); }, SHOWN_AFTER);
    const end = () => {
      clearTimeout(timer);
      if (this.works.delete(work)) this.showWork();
    };
    Promise.resolve(promise).then(end, end);
    return {
      progress: (part, said = null) => {
        if (part === null) bar.removeAttribute("value");
        else bar.value = part;
        if (said) text.textContent = said;
      },
    };
  }

  showWork() {
    const work = [...this.works].at(-1);
    if (!work) return this.rest();
    clearTimeout(this.timer);
    this.timer = 0;
    this.message.dataset.kind = "work";
    this.message.removeAttribute("title");
    this.message.replaceChildren(...[work.text, work.bar, work.stop].filter(Boolean));
  }

  rest() {
    clearTimeout(this.timer);
    this.timer = 0;
    if (this.works.size) this.showWork();
    else this.write(this.hint, "hint");
  }

  write(text, kind) {
    this.message.dataset.kind = kind;
    this.message.title = text;
    const parts = [element("span", {}, text)];
    if (kind === "problem") parts.unshift(icon("error"));
    this.message.replaceChildren(...parts);
  }
}
