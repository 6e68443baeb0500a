// The panel beside the picture that tells what a link is about, and what a suspected label error is; with the keys.

import { element, iconButton } from "../frame/elements.js";
import { LinkedObject } from "./linked_object.js";
import { ReviewWalk } from "./review_walk.js";

const GROUP = "review";
const DECIDED = { keep: "the label is right", mend: "mended", add: "added" };
const PAGE_NAMES = { predictions: "Predictions", evaluation: "Evaluation", compare: "Compare" };

/**
 * The panel of an editor: `element` is its element, hidden on an ordinary visit. `take({object, review, back})` is
 * what the URL asks for. It adds its keys to the editor, so make it once, after the tools.
 */
export class ReviewPanel {
  constructor(editor) {
    this.editor = editor;
    this.linked = new LinkedObject(editor);
    this.walk = new ReviewWalk(editor, this.linked);
    this.link = {};
    this.taken = "{}";
    this.problem = null; // one line about a link that leads nowhere
    this.isAsking = false; // whether the outline or the class is to be mended
    this.build();
    this.addActions();
    for (const name of ["picture", "regions", "classes"]) editor.addEventListener(name, () => this.update());
    this.linked.addEventListener("change", () => this.update());
    this.walk.addEventListener("change", () => { this.isAsking = false; this.update(); });
    this.update();
  }

  build() {
    this.title = element("span", {});
    this.count = element("span", { class: "count", "data-review": "count" });
    this.words = element("p", { class: "review-words", "aria-live": "polite", "data-review": "words" });
    this.buttons = element("div", { class: "review-buttons" });
    const step = (name, label, key, by) => iconButton({
      name, label, key, "data-review": by > 0 ? "next" : "previous", onclick: () => this.walk.step(by),
    });
    this.steps = element(
      "div", { class: "review-steps" }, step("chevron_left", "The one before", "Shift + Page ↑", -1),
      step("chevron_right", "The next one", "Shift + Page ↓", 1),
    );
    this.element = element(
      "section", { class: "review", "aria-label": "Label review" },
      element("div", { class: "panel-title" }, this.title, this.count, this.steps), this.words, this.buttons,
      element("link", { rel: "stylesheet", href: new URL("./review.css", import.meta.url).href }),
    );
  }

  /** Take what the URL asks for. The same again is nothing new. */
  take(link = {}) {
    const told = JSON.stringify(link);
    if (told === this.taken) return;
    const { object, review } = this.link;
    this.taken = told;
    this.link = link;
    if (link.review !== review || link.object !== object) this.start();
    this.update();
  }

  start() {
    const { object, review } = this.link;
    this.walk.stop();
    this.linked.show(null);
    this.problem = null;
    this.isAsking = false;
    if (review) this.walk.start(review);
    else if (object) this.load(object);
  }

  async load(object) {
    try {
      const answer = await this.editor.server.get(`review/object?object=${encodeURIComponent(object)}`);
      if (object === this.link.object) this.linked.show(answer);
    } catch (error) {
      if (object === this.link.object) this.problem = error.message;
    }
    this.update();
  }

  // What can be done now

  /** Whether keys mean the panel: no outline is being drawn, and what it is about is shown. */
  get isReady() {
    return this.linked.isHere && !this.editor.tool?.begun;
  }

  get asksNow() {
    return this.isReady && this.walk.current !== null;
  }

  get canSkip() {
    return this.walk.current !== null && !this.editor.tool?.begun;
  }

  /** How the walk mends what it asks: {words, run}, or null. */
  get ownMend() {
    const { linked, walk } = this;
    if (!walk.current) return null;
    if (walk.isEdited) return { words: "Mended by hand", run: () => walk.decide("mend") };
    const { kind } = walk.current;
    if (kind === "wrong_class" && linked.below) {
      const words = `It is “${linked.found.class_name}”`;
      return { words, run: () => walk.decide("mend", () => linked.mendClass()) };
    }
    if (kind === "shifted" && linked.below) {
      return { words: "Take the found outline", run: () => walk.decide("mend", () => linked.mendOutline()) };
    }
    if (["double", "spurious"].includes(kind) && linked.label) {
      return { words: "Remove the label", run: () => walk.decide("mend", () => linked.remove()) };
    }
    return null;
  }

