// The regions of one picture in the browser: changes, undo and redo, selection, and the state of saving.

import { Journal, picturesWithJournals, Storage } from "./journal.js";
import { applied, editBetween, isEmpty, normalised } from "./regions_edit.js";
import { Saving } from "./saving.js";
import { Refused } from "./server.js";

const opened = new Map(); // "PROJECT/PICTURE" -> document that is open or still saving
const CHANNEL = "maskrcnn-saved";

/**
 * Dispatches "change" whenever the saving of any document made progress or stopped, and "removed" with the detail
 * {project, id, isEdited, words} if a picture was removed from the project, or restored: `isEdited` says whether edits
 * of this browser are in it or wait for it, and `words` is a line about it.
 */
export const allSaving = new EventTarget();

function tellRemoved(detail) {
  allSaving.dispatchEvent(new CustomEvent("removed", { detail }));
}

/** How many other pictures of a project than `id` could not be saved: {unsaved, conflict}. */
export function unsavedElsewhere(project, id) {
  const counts = { unsaved: 0, conflict: 0 };
  for (const doc of opened.values()) {
    const { state } = doc.saving;
    if (doc.project === project && doc.id !== id && state in counts) counts[state] += 1;
  }
  return counts;
}

/**
 * One picture. `RegionsDocument.open(server, project, id)` makes one; `close()` it when another picture is shown: what
 * is unsaved is still sent. Events: "regions" (they changed), "selection", "status", "details" (done, attributes).
 *
 * - `regions`: frozen regions, from back to front; `region(id)`.
 * - `change({put, remove, order}, words)`: one step for undo and one save. Nothing is stored for an empty change.
 * - `undo()`, `redo()`: false if there is nothing. They reach back to the import, over reloads.
 * - `selection`, `hidden`, `locked`: Sets of ids; `select(ids)`. Hidden and locked are only in this browser tab.
 * - `status`: {state: "saved" | "saving" | "unsaved" | "conflict", at (ms since 1970, null), message (one line, null),
 *   removed (a line about a picture that was removed from the project, null)}.
 * - `conflict`: {base, mine, theirs} as lists of regions, or null; `resolve("both" | "mine" | "theirs")` ends it.
 * - `name`, `picture` ({address, width, height, name} or null), `problem` (text or null), `done`, `fileAttributes`.
 */
export class RegionsDocument extends EventTarget {
  /** Throws `NoConnection` or `Refused` if the picture cannot be loaded. */
  static async open(server, project, id, { storage = new Storage() } = {}) {
    const key = `${project}/${id}`;
    let doc = opened.get(key);
    if (!doc) {
      doc = new RegionsDocument(server, project, id, storage);
      opened.set(key, doc);
      doc.loading = doc.start();
    }
    doc.users++;
    try {
      await doc.loading;
    } catch (error) {
      doc.users--;
      doc.dispose();
      throw error;
    }
    if (doc.users > 1 || doc.saving.savedAt) doc.refresh();
    return doc;
  }

  /** Send what earlier tabs of this browser could not send, for all pictures of the project. */
  static async recover(server, project, storage = new Storage()) {
    for (const id of picturesWithJournals(storage, project)) {
      try {
        const doc = await RegionsDocument.open(server, project, id, { storage });
        doc.close();
      } catch (error) { // it stays in the journal, for the next time
        if (!isRemoval(error)) continue;
        const words = `${error.message}. Its edits that were not sent are kept in this browser until then.`;
        tellRemoved({ project, id, isEdited: true, words });
      }
    }
  }

  constructor(server, project, id, storage) {
    super();
    this.server = server;
    this.project = project;
    this.id = id;
    this.storage = storage;
    this.users = 0;
    this.past = []; // steps {edit, inverse, words} of this session that can be undone at once
    this.future = []; // the same for redo; the next one is last
    this.selection = new Set();
    this.hidden = new Set();
    this.locked = new Set();
    this.byId = new Map();
    this.sendingAttributes = Promise.resolve();
    this.saving = new Saving(server, id, new Journal(storage, project, id));
    this.saving.addEventListener("state", () => {
      this.tell("status");
      allSaving.dispatchEvent(new Event("change"));
    });
    this.saving.addEventListener("regions", () => this.regionsChanged());
    this.saving.addEventListener("loaded", () => this.replaced());
    this.saving.addEventListener("removed", () => this.removalChanged());
    this.saving.addEventListener("confirmed", () => this.wasConfirmed());
    this.channel = typeof BroadcastChannel === "function" ? new BroadcastChannel(CHANNEL) : null;
    this.channel?.addEventListener("message", ({ data }) => {
      if (data.project === project && data.id === id && data.revision !== this.saving.revision) this.refresh();
    });
    this.onFocus = () => this.refresh();
    window.addEventListener("focus", this.onFocus);
    this.onLeave = (event) => {
      if (!this.saving.isSaved && !this.saving.journal.isComplete) event.preventDefault();
    };
    window.addEventListener("beforeunload", this.onLeave);
  }

