// Which picture is shown: by the person, by a link, or by the browser's back button; and telling Python of it.
//
// A step of the person gets a serial. It is shown at once; Python is told afterwards, and answers with the serial of
// the last step that it knows. An answer with an older serial is late, and does not move the editor. One with the
// newest serial and another picture comes from a link. Back and forward are steps of the person too: they are handled
// here when the browser reports them, before Streamlit runs the page for them.

import { untilLinkIsFollowed } from "../../../shell/page_links.js";

const PAUSE = 300; // milliseconds between two messages to Python; quick steps are told together
const KEPT = "maskrcnn-shown"; // in the session storage: a step that the URL does not show yet, for a reload
const FRESH = 20000; // milliseconds for which it counts
const URL_EVERY = 150; // milliseconds between two looks at the URL after Python's answer
const URL_LOOKS = 20; // after which its URL has arrived
const URL_CORRECTIONS = 3; // at most, should something else write URLs

/** The choice of the picture of one editor. */
export class ShownPicture {
  constructor(editor) {
    this.editor = editor;
    this.tell = () => {};
    this.data = null;
    this.isStarted = false;
    this.wanted = null; // entry of the picture that is asked for; it may still be loading
    this.isSwitching = false;
    this.turn = 0;
    this.serial = undefined; // of the last step
    this.count = 0;
    this.timer = 0;
    this.toldAt = 0;
    this.told = null; // name that Python was told, until it answers
    this.passed = new Set(); // names that the URL may still have: of Python's last answer, and of all steps since
    this.urlTimer = 0;
    this.corrections = 0; // times that the URL was asked for again since it was right
    this.page = window.location.pathname;
    this.onHistory = () => this.takeHistory();
    window.addEventListener("popstate", this.onHistory, true);
  }

  /** Place of the wanted picture in the list; null before the first one. */
  get wantedPlace() {
    return this.wanted ? this.editor.pictureList.places.get(this.wanted.id) ?? null : null;
  }

  /** Take what Python says: {image, serial, isLinked}. isLinked: another page led to a picture in this visit. */
  take(data) {
    const { editor } = this;
    this.data = data;
    if (this.serial === undefined) this.serial = data.serial;
    if (!this.isStarted || this.timer || data.serial !== this.serial) return;
    this.page = window.location.pathname;
    const told = this.told;
    this.told = null;
    this.passed = new Set([data.image]);
    if (data.image === this.wanted?.name) {
      this.watchUrl(URL_LOOKS);
      return;
    }
    if (told !== null && told === this.wanted?.name) {
      this.leaveRemoved(told, data.image);
      return;
    }
    const entry = editor.pictureList.named(data.image);
    if (entry) this.show(entry, false);
    else this.reloadList(data.image);
  }

  /** A link leads to a picture that was added since the list was loaded. */
  async reloadList(name) {
    try {
      await this.editor.pictureList.reload();
    } catch (error) {
      this.editor.say(error.message, "problem");
    }
    const entry = this.editor.pictureList.named(name);
    if (entry && this.data.image === name) await this.show(entry, false);
  }

  /** Python was told of a picture that is not in the project any more, and shows another one instead. */
  async leaveRemoved(name, instead) {
    await this.reloadList(instead);
    if (this.wanted?.name === instead) this.editor.say(
      `${name} was removed from the project; it can be restored under Dataset > Pictures.`, "problem",
    );
  }

  /** Show the first picture, once the list is there. */
  start() {
    const { editor } = this;
    if (this.isStarted || editor.pictures.length === 0 || !this.data) return;
    this.isStarted = true;
    if (this.data.isLinked) this.forget(); // the link is newer than a step of an earlier visit
    const kept = this.kept();
    const entry = kept && editor.pictureList.named(kept.name);
    if (entry && kept.passed.includes(this.data.image)) this.show(entry, true);
    else this.show(editor.pictureList.named(this.data.image) ?? editor.pictures[0], false);
  }

  /** Show a picture. If `tells`, it is a step of the person, of which Python is told. */
  async show(entry, tells) {
    const { editor } = this;
    if (entry === this.wanted && !this.isSwitching) return;
    const turn = this.turn += 1;
    this.wanted = entry;
    if (tells) this.note(entry);
    editor.strip.setCurrent(this.wantedPlace);
    let state = editor.opened.peek(entry);
    if (!state) {
      this.isSwitching = true;
      editor.busy(`Opening ${entry.name}`, this.untilOver());
      try {
        state = await editor.opened.get(entry);
      } catch (error) {
        if (turn === this.turn) this.failed(entry, error);
        return;
      }
      if (turn !== this.turn) return;
    }
    this.enter(entry, state);
  }

