// Objects and detections of a picture as the views draw them: their shapes, colours and styles.

/**
 * The objects (`side` "truth") or detections ("found") of a table of match_table.py for a view, the larger ones behind.
 * Without `masks` the box is the outline. `limbs` are pairs of keypoints. The id is "SIDE-PLACE", `place` the index.
 */
export function viewObjects(entries, side, masks, limbs) {
  return (entries ?? [])
    .map((entry, place) => ({ id: `${side}-${place}`, side, place, ...shapeOf(entry, masks, limbs) }))
    .sort(largerFirst);
}

/** What a view draws of an entry of a table. */
export function shapeOf(entry, masks, limbs) {
  return {
    category: entry.class, label: entry.label, box: entry.box,
    ...(masks && entry.rle ? { rle: entry.rle } : {}),
    ...(entry.points ? { points: entry.points, limbs } : {}),
  };
}

/** Order of objects by the area of their boxes: the larger ones are drawn first, behind. */
export function largerFirst(one, other) {
  return other.box[2] * other.box[3] - one.box[2] * one.box[3];
}

/**
 * What a view shows, a part of its `display`. `choices` are those of the drawing bar, `masks` says whether masks are
 * drawn, `looks` has colour and style of each status, and `statusOf(object)` returns the status.
 */
export function displayOf(choices, masks, { categories, looks }, statusOf) {
  const isByClass = choices.colour === "class", hasOutline = choices.masks || choices.boxes;
  return {
    outlines: hasOutline,
    fills: choices.fill && hasOutline,
    opacity: masks ? 0.3 : 0.12,
    boxes: choices.boxes,
    keypoints: choices.keypoints,
    labels: choices.labels,
    label: ({ side, place, label }) => (side === "truth" ? `${place + 1} ${label}` : label),
    colour: (object) => isByClass
      ? (categories[object.category]?.colour ?? looks.ignored.colour) : looks[statusOf(object)].colour,
    style: (object) => (isByClass ? "solid" : looks[statusOf(object)].style),
  };
}
