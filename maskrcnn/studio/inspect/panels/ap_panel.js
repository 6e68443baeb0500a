// The panel "AP of this picture, row by row": the ranking as a table that can be checked by hand, and the curve.

import { make } from "../drawing_bar.js";
import { prCurve, writtenSum } from "./pr_curve.js";
import { prPlot } from "./pr_plot.js";

const MOST_ROWS = 300;
const ALL = "all";
const COLUMNS = [
  ["rank", "Place in the ranking, best score first. All detections take part, those below the score slider too."],
  ["score", "How sure the network is of the class."],
  ["class", "The class that the network says it is."],
  ["match", "TP: it found the object with this number, as the sliders' IoU asks. FP: it found none."],
  ["precision", "Right ones so far / detections so far."],
  ["recall", "Right ones so far / labelled objects."],
  ["envelope", "The highest precision in this row or below it, which is at this recall or a higher one."],
  ["area", "The area under the envelope so far. In the last row it is the AP."],
];

const HELP = [
  ["One ranking.", "All detections of this picture, all classes together, matched at the IoU of the slider; at IoU "
    + "0.50 it is “AP50 pooled”, as the matterport notebooks print it. Recall goes up at each right detection, by 1 / "
    + "objects. The AP is the area under the envelope: its values at the right detections, added up, divided by "
    + "the number of objects."],
  ["COCO's AP differs.", "It ranks each class by itself and takes the mean over the classes, takes the mean "
    + "over the IoUs .50, .55, …, .95, reads the precision at 101 recalls instead of the exact area, and ranks the "
    + "detections of all pictures together."],
  ["AP hides what comes last.", "One object, found by the best detection, and twenty wrong detections below it: "
    + "precision is 1/1 when recall reaches 1, so AP = 1 / 1 = 1.000. Whatever comes after the last right detection "
    + "costs nothing. With all 21 detections shown, precision is 1/21 = 0.048 and F1 is 2 / (2 + 20) = 0.091. So look "
    + "at FP and FN as well."],
];

/**
 * Shows a table and a plot for what `update` was given. Events: "hover" {detection | null} and "select" {detection}:
 * the index of a detection in the table of `match_table.py`; "chosen" {}: the classes were.
 */
export class ApPanel extends EventTarget {
  #category = ALL;
  #curve = null;
  #lines = new Map(); // index of a detection -> its row of the HTML table
  #places = new Map(); // index of a detection -> index of its row
  #plot = null;

