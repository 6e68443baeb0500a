/*
 * Editing of the selected regions by handles: vertices, edges, the inside, and a box around the selection that turns
 * and scales. Every tool has one, so that no mode has to be switched on.
 *
 * While something is dragged, the changed regions are kept here and drawn above the picture; the document changes once,
 * at the end. So a drag is one undo step, and one that is put back leaves no trace.
 */

import { drawObject } from "../../components/picture/object_drawing.js";
import { paintFrame, paintHandle, paintNote, reach } from "./marks.js";
import { nudged } from "./selection_actions.js";
import * as shapeHandles from "./shape_handles.js";
import * as transforms from "./shape_transforms.js";
import * as shapes from "./shapes.js";

const BOX_MARGIN = 14; // CSS px between the selection and the box around it: its handles must not hide vertices
const TURN_DISTANCE = 26; // CSS px of the turning handle above the box
const EDGE_WITH_MIDDLE = 44; // CSS px: shorter edges have no handle in their middle
const LEAST_GAP = 6; // CSS px between handles that are drawn: of denser ones, every one still works
const TURN_STEP = Math.PI / 12; // with Shift

const SIDES = [[-1, -1], [0, -1], [1, -1], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0]];
const SIDE_CURSORS = ["nwse-resize", "ns-resize", "nesw-resize", "ew-resize"];

/** The pointer's place in the picture, as [x, y]. */
export const placeOf = (e) => [e.x, e.y];

/**
 * The place that a pointer means: snapped to neighbours if snapping is on and Alt is not held, within the picture.
 * `ids`: regions that it does not snap to. `from`: the pointer's place, if it is not the event's.
 */
export function meantPlace(editor, e, ids = new Set(), from = placeOf(e)) {
  const inside = withinPicture(editor, from);
  if (!editor.snapper || e.event?.altKey) return inside;
  return editor.snapper.snap(inside, { ids, event: e.event, view: editor.view }) ?? inside;
}

/** The nearest place in the picture, so that an outline along its border can be drawn generously. */
function withinPicture({ view }, [x, y]) {
  const { width = Infinity, height = Infinity } = view.picture ?? {};
  return [Math.max(0, Math.min(width, x)), Math.max(0, Math.min(height, y))];
}

export class RegionEditing {
  /** @param {object} editor the editor that has the view, the document and the hooks `snapper` and `sharedBorders` */
  constructor(editor) {
    this.editor = editor;
    this.drag = null;
    this.hot = null; // what the pointer is on, drawn larger
  }

  /** Whether a drag is going on. */
  get active() {
    return this.drag !== null;
  }

  /** The selected regions that can be changed: neither locked nor hidden. */
  get regions() {
    const { doc } = this.editor;
    if (!doc) return [];
    return [...doc.selection].filter((id) => !doc.locked.has(id) && !doc.hidden.has(id))
      .map((id) => doc.region(id)).filter(Boolean);
  }

  /**
   * What of some regions (the selected ones by default) lies under the pointer, as `{kind, region, ...}`; else null.
   * Kinds: "turn", "scale", "handle", "middle" (of an edge), "edge", "curve", "inside".
   */
  hit(e, regions = this.regions) {
    if (!regions.length) return null;
    const { scale } = this.editor.view.camera, radius = reach(e.event), at = placeOf(e);
    const single = regions.length === 1 ? regions[0] : null;
    const candidates = regions === this.regions || this.isSelection(regions) ? this.boxHits(e, regions, radius) : [];
    if (single && transforms.canTransform(single)) {
      const handle = shapeHandles.nearestHandle(single, at, radius / scale);
      if (handle) candidates.push({ kind: "handle", region: single, handle, away: handle.distance * scale - 0.01 });
    }
    if (candidates.length) return candidates.sort((a, b) => a.away - b.away)[0];
    if (single && transforms.canTransform(single)) {
      const edge = shapeHandles.nearestEdge(single, at, (radius - 1) / scale);
      if (edge) {
        const middle = [(edge.a[0] + edge.b[0]) / 2, (edge.a[1] + edge.b[1]) / 2];
        const long = shapes.distance(edge.a, edge.b) * scale >= EDGE_WITH_MIDDLE && edge.kind === "edge";
        const onMiddle = long && shapes.distance(middle, at) * scale <= radius;
        return { kind: onMiddle ? "middle" : "edge", region: single, edge };
      }
      const away = shapeHandles.distanceFromCurve(single.shape, at) * scale;
      if (away <= radius - 1) return { kind: "curve", region: single };
    }
    const inside = regions.find((region) => shapes.contains(region.shape, at) || this.isOn(region, at, radius / scale));
    return inside ? { kind: "inside", region: inside } : null;
  }

