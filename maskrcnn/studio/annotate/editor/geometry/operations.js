// Merge, subtract, make a hole: operations on the selected regions that the server computes. Each is one undo step.

import { changeable } from "../selection_actions.js";
import { area, kindWords, withShape } from "../shapes.js";

const AREAS = ["polygon", "multipolygon", "rect", "circle", "ellipse", "rle"];

/** Whether a region has an area: it is no line, no point and no keypoints. */
export const hasArea = (region) => AREAS.includes(region.shape.kind);

/** "1 region" or "3 regions". */
export const counted = (number, noun = "region") => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** The selected regions with an area that may be changed, in the order in which they were selected. */
export function selectedAreas(editor) {
  const { doc } = editor, free = new Set(changeable(editor).map(({ id }) => id));
  return [...doc.selection].filter((id) => free.has(id)).map((id) => doc.region(id)).filter(hasArea);
}

/** Whether regions are still in the document as they were, after the server was asked. */
export const areUnchanged = (doc, regions) => regions.every((region) => doc.region(region.id) === region);

/**
 * Ask the server for shapes, and show that it works. The answer is null, and the reason is said, if there is none or if
 * the regions have changed meanwhile.
 * @param {string} operation the route below `geometry/`.
 * @param {string} words what is being done, such as "Merging".
 */
export async function computed(editor, operation, body, regions, words) {
  const { doc, server } = editor;
  const stop = new AbortController();
  const asked = server.post(`geometry/${operation}`, body, { signal: stop.signal, patience: 60000 });
  editor.busy(words, asked.catch(() => {}), () => stop.abort());
  try {
    const answer = await asked;
    if (editor.doc === doc && areUnchanged(doc, regions)) return answer;
    editor.say("The regions have changed meanwhile; nothing was done", "warning");
  } catch (error) {
    if (error.name !== "AbortError") editor.say(`${words} failed: ${error.message}`, "problem");
  }
  return null;
}

/** The selected areas, or null with the reason said, if they are fewer than `least`. */
function wanted(editor, least, what) {
  const regions = selectedAreas(editor);
  if (regions.length >= least) return regions;
  const others = editor.selectedRegions().filter((region) => !hasArea(region));
  const why = others.length ? `; a ${kindWords(others[0].shape)} has no area` : "";
  editor.say(`${what}: select ${least} or more regions with an area, with Shift + click${why}`, "warning");
  return null;
}

/** Merge the selected regions into the one that was selected first; it keeps its class and attributes. */
export async function merge(editor) {
  const regions = wanted(editor, 2, "Merge");
  if (!regions) return;
  const answer = await computed(editor, "union", { shapes: regions.map(({ shape }) => shape) }, regions, "Merging");
  if (!answer) return;
  const [first, ...others] = regions;
  editor.doc.change({ put: [withShape(first, answer.shape)], remove: others.map(({ id }) => id) }, "merge regions");
  editor.doc.select([first.id]);
  const parts = answer.shape.kind === "multipolygon" ? answer.shape.parts.length : 1;
  editor.say(`${counted(regions.length)} merged${parts > 1 ? ` into one in ${counted(parts, "part")}` : ""}`);
}

/** Take the area of the other selected regions from the one that was selected first; the others stay as they are. */
export async function subtract(editor) {
  const regions = wanted(editor, 2, "Subtract");
  if (!regions) return;
  const [first, ...others] = regions;
  const body = { shape: first.shape, others: others.map(({ shape }) => shape) };
  const answer = await computed(editor, "difference", body, regions, "Subtracting");
  if (!answer) return;
  if (!answer.changed) editor.say("The regions do not overlap, so there is nothing to subtract", "warning");
  else if (!answer.shape) editor.say("The others cover the first region; nothing would be left of it", "warning");
  else {
    editor.doc.change({ put: [withShape(first, answer.shape)] }, "subtract regions");
    editor.say("Subtracted from the region that was selected first");
  }
}

/** Make the smaller selected regions holes in the largest one. They disappear. */
export async function makeHole(editor) {
  const regions = wanted(editor, 2, "Hole");
  if (!regions) return;
  const outer = regions.reduce((largest, region) => (area(region.shape) > area(largest.shape) ? region : largest));
  const holes = regions.filter((region) => region !== outer);
  let { shape } = outer;
  for (const hole of holes) {
    const answer = await computed(editor, "hole", { shape, hole: hole.shape }, regions, "Making a hole");
    if (!answer) return;
    ({ shape } = answer);
  }
  editor.doc.change({ put: [withShape(outer, shape)], remove: holes.map(({ id }) => id) }, "make hole");
  editor.doc.select([outer.id]);
  const inner = holes.length === 1 ? "region is" : "regions are";
  editor.say(`${counted(holes.length, "hole")} made; the inner ${inner} gone`);
}

/** Draw the selected regions anew where their outlines cross; the area stays the same. */
export async function repair(editor) {
  const regions = wanted(editor, 1, "Repair");
  if (!regions) return;
  const put = [];
  for (const region of regions) {
    const answer = await computed(editor, "repair", { shape: region.shape }, regions, "Repairing");
    if (!answer) return;
    if (answer.changed) put.push(withShape(region, answer.shape));
  }
  if (!put.length) editor.say("The outlines do not cross; nothing to repair");
  else {
    editor.doc.change({ put }, "repair outlines");
    editor.say(`${counted(put.length)} drawn anew without crossings`);
  }
}
