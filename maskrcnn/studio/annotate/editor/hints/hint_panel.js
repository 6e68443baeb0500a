// The panel of hints: how outlines are made, suggestions with their score, and the buttons of both.

import { element, iconButton } from "../frame/elements.js";
import { toleranceAt } from "../geometry/simplify_panel.js";
import { HintTool } from "./hint_tool.js";
import { EdgeTracer } from "./scissors.js";
import { KEPT, Suggestions } from "./suggestions.js";

const STEPS = 100; // of both sliders
const START = 30; // of the slider that simplifies
const FRESH = 20000; // milliseconds for which the list of networks is not asked for again
const COLOURS = "colours";
const HOW = "how"; // the choice that says how to get osam

/**
 * The panel of an editor. `element` is its element. It adds the tool "hint", the scissors and the keys of suggestions
 * to the editor, so make it once, after the other tools.
 */
export class HintPanel {
  constructor(editor) {
    this.editor = editor;
    this.loadedAt = -Infinity;
    this.suggestions = new Suggestions(editor);
    this.tool = editor.addTool(HintTool, "hints");
    this.tracer = new EdgeTracer(editor);
    this.isTracing = false;
    this.build();
    this.fillNetworks([]);
    this.addActions();
    editor.addEventListener("state", () => this.update());
    editor.addEventListener("tool", () => this.update());
    editor.addEventListener("selection", () => this.update());
    editor.addEventListener("picture", () => this.loadNetworks());
    this.suggestions.addEventListener("change", () => this.update());
    this.update();
  }

  build() {
    this.way = element("select", {
      "aria-label": "How a box becomes an outline", "data-hint": "way", onchange: () => this.chooseWay(),
    });
    this.fromRegion = button("Outline the selected region", "region", () => this.outlineSelected());
    this.fineness = element("input", {
      type: "range", min: 0, max: STEPS, step: 1, value: START, "aria-label": "How much to simplify the outline",
      "data-hint": "simplify",
      oninput: () => this.tool.simplify(toleranceAt(this.fineness.value / STEPS)),
    });
    this.words = element("output", { "aria-live": "polite", "data-hint": "words" });
    this.outline = element(
      "div", { class: "hint-outline" }, element("label", {}, "Simplify", this.fineness), this.words,
      element(
        "div", { class: "buttons" },
        button("Accept", "accept", () => this.tool.accept(), "small-button primary"),
        button("Drop", "drop", () => this.tool.drop()),
      ),
    );
    this.network = element("select", {
      "aria-label": "Network that suggests regions", "data-hint": "network",
      onchange: () => this.suggestions.use(this.network.value || null),
    });
    this.least = element("input", {
      type: "range", min: 0, max: STEPS, step: 1, value: STEPS / 2, "aria-label": "Least score of suggestions",
      oninput: () => this.suggestions.setLeast(this.least.value / STEPS),
    });
    this.score = element("output", {});
    this.count = element("span", { class: "count", "aria-live": "polite", "data-hint": "count" });
    const { suggestions } = this;
    this.buttons = element(
      "div", { class: "buttons" },
      iconButton({
        name: "check", label: "Accept a suggestion", key: "A", "data-hint": "one",
        onclick: () => suggestions.acceptOne(),
      }),
      iconButton({
        name: "done_all", label: "Accept all suggestions", key: "Shift + A", "data-hint": "all",
        onclick: () => suggestions.acceptAll(),
      }),
      iconButton({
        name: "close", label: "Throw a suggestion away", key: "Shift + X", "data-hint": "away",
        onclick: () => suggestions.throwAway(suggestions.current ? [suggestions.current] : []),
      }),
      iconButton({
        name: "delete_sweep", label: "Throw all suggestions away", "data-hint": "all-away",
        onclick: () => suggestions.throwAway(suggestions.shown),
      }),
      iconButton({ name: "refresh", label: "Suggest again", "data-hint": "again", onclick: () => suggestions.again() }),
    );
    const score = element("label", {}, "Score", this.least, this.score);
    this.source = element("div", { class: "hint-source", "data-hint": "source" });
    this.suggested = element("div", { class: "hint-suggestions" }, this.source, score, this.buttons);
    this.element = element(
      "section", { class: "hints", "aria-label": "Help from the machine" },
      element("div", { class: "panel-title" }, "Help", this.count),
      element("label", { class: "field" }, element("span", {}, "Outline by"), this.way),
      this.fromRegion, this.outline,
      element("label", { class: "field" }, element("span", {}, "Suggestions of"), this.network),
      this.suggested,
      element("link", { rel: "stylesheet", href: new URL("./hints.css", import.meta.url).href }),
    );
  }

