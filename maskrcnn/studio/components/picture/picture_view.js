// A picture that can be panned and zoomed, with objects on it. The browser draws all layers by itself.

import { Camera } from "./camera.js";
import { Gestures } from "./gestures.js";
import { drawLabel, placeLabels, setLabelFont, shortened, textWidth } from "./label_placing.js";
import { drawInPicture } from "./object_drawing.js";
import { ObjectLayer, visible } from "./object_layer.js";
import { geometryOf, objectsAt, objectsIn } from "./objects.js";
import { PictureSource, preload } from "./picture_source.js";

const STILL_AFTER = 150; // ms without movement of the camera, after which all is drawn in full quality
const MOVING_LABELS = 100; // objects in view, up to which labels are drawn while the picture moves
const GRID_FROM = 8; // device px per picture px from which on the pixel grid is drawn
const styleSheet = new URL("./picture.css", import.meta.url).href;

/**
 * The layers that a view shows; set properties and call `view.redraw()`.
 *
 * @typedef {object} Display
 * @property {boolean} outlines
 * @property {boolean} fills filling of outlines, in the given opacity
 * @property {boolean} boxes of objects that have an outline, too
 * @property {boolean} keypoints with their limbs
 * @property {boolean} labels
 * @property {boolean} points single points
 * @property {boolean} grids
 * @property {boolean} pixelGrid lines between pixels, when one is at least 8 device px
 * @property {number} opacity of fillings, 0..1
 * @property {((object) => boolean) | null} filter which objects are there (drawn, hovered, selected)
 * @property {((object) => string) | null} colour CSS colour, else the object's own
 * @property {((object) => "solid" | "dashed" | "hatched") | null} style else the object's own
 * @property {((object) => string) | null} label text of the label; else the object's label, or number, class and score
 */

/**
 * Shows a picture and objects, and gives pointer events to a tool.
 *
 * Events (CustomEvent): "hover" {id | null} and "select" {ids} by the pointer, without a tool only; "camera" {};
 * "resize" {width, height} (CSS px); "ready" {} when the whole picture is drawn; "failed" {text, lasting,
 * gone} when it cannot be loaded: for good (`lasting`), because its address is not known any more (`gone`).
 */
export class PictureView extends EventTarget {
  #source = null;
  #objects = [];
  #byId = new Map();
  #active = new Set();
  #selected = new Set();
  #hovered = null;
  #dirty = { picture: true, objects: true, labels: true, overlay: true };
  #frame = 0;
  #moving = false;
  #stillTimer = 0;
  #layer;
  #tool = null;
  #gestures;
  #observer;
  #stop = new AbortController();
  #ratioQuery = null;
  #message;
  #failed = false; // whether the message is about a picture that could not be loaded
  #lastClick = { place: [-99, -99], id: null };

