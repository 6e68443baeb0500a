// The canvas of the objects. Many objects are drawn in parts, over several frames, so that no frame takes long.

import { drawInPicture } from "./object_drawing.js";
import { geometryOf } from "./objects.js";

const SPACE = 10; // CSS px around an object's bounds that its lines and points can cover
const MOST_PATCHES = 40; // changed objects that are redrawn in their own places
const LEAST_BUDGET = 600, MOST_BUDGET = 200000; // cost of the objects that are drawn in one frame
const AIM = 18; // ms from frame to frame
const SLOW = 28; // ms

/** Estimated cost of drawing an object: what it costs to start one, and its vertices. */
function costOf(object) {
  const { rings } = geometryOf(object);
  let cost = 12 + 4 * (object.points?.length ?? 0);
  for (const { points } of rings) cost += points.length;
  return cost;
}

/** Where the picture was when something was drawn. */
function placeOf(camera) {
  const [x, y] = camera.origin;
  return { x, y, scale: camera.scale, ratio: camera.ratio };
}

function isSamePlace(a, b) {
  return a.x === b.x && a.y === b.y && a.scale === b.scale && a.ratio === b.ratio;
}

/** Keeps two canvases: the front one is seen; what takes long is drawn on the back one, and then they change places. */
export class ObjectLayer {
  #canvases;
  #front = 0;
  #scene = []; // objects back to front
  #lookOf = () => ({});
  #isChanged = false; // whether the scene is not the one that the front canvas shows
  #isAllChanged = true; // whether all of it has to be drawn again
  #drawn = null; // {place, objects: Map of id -> object} of the front canvas
  #job = null; // {place, camera, objects, scene, next} of the back canvas
  #budget = 4000;
  #probe = 0;

