/*
 * What is done with the selected regions as a whole, by keys and buttons of every tool: delete, nudge, duplicate, copy,
 * paste, order, mirror. Each function takes the editor and is one undo step. Locked and hidden regions are left alone.
 */

import * as transforms from "./shape_transforms.js";
import * as shapes from "./shapes.js";
import { partners } from "./skeletons.js";

const CLIPBOARD = "maskrcnn-studio-clipboard"; // in the session storage of the window: it works between pictures
const OFFSET = 12; // CSS px between a region and its copy
const OUTLINE_IOU = 0.98; // least IoU of the outline of a mask to the mask
const NUDGE_PAUSE = 200; // ms after the last repeat of an arrow key until the nudge is one change

/** The selected regions that may be changed: [region, ...] back to front. */
export function changeable({ doc }) {
  return doc.regions.filter(({ id }) => doc.selection.has(id) && !doc.locked.has(id) && !doc.hidden.has(id));
}

const counted = (n) => (n === 1 ? "1 region" : `${n} regions`);

/** The changeable regions; says why if there is none. */
function wanted(editor) {
  const regions = changeable(editor);
  const kept = editor.doc.selection.size - regions.length;
  if (kept && !regions.length) editor.say(`${counted(kept)} ${kept === 1 ? "is" : "are"} locked or hidden`, "warning");
  return regions;
}

