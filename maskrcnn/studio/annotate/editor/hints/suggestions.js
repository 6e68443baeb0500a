// Suggestions: what a network detects on the picture, as dashed regions that are accepted or thrown away.

import { drawObject } from "../../../components/picture/object_drawing.js";
import { contains, newId, objectOf, shapeBounds } from "../shapes.js";
import { progressOf, resultOf } from "./hint_requests.js";

const AHEAD = 3; // pictures that are worked out while a person looks at this one
const PAUSE = 150; // milliseconds between two questions
const PATIENCE = 30000; // milliseconds

/**
 * The suggestions of an editor. `network` is the key of the network, `least` the score from which they are shown,
 * `regions` all of them on this picture. Dispatches "change".
 *
 * An accepted suggestion keeps its source "model" and its score until a person changes its shape (`shapes.withShape`).
 */
export class Suggestions extends EventTarget {
  constructor(editor) {
    super();
    this.editor = editor;
    this.isOn = false;
    this.network = null;
    this.least = 0.5;
    this.regions = [];
    this.gone = new Set(); // ids that were thrown away or accepted
    this.pointed = null; // id under the pointer
    this.state = "off"; // "off", "working", "done", "failed"
    editor.addEventListener("picture", () => this.load());
    editor.view.painters.push((context, view) => this.paint(context, view));
    const { signal } = editor.stopped;
    editor.view.element.addEventListener("pointermove", (event) => this.point(event), { signal });
  }

  /** Those that are shown, the best first. */
  get shown() {
    return this.regions.filter(({ id, score }) => !this.gone.has(id) && (score ?? 1) >= this.least);
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

  /** Show suggestions of a network, or none. */
  use(network, isOn) {
    const other = network !== this.network;
    this.network = network;
    if (isOn === this.isOn && !other) return;
    this.isOn = isOn && network !== null;
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
    this.pointed = null;
    const { doc, pictures, place, server } = this.editor;
    if (!this.isOn || !doc?.picture) {
      this.state = "off";
      if (this.wasOn && doc) server.request(`hints/suggestions/${doc.id}`, { method: "DELETE" }).catch(() => {});
      this.wasOn = false;
      this.changed();
      return;
    }
    this.wasOn = true;
    this.state = "working";
    this.changed();
    const control = this.control = new AbortController(), { signal } = control;
    const next = pictures.slice(place + 1).filter((entry) => !entry.done).slice(0, AHEAD);
    const ahead = next.map(({ id }) => id).join(",");
    const query = `run=${encodeURIComponent(this.network)}&ahead=${ahead}`;
    const work = this.followed(
      doc.id, query, again, signal, (job) => shown.progress(...progressOf(job, "Suggestions")),
    );
    const stop = () => { control.abort(); this.use(this.network, false); };
    const shown = this.editor.busy("Suggestions", work.catch(() => {}), stop);
    try {
      const { regions } = await work;
      if (signal.aborted) return;
      this.regions = regions;
      this.state = "done";
      const count = this.shown.length;
      if (count) this.editor.say(`${count} suggested: A accepts one, Shift + A all of them`);
    } catch (error) {
      if (signal.aborted) return;
      this.state = "failed";
      this.editor.say(`Suggestions: ${error.message}`, "warning");
    }
    this.changed();
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
    regions.forEach(({ id }) => this.gone.add(id));
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
    regions.forEach(({ id }) => this.gone.add(id));
    this.changed();
  }

  /** Show those again that were thrown away, and try again if it failed. */
  again() {
    this.gone.clear();
    this.load(true);
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
