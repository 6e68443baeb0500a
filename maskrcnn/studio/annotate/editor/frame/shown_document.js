// The document of the picture that is shown: it comes into the view and the panels, and they follow what it tells.

import { allSaving, unsavedElsewhere } from "../regions_document.js";
import { finishNudge } from "../selection_actions.js";

/** Puts one document after another into an editor, as its `doc`. */
export class ShownDocument {
  constructor(editor) {
    this.editor = editor;
    this.listening = null; // AbortController of the listeners on the document
    this.wantsClasses = false; // a region has a class that the editor does not know yet
    this.toTell = null; // a line that came before the first picture
    const { signal } = editor.stopped;
    allSaving.addEventListener("change", () => this.showSaved(), { signal });
    allSaving.addEventListener("removed", ({ detail }) => this.onRemoved(detail), { signal });
  }

  /** Called before another picture is shown: end what the pointer does, and keep the unfinished outline. */
  leave() {
    const { editor } = this;
    if (!editor.doc) return;
    editor.layout.endTyping();
    finishNudge(editor);
    editor.tool?.stop?.();
    editor.keepDraft();
    editor.pictureList.before = editor.entry;
  }

  /** Put a loaded document into the view and the panels. */
  enter(entry, doc) {
    const { editor } = this, { view } = editor;
    this.listening?.abort();
    const { signal } = this.listening = new AbortController();
    doc.addEventListener("regions", () => this.onRegions(), { signal });
    doc.addEventListener("selection", () => this.onSelection(), { signal });
    doc.addEventListener("status", () => this.onStatus(), { signal });
    doc.addEventListener("details", () => this.onDetails(), { signal });
    editor.entry = entry;
    editor.doc = doc;
    editor.regionLayer.hovered = null;
    entry.done = doc.done;
    editor.root.dataset.image = entry.name;
    view.setActive(new Set());
    this.showPicture();
    view.tool = editor.tool;
    editor.status.showPicture(entry);
    editor.strip.setCurrent(editor.place);
    editor.toolBox.restoreDraft();
    editor.say(doc.removed ?? this.toTell ?? "", "problem");
    this.toTell = null;
    editor.emit("picture");
    this.onSelection();
    this.onRegions();
    this.onStatus();
  }

  showPicture() {
    const { doc, view } = this.editor;
    view.setPicture(doc.picture);
    if (!doc.picture) view.showMessage(doc.problem ?? "This picture cannot be shown.");
  }

  onRegions() {
    const { editor } = this, { doc, entry } = editor;
    editor.regionLayer.draw();
    editor.view.redrawOverlay();
    editor.root.dataset.regions = doc.regions.length;
    if (entry.n_regions !== doc.regions.length) {
      entry.n_regions = doc.regions.length;
      editor.strip.refresh(editor.place);
    }
    if (doc.regions.some(
      (region) => region.class_name && !editor.classChoice.has(region.class_name)
    )) this.wantsClasses = true;
    editor.emit("regions");
    editor.emit("counts");
  }

  onSelection() {
    const { editor } = this;
    editor.view.setSelected(editor.doc.selection);
    editor.view.redrawOverlay(); // the tool draws the handles
    editor.emit("selection");
  }

  onDetails() {
    const { editor } = this, { doc, entry } = editor;
    entry.done = doc.done;
    editor.status.showDone(doc.done);
    editor.strip.refresh(editor.place);
    if (!doc.picture || doc.picture.address !== editor.view.picture?.address) this.showPicture();
    this.refreshClasses();
    editor.emit("file");
  }

  onStatus() {
    const { editor } = this;
    editor.root.dataset.status = editor.doc.status.state;
    this.showSaved();
    this.refreshClasses();
    editor.conflictView.update(editor.doc);
    editor.emit("status");
  }

  /** A picture was removed or restored: this one, or another one with edits of this browser. */
  onRemoved({ project, id, isEdited, words }) {
    const { editor } = this;
    if (project !== editor.project || (!isEdited && id !== editor.doc?.id)) return;
    editor.say(words, "problem");
    if (!editor.doc) this.toTell = words;
  }

  showSaved() {
    const { doc, status } = this.editor;
    if (doc) status.showSaved(doc.status, unsavedElsewhere(doc.project, doc.id));
  }

  refreshClasses() {
    const { editor } = this;
    if (!this.wantsClasses || editor.doc.status.state !== "saved") return;
    this.wantsClasses = false;
    editor.classChoice.refresh();
  }

  destroy() {
    this.listening?.abort();
  }
}
