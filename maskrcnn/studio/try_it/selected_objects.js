// The objects that are drawn and listed of the candidates: outline, area and texts of each, computed once.

import { boxOf } from "./candidate_table.js";
import { areaText, lengthText, longestOf, numberText } from "./object_measures.js";
import { areaOf, polygonsOf, softOutline } from "./soft_outline.js";

/** Keeps the objects of the candidates at one mask threshold. */
export class SelectedObjects {
  #shapes = new Map(); // place -> {rings, area}
  #objects = new Map(); // place -> object of the view
  #isWithMasks = true;

  /** Use these candidates; `isWithMasks` says whether masks are drawn, `data` has classes and limbs. */
  use(candidates, threshold, isWithMasks, data) {
    const isSame = candidates === this.candidates && threshold === this.threshold;
    if (!isSame) this.#shapes.clear();
    if (!isSame || isWithMasks !== this.#isWithMasks) this.#objects.clear();
    this.#isWithMasks = isWithMasks;
    Object.assign(this, { candidates, threshold, data });
  }

  /** The object of the candidate at a place, as the view draws it. */
  of(place) {
    if (!this.#objects.has(place)) this.#objects.set(place, this.#made(place));
    return this.#objects.get(place);
  }

  /** The object as the list shows it: {place, label, name, colour, score, area (px²), areaText}. */
  row(place, scale) {
    const { labels, scores } = this.candidates, label = labels[place], { area } = this.#shape(place);
    return { place, label, ...this.#class(place), score: scores[place], area, areaText: areaText(area, scale) };
  }

  /** What the object is and how large, in one line. */
  words(place, scale) {
    const { rings, area } = this.#shape(place), [x1, y1, x2, y2] = boxOf(this.candidates, place);
    const box = `${numberText((x2 - x1) * scale.per_pixel, scale.unit)} × ${lengthText(y2 - y1, scale)}`;
    const name = `${this.#class(place).name} ${this.candidates.scores[place].toFixed(2)}`;
    if (!this.candidates.masks) return `${name}: box ${box}, area ${areaText(area, scale)}`;
    if (!rings.length) return `${name}: no pixel of its mask reaches the threshold`;
    const length = lengthText(longestOf(rings), scale);
    return `${name}: area ${areaText(area, scale)}, length ${length}, box ${box}`;
  }

  #class(place) {
    const label = this.candidates.labels[place];
    return this.data.classes[label - 1] ?? { name: `class ${label}`, colour: "#888888" };
  }

  #shape(place) {
    if (!this.#shapes.has(place)) {
      const { candidates, threshold } = this;
      if (candidates.masks) {
        const rings = softOutline(candidates, place, threshold);
        this.#shapes.set(place, { rings, area: areaOf(rings) });
      } else {
        const [x1, y1, x2, y2] = boxOf(candidates, place);
        this.#shapes.set(place, { rings: [], area: (x2 - x1) * (y2 - y1) });
      }
    }
    return this.#shapes.get(place);
  }

  #made(place) {
    const { candidates, data } = this, { name, colour } = this.#class(place);
    const [x1, y1, x2, y2] = boxOf(candidates, place), points = candidates.keypoints?.[place];
    const object = { id: place, class: name, colour, score: candidates.scores[place], box: [x1, y1, x2 - x1, y2 - y1] };
    if (points) Object.assign(object, { points, limbs: data.limbs });
    if (!this.#isWithMasks || !candidates.masks) return object;
    const { rings } = this.#shape(place);
    if (rings.length) return { ...object, parts: polygonsOf(rings) };
    // No pixel is in its mask: its box is drawn as a line, which has no filling.
    return { ...object, line: [[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]], style: "dashed" };
  }
}
