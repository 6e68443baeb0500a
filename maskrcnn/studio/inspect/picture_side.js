// One of the two pictures of the Predictions page, with its heading, its legend and the line at its lower edge.

import { PictureView } from "../components/picture/picture_view.js";
import { make } from "./drawing_bar.js";
import { LEGEND } from "./match_words.js";

/** A heading with a legend, a view, and a line about what is under the pointer. */
export class PictureSide {
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

  /**
   * Write the legend of these `statuses`, with their numbers in `matches` (null: not known yet). `choices` are score,
   * IoU and colour; `looks` are colours and styles, `measure` is "mask" or "box".
   */
  writeLegend(statuses, matches, choices, { looks, measure }) {
    this.legend.replaceChildren(...statuses.map((status) => legendChip(status, looks[status], matches?.[status], {
      words: LEGEND[status].words, means: LEGEND[status].means(choices, measure),
    }, choices.colour === "class")));
  }
}

/** The part of a legend about a status: a sample of its look (none if colours are by class), its number and words. */
export function legendChip(status, { colour, style }, number, { words, means }, isByClass) {
  const chip = make("span", "chip"), sample = make("span", `sample ${style}`);
  sample.style.setProperty("--colour", colour);
  sample.hidden = isByClass;
  chip.dataset.status = status;
  chip.title = means;
  chip.append(sample, make("strong", "", String(number ?? "")), ` ${words}`);
  return chip;
}