  enter(entry, state) {
    const { editor } = this;
    this.isSwitching = false;
    this.done?.();
    if (editor.entry !== entry) editor.shownDocument.leave();
    editor.shownDocument.enter(entry, state);
    editor.opened.ahead();
    editor.keys.runWaiting();
  }

  /** A promise that is fulfilled when this step is over. */
  untilOver() {
    this.done?.();
    return new Promise((resolve) => { this.done = resolve; });
  }

  failed(entry, error) {
    const { editor } = this;
    this.isSwitching = false;
    this.done?.();
    editor.keys.forgetWaiting();
    editor.say(`${entry.name} cannot be opened: ${error.message}`, "problem");
    clearTimeout(this.again);
    if (!editor.entry) {
      editor.view.showMessage(error.message);
      this.again = setTimeout(() => { if (this.wanted === entry) this.show(entry, false); }, 2000);
      this.isSwitching = true;
      return;
    }
    this.wanted = editor.entry; // the picture that is still shown
    editor.strip.setCurrent(this.wantedPlace);
    this.note(editor.entry);
  }

  // Python and the URL

  /** Remember a step, and tell Python of it soon. */
  note(entry) {
    this.count += 1;
    this.serial = `${Math.round(performance.timeOrigin)}-${this.count}-${Math.random().toString(36).slice(2, 8)}`;
    this.passed.add(this.data?.image);
    this.keep({ project: this.editor.project, name: entry.name, passed: [...this.passed], at: Date.now() });
    this.passed.add(entry.name);
    if (this.timer) return;
    const wait = Math.max(0, this.toldAt + PAUSE - performance.now());
    if (wait === 0) this.send();
    else this.timer = setTimeout(() => this.send(), wait);
  }

  /** Tell Python the last step. Not while a link leads away: the step is then kept for the next visit. */
  send() {
    clearTimeout(this.timer);
    const wait = untilLinkIsFollowed();
    this.timer = wait && setTimeout(() => this.send(), wait);
    if (wait) return;
    this.toldAt = performance.now();
    this.told = this.wanted.name;
    this.tell({ name: this.wanted.name, serial: this.serial });
  }

  /** Have Streamlit run the page, because something that the page shows has changed. */
  runPage() {
    if (this.wanted) this.note(this.wanted);
  }

  /** Is there a step that Python has not answered? */
  get isPending() {
    return this.timer !== 0 || this.told !== null;
  }

  /** Look at the URL some times. A step back that is quicker than the URL of the step before it leaves that URL in
   *  place: ask for the right one again. A newer step brings its own URL, and its own looks. */
  watchUrl(looks) {
    clearTimeout(this.urlTimer);
    if (looks === 0) {
      this.corrections = 0;
      this.forget();
      return;
    }
    this.urlTimer = setTimeout(() => {
      const name = new URLSearchParams(window.location.search).get("image");
      if (this.isPending || window.location.pathname !== this.page) return;
      if (name !== null && name !== this.wanted.name && this.corrections < URL_CORRECTIONS) {
        this.corrections += 1;
        this.note(this.wanted);
      } else {
        this.watchUrl(looks - 1);
      }
    }, URL_EVERY);
  }

  takeHistory() {
    if (!this.isStarted || window.location.pathname !== this.page) return;
    const entry = this.editor.pictureList.named(new URLSearchParams(window.location.search).get("image"));
    if (!entry || entry === this.wanted) return;
    this.show(entry, true);
    if (this.timer) this.send(); // before Streamlit's own message about the URL
  }

  keep(value) {
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(value));
    } catch {
      // Without it, a reload within the next moment shows the picture before.
    }
  }

  kept() {
    try {
      const value = JSON.parse(sessionStorage.getItem(KEPT));
      if (!Array.isArray(value?.passed)) return null;
      return value.project === this.editor.project && Date.now() - value.at < FRESH ? value : null;
    } catch {
      return null;
    }
  }

  forget() {
    try {
      sessionStorage.removeItem(KEPT);
    } catch {
      // There is no storage.
    }
  }

  destroy() {
    if (!this.isPending) this.forget(); // Python knows the picture: a link that leads back here is to be followed
    clearTimeout(this.timer);
    clearTimeout(this.again);
    clearTimeout(this.urlTimer);
    this.done?.();
    window.removeEventListener("popstate", this.onHistory, true);
  }
}
