// The pictures of the Compare page with their controls (compare_pictures.py): what two epochs found in one picture.
//
// Objects, detections and their IoUs are loaded once for a picture. Score, IoU, colours and parts of objects are
// answered here; the page is told score and IoU after their slider was let go, since its tables depend on them.

import { addViewButtons, isFullScreen } from "../components/picture/view_buttons.js";
import { namesOf, takesText } from "../shell/hotkeys.js";
import { untilLinkIsFollowed } from "../shell/page_links.js";
import { arrangement } from "../inspect/arrangement.js";
import { DrawingBar, make } from "../inspect/drawing_bar.js";
import { counted, detectionWords, objectWords } from "../inspect/match_words.js";
import { compared, TRUTH_LEGEND } from "./compared_matches.js";
import { ComparedSide } from "./compared_side.js";
import { SwipeLine } from "./swipe_line.js";

const PAIR = "pair", THREE = "three", SWIPE = "swipe";
const VIEWS = {
  options: [[PAIR, "A and B"], [THREE, "With ground truth"], [SWIPE, "Swipe"]],
  title: "A and B beside each other, the ground truth with them, or one large picture that a line divides. "
    + "The key L changes between the first and the last.",
};
const STORED = "maskrcnn-compare"; // key of the choices in the session storage of the tab
const AFTER_RELEASE = 350; // ms until the page is told; the arrow keys release a slider with each step
const LEAST_HEADING = 26; // CSS px
const DEFAULTS = {
  view: PAIR, colour: "match", fill: true, masks: true, boxes: false, keypoints: true, labels: true, part: 50,
};
const SHEETS = ["../inspect/prediction_pictures.css", "./compare_pictures.css"];
const mounted = new WeakMap(); // parent element -> its ComparePictures

/** Draw the component; Streamlit calls this again when its data has changed. */
export default function (component) {
  const { parentElement } = component;
  if (!mounted.has(parentElement)) mounted.set(parentElement, new ComparePictures(parentElement, component));
  const pictures = mounted.get(parentElement);
  const call = pictures.update(component);
  return () => {
    if (pictures.calls !== call) return; // a later call uses it
    mounted.delete(parentElement);
    pictures.destroy();
  };
}

class ComparePictures {
  #stop = new AbortController();
  #loading = null;
  #timers = {};
  #table = null;
  #matches = null; // of `compared`
  #hovered = null; // {object, a, b}: places in the table
  #shapes = "";
  #focus = null; // serial of the object that was shown magnified