  async start() {
    await this.saving.journal.hold();
    const answer = await this.server.get(`pictures/${this.id}`);
    this.takeDetails(answer);
    if (!(await this.adoptJournal(answer))) this.saving.load(answer);
  }

  /** Take over the first journal of a page that is gone. Whether there was one. */
  async adoptJournal(answer) {
    let isAdopted = false;
    for (const journal of await Journal.abandoned(this.storage, this.project, this.id)) {
      const found = journal.read();
      const isOfThis = found !== null && (found.head.name === null || found.head.name === answer.name);
      if (!isAdopted && isOfThis && this.saving.isSaved) {
        this.saving.adopt(journal, answer);
        isAdopted = true;
      } else {
        if (found === null) journal.clear();
        journal.release();
      }
    }
    return isAdopted;
  }

  takeDetails(answer) {
    this.name = answer.name;
    this.picture = answer.picture;
    this.problem = answer.problem;
    this.done = answer.done;
    this.fileAttributes = answer.file_attributes;
  }

  get regions() {
    return this.saving.regions;
  }

  region(id) {
    return this.byId.get(id);
  }

  get status() {
    const { state, savedAt, message, journal } = this.saving;
    if (state !== "saved" && !journal.isComplete) {
      const words = "this browser has no room to keep it, so leave the page open";
      return { state, at: savedAt, message: message ? `${message}; ${words}` : words, removed: this.removed };
    }
    return { state, at: savedAt, message, removed: this.removed };
  }

  /** A line about a picture that was removed from the project; null for others. */
  get removed() {
    if (!this.saving.isRemoved) return null;
    return `${this.name} was removed from the project, and can be restored under Dataset > Pictures. `
      + "Its regions and your edits are kept in it.";
  }

  get conflict() {
    return this.saving.conflict;
  }

  get revision() {
    return this.saving.revision;
  }

  // Changes

  /** Change regions: one undo step. False if the change is empty. Throws TypeError for a region that is none. */
  change({ put = [], remove = [], order = null }, words = "") {
    const before = this.regions;
    const after = applied(before, { put: put.map(normalised), remove, order });
    const edit = editBetween(before, after);
    if (isEmpty(edit)) return false;
    const step = { edit, inverse: editBetween(after, before), words };
    this.past.push(step);
    this.future = [];
    for (const change of this.saving.queue) change.answered = null; // steps that only the server knows are over
    this.saving.add("edit", step);
    this.regionsChanged();
    return true;
  }

  get canUndo() {
    return this.past.length > 0 || this.saving.queue.length > 0 || this.saving.canUndo;
  }

  get canRedo() {
    const { queue, canRedo } = this.saving;
    return this.future.length > 0 || this.awaitsUndo || (queue.length === 0 && canRedo);
  }

  /** Whether an undo that only the server knows is still to be answered: a redo can follow it. */
  get awaitsUndo() {
    let waiting = 0;
    for (const { kind } of this.saving.queue) {
      waiting = kind === "edit" ? 0 : Math.max(0, waiting + (kind === "undo" ? 1 : -1));
    }
    return waiting > 0;
  }

  undo() {
    return this.step("undo", this.past, this.future, this.canUndo);
  }

  redo() {
    return this.step("redo", this.future, this.past, this.canRedo);
  }

  step(kind, from, to, isPossible) {
    if (!isPossible || this.saving.conflict) return false;
    const isUnknown = this.saving.queue.some((change) => change.edit === null);
    if (from.length && !isUnknown) {
      const step = from.pop();
      to.push(step);
      this.saving.add(kind, step);
      this.regionsChanged();
      return true;
    }
    // What the server undid becomes a step of this session, so that the opposite answers at once.
    this.saving.add(kind, null, (edit, inverse) => {
      const steps = { past: this.past, future: this.future };
      const [source, target] = kind === "undo" ? [steps.past, steps.future] : [steps.future, steps.past];
      const known = source.pop();
      if (isEmpty(edit)) return;
      target.push(known ?? (kind === "undo" ? { edit: inverse, inverse: edit } : { edit, inverse }));
      this.makeNextKnown(kind, target, source);
    });
    return true;
  }

