// Sliders, one picture in large and the table of all pictures, of the Evaluation page (picture_board.py).
//
// A slider is answered here at once, and sends its value while it moves: the next one as soon as the last one was
// answered by the page, which matches for everything that is below.

import { mountedOnce, sheetLinks } from "../components/mounting.js";
import { addViewButtons } from "../components/picture/view_buttons.js";
import { PictureView } from "../components/picture/picture_view.js";
import { heightBelow, whenResized } from "../inspect/arrangement.js";
import { make } from "../inspect/drawing_bar.js";
import { loadTable, NOT_LOADED } from "../inspect/table_loading.js";
import { untilLinkIsFollowed } from "../shell/page_links.js";
import { PictureTable } from "./picture_table.js";
import { localMatches, matchTables } from "./local_matches.js";
import { drawnObjects, itemOf } from "./matched_shapes.js";

const UNANSWERED = 1500; // ms after which a slider sends again without an answer
const STACKED = 900; // CSS px of width below which the table is below the picture
const LEAST = 400; // CSS px: the board is not made lower, the page scrolls instead
const BELOW = 96; // CSS px that stay free below it for the links and the choice of what follows
const CHIPS = { fn: "FN", fp: "FP", tp: "TP" };
const styleSheet = new URL("./picture_board.css", import.meta.url).href;

class PictureBoard {
  #stop = new AbortController();
  #loaded = { list: "", shapes: "" }; // addresses of what is shown
  #shapes = null;
  #tables = null; // for matching here
  #matched = null; // what was matched here, until the page has answered
  #sent = null; // JSON of the sliders that wait for an answer
  #sentAt = 0;
  #timer = 0;
  #reveal = null;
  #aimed = ""; // the picture that the camera was turned to
  #isAsGiven = false; // whether nobody has moved the camera since

