// The walk through the suspected label errors of a run: which one is asked now, what was decided, and taking it back.

import { Refused } from "../server.js";

/** One line about what a decision did, by its kind. */
const DONE = { keep: "The label stays", mend: "Mended", add: "Added" };

/**
 * The walk of one editor. `list` has the suspicions of the route `review/suspicions`, or is null; `place` is that of
 * the one that is asked, null at the end. Dispatches "change".
 *
 * A decision is stored at once, and the next suspicion is shown meanwhile. One that could not be stored is asked again.
 */
export class ReviewWalk extends EventTarget {
  constructor(editor, linked) {
    super();
    this.editor = editor;
    this.linked = linked;
    this.list = null;
    this.place = null;
    this.problem = null; // one line, if there is no list, or if the one that is asked cannot be shown
    this.skipped = new Set(); // places
    this.steps = []; // decisions of this visit {place, doc, step, stored}, the last one is the next to be taken back
    this.answers = new Map(); // place -> promise of its linked object
    this.turn = 0;
    this.docThen = null; // document in which the present one is asked, once it is shown
    this.stepsThen = 0; // its steps then
    editor.addEventListener("picture", () => this.noteSteps());
  }

  get isOn() {
    return this.list !== null;
  }

  /** The suspicion that is asked; null at the end. */
  get current() {
    return this.list?.[this.place] ?? null;
  }

