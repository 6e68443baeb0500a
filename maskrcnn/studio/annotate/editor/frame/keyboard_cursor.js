// A cursor that the keyboard moves over the picture, for drawing and editing without a mouse.
//
// It gives the tool the same events as a mouse would: Space clicks, Shift + Space presses and, pressed again, lets go.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FASTER_AFTER = 8; // repeats of a held arrow after which it moves faster
const MOST = 20; // picture pixels of the longest step

/** The keyboard cursor of one editor; it is off until `toggle`. */
export class KeyboardCursor {
  constructor(editor) {
    this.editor = editor;
    this.on = false;
    this.isByItself = false; // switched on by an arrow in a drawing tool, not by its key
    this.isDown = false;
    this.at = [0, 0]; // picture px
    this.repeats = 0;
    this.paint = (context, view) => this.draw(context, view);
    editor.view.painters.push(this.paint);
    editor.view.element.addEventListener(
      "pointerdown", () => { if (this.isByItself) this.toggle(false); }, { capture: true },
    );
  }

  /** Switch it on, in the middle of what is seen, or off. */
  toggle(on = !this.on) {
    if (this.on === on) return;
    const { editor } = this;
    if (!on && this.isDown) this.release();
    this.on = on;
    this.isByItself = false;
    if (on) {
      const { camera, element } = editor.view;
      const [x, y] = camera.toScreen(this.at);
      if (!this.moved || x < 0 || y < 0 || x > camera.width || y > camera.height) {
        this.at = camera.toPicture([camera.width / 2, camera.height / 2]).map(Math.round);
      }
      this.moved = true;
      element.focus({ preventScroll: true });
      this.send("pointermove");
      editor.say("Keyboard cursor: arrows move it (Shift: 10 px), Space clicks, Shift + Space drags, J ends it.");
    } else {
      editor.tool?.leave?.();
      editor.say("");
    }
    editor.root.classList.toggle("with-cursor", on);
    editor.view.redrawOverlay();
  }

  /**
   * Switch it on if an arrow means it: the picture got the focus by the keyboard, a drawing tool is chosen, and nothing
   * is selected. Space does not: held with the mouse, it moves the picture.
   */
  startByItself(event) {
    const { view, tool, hasSelection, entry } = this.editor;
    const isAsked = view.element.matches(":focus-visible") && event.key in STEPS;
    if (this.on || !entry || !isAsked || tool.constructor.name === "select" || (hasSelection && !tool.begun)) return;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    this.toggle(true);
    this.isByItself = true;
  }

  /** Another tool was chosen: a cursor that came by itself goes with the drawing tools. */
  toolChanged(name) {
    if (this.on && this.isByItself && name === "select") this.toggle(false);
    else if (this.on) this.send("pointermove");
  }

  /** Handle a key; return whether it was one of the cursor. */
  keydown(event) {
    this.startByItself(event);
    if (!this.on || event.altKey || event.ctrlKey || event.metaKey) return false;
    const step = STEPS[event.key];
    if (step) {
      this.repeats = event.repeat ? this.repeats + 1 : 0;
      const faster = Math.min(MOST, 1 + Math.max(0, this.repeats - FASTER_AFTER));
      this.move(step, event.shiftKey ? Math.max(10, faster) : faster);
      return true;
    }
    if (event.key === " ") {
      if (event.repeat) return true;
      if (this.isDown) this.release();
      else {
        this.press();
        if (!event.shiftKey) this.release();
      }
      return true;
    }
    if (event.key === "Escape" && this.isDown) {
      this.isDown = false;
      this.send("pointercancel");
      return true;
    }
    return false;
  }

  keyup(event) {
    if (STEPS[event.key]) this.repeats = 0;
  }

  move([x, y], step) {
    const { width = Infinity, height = Infinity } = this.editor.view.picture ?? {};
    this.at = [
      Math.min(Math.max(0, this.at[0] + x * step), width), Math.min(Math.max(0, this.at[1] + y * step), height),
    ];
    this.keepInSight();
    this.send("pointermove");
    this.editor.view.redrawOverlay();
  }

  keepInSight() {
    const { camera } = this.editor.view, margin = 24;
    const [x, y] = camera.toScreen(this.at);
    const by = (place, length) => (
      place < margin ? margin - place : place > length - margin ? length - margin - place : 0
    );
    const dx = by(x, camera.width), dy = by(y, camera.height);
    if (dx || dy) camera.panBy(dx, dy);
  }

  press() {
    this.isDown = true;
    this.send("pointerdown");
    this.editor.view.redrawOverlay();
  }

  release() {
    this.isDown = false;
    this.send("pointerup");
    this.editor.view.redrawOverlay();
  }

  send(kind) {
    const { tool, view } = this.editor;
    if (!tool) return;
    const [sx, sy] = view.camera.toScreen(this.at);
    const { left, top } = view.element.getBoundingClientRect();
    const event = new PointerEvent(kind, {
      pointerType: "mouse", pointerId: 1, isPrimary: true, button: kind === "pointermove" ? -1 : 0,
      buttons: this.isDown ? 1 : 0,
      clientX: left + sx, clientY: top + sy, detail: 1, pressure: this.isDown ? 0.5 : 0,
    });
    tool[kind]?.({ x: this.at[0], y: this.at[1], sx, sy, event });
  }

  draw(context, view) {
    if (!this.on) return;
    const [x, y] = view.camera.toScreen(this.at), gap = this.isDown ? 2 : 5, length = 16;
    context.save();
    context.lineCap = "round";
    for (const [colour, width] of [["#000000", 4], ["#ffffff", 2]]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      for (const [dx, dy] of Object.values(STEPS)) {
        context.moveTo(x + dx * gap, y + dy * gap);
        context.lineTo(x + dx * length, y + dy * length);
      }
      if (this.isDown) {
        context.moveTo(x + 9, y);
        context.arc(x, y, 9, 0, 2 * Math.PI);
      }
      context.stroke();
    }
    context.restore();
  }
}
