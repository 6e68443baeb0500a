/*
 * The tool that selects and edits: click, Shift or Ctrl+click, frame; a drag on a vertex, an edge or the inside of any
 * region edits at once, selected or not.
 */

import { dragThreshold, paintFrame } from "./marks.js";
import { RegionEditing } from "./region_editing.js";
import { changeable, finishNudge, outlineMasks } from "./selection_actions.js";
import { boxAround, distance } from "./shapes.js";

const SAME_PLACE = 4; // CSS px within which a second click means the region below

export class SelectTool {
  static name = "select";
  static label = "Select and edit";
  static icon = "arrow_selector_tool";
  static key = "q";
  static hint = "Click selects, a drag edits; Shift adds; Alt + click inserts a vertex on an edge, or deletes one";

  /** @param {object} editor */
  constructor(editor) {
    this.editor = editor;
    this.editing = new RegionEditing(editor);
    this.press = null; // {e, hit, region, under} of a pressed pointer
    this.marquee = null; // {start, end, before} of a frame that is drawn
    this.lastClick = null; // [sx, sy]
    this.hovered = null; // the region below the pointer that is not selected
    this.lastPress = null; // the pointer event of the last press: that of a double click has whole pixels only
    this.pointer = null; // the last pointer event without a press
    this.check = () => {
      if (this.editing.checkStillThere()) this.press = null;
      if (!this.press) this.point(this.pointer); // what was under the pointer may have changed
    };
  }

  start() {
    this.editor.doc?.addEventListener("regions", this.check);
    this.watched = this.editor.doc;
  }

  stop() {
    this.watched?.removeEventListener("regions", this.check);
    this.release();
    this.hover(null);
  }

  /** End what the pointer does, as if it had been released where it is. */
  release() {
    finishNudge(this.editor);
    this.editing.finish();
    this.press = this.marquee = null;
  }

  draft() {
    return null;
  }

  restore() {
    this.editing.cancel();
    this.editing.hover(null);
    this.press = this.marquee = this.pointer = this.lastClick = null;
  }

  /** Whether a region can be selected in the picture. */
  isFree(id) {
    const { doc } = this.editor;
    return Boolean(doc.region(id)) && !doc.locked.has(id) && !doc.hidden.has(id);
  }

  /** The ids below the pointer that can be selected there, best first. */
  idsAt(e) {
    const { view } = this.editor;
    const tolerance = e.event?.pointerType === "touch" ? 10 : 4;
    return view.objectsAt(e.sx, e.sy, tolerance).filter((id) => this.isFree(id));
  }

  /** What the pointer is on: a part of the selection, else the region on top there, as `{hit, region}`. */
  below(e) {
    const hit = this.editing.hit(e);
    if (hit) return { hit, region: hit.region };
    const [id] = this.idsAt(e);
    const region = id === undefined ? null : this.editor.doc.region(id);
    return { region, hit: region && (this.editing.hit(e, [region]) ?? { kind: "inside", region }) };
  }

  pointerdown(e) {
    if (e.event?.button || !this.editor.doc) return;
    finishNudge(this.editor);
    this.lastPress = e;
    const { hit, region } = this.below(e);
    this.press = { e, hit, region, adds: Boolean(e.event?.shiftKey || e.event?.ctrlKey || e.event?.metaKey) };
  }

  pointermove(e) {
    if (!this.editor.doc) return;
    if (!this.press) {
      this.point(e);
      return;
    }
    if (e.event?.buttons === 0) { // the release was lost, outside the window
      this.pointerup({ ...e, ...this.lastPlace });
      return;
    }
    this.lastPlace = { x: e.x, y: e.y, sx: e.sx, sy: e.sy };
    const { press } = this;
    if (!this.editing.active && !this.marquee) {
      if (distance([e.sx, e.sy], [press.e.sx, press.e.sy]) <= dragThreshold(e.event)) return;
      this.beginDrag(e);
    }
    if (this.editing.active) this.editing.move(e);
    if (this.marquee) {
      this.marquee.end = [e.x, e.y];
      this.editor.view.redrawOverlay();
    }
  }

  beginDrag() {
    const { press } = this, { doc } = this.editor;
    const onHandle = press.hit && press.hit.kind !== "inside";
    if (!press.hit || (press.adds && !onHandle)) {
      const start = [press.e.x, press.e.y];
      this.marquee = { start, end: start, before: press.adds ? [...doc.selection] : [] };
      return;
    }
    if (!doc.selection.has(press.region.id)) doc.select([press.region.id]);
    this.hover(null);
    this.editing.begin(press.hit, press.e);
  }

