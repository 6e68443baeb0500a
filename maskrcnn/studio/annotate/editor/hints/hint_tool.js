// A box becomes an outline, which clicks and scribbles refine. Enter accepts it, Esc drops it.

import { drawObject } from "../../../components/picture/object_drawing.js";
import { hasArea } from "../geometry/operations.js";
import { dragThreshold, paintFrame, paintHandle, paintLine } from "../marks.js";
import { bounds, distance, objectOf, rectBetween, roundedPoint, withShape } from "../shapes.js";
import { HintRequests } from "./hint_requests.js";

const STEP = 3; // CSS px between points of a scribble
const INSIDE = "#25c36a", OUTSIDE = "#ff5a36";
const SLIDER_PAUSE = 60; // milliseconds

/**
 * The tool. `way` is how outlines are made: "colours" or the key of a network. `shape` is the outline that is shown, or
 * null; `found` what the server found. Dispatches "state" of the editor when they change.
 */
export class HintTool {
  static name = "hint";
  static label = "Outline from a box";
  static icon = "auto_fix_high";
  static key = "shift+b";
  static hint = "Drag a box around an object; then click on it to add, Alt + click to take away, Enter to accept";

  constructor(editor) {
    this.editor = editor;
    this.requests = new HintRequests(editor);
    this.way = "colours";
    this.turn = 0;
    this.forget();
  }

  forget() {
    this.turn += 1;
    this.requests.stop();
    this.box = null; // [x0, y0, x1, y1]
    this.region = null; // the region that is outlined or refined, as it was
    this.strokes = []; // {points, outside}, in order
    this.found = null; // {shape, simple, class_name, score}
    this.shape = null;
    this.words = "";
    this.pressed = null; // {from: e, points, outside, rect}
  }

  /** Whether there is a box or an outline that is neither accepted nor dropped. */
  get begun() {
    return this.box !== null || this.region !== null;
  }

  changed() {
    this.editor.keepDraft();
    this.editor.view.redrawOverlay();
    this.editor.emit("state");
  }

  drop() {
    this.forget();
    this.changed();
  }

  start() {}

  stop() {
    this.pressed = null;
    if (this.region) this.drop(); // its region is kept; a box stays as a draft
  }

  draft() {
    if (!this.box || this.region) return null;
    const { box, strokes } = this;
    return { tool: HintTool.name, class_name: this.editor.className ?? null, points: [], box, strokes };
  }

  restore(draft) {
    this.forget();
    if (Array.isArray(draft?.box)) {
      this.box = draft.box;
      this.strokes = draft.strokes ?? [];
      this.ask();
    }
    this.editor.view.redrawOverlay();
  }

  // Outlines

  /** Outline the object in a selected box, or refine a selected outline with the next strokes. */
  takeRegion(region) {
    this.forget();
    this.region = region;
    if (region.shape.kind === "rect") {
      const [x, y, width, height] = bounds(region);
      this.box = [x, y, x + width, y + height];
      this.ask();
    }
    this.changed();
  }

  setWay(way) {
    this.way = way;
    if (this.begun && (this.box || this.strokes.length)) this.ask();
  }

  async ask() {
    const turn = this.turn += 1, { doc } = this.editor;
    const lines = (outside) => this.strokes.filter((stroke) => stroke.outside === outside).map(({ points }) => points);
    const found = await this.requests.run("hints/box", {
      picture: doc.id, way: this.way, box: this.box, shape: this.box ? null : this.region.shape,
      class_name: this.region?.class_name ?? this.editor.className ?? null,
      strokes: { inside: lines(false), outside: lines(true) },
    }, "Outlining");
    if (turn !== this.turn) return;
    if (found) {
      this.found = found;
      this.shape = found.simple;
      this.words = "";
      this.editor.say(this.saysWhat(found));
    }
    this.editor.view.redrawOverlay();
    this.editor.emit("state");
    if (this.isAccepting) this.accept();
  }

  saysWhat({ class_name: name, score }) {
    const sure = name === null ? "" : `the network sees ${name} (${score.toFixed(2)}); `;
    return `Outline: ${sure}click to add, Alt + click to take away, Enter accepts, Esc drops`;
  }

  /** Simplify what was found to a tolerance in picture px. Only the last of several calls counts. */
  async simplify(tolerance) {
    const { found } = this, turn = this.simplifying = {};
    await new Promise((resolve) => setTimeout(resolve, SLIDER_PAUSE));
    if (turn !== this.simplifying || found !== this.found || !found) return;
    try {
      const answer = await this.editor.server.post("geometry/simplify", { shape: found.shape, tolerance });
      if (turn !== this.simplifying || found !== this.found) return;
      this.shape = answer.shape;
      this.words = `${answer.vertices} ${answer.vertices === 1 ? "vertex" : "vertices"}, IoU ${answer.iou.toFixed(3)}`;
      this.editor.view.redrawOverlay();
      this.editor.emit("state");
    } catch (error) {
      this.editor.say(error.message, "warning");
    }
  }