  isSelection(regions) {
    const { selection } = this.editor.doc;
    return regions.every((region) => selection.has(region.id));
  }

  /** Whether a point is on a region that has no inside, or on its outline. */
  isOn(region, at, radius) {
    return Boolean(shapeHandles.nearestEdge(region, at, radius) || shapeHandles.nearestHandle(region, at, radius));
  }

  /** The box around regions, in CSS px of the view with its margin; null if they cannot be turned and scaled. */
  frame(regions = this.regions) {
    if (!regions.length || !regions.every(transforms.canTransform)) return null;
    if (regions.length === 1 && regions[0].shape.kind === "point") return null;
    const box = shapes.boxUnion(regions.map(shapes.bounds));
    if (!box) return null;
    const { camera } = this.editor.view;
    const [x, y] = camera.toScreen([box[0], box[1]]);
    const w = box[2] * camera.scale, h = box[3] * camera.scale;
    return { box, rect: [x - BOX_MARGIN, y - BOX_MARGIN, w + 2 * BOX_MARGIN, h + 2 * BOX_MARGIN] };
  }

  /** The handles of the frame: "turn", and "scale" with a `side` [-1..1, -1..1]; each with `at` in the view. */
  frameHandles(frame, regions = this.regions) {
    const [x, y, w, h] = frame.rect;
    const found = [{ kind: "turn", at: [x + w / 2, y - TURN_DISTANCE] }];
    const single = regions.length === 1 ? regions[0].shape.kind : "";
    if (single === "rect") return found; // its own corners and sides scale it
    for (const [sx, sy] of SIDES) {
      const small = (sx === 0 && w < 60) || (sy === 0 && h < 60);
      const flat = (sx && !frame.box[2]) || (sy && !frame.box[3]);
      if (small || flat) continue;
      found.push({ kind: "scale", side: [sx, sy], at: [x + (w * (sx + 1)) / 2, y + (h * (sy + 1)) / 2] });
    }
    return found;
  }

  boxHits(e, regions, radius) {
    const frame = this.frame(regions);
    if (!frame) return [];
    return this.frameHandles(frame, regions)
      .map((handle) => ({ ...handle, region: regions[0], frame, away: shapes.distance(handle.at, [e.sx, e.sy]) }))
      .filter((handle) => handle.away <= radius);
  }

  /** The mouse cursor for what `hit` returned. */
  cursor(hit) {
    switch (hit?.kind) {
      case "turn": return "grab";
      case "scale": {
        const [sx, sy] = hit.side;
        return SIDE_CURSORS[sx === 0 ? 1 : sy === 0 ? 3 : sx === sy ? 0 : 2];
      }
      case "handle": return "pointer";
      case "middle": return "copy";
      case "edge": return hit.edge.kind === "side" ? SIDE_CURSORS[hit.edge.index % 2 ? 3 : 1] : "move";
      case "curve": case "inside": return "move";
      default: return null;
    }
  }

  /** Remember what the pointer is on. */
  hover(hit) {
    const before = this.hot;
    this.hot = hit;
    if (before || hit) this.editor.view.redrawOverlay();
  }

  // A drag

