// A picture that was saved elsewhere meanwhile: both versions side by side, and the choice between them.

import { PictureView } from "../../../components/picture/picture_view.js";
import { objectOf } from "../shapes.js";
import { element } from "./elements.js";

const STYLES = { new: "solid", changed: "hatched", removed: "dashed" };
const GREY = "#9a9a9a";
const CHOICES = [
  ["Keep both changes", "both", "One picture with both. Of a region that both of you changed, yours is kept."],
  ["Keep mine", "mine", "The other version goes into the history: Undo brings it back."],
  ["Keep the other", "theirs", "Your version goes into the history: Undo brings it back."],
];

/**
 * What a version did to its base: region id -> "new", "changed" or "removed". Both are lists of regions; unchanged ones
 * are left out.
 */
function differences(base, version) {
  const text = ({ extras, ...region }) => JSON.stringify(region, Object.keys(region).sort());
  const full = (region) => JSON.stringify(
    [region.shape, region.class_name ?? null, region.attributes ?? {}, region.keypoints ?? null]
  );
  const was = new Map(base.map((region) => [region.id, region])), now = new Map(
    version.map((region) => [region.id, region])
  );
  const found = new Map();
  for (const [id, region] of was) {
    if (!now.has(id)) found.set(id, "removed");
    else if (text(region) !== text(now.get(id)) || full(region) !== full(now.get(id))) found.set(id, "changed");
  }
  for (const id of now.keys()) if (!was.has(id)) found.set(id, "new");
  return found;
}

/** The numbers of differences as text, such as "1 new, 2 changed". */
function inWords(found) {
  const kinds = [...found.values()];
  const parts = Object.keys(STYLES).map(
    (kind) => [kinds.filter((other) => other === kind).length, kind]
  ).filter(([number]) => number);
  return parts.map(([number, kind]) => `${number} ${kind}`).join(", ") || "nothing changed";
}

/** The dialog with both versions. `element` is its element. */
export class ConflictView {
  constructor(editor) {
    this.editor = editor;
    this.views = [];
    this.doc = null;
    this.element = element("dialog", { class: "conflict", "aria-label": "This picture was saved elsewhere" });
    this.element.addEventListener("cancel", (event) => event.preventDefault());
  }

  /** Open, redraw or close the dialog, as the conflict of this document asks: {base, mine, theirs} or null. */
  update(doc) {
    const { conflict } = doc;
    if (!conflict) {
      if (this.element.open) this.close();
      return;
    }
    const state = [doc, conflict.mine, conflict.theirs];
    if (this.element.open && state.every((part, place) => part === this.shown[place])) return;
    this.shown = state;
    this.show(doc, conflict);
  }

  show(doc, conflict) {
    this.destroy();
    this.doc = doc;
    const versions = [["Yours", conflict.mine], ["Saved elsewhere", conflict.theirs]].map(([title, regions]) => {
      const found = differences(conflict.base, regions);
      const container = element("div", { class: "view" });
      return { title, regions, found, container };
    });
    this.problem = element("p", { role: "alert" });
    this.buttons = CHOICES.map(([label, choice, words], number) => element(
      "button",
      {
        type: "button", class: `small-button${number ? "" : " primary"}`, title: words, "data-choice": choice,
        onclick: () => this.choose(choice),
      },
      label,
    ));
    this.element.replaceChildren(
      element("h2", {}, "This picture was saved elsewhere"),
      element("p", {}, "Since you opened it, another tab or another person saved it. Your changes are kept, and so are "
        + "theirs: what you do not choose stays in the history, where Undo brings it back."),
      element("div", { class: "versions" }, ...versions.map(({ title, found, container }) => element(
        "div", { class: "version" }, element("h3", {}, element("strong", {}, title), `: ${inWords(found)}`), container,
      ))),
      element("p", {}, "In grey: as it was when you opened it. Hatched: changed. Dashed: removed."),
      element("div", { class: "buttons" }, ...this.buttons), this.problem,
    );
    if (!this.element.open) this.element.showModal();
    this.views = versions.map(
      ({ title, regions, found, container }) => this.viewOf(title, conflict.base, regions, found, container)
    );
    this.buttons[0].focus();
  }

  viewOf(title, base, regions, found, container) {
    const view = new PictureView(container, { cameraGroup: `conflict ${this.editor.project}`, label: title });
    const removed = base.filter((region) => found.get(region.id) === "removed");
    view.setPicture(this.editor.view.picture);
    view.setObjects([...regions, ...removed].map((region) => {
      const kind = found.get(region.id);
      const object = objectOf(region, this.editor);
      return kind ? {
        ...object, style: STYLES[kind], label: `${kind}: ${region.class_name ?? "no class"}`,
      } : { ...object, colour: GREY, label: "" };
    }));
    return view;
  }

  async choose(choice) {
    for (const button of this.buttons) button.disabled = true;
    this.problem.textContent = "";
    try {
      if (await this.doc.resolve(choice)) this.close();
      else this.problem.textContent = "It was saved elsewhere once more: choose again.";
    } catch (error) {
      this.problem.textContent = `Not saved: ${error.message}`;
      for (const button of this.buttons) button.disabled = false;
    }
  }

  /** Close the dialog, if the conflict is over. */
  close() {
    this.views.forEach((view) => view.destroy());
    this.views = [];
    if (!this.element.open) return;
    this.element.close();
    this.editor.focusPicture();
  }

  destroy() {
    this.views.forEach((view) => view.destroy());
    this.views = [];
  }
}