  /**
   * @param {HTMLElement} container is filled by the view; it must have a size
   * @param {{cameraGroup?: string | null, label?: string}} [options] views with the same `cameraGroup` show the same
   *   part of their pictures; `label` is the ARIA label
   */
  constructor(container, { cameraGroup = null, label = "Picture" } = {}) {
    super();
    this.root = document.createElement("div");
    this.root.className = "picture-view";
    this.root.style.cssText = "position:relative;width:100%;height:100%;overflow:hidden;min-height:0";
    this.element = document.createElement("div");
    this.element.className = "picture-surface";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "application");
    this.element.setAttribute("aria-label", label);
    this.element.style.cssText =
      "position:absolute;inset:0;overflow:hidden;touch-action:none;user-select:none;-webkit-user-select:none";
    this.element.dataset.ready = "false";
    const picture = this.#addCanvas("picture");
    this.#layer = new ObjectLayer(this.element);
    this.canvases = { picture, labels: this.#addCanvas("labels"), overlay: this.#addCanvas("overlay") };
    this.#message = document.createElement("div");
    this.#message.className = "picture-message";
    this.#message.setAttribute("role", "status");
    this.#message.hidden = true;
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = styleSheet;
    this.root.append(link, this.element, this.#message);
    container.append(this.root);

    /** @type {{address: string, width: number, height: number, name: string} | null} */
    this.picture = null;
    /** @type {Camera} */
    this.camera = new Camera(cameraGroup);
    /** @type {Display} */
    this.display = {
      outlines: true, fills: true, boxes: false, keypoints: true, labels: true, points: true, grids: true,
      pixelGrid: true, opacity: 0.25, filter: null, colour: null, style: null, label: null,
    };
    /** Functions (context, view) that draw over the objects; the context's unit is the CSS px of the view. */
    this.painters = [];
    /** Called with each KeyboardEvent of the view first; returns whether it has handled it. */
    this.onKey = null;
    /** Milliseconds that the last drawing of each layer took. */
    this.timings = { picture: 0, objects: 0, labels: 0, overlay: 0 };

    this.camera.addEventListener("change", () => this.#cameraChanged());
    this.#gestures = new Gestures(this);
    for (const name of ["focus", "blur"]) {
      this.element.addEventListener(name, () => this.redrawOverlay(), { signal: this.#stop.signal });
    }
    this.#observeSize();
  }

  #addCanvas(name) {
    const canvas = document.createElement("canvas");
    canvas.className = `picture-layer picture-layer-${name}`;
    canvas.style.cssText = "position:absolute;left:0;top:0;width:100%;height:100%;pointer-events:none";
    this.element.append(canvas);
    return canvas;
  }

  // Contents

  /**
   * Show a picture ({address, width, height, name}; size in displayed px), or none. Another picture is fitted to the
   * view; the same one in a new state keeps its place.
   */
  setPicture(picture) {
    const before = this.picture;
    if (before && picture && before.address === picture.address && this.#source) return;
    this.#source?.destroy();
    this.#source = null;
    this.picture = picture;
    this.element.dataset.ready = "false";
    this.element.dataset.sharp = "false";
    this.element.dataset.picture = picture?.name ?? "";
    this.#hovered = null;
    this.#layer.clear();
    this.showMessage("");
    this.root.classList.toggle("picture-loading", Boolean(picture));
    if (picture) {
      this.#source = new PictureSource(picture);
      this.#source.addEventListener("arrived", () => this.#invalidate("picture"));
      this.#source.addEventListener("failed", ({ detail }) => {
        this.showMessage(detail.text);
        this.#failed = true;
        this.dispatchEvent(new CustomEvent("failed", { detail }));
      });
      const same = before && before.name === picture.name && before.width === picture.width
        && before.height === picture.height;
      if (!same) this.camera.setPictureSize(picture.width, picture.height);
    }
    this.redraw();
  }

  /** Load a picture ahead, in the size in which this view will show it. */
  preload(picture, signal) {
    const { width, height, ratio } = this.camera;
    const scale = Math.min(width / picture.width, height / picture.height);
    return preload(picture, Math.max(picture.width, picture.height) * scale * ratio, signal);
  }

  /** Show a text instead of or over the picture; an empty one takes it away. */
  showMessage(text) {
    this.#message.textContent = text;
    this.#message.hidden = !text;
    if (text) this.root.classList.remove("picture-loading");
  }

  /** Show objects, back to front. @param {import("./objects.js").PictureObject[]} objects */
  setObjects(objects) {
    this.#objects = objects;
    this.#byId = new Map(objects.map((object) => [object.id, object]));
    if (this.#hovered !== null && !this.#byId.has(this.#hovered)) this.#hovered = null;
    this.#sceneChanged(false);
  }

  /** All objects, back to front. */
  get objects() {
    return this.#objects;
  }

  /** Return the object with this id, or undefined. */
  object(id) {
    return this.#byId.get(id);
  }

  /** Leave out these objects (ids), because a painter draws them. */
  setActive(ids) {
    const next = new Set(ids);
    if (next.size === this.#active.size && [...next].every((id) => this.#active.has(id))) return;
    this.#active = next;
    this.#sceneChanged(false);
  }

  /** Emphasize these objects (ids). */
  setSelected(ids) {
    this.#selected = new Set(ids);
    this.#invalidate("labels");
  }

  /** Ids of the emphasized objects. */
  get selected() {
    return this.#selected;
  }

  /** Emphasize this object as the one under the pointer. */
  setHovered(id) {
    if (id === this.#hovered) return;
    this.#hovered = id;
    this.#invalidate("labels");
  }

  /** Id of the object under the pointer, or null. */
  get hovered() {
    return this.#hovered;
  }

  /** The tool that gets pointer events, or null: then a drag pans, and the pointer hovers and selects. */
  get tool() {
    return this.#tool;
  }

  set tool(tool) {
    this.#tool = tool;
    if (tool) this.hoverAt(null);
    this.redrawOverlay();
  }

  // Places

  /** Return the place of an event: {x, y (picture px), sx, sy (CSS px of the view), event}. */
  place(event) {
    const box = this.element.getBoundingClientRect();
    const sx = event.clientX - box.left, sy = event.clientY - box.top;
    const [x, y] = this.camera.toPicture([sx, sy]);
    return { x, y, sx, sy, event };
  }

  /** Return the ids of the objects under a point of the view, best first; `tolerance` in CSS px. */
  objectsAt(sx, sy, tolerance = 4) {
    return objectsAt(this.#present(), this.camera.toPicture([sx, sy]), tolerance / this.camera.scale);
  }

  /** Return the ids of the objects that are wholly inside a box [x, y, w, h] of picture px. */
  objectsIn(box) {
    return objectsIn(this.#present(), box);
  }

  /** Zoom about the middle of the view. */
  zoomBy(factor) {
    this.camera.zoomAt(this.camera.width / 2, this.camera.height / 2, factor);
  }

  /** Hover over what is at [sx, sy], CSS px of the view, or nothing: null. */
  hoverAt(place) {
    const id = place ? (this.objectsAt(...place)[0] ?? null) : null;
    if (id === this.#hovered) return;
    this.setHovered(id);
    this.dispatchEvent(new CustomEvent("hover", { detail: { id } }));
  }

  /** Select what is at (sx, sy), CSS px; at the same place again, the next one below. `add` adds or takes away. */
  clickAt(sx, sy, add = false) {
    const found = this.objectsAt(sx, sy), last = this.#lastClick;
    const again = Math.hypot(sx - last.place[0], sy - last.place[1]) <= 3 && found.includes(last.id);
    const id = (again ? found[(found.indexOf(last.id) + 1) % found.length] : found[0]) ?? null;
    this.#lastClick = { place: [sx, sy], id };
    const ids = new Set(add ? this.#selected : []);
    if (id !== null && add && ids.has(id)) ids.delete(id);
    else if (id !== null) ids.add(id);
    this.setSelected(ids);
    this.dispatchEvent(new CustomEvent("select", { detail: { ids: [...ids] } }));
  }

  // Drawing

  /** Draw all layers in the next frame. */
  redraw() {
    this.#invalidate("picture");
    this.#sceneChanged(true);
  }

  /** Draw the painters in the next frame. */
  redrawOverlay() {
    this.#invalidate("overlay");
  }

  /** Remove the view, and stop everything. */
  destroy() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#stillTimer);
    this.#frame = -1;
    this.#stop.abort();
    this.#observer.disconnect();
    this.#gestures.destroy();
    this.#layer.destroy();
    this.#source?.destroy();
    this.camera.destroy();
    this.root.remove();
  }

  #invalidate(...layers) {
    for (const layer of layers) this.#dirty[layer] = true;
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #cameraChanged() {
    this.#moving = true;
    clearTimeout(this.#stillTimer);
    this.#stillTimer = setTimeout(() => {
      this.#moving = false;
      this.#invalidate("picture", "labels");
    }, STILL_AFTER);
    this.#invalidate("picture", "objects", "labels", "overlay");
    this.#writeCamera();
    this.dispatchEvent(new CustomEvent("camera", { detail: {} }));
  }

  /** data-camera: a picture point (px, py) is at (x + px * scale, y + py * scale), CSS px of the view. */
  #writeCamera() {
    const [x, y] = this.camera.origin;
    this.element.dataset.camera = JSON.stringify({ scale: this.camera.scale, x, y });
  }

  /** The objects, or which of them are drawn, have changed; with `all`, their looks, too. */
  #sceneChanged(all) {
    this.#layer.setScene(this.#drawable(), (object) => this.#look(object), all);
    this.#invalidate("objects", "labels", "overlay");
  }

  /** Objects that pass the filter and are not drawn by a painter. */
  #drawable() {
    const present = this.#present();
    return this.#active.size ? present.filter((object) => !this.#active.has(object.id)) : present;
  }

  /** Objects that pass the filter. */
  #present() {
    const { filter } = this.display;
    return filter ? this.#objects.filter(filter) : this.#objects;
  }

  #draw() {
    this.#frame = 0;
    if (this.camera.width < 1 || this.camera.height < 1) return;
    const dirty = this.#dirty;
    this.#dirty = { picture: false, objects: false, labels: false, overlay: false };
    if (dirty.picture) this.#timed("picture", () => this.#drawPicture());
    if (dirty.objects) this.#timed("objects", () => this.#layer.draw(this.camera) && this.#invalidate("objects"));
    if (dirty.labels) this.#timed("labels", () => this.#drawLabels());
    if (dirty.overlay) this.#timed("overlay", () => this.#drawOverlay());
  }

  #timed(layer, draw) {
    const start = performance.now();
    draw();
    this.timings[layer] = performance.now() - start;
  }

