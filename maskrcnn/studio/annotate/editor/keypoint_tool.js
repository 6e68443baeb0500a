/*
 * Keypoints, by the names of the class's skeleton: each click places the next one. `v` says whether the next one is
 * visible or hidden, Tab leaves it out, `/` changes to its partner on the other side, and `=` takes the place that the
 * symmetry of what is placed proposes.
 */

import { drawObject } from "../../components/picture/object_drawing.js";
import { DrawingTool } from "./drawing_tool.js";
import { dragThreshold, paintHandle, paintLine, paintNote, reach } from "./marks.js";
import { roundedPoint, distance, keypointsOf, objectOf, withKeypoints } from "./shapes.js";
import { SkeletonChoice } from "./skeleton_choice.js";
import { mirroredAbout, partners, symmetryAxis } from "./skeletons.js";

const VISIBLE = 2;
const HIDDEN = 1;

export class KeypointTool extends DrawingTool {
  static name = "keypoints";
  static label = "Keypoints";
  static icon = "accessibility_new";
  static key = "k";
  static hint = "Click places the next keypoint; V hidden, Tab leaves it out, / other side, = by symmetry, Enter ends";

  constructor(editor) {
    super(editor);
    this.points = null; // [[x, y, visibility], ...] of the skeleton, while they are placed
    this.names = null; // of the skeleton that is placed
    this.next = 0; // place in the skeleton of the keypoint that the next click places
    this.done = []; // [{place, before, next}] of each step, for Ctrl+Z
    this.undone = [];
    this.visibility = VISIBLE;
    this.target = null; // id of the region that gets the keypoints beside its outline; null: a new region
    this.press = null;
    this.given_up = null;
    this.choice = new SkeletonChoice(editor, () => this.askOrSay());
    this.onTool = () => this.askOrSay();
  }

  get begun() {
    return this.points !== null;
  }

  get pressed() {
    return this.press !== null;
  }

  /** The skeleton {names, edges} of the chosen class; null if it has none. */
  get skeleton() {
    const { classes, className } = this.editor;
    return classes?.find((entry) => entry.name === className)?.skeleton ?? null;
  }

  start() {
    super.start();
    for (const name of ["classes", "class"]) this.editor.addEventListener?.(name, this.onTool);
    this.askOrSay();
  }

  stop() {
    for (const name of ["classes", "class"]) this.editor.removeEventListener?.(name, this.onTool);
    this.choice.close();
    this.press = null;
    super.stop();
  }

  /** Offer skeletons if the class has none, else say what the next click places. A class of others ends the figure. */
  askOrSay() {
    const isOther = this.begun && !this.fits(this.names);
    if (isOther) this.giveUp();
    if (this.skeleton?.names.length) {
      this.choice.close();
      if (!isOther) this.sayNext();
    } else if (this.editor.className) {
      this.choice.open(this.editor.className);
    } else {
      this.editor.say("Choose a class first: keypoints have the names of its skeleton", "info");
    }
  }

  /** Whether the skeleton of the chosen class has these names. */
  fits(names) {
    return JSON.stringify(names) === JSON.stringify(this.skeleton?.names);
  }

  draft() {
    if (!this.begun) return null;
    const { points, names, next, target, done, visibility } = this, { className } = this.editor;
    const figure = { points, names, next, target, done, visibility };
    return { tool: this.constructor.name, class_name: className ?? null, ...figure };
  }

  restore(draft) {
    super.restore();
    this.reset(false);
    const points = draft?.points, names = this.skeleton?.names;
    if (points?.length && points.length === names?.length && this.fits(draft.names ?? names)) {
      this.names = names;
      this.points = points.map((point) => [...point]);
      this.next = draft.next ?? 0;
      this.done = draft.done?.slice() ?? [];
      this.visibility = draft.visibility ?? VISIBLE;
      this.target = draft.target && this.editor.doc.region(draft.target) ? draft.target : null;
    }
    this.editor.view.redrawOverlay();
  }

  reset(keep = true) {
    this.points = this.names = this.press = this.target = this.given_up = null;
    this.next = 0;
    this.done = [];
    this.undone = [];
    this.visibility = VISIBLE;
    if (keep) this.keepDraft();
  }

  // Placing

  down(e) {
    if (!this.skeleton?.names.length) {
      this.askOrSay();
      return;
    }
    this.press = e;
  }

  up(e) {
    const { press } = this;
    this.press = null;
    if (!press) return;
    const moved = distance([press.sx, press.sy], [e.sx, e.sy]) > dragThreshold(e.event);
    const placed = this.placedAt(press);
    if (moved && placed !== null) { // a placed keypoint was dragged
      this.set(placed, [...this.place(e), this.points[placed][2]], this.next);
      return;
    }
    this.placeNext(this.place(press));
  }

