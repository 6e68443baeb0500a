// Sends the changes of one picture to the server: in order, one at a time, each exactly once, for as long as it takes.
//
// A change is {kind: "edit" | "undo" | "redo", edit, step}. `edit` is what it does to the regions; null for an undo or
// redo whose effect only the server knows. `after` is the digest of the regions after it. The server accepts a change
// only for the revision on which it is based. So after a lost answer (or a reload, or a killed tab) it is sent again,
// and if the server then says "saved elsewhere" with exactly the regions that the change should have made, it is done.
//
// A class that was renamed meanwhile is in the answers' `renamed`, {old name: present name}. The changes get its
// present name before they are compared, so a rename alone is no conflict and does not bring the old class back.

import { applied, editBetween, isEmpty, normalised, stateDigest } from "./regions_edit.js";
import { NoConnection, Refused } from "./server.js";

const SHORTEST = 300, LONGEST = 5000; // milliseconds between two tries

/**
 * The saving of one picture. Dispatches "state" when `state` or `message` changed, "regions" when the server changed
 * `regions`, "loaded" when they were replaced, so that steps of the past no longer fit, and "removed" when `isRemoved`
 * changed.
 */
export class Saving extends EventTarget {
  constructor(server, pictureId, journal) {
    super();
    this.server = server;
    this.place = `pictures/${pictureId}`;
    this.journal = journal;
    this.name = null;
    this.base = []; // regions that the server has, at `revision`
    this.regions = []; // `base` with all changes of the queue
    this.revision = 0;
    this.canUndo = this.canRedo = false; // at `revision`
    this.queue = [];
    this.conflict = null; // {base, mine, theirs, revision, recorded}
    this.recorded = null; // digest of my version that is in the history
    this.state = "saved";
    this.message = null;
    this.savedAt = null; // milliseconds since 1970
    this.isRemoved = false; // from the project; what is saved is kept in the hidden picture
    this.tries = 0;
    this.isRefused = false; // the server refused the changes as they are; they are sent together
    this.sent = null; // the change that is being sent
    this.isRunning = false;
    this.isEnded = false;
    this.wakeUp = () => {};
    this.wake = () => this.wakeUp();
    server.addEventListener("address", this.wake);
    window.addEventListener("online", this.wake);
    window.addEventListener("focus", this.wake);
  }

  /** Whether the server has everything. */
  get isSaved() {
    return this.queue.length === 0 && this.conflict === null;
  }

  /** Start from an answer of GET pictures/{id}; the queue must be empty. */
  load(answer) {
    this.name = answer.name ?? this.name;
    this.base = answer.regions.map(normalised);
    this.regions = this.base;
    this.revision = answer.revision;
    this.canUndo = answer.can_undo;
    this.canRedo = answer.can_redo;
    this.isRefused = false;
    this.dispatchEvent(new Event("loaded"));
    this.takeRemoved(answer);
  }

  /** Take from an answer whether the picture was removed from the project. */
  takeRemoved({ removed = false }) {
    if (removed === this.isRemoved) return;
    this.isRemoved = removed;
    this.dispatchEvent(new Event("removed"));
  }

  /** Add a change: `step` is {edit, inverse}, null for an undo or redo that only the server knows. */
  add(kind, step, answered = null) {
    const edit = step === null ? null : kind === "undo" ? step.inverse : step.edit;
    if (edit) this.regions = applied(this.regions, edit);
    const change = { kind, edit, step, answered, after: edit ? stateDigest(this.regions) : null };
    this.queue.push(change);
    this.journal.append(kept(change), this.head(), this.queue.map(kept));
    if (this.isRefused && !this.sent) this.joinChanges();
    if (this.conflict) this.conflict.mine = this.regions;
    if (this.queue.length) this.setState(this.conflict ? "conflict" : this.tries ? "unsaved" : "saving", this.message);
    if (this.isRefused) this.wake();
    this.run();
  }

