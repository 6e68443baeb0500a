// Suggestions: what a network detects on the picture, as dashed regions that are accepted or thrown away.
//
// The project keeps them. Those that are kept show at once in a picture that is not done, unless the person chose none;
// if the person chose a network, its own are shown, which may have to be worked out first. What is decided does not
// come back after a reload.

import { drawObject } from "../../../components/picture/object_drawing.js";
import { Refused } from "../server.js";
import { contains, newId, objectOf, shapeBounds } from "../shapes.js";
import { progressOf, resultOf } from "./hint_requests.js";

const AHEAD = 3; // pictures that are worked out while a person looks at this one
const PAUSE = 150; // milliseconds between two questions
const PATIENCE = 30000; // milliseconds
const RETRY = 3000; // milliseconds until decisions are sent again
const OFF = "off"; // in the browser's storage: the person wants none

/** The choice of what the project keeps, of any network. */
export const KEPT = "kept";

/**
 * The suggestions of an editor. `choice` is KEPT, the key of a network, or null for none; `least` the score from which
 * they are shown, `regions` all of them on this picture, `kept` {network, name, made} if they are what the project
 * keeps. Dispatches "change".
 *
 * An accepted suggestion keeps its source "model" and its score until a person changes its shape (`shapes.withShape`).
 */
export class Suggestions extends EventTarget {
  constructor(editor) {
    super();
    this.editor = editor;
    this.choice = stored(editor) === OFF ? null : KEPT;
    this.kept = null;
    this.least = 0.5;
    this.regions = [];
    this.gone = new Set(); // ids that were thrown away or accepted
    this.decisions = []; // {picture, ids} that the server does not know yet, the oldest first
    this.sending = null; // promise
    this.pointed = null; // id under the pointer
    this.state = "off"; // "off", "working", "done", "failed"
    editor.addEventListener("picture", () => this.load());
    editor.view.painters.push((context, view) => this.paint(context, view));
    const { signal } = editor.stopped;
    editor.view.element.addEventListener("pointermove", (event) => this.point(event), { signal });
  }

  /** Whether suggestions of this picture are shown, or being worked out. */
  get isOn() {
    return this.choice === KEPT ? this.kept !== null : this.choice !== null;
  }

  /** Those that nobody has decided, the best first. */
  get open() {
    return this.regions.filter(({ id }) => !this.gone.has(id));
  }

  /** Those that are shown, the best first. */
  get shown() {
    return this.open.filter(({ score }) => (score ?? 1) >= this.least);
  }

  /** The one that a key means: under the pointer, else the best one. */
  get current() {
    const { shown } = this;
    return shown.find(({ id }) => id === this.pointed) ?? shown[0] ?? null;
  }

  changed() {
    this.editor.view.redrawOverlay();
    this.dispatchEvent(new Event("change"));
    this.editor.emit("state");
  }

  /** Show what is kept (KEPT), suggestions of a network, given by its key, or none (null), as the person chose. */
  use(choice) {
    store(this.editor, choice === null ? OFF : "");
    this.show(choice);
  }

  show(choice) {
    if (choice === this.choice) return;
    this.choice = choice;
    this.load();
  }

  setLeast(score) {
    this.least = score;
    this.changed();
  }

  /** Get the suggestions of the picture that is shown; those of the next pictures are worked out on the server. */
  async load(again = false) {
    this.control?.abort();
    this.regions = [];
    this.kept = null;
    this.pointed = null;
    const { doc, entry, pictureList, server } = this.editor;
    const isOfNetwork = this.choice !== null && this.choice !== KEPT;
    if (this.isWorking && !isOfNetwork && doc) {
      server.request(`hints/suggestions/${doc.id}`, { method: "DELETE" }).catch(() => {});
    }
    this.isWorking = isOfNetwork && Boolean(doc?.picture);
    this.state = this.isWorking ? "working" : "off";
    this.changed();
    if (this.choice === null || !doc?.picture) return;
    const control = this.control = new AbortController(), { signal } = control;
    if (this.choice === KEPT) {
      if (doc.done) return; // nothing is left to label here
      await this.loadKept(doc.id, signal);
      return;
    }
    const { sequence } = pictureList, place = pictureList.placeInSequence(entry);
    const next = sequence.slice(place + 1).filter((other) => !other.done).slice(0, AHEAD);
    const ahead = next.map(({ id }) => id).join(",");
    const query = `run=${encodeURIComponent(this.choice)}&ahead=${ahead}`;
    const work = this.followed(
      doc.id, query, again, signal, (job) => shown.progress(...progressOf(job, "Suggestions")),
    );
    const stop = () => { control.abort(); this.show(null); };
    const shown = this.editor.busy("Suggestions", work.catch(() => {}), stop);
    try {
      const { regions } = await work;
      if (signal.aborted) return;
      this.regions = regions;
      this.state = "done";
      this.sayCount();
    } catch (error) {
      if (signal.aborted) return;
      this.state = "failed";
      this.editor.say(`Suggestions: ${error.message}`, "warning");
    }
    this.changed();
  }