  /** Clear a layer, and return its context with the device px as its unit. */
  #cleared(name) {
    const canvas = this.canvases[name], context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    return context;
  }

  #drawPicture() {
    const context = this.#cleared("picture");
    if (!this.#source) return;
    this.#source.draw(context, this.camera, this.#moving);
    if (this.display.pixelGrid) this.#drawPixelGrid(context);
    const wasReady = this.element.dataset.ready === "true";
    this.element.dataset.ready = String(this.#source.ready);
    this.element.dataset.sharp = String(this.#source.sharp);
    if (this.#source.ready && !wasReady) {
      this.root.classList.remove("picture-loading");
      if (this.#failed) this.showMessage("");
      this.#failed = false;
      this.dispatchEvent(new CustomEvent("ready", { detail: {} }));
    }
  }

  #drawPixelGrid(context) {
    const { camera, picture } = this, unit = camera.scale * camera.ratio;
    if (unit < GRID_FROM) return;
    const [left, top, w, h] = camera.visibleBox;
    const [x, y] = camera.origin.map((place) => place * camera.ratio);
    const x0 = Math.max(0, Math.floor(left)), x1 = Math.min(picture.width, Math.ceil(left + w));
    const y0 = Math.max(0, Math.floor(top)), y1 = Math.min(picture.height, Math.ceil(top + h));
    context.fillStyle = "rgba(128,128,128,0.45)";
    for (let column = x0; column <= x1; column++) {
      context.fillRect(Math.round(x + column * unit), y + y0 * unit, 1, (y1 - y0) * unit);
    }
    for (let row = y0; row <= y1; row++) {
      context.fillRect(x + x0 * unit, Math.round(y + row * unit), (x1 - x0) * unit, 1);
    }
  }

  /** Set the context's unit to the picture px. */
  #inPicture(context) {
    const { ratio, scale, origin } = this.camera;
    context.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * origin[0], ratio * origin[1]);
  }

  #look(object) {
    const { display } = this;
    return {
      colour: display.colour?.(object) ?? object.colour,
      style: display.style?.(object) ?? object.style ?? "solid",
      opacity: display.fills ? display.opacity : 0,
      outline: display.outlines,
      box: display.boxes,
      keypoints: display.keypoints,
      points: display.points,
      grid: display.grids,
      width: 2,
    };
  }

  /** Draw the emphasized objects again, and labels over them. */
  #drawLabels() {
    const { camera } = this, context = this.#cleared("labels");
    this.#inPicture(context);
    for (const id of this.#selected) this.#drawEmphasized(context, id, { emphasis: true, width: 3, opacity: 0 });
    if (this.#hovered !== null) this.#drawEmphasized(context, this.#hovered, { width: 3, opacity: 0.2 });
    if (!this.display.labels) return;
    const objects = visible(this.#drawable(), camera);
    if (this.#moving && objects.length > MOVING_LABELS) return;
    context.setTransform(camera.ratio, 0, 0, camera.ratio, 0, 0);
    setLabelFont(context, getComputedStyle(this.element).getPropertyValue("--st-font"));
    const labels = [];
    for (const object of objects) {
      const text = shortened(this.#labelOf(object));
      if (!text) continue;
      const geometry = geometryOf(object), [x0, y0, x1, y1] = geometry.bounds;
      const [left, top] = camera.toScreen([x0, y0]), [right, bottom] = camera.toScreen([x1, y1]);
      const rank = this.#selected.has(object.id) ? Infinity : (right - left) * (bottom - top);
      labels.push({ text, object, rank, width: textWidth(context, text), bounds: [left, top, right, bottom] });
    }
    labels.sort((a, b) => b.rank - a.rank);
    for (const { label, x, y } of placeLabels(labels, camera.width, camera.height)) {
      drawLabel(context, label.text, label.width, this.#look(label.object).colour ?? "#ffb000", x, y);
    }
  }

  #drawEmphasized(context, id, look) {
    const object = this.#byId.get(id), { filter } = this.display;
    if (!object || this.#active.has(id) || (filter && !filter(object))) return;
    drawInPicture(context, this.camera, object, { ...this.#look(object), outline: true, ...look });
  }

  #labelOf(object) {
    const own = this.display.label?.(object) ?? object.label;
    if (own !== undefined && own !== null) return String(own);
    const score = object.score === undefined || object.score === null ? "" : object.score.toFixed(2);
    return [object.number ?? "", object.class ?? "", score].filter((part) => part !== "").join(" ");
  }

  #drawOverlay() {
    const context = this.#cleared("overlay");
    for (const painter of this.painters) {
      context.setTransform(this.camera.ratio, 0, 0, this.camera.ratio, 0, 0);
      context.save();
      painter(context, this);
      context.restore();
    }
  }

  // Size

  #observeSize() {
    this.#observer = new ResizeObserver((entries) => {
      const exact = entries.at(-1).devicePixelContentBoxSize?.[0];
      this.#resize(exact && [exact.inlineSize, exact.blockSize]);
    });
    try {
      this.#observer.observe(this.element, { box: "device-pixel-content-box" });
    } catch {
      this.#observer.observe(this.element);
    }
    this.#watchRatio();
    this.#resize();
  }

  /** Another ratio of device px to CSS px (another screen, browser zoom) can leave the size in CSS px as it is. */
  #watchRatio() {
    this.#ratioQuery = window.matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    this.#ratioQuery.addEventListener("change", () => {
      this.#resize();
      this.#watchRatio();
    }, { once: true, signal: this.#stop.signal });
  }

  /** Fit the canvases to the element. `exact` is its size in device px, if known. */
  #resize(exact = null) {
    const width = this.element.clientWidth, height = this.element.clientHeight;
    if (width < 1 || height < 1) return;
    const [pixelWidth, pixelHeight] =
      exact ?? [Math.round(width * window.devicePixelRatio), Math.round(height * window.devicePixelRatio)];
    if (this.#layer.resize(pixelWidth, pixelHeight)) {
      const size = { width: pixelWidth, height: pixelHeight };
      for (const canvas of Object.values(this.canvases)) Object.assign(canvas, size);
      Object.assign(this.#dirty, { picture: true, objects: true, labels: true, overlay: true });
    }
    this.camera.resize(width, height, pixelWidth / width);
    this.#writeCamera();
    this.dispatchEvent(new CustomEvent("resize", { detail: { width, height } }));
    if (this.#dirty.picture) {
      cancelAnimationFrame(this.#frame);
      this.#draw();
    }
  }
}