  /** Begin to drag what `hit` returned, from the pointer event of the press. The regions must be selected. */
  begin(hit, e) {
    const many = ["inside", "turn", "scale"].includes(hit.kind);
    const before = many ? this.regions : [hit.region];
    if (!before.length) return;
    this.drag = {
      hit, start: e, before, changed: before, last: e, note: "",
      follow: this.editor.sharedBorders?.following?.(before, hit) ?? null,
      ids: new Set(before.map((region) => region.id)),
      all: this.editor.doc.regions,
      frame: hit.frame ?? null,
    };
    this.show(this.drag.ids);
  }

  show(ids) {
    if (this.shownIds && this.shownIds.size === ids.size && [...ids].every((id) => this.shownIds.has(id))) return;
    this.shownIds = ids.size ? ids : null;
    this.editor.view.setActive(ids);
  }

  /** Lead the drag to a pointer event. */
  move(e) {
    const { drag } = this;
    if (!drag) return;
    drag.last = e;
    const changed = this.changedAt(e);
    drag.changed = drag.follow?.(changed) ?? changed; // with shared borders, neighbours change too
    this.show(new Set([...drag.ids, ...drag.changed.map((region) => region.id)]));
    this.editor.view.redrawOverlay();
  }

  changedAt(e) {
    const { hit, start, before, ids } = this.drag;
    const shift = Boolean(e.event?.shiftKey);
    let dx = e.x - start.x, dy = e.y - start.y;
    switch (hit.kind) {
      case "handle": {
        const finger = start.event?.pointerType === "touch"; // the finger hides the vertex: it keeps its distance
        const from = finger ? [hit.handle.at[0] + dx, hit.handle.at[1] + dy] : placeOf(e);
        const to = meantPlace(this.editor, e, ids, from);
        this.drag.note = `${shapes.rounded(to[0])}, ${shapes.rounded(to[1])}`;
        return [shapeHandles.withHandleAt(hit.region, hit.handle, to, { even: shift })];
      }
      case "middle": return [shapeHandles.withVertexInserted(hit.region, hit.edge, meantPlace(this.editor, e, ids))];
      case "edge": return [shapeHandles.withEdgeMoved(hit.region, hit.edge, dx, dy)];
      case "curve": return [shapeHandles.withCurveThrough(hit.region, placeOf(e))];
      case "turn": {
        const [x, y, w, h] = hit.frame.box, centre = [x + w / 2, y + h / 2];
        let angle = Math.atan2(e.y - centre[1], e.x - centre[0]) - Math.atan2(start.y - centre[1], start.x - centre[0]);
        if (shift) angle = Math.round(angle / TURN_STEP) * TURN_STEP;
        this.drag.note = `${((Math.atan2(Math.sin(angle), Math.cos(angle)) * 180) / Math.PI).toFixed(1)}°`;
        const map = transforms.turning(angle, centre);
        return before.map((region) => transforms.transformed(region, map));
      }
      case "scale": {
        const map = this.scalingTo(hit, dx, dy, shift, Boolean(e.event?.altKey));
        const [, , w, h] = hit.frame.box;
        this.drag.note = `${shapes.rounded(Math.abs(w * map[0]))} x ${shapes.rounded(Math.abs(h * map[3]))} px`;
        return before.map((region) => transforms.transformed(region, map));
      }
      default: {
        if (shift) [dx, dy] = Math.abs(dx) >= Math.abs(dy) ? [dx, 0] : [0, dy];
        this.drag.note = `${shapes.rounded(dx)}, ${shapes.rounded(dy)}`;
        return before.map((region) => transforms.transformed(region, transforms.moving(dx, dy)));
      }
    }
  }

  /** The map of a dragged side or corner: the opposite one stays, with Alt the centre; Shift keeps the proportions. */
  scalingTo({ side: [sx, sy], frame }, dx, dy, even, central) {
    const [x, y, w, h] = frame.box, twice = central ? 2 : 1;
    let fx = sx && w ? 1 + (sx * dx * twice) / w : 1, fy = sy && h ? 1 + (sy * dy * twice) / h : 1;
    if (even) {
      const factor = sx && (!sy || Math.abs(fx - 1) > Math.abs(fy - 1)) ? fx : fy;
      fx = fy = factor;
    }
    const least = 0.001, away = (factor) => (Math.abs(factor) < least ? least : factor);
    const anchor = (from, length, towards) => {
      if (central || !towards) return from + length / 2;
      return towards > 0 ? from : from + length;
    };
    return transforms.scaling(away(fx), away(fy), [anchor(x, w, sx), anchor(y, h, sy)]);
  }

