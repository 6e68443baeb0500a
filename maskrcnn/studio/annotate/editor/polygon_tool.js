/*
 * Polygons and lines, vertex by vertex or freehand. A click always adds a vertex, wherever it is; only a click on the
 * first handle, a double click at one place, or Enter ends the outline.
 */

import { DrawingTool } from "./drawing_tool.js";
import { dragThreshold, paintHandle, paintLine, paintNote, paintReach } from "./marks.js";
import { meantPlace } from "./region_editing.js";
import { area, distance } from "./shapes.js";
import { TracedEdges } from "./traced_edges.js";

const FREEHAND_STEP = 2; // CSS px between vertices of a stroke
const CLOSING_RADIUS = [1, 8]; // CSS px; between them 0.4 of the shortest edge, so that dense outlines are not closed
const SAME_AS_FIRST = 2; // CSS px: a closing click farther from the first vertex is a vertex too
const SAME_PLACE = 0.5; // CSS px between the clicks of a double click by mouse: real vertices are 1 px apart
const SAME_PLACE_BY_HAND = 3; // CSS px, by pen or finger
const ACCIDENT = 250; // ms: a stroke that is cancelled earlier was the first finger of two

export class PolygonTool extends DrawingTool {
  static name = "polygon";
  static label = "Polygon";
  static icon = "polyline";
  static key = "p";
  static hint = "Click or drag; Enter, a double click or the first vertex closes; Backspace takes back, Esc cancels";
  static closed = true;

  constructor(editor) {
    super(editor);
    this.points = []; // vertices so far
    this.steps = []; // how many vertices each step added
    this.undone = []; // vertices taken back, as steps [[x, y], ...], the last first to come again
    this.given_up = null; // the outline that Esc cancelled
    this.stroke = null; // {e, time, freehand, count} of a pressed pointer; {e, closes} on the first handle
    this.traced = new TracedEdges(this);
    this.ended = null; // where the last outline was ended: its first vertex if that was clicked
    this.lastPress = null; // the pointer event of the last press that drew
  }

  get closed() {
    return this.constructor.closed;
  }

  get least() {
    return this.closed ? 3 : 2;
  }

  get begun() {
    return this.points.length > 0;
  }

  get pressed() {
    return this.stroke !== null;
  }

  stop() {
    this.stroke = null;
    this.traced.withdraw();
    super.stop();
  }

  /** The unfinished outline as JSON; null if there is none. */
  draft() {
    if (!this.begun) return null;
    return { tool: this.constructor.name, class_name: this.editor.className ?? null, points: this.points };
  }

  /** Go on with a draft; null begins with nothing. */
  restore(draft) {
    super.restore();
    this.points = draft?.points?.slice() ?? [];
    this.steps = this.points.map(() => 1);
    this.undone = [];
    this.traced.clear();
    this.given_up = this.stroke = this.ended = null;
    this.editor.view.redrawOverlay();
  }

  // Pointer

  /** The radius in CSS px in which a click on the first vertex closes the outline. */
  get closingRadius() {
    let shortest = Infinity;
    for (let i = 1; i < this.points.length; i++) {
      shortest = Math.min(shortest, distance(this.points[i - 1], this.points[i]));
    }
    const [least, most] = CLOSING_RADIUS;
    return Math.max(least, Math.min(most, 0.4 * shortest * this.editor.view.camera.scale));
  }

  isOnFirst(e) {
    if (!this.closed || this.points.length < this.least) return false;
    return distance(this.editor.view.camera.toScreen(this.points[0]), [e.sx, e.sy]) <= this.closingRadius;
  }

  /** Whether a click that closes the outline is a vertex too. */
  isVertexToo(e) {
    return distance(this.editor.view.camera.toScreen(this.points[0]), [e.sx, e.sy]) > SAME_AS_FIRST;
  }

  /** The hand over the first vertex says that a click closes. */
  cursor(e) {
    return this.isOnFirst(e) ? "pointer" : super.cursor(e);
  }

  down(e) {
    this.lastPress = e;
    if (this.isOnFirst(e)) {
      this.stroke = { e, closes: true }; // it may still be the first finger of two
      return;
    }
    const count = this.points.length;
    this.stroke = { e, time: performance.now(), freehand: false, count, undone: this.undone, last: [e.sx, e.sy] };
    this.addPlace(e);
  }