  /** Take over the changes of a journal: those that the server does not have yet are sent. */
  adopt(journal, answer) {
    const { head, changes } = journal.read();
    this.journal.release();
    this.journal = journal;
    this.load(answer);
    const theirs = this.base;
    this.queue = changes.map(({ kind, edit, inverse, after }) => {
      const effect = normalisedEdit(edit), opposite = normalisedEdit(inverse);
      const step = kind === "undo" ? { edit: opposite, inverse: effect } : { edit: effect, inverse: opposite };
      return { kind, after, answered: null, edit: effect, step: effect && opposite ? step : null };
    });
    this.recorded = head.recorded ?? null;
    if (head.revision !== answer.revision || head.state !== stateDigest(theirs)) {
      const isRenamed = this.rename(answer.renamed);
      this.base = head.base?.map(normalised) ?? baseOf(theirs, this.queue);
      this.revision = head.revision;
      if (this.rename(answer.renamed) || isRenamed) this.makeEdits();
      this.project();
      this.reconcile(answer.revision, theirs, answer);
    } else {
      this.project();
    }
    this.setState(this.conflict ? "conflict" : this.queue.length ? "saving" : "saved", null);
    this.dispatchEvent(new Event("loaded"));
    this.run();
  }

  /** Stop sending. What is not confirmed stays in the journal. */
  end() {
    this.isEnded = true;
    this.wake();
    this.server.removeEventListener("address", this.wake);
    window.removeEventListener("online", this.wake);
    window.removeEventListener("focus", this.wake);
    this.journal.release();
  }

  head() {
    const head = { name: this.name, revision: this.revision, state: stateDigest(this.base) };
    return this.conflict ? { ...head, recorded: this.recorded, base: this.conflict.base } : head;
  }

  /** Compute `regions`, and the digests and inverse edits of the queue, anew from `base`. */
  project() {
    let regions = this.base;
    for (const change of this.queue) {
      const { kind, step } = change;
      if (change.edit === null) {
        change.after = null;
        continue;
      }
      const next = applied(regions, kind === "undo" && step ? step.inverse : change.edit);
      change.edit = editBetween(regions, next);
      if (step && kind !== "undo") {
        step.edit = change.edit;
        step.inverse = editBetween(next, regions);
      }
      change.after = stateDigest(next);
      regions = next;
    }
    this.regions = regions;
    if (this.conflict) this.conflict.mine = regions;
  }

  /** Give the classes {old name: present name} their present names in `base` and in all changes. Whether one had to. */
  rename(renamed = {}) {
    const isOld = (region) => Object.hasOwn(renamed, region.class_name ?? "");
    const named = (region) => (
      isOld(region) ? normalised({ ...region, class_name: renamed[region.class_name] }) : region
    );
    const edits = this.queue.flatMap(({ edit, step }) => [edit, step?.edit, step?.inverse]).filter((edit) => edit?.put);
    const lists = [this.base, this.conflict?.base ?? [], ...edits.map(({ put }) => put)];
    if (!lists.some((regions) => regions.some(isOld))) return false;
    this.base = this.base.map(named);
    if (this.conflict) this.conflict.base = this.conflict.base.map(named);
    for (const edit of edits) edit.put = edit.put.map(named);
    return true;
  }

  /** Send undos and redos as what they do: the newest step of the history is the rename now, which is to stay. */
  makeEdits() {
    for (const change of this.queue) {
      const { kind, step } = change;
      if (kind === "edit" || !step) continue;
      if (kind === "undo") change.step = { edit: step.inverse, inverse: step.edit };
      change.kind = "edit";
    }
  }