  constructor() {
    super();
    this.root = make("section", "panel ap");
    this.root.setAttribute("aria-label", "AP of this picture, row by row");
    this.head = make("div", "panel-head");
    this.sum = make("output", "sum");
    this.choice = make("select");
    this.choice.setAttribute("aria-label", "Classes that are ranked");
    this.choice.onchange = () => {
      this.#category = this.choice.value;
      this.update(...this.#given);
      this.dispatchEvent(new CustomEvent("chosen"));
    };
    this.help = make("details", "help");
    this.help.append(make("summary", "", "Which AP is this?"));
    for (const [title, text] of HELP) {
      const line = make("p");
      line.append(make("strong", "", `${title} `), text);
      this.help.append(line);
    }
    this.head.append(this.sum, this.choice, this.help);
    this.scroller = make("div", "scroller");
    this.drawing = make("div", "drawing");
    const parts = make("div", "parts");
    parts.append(this.scroller, this.drawing);
    this.root.append(this.head, parts);
  }

  #given = [];

  /** The AP that is shown, as text; "–" without objects. */
  get value() {
    return this.#curve?.area?.toFixed(3) ?? "–";
  }

  /**
   * Show `table` (null: nothing yet) at `choices` {score, iou}; `names` are the names of the classes, `looks` colours
   * and styles of the matches.
   */
  update(table, choices, names, looks) {
    this.#given = [table, choices, names, looks];
    this.#offerClasses(table, names);
    const category = this.#category === ALL ? null : Number(this.#category);
    this.#curve = table && prCurve(table, choices.iou, category);
    this.#lines.clear();
    this.#places.clear();
    this.scroller.replaceChildren();
    this.drawing.replaceChildren();
    this.sum.textContent = "";
    if (!table) return;
    this.#curve.rows.forEach(({ detection }, place) => this.#places.set(detection, place));
    this.sum.textContent = this.#curve.objects
      ? `AP at IoU ${choices.iou.toFixed(2)} = ${writtenSum(this.#curve)}`
      : "There is no object to be found here, so there is no AP.";
    this.scroller.append(this.#tableOf(table, choices, names, looks));
    const hidden = this.#curve.rows.length - MOST_ROWS;
    if (hidden > 0) this.scroller.append(make("p", "", `${hidden} more rows with lower scores are not listed.`));
    this.#plot = prPlot(this.#curve, looks, (place) => {
      this.#tell("hover", place === null ? null : this.#curve.rows[place].detection);
    });
    this.drawing.append(this.#plot.root);
  }

  /** Mark the row and the point of a detection, or none (null). With `show` the row is scrolled into sight. */
  highlight(detection, show = false) {
    for (const [row, line] of this.#lines) line.classList.toggle("is-hovered", row === detection);
    this.#plot?.highlight(this.#places.get(detection) ?? null);
    const line = this.#lines.get(detection);
    if (!show || !line) return;
    const box = this.scroller.getBoundingClientRect(), place = line.getBoundingClientRect();
    if (place.top < box.top + 24) this.scroller.scrollTop += place.top - box.top - 24; // the height of the headings
    else if (place.bottom > box.bottom) this.scroller.scrollTop += place.bottom - box.bottom;
  }

  #tell(name, detection) {
    this.dispatchEvent(new CustomEvent(name, { detail: { detection } }));
  }

  #offerClasses(table, names) {
    const there = [...new Set([...(table?.objects ?? []), ...(table?.detections ?? [])].map((entry) => entry.class))]
      .filter((index) => index !== null).sort((a, b) => a - b);
    if (!there.includes(Number(this.#category))) this.#category = ALL;
    const options = [[ALL, "all classes, one ranking"], ...there.map((index) => [String(index), names[index] ?? ""])];
    this.choice.hidden = names.length < 2;
    this.choice.replaceChildren(...options.map(([value, text]) => {
      const option = make("option", "", text);
      option.value = value;
      return option;
    }));
    this.choice.value = this.#category;
  }

  #tableOf(table, choices, names, looks) {
    const whole = make("table"), head = make("thead"), titles = make("tr"), body = make("tbody");
    for (const [title, meaning] of COLUMNS) {
      if (title === "class" && names.length < 2) continue;
      const cell = make("th", "", title);
      cell.scope = "col";
      cell.title = meaning;
      titles.append(cell);
    }
    head.append(titles);
    for (const row of this.#curve.rows.slice(0, MOST_ROWS)) body.append(this.#line(row, table, choices, names, looks));
    whole.append(head, body);
    return whole;
  }

  #line(row, table, { score }, names, looks) {
    const { detection, status, rank, hits } = row, { objects } = this.#curve;
    const line = make("tr", row.score >= score ? "" : "is-below");
    line.tabIndex = 0;
    line.dataset.detection = detection;
    line.title = row.score >= score ? "" : "Its score is below the slider: not drawn, but AP uses it all the same.";
    const match = make("td", "match");
    const sample = make("span", `sample ${looks[status].style}`);
    sample.style.setProperty("--colour", looks[status].colour);
    match.append(sample, {
      tp: `TP, object ${row.partner + 1}`, fp: "FP", ignored: "on a crowd, left out",
    }[status]);
    const number = (value, text) => make("td", "number", value === null ? "–" : text(value));
    const decimals = (value) => value.toFixed(3);
    line.append(
      number(rank, String), number(row.score, (value) => value.toFixed(2)),
      ...(names.length < 2 ? [] : [make("td", "class", names[table.detections[detection].class] ?? "–")]), match,
      number(row.precision, (value) => `${hits}/${rank} = ${decimals(value)}`),
      number(row.recall, (value) => `${hits}/${objects} = ${decimals(value)}`),
      number(row.envelope, decimals), number(row.area, decimals),
    );
    line.addEventListener("pointerenter", () => this.#tell("hover", detection));
    line.addEventListener("pointerleave", () => this.#tell("hover", null));
    line.addEventListener("focus", () => this.#tell("hover", detection));
    line.addEventListener("blur", () => this.#tell("hover", null));
    line.addEventListener("click", () => this.#tell("select", detection));
    line.addEventListener("keydown", (event) => this.#onKey(event, line, detection));
    this.#lines.set(detection, line);
    return line;
  }

  #onKey(event, line, detection) {
    const next = { ArrowDown: line.nextElementSibling, ArrowUp: line.previousElementSibling }[event.key];
    if (next) next.focus();
    else if (event.key === "Enter") this.#tell("select", detection);
    else if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
  }
}
