// The two pictures of the Predictions page, ground truth and prediction, with their controls (prediction_pictures.py).
//
// Objects and detections of a picture and their IoUs are loaded once. Score, IoU, colours and parts of objects are
// answered here; the page is only told the minimum score, after a slider was let go, and a missed object that was
// clicked, since its tables and texts depend on them.

import { PictureView } from "../components/picture/picture_view.js";
import { addViewButtons, isFullScreen } from "../components/picture/view_buttons.js";
import { namesOf, takesText } from "../shell/hotkeys.js";
import { untilLinkIsFollowed } from "../shell/page_links.js";
import { BOTH, DrawingBar, FOUND, TRUTH, make } from "./drawing_bar.js";
import { arrangement } from "./arrangement.js";
import { matchPicture } from "./matching.js";
import { LEGEND, counted, decimalsBelow, detectionWords, objectWords } from "./match_words.js";

const STORED = "maskrcnn-predictions"; // key of the choices in the session storage of the tab
const AFTER_RELEASE = 350; // ms until the page is told; the arrow keys release a slider with each step
const LEAST_HEADING = 26; // CSS px
const DEFAULTS = {
  view: BOTH, score: 0.5, iou: 0.5, colour: "match", masks: true, boxes: true, keypoints: true, labels: true,
};
const styleSheet = new URL("./prediction_pictures.css", import.meta.url).href;
const mounted = new WeakMap(); // parent element -> its PredictionPictures

/** Draw the component; Streamlit calls this again when its data has changed. */
export default function (component) {
  const { parentElement } = component;
  if (!mounted.has(parentElement)) mounted.set(parentElement, new PredictionPictures(parentElement, component));
  const pictures = mounted.get(parentElement);
  const call = pictures.update(component);
  return () => {
    if (pictures.calls !== call) return; // a later call uses it
    mounted.delete(parentElement);
    pictures.destroy();
  };
}

/** Half of the component: a heading with a legend, a view, and a line about what is under the pointer. */
class Side {
  constructor(name, title) {
    this.root = make("section", `side ${name}`);
    this.heading = make("div", "heading");
    this.title = make("span", "title", title);
    this.count = make("span", "count");
    this.legend = make("span", "legend");
    const summary = make("span");
    summary.append(this.title, this.count);
    this.heading.append(summary, this.legend);
    const holder = make("div", "holder");
    this.line = make("div", "line");
    this.line.setAttribute("aria-live", "polite");
    this.root.append(this.heading, holder);
    this.view = new PictureView(holder, { cameraGroup: "predictions", label: title });
    holder.append(this.line);
  }

  /** Show or hide it. A hidden view takes no part in the common camera. */
  show(isShown) {
    if (this.root.hidden === !isShown) return;
    this.root.hidden = !isShown;
    if (!isShown) this.view.camera.resize(0, 0, 1);
  }

  /** Write a line at the lower edge; "" takes it away. */
  say(text) {
    this.line.textContent = text;
    this.line.hidden = !text;
  }
}

class PredictionPictures {
  #stop = new AbortController();
  #loading = null;
  #timers = {};
  #matches = null;
  #table = null;
  #selected = { truth: null, found: null };
  #hovered = { truth: null, found: null };
  #shapes = "";

