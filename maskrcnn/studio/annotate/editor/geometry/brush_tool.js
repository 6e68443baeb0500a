// The brush and the eraser: a round stroke is added to a region, or taken from it. While painting, the browser shows
// the stroke; on release the server computes the new outline.

import { drawObject } from "../../../components/picture/object_drawing.js";
import { dragThreshold } from "../marks.js";
import { distance, newId, objectOf, roundedPoint, withShape } from "../shapes.js";
import { hasArea, selectedAreas } from "./operations.js";

const STEP = 1; // CSS px between the points of a stroke
const FIRST_RADIUS = 12; // CSS px of the first brush
const RADII = [0.5, 2000]; // picture px
const FACTOR = 1.15; // of one step of the size
const ACCIDENT = 250; // ms: a stroke that is cancelled earlier was the first finger of two
const WAITS = [500, 1000, 2000, 4000]; // ms until a stroke is sent again while there is no connection

const sizes = new WeakMap(); // editor -> radius in picture px, of brush and eraser

/** What brush and eraser share. */
class StrokeTool {
  constructor(editor) {
    this.editor = editor;
    this.stroke = null; // {points, start, last, isDrag, time} while the pointer is pressed
    this.waiting = []; // strokes that the server has not answered yet: {points, radius, id, doc}
    this.pointer = null;
    this.onWheel = (event) => this.wheel(event);
    // A stroke is no region before the server has computed its outline, so nothing keeps it when the page ends.
    window.addEventListener("beforeunload", (event) => {
      if (this.waiting.some(({ isOver }) => !isOver)) event.preventDefault();
    }, { signal: editor.stopped.signal });
  }

  get erases() {
    return this.constructor.erases;
  }

  get radius() {
    return sizes.get(this.editor) ?? FIRST_RADIUS / this.editor.view.camera.scale;
  }

  set radius(value) {
    const least = Math.max(RADII[0], 0.5 / this.editor.view.camera.scale);
    sizes.set(this.editor, Math.max(least, Math.min(RADII[1], value)));
    this.editor.view.redrawOverlay();
  }

  start() {
    if (!sizes.has(this.editor)) sizes.set(this.editor, this.radius); // from now on in picture px
    this.editor.view.element.addEventListener("wheel", this.onWheel, { capture: true, passive: false });
  }

  stop() {
    this.editor.view.element.removeEventListener("wheel", this.onWheel, { capture: true });
    this.pointerup();
    this.pointer = null;
  }

  draft() {
    return null;
  }

  restore() {
    this.stroke = null;
  }

