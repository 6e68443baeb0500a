/* Named keypoints with limbs: COCO's person, left and right partners, and the axis of symmetry of what is placed. */

import { distance } from "./shapes.js";

/** The 17 keypoints of a person in COCO, and the limbs between them as pairs of places in `names`. */
export const COCO_PERSON = {
  names: [
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow",
    "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle",
    "right_ankle",
  ],
  edges: [
    [15, 13], [13, 11], [16, 14], [14, 12], [11, 12], [5, 11], [6, 12], [5, 6], [5, 7], [6, 8], [7, 9], [8, 10], [1, 2],
    [0, 1], [0, 2], [1, 3], [2, 4], [3, 5], [4, 6],
  ],
};

const OTHER = { left: "right", right: "left", l: "r", r: "l" };
const WORDS = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\d\sA-Za-z_.,;:()[\]/\\-]+/gu;

/** The other side of a word: "left" gives "right", "lefteye" gives "righteye"; a word without a side is unchanged. */
function otherSide(word) {
  if (OTHER[word]) return OTHER[word];
  for (const side of ["left", "right"]) {
    if (word.startsWith(side)) return OTHER[side] + word.slice(side.length);
    if (word.endsWith(side)) return word.slice(0, -side.length) + OTHER[side];
  }
  return word;
}

/**
 * The place of each keypoint's partner on the other side, by its name (left_eye, eye-l, LeftEye); its own place if it
 * has none. The rules are those of `annotations/skeletons.mirrored`, by which the training flips pictures.
 */
export function partners(names) {
  const spelt = names.map((name) => (name.match(WORDS) ?? []).map((word) => word.toLowerCase()));
  const places = new Map(spelt.map((words, place) => [words.join(" "), place]));
  return spelt.map((words, place) => places.get(words.map(otherSide).join(" ")) ?? place);
}

/**
 * The axis of symmetry of placed keypoints [[x, y, visibility]]: `{at: [x, y], along: [dx, dy]}` with a unit vector;
 * null if nothing says where it is. It runs through the points on the middle line and the middles of pairs; with one
 * pair alone it is their perpendicular bisector, with one point alone vertical.
 */
export function symmetryAxis(points, other) {
  const isPlaced = (place) => points[place]?.[2] > 0;
  const middles = [], pairs = [];
  points.forEach(([x, y], place) => {
    if (!isPlaced(place)) return;
    const partner = other[place];
    if (partner === place) middles.push([x, y]);
    else if (place < partner && isPlaced(partner)) {
      const [px, py] = points[partner];
      middles.push([(x + px) / 2, (y + py) / 2]);
      pairs.push([px - x, py - y]);
    }
  });
  if (!middles.length) return null;
  const at = [0, 1].map((axis) => middles.reduce((sum, point) => sum + point[axis], 0) / middles.length);
  const spread = Math.max(...middles.map((point) => distance(point, at)));
  const width = pairs.reduce((most, [x, y]) => Math.max(most, Math.hypot(x, y)), 0);
  if (middles.length > 1 && spread > 0.5 * width) return { at, along: mainDirection(middles, at) };
  if (!pairs.length) return { at, along: middles.length > 1 ? mainDirection(middles, at) : [0, 1] };
  const reference = pairs[0]; // pairs may be placed the one way and the other: all in the first one's direction
  const across = pairs.reduce(([sx, sy], [x, y]) => {
    const sign = x * reference[0] + y * reference[1] < 0 ? -1 : 1;
    return [sx + sign * x, sy + sign * y];
  }, [0, 0]);
  const length = Math.hypot(...across) || 1;
  return { at, along: [-across[1] / length, across[0] / length] };
}

/** The direction in which points lie about their middle, as a unit vector (least squares). */
function mainDirection(points, [cx, cy]) {
  let xx = 0, xy = 0, yy = 0;
  for (const [x, y] of points) {
    xx += (x - cx) ** 2;
    xy += (x - cx) * (y - cy);
    yy += (y - cy) ** 2;
  }
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  return [Math.cos(angle), Math.sin(angle)];
}

/** The mirror image of a point about an axis of `symmetryAxis`. */
export function mirroredAbout({ at: [ax, ay], along: [ux, uy] }, [x, y]) {
  const along = (x - ax) * ux + (y - ay) * uy;
  return [2 * (ax + along * ux) - x, 2 * (ay + along * uy) - y];
}
