/*
 * What all tools that draw share: before something has begun, a drag on the selected region edits it, and a click
 * draws.
 */

import { dragThreshold } from "./marks.js";
import { meantPlace, RegionEditing } from "./region_editing.js";
import { finishNudge } from "./selection_actions.js";
import { distance, roundedPoint } from "./shapes.js";

export class DrawingTool {
  /** @param {object} editor */
  constructor(editor) {
    this.editor = editor;
    this.editing = new RegionEditing(editor);
    this.pending = null; // {e, hit} of a press on the selected region: a click or a drag?
    this.pointer = null; // the last pointer event
    this.check = () => {
      this.editing.checkStillThere();
      if (this.editing.hot) this.editing.hover(this.pointer && !this.begun ? this.editing.hit(this.pointer) : null);
    };
  }

  /** Whether something has begun and is unfinished: then every press belongs to it. */
  get begun() {
    return false;
  }

  start() {
    this.editor.doc?.addEventListener("regions", this.check);
    this.watched = this.editor.doc;
  }

  stop() {
    this.watched?.removeEventListener("regions", this.check);
    this.editing.finish();
    this.editing.hover(null);
    this.pending = this.pointer = null;
  }

  /** Another tool is chosen. */
  left() {}

  draft() {
    return null;
  }

  restore() {
    this.editing.cancel();
    this.editing.hover(null);
    this.pending = this.pointer = null;
  }

  /** Keep what is unfinished, so that a reload or another picture does not lose it. */
  keepDraft() {
    this.editor.keepDraft?.();
  }

  /** The place that a pointer means, with 2 decimals. */
  place(e) {
    return roundedPoint(meantPlace(this.editor, e));
  }

  pointerdown(e) {
    if (e.event?.button || !this.editor.doc) return;
    finishNudge(this.editor);
    this.pointer = e;
    const hit = this.begun ? null : this.editing.hit(e);
    if (hit) this.pending = { e, hit };
    else this.down(e);
  }

  pointermove(e) {
    if (!this.editor.doc) return;
    this.pointer = e;
    if (e.event?.buttons === 0 && (this.pending || this.editing.active || this.pressed)) { // a lost release
      this.pointerup(this.lastHeld ?? e);
      return;
    }
    if (e.event?.buttons) this.lastHeld = e;
    if (this.pending && distance([e.sx, e.sy], [this.pending.e.sx, this.pending.e.sy]) > dragThreshold(e.event)) {
      this.editing.begin(this.pending.hit, this.pending.e);
      this.pending = null;
    }
    if (this.editing.active) this.editing.move(e);
    else if (!this.pending) this.moved(e);
    if (!this.editing.active && !this.pending) this.editing.hover(this.begun ? null : this.editing.hit(e));
    this.editor.view.redrawOverlay();
  }

  pointerup(e) {
    const { pending } = this;
    this.pending = this.lastHeld = null;
    if (this.editing.active) {
      this.editing.move(e);
      this.editing.finish();
    } else if (pending) {
      this.down(pending.e); // a click on the selected region draws, like every click
      this.up(pending.e);
    } else {
      this.up(e);
    }
    this.editor.view.redrawOverlay();
  }

  pointercancel(e) {
    const held = this.editing.cancel() || this.pending;
    this.pending = this.lastHeld = null;
    if (!held) this.cancelled(e);
    this.editor.view.redrawOverlay();
  }

  leave() {
    this.pointer = null;
    this.editing.hover(null);
    this.editor.view.redrawOverlay();
  }

  cursor(e) {
    if (this.editing.active) return this.editing.cursor(this.editing.drag.hit);
    return (!this.begun && this.editing.cursor(this.editing.hit(e))) || "crosshair";
  }

  /** Whether a pointer is held down in a stroke of the tool itself. */
  get pressed() {
    return false;
  }

  /** A press, a move, a release and a cancelled press that belong to the drawing. */
  down() {}
  moved() {}
  up() {}
  cancelled() {}

  key(event) {
    if (this.editing.active) {
      if (event.key === "Escape") this.pointercancel(this.pointer);
      return !["Shift", "Control", "Alt", "Meta", " "].includes(event.key);
    }
    if (this.drawingKey(event)) {
      this.editor.view.redrawOverlay();
      return true;
    }
    if (this.begun || event.key !== "Delete") return false;
    finishNudge(this.editor);
    return this.editing.deleteHandle(this.editing.hot);
  }

  /** A key that belongs to the drawing. Returns whether it did. */
  drawingKey() {
    return false;
  }

  paint(context, view) {
    this.editing.paint(context, view);
    this.paintDrawing(context, view);
  }

  paintDrawing() {}
}