  /** Make a region of the outline, or give it to the region that it began with. */
  accept() {
    const { editor, region, shape } = this, { doc } = editor;
    this.isAccepting = this.requests.isRunning;
    if (this.isAccepting) return; // as soon as the answer is there
    if (!shape) {
      editor.say("There is no outline yet; drag a box around the object", "warning");
      return;
    }
    this.forget();
    if (region && doc.region(region.id)) {
      doc.change({ put: [withShape(doc.region(region.id), shape)] }, "outline from a box");
      doc.select([region.id]);
    } else {
      editor.newRegion(shape);
    }
    this.changed();
  }

  // Pointer

  pointerdown(e) {
    if (e.event?.button || !this.editor.doc) return;
    const isBox = !this.begun && !this.selected || e.event?.shiftKey;
    const place = roundedPoint([e.x, e.y]);
    const outside = Boolean(e.event?.altKey);
    this.pressed = { from: e, points: [place], last: [e.sx, e.sy], outside, isBox, moved: false };
  }

  /** The selected region with an area, if exactly one region is selected: a click refines it. */
  get selected() {
    const [region, more] = this.editor.selectedRegions();
    return region && !more && hasArea(region) ? region : null;
  }

  pointermove(e) {
    const { pressed } = this;
    if (!pressed) return;
    const here = [e.sx, e.sy];
    if (distance(here, [pressed.from.sx, pressed.from.sy]) > dragThreshold(e.event)) pressed.moved = true;
    if (pressed.isBox) pressed.points[1] = roundedPoint([e.x, e.y]);
    else if (pressed.moved && distance(here, pressed.last) >= STEP) {
      pressed.points.push(roundedPoint([e.x, e.y]));
      pressed.last = here;
    }
    this.editor.view.redrawOverlay();
  }

  pointerup(e) {
    const { pressed } = this;
    this.pointermove(e);
    this.pressed = null;
    if (!pressed) return;
    if (pressed.isBox) this.takeBox(pressed);
    else this.takeStroke(pressed);
    this.editor.view.redrawOverlay();
  }

  pointercancel() {
    this.pressed = null;
    this.editor.view.redrawOverlay();
  }

  takeBox({ points: [from, to], moved }) {
    const { x, y, width, height } = rectBetween(from, to ?? from);
    if (!moved || width < 1 || height < 1) {
      this.editor.say("Drag a box around the object", "warning");
      return;
    }
    this.forget();
    this.editor.doc.select([]);
    this.box = [x, y, x + width, y + height];
    this.ask();
    this.changed();
  }

  takeStroke({ points, outside }) {
    if (!this.begun) {
      this.region = this.selected;
      if (!this.region) return;
    }
    this.strokes.push({ points, outside });
    this.ask();
    this.changed();
  }

  /** Take back the last stroke, or else the box. */
  back() {
    if (!this.begun) return false;
    if (this.strokes.pop() && (this.box || this.strokes.length)) this.ask();
    else this.forget();
    this.changed();
    return true;
  }

  doubleclick() {}

  leave() {}

  cursor() {
    return this.begun ? "cell" : "crosshair";
  }

  key(event) {
    const control = event.ctrlKey || event.metaKey, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!this.begun) return false;
    if (control) return key === "z" && !event.shiftKey && this.back();
    if (event.altKey) return false;
    if ((key === "Enter" || key === "a") && !event.shiftKey) this.accept();
    else if (key === "Escape") this.drop();
    else if (key === "Backspace" || key === "Delete") this.back();
    else return false;
    return true;
  }

  // Drawing

  paint(context, view) {
    const { camera } = view, { pressed } = this;
    const frame = (box) => {
      const [x0, y0] = camera.toScreen(box.slice(0, 2)), [x1, y1] = camera.toScreen(box.slice(2));
      paintFrame(context, [x0, y0, x1 - x0, y1 - y0]);
    };
    if (pressed?.isBox && pressed.points[1]) {
      const { x, y, width, height } = rectBetween(...pressed.points);
      frame([x, y, x + width, y + height]);
    } else if (this.box) frame(this.box);
    if (this.shape) {
      const className = this.region?.class_name ?? this.editor.className;
      const drawn = objectOf({ id: "hint", shape: this.shape, class_name: className }, this.editor);
      drawObject(context, camera, { ...drawn, style: "dashed" }, { opacity: 0.25, width: 2.5 });
    }
    for (const { points, outside } of [...this.strokes, ...(pressed && !pressed.isBox ? [pressed] : [])]) {
      const screen = points.map((point) => camera.toScreen(point)), colour = outside ? OUTSIDE : INSIDE;
      paintLine(context, screen, { colour, dash: outside ? [3, 3] : [] });
      paintHandle(context, screen[0], { form: outside ? "square" : "round", hot: true, colour });
    }
  }
}
