// The panel "Instances": every labelled object and every detection with a check that draws it or leaves it out.

import { make } from "../drawing_bar.js";

const GROUPS = [["truth", "Ground truth"], ["found", "Prediction"]];

/**
 * Which instances are switched off: a set of ids ("truth-0", "found-3"), which the list changes. It only says what is
 * drawn; counts and AP stay.
 *
 * Events: "change" {}, "hover" {id | null}.
 */
export class InstanceList extends EventTarget {
  off = new Set();
  #items = []; // {id, side, label, status} of both sides
  #boxes = new Map(); // id -> its check box
  #shown = "";

  constructor() {
    super();
    this.root = make("section", "panel instances");
    this.root.setAttribute("aria-label", "Instances that are drawn");
    const head = make("div", "panel-head");
    this.all = make("button", "small", "Show all");
    this.all.type = "button";
    this.all.onclick = () => this.showAll();
    head.append(
      this.all,
      make("span", "note", "Only what is drawn; counts and AP stay. Double click, or O: only this one."),
    );
    this.groups = make("div", "scroller groups");
    this.root.append(head, this.groups);
  }

  /** Show `items` of both sides, each {id, side, label, status}; `looks` are the colours of matches. */
  update(items, looks) {
    this.#items = items;
    const known = new Set(items.map(({ id }) => id));
    const shown = JSON.stringify(items);
    if (shown !== this.#shown) {
      this.#shown = shown;
      const focused = this.groups.getRootNode().activeElement?.dataset?.instance;
      this.#boxes.clear();
      this.groups.replaceChildren(...GROUPS.map(([side, title]) => this.#group(side, title, looks)));
      if (known.has(focused)) this.#boxes.get(focused)?.focus();
    }
    this.#paint();
  }

  /** How many of the items are switched off. */
  get hidden() {
    return this.#items.filter(({ id }) => this.off.has(id)).length;
  }

  /** Draw all again. */
  showAll() {
    this.off.clear();
    this.#changed();
  }

  /** Draw only these ids; if they are the only ones already, all. */
  only(ids) {
    const others = this.#items.map(({ id }) => id).filter((id) => !ids.includes(id));
    const isOnly = others.every((id) => this.off.has(id)) && !ids.some((id) => this.off.has(id));
    this.off.clear();
    if (!isOnly) others.forEach((id) => this.off.add(id));
    this.#changed();
  }

  /** The id whose check has the keyboard's focus, or null. */
  get focused() {
    return this.groups.getRootNode().activeElement?.dataset?.instance ?? null;
  }

  /** Mark these ids as those under the pointer. */
  highlight(ids) {
    for (const [id, box] of this.#boxes) box.parentElement.classList.toggle("is-hovered", ids.includes(id));
  }

  #changed() {
    this.#paint();
    this.dispatchEvent(new CustomEvent("change"));
  }

  #paint() {
    for (const [id, box] of this.#boxes) box.checked = !this.off.has(id);
    this.all.disabled = this.hidden === 0;
  }

  #group(side, title, looks) {
    const group = make("div", "instance-group"), chips = make("div", "instance-chips");
    const items = this.#items.filter((item) => item.side === side);
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", title);
    chips.append(...items.map((item) => this.#chip(item, looks)));
    if (!items.length) chips.append(make("span", "note", "none"));
    group.append(make("span", "title", title), chips);
    return group;
  }

  #chip({ id, label, status }, looks) {
    const chip = make("label", "instance"), box = make("input"), sample = make("span", `sample ${looks[status].style}`);
    box.type = "checkbox";
    box.dataset.instance = id;
    box.onchange = () => {
      if (box.checked) this.off.delete(id);
      else this.off.add(id);
      this.#changed();
    };
    sample.style.setProperty("--colour", looks[status].colour);
    chip.append(box, sample, make("span", "", label));
    chip.addEventListener("dblclick", (event) => {
      event.preventDefault();
      this.only([id]);
    });
    const hover = (over) => this.dispatchEvent(new CustomEvent("hover", { detail: { id: over } }));
    for (const [name, over] of [["pointerenter", id], ["focusin", id], ["pointerleave", null], ["focusout", null]]) {
      chip.addEventListener(name, () => hover(over));
    }
    this.#boxes.set(id, box);
    return chip;
  }
}