  async run() {
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      while (this.queue.length && !this.conflict && !this.isEnded) await this.sendFirst();
      while (this.conflict && this.conflict.recorded === null && !this.isEnded) await this.recordConflict();
    } finally {
      this.isRunning = false;
    }
    if (this.queue.length && !this.conflict && !this.isEnded) this.run();
  }

  async sendFirst() {
    const change = this.queue[0];
    const body = { revision: this.revision };
    if (change.kind === "edit") body.edit = change.edit;
    let answer = null, problem = null;
    this.sent = change;
    try {
      answer = await this.server.post(`${this.place}/${change.kind}`, body, { keepAlive: this.tries === 0 });
    } catch (error) {
      problem = error;
    }
    this.sent = null;
    if (this.isEnded) return;
    if (problem) await this.failed(problem, change);
    else this.confirmed(change, answer);
  }

  /** The server has made the first change of the queue. */
  confirmed(change, answer) {
    const isRenamed = this.rename(answer.renamed);
    if (isRenamed) this.project();
    this.queue.shift();
    const before = this.base;
    const edit = change.kind === "edit" ? change.edit : normalisedEdit(answer.edit);
    this.base = applied(before, edit);
    this.revision = answer.revision;
    this.canUndo = answer.can_undo;
    this.canRedo = answer.can_redo;
    const isAsExpected = change.after !== null && stateDigest(this.base) === change.after;
    if (!isAsExpected) this.project();
    if (this.queue.length === 0) this.isRefused = false;
    if (isAsExpected && !isRenamed) this.journal.confirm(1, this.queue.map(kept), this.head());
    else this.keepQueue();
    if (change.kind !== "edit") change.answered?.(edit, editBetween(this.base, before));
    this.succeeded();
    this.takeRemoved(answer);
    if (!isAsExpected || isRenamed) this.dispatchEvent(new Event("regions"));
  }

  succeeded() {
    this.tries = 0;
    this.savedAt = Date.now();
    if (this.queue.length === 0) this.setState("saved", null);
    else this.setState("saving", null);
    this.dispatchEvent(new Event("confirmed"));
  }

  async failed(error, change) {
    if (error instanceof Refused && error.status === 409) {
      const isRenamed = this.rename(error.answer.renamed);
      if (isRenamed) {
        this.makeEdits();
        this.project();
      }
      this.reconcile(error.answer.revision, error.answer.regions.map(normalised), {});
      if (isRenamed) this.dispatchEvent(new Event("loaded")); // the steps of the past have the old name
      return;
    }
    if (!(error instanceof NoConnection || error instanceof Refused)) throw error;
    this.tries++;
    if (error instanceof Refused && !error.mayPass) {
      this.isRefused = true;
      this.joinChanges();
      if (this.queue[0]?.after !== change.after) return; // the server may accept what is left
    }
    this.setState("unsaved", error.message);
    await this.pause();
  }

  async pause() {
    const time = Math.min(SHORTEST * 2 ** (this.tries - 1), LONGEST) * (0.8 + 0.4 * Math.random());
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, this.isRefused ? LONGEST * 6 : time);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wakeUp = () => {};
  }

  /** Replace all changes by one edit, because the server refuses them as they are; nothing is left if it is empty. */
  joinChanges() {
    const edit = editBetween(this.base, this.regions);
    const step = { edit, inverse: editBetween(this.regions, this.base) };
    const joined = { kind: "edit", edit, step, answered: null, after: stateDigest(this.regions) };
    this.queue = isEmpty(edit) ? [] : [joined];
    this.keepQueue();
    if (this.queue.length === 0) {
      this.isRefused = false;
      this.tries = 0;
      this.setState("saved", null);
    }
  }

  keepQueue() {
    if (this.queue.length) this.journal.replace(this.queue.map(kept), this.head());
    else this.journal.clear();
  }

  /** The picture has another revision on the server: the first changes may be done, or someone else saved it. */
  reconcile(revision, regions, answer) {
    const state = stateDigest(regions);
    const places = this.queue.flatMap((change, place) => (change.after === state ? [place + 1] : []));
    let done = places.find((number) => this.revision + number === revision) ?? places[0] ?? 0;
    if (done === 0 && this.queue[0]?.edit === null && revision === this.revision + 1) done = 1;
    const isUnchanged = done === 0 && state === stateDigest(this.base);
    const isOnlyUndo = this.queue.every((change) => change.edit === null);
    if (!done && !isUnchanged && !isOnlyUndo) {
      this.beginConflict(revision, regions);
      return;
    }
    const made = this.queue.slice(0, done);
    this.queue = isUnchanged ? this.queue : isOnlyUndo && !done ? [] : this.queue.slice(done);
    this.base = regions;
    this.revision = revision;
    this.canUndo = answer.can_undo ?? (made.length ? made.at(-1).kind !== "undo" || this.canUndo : true);
    this.canRedo = answer.can_redo ?? (made.length ? made.at(-1).kind === "undo" : this.canRedo);
    this.project();
    this.keepQueue();
    if (made.length) this.succeeded();
    if (!isUnchanged && !places.length) this.dispatchEvent(new Event("loaded"));
    else this.dispatchEvent(new Event("regions"));
    if (this.queue.length === 0) this.setState("saved", null);
  }

  // Conflicts

  beginConflict(revision, theirs) {
    const isRecorded = this.recorded !== null && this.recorded === stateDigest(this.regions);
    this.conflict = {
      base: this.base, mine: this.regions, theirs, revision, recorded: isRecorded ? this.recorded : null,
    };
    this.keepQueue();
    this.setState("conflict", "saved elsewhere meanwhile: choose which version stays");
  }

  /** Put my version into the history, so that it is not lost if nobody ever chooses. */
  async recordConflict() {
    const { conflict } = this;
    const state = stateDigest(this.regions);
    try {
      this.takeTheirs(await this.postConflict(null));
      this.markRecorded(state);
    } catch (error) {
      if (!(error instanceof NoConnection || error instanceof Refused)) throw error;
      if (error instanceof Refused && error.status === 409) {
        if (this.rename(error.answer.renamed)) this.project();
        const theirs = error.answer.regions.map(normalised);
        const isMade = error.answer.revision === conflict.revision + 2; // the answer before was lost
        const isRepeated = isMade && stateDigest(theirs) === stateDigest(conflict.theirs);
        conflict.theirs = theirs;
        conflict.revision = error.answer.revision;
        if (isRepeated) this.markRecorded(state);
        else this.setState("conflict", this.message);
        return;
      }
      if (error instanceof Refused && !error.mayPass) {
        this.markRecorded(state); // it cannot be stored as it is; it stays in the browser
        this.setState("conflict", error.message);
        return;
      }
      this.tries++;
      await this.pause();
    }
  }

  markRecorded(state) {
    this.tries = 0;
    this.conflict.recorded = this.recorded = state;
    this.keepQueue();
  }

  takeTheirs(answer) {
    this.conflict.theirs = answer.regions.map(normalised);
    this.conflict.revision = answer.revision;
    this.takeRemoved(answer);
  }

  postConflict(choice) {
    const { base, revision } = this.conflict;
    return this.server.post(`${this.place}/conflict`, { base, mine: this.regions, revision, choice });
  }

  /**
   * End the conflict: "both" takes the changes of both versions, "mine" or "theirs" one of them; the other one stays in
   * the history. False if the picture was saved elsewhere again; `conflict.theirs` is new then. Throws as
   * `Server.post`.
   */
  async resolve(choice) {
    const { conflict } = this;
    if (!conflict) return true;
    try {
      if (choice === "theirs" && conflict.recorded !== stateDigest(this.regions)) {
        this.takeTheirs(await this.postConflict(null));
        this.markRecorded(stateDigest(this.regions));
      }
      this.endConflict(await this.postConflict(choice));
      return true;
    } catch (error) {
      if (!(error instanceof Refused && error.status === 409)) throw error;
      if (this.rename(error.answer.renamed)) this.project();
      const theirs = error.answer.regions.map(normalised);
      conflict.revision = error.answer.revision;
      conflict.theirs = theirs;
      if (choice === "mine" && stateDigest(theirs) === stateDigest(this.regions)) {
        this.endConflict({ ...error.answer, can_undo: true, can_redo: false }); // an answer was lost
        return true;
      }
      this.setState("conflict", "saved elsewhere once more: choose again");
      return false;
    }
  }

  endConflict(answer) {
    this.conflict = null;
    this.recorded = null;
    this.queue = [];
    this.tries = 0;
    this.keepQueue();
    this.savedAt = Date.now();
    this.load(answer);
    this.succeeded();
  }

  setState(state, message) {
    this.state = state;
    this.message = message;
    this.dispatchEvent(new Event("state"));
  }
}

/** What the journal keeps of a change. */
function kept({ kind, edit, step, after }) {
  const inverse = edit && step ? (kind === "undo" ? step.edit : step.inverse) : null;
  return { kind, edit, inverse, after };
}

function normalisedEdit(edit) {
  return edit && { put: (edit.put ?? []).map(normalised), remove: edit.remove ?? [], order: edit.order ?? null };
}

/** The regions from which the changes began, found from the server's and what the changes replaced. */
function baseOf(theirs, changes) {
  const before = new Map(); // id -> region before the first change of it; null if there was none
  for (const { edit, inverse } of changes.map(kept)) {
    if (!edit || !inverse) continue;
    const replaced = new Map(inverse.put.map((region) => [region.id, region]));
    for (const id of [...edit.put.map((region) => region.id), ...edit.remove]) {
      if (!before.has(id)) before.set(id, replaced.get(id) ?? null);
    }
  }
  const put = [...before.values()].filter(Boolean);
  const remove = [...before].flatMap(([id, region]) => (region === null ? [id] : []));
  return applied(theirs, { put, remove });
}
