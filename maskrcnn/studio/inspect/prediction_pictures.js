// The two pictures of the Predictions page, ground truth and prediction, with their controls (prediction_pictures.py).
//
// Objects and detections of a picture and their IoUs are loaded once. Score, IoU, colours, parts of objects and the
// panels below are answered here; the page is only told the minimum score and the IoU, after a slider was let go, a
// missed object that was clicked, and what a button of the panels asks for.

import { mountedOnce, sheetLinks } from "../components/mounting.js";
import { addViewButtons } from "../components/picture/view_buttons.js";
import { listenToKeys } from "../shell/browser_keys.js";
import { LateTeller } from "../shell/late_teller.js";
import { BOTH, DrawingBar, FOUND, TRUTH, make } from "./drawing_bar.js";
import { arrange, whenResized } from "./arrangement.js";
import { displayOf, viewObjects } from "./drawn_objects.js";
import { matchPicture } from "./matching.js";
import { counted, decimalsBelow, detectionWords, objectWords } from "./match_words.js";
import { PanelsBelow } from "./panels/panels_below.js";
import { scrollToKey } from "./panels/scroll_to.js";
import { PictureSide } from "./picture_side.js";
import { restored, store } from "./stored_choices.js";
import { loadTable, NOT_LOADED } from "./table_loading.js";

const STORED = "maskrcnn-predictions"; // key of the choices in the session storage of the tab
const DEFAULTS = {
  view: BOTH, score: 0.5, iou: 0.5, colour: "match",
  masks: true, boxes: true, keypoints: true, labels: true, fill: true,
  showStory: false, showInstances: false, showAp: false,
};
const SHEETS = ["./prediction_pictures.css", "./panels/panels.css"]
  .map((file) => new URL(file, import.meta.url).href);

/** Whether all pictures of a panel are there, and the button at its end. */
const isDrawn = (panel) =>
  panel.querySelector("button") && [...panel.querySelectorAll("img")].every((one) => one.complete);

class PredictionPictures {
  #stop = new AbortController();
  #loading = null;
  #later = new LateTeller((name, value) => this.component.setStateValue(name, value));
  #matches = null; // at the sliders' score and IoU
  #ranked = null; // of all detections, whatever their score
  #table = null;
  #selected = { truth: null, found: null };
  #about = null; // {side, place} of the one of these two that was clicked
  #hovered = { truth: null, found: null };
  #peeked = null; // id of what a panel shows although it is not drawn
  #focused = null; // what the URL asked to select, once it was selected
  #shapes = "";

