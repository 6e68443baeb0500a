/*
 * Edges of an outline that a tracer gives: the intelligent scissors follow the picture, border following a neighbour.
 *
 * None of them is waited for: the outline ends with straight edges where an answer is still on its way, and the region
 * gets the traced points when they arrive, as a step that can be undone.
 */

import { meantPlace } from "./region_editing.js";
import { nudged } from "./selection_actions.js";
import { distance, roundedPoint, withShape } from "./shapes.js";

const TRACED_WITHIN = 1500; // ms after the end of an outline; later, its edges stay as they are

/** The traced edges of the outline that a polygon tool draws. */
export class TracedEdges {
  constructor(tool) {
    this.tool = tool;
    this.editor = tool.editor;
    this.clear();
  }

  /** The tracer that is switched on: `path(from, to)` gives points, or a promise of them; null if none is. */
  get tracer() {
    return this.editor.edgeTracer ?? null;
  }

  /** Begin with a new outline. */
  clear() {
    this.answers = []; // promises of the tracer for the edges of this outline
    this.withdraw();
  }

  /** Forget what is proposed. */
  withdraw() {
    this.proposed = null; // points up to the pointer
    this.asked = null;
  }

  /** Ask for the edge from the last vertex to the pointer, and draw it as proposed. */
  propose(e) {
    const { tool } = this;
    if (!this.tracer || !tool.begun) {
      this.proposed = null;
      return;
    }
    const asked = (this.asked = {});
    this.#trace(tool.points.at(-1), roundedPoint(meantPlace(this.editor, e)), (points) => {
      if (this.asked !== asked || !tool.begun) return;
      this.proposed = points;
      this.editor.view.redrawOverlay();
    });
  }

  /** Put the traced points before the vertex that was added last; until the tracer answers, the edge is straight. */
  between(from, place) {
    const { tool } = this, { points: outline, steps } = tool; // also when the answer comes after the end of the outline
    this.#trace(from, place, (points) => {
      const at = outline.indexOf(place); // the answers to earlier clicks have moved it
      if (at < 0 || !points.length) return;
      let step = 0;
      for (let end = steps[0]; end <= at; end += steps[step]) step += 1;
      if (steps[step] !== 1) return;
      const between = betweenEnds(points, from, place);
      outline.splice(at, 0, ...between);
      steps[step] += between.length;
      if (outline !== tool.points) return;
      if (tool.stroke?.count > at) tool.stroke.count += between.length;
      tool.keepDraft();
      this.editor.view.redrawOverlay();
    }, { isAnswer: true });
  }

  /** Have the edge from the last vertex back to the first one traced, for an outline that ends. */
  close() {
    const { points: outline } = this.tool, from = outline.at(-1), [to] = outline;
    this.#trace(from, to, (points) => {
      if (outline.at(-1) === from) outline.push(...betweenEnds(points, from, to));
    }, { isAnswer: true, isQuiet: true });
  }

  /** Put traced points that come after the end of an outline into its region, if nothing was done since. */
  async takeLate(region, outline, answers) {
    if (!answers.length) return;
    const { tool, editor } = this, { doc } = editor, { length } = outline, step = doc.past.at(-1);
    await Promise.race([Promise.all(answers), new Promise((resolve) => setTimeout(resolve, TRACED_WITHIN))]);
    const isTouched = doc !== editor.doc || editor.tool !== tool || doc.past.at(-1) !== step
      || tool.pending || tool.editing.active || nudged(editor).length > 0;
    if (outline.length === length || isTouched) return;
    doc.change({ put: [withShape(region, { ...region.shape, points: outline })] }, "follow edges");
    if (tool.begun) tool.follow();
  }

  /**
   * Give the traced points to `use`, at once or later. With `isAnswer`, a later answer belongs to the outline: its end
   * waits for it for a moment.
   */
  #trace(from, to, use, { isAnswer = false, isQuiet = false } = {}) {
    try {
      const found = this.tracer?.path(from, to, { isQuiet });
      if (typeof found?.then === "function") {
        const done = found.then((points) => points && use(points)).catch(() => {});
        if (isAnswer) this.answers.push(done);
      } else if (found) {
        use(found);
      }
    } catch {
      // Without a path, the edge stays straight.
    }
  }
}

/** The points of a path, rounded, without those at its two ends. */
function betweenEnds(points, from, to) {
  return points.filter((point) => distance(point, from) > 0.01 && distance(point, to) > 0.01).map(roundedPoint);
}