  pointerup(e) {
    const { press, marquee } = this;
    this.press = this.marquee = this.lastPlace = null;
    if (this.editing.active) {
      this.editing.move(e);
      this.editing.finish();
    } else if (marquee) {
      this.selectFramed({ ...marquee, end: [e.x, e.y] });
    } else if (press) {
      this.click(press);
    }
    this.point(e);
  }

  pointercancel() {
    this.editing.cancel();
    this.press = this.marquee = this.lastPlace = null;
    this.editor.view.redrawOverlay();
  }

  selectFramed({ start, end, before }) {
    const { doc, view } = this.editor;
    const found = view.objectsIn(boxAround([start, end])).filter((id) => this.isFree(id));
    doc.select([...new Set([...before, ...found])]);
    view.redrawOverlay();
  }

  /** A click without a drag. */
  click({ e, hit, region, adds }) {
    const { doc } = this.editor;
    const again = this.lastClick && distance(this.lastClick, [e.sx, e.sy]) <= SAME_PLACE;
    this.lastClick = [e.sx, e.sy];
    if (e.event?.altKey) {
      const selected = hit && doc.selection.has(region.id);
      if (selected && (this.editing.deleteHandle(hit) || this.editing.insertVertex(hit, e))) return;
      this.selectNext(e);
    } else if (adds) {
      if (!region) return;
      const ids = new Set(doc.selection);
      const id = hit.kind === "inside" ? this.idsAt(e)[0] ?? region.id : region.id;
      if (!ids.delete(id)) ids.add(id);
      doc.select([...ids]);
    } else if (!region) {
      doc.select([]);
    } else if (hit.kind === "inside" || !doc.selection.has(region.id)) {
      const only = doc.selection.size === 1 && doc.selection.has(region.id);
      if (only && again) this.selectNext(e);
      else if (!only) doc.select([this.idsAt(e)[0] ?? region.id]);
    }
    this.sayWhatMasksCannot();
  }

  /** Select the region below the selected one at the pointer; after the last, the first again. */
  selectNext(e) {
    const ids = this.idsAt(e);
    if (!ids.length) return;
    const place = ids.findIndex((id) => this.editor.doc.selection.has(id));
    this.editor.doc.select([ids[(place + 1) % ids.length]]);
  }

  sayWhatMasksCannot() {
    const regions = this.editing.regions;
    if (regions.length === 1 && regions[0].shape.kind === "rle") {
      this.editor.say("A mask of pixels can be moved; to edit it, press Enter: it becomes an outline", "info");
    }
  }

  doubleclick(e) {
    if (e.event?.altKey || !this.lastPress) return;
    this.editing.insertVertex(this.editing.hit(this.lastPress), this.lastPress);
  }

  leave() {
    if (!this.press && this.editor.doc) this.point(null);
  }

  /** Show what the pointer is on. */
  point(e) {
    this.pointer = e;
    const found = e && this.below(e);
    const other = found?.region && !this.editor.doc.selection.has(found.region.id) ? found.region : null;
    this.hover(other);
    this.editing.hover(found?.hit ?? null);
    const onPart = found?.hit && (!other || found.hit.kind !== "inside");
    this.cursorNow = onPart ? this.editing.cursor(found.hit) : other ? "pointer" : "default";
  }

  hover(region) {
    if (this.hovered === region) return;
    this.hovered = region;
    this.editor.regionLayer.setHovered(region?.id ?? null); // the list of regions shows it too
  }

  cursor() {
    return this.editing.active ? this.editing.cursor(this.editing.drag.hit) : this.cursorNow ?? "default";
  }

  key(event) {
    const { doc } = this.editor;
    if (this.editing.active || this.marquee) {
      if (event.key === "Escape") this.pointercancel();
      return !["Shift", "Control", "Alt", "Meta", " "].includes(event.key); // no other edit during a drag
    }
    const plain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey;
    if (plain && ["Delete", "Backspace"].includes(event.key)) {
      finishNudge(this.editor);
      const { hot } = this.editing;
      return Boolean(hot) && doc.selection.has(hot.region.id) && this.editing.deleteHandle(hot);
    }
    return plain && event.key === "Enter" && this.outlineMasks();
  }

  /** Make outlines of the selected masks. Returns whether one is selected. */
  outlineMasks() {
    const masks = changeable(this.editor).filter(({ shape }) => shape.kind === "rle");
    if (!masks.length) return false;
    outlineMasks(this.editor, masks);
    return true;
  }

  paint(context, view) {
    this.editing.paint(context, view);
    const hit = this.editing.hot;
    if (!this.editing.active && this.hovered && hit?.region === this.hovered && hit.kind !== "inside") {
      this.editing.paintHandles(context, view, this.hovered, hit);
    }
    if (this.marquee) {
      const { start, end } = this.marquee;
      paintFrame(context, boxAround([view.camera.toScreen(start), view.camera.toScreen(end)]));
    }
  }
}
