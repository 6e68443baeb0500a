// Greedy matching of detections to objects at one IoU threshold: a copy of maskrcnn/evaluation/matching.py, so that the
// browser can answer a slider at once. tests/browser/predictions/test_matching.py compares the two.

/** Thresholds above this are taken as this, as COCO does: an IoU of 1 may be computed as slightly less. */
const HIGHEST_THRESHOLD = 1 - 1e-10;

/**
 * Matches the detections of one picture to its objects.
 *
 * `table` is what maskrcnn/studio/inspect/match_table.py makes: `objects` with `crowd` (boolean), `detections` with
 * `score`, best score first, and `overlaps`: for each detection an array of [index of the object, IoU], for the objects
 * of its class that it overlaps. For a crowd the number is the fraction of the detection that lies on the crowd.
 *
 * Detections with a score below `minScore` are left out; `iou` is the threshold, above 0. A detection is matched to the
 * object that is not matched yet and has the largest IoU, if it reaches the threshold; the last one of equals. If there
 * is none, it may be matched to a crowd, which counts neither way.
 *
 * Returns `detections`, an array for those that are left, and `objects`, an array for all objects: each item has
 * `status` ("tp", "fp", "fn" or "ignored"), `partner` (index of the other one, or null) and `iou` (with the partner; if
 * there is none, the best IoU with anything of its class, or 0). `tp`, `fp` and `fn` are their numbers.
 */
export function matchPicture(table, minScore, iou) {
  const { objects, overlaps } = table;
  const threshold = Math.min(iou, HIGHEST_THRESHOLD);
  const shown = table.detections.filter(({ score }) => score >= minScore);
  const finders = objects.map(() => null);
  const best = objects.map(() => 0); // over all detections that are left
  const detections = shown.map((_, row) => {
    let found = null, onCrowd = null, nearest = 0;
    for (const [column, value] of overlaps[row]) {
      const { crowd } = objects[column], isEnough = value >= threshold;
      best[column] = Math.max(best[column], value);
      if (crowd) {
        if (isEnough && value >= (onCrowd?.iou ?? 0)) onCrowd = { status: "ignored", partner: column, iou: value };
        continue;
      }
      nearest = Math.max(nearest, value);
      const isFree = finders[column] === null;
      if (isFree && isEnough && value >= (found?.iou ?? 0)) found = { status: "tp", partner: column, iou: value };
    }
    if (found) finders[found.partner] = row;
    return found ?? onCrowd ?? { status: "fp", partner: null, iou: nearest };
  });
  const matched = objects.map(({ crowd }, column) => {
    const partner = finders[column];
    if (crowd) return { status: "ignored", partner: null, iou: best[column] };
    if (partner === null) return { status: "fn", partner: null, iou: best[column] };
    return { status: "tp", partner, iou: detections[partner].iou };
  });
  const count = (items, status) => items.filter((item) => item.status === status).length;
  return {
    detections,
    objects: matched,
    tp: count(detections, "tp"),
    fp: count(detections, "fp"),
    fn: count(matched, "fn"),
  };
}
