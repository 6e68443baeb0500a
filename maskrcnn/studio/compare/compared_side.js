// One of the pictures of the Compare page: the ground truth, A or B.

import { make } from "../inspect/drawing_bar.js";
import { PictureSide } from "../inspect/picture_side.js";

/** One picture with its heading, which has the letter and the colour of its side. */
export class ComparedSide extends PictureSide {
  constructor(letter, label) {
    super(letter, label);
    this.letter = letter;
    this.badge = make("span", "badge", letter === "truth" ? "" : letter.toUpperCase());
    this.title.before(this.badge);
  }

  /** Write the name of its run and epoch. */
  name({ names, colours, file }) {
    const name = names[this.letter] ?? "";
    if (name) {
      this.title.textContent = name;
      this.title.title = name;
      this.root.style.setProperty("--side", colours[this.letter]);
    }
    const shown = name ? `what ${this.letter.toUpperCase()} (${name}) found in it` : "its labelled objects";
    this.view.element.setAttribute("aria-label", `${file} with ${shown}`);
  }
}