  /** @param {HTMLElement} parent of the canvases */
  constructor(parent) {
    this.#canvases = [0, 1].map(() => {
      const canvas = document.createElement("canvas");
      canvas.className = "picture-layer picture-layer-objects";
      canvas.style.cssText =
        "position:absolute;left:0;top:0;width:100%;height:100%;pointer-events:none;transform-origin:0 0";
      parent.append(canvas);
      return canvas;
    });
    this.#showFront();
  }

  /** The canvas that is seen. */
  get canvas() {
    return this.#canvases[this.#front];
  }

  /** Set the size of the canvases in device px; return whether it has changed. They are empty then. */
  resize(width, height) {
    if (this.canvas.width === width && this.canvas.height === height) return false;
    for (const canvas of this.#canvases) Object.assign(canvas, { width, height });
    this.#forget();
    return true;
  }

  /** Draw these objects from the next `draw` on. With `all`, looks may have changed, else only the objects. */
  setScene(objects, lookOf, all) {
    this.#scene = objects;
    this.#lookOf = lookOf;
    this.#isChanged = true;
    this.#isAllChanged ||= all;
  }

  /** Show nothing until the next `draw`. */
  clear() {
    this.#context(this.#front);
    this.#forget();
  }

  /** Draw, or go on with drawing, for a Camera. Return whether another frame is needed. */
  draw(camera) {
    const place = placeOf(camera);
    if (this.isFinishedAt(place)) return false;
    if (this.#isChanged && !this.#isAllChanged && this.#patch()) {
      this.#isChanged = false;
      this.#job = null; // it draws what was there before
      if (this.isFinishedAt(place)) return false;
    }
    const objects = visible(this.#scene, camera);
    const cost = objects.reduce((sum, object) => sum + costOf(object), 0);
    if (cost <= this.#budget) this.#drawAtOnce(place, objects, cost);
    else this.#drawPart(place, objects);
    this.#moveFront(place);
    return !this.isFinishedAt(place);
  }

  /** Stop measuring. */
  destroy() {
    cancelAnimationFrame(this.#probe);
  }

  /** Whether the front canvas shows the scene at this place of the picture. */
  isFinishedAt(place) {
    return Boolean(this.#drawn && !this.#isChanged && !this.#job && isSamePlace(this.#drawn.place, place));
  }

  #forget() {
    this.#drawn = null;
    this.#job = null;
    this.#isChanged = true;
    this.#isAllChanged = true;
  }

  #drawAtOnce(place, objects, cost) {
    const context = this.#context(this.#front), camera = this.#cameraAt(place);
    inPicture(context, place);
    for (const object of objects) drawInPicture(context, camera, object, this.#lookOf(object));
    this.#job = null;
    this.#isChanged = this.#isAllChanged = false;
    this.#drawn = { place, objects: byId(this.#scene) };
    this.#measure(cost);
  }

  /** Draw some more objects on the back canvas. Meanwhile the front canvas is moved and scaled to where it belongs. */
  #drawPart(place, objects) {
    if (!this.#job) {
      this.#context(1 - this.#front);
      this.#job = { place, camera: this.#cameraAt(place), objects, scene: this.#scene, next: 0 };
      this.#isChanged = this.#isAllChanged = false;
    }
    const job = this.#job, context = this.#canvases[1 - this.#front].getContext("2d");
    inPicture(context, job.place);
    let cost = 0;
    while (job.next < job.objects.length && cost < this.#budget) {
      const object = job.objects[job.next++];
      cost += costOf(object);
      drawInPicture(context, job.camera, object, this.#lookOf(object));
    }
    this.#measure(cost);
    if (job.next < job.objects.length) return;
    this.#front = 1 - this.#front;
    this.#job = null;
    this.#drawn = { place: job.place, objects: byId(job.scene) };
    this.#showFront();
  }

  /** Redraw only where objects have changed; return false if that are too many places. */
  #patch() {
    if (!this.#drawn) return false;
    const before = this.#drawn.objects, now = byId(this.#scene);
    const changed = [];
    for (const [id, object] of now) if (before.get(id) !== object) changed.push(object, before.get(id));
    for (const [id, object] of before) if (!now.has(id)) changed.push(object);
    const regions = changed.filter(Boolean).map((object) => geometryOf(object).bounds);
    if (regions.length > MOST_PATCHES || !isSameOrder(before, now)) return false;
    const context = this.canvas.getContext("2d"), { place } = this.#drawn;
    const camera = this.#cameraAt(place);
    for (const region of regions) this.#redrawRegion(context, camera, place, region);
    this.#drawn.objects = now;
    return true;
  }

  #redrawRegion(context, camera, place, [x0, y0, x1, y1]) {
    const { ratio, scale } = place, space = SPACE / scale;
    const left = Math.max(0, Math.floor((place.x + (x0 - space) * scale) * ratio));
    const top = Math.max(0, Math.floor((place.y + (y0 - space) * scale) * ratio));
    const right = Math.min(this.canvas.width, Math.ceil((place.x + (x1 + space) * scale) * ratio));
    const bottom = Math.min(this.canvas.height, Math.ceil((place.y + (y1 + space) * scale) * ratio));
    if (!(right > left && bottom > top)) return;
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.beginPath();
    context.rect(left, top, right - left, bottom - top);
    context.clip();
    context.clearRect(left, top, right - left, bottom - top);
    inPicture(context, place);
    for (const object of this.#scene) {
      const [a0, b0, a1, b1] = geometryOf(object).bounds;
      if (a0 > x1 + 2 * space || a1 < x0 - 2 * space || b0 > y1 + 2 * space || b1 < y0 - 2 * space) continue;
      drawInPicture(context, camera, object, this.#lookOf(object));
    }
    context.restore();
  }

  /** What drawing needs of a camera, for a place of the picture. */
  #cameraAt(place) {
    const unit = place.scale * place.ratio;
    const box = [-place.x / place.scale, -place.y / place.scale, this.canvas.width / unit, this.canvas.height / unit];
    return { scale: place.scale, ratio: place.ratio, origin: [place.x, place.y], visibleBox: box };
  }

  #showFront() {
    this.#canvases.forEach((canvas, i) => (canvas.style.visibility = i === this.#front ? "visible" : "hidden"));
  }

  /** Move and scale the front canvas, so that what was drawn at one place is seen at another. */
  #moveFront(place) {
    if (!this.#drawn) return;
    const from = this.#drawn.place, k = place.scale / from.scale;
    const moved = !isSamePlace(from, place);
    this.canvas.style.transform =
      moved ? `matrix(${k}, 0, 0, ${k}, ${place.x - k * from.x}, ${place.y - k * from.y})` : "none";
  }

  /** Clear a canvas, and return its context. */
  #context(which) {
    const canvas = this.#canvases[which], context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    return context;
  }

  /** Learn from the time until the next frame how much can be drawn in one. */
  #measure(cost) {
    cancelAnimationFrame(this.#probe);
    const start = performance.now();
    this.#probe = requestAnimationFrame(() => {
      const time = performance.now() - start;
      if (document.hidden || time > 1000) return;
      if (time > SLOW) this.#budget = Math.max(LEAST_BUDGET, Math.min(this.#budget, (cost * AIM) / time));
      else if (time < AIM + 2 && cost > 0.6 * this.#budget) this.#budget = Math.min(MOST_BUDGET, this.#budget * 1.08);
    });
  }
}

/** Map of id -> object. */
function byId(objects) {
  return new Map(objects.map((object) => [object.id, object]));
}

/** Objects that are at least partly visible. */
export function visible(objects, camera) {
  const [left, top, w, h] = camera.visibleBox, space = SPACE / camera.scale;
  return objects.filter((object) => {
    const [x0, y0, x1, y1] = geometryOf(object).bounds;
    return x0 <= left + w + space && x1 >= left - space && y0 <= top + h + space && y1 >= top - space;
  });
}

/** Set the context's unit to the picture px. */
function inPicture(context, { x, y, scale, ratio }) {
  context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * x, ratio * y);
}

/** Whether the ids that are in both maps follow in the same order. */
function isSameOrder(before, now) {
  const common = [...before.keys()].filter((id) => now.has(id));
  let place = 0;
  for (const id of now.keys()) if (before.has(id) && common[place++] !== id) return false;
  return true;
}