  /** How many are decided. */
  get decided() {
    return this.list.filter((entry) => entry.decided).length;
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** Begin the walk of `RUN:EPOCH` at the first suspicion that is not decided. */
  async start(review) {
    this.stop();
    const turn = this.turn;
    try {
      const query = `review=${encodeURIComponent(review)}`;
      const work = this.editor.server.get(`review/suspicions?${query}`, { patience: 120000 });
      this.editor.busy("Looking for label errors", work.catch(() => {}));
      const { run, epoch, label, suspicions } = await work;
      if (turn !== this.turn) return;
      Object.assign(this, { run, epoch, of: `${label}:${epoch}`, list: suspicions });
    } catch (error) {
      if (turn !== this.turn) return;
      this.problem = error.message;
      this.changed();
      return;
    }
    await this.untilShown();
    if (turn === this.turn) this.next(-1);
  }

  stop() {
    this.turn += 1;
    this.list = this.place = this.problem = null;
    this.skipped.clear();
    this.steps = [];
    this.answers.clear();
  }

  /** Wait for the first picture of the editor: then others can be shown. */
  untilShown() {
    const { editor } = this;
    if (editor.doc) return null;
    return new Promise((resolve) => { editor.addEventListener("picture", resolve, { once: true }); });
  }

  /** Ask the next one that is neither decided nor skipped, after this place, else from the beginning; else end. */
  next(from = this.place) {
    const { list } = this, places = list.map((_, place) => place);
    const open = places.filter((place) => !list[place].decided && !this.skipped.has(place));
    return this.ask(open.find((place) => place > from) ?? open[0] ?? null);
  }

  /** Look at the next one (1) or the one before (-1), decided or not. */
  step(step) {
    const place = this.place === null ? (step > 0 ? 0 : this.list.length - 1) : this.place + step;
    if (place in this.list) this.ask(place);
    else this.editor.say(step > 0 ? "This is the last one." : "This is the first one.");
  }

  /** Ask the skipped ones after all. */
  askSkipped() {
    this.skipped.clear();
    this.next(-1);
  }

  /** Show a suspicion in its picture. */
  async ask(place) {
    const turn = this.turn += 1, { editor, linked } = this;
    this.place = place;
    this.problem = null;
    this.docThen = null;
    this.noteSteps();
    linked.show(null);
    this.changed();
    if (place === null) return;
    const { picture } = this.current, entry = editor.pictures[editor.pictureList.places.get(picture)];
    if (entry && entry !== editor.shown.wanted) editor.shown.show(entry, true);
    try {
      const answer = await this.answerOf(place);
      if (turn !== this.turn) return;
      linked.show(answer);
    } catch (error) {
      this.answers.delete(place);
      if (turn !== this.turn) return;
      this.problem = error.message;
    }
    this.changed();
    this.prepareNext();
  }

  /** Load what comes next, so that it is shown at once. */
  prepareNext() {
    const place = this.list.findIndex(
      (entry, other) => other > this.place && !entry.decided && !this.skipped.has(other)
    );
    if (place < 0) return;
    this.answerOf(place).catch(() => this.answers.delete(place));
    const { editor } = this, entry = editor.pictures[editor.pictureList.places.get(this.list[place].picture)];
    if (entry) editor.opened.get(entry).catch(() => {});
  }

  /** The linked object of a suspicion: its detection, else its label. It is asked once, until its picture changes. */
  answerOf(place) {
    const { found, label } = this.list[place];
    if (!this.answers.has(place)) {
      const object = encodeURIComponent(`${this.of}:${found === null ? `truth:${label}` : `found:${found}`}`);
      const more = found !== null && label !== null ? `&label=${label}` : "";
      this.answers.set(place, this.editor.server.get(`review/object?object=${object}${more}`));
    }
    return this.answers.get(place);
  }

  /** Remember what was edited before the present suspicion was asked. */
  noteSteps() {
    const { doc } = this.editor;
    if (!this.isOn || this.docThen || !doc || (this.current && doc.id !== this.current.picture)) return;
    this.docThen = doc;
    this.stepsThen = doc.past.length;
  }

  /** Whether the picture was edited by hand since the present suspicion is asked. */
  get isEdited() {
    return this.docThen !== null && this.docThen === this.editor.doc && this.docThen.past.length > this.stepsThen;
  }

  // Decisions

  /** Store a decision, and ask the next one. `edit()` changes the picture before, and returns whether it did. */
  decide(decision, edit = null) {
    const entry = this.current, { doc } = this.editor;
    if (!entry || !this.linked.isHere) return;
    const before = doc.past.length;
    if (edit && !edit()) return;
    this.takeBackEarlier(entry);
    const decided = entry.decided = { id: null, decision };
    const stored = this.store(entry, decided);
    const step = edit && doc.past.length > before ? doc.past.at(-1) : null;
    this.steps.push({ place: this.place, doc, step, decided, stored });
    this.forgetAnswers(entry.picture);
    this.skipped.delete(this.place);
    this.editor.say(`${DONE[decision]}. Ctrl + Z takes it back.`);
    this.next();
  }

  async store(entry, decided) {
    const { picture, kind, class_name, box } = entry;
    const body = { picture, kind, class_name, box, decision: decided.decision };
    try {
      const { id } = await this.editor.server.post("review/decisions", body, { keepAlive: true });
      decided.id = id;
    } catch (error) {
      if (entry.decided === decided) entry.decided = null;
      this.editor.say(`A decision is not stored and will be asked again: ${error.message}`, "problem");
      this.changed();
    }
  }

  /** One that is decided anew: the decision before is no longer in the project. */
  takeBackEarlier(entry) {
    if (entry.decided) this.erase(entry.decided, this.steps.find(({ decided }) => decided === entry.decided)?.stored);
  }

  async erase(decided, stored = null) {
    await stored;
    if (decided.id === null) return;
    try {
      await this.editor.server.request(`review/decisions/${decided.id}`, { method: "DELETE" });
    } catch (error) {
      if (error instanceof Refused && error.status === 404) return; // it is gone already
      this.editor.say(`The decision is still stored: ${error.message}`, "problem");
    }
  }

  skip() {
    if (!this.current) return;
    this.skipped.add(this.place);
    this.next();
  }

  /** Regions of a picture have changed, so what lies below its detections has too. */
  forgetAnswers(picture) {
    for (const place of this.answers.keys()) if (this.list[place].picture === picture) this.answers.delete(place);
  }

  /**
   * Take the last decision of this visit back: its edit is undone, and it is asked again. False if there is none, or
   * if something was edited since; then undo means that.
   */
  undo() {
    const last = this.steps.at(-1);
    if (!this.isOn || !last || this.isEdited || this.docThen !== this.editor.doc) return false;
    this.steps.pop();
    const entry = this.list[last.place];
    if (entry.decided === last.decided) entry.decided = null;
    this.erase(last.decided, last.stored);
    const isOnTop = last.step !== null && !last.doc.isDisposed && last.doc.past.at(-1) === last.step;
    if (isOnTop) last.doc.undo();
    this.forgetAnswers(entry.picture);
    const isLeft = last.step !== null && !isOnTop ? "; its edit stays, as the picture was changed since" : "";
    this.editor.say(`The decision is taken back${isLeft}.`);
    this.ask(last.place);
    return true;
  }
}
