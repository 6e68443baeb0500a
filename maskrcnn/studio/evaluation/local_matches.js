// What the sliders of the Evaluation page change, matched in the browser, so that they are answered at once.
//
// The page matches, too, for everything below the table, and has the same result: matching.js is a copy of its rule.

import { matchPicture } from "../inspect/matching.js";

/**
 * The tables that `matchPicture` takes, from those of the list of pictures: {crowd, scores, overlaps} of each picture.
 * Null without any: there are too many detections to send.
 */
export function matchTables(tables) {
  return tables && tables.map(({ crowd, scores, overlaps }) => ({
    objects: crowd.map((isCrowd) => ({ crowd: Boolean(isCrowd) })),
    detections: scores.map((score) => ({ score })),
    overlaps,
  }));
}

/**
 * Columns and order of the table of pictures, as picture_board.py makes them, and the statuses in the picture `place`:
 * {columns: {f1, tp, fp, fn, iou}, order, objects, detections}.
 */
export function localMatches(tables, score, iou, place) {
  const columns = { f1: [], tp: [], fp: [], fn: [], iou: [] };
  let statuses = {};
  tables.forEach((table, picture) => {
    const { objects, detections, tp, fp, fn } = matchPicture(table, score, iou), whole = 2 * tp + fp + fn;
    const hits = detections.filter(({ status }) => status === "tp");
    const values = {
      tp, fp, fn, f1: whole ? (2 * tp) / whole : null,
      iou: tp ? hits.reduce((sum, hit) => sum + hit.iou, 0) / tp : null,
    };
    for (const [name, value] of Object.entries(values)) columns[name].push(value);
    if (picture !== place) return;
    const shown = detections.map(({ status }) => status);
    statuses = {
      objects: objects.map(({ status }) => status),
      detections: table.detections.map((_, row) => shown[row] ?? "below"),
    };
  });
  return { columns, order: worstFirst(columns), ...statuses };
}

/** The pictures, worst first: lowest F1, then the most wrong ones, then the given order (picture_ranking.py). */
function worstFirst({ f1, fp, fn }) {
  return f1.map((_, picture) => picture).sort((a, b) => {
    const one = f1[a] ?? Infinity, other = f1[b] ?? Infinity;
    if (one !== other) return one - other;
    return fp[b] + fn[b] - fp[a] - fn[a] || a - b;
  });
}
