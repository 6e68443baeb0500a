// What two sides found of the objects of one picture.

import { matchPicture } from "../inspect/matching.js";

/** Who found an object, in the legend of the ground truth: words and a definition. */
export const TRUTH_LEGEND = {
  both: { words: "both", means: "Objects that A and B find." },
  onlyA: { words: "only A", means: "Objects that A finds and B misses: lost on the way from A to B." },
  onlyB: { words: "only B", means: "Objects that B finds and A misses: won on the way from A to B." },
  none: { words: "neither", means: "Objects that neither finds." },
};

/**
 * Match the detections of both sides of a picture. `table` has `objects`, and `a` and `b` as `matchPicture` needs them.
 *
 * Returns `a` and `b` (results of `matchPicture`), `found`: for each object "both", "onlyA", "onlyB", "none" or
 * "ignored" (a crowd), `counts`: the numbers of these, and `objects`: the number of objects without crowds.
 */
export function compared(table, minScore, iou) {
  const a = matchPicture(table.a, minScore, iou), b = matchPicture(table.b, minScore, iou);
  const found = table.objects.map(({ crowd }, place) => {
    if (crowd) return "ignored";
    const byA = a.objects[place].status === "tp", byB = b.objects[place].status === "tp";
    if (byA && byB) return "both";
    return byA ? "onlyA" : byB ? "onlyB" : "none";
  });
  const count = (status) => found.filter((value) => value === status).length;
  const counts = Object.fromEntries(Object.keys(TRUTH_LEGEND).map((status) => [status, count(status)]));
  return { a, b, found, counts, objects: found.length - count("ignored") };
}