  get canMend() {
    return this.isReady && (this.ownMend !== null || this.linked.below !== null);
  }

  add() {
    const edit = () => this.linked.add();
    if (this.walk.current) this.walk.decide("add", edit);
    else if (edit()) this.editor.say("It is a label now; Ctrl + Z takes it away.");
  }

  mend() {
    const { linked } = this;
    if (this.ownMend) return this.ownMend.run();
    if (linked.below.class_name === linked.found.class_name) return this.mendBy("mendOutline");
    this.isAsking = true;
    return this.update();
  }

  /** Mend the outline or the class of the region below: "mendOutline" or "mendClass". */
  mendBy(name) {
    this.isAsking = false;
    const edit = () => this.linked[name]();
    if (this.walk.current) this.walk.decide("mend", edit);
    else if (edit()) this.editor.say("The label is mended; Ctrl + Z takes it back.");
    this.update();
  }

  keep() {
    this.walk.decide("keep");
  }

  /** Take a decision back if the last thing was one. False if undo means an edit. */
  undo() {
    return this.walk.undo();
  }

  /** Press a link of the page below the editor. */
  follow(name) {
    document.querySelector(`.st-key-annotate_${name} a`)?.click();
  }

  addActions() {
    const { linked, walk } = this;
    const canAdd = () => this.isReady && linked.found !== null && !this.isAsking;
    const asks = () => this.isReady && this.isAsking;
    const actions = [
      ["add", ["Enter", "a"], "Make a label of what was found", canAdd, () => this.add()],
      ["mend", "m", "Mend the label", () => this.canMend && !this.isAsking, () => this.mend()],
      ["outline", "o", "Mend its outline", asks, () => this.mendBy("mendOutline")],
      ["class", "l", "Mend its class", asks, () => this.mendBy("mendClass")],
      ["stop", "Escape", "Mend neither", asks, () => this.stopAsking()],
      ["keep", "k", "The label is right", () => this.asksNow, () => this.keep()],
      ["skip", "s", "Skip: ask it another time", () => this.canSkip, () => walk.skip()],
      ["next", "shift+PageDown", "The next candidate", () => walk.isOn, () => walk.step(1)],
      ["previous", "shift+PageUp", "The candidate before", () => walk.isOn, () => walk.step(-1)],
      ["back", "shift+j", "Back to the page of the object", () => Boolean(this.link.back), () => this.follow("back")],
    ];
    for (const [name, key, label, when, run] of actions.reverse()) {
      const action = { name: `review_${name}`, key, label, group: GROUP, when, run };
      this.editor.addAction({ ...action, isFirst: true, isListed: () => !this.element.hidden });
    }
  }

  stopAsking() {
    this.isAsking = false;
    this.update();
  }

  // The panel

  update() {
    const { link, linked, walk } = this;
    if (!linked.below) this.isAsking = false;
    this.element.hidden = !link.object && !link.review;
    if (this.element.hidden) return;
    this.title.textContent = link.review ? "Label review" : "Object of a run";
    this.steps.hidden = !walk.isOn || walk.list.length === 0;
    this.count.textContent = walk.isOn && walk.current ? `${walk.place + 1} / ${walk.list.length}` : "";
    const words = this.lines().join("\n");
    if (this.words.textContent !== words) this.words.textContent = words;
    const buttons = this.choices();
    const told = JSON.stringify(buttons.map(({ run, ...shown }) => shown));
    this.runs = buttons.map(({ run }) => run);
    if (told === this.told) return;
    this.told = told;
    this.buttons.replaceChildren(...buttons.map(({ name, words: text, key, primary }, place) => element(
      "button", {
        type: "button", class: `small-button${primary ? " primary" : ""}`, "data-review": name,
        onclick: () => this.runs[place](),
      },
      element("span", {}, text), key && element("kbd", {}, key),
    )));
  }

