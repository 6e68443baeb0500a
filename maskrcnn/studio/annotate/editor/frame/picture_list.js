// The pictures of the project in their order: loading the list, going from one to another, and marking them as done.

import { DraftStore } from "../draft_store.js";
import { RegionsDocument } from "../regions_document.js";

/** The pictures of one editor. `entries` are those of the route `pictures`. */
export class PictureList {
  constructor(editor) {
    this.editor = editor;
    this.entries = [];
    this.places = new Map(); // picture id -> place in the list
    this.before = null; // entry of the picture that was shown before
  }

  /** Place of the picture that is shown; -1 before the first one. */
  get place() {
    const { entry } = this.editor;
    return entry ? this.places.get(entry.id) : -1;
  }

  named(name) {
    return this.entries.find((entry) => entry.name === name) ?? null;
  }

  /** Load the list of pictures, the classes and the attributes; try again until it works. */
  async load() {
    const { editor } = this;
    if (this.loading) return;
    this.loading = true;
    for (let wait = 500; !editor.stopped.signal.aborted; wait = Math.min(8000, wait * 2)) {
      try {
        await this.reload();
        await editor.drafts.ready;
        break;
      } catch (error) {
        editor.view.showMessage(error.message);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
    this.loading = false;
    if (editor.stopped.signal.aborted) return;
    editor.shown.start();
    RegionsDocument.recover(editor.server, editor.project);
  }

  /** Load them once. Throws as `Server.pictures`. */
  async reload() {
    const { editor } = this;
    const { project, pictures, classes, attributes } = await editor.server.pictures();
    editor.drafts ??= new DraftStore(project);
    this.entries = pictures;
    this.places = new Map(pictures.map((entry, place) => [entry.id, place]));
    editor.attributeEdits.take(attributes);
    editor.classChoice.take(classes);
    editor.strip.setPictures(pictures);
  }

  /** Show the next picture (1) or the one before (-1). */
  step(step) {
    const place = (this.editor.shown.wantedPlace ?? this.place) + step;
    if (place < 0 || place >= this.entries.length) return this.editor.say(
      step > 0 ? "This is the last picture." : "This is the first picture."
    );
    return this.show(place);
  }

  /** Show the next picture without regions that is not done; after the last one from the beginning. */
  stepToUnlabelled() {
    const from = this.editor.shown.wantedPlace ?? this.place, total = this.entries.length;
    for (let step = 1; step < total; step += 1) {
      const place = (from + step) % total;
      const entry = this.entries[place];
      if (!entry.done && entry.n_regions === 0) return this.show(place);
    }
    return this.editor.say("No other picture is unlabelled.");
  }

  /** Show the picture at this place. */
  show(place) {
    const entry = this.entries[place];
    if (entry) this.editor.shown.show(entry, true);
  }

  /**
   * The regions of the picture that was shown before this one, else of the one before in the list; null without one.
   */
  async regionsBefore() {
    const { editor, before } = this;
    const entry = before && before !== editor.entry ? before : this.entries[this.place - 1];
    if (!entry) return null;
    try {
      return (await editor.opened.get(entry)).regions;
    } catch (error) {
      editor.say(error.message, "problem");
      return [];
    }
  }

  get isDone() {
    return Boolean(this.editor.entry?.done);
  }

  /** Mark the picture as done, or not. */
  async setDone(done) {
    const { editor } = this, { doc, entry } = editor;
    if (!doc) return;
    const show = (value) => {
      entry.done = value;
      if (entry === editor.entry) editor.status.showDone(value);
      editor.strip.refresh(this.places.get(entry.id));
    };
    show(done);
    try {
      await doc.setDone(done);
      editor.shown.runPage(); // the side bar counts the pictures that are done
    } catch (error) {
      show(!done);
      editor.say(`Done is not saved: ${error.message}`, "problem");
    }
  }
}
