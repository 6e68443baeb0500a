// The table of all pictures: sorted, filtered by text, class and errors, with a histogram whose bars filter.
//
// Only the rows in sight are in the page.

import { make } from "../inspect/drawing_bar.js";

const ROW = 42; // CSS px; picture_board.css has the same
const SPARE = 6; // rows above and below those in sight
const BINS = 10;

const COLUMNS = [
  { key: "f1", title: "F1", says: "f1", digits: 2 },
  { key: "tp", title: "TP", says: "tp" },
  { key: "fp", title: "FP", says: "fp" },
  { key: "fn", title: "FN", says: "fn" },
  { key: "wrong", title: "wrong", text: "FP + FN: what is wrong in this picture." },
  { key: "ap", title: "AP", says: "ap", digits: 2 },
  { key: "ap50", title: "AP50", says: "ap50", digits: 2 },
  { key: "iou", title: "IoU", says: "mean_iou", digits: 2 },
  { key: "count", title: "count", says: "count_error", sign: true },
];

/** Dispatches "open" {place} when a row is clicked. */
export class PictureTable extends EventTarget {
  #list = null;
  #base = "";
  #data = null;
  #rows = []; // of all pictures, by place
  #shown = []; // places of the rows that pass the filters, sorted
  #sort = { key: "worst", falling: false };
  #filter = { text: "", category: "", fp: false, fn: false, bar: null };
  #measure = "f1"; // of the histogram
  #ranks = [];
  #lastPlace = null;

