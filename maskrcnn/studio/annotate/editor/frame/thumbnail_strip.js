// The strip of thumbnails below the picture. Only the ones in sight are in the page, so 10,000 pictures stay fast.

import { counted, element, icon } from "./elements.js";

const WIDTH = 84; // CSS pixels from one thumbnail to the next
const BEYOND = 6; // thumbnails that are made beyond the ones in sight, on each side
const SETTLED = 90; // milliseconds without scrolling after which missing thumbnails are asked for

/** The row of thumbnails with their status; a click shows a picture. `element` is its element. */
export class ThumbnailStrip {
  constructor(editor) {
    this.editor = editor;
    this.pictures = [];
    this.current = -1;
    this.made = new Map();
    this.timer = 0;
    this.row = element("div", { class: "thumbnails" });
    this.element = element(
      "div", {
        class: "strip", role: "listbox", "aria-label": "Pictures", "aria-orientation": "horizontal", tabindex: "-1",
      },
      this.row,
    );
    this.element.addEventListener("scroll", () => this.draw(), { passive: true });
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.element.addEventListener("wheel", (event) => {
      if (event.deltaX || event.ctrlKey) return;
      this.element.scrollLeft += event.deltaY;
      event.preventDefault();
    }, { passive: false });
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.element);
  }

  /** Show these pictures: entries of the route `pictures`, in their order. */
  setPictures(pictures) {
    this.pictures = pictures;
    this.row.style.width = `${pictures.length * WIDTH}px`;
    this.made.forEach((made) => made.remove());
    this.made.clear();
    this.draw();
  }

  /** Mark the picture that is shown, and scroll to it. */
  setCurrent(place) {
    this.current = place;
    this.reveal(place);
    this.draw();
  }

  /** Draw one entry again after its number of regions or its status changed. */
  refresh(place) {
    const made = this.made.get(place);
    if (made) this.fill(made, place);
  }

  reveal(place) {
    const { clientWidth, scrollLeft } = this.element;
    const left = place * WIDTH;
    if (left >= scrollLeft + WIDTH && left + 2 * WIDTH <= scrollLeft + clientWidth) return;
    this.element.scrollLeft = left - (clientWidth - WIDTH) / 2;
  }

  draw() {
    const { clientWidth, scrollLeft } = this.element;
    if (!clientWidth) return;
    const first = Math.max(0, Math.floor(scrollLeft / WIDTH) - BEYOND);
    const end = Math.min(this.pictures.length, Math.ceil((scrollLeft + clientWidth) / WIDTH) + BEYOND);
    for (const [place, made] of this.made) {
      if (place >= first && place < end) continue;
      made.remove();
      this.made.delete(place);
    }
    for (let place = first; place < end; place += 1) {
      let made = this.made.get(place);
      if (!made) {
        made = this.make(place);
        this.made.set(place, made);
        this.row.append(made);
      }
      const isCurrent = place === this.current;
      made.classList.toggle("current", isCurrent);
      made.setAttribute("aria-selected", isCurrent);
      made.tabIndex = isCurrent || (this.current < 0 && place === first) ? 0 : -1;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), SETTLED);
  }

  load() {
    for (const [place, made] of this.made) {
      const image = made.querySelector("img");
      if (!image.src) image.src = this.editor.server.thumbnailAddress(this.pictures[place].id);
    }
  }

  make(place) {
    const image = element("img", { alt: "", draggable: "false" });
    image.addEventListener("error", () => image.classList.add("missing"));
    const show = () => this.editor.pictureList.show(place);
    const made = element(
      "button", { type: "button", class: "thumbnail", role: "option", onclick: show },
      image, element("span", { class: "badge" }),
    );
    made.style.left = `${place * WIDTH}px`;
    this.fill(made, place);
    return made;
  }

  fill(made, place) {
    const entry = this.pictures[place];
    const says = `${entry.done ? "done, " : ""}${counted(entry.n_regions, "region")}`;
    const split = entry.split ? ` (${entry.split})` : "";
    made.title = `${place + 1} / ${this.pictures.length}  ${entry.name}: ${says}${split}`;
    made.setAttribute("aria-label", `${entry.name}, ${says}`);
    const badge = made.querySelector(".badge");
    badge.dataset.state = entry.done ? "done" : entry.n_regions ? "labelled" : "unlabelled";
    badge.replaceChildren(...(entry.done ? [icon("check")] : []), String(entry.n_regions));
  }

  onKey(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -this.pictures.length, End: this.pictures.length };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const focused = [...this.made].find(([, made]) => made === event.composedPath()[0])?.[0] ?? this.current;
    const place = Math.min(Math.max(0, focused + step), this.pictures.length - 1);
    this.reveal(place);
    this.draw();
    this.made.get(place)?.focus();
  }

  destroy() {
    clearTimeout(this.timer);
    this.observer.disconnect();
  }
}