  cancelled() {
    this.press = null;
  }

  /** The placed keypoint under the pointer while placing, as its place in the skeleton; else null. */
  placedAt(e) {
    if (!this.points) return null;
    const { camera } = this.editor.view;
    const found = this.points.findIndex(([x, y, v]) =>
      v > 0 && distance(camera.toScreen([x, y]), [e.sx, e.sy]) <= reach(e.event));
    return found < 0 ? null : found;
  }

  begin() {
    if (this.points) return;
    const count = this.skeleton.names.length, chosen = this.editing.regions;
    const [region] = chosen;
    const fits = chosen.length === 1 && !keypointsOf(region) && region.class_name === this.editor.className
      && ["polygon", "multipolygon", "rect", "circle", "ellipse", "rle"].includes(region.shape.kind);
    this.target = fits ? region.id : null;
    this.names = this.skeleton.names;
    this.points = Array.from({ length: count }, () => [0, 0, 0]);
    this.given_up = null;
  }

  placeNext(at) {
    this.begin();
    const place = this.next;
    this.set(place, [...roundedPoint(at), this.visibility], this.free(place));
    this.visibility = VISIBLE;
    this.finishIfDone();
  }

  /** One step: a keypoint gets a value, and another one is next. */
  set(place, value, next) {
    this.done.push({ place, before: this.points[place], next: this.next });
    this.undone = [];
    this.points[place] = value;
    this.next = next;
    this.passed = null;
    this.keepDraft();
    this.sayNext();
  }

  /** The first keypoint after a place that has not been placed; the number of names if there is none. */
  free(place) {
    const { names } = this.skeleton;
    for (let i = place + 1; i < names.length; i++) if (!this.points[i][2]) return i;
    for (let i = 0; i < place; i++) if (!this.points[i][2] && !this.isSkipped(i)) return i;
    return names.length;
  }

  isSkipped(place) {
    return this.done.some((step) => step.place === place);
  }

  skip() {
    if (!this.skeleton?.names.length) return;
    this.begin();
    this.set(this.next, [0, 0, 0], this.free(this.next));
    this.finishIfDone();
  }

  finishIfDone() {
    if (this.next >= this.skeleton.names.length) this.finish();
  }

  back() {
    const step = this.done.pop();
    if (!step) return false;
    this.undone.push({ place: step.place, value: this.points[step.place], next: this.next });
    this.points[step.place] = step.before;
    this.next = step.next;
    if (!this.done.length) {
      const { undone } = this;
      this.reset(false);
      this.undone = undone;
    }
    this.keepDraft();
    this.sayNext();
    return true;
  }

  again() {
    const step = this.undone.pop();
    if (!step) return false;
    const rest = this.undone;
    this.begin();
    this.set(step.place, step.value, step.next);
    this.undone = rest;
    this.finishIfDone();
    return true;
  }

  /** Make a region of what is placed; names that are left out are "not there". */
  finish() {
    const { points, target } = this;
    if (!points.some(([, , v]) => v > 0)) {
      this.editor.say("No keypoint is placed yet", "warning");
      this.next = 0;
      this.done = [];
      return;
    }
    const region = target && this.editor.doc.region(target);
    if (region) this.editor.doc.change({ put: [withKeypoints(region, points)] }, "add keypoints");
    else this.editor.newRegion({ kind: "keypoints", points });
    this.reset();
  }

  giveUp() {
    const { points, names, next, done, target } = this;
    this.reset();
    this.given_up = { points, names, next, done, target };
    this.regionsThen = this.editor.doc.regions;
    this.editor.say("Keypoints cancelled; Ctrl+Z brings them back", "info");
  }

  comeBack() {
    if (this.begun || !this.given_up || this.editor.doc.regions !== this.regionsThen) return false;
    const { given_up: figure } = this, { classChoice, classes } = this.editor;
    if (!this.fits(figure.names)) { // it was given up because another class was chosen
      const { names } = figure, wanted = JSON.stringify(names);
      const found = classes.find(({ skeleton }) => JSON.stringify(skeleton?.names) === wanted);
      if (!found) return false;
      classChoice.choose(found.name, false);
    }
    Object.assign(this, figure);
    this.given_up = null;
    this.keepDraft();
    this.sayNext();
    return true;
  }

  // Sides

  /** Where the next keypoint would be by symmetry, if its partner is placed; null if nothing says so. */
  proposal() {
    const { skeleton } = this;
    if (!this.points || !skeleton || this.next >= skeleton.names.length) return null;
    const other = partners(skeleton.names), partner = other[this.next];
    if (partner === this.next || !this.points[partner][2]) return null;
    const axis = symmetryAxis(this.points, other);
    return axis && roundedPoint(mirroredAbout(axis, this.points[partner]));
  }

