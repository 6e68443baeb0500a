// Fewer vertices, by a slider: the number of vertices and the IoU to the original are shown while it moves.

import { drawObject } from "../../../components/picture/object_drawing.js";
import { element, iconButton } from "../frame/elements.js";
import { objectOf, withShape } from "../shapes.js";
import { areUnchanged, selectedAreas } from "./operations.js";

const STEPS = 100; // of the slider
const RANGE = [0.2, 50]; // picture px of tolerance at its ends
const START = 0.3; // share of the slider at first
const PAUSE = 60; // ms after the last move before the server is asked
const MOST = 50; // regions at once

/** The tolerance in picture px at a position of the slider, 0 to 1: small steps where it is small. */
export const toleranceAt = (share) => RANGE[0] * (RANGE[1] / RANGE[0]) ** share;

/** The panel of one editor, over the lower edge of the picture. It is closed by Apply, Cancel, Enter or Esc. */
export class SimplifyPanel {
  constructor(editor) {
    this.editor = editor;
    this.regions = null; // originals, while the panel is open
    this.changed = null; // the same regions, simplified
    this.turn = 0;
    this.slider = element("input", {
      type: "range", min: 0, max: STEPS, step: 1, "aria-label": "How much to simplify", oninput: () => this.ask(),
    });
    this.words = element("output", { "aria-live": "polite", "data-simplify": "words" });
    this.element = element(
      "div", { class: "floating", role: "group", "aria-label": "Simplify", hidden: true },
      "Simplify", this.slider, this.words,
      iconButton({ name: "check", label: "Apply", key: "Enter", onclick: () => this.apply() }),
      iconButton({ name: "close", label: "Cancel", key: "Esc", onclick: () => this.close() }),
    );
    Object.assign(this.element.style, {
      bottom: "12px", left: "50%", transform: "translateX(-50%)", display: "flex", alignItems: "center", gap: "8px",
      maxWidth: "calc(100% - 16px)", padding: "6px 10px", border: "1px solid var(--st-border-color)",
      borderRadius: "8px",
      background: "var(--st-background-color)", color: "var(--st-text-color)",
    });
    this.words.style.fontVariantNumeric = "tabular-nums";
    window.addEventListener("keydown", (event) => this.onKey(event), { signal: editor.stopped.signal, capture: true });
    editor.stage.append(this.element);
    editor.view.painters.push((context, view) => this.paint(context, view));
    editor.addEventListener("picture", () => this.close());
    editor.addEventListener("selection", () => {
      if (this.regions?.some(({ id }) => !editor.doc.selection.has(id))) this.close();
    });
    editor.addEventListener("regions", () => this.regions && !areUnchanged(editor.doc, this.regions) && this.close());
  }

  get isOpen() {
    return this.regions !== null;
  }

  open() {
    const { editor } = this, regions = selectedAreas(editor).slice(0, MOST);
    if (!regions.length) {
      editor.say("Simplify: select regions with an outline first", "warning");
      return;
    }
    this.regions = regions;
    this.changed = null;
    this.element.hidden = false;
    this.slider.value = START * STEPS;
    this.words.textContent = "";
    this.slider.focus();
    editor.emit("state");
    this.ask();
  }

  close() {
    if (!this.isOpen) return;
    this.turn += 1;
    this.stop?.abort();
    this.regions = this.changed = null;
    this.element.hidden = true;
    this.editor.view.setActive(new Set());
    this.editor.emit("state");
    this.editor.focusPicture();
  }

  /** Ask the server for the shapes at the slider's place; only the last answer counts. */
  async ask() {
    const turn = this.turn += 1, { editor, regions } = this;
    const tolerance = toleranceAt(this.slider.value / STEPS);
    this.slider.setAttribute("aria-valuetext", `${tolerance.toFixed(1)} px`);
    this.waits = true;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (turn !== this.turn) return;
    this.stop?.abort();
    this.stop = new AbortController();
    const { signal } = this.stop;
    try {
      const answers = await Promise.all(regions.map(({ shape }) => (
        editor.server.post("geometry/simplify", { shape, tolerance }, { signal, patience: 60000 }))));
      if (turn === this.turn) this.show(answers, tolerance);
    } catch (error) {
      if (turn === this.turn && error.name !== "AbortError") this.words.textContent = error.message;
    }
  }

  show(answers, tolerance) {
    const { editor, regions } = this;
    this.waits = false;
    this.changed = regions.map((region, i) => (
      answers[i].tolerance > 0 ? withShape(region, answers[i].shape) : region
    ));
    const sum = (name) => answers.reduce((total, answer) => total + answer[name], 0);
    const worst = Math.min(...answers.map((answer) => answer.iou));
    const counts = `${sum("original")} → ${sum("vertices")} vertices`;
    this.words.textContent = `${tolerance.toFixed(1)} px: ${counts}, IoU ${worst.toFixed(3)}`;
    editor.view.setActive(new Set(regions.map(({ id }) => id)));
    editor.view.redrawOverlay();
    if (this.isApplying) this.apply();
  }

  apply() {
    const { editor, regions, changed } = this;
    this.isApplying = this.waits || !changed;
    if (this.isApplying) return; // as soon as the answer is there
    const put = changed.filter((region, i) => region !== regions[i]);
    this.close();
    if (put.length) editor.doc.change({ put }, "simplify");
    else editor.say("No vertex can go at this tolerance");
  }

  /** Keys while the panel is open, before the editor gets them: Enter, Esc, and those that move the slider. */
  onKey(event) {
    if (!this.isOpen || !this.editor.isOnPage) return;
    const target = event.composedPath()[0];
    if (event.key === "Escape" || (event.key === "Enter" && target.tagName !== "BUTTON")) {
      if (event.key === "Escape") this.close();
      else this.apply();
      event.preventDefault();
      event.stopImmediatePropagation();
    } else if (target === this.slider && event.key !== "Tab") {
      event.stopImmediatePropagation();
    }
  }

  paint(context, view) {
    if (!this.changed) return;
    for (const region of this.changed) {
      const object = { ...objectOf(region, this.editor), points: undefined };
      drawObject(context, view.camera, object, { opacity: 0.2, width: 2.5 });
    }
  }
}
