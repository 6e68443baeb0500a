// The candidates of a picture: everything that a network could find in it, loaded from candidate_routes.py.

/**
 * @typedef {object} Candidates best score first
 * @property {number} width of the picture in px
 * @property {number} height
 * @property {number} count
 * @property {Float32Array} boxes x1, y1, x2, y2 of each, in px
 * @property {number[]} labels class indices from 1
 * @property {Float32Array} scores
 * @property {number[]} ranks places of the proposals, 0 for the highest objectness
 * @property {number} side cells of a side of a soft mask
 * @property {Uint8Array | null} masks cells of all soft masks, 0..255, row by row
 * @property {number[][][] | null} keypoints [x, y, 2] of each
 * @property {boolean} legacy masks are pasted as torchvision does
 */

/** Candidates from the JSON value of the studio. @returns {Candidates} */
export function candidatesOf(sent) {
  return {
    ...sent,
    count: sent.scores.length,
    boxes: Float32Array.from(sent.boxes.flat()),
    scores: Float32Array.from(sent.scores),
    masks: sent.masks === null ? null : Uint8Array.from(atob(sent.masks), (letter) => letter.charCodeAt(0)),
  };
}

/** The candidates at an address; undefined if `signal` was aborted. Throws an error with a line for the user. */
export async function loadCandidates(address, signal) {
  let answer, sent;
  try {
    answer = await fetch(new URL(address, document.baseURI), { signal });
    sent = await (answer.ok ? answer.json() : answer.text());
  } catch (error) {
    if (signal.aborted) return undefined;
    console.error(error);
    throw new Error("The objects could not be loaded from the studio. Reload the page.");
  }
  if (answer.status === 422) throw new Error(sent.trim());
  if (!answer.ok) throw new Error("The objects are not there any more. Reload the page.");
  return candidatesOf(sent);
}

/** The box of a candidate: [x1, y1, x2, y2]. */
export function boxOf({ boxes }, place) {
  return [...boxes.subarray(4 * place, 4 * place + 4)];
}
