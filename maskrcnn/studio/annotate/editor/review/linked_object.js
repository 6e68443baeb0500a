// One object of a run on the picture: a detection as a dashed outline, or the region that a label has become. It is
// shown, made a region, or mends the region below it; each of these is an ordinary edit.

import { drawObject } from "../../../components/picture/object_drawing.js";
import { bounds, boxUnion, newId, objectOf, withShape } from "../shapes.js";

const ROOM = 0.25; // of the object's sides, on each side of it, when the picture is zoomed to it
const LEAST_ROOM = 8; // picture px
const STILL = 3; // frames in which the view keeps its size before it is zoomed
const MOST_FRAMES = 120; // for which it is waited for

/**
 * The object of a link, as the route `review/object` answers: `answer`, or null. Dispatches "change" when another one
 * is shown, and when what can be done with it may have changed.
 */
export class LinkedObject extends EventTarget {
  constructor(editor) {
    super();
    this.editor = editor;
    this.answer = null;
    this.added = null; // id of the region that was made of it
    this.waits = false; // until its picture is shown
    this.zooms = 0;
    editor.addEventListener("picture", () => { if (this.waits) this.focus(); });
    editor.addEventListener("regions", () => this.changed());
    editor.view.painters.push((context, view) => this.paint(context, view));
  }

  /** Show an answer of the route, in its picture as soon as that is shown; null shows none. */
  show(answer) {
    this.answer = answer;
    this.added = null;
    this.waits = answer !== null;
    this.zooms += 1; // one that still waits for its view is over
    if (this.isHere) this.focus();
    this.changed();
  }

  changed() {
    this.editor.view.redrawOverlay();
    this.dispatchEvent(new Event("change"));
  }

  /** Whether the picture of the object is the one that is shown. */
  get isHere() {
    return this.answer !== null && this.editor.doc?.id === this.answer.picture;
  }

  /** The detection as a region that nobody has accepted yet, on the picture that is shown; else null. */
  get found() {
    const { doc } = this.editor;
    return this.isHere && this.answer.found && !doc.region(this.added) ? this.answer.found : null;
  }

  /** The region that the label of the link is now; null if there is none (any more). */
  get label() {
    return (this.isHere && this.editor.doc.region(this.answer.label)) || null;
  }

  /** The region that the detection can mend: the label of the link, else the one with the highest IoU; or null. */
  get below() {
    if (!this.found) return null;
    const { doc } = this.editor;
    return this.label ?? this.answer.below.map(({ id }) => doc.region(id)).find(Boolean) ?? null;
  }

  /** Select the region, and zoom so that the object fills a good part of the view. */
  focus() {
    if (!this.isHere) return;
    this.waits = false;
    const { editor } = this;
    editor.chooseTool("select");
    const region = this.label ?? this.below;
    if (region) {
      if (editor.doc.hidden.has(region.id)) editor.regionLayer.toggle("hidden", [region.id], false);
      editor.doc.select([region.id]);
    } else {
      editor.doc.select([]);
    }
    this.zoom();
    editor.focusPicture();
    this.changed();
  }

  /** Zoom to the object, once the view has its size. */
  async zoom() {
    const turn = this.zooms += 1, { root, view } = this.editor, { camera } = view;
    let before = "", same = 0;
    for (let frame = 0; frame < MOST_FRAMES && same < STILL; frame += 1) {
      const size = `${camera.width} ${camera.height}`;
      const isReady = camera.width >= 1 && camera.height >= 1 && !root.classList.contains("unstyled");
      same = isReady && size === before ? same + 1 : 0;
      before = size;
      if (same < STILL) await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    if (turn !== this.zooms || !this.isHere) return;
    const region = this.label ?? this.below; // beside the detection perhaps
    const [x, y, width, height] = boxUnion([this.answer.box, region && bounds(region)]);
    const across = Math.max(width * ROOM, LEAST_ROOM), down = Math.max(height * ROOM, LEAST_ROOM);
    camera.showBox([x - across, y - down, width + 2 * across, height + 2 * down]);
  }

  // Edits: each is one step of undo

  /** Make a region of the detection. */
  add() {
    const { found } = this, { doc } = this.editor;
    if (!found) return false;
    this.added = newId();
    doc.change({ put: [{ ...found, id: this.added }] }, "accept a detection");
    doc.select([this.added]);
    return true;
  }

  /** Give the region below the outline of the detection. */
  mendOutline() {
    const { below, found } = this;
    return this.put(below && found && withShape(below, found.shape), "mend the outline");
  }

  /** Give the region below the class of the detection. */
  mendClass() {
    const { below, found } = this;
    return this.put(below && found && { ...below, class_name: found.class_name }, "mend the class");
  }

  put(region, words) {
    const { doc } = this.editor;
    if (!region || doc.locked.has(region.id)) {
      this.editor.say(region ? "This region is locked; Shift + L unlocks it." : "No region lies below.", "warning");
      return false;
    }
    doc.change({ put: [region] }, words);
    doc.select([region.id]);
    return true;
  }

  /** Remove the region that is the label of the link. */
  remove() {
    const { label } = this, { doc } = this.editor;
    if (!label || doc.locked.has(label.id)) {
      this.editor.say(label ? "This region is locked; Shift + L unlocks it." : "The label is not there.", "warning");
      return false;
    }
    return doc.change({ remove: [label.id] }, "remove a label");
  }

  paint(context, view) {
    const { found } = this;
    if (!found) return;
    const object = { ...objectOf(found, this.editor), style: "dashed" };
    drawObject(context, view.camera, object, { opacity: 0.15, width: 3 });
  }
}