  constructor(parentElement, component) {
    this.calls = 0;
    this.component = component;
    const { data } = component, { signal } = this.#stop;
    this.choices = { ...DEFAULTS, ...restored(), score: data.score, iou: data.iou };
    this.root = make("div", "predictions compare");
    for (const sheet of SHEETS) {
      const link = make("link");
      link.rel = "stylesheet";
      link.href = new URL(sheet, import.meta.url).href;
      link.onload = () => this.#arrange();
      this.root.append(link);
    }
    this.truth = new ComparedSide("truth", "Ground truth");
    this.a = new ComparedSide("a", "A");
    this.b = new ComparedSide("b", "B");
    this.line = new SwipeLine();
    this.line.part = this.choices.part;
    this.line.addEventListener("change", () => this.#swipe());
    this.line.root.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.a.view.element.dispatchEvent(new WheelEvent("wheel", event));
    }, { passive: false });
    this.sides = make("div", "sides");
    this.sides.append(...this.all.map((side) => side.root), this.line.root);
    this.barHolder = make("div", "top");
    this.root.append(this.barHolder, this.sides);
    parentElement.querySelector("div").append(this.root);
    for (const side of this.all) {
      side.buttons = addViewButtons(side.view, { root: this.root });
      side.view.addEventListener("hover", ({ detail }) => this.#hover(side, detail.id));
      side.view.addEventListener("select", ({ detail }) => this.#hover(side, detail.ids.at(-1) ?? null));
    }
    window.addEventListener("keydown", (event) => this.#onKey(event), { capture: true, signal });
    window.addEventListener("resize", () => this.#arrange(), { signal });
    document.addEventListener("fullscreenchange", () => this.#arrange(), { signal });
    this.observer = new ResizeObserver(() => this.#arrange());
    this.observer.observe(this.root);
  }

  get all() {
    return [this.truth, this.a, this.b];
  }

  /** Take over the data of a script run; returns the number of the call. */
  update(component) {
    const before = this.component.data, isFirst = this.calls === 0;
    this.component = component;
    const { data } = component;
    const ofBar = ({ drawable, measure }) => `${drawable} ${measure}`;
    if (isFirst || ofBar(before) !== ofBar(data)) this.#makeBar();
    for (const side of this.all) {
      side.view.setPicture(data.picture);
      side.view.showMessage(data.message);
      side.name(data);
    }
    if (isFirst || before.table !== data.table) this.#load(before.file !== data.file);
    else this.#draw();
    this.#arrange();
    this.#showFocus();
    return ++this.calls;
  }

  destroy() {
    this.#stop.abort();
    this.#loading?.abort();
    Object.values(this.#timers).forEach(clearTimeout);
    this.observer.disconnect();
    for (const { buttons, view } of this.all) {
      buttons.destroy();
      view.destroy();
    }
    this.root.remove();
  }

  #makeBar() {
    const { drawable, measure } = this.component.data;
    this.bar?.root.remove();
    this.bar = new DrawingBar(this.barHolder, this.choices, drawable, measure, VIEWS);
    this.bar.addEventListener("change", ({ detail }) => this.#chosen(detail.name));
    this.bar.addEventListener("released", ({ detail }) => this.#tellLater(detail.name));
  }

  /** Show the object that the page asks for, once. */
  #showFocus() {
    const { focus } = this.component.data;
    if (!focus || focus.serial === this.#focus) return;
    this.#focus = focus.serial;
    this.b.view.camera.showBox(focus.box);
  }

  // Contents

  /** Load objects and detections. Old ones of another picture are taken away at once, those of an epoch at the end. */
  async #load(isOtherPicture) {
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    if (isOtherPicture) this.#use(null);
    let table;
    try {
      const answer = await fetch(new URL(this.component.data.table, document.baseURI), { signal: loading.signal });
      if (!answer.ok) throw new Error(await answer.text());
      table = await answer.json();
    } catch (error) {
      if (loading.signal.aborted) return;
      this.#use(null);
      for (const side of this.all) side.say("The objects could not be loaded from the studio. Reload the page.");
      console.error(error);
      return;
    }
    if (!loading.signal.aborted) this.#use(table);
  }

  #use(table) {
    const { objects } = table ?? {};
    this.#table = table && { a: { objects, ...table.a }, b: { objects, ...table.b }, objects };
    this.#hovered = null;
    this.#shapes = "";
    this.#draw();
  }

  #chosen(name) {
    this.#store();
    if (name === "view") this.#arrange();
    this.#draw();
  }

  #store() {
    const { score: _, iou: __, ...kept } = this.choices;
    try {
      sessionStorage.setItem(STORED, JSON.stringify(kept));
    } catch {
      // without storage, the choices last until the page is left
    }
  }

  /** Tell the page a value a moment later, unless it is the one that it knows. */
  #tellLater(name) {
    clearTimeout(this.#timers[name]);
    if (this.choices[name] === this.component.data[name]) return;
    const tell = () => {
      const wait = untilLinkIsFollowed();
      if (wait) this.#timers[name] = setTimeout(tell, wait);
      else this.component.setStateValue(name, this.choices[name]);
    };
    this.#timers[name] = setTimeout(tell, AFTER_RELEASE);
  }

  // Drawing

  /** Match again, and draw all sides. */
  #draw() {
    const { choices } = this, { categories, looks } = this.component.data;
    this.#matches = this.#table && compared(this.#table, choices.score, choices.iou);
    this.#makeObjects();
    const isClass = choices.colour === "class";
    for (const { view } of this.all) {
      Object.assign(view.display, {
        outlines: choices.masks || choices.boxes,
        fills: choices.fill && (choices.masks || choices.boxes),
        opacity: this.#masks ? 0.3 : 0.12,
        boxes: choices.boxes,
        keypoints: choices.keypoints,
        labels: choices.labels,
        filter: (object) => this.#look(object) !== null,
        colour: (object) => isClass
          ? (categories[object.category]?.colour ?? looks.ignored.colour) : this.#look(object).colour,
        style: (object) => (isClass && this.#look(object).status !== "fn" ? "solid" : this.#look(object).style),
      });
      view.redraw();
    }
    this.#writeHeadings();
    this.#emphasize();
    this.root.dataset.drawn = JSON.stringify({
      picture: this.component.data.file,
      ...(this.#matches && Object.fromEntries(["a", "b"].map((letter) => {
        const { tp, fp, fn } = this.#matches[letter];
        return [letter, { tp, fp, fn }];
      }))),
    });
  }