  constructor() {
    super();
    this.root = make("section", "pictures");
    this.filters = this.#makeFilters();
    this.histogram = make("div", "histogram");
    this.count = make("div", "count");
    this.scroller = make("div", "scroller");
    this.table = make("table");
    this.table.setAttribute("aria-label", "All pictures");
    this.head = this.table.createTHead().insertRow();
    this.body = this.table.createTBody();
    this.scroller.append(this.table);
    this.root.append(this.#makeHistogramHead(), this.histogram, this.scroller);
    this.scroller.addEventListener("scroll", () => this.#drawRows());
    this.scroller.addEventListener("keydown", (event) => this.#onKey(event));
    this.observer = new ResizeObserver(() => this.#drawRows());
    this.observer.observe(this.scroller);
    this.#makeHead();
  }

  destroy() {
    this.observer.disconnect();
  }

  /** Take over what is known of each picture, whatever the sliders say. */
  setList(list, base) {
    this.#list = list;
    this.#base = base;
    const options = list.names.map((name, place) => new Option(name, String(place)));
    this.category.replaceChildren(new Option("all classes", ""), ...options);
    this.category.hidden = list.names.length < 2;
    this.#filter.category = "";
    this.#refresh();
  }

  /** Take over the columns that depend on the sliders, and the open picture. */
  update(data) {
    this.#data = data;
    this.#ranks = [];
    data.order.forEach((place, rank) => (this.#ranks[place] = rank));
    this.#refresh();
  }

  // Controls

  #makeFilters() {
    const filters = make("span", "filters");
    const text = make("input", "text"), category = make("select");
    Object.assign(text, { type: "search", placeholder: "filter by name", name: "filter" });
    text.setAttribute("aria-label", "Filter by name");
    category.setAttribute("aria-label", "Filter by class");
    text.oninput = () => this.#setFilter("text", text.value.trim().toLowerCase());
    category.onchange = () => this.#setFilter("category", category.value);
    category.hidden = true;
    this.category = category;
    filters.append(text, category);
    for (const [key, label, title] of [
      ["fp", "with FP", "Only pictures with false positives"], ["fn", "with FN", "Only pictures with missed objects"],
    ]) {
      const holder = make("label", "switch"), box = make("input");
      Object.assign(box, { type: "checkbox", name: key });
      holder.title = title;
      box.onchange = () => this.#setFilter(key, box.checked);
      holder.append(box, make("span", "", label));
      filters.append(holder);
    }
    return filters;
  }

  #setFilter(key, value) {
    this.#filter[key] = value;
    this.scroller.scrollTop = 0;
    this.#refresh();
  }

  #makeHistogramHead() {
    const head = make("div", "histogram-head"), segments = make("span", "segments");
    this.measures = ["f1", "ap"].map((measure) => {
      const button = make("button", "", measure === "f1" ? "F1" : "AP");
      button.type = "button";
      button.title = `How many pictures have which ${button.textContent}; a click on a bar shows only these`;
      button.onclick = () => {
        this.#measure = measure;
        this.#setFilter("bar", null);
      };
      segments.append(button);
      return [measure, button];
    });
    head.append(segments, this.count);
    return head;
  }

  #makeHead() {
    const cell = (key, title) => {
      const th = make("th"), button = make("button", "", title);
      button.type = "button";
      button.dataset.sort = key;
      button.onclick = () => this.#sortBy(key);
      th.scope = "col";
      th.append(button);
      this.head.append(th);
      return th;
    };
    this.heads = new Map([["file", cell("file", "picture")], ...COLUMNS.map(({ key, title }) => [key, cell(key, title)])]);
  }

  #sortBy(key) {
    const { key: last, falling } = this.#sort;
    const isText = key === "file" || key === "f1" || key === "ap" || key === "ap50" || key === "iou";
    if (last !== key) this.#sort = { key, falling: !isText };
    else if (falling !== isText) this.#sort = { key, falling: isText };
    else this.#sort = { key: "worst", falling: false };
    this.#refresh();
  }

  // Rows

  #refresh() {
    const list = this.#list, data = this.#data;
    if (!list || !data || list.files.length !== data.order.length) return;
    const { f1, tp, fp, fn, iou } = data.columns;
    this.#rows = list.files.map((file, place) => ({
      place, file, ap: list.ap[place], ap50: list.ap50[place], cut: list.cut[place], classes: list.classes[place],
      f1: f1[place], tp: tp[place], fp: fp[place], fn: fn[place], iou: iou[place], count: fp[place] - fn[place],
      wrong: fp[place] + fn[place],
    }));
    const passing = this.#rows.filter((row) => this.#passes(row));
    this.#drawHistogram(passing);
    const { bar } = this.#filter;
    const left = bar === null ? passing : passing.filter((row) => barOf(row[this.#measure]) === bar);
    this.#shown = left.sort(this.#compare()).map(({ place }) => place);
    const all = list.files.length;
    this.count.textContent = left.length === all ? `${all} pictures, worst first` : `${left.length} of ${all} pictures`;
    if (this.#sort.key !== "worst" && left.length === all) this.count.textContent = `${all} pictures`;
    this.count.title = data.definitions.why;
    this.#writeHead();
    if (this.#lastPlace !== data.place) this.#bringIntoSight(data.place);
    this.#lastPlace = data.place;
    this.#drawRows(true);
  }

  #passes({ file, classes, fp, fn }) {
    const { text, category, fp: onlyFp, fn: onlyFn } = this.#filter;
    return (!text || file.toLowerCase().includes(text)) && (!category || classes.includes(Number(category)))
      && (!onlyFp || fp > 0) && (!onlyFn || fn > 0);
  }

  #compare() {
    const { key, falling } = this.#sort, ranks = this.#ranks;
    const byRank = (a, b) => ranks[a.place] - ranks[b.place];
    if (key === "worst") return byRank;
    if (key === "file") return (a, b) => (falling ? -1 : 1) * (a.place - b.place); // the given order is natural
    return (a, b) => {
      if (a[key] === null || b[key] === null) return (a[key] === null) - (b[key] === null) || byRank(a, b);
      return (falling ? b[key] - a[key] : a[key] - b[key]) || byRank(a, b);
    };
  }

  #writeHead() {
    const { definitions } = this.#data, { key: sorted, falling } = this.#sort;
    for (const [key, th] of this.heads) {
      const { says, text, title } = COLUMNS.find((column) => column.key === key) ?? { title: "picture" };
      const button = th.firstChild;
      button.title = text ?? (says ? definitions[says] : "Sort by name");
      th.ariaSort = key === sorted ? (falling ? "descending" : "ascending") : "none";
      button.textContent = title + (key === sorted ? (falling ? " ↓" : " ↑") : "");
    }
    for (const [measure, button] of this.measures) {
      button.setAttribute("aria-pressed", String(measure === this.#measure));
    }
  }

  #drawRows(isNew = false) {
    if (!this.#data) return;
    const { scrollTop, clientHeight } = this.scroller, all = this.#shown.length;
    const first = Math.max(0, Math.min(all, Math.floor(scrollTop / ROW) - SPARE));
    const last = Math.min(all, Math.ceil((scrollTop + clientHeight) / ROW) + SPARE);
    const range = `${first} ${last}`;
    if (!isNew && this.range === range) return;
    this.range = range;
    const before = new Map([...this.body.querySelectorAll("tr[data-place]")].map((tr) => [tr.dataset.place, tr]));
    const rows = this.#shown.slice(first, last).map((place) => this.#row(this.#rows[place], before.get(String(place))));
    this.body.replaceChildren(spacer(first * ROW), ...rows, spacer((all - last) * ROW));
  }

  #row(row, kept) {
    const tr = kept?.dataset.base === this.#base ? kept : this.#newRow(row);
    const isOpen = row.place === this.#data.place;
    tr.setAttribute("aria-selected", String(isOpen));
    tr.tabIndex = isOpen ? 0 : -1;
    COLUMNS.forEach(({ key, digits, sign }, place) => {
      const value = row[key], cell = tr.cells[place + 1];
      let text = value === null ? "–" : digits ? value.toFixed(digits) : String(value);
      if (sign && value > 0) text = `+${text}`;
      cell.textContent = text;
      cell.className = (key === "fp" || key === "fn") && value > 0 ? key : "";
      if (key === "ap" && row.cut) {
        cell.textContent = `${text}*`;
        cell.title = `${row.cut} detections are beyond COCO's limit of 100 of a class and do not count for AP`;
      }
    });
    return tr;
  }

  #newRow({ place, file }) {
    const tr = make("tr"), cell = tr.insertCell(), image = make("img");
    tr.dataset.place = place;
    tr.dataset.base = this.#base;
    Object.assign(image, { src: `${this.#base}/thumb/${place}`, loading: "lazy", alt: "" });
    image.onerror = () => image.classList.add("gone");
    const name = make("span", "file", file);
    cell.title = file;
    cell.className = "picture";
    cell.append(image, name);
    COLUMNS.forEach(() => tr.insertCell());
    tr.onclick = () => this.dispatchEvent(new CustomEvent("open", { detail: { place } }));
    return tr;
  }

  #bringIntoSight(place) {
    const at = this.#shown.indexOf(place);
    if (at < 0) return;
    const { scrollTop, clientHeight } = this.scroller, head = this.head.offsetHeight;
    if (at * ROW < scrollTop) this.scroller.scrollTop = at * ROW;
    else if ((at + 1) * ROW + head > scrollTop + clientHeight) this.scroller.scrollTop = (at + 1) * ROW + head - clientHeight;
  }

  #onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = this.#shown[this.#shown.indexOf(this.#data.place) + step];
    event.preventDefault();
    event.stopPropagation();
    if (next !== undefined) this.dispatchEvent(new CustomEvent("open", { detail: { place: next } }));
  }

  // Histogram

  #drawHistogram(rows) {
    const counts = new Array(BINS).fill(0), name = this.#measure === "f1" ? "F1" : "AP";
    for (const row of rows) if (row[this.#measure] !== null) counts[barOf(row[this.#measure])] += 1;
    const most = Math.max(1, ...counts);
    while (this.histogram.children.length < BINS) this.histogram.append(this.#bar(this.histogram.children.length));
    counts.forEach((count, bar) => {
      const button = this.histogram.children[bar];
      const words = `${name} ${(bar / BINS).toFixed(1)} to ${((bar + 1) / BINS).toFixed(1)}: ${count} pictures`;
      button.title = words;
      button.setAttribute("aria-label", words);
      button.setAttribute("aria-pressed", String(this.#filter.bar === bar));
      button.disabled = count === 0 && this.#filter.bar !== bar;
      button.style.setProperty("--height", `${(count / most) * 100}%`);
      button.querySelector(".number").textContent = count || "";
    });
  }

  #bar(bar) {
    const button = make("button", "bin");
    button.type = "button";
    button.dataset.bar = bar;
    button.append(make("span", "number"), make("span", "fill"), make("span", "tick", bar % 5 ? "" : String(bar / BINS)));
    button.onclick = () => this.#setFilter("bar", this.#filter.bar === bar ? null : bar);
    return button;
  }
}

/** The bar of a value from 0 to 1; that of 1 is the last one, and null has none. */
function barOf(value) {
  return value === null ? -1 : Math.min(BINS - 1, Math.floor(value * BINS + 1e-9));
}

function spacer(height) {
  const tr = make("tr", "spacer"), cell = tr.insertCell();
  cell.colSpan = COLUMNS.length + 1;
  cell.style.height = `${height}px`;
  tr.hidden = height === 0;
  tr.ariaHidden = "true";
  return tr;
}
