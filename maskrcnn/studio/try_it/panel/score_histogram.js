// The scores of a class as a small histogram, with the minimum score as a line that can be dragged.

import { make } from "../../inspect/drawing_bar.js";

const SVG = "http://www.w3.org/2000/svg";
const BINS = 20;
const HEIGHT = 20; // in the units of the drawing, of which it is 100 wide

/** Draws the scores given to `update`. Events: "score" {value} while the line is dragged, "released" {} at the end. */
export class ScoreHistogram extends EventTarget {
  constructor(colour) {
    super();
    this.root = make("div", "histogram");
    this.root.setAttribute("aria-hidden", "true"); // the slider "Score from" does the same
    const drawing = document.createElementNS(SVG, "svg");
    drawing.setAttribute("viewBox", `0 0 100 ${HEIGHT}`);
    drawing.setAttribute("preserveAspectRatio", "none");
    this.bars = ["below", "above"].map((name) => {
      const bars = document.createElementNS(SVG, "path");
      bars.setAttribute("class", name);
      bars.setAttribute("fill", colour);
      return bars;
    });
    drawing.append(...this.bars);
    this.line = make("div", "threshold");
    this.root.append(drawing, this.line);
    this.root.onpointerdown = (event) => {
      event.preventDefault();
      this.root.setPointerCapture(event.pointerId);
      this.#drag(event);
    };
    this.root.onpointermove = (event) => this.root.hasPointerCapture(event.pointerId) && this.#drag(event);
    this.root.onpointerup = () => this.dispatchEvent(new CustomEvent("released"));
  }

  /** Show scores (0..1) and the line at `threshold`. The bars' heights are square roots, so that one object is seen. */
  update(scores, threshold) {
    const counts = Array.from({ length: BINS }, () => 0);
    for (const score of scores) counts[Math.min(BINS - 1, Math.floor(score * BINS))] += 1;
    const most = Math.max(1, ...counts), width = 100 / BINS, paths = ["", ""];
    counts.forEach((count, bin) => {
      const height = HEIGHT * Math.sqrt(count / most), isAbove = (bin + 1) / BINS > threshold + 1e-9;
      if (count) paths[Number(isAbove)] += `M${bin * width + 0.4} ${HEIGHT}v${-height}h${width - 0.8}v${height}z`;
    });
    this.bars.forEach((bars, place) => bars.setAttribute("d", paths[place]));
    this.line.style.left = `${threshold * 100}%`;
    this.root.title = `Scores of ${scores.length} candidates, 0 to 1. Drag the line: the minimum score.`;
  }

  #drag(event) {
    const { left, width } = this.root.getBoundingClientRect();
    const value = Math.round(100 * Math.max(0, Math.min(1, (event.clientX - left) / width))) / 100;
    this.dispatchEvent(new CustomEvent("score", { detail: { value } }));
  }
}
