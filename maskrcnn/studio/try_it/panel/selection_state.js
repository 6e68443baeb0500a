// The selection that the controls show, and what the page was told of it.

/**
 * The page sends back what it was told; meanwhile the person may have gone on. So only a selection that the page was
 * not told is taken over from it.
 */
export class SelectionState {
  #given; // what the page sent last, as JSON
  #told = []; // what the page was told since, as JSON

  constructor(selection) {
    this.replace(selection);
    this.#given = JSON.stringify(selection);
  }

  /** Show another selection. */
  replace(selection) {
    this.current = structuredClone(selection);
  }

  /** Whether this is the current one. */
  is(selection) {
    const { current } = this;
    return Object.keys(selection).every((name) => JSON.stringify(current[name]) === JSON.stringify(selection[name]));
  }

  /** Take over what the page sends, unless it is what the page was told or has sent before. */
  takeOver(selection) {
    const text = JSON.stringify(selection);
    if (text === this.#given) return;
    this.#given = text;
    const place = this.#told.indexOf(text);
    this.#told.splice(0, place + 1);
    if (place < 0) this.replace(selection);
  }

  /** The current selection, which the page is told now. */
  told() {
    this.#told.push(JSON.stringify(this.current));
    return structuredClone(this.current);
  }
}
