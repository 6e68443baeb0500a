// Edits by keys and buttons beyond those of selection_actions.js: repeat, select the next one, hide, show, lock.

import { newId } from "../shapes.js";
import { counted } from "./elements.js";

/** The edits of one editor. */
export class Edits {
  constructor(editor) {
    this.editor = editor;
  }

  /** Put copies of the regions of the picture that was shown before on this one. */
  async repeatLast() {
    const { editor } = this;
    const regions = await editor.pictureList.regionsBefore();
    if (!regions) return editor.say("No other picture was shown yet: Z repeats the regions of the one before.");
    const { width, height } = editor.view.picture ?? {};
    const fitting = regions.filter(
      ({ shape }) => shape.kind !== "rle" || (shape.size[0] === height && shape.size[1] === width)
    );
    if (fitting.length === 0) return editor.say("The picture before has no regions to repeat.");
    const copies = fitting.map(({ extras, score, ...region }) => ({ ...region, id: newId() }));
    editor.doc.change({ put: copies }, "repeat regions");
    editor.doc.select(copies.map((region) => region.id));
    const them = copies.length > 1 ? "them" : "it";
    return editor.say(`${counted(copies.length, "region")} of the picture before; Ctrl + Z takes ${them} away.`);
  }

  /** Select the next region (1) or the one before (-1), in their order. */
  selectNext(step) {
    const { doc } = this.editor;
    const shown = doc.regions.filter((region) => !doc.hidden.has(region.id));
    if (shown.length === 0) return;
    const places = shown.flatMap((region, place) => (doc.selection.has(region.id) ? [place] : []));
    const from = places.length ? places[step > 0 ? places.length - 1 : 0] : step > 0 ? -1 : shown.length;
    const next = shown[(from + step + shown.length) % shown.length];
    doc.select([next.id]);
    this.editor.say(`Region ${doc.regions.indexOf(next) + 1}: ${next.class_name ?? "no class"}`);
  }

  /** Hide the selected regions; they are no longer selected, so that no key changes what is not seen. */
  hide() {
    const { doc } = this.editor;
    const ids = [...doc.selection];
    if (ids.length === 0) {
      if (doc.hidden.size) this.showAll();
      else this.editor.say("Select a region, then H hides it.");
      return;
    }
    this.editor.regionLayer.toggle("hidden", ids, true);
    this.editor.say(`${counted(ids.length, "region")} hidden; Shift + H shows all.`);
  }

  showAll() {
    this.editor.regionLayer.toggle("hidden", [...this.editor.doc.hidden], false);
  }

  /** Lock the selected regions, or unlock them if all are locked; without a selection unlock all. */
  lock() {
    const { doc } = this.editor;
    const ids = [...doc.selection];
    if (ids.length === 0) this.editor.regionLayer.toggle("locked", [...doc.locked], false);
    else this.editor.regionLayer.toggle("locked", ids, !ids.every((id) => doc.locked.has(id)));
  }
}
