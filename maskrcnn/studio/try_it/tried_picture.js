// The picture of the Try it page, with what a network found in it and controls that answer at once (tried_picture.py).
//
// The candidates of the picture are loaded once. They are selected, outlined and measured here. The page is told the
// selection a moment after a slider was let go, and the line of known length.

import { mountedOnce, sheetLinks } from "../components/mounting.js";
import { PictureView } from "../components/picture/picture_view.js";
import { addViewButtons, floatingButton } from "../components/picture/view_buttons.js";
import { whenResized } from "../inspect/arrangement.js";
import { make } from "../inspect/drawing_bar.js";
import { largerFirst } from "../inspect/drawn_objects.js";
import { decimalsBelow } from "../inspect/match_words.js";
import { restored, store } from "../inspect/stored_choices.js";
import { listenToKeys } from "../shell/browser_keys.js";
import { LateTeller } from "../shell/late_teller.js";
import { loadCandidates } from "./candidate_table.js";
import { MeasuringLine } from "./measuring_line.js";
import { lengthText, lineLength, PIXELS, scaleOf } from "./object_measures.js";
import { ControlPanel } from "./panel/control_panel.js";
import { arrangeParts } from "./panel/placing.js";
import { SelectionState } from "./panel/selection_state.js";
import { keptCandidates } from "./selecting.js";
import { SelectedObjects } from "./selected_objects.js";

const STORED = "maskrcnn-try-it"; // key of the choices in the session storage of the tab
const DEFAULTS = { masks: true, boxes: false, keypoints: true, labels: true, opacity: 0.35, panel: true, unit: "mm" };
const CONTROLS = "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4"; // an icon, drawn in lines
const SHEET = new URL("./tried_picture.css", import.meta.url).href;

class TriedPicture {
  #stop = new AbortController();
  #loading = null;
  #later = new LateTeller((name, value) => this.component.setStateValue(name, value));
  #candidates = null;
  #objects = new SelectedObjects();
  #kept = []; // places of the candidates that are selected
  #frame = 0;
  #hovered = null; // place of the candidate under the pointer
  #selected = null;
  #failure = "";
  #length;

