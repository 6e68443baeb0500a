// The pictures of the Compare page with their controls (compare_pictures.py): what two epochs found in one picture.
//
// Objects, detections and their IoUs are loaded once for a picture. Score, IoU, colours and parts of objects are
// answered here; the page is told score and IoU after their slider was let go, since its tables depend on them.

import { mountedOnce, sheetLinks } from "../components/mounting.js";
import { addViewButtons } from "../components/picture/view_buttons.js";
import { arrange, headingHeight, whenResized } from "../inspect/arrangement.js";
import { DrawingBar, make } from "../inspect/drawing_bar.js";
import { largerFirst, shapeOf } from "../inspect/drawn_objects.js";
import { counted, detectionWords, objectWords } from "../inspect/match_words.js";
import { legendChip } from "../inspect/picture_side.js";
import { restored, store } from "../inspect/stored_choices.js";
import { loadTable, NOT_LOADED } from "../inspect/table_loading.js";
import { listenToKeys } from "../shell/browser_keys.js";
import { LateTeller } from "../shell/late_teller.js";
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
const DEFAULTS = {
  view: PAIR, colour: "match", fill: true, masks: true, boxes: false, keypoints: true, labels: true, part: 50,
};
const SHEETS = ["../inspect/prediction_pictures.css", "./compare_pictures.css"]
  .map((file) => new URL(file, import.meta.url).href);

class ComparePictures {
  #stop = new AbortController();
  #loading = null;
  #later = new LateTeller((name, value) => this.component.setStateValue(name, value));
  #table = null;
  #matches = null; // of `compared`
  #hovered = null; // {object, a, b}: places in the table
  #shapes = "";
  #focus = null; // serial of the object that was shown magnified

  constructor(parentElement, component) {
    this.component = component;
    const { data } = component, { signal } = this.#stop;
    this.choices = { ...DEFAULTS, ...restored(STORED, DEFAULTS), score: data.score, iou: data.iou };
    this.root = make("div", "predictions compare");
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
    this.root.append(...sheetLinks(SHEETS, () => this.#arrange()), this.barHolder, this.sides);
    parentElement.querySelector("div").append(this.root);
    for (const side of this.all) {
      side.buttons = addViewButtons(side.view, { root: this.root });
      side.view.addEventListener("hover", ({ detail }) => this.#hover(side, detail.id));
      side.view.addEventListener("select", ({ detail }) => this.#hover(side, detail.ids.at(-1) ?? null));
    }
    listenToKeys({ l: () => this.#changeView() }, signal);
    whenResized(this.root, () => this.#arrange(), signal);
  }

  get all() {
    return [this.truth, this.a, this.b];
  }

  /** Take over the data of a script run. */
  update(component, isFirst) {
    const before = this.component.data;
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
  }

  destroy() {
    this.#stop.abort();
    this.#loading?.abort();
    this.#later.stop();
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
    this.bar.addEventListener("released", ({ detail: { name } }) => {
      this.#later.tell(name, this.choices[name], this.component.data[name]);
    });
  }

  /** Show the object that the page asks for, once: magnified, and in sight, since its crop is far below. */
  #showFocus() {
    const { focus } = this.component.data;
    if (!focus || focus.serial === this.#focus) return;
    this.#focus = focus.serial;
    this.b.view.camera.showBox(focus.box);
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.root.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
  }

  // Contents

  /** Load objects and detections. Old ones of another picture are taken away at once, those of an epoch at the end. */
  async #load(isOtherPicture) {
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    if (isOtherPicture) this.#use(null);
    const table = await loadTable(this.component.data.table, loading.signal);
    if (table === undefined) return;
    this.#use(table);
    if (!table) for (const side of this.all) side.say(NOT_LOADED);
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

  /** Store the choices without score and IoU, which the page keeps. */
  #store() {
    const { score: _, iou: __, ...kept } = this.choices;
    store(STORED, kept);
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
      id: `${isObject ? "object" : "found"}-${place}`, side, isObject, place,
      ...shapeOf(entry, this.#masks, limbs),
    }));
    const table = this.#table;
    this.truth.view.setObjects(objects(table?.objects, "truth", true).sort(largerFirst));
    for (const side of [this.a, this.b]) {
      const found = objects(table?.[side.letter].detections, side.letter, false);
      side.view.setObjects([...objects(table?.objects, side.letter, true), ...found].sort(largerFirst));
    }
  }

  #writeHeadings() {
    const { choices } = this, matches = this.#matches, { looks, colours } = this.component.data;
    this.truth.count.textContent = matches ? ` · ${counted(matches.objects, "object")}` : "";
    const ofSides = { both: looks.tp, onlyA: { colour: colours.a, style: "solid" },
      onlyB: { colour: colours.b, style: "solid" }, none: looks.fn };
    this.truth.legend.replaceChildren(...Object.entries(TRUTH_LEGEND).map(([status, { words, means }]) =>
      legendChip(status, ofSides[status], matches?.counts[status], { words, means }, choices.colour === "class")));
    for (const side of [this.a, this.b]) {
      const found = matches?.[side.letter];
      side.count.textContent = found ? ` · ${counted(found.detections.length, "detection")}` : "";
      side.writeLegend(["tp", "fp", "fn"], found, choices, this.component.data);
    }
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

  /** Change between two pictures and one with a line. */
  #changeView() {
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
    arrange(this.root, this.sides, {
      headings: this.all.map((side) => side.heading),
      aspect: this.component.data.aspect,
      pictures: { [PAIR]: 2, [THREE]: 3, [SWIPE]: 1 }[view],
      kept: 10,
    });
    this.line.root.style.top = `${headingHeight([this.a.heading])}px`;
  }
}

export default mountedOnce(ComparePictures);
