// The documents of the pictures that were shown last and of those that come next, loaded ahead so that they show at
// once.

import { RegionsDocument } from "../regions_document.js";

const MOST = 8; // documents that stay open
const AHEAD = [1, -1, 2]; // places, from the picture that is shown, that are loaded ahead

/** The open documents of one editor. */
export class OpenPictures {
  constructor(editor) {
    this.editor = editor;
    this.opened = new Map(); // picture id -> {doc, promise}, the least recently used first
    this.loading = null; // AbortController of what is loaded ahead
    this.isEnded = false;
  }

  /** The document of a picture if it is loaded, else null. */
  peek(entry) {
    return this.opened.get(entry.id)?.doc ?? null;
  }

  /** Load the document of a picture. Throws as `RegionsDocument.open`. */
  get(entry) {
    let found = this.opened.get(entry.id);
    if (!found) {
      found = { doc: null, promise: null };
      found.promise = RegionsDocument.open(this.editor.server, this.editor.project, entry.id).then((doc) => {
        found.doc = doc;
        if (this.isEnded || this.opened.get(entry.id) !== found) doc.close();
        return doc;
      }, (error) => {
        if (this.opened.get(entry.id) === found) this.opened.delete(entry.id);
        throw error;
      });
    } else {
      this.opened.delete(entry.id);
    }
    this.opened.set(entry.id, found);
    return found.promise;
  }

  /** Load the neighbours of the picture that is shown ahead, and close those that were not used for long. */
  async ahead() {
    this.loading?.abort();
    const { signal } = this.loading = new AbortController();
    const { entry, pictureList, view } = this.editor;
    this.opened.get(entry.id)?.doc?.refresh();
    this.get(entry);
    this.closeOld();
    for (const step of AHEAD) {
      const next = pictureList.neighbour(entry, step);
      if (!next) continue;
      try {
        const doc = await this.get(next);
        if (signal.aborted) return;
        if (doc.picture) await view.preload(doc.picture, signal);
      } catch {
        // It is loaded, or its error shown, when its turn comes.
      }
      if (signal.aborted) return;
    }
    this.closeOld();
  }

  closeOld() {
    for (const [id, found] of this.opened) {
      if (this.opened.size <= MOST) break;
      if (id === this.editor.entry?.id) continue;
      this.opened.delete(id);
      found.doc?.close();
    }
  }

  destroy() {
    this.isEnded = true;
    this.loading?.abort();
    for (const { doc } of this.opened.values()) doc?.close();
    this.opened.clear();
  }
}
