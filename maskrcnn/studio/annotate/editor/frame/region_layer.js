// The regions as the picture shows them: their drawing objects and labels, which one the pointer is on, what is hidden.

import { objectOf, shapeBounds } from "../shapes.js";

/** The regions on the picture of one editor. */
export class RegionLayer {
  constructor(editor) {
    this.editor = editor;
    this.hovered = null; // id of the region under the pointer
    this.numbers = new Map(); // id of a region -> its number in the list, from 1
    this.objects = new WeakMap(); // region -> its drawing object
    const { view } = editor;
    view.display.opacity = 0.22;
    view.display.label = (object) => this.labelOf(object);
    view.addEventListener("hover", ({ detail }) => this.setHovered(detail.id));
  }

  /** The label of a region on the picture: its number in the list, and its class where there are several. */
  labelOf({ id, class: name }) {
    const number = this.numbers.get(id) ?? "";
    return this.editor.classes.length > 1 ? `${number} ${name ?? "no class"}`.trim() : String(number);
  }

  draw() {
    const { editor } = this;
    if (!editor.doc) return;
    const { hidden, regions } = editor.doc;
    this.numbers = new Map(regions.map((region, place) => [region.id, place + 1]));
    editor.view.setObjects(regions.filter((region) => !hidden.has(region.id)).map((region) => {
      let object = this.objects.get(region);
      if (!object) this.objects.set(region, object = objectOf(region, editor));
      return object;
    }));
  }

  /** Draw all regions anew, because colours or skeletons may have changed. */
  drawAnew() {
    this.objects = new WeakMap();
    this.draw();
  }

  setHovered(id) {
    if (id === this.hovered) return;
    this.hovered = id;
    this.editor.view.setHovered(id);
    this.editor.emit("hover");
  }

  /**
   * Hide or lock regions (`what` is "hidden" or "locked"), or show or unlock them: on true, false, or the other way
   * round.
   */
  toggle(what, ids, on = null) {
    const { doc, view } = this.editor;
    const set = doc[what];
    for (const id of ids) {
      if (on ?? !set.has(id)) set.add(id);
      else set.delete(id);
    }
    if (what === "hidden") {
      doc.select([...doc.selection].filter((id) => !set.has(id)));
      this.draw();
    }
    this.editor.emit("hidden");
    view.redraw();
  }

  /** Zoom to a region. */
  zoomTo(id) {
    const { doc, view } = this.editor;
    const region = id && doc.region(id);
    const box = region && shapeBounds(region.shape);
    if (box) view.camera.showBox(box);
  }
}
