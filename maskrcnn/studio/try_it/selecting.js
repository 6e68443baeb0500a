// Which candidates of a picture a selection keeps: the browser's copy of `Candidates.kept` (model/candidates.py).
//
// Numbers are rounded to float32 where Python computes in float32, so that both keep the same ones.

const single = Math.fround;

/**
 * @typedef {object} Selection as in model/candidates.py
 * @property {number} min_score
 * @property {number} nms_iou
 * @property {number} mask_threshold
 * @property {number} proposals
 * @property {number} most
 * @property {number[] | null} classes
 */

/**
 * The places of the candidates that are kept, best score first: those of enough score and rank and of the chosen
 * classes, without those that overlap a better one of their class by more than `nms_iou`.
 *
 * @param {import("./candidate_table.js").Candidates} candidates
 * @param {Selection} selection
 * @returns {number[]}
 */
export function keptCandidates(candidates, { min_score, nms_iou, proposals, most, classes }) {
  const { count, boxes, labels, scores, ranks } = candidates, chosen = classes && new Set(classes);
  const least = single(min_score), limit = single(nms_iou), kept = [];
  const keptOf = new Map(); // label -> places
  for (let place = 0; place < count && kept.length < most; place++) {
    if (scores[place] < least || ranks[place] >= proposals) continue;
    const label = labels[place];
    if (chosen && !chosen.has(label)) continue;
    if (!keptOf.has(label)) keptOf.set(label, []);
    const better = keptOf.get(label);
    if (better.some((other) => overlap(boxes, other, place) > limit)) continue;
    better.push(place);
    kept.push(place);
  }
  return kept;
}

/** The IoU of two boxes in float32; 0 if both are empty. */
function overlap(boxes, one, other) {
  const [a, b] = [4 * one, 4 * other];
  const width = single(Math.min(boxes[a + 2], boxes[b + 2]) - Math.max(boxes[a], boxes[b]));
  const height = single(Math.min(boxes[a + 3], boxes[b + 3]) - Math.max(boxes[a + 1], boxes[b + 1]));
  const common = single(Math.max(0, width) * Math.max(0, height));
  const union = single(single(area(boxes, a) + area(boxes, b)) - common);
  return union > 0 ? single(common / union) : 0;
}

function area(boxes, start) {
  return single(single(boxes[start + 2] - boxes[start]) * single(boxes[start + 3] - boxes[start + 1]));
}