  constructor(parentElement, component) {
    this.component = component;
    this.sliders = { score: component.data.score, iou: component.data.iou };
    this.root = make("div", "board");
    this.bar = make("div", "bar");
    this.bar.append(
      this.#slider("score", "Score from", 0, 1, 0.01, "Detections below this score count as not found at all."),
      this.#slider("iou", "IoU from", 0.05, 0.95, 0.05, "From this IoU on, a detection finds an object of its class."),
    );
    this.table = new PictureTable();
    this.bar.append(this.table.filters);
    this.pane = this.#makePane();
    this.parts = make("div", "parts");
    this.parts.append(this.pane, this.table.root);
    this.root.append(...sheetLinks([styleSheet], () => this.#arrange()), this.bar, this.parts);
    parentElement.querySelector("div").append(this.root);
    this.buttons = addViewButtons(this.view, { root: this.pane });
    this.view.addEventListener("resize", () => {
      const { focus } = this.component.data;
      if (this.#isAsGiven && focus) showPart(this.view.camera, focus, this.view.picture);
    });
    for (const name of ["pointerdown", "wheel", "keydown"]) {
      this.pane.addEventListener(name, () => (this.#isAsGiven = false), { capture: true, passive: true });
    }
    this.view.addEventListener("select", ({ detail }) => this.#select(detail.ids.at(-1) ?? null));
    this.table.addEventListener("open", ({ detail }) => this.#open(detail.place));
    whenResized(this.root, () => this.#arrange(), this.#stop.signal);
  }

  /** Take over the data of a script run. */
  update(component, isFirst) {
    this.component = component;
    const { data } = component;
    this.#answered(data);
    this.#load("list", `${data.base}/list`, (list) => {
      this.#tables = matchTables(list.tables);
      this.table.setList(list, data.base);
    });
    if (JSON.stringify(this.sliders) === JSON.stringify({ score: data.score, iou: data.iou })) this.#matched = null;
    else this.#matchHere();
    this.table.update(this.#data);
    this.view.setPicture(data.picture);
    this.view.element.setAttribute("aria-label", `${data.picture?.name ?? ""} with what is right and wrong`);
    if (data.message) this.view.showMessage(data.message);
    this.#aim(data);
    this.#load("shapes", `${data.base}/shapes/${data.place}`, (shapes) => {
      this.#shapes = shapes;
      this.#drawObjects();
    });
    this.#drawObjects();
    this.#writeWords();
    if (!isFirst && this.#reveal !== data.reveal) this.#scrollHere();
    this.#reveal = data.reveal;
    this.#arrange();
  }

  destroy() {
    this.#stop.abort();
    clearTimeout(this.#timer);
    this.table.destroy();
    this.buttons.destroy();
    this.view.destroy();
    this.root.remove();
  }

  // Parts

  #slider(name, label, min, max, step, title) {
    const group = make("label", "group slider"), input = make("input"), output = make("output");
    group.title = title;
    Object.assign(input, { type: "range", min, max, step, name, value: this.sliders[name] });
    input.setAttribute("aria-label", label);
    const write = () => (output.textContent = this.sliders[name].toFixed(2));
    input.oninput = () => {
      this.sliders[name] = Math.round(input.valueAsNumber * 100) / 100;
      write();
      this.#matchHere();
      this.#sendSliders();
    };
    write();
    group.append(make("span", "words", label), input, output);
    (this.inputs ??= {})[name] = { input, write };
    return group;
  }

  #makePane() {
    const pane = make("section", "pane"), head = make("div", "head");
    this.name = make("span", "name");
    this.rank = make("span", "rank");
    const steps = make("span", "segments");
    this.steps = {};
    for (const [step, text, title] of [
      ["worst", "Worst", "The picture with the lowest F1"],
      ["median", "Median", "The picture in the middle of the order"],
      ["best", "Best", "The picture with the highest F1"],
      ["previous", "‹", "The next worse picture"],
      ["next", "›", "The next better picture"],
    ]) {
      const button = make("button", "", text);
      Object.assign(button, { type: "button", title });
      button.dataset.step = step;
      button.onclick = () => this.#step(step);
      steps.append((this.steps[step] = button));
    }
    const about = make("span", "about");
    about.append(this.name, this.rank);
    head.append(steps, about);
    this.sentence = make("div", "sentence");
    this.sentence.setAttribute("aria-live", "polite");
    const holder = make("div", "holder");
    this.view = new PictureView(holder, { label: "Picture" });
    pane.append(head, this.sentence, holder);
    return pane;
  }

  // What is sent

  #sendSliders() {
    const text = JSON.stringify(this.sliders), waited = performance.now() - this.#sentAt;
    clearTimeout(this.#timer);
    const wait = untilLinkIsFollowed();
    if (wait || (this.#sent !== null && waited < UNANSWERED)) {
      this.#timer = setTimeout(() => this.#sendSliders(), wait || UNANSWERED - waited);
      return;
    }
    this.#sent = text;
    this.#sentAt = performance.now();
    this.component.setStateValue("sliders", { ...this.sliders });
  }

  /** Match at the sliders, which the page has not answered yet. */
  #matchHere() {
    const { base, place } = this.component.data, start = performance.now();
    if (!this.#tables || this.#loaded.list !== `${base}/list`) return;
    this.#matched = { ...localMatches(this.#tables, this.sliders.score, this.sliders.iou, place), place };
    this.table.update(this.#data);
    this.#drawObjects();
    this.root.dataset.matched = String(Math.round(performance.now() - start));
  }

  /** The data of the page, with what the sliders have changed since. */
  get #data() {
    const { data } = this.component;
    return this.#matched?.place === data.place ? { ...data, ...this.#matched } : data;
  }

  /** Take over the sliders of the page, or send the next values if they have moved on. */
  #answered(data) {
    const page = { score: data.score, iou: data.iou };
    if (this.#sent === JSON.stringify(page)) {
      this.root.dataset.answered = String(Math.round(performance.now() - this.#sentAt));
      this.#sent = null;
      if (JSON.stringify(this.sliders) !== JSON.stringify(page)) this.#sendSliders();
    } else if (this.#sent === null) {
      this.sliders = page;
    }
    for (const [name, { input, write }] of Object.entries(this.inputs)) {
      if (input.valueAsNumber !== this.sliders[name]) input.value = this.sliders[name];
      write();
    }
  }

  #open(place, item = null) {
    if (!untilLinkIsFollowed()) this.component.setTriggerValue("opened", { place, item });
  }

  #select(id) {
    const { data } = this.component, item = id === null ? null : itemOf(id, this.#shapes);
    if (item !== data.selected) this.#open(data.place, item);
  }

  #step(step) {
    const { order, place } = this.#data, at = order.indexOf(place);
    const goal = {
      worst: 0, median: (order.length - 1) >> 1, best: order.length - 1, previous: at - 1, next: at + 1,
    }[step];
    this.#open(order[(goal + order.length) % order.length]);
  }

  // What is shown

  async #load(what, address, use) {
    if (this.#loaded[what] === address) return;
    this.#loaded[what] = address;
    if (what === "shapes") this.#shapes = null;
    else this.#tables = this.#matched = null;
    const content = await loadTable(address, this.#stop.signal);
    if (content === undefined || this.#loaded[what] !== address) return;
    if (content) {
      use(content);
    } else {
      this.#loaded[what] = "";
      this.view.showMessage(NOT_LOADED);
    }
  }

  #drawObjects() {
    const data = this.#data;
    this.view.setObjects(drawnObjects(this.#shapes, data));
    const { display } = this.view;
    Object.assign(display, { boxes: data.measure === "box", opacity: data.measure === "box" ? 0.12 : 0.3 });
    this.view.redraw();
    const selected = this.view.objects.find(({ id }) => itemOf(id, this.#shapes) === data.selected);
    this.view.setSelected(selected ? [selected.id] : []);
    this.root.dataset.drawn = JSON.stringify({
      picture: data.picture?.name ?? "",
      objects: this.#shapes ? data.objects : null,
      detections: this.#shapes ? data.detections : null,
      selected: data.selected,
    });
  }

  /** Show what is wrong in another picture, or what was selected further down on the page. */
  #aim({ base, place, focus, reveal }) {
    const isOther = this.#aimed !== `${base} ${place}`;
    if (!isOther && this.#reveal === reveal) return;
    this.#aimed = `${base} ${place}`;
    this.#isAsGiven = true;
    if (focus) showPart(this.view.camera, focus, this.view.picture);
    else if (isOther) this.view.camera.fit();
  }

  #writeWords() {
    const { data } = this.component, at = data.order.indexOf(data.place);
    this.name.textContent = data.picture?.name ?? "";
    this.name.title = data.picture?.name ?? "";
    this.rank.textContent = ` · ${at + 1} of ${data.order.length}, worst first`;
    this.rank.title = data.definitions.why;
    this.sentence.replaceChildren(...data.sentence.map(({ status, text }) => {
      const clause = make("span", "clause"), chip = make("b", `chip ${data.looks[status].style}`, CHIPS[status]);
      chip.style.setProperty("--colour", data.looks[status].colour);
      clause.append(chip, make("span", "", text));
      return clause;
    }));
    const goals = { worst: 0, median: (data.order.length - 1) >> 1, best: data.order.length - 1 };
    for (const [step, goal] of Object.entries(goals)) {
      this.steps[step].setAttribute("aria-pressed", String(goal === at));
    }
  }

  #scrollHere() {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.root.scrollIntoView({ block: "start", behavior: still ? "auto" : "smooth" });
  }

  /** Give the board the height that the window has. */
  #arrange() {
    if (this.#stop.signal.aborted || !this.root.isConnected) return;
    const free = heightBelow(this.root, this.parts) - BELOW;
    const isStacked = this.parts.getBoundingClientRect().width < STACKED;
    this.parts.classList.toggle("stacked", isStacked);
    this.parts.style.height = `${Math.max(LEAST, free) + (isStacked ? 340 : 0)}px`;
  }
}

export default mountedOnce(PictureBoard);

/** Show a box of the picture and what is around it, but nothing beside the picture where there is more of it. */
function showPart(camera, box, picture) {
  if (!picture) return;
  camera.showBox(box);
  const [x, y] = camera.origin;
  camera.panBy(
    outside(x, picture.width * camera.scale, camera.width), outside(y, picture.height * camera.scale, camera.height),
  );
}

/** How far a side that starts at `start` and is `length` long has to move to fill `room`, or to be in its middle. */
function outside(start, length, room) {
  if (length <= room) return (room - length) / 2 - start;
  return Math.min(0, Math.max(start, room - length)) - start;
}