  addPlace(e) {
    const place = this.place(e), from = this.points.at(-1);
    this.add([place]);
    if (from) this.traced.between(from, place);
  }

  moved(e) {
    const { stroke } = this;
    if (!stroke) {
      this.traced.propose(e);
      return;
    }
    if (stroke.closes) return;
    const here = [e.sx, e.sy];
    if (!stroke.freehand && distance(here, [stroke.e.sx, stroke.e.sy]) > dragThreshold(e.event)) stroke.freehand = true;
    if (stroke.freehand && distance(here, stroke.last) >= FREEHAND_STEP) {
      stroke.last = here;
      this.add([this.place(e)], false);
    }
  }

  up(e) {
    const { stroke } = this;
    if (!stroke) return;
    this.stroke = null;
    if (stroke.closes) {
      if (this.isVertexToo(stroke.e)) this.addPlace(stroke.e); // no click is dropped
      this.finish();
      return;
    }
    if (stroke.freehand && distance([e.sx, e.sy], stroke.last) >= FREEHAND_STEP) this.add([this.place(e)], false);
    this.keepDraft();
  }

  /** A second finger or a lost pointer: the vertex of the press goes; of a longer stroke, what was drawn stays. */
  cancelled() {
    const { stroke } = this;
    if (!stroke) return;
    this.stroke = null;
    if (stroke.closes) return;
    if (!stroke.freehand || performance.now() - stroke.time < ACCIDENT) {
      while (this.points.length > stroke.count) this.points.splice(-this.steps.pop());
      this.undone = stroke.undone;
    }
    this.keepDraft();
  }

  doubleclick(e) {
    const { pointerType } = this.lastPress?.event ?? {}, byHand = pointerType === "pen" || pointerType === "touch";
    const together = (e.apart ?? 0) <= (byHand ? SAME_PLACE_BY_HAND : SAME_PLACE);
    if (!this.begun || !together) return; // else two vertices that are close together
    if (this.points.length === 1) {
      if (this.ended && distance(this.ended, this.points[0]) * this.editor.view.camera.scale <= 8) this.reset();
      return; // its first click ended the outline before
    }
    this.points.splice(-this.steps.pop()); // the vertex of the second click
    if (!this.finish()) this.keepDraft();
  }

  // The outline

  /** Add vertices as one step. */
  add(points, keep = true) {
    this.points.push(...points);
    this.steps.push(points.length);
    this.undone = [];
    this.given_up = null;
    this.traced.withdraw();
    this.follow();
    if (keep) this.keepDraft();
    this.editor.view.redrawOverlay();
  }

  /** While an outline is drawn, remember the document: an undo of it comes later than an undo of the outline. */
  follow() {
    this.regionsThen = this.editor.doc.regions;
  }

  /** Take back the last step. Returns whether there was one. */
  back() {
    if (!this.begun) return false;
    this.undone.push(this.points.splice(-this.steps.pop()));
    this.traced.withdraw();
    this.keepDraft();
    return true;
  }

  /** Give back the step that was taken back last. Returns whether there was one. */
  again() {
    const step = this.undone.pop();
    if (!step) return false;
    this.points.push(...step);
    this.steps.push(step.length);
    this.keepDraft();
    return true;
  }

  /** Give the outline up; Ctrl+Z brings it back. */
  giveUp() {
    if (!this.begun) return false;
    this.given_up = { points: this.points, steps: this.steps };
    this.follow();
    this.points = [];
    this.steps = [];
    this.undone = [];
    this.stroke = null;
    this.traced.withdraw();
    this.keepDraft();
    this.editor.say("Outline cancelled; Ctrl+Z brings it back", "info");
    return true;
  }

  comeBack() {
    if (this.begun || !this.given_up || this.editor.doc.regions !== this.regionsThen) return false;
    ({ points: this.points, steps: this.steps } = this.given_up);
    this.given_up = null;
    this.keepDraft();
    return true;
  }

  reset() {
    this.points = [];
    this.steps = [];
    this.undone = [];
    this.traced.clear();
    this.given_up = this.stroke = null;
    this.keepDraft();
    this.editor.view.redrawOverlay();
  }