  constructor(parentElement, component) {
    this.calls = 0;
    this.component = component;
    const { data } = component, { signal } = this.#stop;
    this.choices = { ...DEFAULTS, ...restored(), score: data.score };
    this.root = make("div", "predictions");
    const link = make("link");
    link.rel = "stylesheet";
    link.href = styleSheet;
    link.onload = () => this.#arrange();
    this.truth = new Side("truth", "Ground truth");
    this.found = new Side("found", "Prediction");
    this.sides = make("div", "sides");
    this.sides.append(this.truth.root, this.found.root);
    this.barHolder = make("div", "top");
    this.root.append(link, this.barHolder, this.sides);
    parentElement.querySelector("div").append(this.root);
    for (const [name, side] of [["truth", this.truth], ["found", this.found]]) {
      side.buttons = addViewButtons(side.view, { root: this.root });
      side.view.addEventListener("hover", ({ detail }) => this.#hover(name, detail.id));
      side.view.addEventListener("select", ({ detail }) => this.#select(name, detail.ids.at(-1) ?? null));
    }
    window.addEventListener("keydown", (event) => this.#onKey(event), { capture: true, signal });
    window.addEventListener("resize", () => this.#arrange(), { signal });
    document.addEventListener("fullscreenchange", () => this.#arrange(), { signal });
    this.observer = new ResizeObserver(() => this.#arrange());
    this.observer.observe(this.root);
  }

  /** Take over the data of a script run; returns the number of the call. */
  update(component) {
    const before = this.component.data, isFirst = this.calls === 0;
    this.component = component;
    const { data } = component;
    const ofBar = ({ drawable, measure }) => `${drawable} ${measure}`;
    if (isFirst || ofBar(before) !== ofBar(data)) this.#makeBar();
    for (const [side, says] of [[this.truth, data.truth_says], [this.found, data.found_says]]) {
      side.view.setPicture(data.picture);
      side.view.element.setAttribute("aria-label", says);
    }
    if (isFirst || before.table !== data.table) this.#load(before.picture?.address !== data.picture?.address);
    else this.#draw();
    this.#arrange();
    return ++this.calls;
  }

  destroy() {
    this.#stop.abort();
    this.#loading?.abort();
    Object.values(this.#timers).forEach(clearTimeout);
    this.observer.disconnect();
    for (const { buttons, view } of [this.truth, this.found]) {
      buttons.destroy();
      view.destroy();
    }
    this.root.remove();
  }

  #makeBar() {
    const { drawable, measure } = this.component.data;
    this.bar?.root.remove();
    this.bar = new DrawingBar(this.barHolder, this.choices, drawable, measure);
    this.bar.addEventListener("change", ({ detail }) => this.#chosen(detail.name));
    this.bar.addEventListener("released", ({ detail }) => {
      if (detail.name === "score") this.#tellLater("score", this.choices.score, this.component.data.score);
    });
  }

  // Contents

  /** Load objects and detections. Old ones of another picture are taken away at once, those of an epoch at the end. */
  async #load(isOtherPicture) {
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    this.#selected = { truth: null, found: null };
    if (isOtherPicture) this.#use(null);
    let table;
    try {
      const answer = await fetch(new URL(this.component.data.table, document.baseURI), { signal: loading.signal });
      if (!answer.ok) throw new Error(await answer.text());
      table = await answer.json();
    } catch (error) {
      if (loading.signal.aborted) return;
      this.#use(null);
      for (const side of [this.truth, this.found]) {
        side.say("The objects could not be loaded from the studio. Reload the page.");
      }
      console.error(error);
      return;
    }
    if (!loading.signal.aborted) this.#use(table);
  }

  #use(table) {
    this.#table = table;
    this.#hovered = { truth: null, found: null };
    this.#shapes = "";
    this.#draw();
  }

  #chosen(name) {
    stored(this.choices);
    if (name === "view") this.#arrange();
    this.#draw();
  }

  /** Tell the page a value a moment later, unless it is the one that it knows. */
  #tellLater(name, value, known) {
    clearTimeout(this.#timers[name]);
    if (value === known) return;
    const tell = () => {
      const wait = untilLinkIsFollowed();
      if (wait) this.#timers[name] = setTimeout(tell, wait);
      else this.component.setStateValue(name, value);
    };
    this.#timers[name] = setTimeout(tell, AFTER_RELEASE);
  }

  // Drawing

  /** Match again, and draw both sides. */
  #draw() {
    const table = this.#table, { choices } = this;
    this.#matches = table && matchPicture(table, choices.score, choices.iou);
    this.#makeObjects();
    const { categories, looks } = this.component.data;
    const status = (object) => this.#match(object)?.status ?? "ignored";
    for (const { view } of [this.truth, this.found]) {
      Object.assign(view.display, {
        outlines: choices.masks || choices.boxes,
        fills: choices.masks || choices.boxes,
        opacity: this.#masks ? 0.3 : 0.12,
        boxes: choices.boxes,
        keypoints: choices.keypoints,
        labels: choices.labels,
        filter: (object) => this.#match(object) !== undefined,
        colour: (object) => choices.colour === "class"
          ? (categories[object.category]?.colour ?? looks.ignored.colour) : looks[status(object)].colour,
        style: (object) => (choices.colour === "class" ? "solid" : looks[status(object)].style),
      });
      view.redraw();
    }
    this.#writeHeadings();
    this.#emphasize();
    this.root.dataset.drawn = JSON.stringify({
      picture: this.component.data.picture?.name ?? "",
      objects: this.#matches?.objects.map(({ status }) => status) ?? null,
      detections: this.#matches?.detections.map(({ status }) => status) ?? null,
    });
  }

  /** Whether masks are drawn; else boxes are the outlines. */
  get #masks() {
    return this.choices.masks && this.component.data.drawable.includes("masks");
  }

  #match(object) {
    return object.side === "truth" ? this.#matches?.objects[object.place] : this.#matches?.detections[object.place];
  }

  /** Give both views their objects, the larger ones behind. Without masks the box is the outline of an object. */
  #makeObjects() {
    const shapes = String(this.#masks);
    if (this.#shapes === shapes) return;
    this.#shapes = shapes;
    const { limbs } = this.component.data;
    const objects = (entries, side) => (entries ?? [])
      .map((entry, place) => ({
        id: `${side}-${place}`, side, place, category: entry.class, label: entry.label, box: entry.box,
        ...(this.#masks && entry.rle ? { rle: entry.rle } : {}),
        ...(entry.points ? { points: entry.points, limbs } : {}),
      }))
      .sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
    this.truth.view.setObjects(objects(this.#table?.objects, "truth"));
    this.found.view.setObjects(objects(this.#table?.detections, "found"));
  }

  #writeHeadings() {
    const { choices } = this, matches = this.#matches, isBoth = choices.view === BOTH;
    const objects = matches?.objects.filter(({ status }) => status !== "ignored").length;
    this.truth.count.textContent = matches ? ` · ${counted(objects, "object")}` : "";
    this.found.count.textContent = matches ? ` · ${counted(matches.detections.length, "detection")}` : "";
    this.truth.legend.replaceChildren(...this.#chips(isBoth ? ["tp", "fn"] : ["tp", "fp", "fn"]));
    this.found.legend.replaceChildren(...this.#chips(isBoth ? ["tp", "fp"] : ["tp", "fp", "fn"]));
  }

  #chips(statuses) {
    const { choices } = this, { looks, measure } = this.component.data;
    return statuses.map((status) => {
      const chip = make("span", "chip"), sample = make("span", `sample ${looks[status].style}`);
      sample.style.setProperty("--colour", looks[status].colour);
      sample.hidden = choices.colour === "class";
      chip.dataset.status = status;
      chip.title = LEGEND[status].means(choices, measure);
      chip.append(sample, make("strong", "", String(this.#matches?.[status] ?? "")), ` ${LEGEND[status].words}`);
      return chip;
    });
  }

  // What is under the pointer, and what is selected

  #hover(side, id) {
    this.#hovered = this.#pair(side, id);
    this.#emphasize();
  }

  #select(side, id) {
    this.#selected = this.#pair(side, id);
    this.#emphasize();
    const { data } = this.component, { truth } = this.#selected;
    const isMissed = truth && this.#match(truth)?.status === "fn";
    if (!data.asks || (!isMissed && data.selected === null)) return;
    const told = isMissed ? `${data.image} ${this.#table.objects[truth.place].id}` : null;
    this.#tellLater("selected", told, data.selected);
  }

  /** An object or detection with its partner: {truth, found}. */
  #pair(side, id) {
    const object = id === null ? null : (this[side].view.object(id) ?? null);
    const other = side === "truth" ? "found" : "truth";
    const partner = object && this.#match(object)?.partner;
    return { [side]: object, [other]: this[other].view.object(`${other}-${partner}`) ?? null };
  }

  #emphasize() {
    const { choices } = this, table = this.#table, matches = this.#matches;
    for (const [name, side] of [["truth", this.truth], ["found", this.found]]) {
      const hovered = this.#hovered[name], selected = this.#selected[name];
      side.view.setHovered(hovered?.id ?? null);
      if (side.view.selected.size || selected) side.view.setSelected(selected ? [selected.id] : []);
      const about = hovered ?? (this.#hovered.truth || this.#hovered.found ? null : selected);
      if (about && matches && this.#match(about)) {
        const words = name === "truth" ? objectWords : detectionWords;
        side.say(words(table, matches, about.place, choices));
      } else {
        side.say(name === "found" ? this.#highestScoreWords() : "");
      }
    }
  }

  #highestScoreWords() {
    const best = this.#table?.detections[0]?.score, { score } = this.choices;
    if (best === undefined || best >= score) return "";
    return `The highest score here is ${decimalsBelow(best, score)}: move the slider down to see it.`;
  }

  #onKey(event) {
    if (event.repeat || event.isComposing || typeof event.key !== "string") return;
    if (!namesOf(event).includes("l") || takesText(event.composedPath()[0])) return;
    if (document.querySelector('[role="dialog"][aria-modal="true"], [data-testid="stDialog"]')) return;
    event.preventDefault();
    this.choices.view = this.choices.view === BOTH ? FOUND : BOTH;
    this.bar.paint();
    this.#chosen("view");
  }

  // Size

  /** Place the sides, and give them the height that the window has. */
  #arrange() {
    if (this.#stop.signal.aborted || !this.root.isConnected) return;
    const { view } = this.choices;
    this.truth.show(view !== FOUND);
    this.found.show(view !== TRUTH);
    const isFull = isFullScreen(this.root);
    const place = this.sides.getBoundingClientRect();
    const scroller = this.root.getRootNode().host?.closest('[data-testid="stMain"]') ?? document.documentElement;
    const top = isFull ? place.top : place.top + scroller.scrollTop;
    const free = window.innerHeight - top - (isFull ? 0 : 10);
    const heading = Math.max(this.truth.heading.offsetHeight, this.found.heading.offsetHeight, LEAST_HEADING);
    const { direction, height } = arrangement(
      place.width, free, this.component.data.aspect, view === BOTH ? 2 : 1, heading, isFull,
    );
    this.sides.dataset.direction = direction;
    this.sides.style.height = `${height}px`;
  }
}

/** The choices that this tab stored; without the score, which the page keeps. */
function restored() {
  try {
    const found = JSON.parse(sessionStorage.getItem(STORED) ?? "{}");
    const known = Object.entries(found).filter(([name, value]) => typeof value === typeof DEFAULTS[name]);
    return Object.fromEntries(known);
  } catch {
    return {};
  }
}

function stored(choices) {
  try {
    sessionStorage.setItem(STORED, JSON.stringify(choices));
  } catch {
    // without storage, the choices last until the page is left
  }
}