  /** The opposite of a step that was just answered was asked for meanwhile: now it is known, and shown at once. */
  makeNextKnown(kind, from, to) {
    const [next] = this.saving.queue;
    if (!next || next.edit !== null || next.kind === kind || next.kind === "edit") return;
    const step = from.pop();
    to.push(step);
    Object.assign(next, { step, edit: next.kind === "undo" ? step.inverse : step.edit, answered: null });
    this.saving.project();
    this.saving.keepQueue();
  }

  // Selection

  select(ids) {
    const chosen = new Set([...ids].filter((id) => this.byId.has(id)));
    const isSame = chosen.size === this.selection.size && [...chosen].every((id) => this.selection.has(id));
    this.selection = chosen;
    if (!isSame) this.tell("selection");
  }

  // Saving

  /** Load what other tabs saved, if nothing is unsaved here; take over journals of pages that are gone. */
  async refresh() {
    if (this.isRefreshing || !this.saving.isSaved) return;
    this.isRefreshing = true;
    try {
      const { revision } = this.saving;
      const answer = await this.server.get(`pictures/${this.id}?since=${revision}`);
      if (!this.saving.isSaved || this.saving.revision !== revision) return;
      this.saving.takeRemoved(answer);
      if (!answer.unchanged) {
        this.takeDetails(answer);
        this.saving.load(answer);
        this.tell("details");
      }
      if (this.storage.keys(`maskrcnn-unsent/${this.project}/${this.id}/`).length) {
        const now = answer.unchanged ? await this.server.get(`pictures/${this.id}`) : answer;
        if (this.saving.isSaved && this.saving.revision === now.revision) await this.adoptJournal(now);
      }
    } catch (error) { // the next change or the next focus tries again
      if (isRemoval(error)) this.saving.takeRemoved({ removed: true });
    } finally {
      this.isRefreshing = false;
    }
  }

  /** Choose what stays of a conflict. False if the picture was saved elsewhere once more; then choose again. */
  async resolve(choice) {
    const isOver = await this.saving.resolve(choice);
    this.regionsChanged();
    return isOver;
  }

  /** Mark the picture as done, or not. Throws `NoConnection` or `Refused`. */
  async setDone(done) {
    const answer = await this.server.setDone(this.id, done);
    this.done = done;
    this.saving.takeRemoved(answer);
    this.tell("details");
  }

  /**
   * Replace the picture's own (VIA file) attributes. They are sent one after the other, so that the last ones stay.
   * Throws `NoConnection` or `Refused`.
   */
  setFileAttributes(attributes) {
    this.fileAttributes = attributes;
    this.sendingAttributes = this.sendingAttributes.catch(() => {}).then(async () => {
      const answer = await this.server.setFileAttributes(this.id, attributes);
      if (this.fileAttributes === attributes) this.fileAttributes = answer.file_attributes;
      this.saving.takeRemoved(answer);
      this.tell("details");
    });
    return this.sendingAttributes;
  }

  /** The picture is no longer shown. What is unsaved is still sent. */
  close() {
    this.users--;
    if (this.saving.isSaved) this.dispose();
  }

  dispose() {
    if (this.users > 0 || this.isDisposed) return;
    this.isDisposed = true;
    opened.delete(`${this.project}/${this.id}`);
    this.saving.end();
    this.channel?.close();
    window.removeEventListener("focus", this.onFocus);
    window.removeEventListener("beforeunload", this.onLeave);
  }

  // Inside

  wasConfirmed() {
    this.channel?.postMessage({ project: this.project, id: this.id, revision: this.saving.revision });
    if (!this.saving.isSaved) return;
    if (this.users <= 0) this.dispose();
    else if (this.storage.keys(`maskrcnn-unsent/${this.project}/${this.id}/`).length) this.refresh();
  }

  removalChanged() {
    this.tell("status");
    const { project, id } = this;
    const words = this.removed ?? `${this.name} is in the project again.`;
    tellRemoved({ project, id, isEdited: this.saving.savedAt !== null, words });
  }

  /** The server's regions replaced those that the steps of this session belong to. */
  replaced() {
    this.past = [];
    this.future = [];
    this.regionsChanged();
  }

  regionsChanged() {
    this.byId = new Map(this.regions.map((region) => [region.id, region]));
    this.tell("regions");
    this.select(this.selection);
  }

  tell(name) {
    this.dispatchEvent(new Event(name));
  }
}

/** Whether the server refused a picture because it was removed from the project. */
function isRemoval(error) {
  return error instanceof Refused && error.answer.reason === "removed";
}
