// The tool that cuts regions in two or more along a line. The parts keep class and attributes.

import { dragThreshold, paintHandle, paintLine, paintNote } from "../marks.js";
import { meantPlace } from "../region_editing.js";
import { changeable } from "../selection_actions.js";
import { boxAround, bounds, distance, newId, roundedPoint, withShape } from "../shapes.js";
import { computed, counted, hasArea, selectedAreas } from "./operations.js";

const STEP = 2; // CSS px between the vertices of a line that is drawn by dragging
const SAME_PLACE = 3; // CSS px between the clicks of a double click
const MOST = 500; // regions at once

/**
 * The edit that replaces regions by their pieces: the first piece takes the region's place and id, the others come
 * right after it with new ids.
 * @param {object[]} regions all regions, back to front
 * @param {object[]} cut those that were cut
 * @param {object[][]} pieces their pieces as shapes, the largest first
 * @returns {{put: object[], order: string[], ids: string[]}} `ids` of all pieces
 */
export function cutEdit(regions, cut, pieces) {
  const made = new Map(); // id of a cut region -> its pieces as regions
  cut.forEach((region, i) => {
    if (pieces[i].length < 2) return;
    made.set(region.id, pieces[i].map((shape, place) => {
      if (place === 0) return withShape(region, shape);
      const { keypoints, ...rest } = withShape(region, shape); // the keypoints stay with the largest piece
      return { ...rest, id: newId() };
    }));
  });
  const put = [...made.values()].flat();
  const order = regions.flatMap(({ id }) => made.get(id)?.map((piece) => piece.id) ?? [id]);
  return { put, order, ids: put.map(({ id }) => id) };
}

/** Cut: clicks set the corners of the line, Enter or a double click cuts; or drag across and let go. */
export class CutTool {
  static name = "cut";
  static label = "Cut along a line";
  static icon = "content_cut";
  static key = "g";
  static hint = "Draw a line across; Enter or a double click cuts the selected regions, or all that it crosses";

  constructor(editor) {
    this.editor = editor;
    this.points = [];
    this.press = null; // {e, free, count} of a pressed pointer
    this.pointer = null;
  }

  start() {}

  stop() {
    this.pointercancel();
    this.pointer = null;
  }

  left() {
    this.points = [];
  }

  /** The corners of the line so far, and what it is to cut, as JSON; null if there is no line. */
  draft() {
    const points = this.points.slice(0, this.press?.count);
    return points.length ? { tool: CutTool.name, points, selected: [...this.editor.doc.selection] } : null;
  }

  restore(draft) {
    this.points = draft?.points?.slice() ?? [];
    this.press = null;
    if (draft?.selected) this.editor.doc.select(draft.selected);
    this.editor.view.redrawOverlay();
  }

  get begun() {
    return this.points.length > 0;
  }

  cancel() {
    this.points = [];
    this.press = null;
    this.changed();
  }

  changed() {
    this.editor.keepDraft();
    this.editor.view.redrawOverlay();
  }

  place(e) {
    return roundedPoint(meantPlaceAround(this.editor, e));
  }

  pointerdown(e) {
    if (e.event?.button) return;
    this.pointer = e;
    this.press = { e, free: false, count: this.points.length, last: [e.sx, e.sy] };
    this.points.push(this.place(e));
    this.editor.view.redrawOverlay();
  }

  pointermove(e) {
    this.pointer = e;
    const { press } = this, here = [e.sx, e.sy];
    if (press && e.event?.buttons === 0) return this.pointerup(e); // a lost release
    if (press && !press.free && distance(here, [press.e.sx, press.e.sy]) > dragThreshold(e.event)) press.free = true;
    if (press?.free && distance(here, press.last) >= STEP) {
      press.last = here;
      this.points.push(this.place(e));
    }
    return this.editor.view.redrawOverlay();
  }

  pointerup(e) {
    const { press } = this;
    this.press = null;
    if (press?.free) this.points.push(this.place(e));
    if (press?.free && press.count === 0) this.cut();
    else this.changed();
  }

  pointercancel() {
    if (this.press) this.points.length = this.press.count;
    this.press = null;
    this.editor.view.redrawOverlay();
  }

  doubleclick() {
    const { view } = this.editor;
    const [a, b] = this.points.slice(-2).map((point) => view.camera.toScreen(point));
    if (!b || distance(a, b) > SAME_PLACE) return;
    this.points.pop();
    this.cut();
  }

  leave() {
    if (!this.press) this.pointer = null;
    this.editor.view.redrawOverlay();
  }

  cursor() {
    return "crosshair";
  }

  key(event) {
    if (!this.begun) {
      if (event.key !== "Escape" || !this.editor.hasSelection) return false;
      this.editor.doc.select([]);
      return true;
    }
    const control = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && !event.shiftKey) this.cut();
    else if (event.key === "Escape") this.cancel();
    else if (["Backspace", "Delete"].includes(event.key)) this.points.pop();
    else if (control && event.key.toLowerCase() === "z") this.points.pop();
    else return false;
    this.changed();
    return true;
  }

  /** The regions that are cut: the selected ones, else all free ones whose box the line touches. */
  targets(line) {
    const { editor } = this, selected = selectedAreas(editor);
    if (selected.length || changeable(editor).length) return selected;
    const [x, y, w, h] = boxAround(line);
    return editor.doc.regions.filter((region) => {
      if (!hasArea(region) || editor.doc.locked.has(region.id) || editor.doc.hidden.has(region.id)) return false;
      const box = bounds(region);
      return box && box[0] <= x + w && x <= box[0] + box[2] && box[1] <= y + h && y <= box[1] + box[3];
    }).slice(0, MOST);
  }

  async cut() {
    const { editor, points: line } = this;
    const isSelected = editor.hasSelection;
    this.cancel();
    if (line.length < 2) {
      editor.say("A cut needs a line of at least two points", "warning");
      return;
    }
    const targets = this.targets(line);
    if (!targets.length) {
      editor.say(isSelected ? "The selected regions have no area to cut" : "The line crosses no region", "warning");
      return;
    }
    const body = { shapes: targets.map(({ shape }) => shape), line };
    const answer = await computed(editor, "split", body, targets, "Cutting");
    if (!answer) return;
    const { ids, ...edit } = cutEdit(editor.doc.regions, targets, answer.pieces);
    if (!ids.length) {
      editor.say("The line separates nothing; draw it right across a region", "warning");
      return;
    }
    editor.doc.change(edit, "cut");
    editor.doc.select(ids);
    const number = answer.pieces.filter((pieces) => pieces.length > 1).length;
    editor.say(`${counted(number)} cut into ${counted(ids.length, "piece")}`);
  }

  paint(context, view) {
    const screen = this.points.map((point) => view.camera.toScreen(point));
    const next = this.pointer && !this.press ? view.camera.toScreen(this.place(this.pointer)) : null;
    if (screen.length && next) paintLine(context, [screen.at(-1), next], { dash: [5, 4] });
    paintLine(context, screen);
    if (!this.press?.free) screen.forEach((at) => paintHandle(context, at, { form: "small" }));
    if (this.begun && next) paintNote(context, "Enter cuts", [this.pointer.sx, this.pointer.sy], view);
  }
}

/** The place of the pointer, snapped if snapping is on; unlike those of regions, it may be outside the picture. */
function meantPlaceAround(editor, e) {
  const inside = meantPlace(editor, e);
  const { pictureWidth: width, pictureHeight: height } = editor.view.camera;
  return e.x < 0 || e.y < 0 || e.x > width || e.y > height ? [e.x, e.y] : inside;
}
