// Why an object was missed and why a detection is wrong, as far as the saved detections tell it.

import { LEAST, decimalsBelow } from "../match_words.js";

const NEAR = 0.1; // IoU from which on something lies on the object; below, it lies elsewhere (as TIDE has it)

const two = (value) => value.toFixed(2);

/** Words for an IoU below `limit`. */
const below = (value, limit) => `IoU ${decimalsBelow(value, limit)} < ${two(limit)}`;

/** The IoUs of everything of the class `same` (or of the other classes) with one object: [[detection, IoU], ...]. */
function onObject(table, column, same) {
  const pairs = same ? table.overlaps : table.others;
  return pairs.flatMap((row, detection) => row
    .filter(([other]) => other === column).map(([, iou]) => [detection, iou]));
}

const closest = (pairs) => pairs.reduce((best, pair) => (pair[1] > (best?.[1] ?? 0) ? pair : best), null);

/**
 * What became of the object `column`: {kind, lines}. `matches` is the result of `matchPicture` with the score and the
 * IoU of `choices`. `kind` is "found", "crowd", "another class", "counted for another", "low score", "too loose" or
 * "nothing"; the first of `lines` is the reason, the others are what else lies on it.
 */
export function objectStory(table, matches, column, { score, iou }) {
  const match = matches.objects[column], { detections } = table;
  if (match.status === "ignored") return { kind: "crowd", lines: ["A crowd: it counts neither way."] };
  if (match.status === "tp") {
    return { kind: "found", lines: [`Found by ${detections[match.partner].label} at IoU ${two(match.iou)}.`] };
  }
  const isShown = (detection) => detection < matches.detections.length;
  const own = onObject(table, column, true), found = [];
  const confused = closest(onObject(table, column, false).filter(([row]) => isShown(row)));
  const shown = closest(own.filter(([row]) => isShown(row)));
  const hidden = own.find(([row, value]) => !isShown(row) && value >= iou); // the best score comes first
  if (confused && confused[1] >= iou) {
    found.push({
      kind: "another class", score: detections[confused[0]].score,
      line: `Found as another class: ${detections[confused[0]].label} lies on it at IoU ${two(confused[1])}.`,
    });
  }
  if (shown && shown[1] >= iou) {
    const { label } = detections[shown[0]], other = matches.detections[shown[0]];
    found.push({
      kind: "counted for another", score: detections[shown[0]].score,
      line: `Its best detection counts for another object: ${label} lies on it at IoU ${two(shown[1])}, and on `
        + `object ${other.partner + 1} at IoU ${two(other.iou)}. A detection counts once.`,
    });
  }
  if (hidden) {
    found.push({
      kind: "low score", score: detections[hidden[0]].score,
      line: `${detections[hidden[0]].label} fits it at IoU ${two(hidden[1])}, but its score `
        + `${decimalsBelow(detections[hidden[0]].score, score)} is below the slider, ${two(score)}.`,
    });
  }
  found.sort((a, b) => b.score - a.score); // stable: of equals, the order above
  if (shown && shown[1] < iou && shown[1] >= NEAR) {
    const line = `Found too loosely: ${detections[shown[0]].label} lies on it with ${below(shown[1], iou)}.`;
    found.push({ kind: "too loose", line });
  }
  if (found.length) return { kind: found[0].kind, lines: found.map(({ line }) => line) };
  const faint = closest([...own, ...onObject(table, column, false)]);
  const more = faint && faint[1] >= NEAR
    ? [`The closest that was saved is ${detections[faint[0]].label} at IoU ${two(faint[1])}.`] : [];
  return {
    kind: "nothing",
    lines: ["No saved detection fits it: its boxes were dropped in the network, by score, NMS or a limit.", ...more],
  };
}

/**
 * What became of the detection `row`: {kind, lines}, as `objectStory`. `kind` is "found", "crowd", "below the slider",
 * "another class", "duplicate", "too loose" or "background".
 */
export function detectionStory(table, matches, row, { score, iou }) {
  const match = matches.detections[row], entry = table.detections[row], { objects } = table;
  const named = (column) => `object ${column + 1} (${objects[column].label})`;
  if (!match) {
    return {
      kind: "below the slider",
      lines: [`Its score ${decimalsBelow(entry.score, score)} is below the slider, ${two(score)}: it is not counted.`],
    };
  }
  if (match.status === "ignored") return { kind: "crowd", lines: ["It lies on a crowd and counts neither way."] };
  if (match.status === "tp") {
    return { kind: "found", lines: [`Right: it found ${named(match.partner)} at IoU ${two(match.iou)}.`] };
  }
  const free = (pairs) => pairs.filter(([column]) => !objects[column].crowd);
  const own = closest(free(table.overlaps[row])), other = closest(free(table.others[row]));
  const lines = [];
  let kind = "background";
  const say = (name, line) => {
    if (!lines.length) kind = name;
    lines.push(line);
  };
  if (own && own[1] >= iou) {
    const finder = matches.objects[own[0]].partner;
    say("duplicate", `A duplicate: it lies on ${named(own[0])} at IoU ${two(own[1])}, which `
      + `${table.detections[finder].label} found.`);
  }
  if (other && other[1] >= iou) {
    say("another class", `Taken for another class: it lies on ${named(other[0])} at IoU ${two(other[1])}.`);
  }
  if (own && own[1] < iou && own[1] >= NEAR) {
    say("too loose", `Too loose: it lies on ${named(own[0])} with ${below(own[1], iou)}.`);
  }
  if (!lines.length) {
    const near = closest([own, other].filter((pair) => pair && pair[1] >= LEAST));
    say("background", near
      ? `Nothing is labelled here: at most IoU ${two(near[1])} with ${named(near[0])}. Is a label missing?`
      : "Nothing is labelled here. Is a label missing?");
  }
  return { kind, lines };
}
