// Mouse, pen, touch, wheel and keys on a picture view: pan and zoom, and what is left over goes to the view's tool.

const STILL = 3; // CSS px that a pointer may move in a click
const KEY_STEP = 60; // CSS px that an arrow key moves the picture
const KEY_ZOOM = 1.25;

/** Listens to the events of a view's element until `destroy`. */
export class Gestures {
  #view;
  #stop = new AbortController();
  #fingers = new Map(); // pointer id -> [sx, sy], of touches
  #pinching = false; // until the last finger is lifted
  #pan = null; // {id, x, y, moved, click} of a drag that moves the picture
  #stroke = null; // pointer id of the tool's stroke
  #space = false;
  #inside = false;
  #lastPresses = [[-99, -99], [-99, -99]];
  #hoverFrame = 0;

  /** @param {import("./picture_view.js").PictureView} view */
  constructor(view) {
    this.#view = view;
    const on = (name, handler, target = view.element, options = {}) =>
      target.addEventListener(name, handler, { signal: this.#stop.signal, ...options });
    on("pointerdown", (event) => this.#down(event));
    on("pointermove", (event) => this.#move(event));
    on("pointerup", (event) => this.#up(event));
    on("pointercancel", (event) => this.#cancel(event));
    on("lostpointercapture", (event) => this.#lost(event));
    on("pointerenter", () => (this.#inside = true));
    on("pointerleave", () => this.#leave());
    on("dblclick", (event) => this.#doubleClick(event));
    on("wheel", (event) => this.#wheel(event), view.element, { passive: false });
    on("mousedown", (event) => event.button === 1 && event.preventDefault());
    on("auxclick", (event) => event.button === 1 && event.preventDefault());
    on("contextmenu", (event) => view.tool && event.preventDefault());
    on("keydown", (event) => this.#key(event));
    on("keydown", (event) => this.#spaceDown(event), window);
    on("keyup", (event) => this.#spaceUp(event), window);
    on("blur", () => this.#setSpace(false), window);
  }

  /** Stop listening. */
  destroy() {
    cancelAnimationFrame(this.#hoverFrame);
    this.#stop.abort();
  }

  #down(event) {
    const view = this.#view, place = view.place(event);
    view.element.focus({ preventScroll: true });
    const isOther = this.#isOther(event);
    if (isOther && !this.#fingers.has(this.#stroke)) return; // the palm of the hand that draws with a pen
    if (isOther && event.pointerType !== "touch") this.#cancelStroke(this.#stroke, place); // its palm came before it
    if (event.pointerType === "touch") {
      this.#fingers.set(event.pointerId, [place.sx, place.sy]);
      this.#capture(event);
      if (this.#fingers.size >= 2) {
        this.#startPinch(place);
        return;
      }
    }
    if (this.#pinching) return;
    this.#lastPresses = [this.#lastPresses[1], [place.sx, place.sy]];
    if (event.button === 1 || (this.#space && event.button === 0) || (!view.tool && event.button === 0)) {
      const click = !view.tool && !this.#space && event.button === 0;
      const { sx, sy } = place;
      this.#pan = { id: event.pointerId, x: sx, y: sy, moved: false, click, startX: sx, startY: sy };
      this.#capture(event);
      this.#showCursor(place);
      if (event.button === 1) event.preventDefault();
    } else if (view.tool) {
      this.#stroke = event.pointerId;
      this.#capture(event);
      view.tool.pointerdown?.(place);
      this.#showCursor(place);
    }
  }

  #move(event) {
    const view = this.#view, place = view.place(event);
    if (this.#fingers.has(event.pointerId)) {
      const before = [...this.#fingers.values()].slice(0, 2);
      this.#fingers.set(event.pointerId, [place.sx, place.sy]);
      if (this.#pinching) {
        if (before.length === 2) this.#pinch(before, [...this.#fingers.values()].slice(0, 2));
        return;
      }
    }
    if (this.#pan?.id === event.pointerId) {
      const pan = this.#pan;
      if (!pan.moved && Math.hypot(place.sx - pan.startX, place.sy - pan.startY) <= STILL && pan.click) return;
      pan.moved = true;
      view.camera.panBy(place.sx - pan.x, place.sy - pan.y);
      Object.assign(pan, { x: place.sx, y: place.sy });
      return;
    }
    if (this.#isOther(event)) return;
    if (this.#stroke !== null && event.button === 0 && !(event.buttons & 1)) { // let go while another button is held
      this.#up(event);
      return;
    }
    if (view.tool) view.tool.pointermove?.(place);
    else if (event.pointerType !== "touch") this.#hover(place);
    if (event.buttons === 0) this.#stroke = null; // a lost release, which the tool has taken for one
    this.#showCursor(place);
  }

  /** Whether another pointer than that of the event is in the middle of a stroke. */
  #isOther(event) {
    return this.#stroke !== null && this.#stroke !== event.pointerId;
  }

  #up(event) {
    const view = this.#view, place = view.place(event);
    this.#fingers.delete(event.pointerId);
    if (this.#pinching) {
      if (this.#fingers.size === 0) this.#pinching = false;
      return;
    }
    if (this.#pan?.id === event.pointerId) {
      const { click, moved } = this.#pan;
      this.#pan = null;
      if (click && !moved) view.clickAt(place.sx, place.sy, event.shiftKey || event.ctrlKey || event.metaKey);
    } else if (this.#stroke === event.pointerId) {
      this.#stroke = null;
      view.tool?.pointerup?.(place);
    }
    this.#showCursor(place);
  }

  #cancel(event) {
    this.#fingers.delete(event.pointerId);
    if (this.#fingers.size === 0) this.#pinching = false;
    if (this.#pan?.id === event.pointerId) this.#pan = null;
    this.#cancelStroke(event.pointerId, this.#view.place(event));
  }

  /** A capture that is lost without an end of the stroke (the window lost its pointer) cancels the stroke. */
  #lost(event) {
    if (event.buttons & 1 && this.#stroke === event.pointerId) { // another button was let go: Chromium ends the capture
      this.#capture(event);
      return;
    }
    if (this.#pan?.id === event.pointerId) this.#pan = null;
    this.#cancelStroke(event.pointerId, this.#view.place(event));
  }

  #cancelStroke(id, place) {
    if (this.#stroke !== id) return;
    this.#stroke = null;
    this.#view.tool?.pointercancel?.(place);
  }

  #leave() {
    this.#inside = false;
    cancelAnimationFrame(this.#hoverFrame);
    this.#view.tool?.leave?.();
    if (!this.#view.tool) this.#view.hoverAt(null);
  }

  #doubleClick(event) {
    const [[ax, ay], [bx, by]] = this.#lastPresses;
    this.#view.tool?.doubleclick?.({ ...this.#view.place(event), apart: Math.hypot(bx - ax, by - ay) });
  }

  #startPinch(place) {
    this.#pinching = true;
    this.#pan = null;
    if (this.#stroke !== null) this.#cancelStroke(this.#stroke, place);
  }

  /** Two fingers that moved from `before` to `after` (CSS px of the view): the picture moves with them. */
  #pinch(before, after) {
    const middle = ([[ax, ay], [bx, by]]) => [(ax + bx) / 2, (ay + by) / 2];
    const apart = ([[ax, ay], [bx, by]]) => Math.max(10, Math.hypot(bx - ax, by - ay));
    const [x0, y0] = middle(before), [x1, y1] = middle(after);
    this.#view.camera.panBy(x1 - x0, y1 - y0);
    this.#view.camera.zoomAt(x1, y1, apart(after) / apart(before));
  }

  #wheel(event) {
    event.preventDefault();
    const view = this.#view, { sx, sy } = view.place(event);
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? view.camera.height : 1;
    const dx = event.deltaX * unit, dy = Math.max(-1500, Math.min(1500, event.deltaY * unit));
    if (event.shiftKey) view.camera.panBy(-dx, -dy);
    else if (dy && event.ctrlKey) view.camera.zoomAt(sx, sy, Math.exp(-0.01 * Math.max(-40, Math.min(40, dy))));
    else if (dy) view.camera.zoomAt(sx, sy, Math.exp(-0.002 * dy));
    else view.camera.panBy(-dx, 0);
  }

  #key(event) {
    const view = this.#view, { camera } = view;
    if (event.defaultPrevented) return;
    if (view.onKey?.(event) || view.tool?.key?.(event)) {
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 4 * KEY_STEP : KEY_STEP;
    const actions = {
      "+": () => view.zoomBy(KEY_ZOOM), "=": () => view.zoomBy(KEY_ZOOM), "-": () => view.zoomBy(1 / KEY_ZOOM),
      "f": () => camera.fit(), "F": () => camera.oneToOne(),
      "ArrowLeft": () => camera.panBy(step, 0), "ArrowRight": () => camera.panBy(-step, 0),
      "ArrowUp": () => camera.panBy(0, step), "ArrowDown": () => camera.panBy(0, -step),
    };
    const action = actions[event.key];
    if (!action) return;
    action();
    event.preventDefault();
  }

  /** The space key counts while the view has the focus, or the pointer is over it and nothing else has the focus. */
  #spaceDown(event) {
    if (event.key !== " " || event.ctrlKey || event.altKey || event.metaKey) return;
    const focused = this.#view.element.matches(":focus");
    if (!focused && !(this.#inside && document.activeElement === document.body)) return;
    this.#setSpace(true);
    event.preventDefault();
  }

  #spaceUp(event) {
    if (event.key === " ") this.#setSpace(false);
  }

  #setSpace(held) {
    if (this.#space === held) return;
    this.#space = held;
    this.#showCursor(null);
  }

  #hover(place) {
    cancelAnimationFrame(this.#hoverFrame);
    this.#hoverFrame = requestAnimationFrame(() => {
      if (!this.#view.tool) this.#view.hoverAt([place.sx, place.sy]);
      this.#showCursor(place);
    });
  }

  #showCursor(place) {
    const view = this.#view;
    let cursor = view.hovered === null ? "grab" : "pointer";
    if (this.#pan?.moved || (this.#pan && !this.#pan.click)) cursor = "grabbing";
    else if (this.#space) cursor = "grab";
    else if (view.tool) {
      if (!place) return;
      cursor = view.tool.cursor?.(place) ?? "crosshair";
    }
    if (view.element.style.cursor !== cursor) view.element.style.cursor = cursor;
  }

  #capture(event) {
    try {
      this.#view.element.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is already gone (a very short touch): its end arrives without capture.
    }
  }
}