  /** Whether masks are drawn; else boxes are the outlines. */
  get #masks() {
    return this.choices.masks && this.component.data.drawable.includes("masks");
  }

  /** {status, colour, style} of an object of a view; null if it is not drawn. */
  #look({ side, isObject, place }) {
    const { looks, colours } = this.component.data, matches = this.#matches;
    if (!matches) return null;
    if (side === "truth") {
      const status = matches.found[place];
      const ofSides = { onlyA: colours.a, onlyB: colours.b, both: looks.tp.colour, none: looks.fn.colour };
      const style = status === "none" || status === "ignored" ? "dashed" : "solid";
      return { status, colour: ofSides[status] ?? looks.ignored.colour, style };
    }
    const match = isObject ? matches[side].objects[place] : matches[side].detections[place];
    if (!match || (isObject && match.status !== "fn")) return null;
    return { status: match.status, ...looks[match.status] };
  }

  /**
   * Give the views their objects, the larger ones behind. The views of A and B also have the objects that they miss.
   * Without masks the box is the outline of an object.
   */
  #makeObjects() {
    const shapes = String(this.#masks);
    if (this.#shapes === shapes) return;
    this.#shapes = shapes;
    const { limbs } = this.component.data;
    const objects = (entries, side, isObject) => (entries ?? []).map((entry, place) => ({
      id: `${isObject ? "object" : "found"}-${place}`, side, isObject, place, category: entry.class,
      label: entry.label, box: entry.box,
      ...(this.#masks && entry.rle ? { rle: entry.rle } : {}),
      ...(entry.points ? { points: entry.points, limbs } : {}),
    }));
    const bySize = (one, other) => other.box[2] * other.box[3] - one.box[2] * one.box[3];
    const table = this.#table;
    this.truth.view.setObjects(objects(table?.objects, "truth", true).sort(bySize));
    for (const side of [this.a, this.b]) {
      const found = objects(table?.[side.letter].detections, side.letter, false);
      side.view.setObjects([...objects(table?.objects, side.letter, true), ...found].sort(bySize));
    }
  }

  #writeHeadings() {
    const { choices } = this, matches = this.#matches, { looks, colours } = this.component.data;
    this.truth.count.textContent = matches ? ` · ${counted(matches.objects, "object")}` : "";
    const ofSides = { both: looks.tp, onlyA: { colour: colours.a, style: "solid" },
      onlyB: { colour: colours.b, style: "solid" }, none: looks.fn };
    this.truth.legend.replaceChildren(...Object.entries(TRUTH_LEGEND).map(([status, { words, means }]) =>
      this.#chip(status, ofSides[status], matches?.counts[status], words, means)));
    for (const side of [this.a, this.b]) {
      const found = matches?.[side.letter];
      side.count.textContent = found ? ` · ${counted(found.detections.length, "detection")}` : "";
      side.writeLegend(["tp", "fp", "fn"], found, choices, this.component.data);
    }
  }

  #chip(status, { colour, style }, number, words, means) {
    const chip = make("span", "chip"), sample = make("span", `sample ${style}`);
    sample.style.setProperty("--colour", colour);
    sample.hidden = this.choices.colour === "class";
    chip.dataset.status = status;
    chip.title = means;
    chip.append(sample, make("strong", "", String(number ?? "")), ` ${words}`);
    return chip;
  }

  // What is under the pointer

  /** Emphasize what is under the pointer on one side, and what belongs to it on the others. */
  #hover(side, id) {
    const object = id === null ? null : side.view.object(id), matches = this.#matches;
    if (!object || !matches) {
      this.#hovered = null;
    } else {
      const found = side.letter !== "truth" && !object.isObject;
      const labelled = found ? matches[side.letter].detections[object.place]?.partner ?? null : object.place;
      const partner = (letter) => (labelled === null ? null : matches[letter].objects[labelled].partner);
      this.#hovered = { object: labelled, a: partner("a"), b: partner("b") };
      if (found) this.#hovered[side.letter] = object.place;
    }
    this.#emphasize();
  }

  #emphasize() {
    const { choices } = this, hovered = this.#hovered, table = this.#table;
    for (const side of this.all) {
      const { letter } = side, found = letter === "truth" ? null : (hovered?.[letter] ?? null);
      const labelled = hovered?.object ?? null;
      const id = found !== null ? `found-${found}` : labelled !== null ? `object-${labelled}` : null;
      side.view.setHovered(side.view.object(id) ? id : null);
      if (side.view.selected.size) side.view.setSelected([]);
      if (!hovered || !this.#matches) side.say("");
      else if (letter === "truth") side.say(labelled === null ? "" : table.objects[labelled].label);
      else if (found !== null) side.say(detectionWords(table[letter], this.#matches[letter], found, choices));
      else side.say(labelled === null ? "" : objectWords(table[letter], this.#matches[letter], labelled, choices));
    }
  }

  #onKey(event) {
    if (event.repeat || event.isComposing || typeof event.key !== "string") return;
    if (!namesOf(event).includes("l") || takesText(event.composedPath()[0])) return;
    if (document.querySelector('[role="dialog"][aria-modal="true"], [data-testid="stDialog"]')) return;
    event.preventDefault();
    this.choices.view = this.choices.view === SWIPE ? PAIR : SWIPE;
    this.bar.paint();
    this.#chosen("view");
  }

  // Size

  /** Show B right of the line only. */
  #swipe() {
    this.choices.part = this.line.part;
    this.#store();
    this.#clip();
  }

  #clip() {
    const isSwipe = this.choices.view === SWIPE;
    this.b.root.querySelector(".holder").style.clipPath = isSwipe ? `inset(0 0 0 ${this.line.part}%)` : "";
  }

  /** Place the sides, and give them the height that the window has. */
  #arrange() {
    if (this.#stop.signal.aborted || !this.root.isConnected) return;
    const { view } = this.choices, isSwipe = view === SWIPE;
    this.truth.show(view === THREE);
    this.line.root.hidden = !isSwipe;
    this.sides.dataset.view = view;
    this.#clip();
    const isFull = isFullScreen(this.root);
    const place = this.sides.getBoundingClientRect();
    const scroller = this.root.getRootNode().host?.closest('[data-testid="stMain"]') ?? document.documentElement;
    const top = isFull ? place.top : place.top + scroller.scrollTop;
    const free = window.innerHeight - top - (isFull ? 0 : 10);
    const heading = Math.max(...this.all.map((side) => side.heading.offsetHeight), LEAST_HEADING);
    const pictures = { [PAIR]: 2, [THREE]: 3, [SWIPE]: 1 }[view];
    const { direction, height } = arrangement(
      place.width, free, this.component.data.aspect, pictures, heading, isFull,
    );
    this.sides.dataset.direction = direction;
    this.sides.style.height = `${height}px`;
    this.line.root.style.top = `${Math.max(this.a.heading.offsetHeight, LEAST_HEADING)}px`;
  }
}

/** The choices that this tab stored; without score and IoU, which the page keeps. */
function restored() {
  try {
    const found = JSON.parse(sessionStorage.getItem(STORED) ?? "{}");
    const known = Object.entries(found).filter(([name, value]) => typeof value === typeof DEFAULTS[name]);
    return Object.fromEntries(known);
  } catch {
    return {};
  }
}