  /** Show what the project keeps for this picture; nothing if it keeps nothing. No network is needed. */
  async loadKept(picture, signal) {
    try {
      const { kept } = await this.editor.server.get(`hints/kept/${picture}`, { signal });
      if (signal.aborted || !kept) return;
      const { regions, ...about } = kept;
      Object.assign(this, { regions, kept: about, state: "done" });
      this.sayCount();
      this.changed();
    } catch {
      // Without a connection there are none; the line below the picture tells of the connection.
    }
  }

  sayCount() {
    const count = this.shown.length, of = this.kept ? ` by ${this.kept.name}` : "";
    if (count) this.editor.say(`${count} suggested${of}: A accepts one, Shift + A all of them`);
  }

  async followed(picture, query, again, signal, tell) {
    const { server } = this.editor;
    let asked = `hints/suggestions/${picture}?${query}${again ? "&again=1" : ""}`;
    for (;;) {
      const job = await server.get(asked, { signal, patience: PATIENCE });
      if (job.state !== "working") return resultOf(job);
      tell(job);
      asked = `hints/suggestions/${picture}?${query}`;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  // Accept and throw away

  /** Make regions of suggestions, as one undo step. */
  accept(regions) {
    const { doc } = this.editor;
    if (!doc || !regions.length) {
      this.editor.say("There is no suggestion here", "warning");
      return;
    }
    const put = regions.map((region) => ({ ...region, id: newId() }));
    this.decided(regions);
    doc.change({ put }, regions.length === 1 ? "accept a suggestion" : "accept suggestions");
    doc.select(put.length === 1 ? [put[0].id] : []);
    this.changed();
  }

  acceptOne() {
    this.accept(this.current ? [this.current] : []);
  }

  acceptAll() {
    this.accept(this.shown);
  }

  /** Throw suggestions away. They come back with "again". */
  throwAway(regions) {
    this.decided(regions);
    this.changed();
  }

  /** Note that suggestions were accepted or thrown away, here and in the project. */
  decided(regions) {
    const ids = regions.map(({ id }) => id);
    if (!ids.length) return;
    ids.forEach((id) => this.gone.add(id));
    this.decisions.push({ picture: this.editor.doc.id, ids });
    this.send();
  }

  /** Send decisions in their order. Without a connection they are sent later. */
  send() {
    this.sending ??= this.sendAll().finally(() => { this.sending = null; });
    return this.sending;
  }

  async sendAll() {
    clearTimeout(this.timer);
    while (this.decisions.length) {
      const [{ picture, ids }] = this.decisions;
      try {
        await this.editor.server.post(`hints/kept/${picture}/decided`, { ids }, { keepAlive: true });
      } catch (error) {
        if (!(error instanceof Refused) || error.mayPass) {
          if (!this.editor.stopped.signal.aborted) this.timer = setTimeout(() => this.send(), RETRY);
          return;
        }
      }
      this.decisions.shift();
    }
  }

  /** Show those again that were thrown away, and try again if it failed. */
  async again() {
    const { doc, server } = this.editor;
    this.gone.clear();
    await this.send();
    try {
      if (this.choice === KEPT) await server.request(`hints/kept/${doc.id}/decided`, { method: "DELETE" });
    } catch (error) {
      this.editor.say(`Suggestions: ${error.message}`, "warning");
    }
    if (doc === this.editor.doc) this.load(true);
  }

  // Picture

  point(event) {
    if (!this.isOn || !this.regions.length || event.buttons) return;
    const { view } = this.editor, frame = view.element.getBoundingClientRect();
    const place = view.camera.toPicture([event.clientX - frame.left, event.clientY - frame.top]);
    const size = ({ shape }) => { const [, , width, height] = shapeBounds(shape); return width * height; };
    const under = this.shown.filter(({ shape }) => contains(shape, place)).sort((a, b) => size(a) - size(b));
    const id = under[0]?.id ?? null;
    if (id === this.pointed) return;
    this.pointed = id;
    this.changed();
  }

  paint(context, view) {
    if (!this.isOn) return;
    const { current } = this;
    for (const region of this.shown) {
      const object = { ...objectOf(region, this.editor), style: "dashed" };
      const chosen = region.id === current?.id;
      drawObject(context, view.camera, object, { opacity: chosen ? 0.3 : 0.12, width: chosen ? 3 : 2 });
    }
  }
}

/** What the browser keeps of the person's choice in this project. */
function stored({ project }) {
  try {
    return localStorage.getItem(`maskrcnn-suggestions-${project}`);
  } catch {
    return null;
  }
}

function store({ project }, value) {
  try {
    if (value) localStorage.setItem(`maskrcnn-suggestions-${project}`, value);
    else localStorage.removeItem(`maskrcnn-suggestions-${project}`);
  } catch {
    // Then the choice lasts until the page is left.
  }
}
