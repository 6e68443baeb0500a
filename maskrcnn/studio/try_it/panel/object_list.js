// The list of the objects of the picture: class, score and area. What is under the pointer is marked there and here.

import { make } from "../../inspect/drawing_bar.js";

const COLUMNS = [["name", "Class"], ["score", "Score"], ["area", "Area"]];
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

/**
 * A list of objects {place, name, colour, score, area, areaText}. Events: "hover" {place | null}, "select"
 * {place | null} and "zoom" {place}.
 */
export class ObjectList extends EventTarget {
  #rows = new Map(); // place of the candidate -> its row
  #objects = [];
  #selected = null;
  #sort = { column: "score", factor: -1 };

  constructor() {
    super();
    this.root = make("section", "objects");
    this.root.setAttribute("aria-label", "Objects");
    const head = make("div", "object-row heads");
    head.append(...COLUMNS.map(([column, text]) => this.#headOf(column, text)));
    this.head = head;
    this.#showSort();
    this.list = make("div", "rows");
    this.list.tabIndex = 0;
    this.list.dataset.movesByArrows = "";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Objects in the picture");
    this.list.onkeydown = (event) => this.#key(event);
    this.list.onpointerleave = () => this.#tell("hover", null);
    this.root.append(head, this.list);
  }

  /** Show objects, best score first. */
  update(objects) {
    this.#objects = objects;
    const there = new Set(objects.map(({ place }) => place));
    for (const [place, row] of this.#rows) {
      if (there.has(place)) continue;
      row.remove();
      this.#rows.delete(place);
    }
    const rows = this.#sorted().map((object) => this.#rowOf(object));
    const isSame = rows.length === this.list.children.length && rows.every((row, at) => row === this.list.children[at]);
    if (!isSame) this.list.replaceChildren(...rows);
  }

  /** Forget the rows: the places belong to another picture from now on. */
  clear() {
    this.#rows.clear();
    this.#objects = [];
    this.#selected = null;
    this.list.replaceChildren();
  }

  /** Mark the selected object and the one under the pointer (places or null); with `scrolls`, scroll to it. */
  mark(selected, hovered, scrolls) {
    this.#selected = selected;
    for (const [place, row] of this.#rows) {
      row.setAttribute("aria-selected", String(place === selected));
      row.classList.toggle("is-hovered", place === hovered);
    }
    const row = this.#rows.get(hovered ?? selected);
    this.list.setAttribute("aria-activedescendant", this.#rows.get(selected)?.id ?? "");
    if (!scrolls || !row) return;
    const frame = this.list.getBoundingClientRect(), box = row.getBoundingClientRect();
    if (box.top < frame.top) this.list.scrollTop += box.top - frame.top;
    else if (box.bottom > frame.bottom) this.list.scrollTop += box.bottom - frame.bottom;
  }

  #tell(name, place) {
    this.dispatchEvent(new CustomEvent(name, { detail: { place } }));
  }

  #headOf(column, text) {
    const head = make("button", `head-${column}`, text);
    head.type = "button";
    head.title = `Sort by ${text.toLowerCase()}`;
    head.onclick = () => {
      const factor = this.#sort.column === column ? -this.#sort.factor : column === "name" ? 1 : -1;
      this.#sort = { column, factor };
      this.#showSort();
      this.update(this.#objects);
    };
    return head;
  }

  #showSort() {
    COLUMNS.forEach(([column, text], place) => {
      const { column: chosen, factor } = this.#sort;
      this.head.children[place].textContent = column === chosen ? `${text} ${factor > 0 ? "▴" : "▾"}` : text;
    });
  }

  #sorted() {
    const { column, factor } = this.#sort;
    const compare = (a, b) => (column === "name" ? a.name.localeCompare(b.name) : a[column] - b[column]);
    return [...this.#objects].sort((a, b) => factor * compare(a, b) || b.score - a.score);
  }

  #rowOf({ place, name, colour, score, areaText }) {
    let row = this.#rows.get(place);
    if (!row) {
      row = make("div", "object-row");
      row.id = `object-${place}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", "false");
      const words = make("span", "name"), swatch = make("span", "swatch");
      swatch.style.setProperty("--colour", colour);
      words.append(swatch, make("span", "text", name));
      row.append(words, make("span", "score", score.toFixed(2)), make("span", "area"));
      row.onpointerenter = () => this.#tell("hover", place);
      row.onclick = () => this.#tell("select", place === this.#selected ? null : place);
      row.ondblclick = () => this.#tell("zoom", place);
      this.#rows.set(place, row);
    }
    const area = row.lastElementChild;
    if (area.textContent !== areaText) area.textContent = areaText;
    row.setAttribute("aria-label", `${name}, score ${score.toFixed(2)}, area ${areaText}`);
    return row;
  }

  #key(event) {
    const order = this.#sorted().map(({ place }) => place);
    if (event.key === "Enter" && this.#selected !== null) this.#tell("zoom", this.#selected);
    else if (event.key === "Escape") this.#tell("select", null);
    else if (event.key in STEPS && order.length) {
      const now = order.indexOf(this.#selected), step = STEPS[event.key];
      const next = now < 0 && step > 0 && Number.isFinite(step) ? 0 : now + step;
      this.#tell("select", order[Math.max(0, Math.min(order.length - 1, next))]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