/** Delete the selected regions. Returns whether there was one. */
export function deleteSelected(editor) {
  const regions = wanted(editor);
  if (!regions.length) return false;
  editor.doc.change({ remove: regions.map(({ id }) => id) }, `delete ${counted(regions.length)}`);
  editor.doc.select([]);
  if (regions.length > 1) editor.say(`${counted(regions.length)} deleted; Ctrl+Z brings them back`, "info");
  return true;
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const nudges = new WeakMap(); // editor -> {dx, dy, timer, before} of an arrow key that is held down

/**
 * Move the selected regions by (dx, dy) picture px. With `repeat` (the key is held down) they move on the screen, and
 * the document changes once when the key rests. Returns whether something is selected.
 */
export function nudge(editor, dx, dy, repeat = false) {
  const pending = nudges.get(editor);
  if (!repeat) {
    finishNudge(editor);
    const regions = wanted(editor);
    if (!regions.length) return editor.doc.selection.size > 0;
    const put = regions.map((region) => transforms.transformed(region, transforms.moving(dx, dy)));
    editor.doc.change({ put }, `move ${counted(put.length)}`);
    return true;
  }
  const regions = pending?.before ?? changeable(editor);
  if (!regions.length) return editor.doc.selection.size > 0;
  clearTimeout(pending?.timer);
  const total = { before: regions, dx: (pending?.dx ?? 0) + dx, dy: (pending?.dy ?? 0) + dy };
  total.changed = regions.map((region) => transforms.transformed(region, transforms.moving(total.dx, total.dy)));
  total.timer = setTimeout(() => finishNudge(editor), NUDGE_PAUSE);
  nudges.set(editor, total);
  if (!pending) editor.view.setActive(new Set(regions.map(({ id }) => id)));
  editor.view.redrawOverlay();
  return true;
}

/**
 * Move the selected regions by the pressed arrow key: 1 px, with Shift 10 px. Returns whether something is selected.
 */
export function nudgeByKey(editor, event) {
  const [x, y] = ARROWS[event.key], step = event.shiftKey ? 10 : 1;
  return nudge(editor, x * step, y * step, event.repeat);
}

/** The regions as a held arrow key has moved them so far: a tool draws them. Empty if no key is held. */
export const nudged = (editor) => nudges.get(editor)?.changed ?? [];

/** Make what a held arrow key has moved one change. Does nothing if there is none. */
export function finishNudge(editor) {
  const pending = nudges.get(editor);
  if (!pending) return;
  nudges.delete(editor);
  clearTimeout(pending.timer);
  const same = pending.before.every((region) => {
    const now = editor.doc.region(region.id);
    return now && shapes.sameShape(now, region);
  });
  if (same) editor.doc.change({ put: pending.changed }, `move ${counted(pending.changed.length)}`);
  editor.view.setActive(new Set());
}

/** A copy of a region under a new id, moved by (dx, dy). What a label file said of the old shape is left out. */
function copyOf(region, dx, dy) {
  return { ...transforms.transformed(region, transforms.moving(dx, dy)), id: shapes.newId() };
}

/** Put copies of the selected regions beside them and select the copies. Returns whether something is selected. */
export function duplicate(editor) {
  const regions = changeable(editor);
  if (!regions.length) return false;
  const step = OFFSET / editor.view.camera.scale;
  const copies = regions.map((region) => copyOf(region, ...offsetWithin(editor, [region], step)));
  editor.doc.change({ put: copies }, `duplicate ${counted(copies.length)}`);
  editor.doc.select(copies.map(({ id }) => id));
  return true;
}

/** How far copies go from (dx, dy) = (step, step), the other way round where they would leave the picture. */
function offsetWithin({ view }, regions, step) {
  const box = shapes.boxUnion(regions.map(shapes.bounds));
  if (!box) return [step, step];
  const { pictureWidth: width, pictureHeight: height } = view.camera;
  return [box[0] + box[2] + step > width ? -step : step, box[1] + box[3] + step > height ? -step : step];
}

/** Copy the selected regions, for this and other pictures; also to the system's clipboard as JSON, if it allows. */
export function copy(editor) {
  const { doc } = editor;
  const regions = doc.regions.filter(({ id }) => doc.selection.has(id));
  if (!regions.length) return false;
  const { pictureWidth: width, pictureHeight: height } = editor.view.camera;
  const text = JSON.stringify({ kind: "maskrcnn regions", width, height, regions });
  memory = text;
  try {
    sessionStorage.setItem(CLIPBOARD, text);
  } catch {
    // Full or forbidden: the copy is in the memory of this page.
  }
  navigator.clipboard?.writeText?.(JSON.stringify(regions)).catch(() => {});
  editor.say(`${counted(regions.length)} copied; Ctrl+V pastes, on another picture too`, "info");
  return true;
}

let memory = null;

/** Copy the selected regions and delete them. */
export const cut = (editor) => copy(editor) && deleteSelected(editor);

function clipboard() {
  try {
    return JSON.parse(sessionStorage.getItem(CLIPBOARD) ?? memory);
  } catch {
    return JSON.parse(memory);
  }
}

/** Paste the copied regions: on another picture at the same place, beside the original if that is there. */
export function paste(editor) {
  const copied = clipboard();
  if (!copied?.regions?.length) {
    editor.say("Nothing is copied: select regions and press Ctrl+C", "info");
    return false;
  }
  const { pictureWidth: width, pictureHeight: height } = editor.view.camera;
  const fitting = copied.regions.filter(({ shape }) => shape.kind !== "rle"
    || (shape.size[0] === height && shape.size[1] === width));
  const left = copied.regions.length - fitting.length;
  if (left) editor.say(`${counted(left)} not pasted: a mask fits only pictures of its size`, "warning");
  if (!fitting.length) return false;
  const [dx, dy] = pastePlace(editor, fitting);
  const copies = fitting.map((region) => copyOf(region, dx, dy));
  editor.doc.change({ put: copies }, `paste ${counted(copies.length)}`);
  editor.doc.select(copies.map(({ id }) => id));
  return true;
}

/** The move that a paste needs: none on an empty place; beside what is already there; into a smaller picture. */
function pastePlace(editor, regions) {
  const step = OFFSET / editor.view.camera.scale;
  const { pictureWidth: width, pictureHeight: height } = editor.view.camera;
  const [x, y, w, h] = shapes.boxUnion(regions.map(shapes.bounds)) ?? [0, 0, 0, 0];
  const taken = new Set(editor.doc.regions.map((region) => JSON.stringify(shapes.bounds(region)?.map(Math.round))));
  const isTaken = (dx, dy) => {
    const box = shapes.bounds(regions[0]);
    return box && taken.has(JSON.stringify([box[0] + dx, box[1] + dy, box[2], box[3]].map(Math.round)));
  };
  let dx = x >= width ? width - w - x : 0, dy = y >= height ? height - h - y : 0;
  for (let tries = 0; tries < 50 && isTaken(dx, dy); tries++) {
    dx += x + w + dx + step > width ? -step : step;
    dy += y + h + dy + step > height ? -step : step;
  }
  return [dx, dy];
}

/** Select all regions that are neither locked nor hidden. */
export function selectAll({ doc }) {
  doc.select(doc.regions.map(({ id }) => id).filter((id) => !doc.locked.has(id) && !doc.hidden.has(id)));
  return true;
}

/** Bring the selected regions to the "front" or the "back". Returns whether one is selected that may be changed. */
export function reorder(editor, towards) {
  const chosen = new Set(changeable(editor).map(({ id }) => id));
  if (!chosen.size) return false;
  const before = editor.doc.regions.map(({ id }) => id);
  const moved = before.filter((id) => chosen.has(id)), others = before.filter((id) => !chosen.has(id));
  const order = towards === "front" ? [...others, ...moved] : [...moved, ...others];
  if (order.some((id, place) => id !== before[place])) {
    editor.doc.change({ order }, towards === "front" ? "bring to front" : "send to back");
  }
  return true;
}

/** Mirror the selected regions left-right, about the middle of all of them. Returns whether there was one. */
export function mirror(editor) {
  const regions = wanted(editor), mirrored = regions.filter(transforms.canTransform);
  if (!mirrored.length) {
    if (regions.length) editor.say("A mask of pixels cannot be mirrored", "warning");
    return false;
  }
  const [x, y, width] = shapes.boxUnion(mirrored.map(shapes.bounds)) ?? [0, 0, 0];
  const map = transforms.scaling(-1, 1, [x + width / 2, y]);
  const put = mirrored.map((region) => mirroredBy(map, region, editor.classes));
  editor.doc.change({ put }, `mirror ${counted(put.length)}`);
  return true;
}

/** A region mirrored by a map. Keypoints of the left and the right side change places, as where training flips. */
function mirroredBy(map, region, classes) {
  const after = transforms.transformed(region, map), points = shapes.keypointsOf(after);
  const { names } = classes.find(({ name }) => name === region.class_name)?.skeleton ?? {};
  if (!points || names?.length !== points.length) return after;
  return shapes.withKeypoints(after, partners(names).map((place) => points[place]));
}

/**
 * Make outlines of masks: the server traces each one, simplified to an IoU of at least 0.98. One undo step; a mask that
 * was changed meanwhile, or whose outline cannot be made, stays, and a line says why.
 */
export async function outlineMasks(editor, masks) {
  const { doc } = editor;
  const work = Promise.all(masks.map(async (mask) => {
    const { shape } = await editor.server.post("geometry/simplify", { shape: mask.shape, least_iou: OUTLINE_IOU });
    if (!shape) throw new Error("the mask is empty");
    return shapes.withShape(mask, shape);
  }));
  editor.busy?.("Tracing the mask", work);
  try {
    const outlined = await work;
    const put = outlined.filter(({ id }, place) => doc.region(id) && shapes.sameShape(doc.region(id), masks[place]));
    if (put.length) doc.change({ put }, put.length === 1 ? "mask to outline" : "masks to outlines");
  } catch (error) {
    editor.say(`The mask stays as it is: ${error.message}`, "problem");
  }
}
