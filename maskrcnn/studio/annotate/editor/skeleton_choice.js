/* A small panel above the picture that gives a class without keypoints its skeleton: COCO's person, or own names. */

import { COCO_PERSON } from "./skeletons.js";

function element(tag, text, style = "") {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (style) made.style.cssText = style;
  return made;
}

const PANEL = "position:absolute;left:50%;top:16px;transform:translateX(-50%);z-index:5;padding:14px 16px;"
  + "width:min(360px,90%);background:var(--st-background-color);color:var(--st-text-color);"
  + "border:1px solid var(--st-border-color);border-radius:var(--st-base-radius);font-family:var(--st-font);"
  + "display:grid;gap:8px;box-sizing:border-box";
const FIELD = "font:inherit;color:inherit;background:var(--st-secondary-background-color);padding:6px 10px;"
  + "border:1px solid var(--st-border-color);border-radius:var(--st-base-radius)";

export class SkeletonChoice {
  /**
   * @param {object} editor
   * @param {() => void} onChosen is called when the class has its skeleton
   */
  constructor(editor, onChosen) {
    this.editor = editor;
    this.onChosen = onChosen;
    this.panel = null;
  }

  /** Ask for the skeleton of a class. */
  open(className) {
    if (this.panel?.dataset.className === className) return;
    this.close();
    const panel = element("form", "", PANEL);
    panel.dataset.className = className;
    panel.setAttribute("aria-label", `Keypoints of class ${className}`);
    const person = element("button", `COCO person (${COCO_PERSON.names.length} keypoints)`, `${FIELD};cursor:pointer`);
    person.type = "button";
    person.addEventListener("click", () => this.store(className, COCO_PERSON));
    const names = element("textarea", "", `${FIELD};min-height:84px;resize:vertical`);
    names.setAttribute("aria-label", "Own names, one on each line");
    names.placeholder = "nose\nleft_eye\nright_eye";
    const limbs = element("input", "", FIELD);
    limbs.setAttribute("aria-label", "Limbs between the keypoints, as pairs of numbers");
    limbs.placeholder = "limbs: 1-2, 1-3";
    const own = element("button", "Use these names", `${FIELD};cursor:pointer`);
    own.type = "submit";
    this.words = element("div", "");
    this.words.setAttribute("role", "status");
    const question = element("div", `Class "${className}" has no keypoints yet. Which ones?`);
    panel.append(question, person, names, limbs, own, this.words);
    panel.addEventListener("submit", (event) => {
      event.preventDefault();
      const skeleton = this.read(names.value, limbs.value);
      if (skeleton) this.store(className, skeleton);
    });
    for (const kind of ["pointerdown", "pointermove", "pointerup", "wheel", "dblclick"]) {
      panel.addEventListener(kind, (event) => event.stopPropagation());
    }
    panel.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") this.close();
    });
    this.panel = panel;
    this.editor.view.element.parentElement.append(panel);
  }

  close() {
    const hadFocus = this.panel?.contains(this.panel.getRootNode().activeElement);
    this.panel?.remove();
    this.panel = null;
    if (hadFocus) this.editor.view.element.focus({ preventScroll: true });
  }

  /** The skeleton of names (one on each line) and limbs ("1-2, 1-3", from 1); null after saying what is wrong. */
  read(text, limbs) {
    const names = text.split(/\n/).map((name) => name.trim()).filter(Boolean);
    if (!names.length) return this.refuse("Write at least one name");
    if (new Set(names).size < names.length) return this.refuse("Two keypoints have the same name");
    const edges = [...limbs.matchAll(/(\d+)\s*[-–]\s*(\d+)/g)].map(([, a, b]) => [a - 1, b - 1]);
    if (edges.some((edge) => edge.some((end) => end < 0 || end >= names.length))) {
      return this.refuse(`Limbs join the numbers 1 to ${names.length}`);
    }
    return { names, edges };
  }

  refuse(words) {
    this.words.textContent = words;
    return null;
  }

  /** Store the skeleton with the class. */
  async store(className, { names, edges }) {
    this.refuse("Saving ...");
    try {
      const answer = await this.editor.server.post("classes/skeleton", { name: className, names, edges });
      this.editor.classChoice.take(answer.classes);
      this.close();
      this.onChosen();
    } catch (error) {
      this.refuse(error.message);
    }
  }
}
