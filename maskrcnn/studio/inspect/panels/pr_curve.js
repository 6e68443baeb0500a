// The precision-recall curve of one picture, row by row: a copy of maskrcnn.evaluation.ranking_ap.pooled_ap that keeps
// every step. tests/browser/predictions/test_matching.py compares the two.

import { matchPicture } from "../matching.js";

/**
 * Rank all detections of a picture, best score first, and follow precision and recall down the ranking.
 *
 * `table` is what maskrcnn/studio/inspect/match_table.py makes, `iou` the threshold. All classes share a ranking; with
 * `category` (index of a class) only its objects and detections count.
 *
 * Returns `objects` (how many can be found; crowds do not count), `area` (the AP in [0, 1], null without objects) and
 * `rows`, one for each detection: `detection` (its index), `score`, `status` ("tp", "fp" or "ignored"), `partner`
 * (index of its object or null), and, unless it lies on a crowd and is left out (then null): `rank` from 1, `hits` so
 * far, `precision`, `recall`, `envelope` (the highest precision at this recall or a higher one), `best` (the row that has
 * it, as an index of `rows`) and `area` (that under the envelope so far). Without objects, recall and area are null.
 */
export function prCurve(table, iou, category = null) {
  const isChosen = (entry) => category === null || entry.class === category;
  const matches = matchPicture(table, -Infinity, iou).detections;
  const objects = table.objects.filter((object) => !object.crowd && isChosen(object)).length;
  const rows = [], ranked = [];
  let rank = 0, hits = 0;
  table.detections.forEach((entry, detection) => {
    if (!isChosen(entry)) return;
    const { status, partner } = matches[detection], isRanked = status !== "ignored";
    if (isRanked) {
      rank += 1;
      hits += Number(status === "tp");
      ranked.push(rows.length);
    }
    rows.push({
      detection, score: entry.score, status, partner, rank: isRanked ? rank : null, hits: isRanked ? hits : null,
      precision: isRanked ? hits / rank : null, recall: isRanked && objects ? hits / objects : null,
      envelope: null, best: null, area: null,
    });
  });
  let best = null;
  for (const place of [...ranked].reverse()) {
    if (best === null || rows[place].precision >= rows[best].precision) best = place;
    rows[place].best = best;
    rows[place].envelope = rows[best].precision;
  }
  if (!objects) return { objects, area: null, rows };
  let sum = 0;
  for (const place of ranked) {
    if (rows[place].status === "tp") sum += rows[place].envelope;
    rows[place].area = sum / objects;
  }
  return { objects, area: sum / objects, rows };
}

/**
 * The area under the envelope as a sum to be worked by hand, such as "(1 + 2/3) / 2 = 0.833": for each object that
 * was found the envelope there (right ones / all of the ranking down to that row), and 0 for each that was not. Equal
 * numbers are written once, with how many they are. "" without objects.
 */
export function writtenSum({ objects, area, rows }) {
  if (!objects) return "";
  const terms = rows.filter(({ status }) => status === "tp").map(({ best }) => {
    const { hits, rank } = rows[best];
    return hits === rank ? "1" : `${hits}/${rank}`;
  });
  while (terms.length < objects) terms.push("0");
  const groups = [];
  for (const term of terms) {
    if (groups.at(-1)?.term === term) groups.at(-1).times += 1;
    else groups.push({ term, times: 1 });
  }
  const isShort = terms.length <= 3;
  const sum = isShort ? terms.join(" + ")
    : groups.map(({ term, times }) => (times > 1 ? `${times} × ${term}` : term)).join(" + ");
  return `${terms.length > 1 ? `(${sum})` : sum} / ${objects} = ${area.toFixed(3)}`;
}
