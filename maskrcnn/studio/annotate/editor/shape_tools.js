/*
 * Rectangle, circle, ellipse and point. The first three are drawn by a drag or by two clicks; an ellipse is turned
 * afterwards by the handle above the box around it.
 */

import { drawObject } from "../../components/picture/object_drawing.js";
import { DrawingTool } from "./drawing_tool.js";
import { dragThreshold, paintHandle, paintNote } from "./marks.js";
import { distance, objectOf, rectBetween, rounded } from "./shapes.js";

/** A tool that makes a shape of two places: the press and the release of a drag, or two clicks. */
class TwoPlaceTool extends DrawingTool {
  constructor(editor) {
    super(editor);
    this.from = null; // the first place, picture px
    this.press = null; // the pressed pointer's event
  }

  get begun() {
    return this.from !== null;
  }

  get pressed() {
    return this.press !== null;
  }

  /** The pointer is taken away: a drag is over, the first of two clicks stays. */
  stop() {
    if (this.isFirst) this.from = null;
    this.press = null;
    super.stop();
  }

  left() {
    this.from = null;
  }

  /** Whether a press is going on that may become a drag, or the first of two clicks. */
  get isFirst() {
    return this.press !== null && !this.second;
  }

  /** The first of two clicks as JSON; null if there is none. */
  draft() {
    if (!this.from || this.isFirst) return null;
    return { tool: this.constructor.name, class_name: this.editor.className ?? null, points: [this.from] };
  }

  restore(draft) {
    super.restore();
    this.from = draft?.points?.[0] ?? null;
    this.press = null;
    this.editor.view.redrawOverlay();
  }

  reset() {
    const had = this.from;
    this.from = this.press = null;
    if (had) this.keepDraft();
    this.editor.view.redrawOverlay();
  }

  down(e) {
    this.press = e;
    this.second = this.begun; // a second click ends the shape, where it is let go
    if (!this.begun) this.from = this.place(e);
  }

  up(e) {
    const { press } = this;
    this.press = null;
    if (!press) return;
    const dragged = distance([e.sx, e.sy], [press.sx, press.sy]) > dragThreshold(e.event);
    if (!dragged && !this.second) {
      this.keepDraft();
      return;
    }
    this.finish(e);
  }

  cancelled() {
    if (this.isFirst) this.reset();
    this.press = null;
  }

  finish(e) {
    const shape = this.shapeTo(this.place(e), Boolean(e.event?.shiftKey));
    if (!this.isLargeEnough(shape)) {
      this.second = false;
      this.keepDraft();
      this.editor.say("That is too small for a shape: click the opposite side, or press Esc", "warning");
      return;
    }
    this.from = this.press = null;
    this.editor.newRegion(shape);
    this.keepDraft();
  }

  drawingKey(event) {
    if (!this.begun) return false;
    const undo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !event.shiftKey;
    if (undo || ["Escape", "Backspace", "Delete"].includes(event.key)) {
      this.reset();
      return true;
    }
    if (event.key === "Enter" && !event.shiftKey && this.pointer) {
      this.finish(this.pointer);
      return true;
    }
    return false;
  }

  paintDrawing(context, view) {
    if (!this.begun) return;
    const colour = this.editor.colourOf(this.editor.className ?? null);
    if (this.pointer) {
      const to = this.place(this.pointer), shape = this.shapeTo(to, Boolean(this.pointer.event?.shiftKey));
      const region = { id: "", shape, class_name: this.editor.className };
      if (this.isLargeEnough(shape)) {
        drawObject(context, view.camera, objectOf(region, this.editor), { opacity: 0.15, width: 2.5 });
      }
      paintNote(context, this.words(shape), [this.pointer.sx, this.pointer.sy], view);
    }
    paintHandle(context, view.camera.toScreen(this.from), { hot: true, colour });
  }

  // What the shapes differ in

  shapeTo() {}
  isLargeEnough() {}
  words() {}
}

/** A rectangle from corner to corner; Shift makes a square. */
export class RectTool extends TwoPlaceTool {
  static name = "rect";
  static label = "Box";
  static icon = "rectangle";
  static key = "b";
  static hint = "Drag, or click two corners; Shift makes a square";

  shapeTo(to, even) {
    return rectBetween(this.from, to, even);
  }

  isLargeEnough({ width, height }) {
    return width > 0 && height > 0;
  }

  words({ width, height }) {
    return `${width} x ${height} px`;
  }
}

/** A circle from its centre outwards. */
export class CircleTool extends TwoPlaceTool {
  static name = "circle";
  static label = "Circle";
  static icon = "circle";
  static key = "o";
  static hint = "Drag from the centre, or click the centre and the edge";

  shapeTo(to) {
    return { kind: "circle", cx: this.from[0], cy: this.from[1], r: rounded(distance(this.from, to)) };
  }

  isLargeEnough({ r }) {
    return r > 0;
  }

  words({ r }) {
    return `radius ${r} px`;
  }
}

/** An ellipse in the box of a drag; Shift makes it round. */
export class EllipseTool extends TwoPlaceTool {
  static name = "ellipse";
  static label = "Ellipse";
  static icon = "adjust";
  static key = "e";
  static hint = "Drag, or click two corners; then turn it by the handle above it";

  shapeTo(to, even) {
    const { x, y, width, height } = rectBetween(this.from, to, even);
    const [rx, ry] = [rounded(width / 2), rounded(height / 2)];
    return { kind: "ellipse", cx: rounded(x + width / 2), cy: rounded(y + height / 2), rx, ry, theta: 0 };
  }

  isLargeEnough({ rx, ry }) {
    return rx > 0 && ry > 0;
  }

  words({ rx, ry }) {
    return `${rounded(2 * rx)} x ${rounded(2 * ry)} px`;
  }
}

/** A single point, one with each click. */
export class PointTool extends DrawingTool {
  static name = "point";
  static label = "Point";
  static icon = "location_on";
  static key = "t";
  static hint = "Each click is a point";

  constructor(editor) {
    super(editor);
    this.press = null;
  }

  get pressed() {
    return this.press !== null;
  }

  down(e) {
    this.press = e;
  }

  up() {
    if (!this.press) return;
    const [cx, cy] = this.place(this.press);
    this.press = null;
    this.editor.newRegion({ kind: "point", cx, cy });
  }

  cancelled() {
    this.press = null;
  }
}
