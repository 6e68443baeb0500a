// The editor of the Annotate page: puts picture, document, tools and panels together. Streamlit only mounts it.
//
// It shows other pictures without a script run, and tells Python afterwards (`shown`), so that the URL names the
// picture.

import { PictureView } from "../../components/picture/picture_view.js";
import { AttributeEdits } from "./frame/attribute_edits.js";
import { AttributeForm } from "./frame/attribute_form.js";
import { ClassChoice } from "./frame/class_choice.js";
import { ClassList } from "./frame/class_list.js";
import { addCommands } from "./frame/commands.js";
import { ConflictView } from "./frame/conflict_view.js";
import { Edits } from "./frame/edits.js";
import { KeySheet } from "./frame/key_sheet.js";
import { KeyboardCursor } from "./frame/keyboard_cursor.js";
import { Keys } from "./frame/keys.js";
import { Layout } from "./frame/layout.js";
import { OpenPictures } from "./frame/open_pictures.js";
import { PictureList } from "./frame/picture_list.js";
import { RegionLayer } from "./frame/region_layer.js";
import { RegionList } from "./frame/region_list.js";
import { ShownDocument } from "./frame/shown_document.js";
import { ShownPicture } from "./frame/shown_picture.js";
import { StatusLine } from "./frame/status_line.js";
import { ThumbnailStrip } from "./frame/thumbnail_strip.js";
import { ToolBar } from "./frame/tool_bar.js";
import { ToolBox } from "./frame/tool_box.js";
import { addGeometry } from "./geometry/geometry.js";
import { HintPanel } from "./hints/hint_panel.js";
import { PictureQueue } from "./review/picture_queue.js";
import { ReviewPanel } from "./review/review_panel.js";
import { finishNudge } from "./selection_actions.js";
import { Server } from "./server.js";
import { newId } from "./shapes.js";
import { TOOLS } from "./tools.js";

const FIRST_CLASS = "object"; // class of the first region in a project without classes
const BORDER = 1; // CSS px around the fitted picture, so that vertices on its border can be clicked

const editors = new WeakMap(); // kept when Streamlit calls the component again, for each parent element

/** Mount the editor, or give it new data: {server, project, image, serial, link: {object, review, queue, back}}. */
export default function mount({ parentElement, data, setStateValue }) {
  let editor = editors.get(parentElement);
  if (editor && editor.project !== data.project) {
    editor.destroy();
    editor = null;
  }
  if (!editor) {
    editor = new Editor(parentElement, data);
    editors.set(parentElement, editor);
  }
  editor.shown.tell = (value) => setStateValue("shown", value);
  editor.take(data);
  const host = parentElement.host ?? parentElement;
  return () => setTimeout(() => {
    if (host.isConnected) return;
    editor.destroy();
    editors.delete(parentElement);
  });
}

/**
 * The editor: what its parts, tools and panels share. The picture: `view` (PictureView), `entry` (of the list), `doc`
 * (its RegionsDocument; null before the first one), `drafts`. The parts in `frame/` have the name of their module:
 * `layout`, `pictureList`, `classChoice`, `attributeEdits`, `regionLayer`, `toolBox`, `keys`, `toolBar`, `edits`,
 * `cursor` and so on.
 *
 * Events: "picture", "tool", "classes", "class", "selection", "regions", "status", "hidden", "file", "hover", "state"
 * (a mode was switched), "counts".
 *
 * Hooks for other modules: `snapper`, `sharedBorders`, `edgeTracer`; `addAction` and `addTool`.
 */
class Editor extends EventTarget {
  constructor(parentElement, data) {
    super();
    this.project = data.project;
    this.server = new Server(data.server);
    this.drafts = null;
    this.doc = null;
    this.entry = null;
    this.snapper = this.sharedBorders = this.edgeTracer = null;
    this.stopped = new AbortController();
    this.makeParts();
    this.layout.fill(parentElement);
    for (const Tool of TOOLS) this.addTool(Tool);
    addCommands(this);
    addGeometry(this); // before the keys: its panel gets its own first
    this.hintPanel = new HintPanel(this);
    this.panel.append(this.hintPanel.element);
    this.review = new ReviewPanel(this);
    this.queue = new PictureQueue(this);
    this.panel.prepend(this.queue.element, this.review.element);
    this.keys.start();
    this.chooseTool("select");
    this.pictureList.load();
  }