  constructor(parentElement, component) {
    this.component = component;
    const { data } = component, { signal } = this.#stop;
    this.choices = { ...DEFAULTS, ...restored(STORED, DEFAULTS) };
    this.selection = new SelectionState(data.selection);
    this.root = make("div", "tried");
    this.stage = make("div", "stage");
    this.line = make("div", "line");
    this.line.setAttribute("aria-live", "polite");
    this.view = new PictureView(this.stage, { label: data.says });
    this.stage.append(this.line);
    this.ruler = new MeasuringLine(this.view, (line) => this.#lineWords(line), signal);
    this.panelHolder = make("div", "panel-holder");
    this.root.append(...sheetLinks([SHEET], () => this.#arrange()), this.stage, this.panelHolder);
    parentElement.querySelector("div").append(this.root);
    const controls = floatingButton("Controls beside the picture (l)", CONTROLS, () => this.#keys.l());
    this.buttons = addViewButtons(this.view, { root: this.root, extra: [controls] });
    this.view.addEventListener("hover", ({ detail }) => this.#hover(detail.id, true));
    this.view.addEventListener("select", ({ detail }) => this.#select(detail.ids.at(-1) ?? null));
    this.#listenToRuler();
    listenToKeys(this.#keys, signal);
    whenResized(this.root, () => this.#arrange(), signal);
  }

  /** Take over the data of a script run. */
  update(component, isFirst) {
    const before = this.component.data;
    this.component = component;
    const { data } = component;
    const ofPanel = ({ classes, stops, finds, units }) => JSON.stringify([classes, stops, finds, units]);
    const isOther = isFirst || before.candidates !== data.candidates;
    if (isFirst || ofPanel(before) !== ofPanel(data)) this.#makePanel();
    this.view.setPicture(data.picture);
    this.view.element.setAttribute("aria-label", data.says);
    this.selection.takeOver(data.selection);
    if (isOther) this.#begin();
    this.#draw();
    this.#arrange();
  }

  destroy() {
    cancelAnimationFrame(this.#frame);
    this.#stop.abort();
    this.#loading?.abort();
    this.#later.stop();
    this.buttons.destroy();
    this.view.destroy();
    this.root.remove();
  }

  #makePanel() {
    const panel = (this.panel = new ControlPanel(this.component.data, this.choices));
    this.panelHolder.replaceChildren(panel.root);
    panel.addEventListener("change", () => this.#drawSoon());
    panel.addEventListener("released", () => this.#tellSelection());
    panel.addEventListener("reset", () => {
      this.selection.replace(this.component.data.own);
      this.#tellSelection();
      this.#draw();
    });
    panel.addEventListener("drawn", () => this.#chosen());
    panel.objects.addEventListener("hover", ({ detail }) => this.#hover(detail.place, false));
    panel.objects.addEventListener("select", ({ detail }) => this.#select(detail.place));
    panel.objects.addEventListener("zoom", ({ detail }) => {
      this.view.camera.showBox(this.#objects.of(detail.place).box);
    });
    panel.length.addEventListener("draw", () => this.#keys.m());
    panel.length.addEventListener("change", () => this.#lengthChanged());
    panel.length.addEventListener("remove", () => {
      Object.assign(this.#length, { line: null, value: null });
      this.#lengthChanged();
    });
  }

  // Contents

  /** Begin with another picture: its objects are loaded, those of the picture before are taken away. */
  async #begin() {
    const { data } = this.component;
    this.#loading?.abort();
    const loading = (this.#loading = new AbortController());
    this.#candidates = null;
    this.#hovered = this.#selected = null;
    this.#failure = "";
    this.panel.objects.clear();
    this.ruler.setDrawing(false);
    this.#length = { line: null, value: null, unit: this.choices.unit, shared: true, ...data.length };
    this.ruler.setLine(this.#length.line);
    try {
      const found = await loadCandidates(data.candidates, loading.signal);
      if (found === undefined) return;
      this.#candidates = found;
    } catch (error) {
      this.#failure = error.message;
    }
    this.#draw();
  }

  #chosen() {
    store(STORED, this.choices);
    this.#draw();
    this.#arrange();
  }

  // Drawing

  #drawSoon() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** Select, and show all. */
  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const candidates = this.#candidates, { choices } = this, { data } = this.component;
    const selection = this.selection.current, isOwn = this.selection.is(data.own);
    this.#kept = candidates ? keptCandidates(candidates, selection) : [];
    this.#objects.use(candidates, selection.mask_threshold, choices.masks && data.finds.includes("masks"), data);
    const shown = this.#kept.map((place) => this.#objects.of(place));
    if (!this.#kept.includes(this.#selected)) this.#selected = null;
    if (!this.#kept.includes(this.#hovered)) this.#hovered = null;
    this.view.setObjects([...shown].sort(largerFirst));
    this.#display();
    const rows = this.#kept.map((place) => this.#objects.row(place, this.scale));
    this.panel.show(selection, isOwn);
    this.panel.update(candidates && rows, this.#allScores());
    this.#showLength();
    this.#mark(false);
    this.#writeState(rows);
  }

  /** How objects are drawn; all is drawn again only if that has changed. */
  #display() {
    const { masks, boxes, keypoints, labels, opacity } = this.choices;
    const hasOutlines = boxes || (masks && this.component.data.finds.includes("masks"));
    const display = { outlines: hasOutlines, fills: hasOutlines && opacity > 0, opacity, boxes, keypoints, labels };
    const isOther = Object.entries(display).some(([name, value]) => this.view.display[name] !== value);
    Object.assign(this.view.display, display);
    if (isOther) this.view.redraw();
  }

  /** The scores of the candidates of each label that the selection keeps at any score, and of any class. */
  #allScores() {
    const scores = new Map(), candidates = this.#candidates;
    if (!candidates) return scores;
    const all = { ...this.selection.current, min_score: 0, most: Infinity, classes: null };
    for (const place of keptCandidates(candidates, all)) {
      const label = candidates.labels[place];
      if (!scores.has(label)) scores.set(label, []);
      scores.get(label).push(candidates.scores[place]);
    }
    return scores;
  }

  /** For tests: what is shown. */
  #writeState(rows) {
    this.root.dataset.drawn = JSON.stringify({
      picture: this.component.data.picture.name,
      kept: this.#candidates && this.#kept,
      areas: rows.map(({ area }) => Math.round(area * 10) / 10),
      selection: this.selection.current,
    });
  }

  // What is under the pointer, and what is selected

  #hover(place, isFromPicture) {
    this.#hovered = place;
    this.#mark(isFromPicture);
  }

  #select(place) {
    this.#selected = place;
    this.#hovered = null; // with the keys, another one may be selected than that under the pointer
    this.#mark(true);
    const { data } = this.component;
    if (data.reports_selected) this.#later.tell("selected", this.#aboutPicture(place));
  }

  /** Mark it in the picture and in the list, and write what it is. */
  #mark(scrolls) {
    this.view.setHovered(this.#hovered);
    this.view.setSelected(this.#selected === null ? [] : [this.#selected]);
    this.panel.objects.mark(this.#selected, this.#hovered, scrolls);
    const place = this.#hovered ?? this.#selected;
    const text = place === null ? this.#emptyWords() : this.#objects.words(place, this.scale);
    this.line.textContent = text;
    this.line.hidden = !text;
  }

  /** Why no object is seen; "" if one is. */
  #emptyWords() {
    if (this.#failure || !this.#candidates || this.#kept.length) return this.#failure;
    const { min_score: score, classes } = this.selection.current, best = this.#candidates.scores[0];
    if (best === undefined) return "The network found nothing in this picture.";
    if (classes?.length === 0) return "No class is chosen.";
    if (best < score) return `The highest score here is ${decimalsBelow(best, score)}: move the slider down to see it.`;
    return "No candidate passes all sliders. “Reset” brings the network's own values back.";
  }

  #keys = {
    l: () => {
      this.choices.panel = !this.choices.panel;
      this.#chosen();
    },
    o: () => {
      const place = this.#selected ?? this.#hovered, { classes } = this.selection.current;
      if (place !== null) this.panel.classes.only(this.#candidates.labels[place]);
      else if (classes?.length === 1) this.panel.classes.only(classes[0]);
    },
    m: () => {
      this.ruler.setDrawing(!this.ruler.isDrawing);
      if (this.ruler.isDrawing) {
        this.view.element.focus({ preventScroll: true });
        this.stage.scrollIntoView({ block: "nearest" }); // on a phone the button is below the picture
      }
      this.#showLength();
    },
  };

  // The known length

  /** Length of a pixel and its unit. */
  get scale() {
    const { line, value } = this.#length;
    return line && value ? scaleOf(this.#length) : (this.component.data.scale ?? PIXELS);
  }

  #listenToRuler() {
    this.ruler.addEventListener("change", () => {
      this.#length.line = this.ruler.line;
      this.#drawSoon();
    });
    this.ruler.addEventListener("released", () => {
      if (this.#length.value === null) this.ruler.setDrawing(false);
      this.#lengthChanged();
      this.panel.length.ask();
    });
    this.ruler.addEventListener("leave", () => {
      this.ruler.setDrawing(false);
      this.#showLength();
    });
  }

  #showLength() {
    this.panel.length.show(this.#length, this.ruler.isDrawing, this.component.data.scale);
  }

  #lineWords(line) {
    const { value, unit } = this.#length;
    return value ? `${value} ${unit}` : lengthText(lineLength(line), PIXELS);
  }

  #lengthChanged() {
    const { line, value, unit, shared } = this.#length;
    this.ruler.setLine(line);
    this.choices.unit = unit;
    store(STORED, this.choices);
    this.#draw();
    this.#later.tell("length", this.#aboutPicture(line && value ? { line, value, unit, shared } : null));
  }

  // What the page is told

  #aboutPicture(value) {
    return { picture: this.component.data.candidates, value };
  }

  #tellSelection() {
    this.#later.tell("selection", this.selection.told());
    this.#draw();
  }

  #arrange() {
    if (this.#stop.signal.aborted || !this.root.isConnected) return;
    const { aspect, room_below } = this.component.data;
    arrangeParts(this, { aspect, kept: room_below, hasPanel: this.choices.panel });
  }
}

export default mountedOnce(TriedPicture);