  /** The next click places the partner on the other side; with nothing begun, the selection's sides are exchanged. */
  swapSides() {
    const { skeleton } = this;
    if (!skeleton) return false;
    const other = partners(skeleton.names);
    if (this.begun) {
      const partner = other[this.next];
      if (partner === this.next) {
        this.editor.say(`${this.nextName} has no partner on the other side`, "info");
        return true;
      }
      if (!this.points[partner][2]) this.next = partner;
      else this.points = this.points.map((_, place) => this.points[other[place]]);
      this.keepDraft();
      this.sayNext();
      return true;
    }
    const regions = this.editing.regions.filter((region) => keypointsOf(region)?.length === other.length);
    if (!regions.length) return false;
    const put = regions.map((region) => withKeypoints(region, other.map((place) => keypointsOf(region)[place])));
    this.editor.doc.change({ put }, "swap left and right");
    return true;
  }

  /** `v`: the keypoint under the pointer, else the next one, is visible or hidden. */
  changeVisibility() {
    const hit = this.editing.hot;
    if (!this.begun && hit?.kind === "handle" && hit.handle.kind === "keypoint") {
      const region = this.editor.doc.region(hit.region.id), points = keypointsOf(region).slice();
      const [x, y, v] = points[hit.handle.index];
      points[hit.handle.index] = [x, y, v === VISIBLE ? HIDDEN : VISIBLE];
      this.editor.doc.change({ put: [withKeypoints(region, points)] }, "visibility of a keypoint");
      return;
    }
    const placed = this.pointer && this.placedAt(this.pointer);
    if (placed !== null && placed !== undefined && this.points) {
      const [x, y, v] = this.points[placed];
      this.set(placed, [x, y, v === VISIBLE ? HIDDEN : VISIBLE], this.next);
      return;
    }
    this.visibility = this.visibility === VISIBLE ? HIDDEN : VISIBLE;
    this.sayNext();
  }

  sayNext() {
    const { skeleton } = this;
    if (!skeleton?.names.length) return;
    const state = this.visibility === HIDDEN ? " (hidden)" : "";
    const proposed = this.proposal() ? "; = takes the proposed place" : "";
    this.editor.say(`Next: ${this.nextName}${state}; V visible or hidden, Tab leaves it out${proposed}`, "info");
  }

  get nextName() {
    return this.skeleton?.names[this.next] ?? "";
  }

  drawingKey(event) {
    const control = event.ctrlKey || event.metaKey, key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (control && key === "z" && !event.shiftKey) return this.back() || this.begun || this.comeBack();
    if (control && (key === "y" || (key === "z" && event.shiftKey))) return this.again() || this.begun;
    if (control || event.altKey) return false;
    switch (key) {
      case "v": {
        const onKeypoint = this.editing.hot?.handle?.kind === "keypoint";
        if (!this.skeleton?.names.length && !onKeypoint) return false;
        this.changeVisibility();
        return true;
      }
      case "Tab":
        if (!this.begun) return false; // Tab goes to the next control of the page
        if (event.shiftKey) this.back();
        else this.skip();
        return true;
      case "/": return this.swapSides();
      case "=": {
        const at = this.proposal();
        if (at) this.placeNext(at);
        return Boolean(at);
      }
      case "Enter":
        if (!this.begun || event.shiftKey) return false;
        this.finish();
        return true;
      case "Backspace": case "Delete": return this.back() || this.begun;
      case "Escape":
        if (!this.begun) return false;
        this.giveUp();
        return true;
      default: return false;
    }
  }

  // Drawing

  paintDrawing(context, view) {
    const { skeleton } = this, { camera } = view;
    if (!skeleton?.names.length) return;
    const colour = this.editor.colourOf(this.editor.className ?? null);
    if (this.begun) {
      const region = { id: "", shape: { kind: "keypoints", points: this.points }, class_name: this.editor.className };
      drawObject(context, camera, objectOf(region, this.editor), {});
      const ghost = this.proposal();
      if (ghost) {
        const at = camera.toScreen(ghost), axis = symmetryAxis(this.points, partners(skeleton.names));
        const far = 4000, [ux, uy] = axis.along, [ax, ay] = camera.toScreen(axis.at);
        paintLine(context, [[ax - far * ux, ay - far * uy], [ax + far * ux, ay + far * uy]], { dash: [2, 8] });
        context.save();
        context.globalAlpha = 0.7;
        paintHandle(context, at, { colour });
        context.restore();
        paintNote(context, `= ${this.nextName}`, at, view);
      }
    }
    if (this.pointer && (this.begun || !this.editing.hot)) {
      const hidden = this.visibility === HIDDEN ? " (hidden)" : "";
      paintNote(context, this.nextName + hidden, [this.pointer.sx, this.pointer.sy], view);
    }
  }
}