  makeParts() {
    this.layout = new Layout(this);
    this.view = new PictureView(this.layout.container, { label: "Picture: draw and edit regions" });
    this.view.camera.margin = BORDER;
    this.pictureList = new PictureList(this);
    this.classChoice = new ClassChoice(this);
    this.attributeEdits = new AttributeEdits(this);
    this.regionLayer = new RegionLayer(this);
    this.keys = new Keys(this);
    this.toolBar = new ToolBar(this);
    this.status = new StatusLine(this);
    this.strip = new ThumbnailStrip(this);
    this.classList = new ClassList(this);
    this.regionList = new RegionList(this);
    this.attributeForm = new AttributeForm(this);
    this.keySheet = new KeySheet(this);
    this.conflictView = new ConflictView(this);
    this.cursor = new KeyboardCursor(this);
    this.toolBox = new ToolBox(this); // its tools paint above the cursor
    this.edits = new Edits(this);
    this.opened = new OpenPictures(this);
    this.shown = new ShownPicture(this);
    this.shownDocument = new ShownDocument(this);
  }

  /** Take the data of a rerun. */
  take(data) {
    this.server.address = data.server; // another one if the studio was started again
    this.root.setAttribute("data-server", data.server);
    this.shown.take(data);
    this.review.take(data.link);
    this.queue.take(data.link);
  }

  emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  // What the parts have, for tools and panels

  get root() {
    return this.layout.root;
  }

  get stage() {
    return this.layout.stage;
  }

  get panel() {
    return this.layout.panel;
  }

  get isOnPage() {
    return this.layout.isOnPage;
  }

  get pictures() {
    return this.pictureList.entries;
  }

  get place() {
    return this.pictureList.place;
  }

  get classes() {
    return this.classChoice.entries;
  }

  /** Class of new regions; null in a project without classes. */
  get className() {
    return this.classChoice.chosen;
  }

  colourOf(className) {
    return this.classChoice.colourOf(className);
  }

  get hovered() {
    return this.regionLayer.hovered;
  }

  get tool() {
    return this.toolBox.chosen;
  }

  chooseTool(name) {
    this.toolBox.choose(name);
  }

  addTool(Tool, group) {
    return this.toolBox.addTool(Tool, group);
  }

  addAction(action) {
    this.toolBox.addAction(action);
  }

  keepDraft() {
    this.toolBox.keepDraft();
  }

  // Regions

  get hasSelection() {
    return Boolean(this.doc?.selection.size);
  }

  selectedRegions() {
    return this.doc ? this.doc.regions.filter((region) => this.doc.selection.has(region.id)) : [];
  }

  /** Add a region with the chosen class, and select it. Return it. */
  newRegion(shape, more = {}) {
    const region = { id: newId(), shape, class_name: this.className ?? FIRST_CLASS, ...more };
    const { next } = this.attributeEdits;
    if (next && Object.keys(next).length) region.attributes = { ...next, ...more.attributes };
    this.doc.change({ put: [region] }, `draw ${shape.kind}`);
    this.doc.select([region.id]);
    return region;
  }

  undo() {
    finishNudge(this);
    return this.review.undo() || this.doc?.undo();
  }

  redo() {
    finishNudge(this);
    return this.doc?.redo();
  }

  escape() {
    if (this.hasSelection) this.doc.select([]);
    else if (this.cursor.on) this.cursor.toggle(false);
    this.say("");
  }

  // View and words

  focusPicture() {
    this.view.element.focus({ preventScroll: true });
  }

  zoom(factor) {
    const { camera } = this.view;
    if (this.cursor.on) camera.zoomAt(...camera.toScreen(this.cursor.at), factor);
    else this.view.zoomBy(factor);
  }

  /** Switch a layer of the picture: "labels" or "fills". */
  toggleLayer(name) {
    this.view.display[name] = !this.view.display[name];
    this.view.redraw();
    this.emit("state");
  }

  /** Say something in the line below the picture. Kinds: "info" goes by itself, "warning" too, "problem" stays. */
  say(text, kind = "info") {
    this.status.say(text, kind);
  }

  /** Show that work goes on: {progress(part, words)}; with `onStop` there is a button that stops it. */
  busy(words, promise, onStop = null) {
    return this.status.busy(words, promise, onStop);
  }

  /** Take everything off the page. Unsent edits and drafts stay in the browser's storage. */
  destroy() {
    if (this.stopped.signal.aborted) return;
    this.shownDocument.leave();
    this.stopped.abort();
    this.shownDocument.destroy();
    this.keys.stop();
    this.strip.destroy();
    this.regionList.destroy();
    this.shown.destroy();
    this.opened.destroy();
    this.conflictView.destroy();
    this.view.destroy();
    this.layout.destroy();
  }
}
