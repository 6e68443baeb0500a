// The texts of the Predictions page about one object or one detection, and their numbers.

export const LEAST = 0.005; // IoUs below this are written as none

/** "1 object", "2 objects". */
export const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** A number below `limit` as text that is below it, too: two decimals, or more if rounding would reach the limit. */
export function decimalsBelow(value, limit) {
  for (let digits = 2; digits < 17; digits++) {
    if (Number(value.toFixed(digits)) < limit) return value.toFixed(digits);
  }
  return String(value);
}

/**
 * What became of the detection `row` of `table`; `matches` is the result of `matchPicture` with score and IoU of
 * `choices`.
 */
export function detectionWords(table, matches, row, { iou }) {
  const { label } = table.detections[row], match = matches.detections[row];
  if (!match) return `${label}: its score is below the chosen one, so it is not counted`;
  if (match.status === "tp") {
    return `${label}: found, TP. IoU ${match.iou.toFixed(2)} with ${table.objects[match.partner].label}`;
  }
  if (match.status === "ignored") return `${label}: lies on a crowd, counts neither way`;
  const wrong = `${label}: wrong, FP.`;
  if (match.iou >= iou) return `${wrong} IoU ${match.iou.toFixed(2)}, but that object has a better detection`;
  if (match.iou >= LEAST) return `${wrong} At most IoU ${decimalsBelow(match.iou, iou)} with an object of its class`;
  return `${wrong} No object of its class is there`;
}

/**
 * What became of the object `column` of `table`. For a missed one: what comes closest, also below the minimum score.
 */
export function objectWords(table, matches, column, { iou }) {
  const { label } = table.objects[column], match = matches.objects[column];
  if (match.status === "tp") {
    return `${label}: found, TP. IoU ${match.iou.toFixed(2)} with ${table.detections[match.partner].label}`;
  }
  if (match.status === "ignored") return `${label}: a crowd, counts neither way`;
  const hidden = table.detections.findIndex((_, row) => row >= matches.detections.length
    && table.overlaps[row].some(([other, value]) => other === column && value >= iou));
  const missed = `${label}: missed, FN.`;
  if (hidden >= 0) return `${missed} ${table.detections[hidden].label} fits, but its score is below the chosen one`;
  if (match.iou >= iou) return `${missed} What lies on it, at IoU ${match.iou.toFixed(2)}, counts for another object`;
  if (match.iou >= LEAST) return `${missed} At most IoU ${decimalsBelow(match.iou, iou)} with a detection of its class`;
  return `${missed} No detection of its class is on it`;
}

/** The kinds of matches in the legend: words, and a definition for `choices` {score, iou} and "mask" or "box" IoU. */
export const LEGEND = {
  tp: {
    words: "found, TP",
    means: ({ score, iou }, measure) => `Detections with a score of at least ${score.toFixed(2)} that found an object: `
      + `same class, ${measure} IoU of at least ${iou.toFixed(2)}, matched greedily from the best score down, each `
      + "object once.",
  },
  fp: {
    words: "wrong, FP",
    means: ({ score }) => `Detections with a score of at least ${score.toFixed(2)} that found none. One that lies on a `
      + "crowd counts neither way.",
  },
  fn: {
    words: "missed, FN",
    means: ({ score }) => `Objects that no detection with a score of at least ${score.toFixed(2)} found.`,
  },
};