  /** End the drag: the document changes once. Return whether something changed. */
  finish() {
    const { drag } = this;
    if (!drag) return false;
    this.drag = null;
    const { doc } = this.editor;
    const put = drag.changed.filter((region) => {
      const old = drag.before.find((each) => each.id === region.id) ?? doc.region(region.id);
      return !old || !shapes.sameShape(old, region);
    });
    if (put.length) doc.change({ put }, this.words(drag));
    this.sayIfOutside(put);
    this.show(new Set());
    this.editor.view.redrawOverlay();
    return put.length > 0;
  }

  sayIfOutside(regions) {
    const { picture } = this.editor.view;
    const isOutside = (box) => box && picture && (box[0] > picture.width || box[1] > picture.height
      || box[0] + box[2] < 0 || box[1] + box[3] < 0);
    if (regions.some((region) => isOutside(shapes.bounds(region)))) {
      this.editor.say("The region lies outside the picture now; Ctrl+Z brings it back", "warning");
    }
  }

  words({ hit, before }) {
    const thing = before.length === 1 ? shapes.kindWords(before[0].shape) : `${before.length} regions`;
    switch (hit.kind) {
      case "handle": return `move ${hit.handle.kind}`;
      case "middle": return "insert vertex";
      case "edge": return "move edge";
      case "turn": return `turn ${thing}`;
      case "scale": case "curve": return `scale ${thing}`;
      default: return `move ${thing}`;
    }
  }

  /** Put everything back as it was before the drag. Return whether there was one. */
  cancel() {
    if (!this.drag) return false;
    this.drag = null;
    this.show(new Set());
    this.editor.view.redrawOverlay();
    return true;
  }

  /** Put back a drag whose regions have changed elsewhere (another window, an undo). Returns whether it did. */
  checkStillThere() {
    const unchanged = (region) => {
      const now = this.editor.doc.region(region.id);
      return now && shapes.sameShape(now, region);
    };
    if (!this.drag) return false;
    const { before, changed, ids, all } = this.drag;
    const neighbours = changed.filter(({ id }) => !ids.has(id)).map(({ id }) => all.find((region) => region.id === id));
    if ([...before, ...neighbours].every(unchanged)) return false;
    this.cancel();
    this.editor.say("The region has changed elsewhere; what you dragged was put back", "warning");
    return true;
  }

  // Single edits

  /** Delete a vertex or keypoint that `hit` returned. Return whether it was one. */
  deleteHandle(hit) {
    if (hit?.kind !== "handle" || !["vertex", "keypoint"].includes(hit.handle.kind)) return false;
    const region = this.editor.doc.region(hit.region.id);
    if (!region) return false;
    const shared = this.editor.sharedBorders?.deleting(region, hit.handle) ?? null;
    const changed = shapeHandles.withHandleDeleted(region, hit.handle);
    if (shared) {
      if (shared.length) this.editor.doc.change({ put: shared }, "delete vertex");
    } else if (changed) {
      this.editor.doc.change({ put: [changed] }, `delete ${hit.handle.kind}`);
    } else {
      const least = region.shape.kind === "polyline" ? "A line keeps 2 vertices" : region.shape.kind === "keypoints"
        ? "The last keypoint stays" : "A polygon keeps 3 vertices";
      this.editor.say(`${least}; the Delete key deletes the whole region`, "warning");
    }
    this.hover(null);
    return true;
  }