  addActions() {
    const { editor, suggestions, tool } = this;
    editor.addAction({
      name: "scissors", label: "Edges", words: "Follow the edges of the picture while an outline is drawn",
      icon: "gesture_select",
      group: "hints", key: "shift+e", isOn: () => this.isTracing, run: () => this.toggleScissors(),
    });
    editor.addAction({
      name: "hint_region", label: "Outline the selected region", group: "hints", key: "shift+o",
      run: () => this.outlineSelected(),
    });
    const can = () => suggestions.isOn && !tool.begun;
    editor.addAction({
      name: "accept", label: "Accept a suggestion", group: "hints", key: "a", when: can,
      run: () => suggestions.acceptOne(),
    });
    editor.addAction({
      name: "accept_all", label: "Accept all suggestions", group: "hints", key: "shift+a", when: can,
      run: () => suggestions.acceptAll(),
    });
    editor.addAction({
      name: "throw_away", label: "Throw a suggestion away", group: "hints", key: "shift+x", when: can,
      run: () => suggestions.throwAway(suggestions.current ? [suggestions.current] : []),
    });
  }

  chooseWay() {
    if (this.way.value === HOW) {
      this.way.value = this.tool.way;
      this.editor.say(`SAM-like networks: ${this.howToGet}`, "problem");
    } else {
      this.tool.setWay(this.way.value);
    }
  }

  toggleScissors() {
    const { editor } = this;
    this.isTracing = !this.isTracing;
    editor.edgeTracer = this.isTracing ? this.tracer : null;
    editor.say(this.isTracing ? "Lines follow the edges of the picture" : "Lines are straight");
    editor.emit("state");
  }

  /** The selected box becomes an outline; another selected region is refined by clicks. */
  outlineSelected() {
    const region = this.tool.selected;
    if (!region) {
      this.editor.say("Select one box or one outline first", "warning");
      return;
    }
    this.editor.chooseTool(HintTool.name);
    this.tool.takeRegion(region);
    if (region.shape.kind !== "rect") {
      this.editor.say("Click on what belongs to the object, Alt + click on what does not");
    }
    this.editor.focusPicture();
  }

  /** Get the list of networks again: a training may have made a new one. What was chosen stays chosen. */
  async loadNetworks() {
    if (performance.now() - this.loadedAt < FRESH) return;
    try {
      const { networks, osam } = await this.editor.server.get("hints/networks");
      this.loadedAt = performance.now();
      this.showNetworks(networks, osam);
    } catch {
      // The next picture asks again.
    }
  }

  showNetworks(networks, osam) {
    const told = JSON.stringify([networks, osam]);
    if (told === this.told) return;
    this.told = told;
    const named = ({ key, name, kind }) => [key, kind === "shipped" ? `${name} (ships with the studio)` : name];
    const masks = networks.filter((entry) => entry.masks);
    const others = osam.networks.map(({ key, name }) => [key, `osam: ${name}`]);
    if (osam.message) others.push([HOW, "SAM-like: how to get them"]);
    this.howToGet = osam.message;
    const ways = [[COLOURS, "Colours (GrabCut)"], ...masks.map(named), ...others];
    fill(this.way, ways);
    this.tool.way = this.way.value;
    this.fillNetworks(networks.map(named));
    const { suggestions } = this;
    if (this.network.value !== (suggestions.choice ?? "")) suggestions.show(null); // its network is gone
  }

  fillNetworks(networks) {
    fill(this.network, [[KEPT, "those kept in the project"], ["", "none"], ...networks]);
    this.network.value = this.suggestions.choice ?? "";
  }

  update() {
    const { tool, suggestions } = this;
    this.fromRegion.hidden = !tool.selected || tool.begun;
    this.outline.hidden = !tool.shape;
    if (tool.found !== this.seen) {
      this.seen = tool.found;
      this.fineness.value = START;
    }
    this.words.textContent = tool.words;
    this.suggested.hidden = !suggestions.isOn;
    if (suggestions.choice === null && this.network.value) this.network.value = "";
    const { kept } = suggestions;
    const source = kept ? `By ${kept.name}, ${new Date(kept.made).toLocaleDateString()}` : "";
    if (this.source.textContent !== source) this.source.textContent = source;
    this.source.hidden = !source;
    this.score.textContent = suggestions.least.toFixed(2);
    const isDone = suggestions.isOn && suggestions.state === "done";
    const below = suggestions.open.length - suggestions.shown.length;
    const more = below ? ` (+${below})` : "";
    this.count.textContent = isDone ? `${suggestions.shown.length} suggested${more}` : "";
    this.count.title = isDone && below ? `${below} more have a lower score than ${suggestions.least.toFixed(2)}` : "";
    this.buttons.querySelectorAll("button:not([data-hint=again])").forEach((button) => {
      button.setAttribute("aria-disabled", String(suggestions.shown.length === 0));
    });
  }
}

function button(text, name, onclick, look = "small-button") {
  return element("button", { type: "button", class: look, "data-hint": name, onclick }, text);
}

/** Fill a list of choices with [value, text], and keep the chosen one if it is still there. */
function fill(list, entries) {
  const chosen = list.value;
  list.replaceChildren(...entries.map(([value, text]) => element("option", { value }, text)));
  if (entries.some(([value]) => value === chosen)) list.value = chosen;
}
