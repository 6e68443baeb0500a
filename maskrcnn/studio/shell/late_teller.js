// Tells a page the value of a slider a moment after it was let go, so that not each step of it runs the page.

import { untilLinkIsFollowed } from "./page_links.js";

const AFTER_RELEASE = 350; // ms until the page is told; the arrow keys release a slider with each step

/** `send(name, value)` is called with what the page is told. */
export class LateTeller {
  #timers = {};

  constructor(send) {
    this.send = send;
  }

  /** Tell the page a value a moment later, unless it is `known`, the one that the page has. */
  tell(name, value, known) {
    clearTimeout(this.#timers[name]);
    if (value === known) return;
    const tell = () => {
      const wait = untilLinkIsFollowed();
      if (wait) this.#timers[name] = setTimeout(tell, wait);
      else this.send(name, value);
    };
    this.#timers[name] = setTimeout(tell, AFTER_RELEASE);
  }

  /** Tell nothing more. */
  stop() {
    Object.values(this.#timers).forEach(clearTimeout);
  }
}