  /** Insert a vertex on the edge that `hit` returned, where the pointer is. Return whether it was an edge. */
  insertVertex(hit, e) {
    if (!["edge", "middle"].includes(hit?.kind)) return false;
    const region = this.editor.doc.region(hit.region.id);
    const edge = region && shapeHandles.nearestEdge(region, placeOf(e), Infinity);
    if (!edge) return false;
    const inserted = shapeHandles.withVertexInserted(region, edge, edge.at);
    const put = this.editor.sharedBorders?.inserting(region, edge, inserted) ?? [inserted];
    this.editor.doc.change({ put }, "insert vertex");
    return true;
  }

  // Drawing

  /** Draw the dragged regions and the handles of the selection. `regions`: those whose handles are drawn. */
  paint(context, view, regions = this.drag?.changed.filter((each) => this.drag.ids.has(each.id)) ?? this.regions) {
    for (const region of this.drag?.changed ?? nudged(this.editor)) {
      drawObject(context, view.camera, shapes.objectOf(region, this.editor), { opacity: 0.2, width: 2.5 });
    }
    if (!regions.length) return;
    const hit = this.drag?.hit ?? this.hot;
    if (!this.drag) this.paintFrame(context, regions, hit);
    else if (["scale", "turn"].includes(hit.kind)) {
      const frame = this.frame(regions);
      if (frame) paintFrame(context, frame.rect);
    }
    if (regions.length === 1 && !["inside", "turn", "scale"].includes(this.drag?.hit.kind)) {
      this.paintHandles(context, view, regions[0], hit);
    }
    if (this.drag?.note) paintNote(context, this.drag.note, [this.drag.last.sx, this.drag.last.sy], view);
  }

  paintFrame(context, regions, hit) {
    const frame = this.frame(regions);
    if (!frame || !this.isSelection(regions)) return;
    const [x, y, w, h] = frame.rect, found = this.frameHandles(frame, regions);
    paintFrame(context, frame.rect);
    for (const handle of found) {
      const hot = hit?.kind === handle.kind && String(hit.side) === String(handle.side);
      if (handle.kind === "turn") {
        context.save();
        context.strokeStyle = "rgba(0, 0, 0, 0.75)";
        context.lineWidth = 3;
        context.beginPath();
        context.moveTo(x + w / 2, y);
        context.lineTo(...handle.at);
        context.stroke();
        context.strokeStyle = "#ffffff";
        context.lineWidth = 1.2;
        context.stroke();
        context.restore();
      }
      const form = handle.kind === "turn" ? "round" : "square";
      paintHandle(context, handle.at, { form, hot, colour: this.colour(regions[0]) });
    }
  }

  colour(region) {
    return this.editor.colourOf(region.class_name ?? null);
  }

  /** Draw the handles of one region, those in view and not too dense, and the one the pointer is on. */
  paintHandles(context, view, region, hit) {
    if (!transforms.canTransform(region)) return;
    const { camera } = view, { clientWidth: width, clientHeight: height } = view.element, colour = this.colour(region);
    const visible = ([x, y]) => x > -HALF && y > -HALF && x < width + HALF && y < height + HALF;
    for (const edge of shapeHandles.edges(region)) {
      if (edge.kind !== "edge") continue;
      const a = camera.toScreen(edge.a), b = camera.toScreen(edge.b);
      const middle = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
      if (shapes.distance(a, b) < EDGE_WITH_MIDDLE || !visible(middle)) continue;
      const hot = hit?.kind === "middle" && hit.edge.index === edge.index && hit.edge.ring === edge.ring
        && hit.edge.part === edge.part;
      paintHandle(context, middle, { form: "small", hot, colour });
    }
    let last = null;
    for (const handle of shapeHandles.handles(region)) {
      const at = camera.toScreen(handle.at);
      const hot = hit?.kind === "handle" && sameHandle(hit.handle, handle);
      if (!visible(at) || (!hot && last && shapes.distance(at, last) < LEAST_GAP)) continue;
      paintHandle(context, at, { hot, colour });
      last = at;
    }
  }
}

const HALF = 8; // CSS px outside the view at which a handle is still drawn

/** Whether two handles are the same one of a region. */
function sameHandle(a, b) {
  return a.kind === b.kind && a.index === b.index && a.part === b.part && a.ring === b.ring;
}
