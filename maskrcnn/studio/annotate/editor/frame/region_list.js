// The regions of the picture: number, class, hidden, locked. Only the rows in sight are in the page.

import { counted, element, iconButton } from "./elements.js";

const HEIGHT = 30; // CSS pixels of a row
const BEYOND = 4; // rows that are made beyond the ones in sight
const DRAG = 5; // CSS pixels after which a press on a row drags it to another place in the order

/** The list of regions, linked with the selection and the hover of the picture. `element` is its element. */
export class RegionList {
  constructor(editor) {
    this.editor = editor;
    this.made = new Map();
    this.active = 0; // place of the row that has the focus, or gets it
    this.anchor = null; // id from which Shift selects
    this.title = element("div", { class: "panel-title" });
    this.rows = element("div", { class: "region-rows" });
    this.mark = element("div", { class: "drop-mark", hidden: true });
    this.scroller = element(
      "div", { class: "region-scroller", role: "listbox", "aria-multiselectable": "true", "aria-label": "Regions" },
      this.rows,
    );
    this.empty = element("p", { class: "empty" }, "No regions yet. Click around an object; Enter closes the outline.");
    this.element = element(
      "section", { class: "regions", "aria-label": "Regions" }, this.title, this.scroller, this.empty,
    );
    this.scroller.addEventListener("scroll", () => this.draw(), { passive: true });
    this.scroller.addEventListener("keydown", (event) => this.onKey(event));
    this.scroller.addEventListener("pointerleave", () => editor.view.setHovered(null));
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.scroller);
    for (const name of ["regions", "picture", "classes", "hidden"]) editor.addEventListener(name, () => this.update());
    editor.addEventListener("selection", () => this.showSelection());
    editor.addEventListener("hover", () => this.draw());
  }

  get regions() {
    return this.editor.doc?.regions ?? [];
  }

  update() {
    const { regions } = this;
    const selected = this.editor.doc?.selection.size ?? 0;
    this.title.replaceChildren(
      counted(regions.length, "region"), selected > 1 ? element(
        "span", { class: "count" }, `${selected} selected`,
      ) : "",
    );
    this.rows.style.height = `${regions.length * HEIGHT}px`;
    this.empty.hidden = regions.length > 0 || !this.editor.doc;
    this.scroller.hidden = regions.length === 0;
    this.active = Math.min(this.active, Math.max(0, regions.length - 1));
    this.draw(true);
  }

  showSelection() {
    this.update();
    const { selection } = this.editor.doc;
    if (selection.size !== 1) return;
    const place = this.regions.findIndex((region) => selection.has(region.id));
    if (place < 0) return;
    this.active = place;
    this.reveal(place);
    this.draw();
  }

  reveal(place) {
    const { clientHeight, scrollTop } = this.scroller;
    const top = place * HEIGHT;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (top + HEIGHT > scrollTop + clientHeight) this.scroller.scrollTop = top + HEIGHT - clientHeight;
  }

  draw() {
    const { regions } = this;
    const { clientHeight, scrollTop } = this.scroller;
    const first = Math.max(0, Math.floor(scrollTop / HEIGHT) - BEYOND);
    const end = Math.min(regions.length, Math.ceil((scrollTop + clientHeight) / HEIGHT) + BEYOND);
    for (const [place, row] of this.made) {
      if (place >= first && place < end) continue;
      row.remove();
      this.made.delete(place);
    }
    for (let place = first; place < end; place += 1) {
      let row = this.made.get(place);
      if (!row) {
        row = this.make(place);
        this.made.set(place, row);
        this.rows.append(row);
      }
      this.fill(row, regions[place], place);
    }
  }

  make(place) {
    const parts = {
      number: element("span", { class: "number" }),
      swatch: element("span", { class: "swatch" }),
      text: element("span", { class: "text" }),
    };
    const hide = iconButton({
      name: "visibility", label: "Hide", class: "row-button", onclick: () => this.toggle("hidden", place),
    });
    const lock = iconButton({
      name: "lock_open", label: "Lock", class: "row-button", onclick: () => this.toggle("locked", place),
    });
    const row = element(
      "div", { class: "region-row", role: "option" }, parts.number, parts.swatch, parts.text, hide, lock,
    );
    row.style.top = `${place * HEIGHT}px`;
    row.parts = { ...parts, hide, lock };
    row.addEventListener("pointerenter", () => this.editor.view.setHovered(this.regions[place]?.id ?? null));
    row.addEventListener("pointerdown", (event) => this.onPress(event, place));
    row.addEventListener("dblclick", () => this.editor.regionLayer.zoomTo(this.regions[place]?.id));
    return row;
  }

  fill(row, region, place) {
    const { doc } = this.editor;
    const { number, swatch, text, hide, lock } = row.parts;
    const name = region.class_name ?? "no class";
    const isHidden = doc.hidden.has(region.id), isLocked = doc.locked.has(region.id);
    const selected = doc.selection.has(region.id);
    const state = [region.id, name, place, isHidden, isLocked, selected, this.active === place,
      this.editor.colourOf(region.class_name),
      this.editor.hovered === region.id].join("\n");
    if (row.shown === state) return;
    row.shown = state;
    number.textContent = place + 1;
    text.textContent = name;
    swatch.style.background = this.editor.colourOf(region.class_name);
    row.title = `${place + 1} ${name}`;
    row.dataset.region = region.id;
    row.setAttribute("aria-selected", selected);
    row.setAttribute(
      "aria-label", `Region ${place + 1}, ${name}${isHidden ? ", hidden" : ""}${isLocked ? ", locked" : ""}`,
    );
    row.classList.toggle("hovered", this.editor.hovered === region.id);
    row.classList.toggle("dimmed", isHidden);
    row.tabIndex = this.active === place ? 0 : -1;
    for (const [button, on, onName, offName, label] of [
      [hide, isHidden, "visibility_off", "visibility", "Hide"], [lock, isLocked, "lock", "lock_open", "Lock"],
    ]) {
      button.querySelector(".icon").textContent = on ? onName : offName;
      button.setAttribute("aria-pressed", on);
      button.setAttribute("aria-label", `${label} region ${place + 1}`);
      button.title = label === "Hide" ? (
        on ? "Hidden; click to show (H)" : "Hide (H)"
      ) : on ? "Locked; click to unlock (Shift + L)" : "Lock (Shift + L)";
      button.tabIndex = this.active === place ? 0 : -1;
      button.classList.toggle("on", on);
    }
  }

  toggle(what, place) {
    const region = this.regions[place];
    if (region) this.editor.regionLayer.toggle(what, [region.id]);
  }

  select(place, { range = false, add = false } = {}) {
    const { doc } = this.editor;
    const region = this.regions[place];
    if (!region) return;
    this.active = place;
    const from = this.regions.findIndex((entry) => entry.id === this.anchor);
    if (range && from >= 0) {
      const ids = this.regions.slice(Math.min(from, place), Math.max(from, place) + 1).map((entry) => entry.id);
      doc.select(ids);
      return;
    }
    this.anchor = region.id;
    if (!add) doc.select([region.id]);
    else doc.select(
      doc.selection.has(region.id) ? [...doc.selection].filter((id) => id !== region.id) : [...doc.selection, region.id]
    );
  }

  onPress(event, place) {
    if (event.button !== 0 || event.target.closest(".row-button")) return;
    event.preventDefault();
    const start = event.clientY, row = this.made.get(place), pointer = event.pointerId;
    let target = null;
    row.setPointerCapture(pointer);
    const onMove = (move) => {
      if (target === null && Math.abs(move.clientY - start) < DRAG) return;
      const { top } = this.rows.getBoundingClientRect();
      target = Math.min(Math.max(0, Math.round((move.clientY - top) / HEIGHT)), this.regions.length);
      this.mark.hidden = false;
      this.mark.style.top = `${target * HEIGHT - 1}px`;
      if (!this.mark.isConnected) this.rows.append(this.mark);
      row.classList.add("dragged");
    };
    const onEnd = (end) => {
      row.removeEventListener("pointermove", onMove);
      row.removeEventListener("pointerup", onEnd);
      row.removeEventListener("pointercancel", onEnd);
      row.classList.remove("dragged");
      this.mark.remove();
      if (target === null) {
        if (end.type === "pointerup") this.select(
          place, { range: event.shiftKey, add: event.ctrlKey || event.metaKey },
        );
      } else if (end.type === "pointerup") {
        this.move(place, target);
      }
    };
    row.addEventListener("pointermove", onMove);
    row.addEventListener("pointerup", onEnd);
    row.addEventListener("pointercancel", onEnd);
  }

  /** Move a region, or all selected ones if it is among them, to another place in the order from back to front. */
  move(place, target) {
    const { doc } = this.editor;
    const region = this.regions[place];
    const moved = doc.selection.has(region.id) ? doc.selection : new Set([region.id]);
    const before = this.regions.slice(0, target).filter((entry) => !moved.has(entry.id));
    const after = this.regions.slice(target).filter((entry) => !moved.has(entry.id));
    const order = [
      ...before, ...this.regions.filter((entry) => moved.has(entry.id)), ...after,
    ].map((entry) => entry.id);
    if (order.some((id, number) => id !== this.regions[number].id)) doc.change({ order }, "Order");
  }

  onKey(event) {
    if (event.target.closest?.(".row-button") || event.altKey || event.ctrlKey || event.metaKey) return;
    const steps = { ArrowDown: 1, ArrowUp: -1, Home: -this.regions.length, End: this.regions.length };
    if (event.key in steps) {
      const place = Math.min(Math.max(0, this.active + steps[event.key]), this.regions.length - 1);
      this.active = place;
      this.reveal(place);
      this.select(place, { range: event.shiftKey });
      this.draw();
      this.made.get(place)?.focus();
    } else if (event.key === " ") {
      this.select(this.active, { add: true });
    } else if (event.key === "Enter") {
      this.editor.regionLayer.zoomTo(this.regions[this.active]?.id);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  destroy() {
    this.observer.disconnect();
  }
}
