// The pictures of the project in their order: loading the list, going from one to another, and marking them as done.
//
// "Next" goes through all pictures, or through a list of some of them in another order (`setOrder`).

import { DraftStore } from "../draft_store.js";
import { RegionsDocument } from "../regions_document.js";

/** The pictures of one editor. `entries` are those of the route `pictures`. */
export class PictureList {
  constructor(editor) {
    this.editor = editor;
    this.entries = [];
    this.places = new Map(); // picture id -> place in the list
    this.order = null; // ids of the pictures through which "next" goes; null: all
    this.sequence = this.entries; // their entries
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
    this.setOrder(this.order);
    editor.attributeEdits.take(attributes);
    editor.classChoice.take(classes);
    editor.strip.setPictures(pictures);
  }

  /** Go through these pictures, given by their ids, in this order; null: all pictures in the order of the project. */
  setOrder(ids) {
    const { entries, places } = this;
    this.order = ids;
    this.sequence = ids ? ids.map((id) => entries[places.get(id)]).filter(Boolean) : entries;
  }

  /** Place of a picture in the sequence that "next" goes through; -1 if it is not in it. */
  placeInSequence(entry) {
    if (!entry) return -1;
    return this.order ? this.sequence.findIndex(({ id }) => id === entry.id) : this.places.get(entry.id) ?? -1;
  }

  /** The picture that is some steps after this one; undefined at the ends. Before the first one comes any other. */
  neighbour(entry, step) {
    return this.sequence[this.placeInSequence(entry) + step];
  }

  /** Show the next picture (1) or the one before (-1). */
  step(step) {
    const { editor } = this, next = this.neighbour(editor.shown.wanted ?? editor.entry, step);
    if (next) return editor.shown.show(next, true);
    const which = step > 0 ? "last" : "first";
    return editor.say(`This is the ${which} picture${this.order ? " of the list" : ""}.`);
  }

  /** Show the next picture without regions that is not done; after the last one from the beginning. */
  stepToUnlabelled() {
    const { editor, sequence } = this, total = sequence.length;
    const from = this.placeInSequence(editor.shown.wanted ?? editor.entry);
    for (let step = 1; step <= total; step += 1) {
      const entry = sequence[(from + step) % total];
      if (entry.id !== editor.entry?.id && !entry.done && entry.n_regions === 0) return editor.shown.show(entry, true);
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
