// Intelligent scissors: while an outline is drawn, the line to the pointer follows the edges of the picture.

const NEAREST = 3; // picture px: a shorter way is a straight line

/**
 * The tracer of an editor, for `editor.edgeTracer`. `path(from, to)` gives a promise of the points between two places
 * of the picture, without them; null if there is none. With `isQuiet`, nobody is told of an error.
 *
 * Of the questions from one place only the last one counts while the server computes, so a moving pointer never makes a
 * queue. A click is a question from the vertex before it, and the pointer asks from the new vertex then: clicks are
 * answered.
 */
export class EdgeTracer {
  constructor(editor) {
    this.editor = editor;
    this.waiting = new Map(); // start as text -> {from, to, resolve}
    this.asking = new Set(); // starts as text
  }

  path(from, to, { isQuiet = false } = {}) {
    const { doc } = this.editor;
    if (!doc || Math.hypot(to[0] - from[0], to[1] - from[1]) < NEAREST) return null;
    const key = `${doc.id} ${from}`;
    return new Promise((resolve) => {
      this.waiting.get(key)?.resolve(null);
      this.waiting.set(key, { picture: doc.id, from, to, resolve, isQuiet });
      this.ask(key);
    });
  }

  async ask(key) {
    if (this.asking.has(key)) return;
    this.asking.add(key);
    while (this.waiting.has(key)) {
      const { picture, from, to, resolve, isQuiet } = this.waiting.get(key);
      this.waiting.delete(key);
      try {
        const { points } = await this.editor.server.post("hints/path", { picture, start: from, end: to });
        resolve(points.slice(1, -1));
      } catch (error) {
        resolve(null);
        if (!isQuiet) this.complain(error);
      }
    }
    this.asking.delete(key);
  }

  /** Say an error once, not for each move of the pointer. */
  complain(error) {
    if (error.message === this.said) return;
    this.said = error.message;
    this.editor.say(`Edges: ${error.message}`, "warning");
  }
}