  lines() {
    const { link, linked, walk } = this, { answer } = linked;
    const problem = walk.problem ?? this.problem;
    if (link.review) {
      if (problem) return [problem];
      if (!walk.isOn) return ["Looking for label errors."];
      if (walk.list.length === 0) return ["No label of this run looks wrong."];
      if (!walk.current) return [this.sumOfWalk()];
      const { why, decided, class_name, kind } = walk.current;
      const lines = [`Candidate ${walk.place + 1} of ${walk.list.length}: ${why}.`];
      lines.push(kind === "missing" ? `As “${class_name}”.` : `The label says “${class_name}”.`);
      if (decided) lines.push(`Decided: ${DECIDED[decided.decision]}`);
      return lines;
    }
    if (problem) return [problem];
    if (!answer) return ["Looking for the object."];
    if (!linked.isHere) return [`The object is in ${answer.name}.`];
    const lines = [answer.words[0].toUpperCase() + answer.words.slice(1)];
    if (answer.found && !linked.found) lines.push("It is a label now.");
    else if (linked.below) lines.push(`A label “${linked.below.class_name ?? "no class"}” lies below it.`);
    return lines;
  }

  sumOfWalk() {
    const { walk } = this, { decided, skipped } = walk;
    const stays = walk.list.filter((entry) => entry.decided?.decision === "keep").length;
    const more = skipped.size ? ` ${skipped.size} skipped.` : "";
    const sum = `${decided} of ${walk.list.length} decided: ${stays} are right, ${decided - stays} were changed.`;
    return sum + more;
  }

  /** The buttons that fit now: [{name, words, key, primary, run}]. */
  choices() {
    const { link, linked, walk } = this, list = [];
    const { found, below } = linked;
    const add = (name, words, run, key = null, primary = false) => list.push({ name, words, key, primary, run });
    if (this.isAsking) {
      add("outline", "The outline", () => this.mendBy("mendOutline"), "O", true);
      add("class", `The class: ${found.class_name}`, () => this.mendBy("mendClass"), "L");
      add("stop", "Neither", () => this.stopAsking(), "Esc");
      return list;
    }
    const isAsked = linked.isHere && walk.current !== null;
    const own = isAsked ? this.ownMend : null;
    if (own) add("mend", own.words, () => this.mend(), "M", true);
    if (!own && below) add("mend", "Mend the label below", () => this.mend(), "M", true);
    if (found) add("add", below ? "Add as another label" : "Make it a label", () => this.add(), "Enter", !below);
    if (isAsked) {
      const right = walk.current.kind === "missing" ? "Nothing is missing" : "The label is right";
      add("keep", right, () => this.keep(), "K");
    }
    if (walk.current) add("skip", "Skip", () => walk.skip(), "S");
    if (walk.isOn && !walk.current) {
      if (walk.skipped.size) add("again", "Ask the skipped ones", () => walk.askSkipped());
      if (walk.list.length) add("train", "Train again", () => this.follow("train"), null, true);
    }
    if (linked.answer && !linked.isHere) add("show", "Show the object", () => this.showPicture(), null, true);
    if (link.back) add("back", `Back to ${PAGE_NAMES[link.back]}`, () => this.follow("back"), "Shift + J");
    return list;
  }

  /** Show the picture of the object again, after others were shown. */
  showPicture() {
    const { editor, linked } = this;
    const entry = editor.pictures[editor.pictureList.places.get(linked.answer.picture)];
    if (!entry) return;
    linked.waits = true;
    editor.shown.show(entry, true);
  }
}