  /** Make a region of the outline. Returns whether it has enough vertices. */
  finish() {
    if (this.points.length < this.least) {
      const kind = this.closed ? "polygon" : "line", count = this.points.length;
      this.editor.say(`A ${kind} needs ${this.least} vertices; this one has ${count}`, "warning");
      return false;
    }
    const { points: outline } = this;
    if (this.closed) this.traced.close();
    const late = this.traced.answers;
    this.ended = this.lastPress && [this.lastPress.x, this.lastPress.y];
    const region = this.editor.newRegion({ kind: this.closed ? "polygon" : "polyline", points: outline.slice() });
    this.reset();
    this.traced.takeLate(region, outline, late);
    return true;
  }

  drawingKey(event) {
    const control = event.ctrlKey || event.metaKey, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (control && key === "z" && !event.shiftKey) return this.back() || this.comeBack();
    if (control && (key === "y" || (key === "z" && event.shiftKey))) {
      if (!this.begun && this.editor.doc.regions !== this.regionsThen) return false;
      return this.again() || this.begun;
    }
    if (control || event.altKey) return false;
    if (key === "Enter" && !event.shiftKey && this.begun) {
      this.finish();
      return true;
    }
    if ((key === "Backspace" || key === "Delete") && this.begun) return this.back();
    if (key === "Escape") return this.giveUp();
    return false;
  }

  // Drawing

  /** Vertices and area of the outline for a person, with the place of the pointer as the next vertex. */
  words(next) {
    const count = this.points.length, vertices = count === 1 ? "1 vertex" : `${count} vertices`;
    if (!this.closed || count < 2) return vertices;
    const size = area({ kind: "polygon", points: next ? [...this.points, next] : this.points });
    return `${vertices}, ${Math.round(size).toLocaleString("en")} px²`;
  }

  /** What a click on the first handle does, for a person. */
  closingWords() {
    return this.isVertexToo(this.pointer) ? "Click adds a vertex here and closes" : "Click closes";
  }

  paintDrawing(context, view) {
    if (!this.begun) return;
    const { camera } = view, colour = this.editor.colourOf(this.editor.className ?? null);
    const screen = this.points.map((point) => camera.toScreen(point));
    const next = this.pointer && !this.stroke ? meantPlace(this.editor, this.pointer) : null;
    const ends = this.pointer && !this.stroke && this.isOnFirst(this.pointer);
    if (next) {
      const between = this.traced.proposed?.map((point) => camera.toScreen(point)) ?? [];
      const dash = between.length || ends ? [] : [5, 4], to = camera.toScreen(next);
      const isNext = !ends || this.isVertexToo(this.pointer);
      paintLine(context, [screen.at(-1), ...between, isNext ? to : screen[0]], { colour, dash });
      if (isNext && this.closed && screen.length > 1) {
        paintLine(context, [to, screen[0]], { colour, dash: ends ? [] : [2, 6] });
      }
    }
    paintLine(context, screen, { colour });
    let last = null;
    screen.forEach((at, i) => {
      if (i && i < screen.length - 1 && last && distance(at, last) < 6) return;
      last = at;
      const hot = (i === 0 && ends) || i === screen.length - 1;
      paintHandle(context, at, { hot, form: i === 0 ? "square" : "round", colour });
    });
    this.paintClosingReach(context, screen[0], colour);
    const words = ends ? this.closingWords() : this.words(next);
    if (this.pointer) paintNote(context, words, [this.pointer.sx, this.pointer.sy], view);
  }

  /** A finger has no hover: a ring around the first vertex shows where a tap closes. */
  paintClosingReach(context, first, colour) {
    const byFinger = this.lastPress?.event?.pointerType === "touch";
    if (!byFinger || !this.closed || this.points.length < this.least) return;
    paintReach(context, first, this.closingRadius, colour);
  }
}

/** An open line. */
export class LineTool extends PolygonTool {
  static name = "polyline";
  static label = "Line";
  static icon = "timeline";
  static key = "l";
  static hint = "Click or drag; Enter or a double click ends the line; Backspace takes back, Esc cancels";
  static closed = false;
}