  constructor(parentElement, component) {
    this.component = component;
    const { data } = component, { signal } = this.#stop;
    this.choices = { ...DEFAULTS, iou: data.iou, ...restored(STORED, DEFAULTS), score: data.score };
    this.root = make("div", "predictions");
    this.truth = new PictureSide("truth", "Ground truth");
    this.found = new PictureSide("found", "Prediction");
    this.below = new PanelsBelow(this.choices);
    this.sides = make("div", "sides");
    this.sides.append(this.truth.root, this.found.root);
    this.barHolder = make("div", "top");
    this.root.append(...sheetLinks(SHEETS, () => this.#arrange()), this.barHolder, this.sides, this.below.root);
    parentElement.querySelector("div").append(this.root);
    for (const [name, side] of [["truth", this.truth], ["found", this.found]]) {
      side.buttons = addViewButtons(side.view, { root: this.root });
      side.view.addEventListener("hover", ({ detail }) => this.#hover(name, detail.id));
      side.view.addEventListener("select", ({ detail }) => this.#select(name, detail.ids.at(-1) ?? null));
    }
    this.#listenToPanels();
    listenToKeys(this.#keys, signal);
    whenResized(this.root, () => this.#arrange(), signal);
  }

  /** Take over the data of a script run. */
  update(component, isFirst) {
    const before = this.component.data;
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
    if (isFirst) this.#later.tell("iou", this.choices.iou, data.iou);
    else this.#focus();
  }

  destroy() {
    this.#stop.abort();
    this.#loading?.abort();
    this.#later.stop();
    for (const { buttons, view } of [this.truth, this.found]) {
      buttons.destroy();
      view.destroy();
    }
    this.root.remove();
  }

  #makeBar() {
    const { drawable, measure } = this.component.data;
    this.bar?.root.remove();
    this.bar = new DrawingBar(this.barHolder, this.choices, [...drawable, "fill"], measure);
    this.bar.addEventListener("change", ({ detail }) => this.#chosen(detail.name));
    this.bar.addEventListener("released", ({ detail }) => {
      const { name } = detail;
      this.#later.tell(name, this.choices[name], this.component.data[name]);
    });
  }

  #listenToPanels() {
    const { below } = this;
    below.addEventListener("size", () => {
      store(STORED, this.choices);
      this.#arrange();
    });
    below.addEventListener("drawn", () => this.#draw());
    below.addEventListener("hover", ({ detail: { side, place } }) => {
      this.#hover(side, place === null ? null : `${side}-${place}`, true);
    });
    below.addEventListener("select", ({ detail: { side, place } }) => this.#select(side, `${side}-${place}`));
    below.addEventListener("do", ({ detail }) => this.#do(detail.action));
  }

  // Contents

  /** Load objects and detections. Old ones of another picture are taken away at once, those of an epoch at the end. */
  async #load(isOtherPicture) {
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    this.#selected = { truth: null, found: null };
    this.#about = null;
    for (const id of this.below.instances.off) {
      if (isOtherPicture || id.startsWith("found")) this.below.instances.off.delete(id);
    }
    if (isOtherPicture) this.#use(null);
    const table = await loadTable(this.component.data.table, loading.signal);
    if (table === undefined) return;
    this.#use(table);
    if (!table) for (const side of [this.truth, this.found]) side.say(NOT_LOADED);
    this.#focus();
  }

  /** Select what the URL asks for, once. */
  #focus() {
    const { focus } = this.component.data;
    if (!this.#table || !focus || focus === this.#focused) return;
    const [, side, key] = /^(truth|found):(.*)$/.exec(focus) ?? [];
    const entries = side === "truth" ? this.#table.objects : this.#table.detections;
    const place = entries.findIndex((entry) => String(side === "truth" ? entry.id : entry.position) === key);
    if (place < 0) return;
    this.#focused = focus;
    this.#select(side, `${side}-${place}`);
    this.below.strip.open("showStory");
  }

  #use(table) {
    this.#table = table;
    this.#hovered = { truth: null, found: null };
    this.#peeked = null;
    this.#shapes = "";
    this.#draw();
  }

  #chosen(name) {
    store(STORED, this.choices);
    if (name === "view") this.#arrange();
    this.#draw();
  }

  // Drawing

  /** Match again, and draw both sides. */
  #draw() {
    const table = this.#table, { choices } = this;
    this.#matches = table && matchPicture(table, choices.score, choices.iou);
    this.#ranked = table && matchPicture(table, -Infinity, choices.iou);
    this.#makeObjects();
    const { data } = this.component;
    const display = displayOf(choices, this.#masks, data, (object) => this.#match(object)?.status ?? "ignored");
    display.filter = (object) => object.id === this.#peeked || this.#isDrawn(object);
    for (const { view } of [this.truth, this.found]) {
      Object.assign(view.display, display);
      view.redraw();
    }
    const about = this.#about;
    if (about) this.#selected = this.#pair(about.side, `${about.side}-${about.place}`);
    this.#writeHeadings();
    this.below.update(table, this.#matches, choices, data);
    this.below.select(this.#about, table, this.#matches, choices, data);
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

  /** Whether it is at or above the minimum score and not switched off. */
  #isDrawn(object) {
    return this.#match(object) !== undefined && this.below.isOn(object.id);
  }

  #match(object) {
    return object.side === "truth" ? this.#matches?.objects[object.place] : this.#matches?.detections[object.place];
  }

  /** Give both views their objects, unless they have them. */
  #makeObjects() {
    const shapes = String(this.#masks);
    if (this.#shapes === shapes) return;
    this.#shapes = shapes;
    const { limbs } = this.component.data;
    this.truth.view.setObjects(viewObjects(this.#table?.objects, "truth", this.#masks, limbs));
    this.found.view.setObjects(viewObjects(this.#table?.detections, "found", this.#masks, limbs));
  }

  #writeHeadings() {
    const { choices } = this, matches = this.#matches, isBoth = choices.view === BOTH;
    const objects = matches?.objects.filter(({ status }) => status !== "ignored").length;
    this.truth.count.textContent = matches ? ` · ${counted(objects, "object")}` : "";
    this.found.count.textContent = matches ? ` · ${counted(matches.detections.length, "detection")}` : "";
    this.truth.writeLegend(isBoth ? ["tp", "fn"] : ["tp", "fp", "fn"], matches, choices, this.component.data);
    this.found.writeLegend(isBoth ? ["tp", "fp"] : ["tp", "fp", "fn"], matches, choices, this.component.data);
  }

  // What is under the pointer, and what is selected

  #hover(side, id, isFromPanel = false) {
    this.#hovered = this.#pair(side, id);
    const object = this.#hovered[side];
    this.#peeked = isFromPanel && object && !this.#isDrawn(object) ? object.id : null;
    this.#emphasize(!isFromPanel);
  }

  #select(side, id) {
    this.#selected = this.#pair(side, id);
    this.#about = this.#selected[side] && { side, place: this.#selected[side].place };
    this.#emphasize();
    this.below.select(this.#about, this.#table, this.#matches, this.choices, this.component.data);
    const { data } = this.component, { truth } = this.#selected;
    const isMissed = truth && this.#match(truth)?.status === "fn";
    if (!data.asks || (!isMissed && data.selected === null)) return;
    const told = isMissed ? `${data.image} ${this.#table.objects[truth.place].id}` : null;
    this.#later.tell("selected", told, data.selected);
  }

  /** An object or detection with its partner: {truth, found}. One below the minimum score has that of the ranking. */
  #pair(side, id) {
    const object = id === null ? null : (this[side].view.object(id) ?? null);
    const other = side === "truth" ? "found" : "truth";
    const match = object && (this.#match(object) ?? this.#ranked?.detections[object.place]);
    return { [side]: object, [other]: this[other].view.object(`${other}-${match?.partner}`) ?? null };
  }

  /** What a button or a key asks for the selected one. */
  #do(action) {
    const about = this.#about, { data } = this.component;
    if (action === "only") {
      const { focused } = this.below.instances;
      const ids = focused ? [focused] : Object.values(this.#selected).filter(Boolean).map(({ id }) => id);
      if (ids.length) this.below.instances.only(ids);
      return;
    }
    if (!about || (action === "editor" && data.editor.says)) return;
    const { side, place } = about, { objects, detections } = this.#table;
    const key = `${side}:${side === "truth" ? objects[place].id : detections[place].position}`;
    this.component.setTriggerValue("asked", { action, image: data.image, object: key });
    if (action !== "soft") return;
    scrollToKey("soft_mask_panel", this.#stop.signal, isDrawn);
  }

  #emphasize(scrolls = false) {
    const { choices } = this, table = this.#table, matches = this.#matches;
    const isHovered = this.#hovered.truth || this.#hovered.found;
    this.below.highlight(isHovered ? this.#hovered : this.#selected, scrolls);
    for (const [name, side] of [["truth", this.truth], ["found", this.found]]) {
      const hovered = this.#hovered[name], selected = this.#selected[name];
      side.view.setHovered(hovered?.id ?? null);
      if (side.view.selected.size || selected) side.view.setSelected(selected ? [selected.id] : []);
      const about = hovered ?? (isHovered ? null : selected);
      if (about && matches) {
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

  #keys = {
    l: () => {
      this.choices.view = this.choices.view === BOTH ? FOUND : BOTH;
      this.bar.paint();
      this.#chosen("view");
    },
    o: () => this.#do("only"),
    e: () => this.#do("editor"),
    w: () => this.below.strip.toggle("showStory"),
  };

  // Size

  /** Place the sides, and give them the height that the window has. */
  #arrange() {
    if (this.#stop.signal.aborted || !this.root.isConnected) return;
    const { view } = this.choices;
    this.truth.show(view !== FOUND);
    this.found.show(view !== TRUTH);
    arrange(this.root, this.sides, {
      headings: [this.truth.heading, this.found.heading],
      aspect: this.component.data.aspect,
      pictures: view === BOTH ? 2 : 1,
      kept: 10 + this.below.strip.height,
    });
  }
}

export default mountedOnce(PredictionPictures);
