// The read-only picture component of viewer.py: shows a picture with objects, and tells Streamlit what is selected.

import { untilLinkIsFollowed } from "../../shell/page_links.js";
import { PictureView } from "./picture_view.js";
import { fillWindow } from "./sizing.js";
import { addViewButtons } from "./view_buttons.js";

const viewers = new WeakMap(); // parentElement -> Viewer

/** The code of the Streamlit component; Streamlit calls it at first and whenever the data changes. */
export default function (component) {
  const place = component.parentElement;
  let viewer = viewers.get(place);
  if (!viewer) viewers.set(place, (viewer = new Viewer(place, component.data)));
  const call = viewer.update(component);
  return () => {
    // Streamlit ends a call that was overtaken by the next one, too; that must not end the viewer.
    if (viewers.get(place) !== viewer || viewer.calls !== call) return;
    viewers.delete(place);
    viewer.destroy();
  };
}

/** One viewer on a page. */
class Viewer {
  #stopFilling = null;
  #height;
  #given = {}; // what Streamlit sent last, as JSON per field
  #send = () => {};
  #hoverTimer = 0;
  calls = 0; // of `update`

  constructor(place, data) {
    this.root = place.querySelector(".viewer") ?? place.appendChild(document.createElement("div"));
    this.root.style.width = "100%";
    this.view = new PictureView(this.root, { cameraGroup: data.cameraGroup ?? null, label: data.label });
    this.buttons = addViewButtons(this.view, { root: this.root });
    this.view.addEventListener("select", ({ detail }) => this.#send("selected", detail.ids.at(-1) ?? null));
    this.view.addEventListener("hover", ({ detail }) => {
      if (!this.reportsHover) return;
      clearTimeout(this.#hoverTimer);
      this.#hoverTimer = setTimeout(() => untilLinkIsFollowed() || this.#send("hovered", detail.id), 150);
    });
  }

  /** Take over new data; what Streamlit did not change stays as the person left it. Return the number of this call. */
  update({ data, setStateValue }) {
    this.#send = setStateValue;
    this.reportsHover = Boolean(data.reportHover);
    this.view.element.setAttribute("aria-label", data.label);
    this.#setHeight(data.height ?? null, data.minHeight);
    this.#changed("picture", data.picture, () => this.view.setPicture(data.picture));
    this.#changed("message", data.message, () => this.view.showMessage(data.message ?? ""));
    this.#changed("objects", data.objects, () => this.view.setObjects(data.objects));
    this.#changed("display", data.display, () => this.#show(data.display));
    this.#changed("selected", data.selected, () => this.#select(data.selected ?? null));
    this.#changed("hovered", data.hovered, () => this.view.setHovered(data.hovered ?? null));
    return ++this.calls;
  }

  destroy() {
    clearTimeout(this.#hoverTimer);
    this.#stopFilling?.();
    this.buttons.destroy();
    this.view.destroy();
  }

  #changed(name, value, apply) {
    const text = JSON.stringify(value) ?? "";
    if (this.#given[name] === text) return;
    this.#given[name] = text;
    apply();
  }

  #select(id) {
    this.view.setSelected(id === null ? [] : [id]);
  }

  /** Show layers, and filter by score and class, as viewer.Display says. */
  #show({ minScore, classes, ...layers }) {
    const chosen = classes && new Set(classes);
    Object.assign(this.view.display, layers);
    this.view.display.filter = (object) =>
      (object.score ?? 1) >= minScore && (!chosen || chosen.has(object.class ?? ""));
    this.view.redraw();
  }

  #setHeight(height, min) {
    const wanted = `${height} ${min}`;
    if (this.#height === wanted) return;
    this.#height = wanted;
    this.#stopFilling?.();
    this.#stopFilling = null;
    if (height === null) this.#stopFilling = fillWindow(this.root, { min });
    else this.root.style.height = `${height}px`;
  }
}
