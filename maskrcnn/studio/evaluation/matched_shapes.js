// Objects and detections of a picture as its view draws them: what is right, wrong and missed.

const HIDDEN = new Set(["below"]);

/**
 * The objects of a view, larger ones behind. `shapes` is what the address of the picture's shapes answers (or null),
 * `data` has the status of each of its `objects` and `detections`, their `looks`, and the `limbs` of keypoints. Found
 * objects are not drawn: their detection stands for them.
 */
export function drawnObjects(shapes, { objects, detections, looks, limbs, one_class: isOneClass }) {
  if (!shapes || shapes.objects.length !== objects.length || shapes.detections.length !== detections.length) return [];
  const drawn = [];
  const add = (entries, statuses, side) => entries.forEach((entry, place) => {
    const status = statuses[place];
    if (HIDDEN.has(status) || (side === "truth" && status === "tp")) return;
    const { colour, style } = looks[status];
    drawn.push({
      id: `${side}-${place}`, label: labelOf(entry, side, status, isOneClass), box: entry.box, colour, style,
      ...(entry.rle ? { rle: entry.rle } : {}),
      ...(entry.points ? { points: entry.points, limbs } : {}),
    });
  });
  add(shapes.objects, objects, "truth");
  add(shapes.detections, detections, "found");
  return drawn.sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
}

/** A short label, because objects are often small: `missed cup`, `cup 0.52`; without the class if there is but one. */
function labelOf({ name, score }, side, status, isOneClass) {
  const words = side === "found" ? score.toFixed(2) : status === "fn" ? "missed" : "crowd";
  if (isOneClass) return words;
  return side === "found" ? `${name} ${words}` : `${words} ${name}`;
}

/** How Python names an object of the view: its number among those of all pictures. */
export function itemOf(id, shapes) {
  if (!shapes) return null;
  const [side, place] = id.split("-");
  return `${side}-${Number(place) + (side === "truth" ? shapes.first_object : shapes.first_detection)}`;
}
