// The list of pictures that a person labels one after the other ("Label this next"), with a panel beside the picture.

import { element, iconButton } from "../frame/elements.js";

const NEXT = "next"; // the list in `?queue=`

/**
 * The list of one editor. "Next" and "previous" go through it while it is on. `element` is its panel, hidden on an
 * ordinary visit. `take({queue})` is what the URL asks for.
 */
export class PictureQueue {
  constructor(editor) {
    this.editor = editor;
    this.queue = null; // what the URL asks for
    this.reasons = null; // picture id -> why it is in the list, once the list is there
    this.problem = null; // one line, if the list is empty or does not come
    this.build();
    for (const name of ["picture", "counts"]) editor.addEventListener(name, () => this.update());
    this.update();
  }

  build() {
    this.count = element("span", { class: "count", "data-queue": "count" });
    this.words = element("p", { class: "review-words", "aria-live": "polite", "data-queue": "words" });
    const step = (name, label, key, by) => iconButton({
      name, label, key, "data-queue": by > 0 ? "next" : "previous", onclick: () => this.editor.pictureList.step(by),
    });
    this.steps = element(
      "div", { class: "review-steps" }, step("chevron_left", "The picture before in this list", "←", -1),
      step("chevron_right", "The next picture in this list", "→", 1),
    );
    const button = (name, words, title, onclick, look = "small-button") => element(
      "button", { type: "button", class: look, "data-queue": name, title, onclick }, words,
    );
    const begin = () => this.editor.pictureList.step(1);
    this.again = button("first", "Go to the first one", "The first of the list", begin, "small-button primary");
    const leave = button("leave", "Leave", "Leave the list, and go through all pictures", () => this.leave());
    const back = button("back", "New list", "Back to the page Label next", () => {
      document.querySelector(".st-key-annotate_queue a")?.click(); // Streamlit's own link, below the editor
    });
    this.element = element(
      "section", { class: "review", "aria-label": "Pictures to label next", hidden: true },
      element("div", { class: "panel-title" }, element("span", {}, "Label next"), this.count, this.steps),
      this.words, element("div", { class: "review-buttons" }, this.again, element("div", { class: "queue-ways" }, leave, back)),
    );
  }

  /** Take what the URL asks for. The same again is nothing new. */
  take({ queue = null } = {}) {
    if (queue === this.queue) return;
    this.queue = queue;
    if (queue === NEXT) this.load();
    else this.leave();
  }

  async load() {
    const { server } = this.editor;
    try {
      const { pictures } = await server.get("next_pictures");
      if (this.queue !== NEXT) return;
      this.reasons = new Map(pictures.map(({ id, reason }) => [id, reason]));
      this.problem = pictures.length ? null : "The list is empty. Label next makes one.";
      this.setOrder(pictures.length ? pictures.map(({ id }) => id) : null);
    } catch (error) {
      this.problem = error.message;
    }
    this.update();
  }

  leave() {
    this.queue = this.reasons = this.problem = null;
    this.setOrder(null);
    this.update();
  }

  setOrder(ids) {
    const { editor } = this;
    editor.pictureList.setOrder(ids);
    if (!editor.entry) return;
    editor.status.showPicture(editor.entry);
    editor.opened.ahead(); // others come next now
  }

  update() {
    const { editor, problem, reasons } = this, { entry, pictureList } = editor;
    this.element.hidden = this.queue === null;
    if (this.element.hidden) return;
    const place = entry && reasons ? pictureList.placeInSequence(entry) : -1, total = reasons?.size ?? 0;
    const isHere = place >= 0 && reasons.has(entry.id);
    this.count.textContent = isHere ? `${place + 1} / ${pictureList.sequence.length}` : "";
    this.steps.hidden = this.again.hidden = total === 0;
    this.again.hidden ||= isHere;
    const words = problem ?? this.wordsOf(isHere ? entry.id : null);
    if (this.words.textContent !== words) this.words.textContent = words;
  }
  /** Why a picture stands in the list; null: it is in no list. */
  wordsOf(id) {
    if (!this.reasons) return "Loading the list.";
    if (id === null) return "This picture is not in the list.";
    const reason = this.reasons.get(id);
    return reason ? `${reason[0].toUpperCase()}${reason.slice(1)}.` : "";
  }
}