  /** Alt + wheel changes the size of the brush. */
  wheel(event) {
    if (!event.altKey) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.radius *= event.deltaY < 0 ? FACTOR : 1 / FACTOR;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "{" || event.key === "}") {
      this.radius *= event.key === "}" ? FACTOR : 1 / FACTOR;
      return true;
    }
    if (event.key !== "Escape") return false;
    if (this.stroke) this.pointercancel();
    else if (this.waiting.some((stroke) => stroke.isAlone)) this.giveUp();
    else if (this.editor.hasSelection) this.editor.doc.select([]);
    else return false;
    return true;
  }

  pointerdown(e) {
    if (e.event?.button) return;
    this.pointer = e;
    const at = [e.sx, e.sy];
    this.stroke = { points: [this.place(e)], start: at, last: at, isDrag: false, time: performance.now() };
    this.editor.view.redrawOverlay();
  }

  pointermove(e) {
    this.pointer = e;
    if (this.stroke && e.event?.buttons === 0) this.pointerup(); // a lost release
    else if (this.stroke && distance([e.sx, e.sy], this.stroke.last) >= STEP) {
      this.stroke.last = [e.sx, e.sy];
      this.stroke.points.push(this.place(e));
      if (distance(this.stroke.start, this.stroke.last) > dragThreshold(e.event)) this.stroke.isDrag = true;
    }
    this.editor.view.redrawOverlay();
  }

  pointerup(e = null) {
    const { stroke, editor } = this;
    this.stroke = null;
    if (!stroke || !editor.doc) return;
    if (e && distance([e.sx, e.sy], stroke.last) > 0) stroke.points.push(this.place(e));
    this.add({ points: stroke.points, radius: this.radius, doc: editor.doc, className: editor.className });
    editor.view.redrawOverlay();
  }

  /** Esc drops the stroke; a longer one that a second finger or a lost pen ends stays, as far as it was painted. */
  pointercancel(e = null) {
    const { stroke } = this, isByHand = e?.event?.isTrusted; // else the Esc of the keyboard cursor
    if (isByHand && stroke?.isDrag && performance.now() - stroke.time >= ACCIDENT) this.pointerup();
    this.stroke = null;
    this.editor.view.redrawOverlay();
  }

  leave() {
    if (!this.stroke) this.pointer = null;
    this.editor.view.redrawOverlay();
  }

  cursor() {
    return "none";
  }

  place(e) {
    return roundedPoint([e.x, e.y]);
  }

  // Strokes become edits, one after the other

  add(stroke) {
    this.waiting.push(stroke);
    if (this.waiting.length === 1) this.work();
  }

  /** Send the strokes in order. One without an answer is sent again until there is a connection; it stays visible. */
  async work() {
    while (this.waiting.length) {
      const [stroke] = this.waiting;
      for (let tries = 0; !stroke.isOver; tries++) {
        try {
          await this.apply(stroke);
          break;
        } catch (error) {
          if (error.status !== undefined && !error.mayPass) {
            this.editor.say(`${this.constructor.label}: ${error.message}`, "problem");
            break;
          }
          if (this.editor.stopped.signal.aborted) return;
          stroke.isAlone = true;
          this.editor.say(
            "No connection: the stroke is added when there is one again, if the page stays open; Esc gives it up",
            "problem",
          );
          await new Promise((resolve) => setTimeout(resolve, WAITS[Math.min(tries, WAITS.length - 1)]));
        }
      }
      if (stroke.isAlone) this.editor.say("");
      this.waiting.shift();
      this.editor.view.redrawOverlay();
    }
  }

  giveUp() {
    for (const stroke of this.waiting) stroke.isOver = true;
    this.editor.view.redrawOverlay();
  }

  /** Apply a stroke to its regions. It is computed again if a region changes while the server computes. */
  async apply(stroke) {
    const { editor } = this, { doc } = stroke;
    stroke.ids ??= this.targets(stroke);
    if (this.erases && !stroke.ids.length) {
      editor.say("The eraser touches no region; select one", "warning");
      return;
    }
    const put = [], remove = [], before = [];
    for (const id of stroke.ids.length ? stroke.ids : [null]) {
      const region = id === null ? null : doc.region(id);
      if (id !== null && !region) continue;
      const answer = await this.ask(stroke, region);
      if (stroke.isOver) return;
      if (!answer.changed) continue;
      if (region) before.push(region);
      if (region && answer.shape) put.push(withShape(region, answer.shape));
      else if (region) remove.push(region.id);
      else if (answer.shape) this.addRegion(stroke, answer.shape);
    }
    if (before.some((region) => doc.region(region.id) !== region)) {
      await this.apply(stroke);
      return;
    }
    if (put.length || remove.length) doc.change({ put, remove }, this.erases ? "erase" : "paint");
    if (remove.length) editor.say("Nothing is left of the region; Ctrl+Z brings it back");
  }

  addRegion({ doc, className }, shape) {
    if (doc === this.editor.doc) this.editor.newRegion(shape);
    else doc.change({ put: [{ id: newId(), shape, class_name: className }] }, "paint");
  }

  ask({ points, radius, doc }, region) {
    const { camera } = this.editor.view;
    const frame = doc.picture ? [doc.picture.width, doc.picture.height] : [camera.pictureWidth, camera.pictureHeight];
    const body = { shape: region?.shape ?? null, line: points, radius, erase: this.erases, frame };
    return this.editor.server.post("geometry/brush", body, { patience: 60000 });
  }

  // Drawing

  paint(context, view) {
    const { editor } = this;
    for (const region of selectedAreas(editor)) {
      const object = { ...objectOf(region, editor), points: undefined };
      drawObject(context, view.camera, object, { opacity: 0.2, width: 2.5 });
    }
    const colour = this.erases ? "#ffffff" : this.colour();
    for (const { points, radius, doc, isOver } of this.waiting) {
      if (doc === editor.doc && !isOver) paintStroke(context, view.camera, points, radius, colour, this.erases);
    }
    if (this.stroke) paintStroke(context, view.camera, this.stroke.points, this.radius, colour, this.erases);
    const { erases, pointer, radius } = this;
    if (pointer) paintRing(context, [pointer.sx, pointer.sy], radius * view.camera.scale, erases);
  }

  colour() {
    const [region] = selectedAreas(this.editor);
    return this.editor.colourOf(region ? region.class_name ?? null : this.editor.className);
  }
}

/** The brush adds the stroke to the selected region; without one, the stroke is a new region. */
export class BrushTool extends StrokeTool {
  static name = "brush";
  static label = "Brush";
  static icon = "brush";
  static key = "w";
  static erases = false;
  static hint = "Paint: adds to the selected region, or begins a new one. Alt + wheel, { and } change the size";

  targets() {
    return selectedAreas(this.editor).slice(0, 1).map(({ id }) => id);
  }
}

/** The eraser takes the stroke from the selected regions; without any, from the one on top where it begins. */
export class EraserTool extends StrokeTool {
  static name = "eraser";
  static label = "Eraser";
  static icon = "ink_eraser";
  static key = "x";
  static erases = true;
  static hint = "Erase from the selected regions, or from the one under the stroke. "
    + "Alt + wheel, { and } change the size";

  targets({ points }) {
    const { editor } = this, selected = selectedAreas(editor);
    if (selected.length || editor.hasSelection) return selected.map(({ id }) => id);
    const { doc, view } = editor;
    const ids = view.objectsAt(...view.camera.toScreen(points[0]), this.radius * view.camera.scale);
    return ids.filter((id) => doc.region(id) && hasArea(doc.region(id)) && !doc.locked.has(id)).slice(0, 1);
  }
}

function paintStroke(context, camera, points, radius, colour, erases) {
  const screen = points.map((point) => camera.toScreen(point));
  context.save();
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = 2 * radius * camera.scale;
  context.strokeStyle = colour;
  context.globalAlpha = erases ? 0.55 : 0.45;
  context.beginPath();
  screen.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  if (screen.length === 1) context.lineTo(screen[0][0] + 0.01, screen[0][1]);
  context.stroke();
  context.restore();
}

function paintRing(context, [x, y], radius, erases) {
  context.save();
  context.beginPath();
  context.arc(x, y, Math.max(1, radius), 0, 2 * Math.PI);
  context.lineWidth = 3;
  context.strokeStyle = "rgba(0, 0, 0, 0.75)";
  context.stroke();
  context.lineWidth = 1.4;
  context.strokeStyle = "#ffffff";
  if (erases) context.setLineDash([4, 3]);
  context.stroke();
  context.restore();
}
