// The editor of the Annotate page: puts picture, document, tools and panels together. Streamlit only mounts it.
//
// It shows other pictures without a script run, and tells Python afterwards (`shown`), so that the URL names the
// picture.

import { PictureView } from "../../components/picture/picture_view.js";
import { element } from "./frame/elements.js";
import { AttributeForm } from "./frame/attribute_form.js";
import { ClassList } from "./frame/class_list.js";
import { addCommands } from "./frame/commands.js";
import { ConflictView } from "./frame/conflict_view.js";
import { Edits } from "./frame/edits.js";
import { KeySheet } from "./frame/key_sheet.js";
import { KeyboardCursor } from "./frame/keyboard_cursor.js";
import { Keys } from "./frame/keys.js";
import { OpenPictures } from "./frame/open_pictures.js";
import { RegionList } from "./frame/region_list.js";
import { ShownPicture } from "./frame/shown_picture.js";
import { StatusLine } from "./frame/status_line.js";
import { ThumbnailStrip } from "./frame/thumbnail_strip.js";
import { ToolBar } from "./frame/tool_bar.js";
import { TOOL_HINTS } from "./frame/tool_hints.js";
import { HintPanel } from "./hints/hint_panel.js";
import { DraftStore } from "./draft_store.js";
import { addGeometry } from "./geometry/geometry.js";
import { RegionsDocument } from "./regions_document.js";
import { Server } from "./server.js";
import { takesText } from "../../shell/hotkeys.js";
import { finishNudge } from "./selection_actions.js";
import { newId, objectOf, shapeBounds } from "./shapes.js";
import { TOOLS } from "./tools.js";

const FIRST_CLASS = "object"; // class of the first region in a project without classes
const GREY = "#a0a0a0"; // of regions without a class
const LEAST_HEIGHT = 420; // CSS px
const BORDER = 1; // CSS px around the fitted picture, so that vertices on its border can be clicked
const BELOW = 10; // CSS px that stay free below the page

const editors = new WeakMap(); // kept when Streamlit calls the component again, for each parent element

/** Mount the editor, or give it new data: {server, project, image, serial}. */
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
 * The editor. Parts: `view` (PictureView), `doc` (RegionsDocument of the picture, or null), `server`, `drafts`, `tools`
 * (name -> tool), `tool`, `classes`, `className` (of new regions), `attributes` ({region, file}: definitions of VIA),
 * `keys`, `toolBar`, `edits`, `cursor`.
 *
 * Events: "picture", "tool", "classes", "class", "selection", "regions", "status", "hidden", "file", "hover", "state"
 * (a mode was switched), "counts".
 *
 * Hooks for other modules: `snapper`, `sharedBorders`, `edgeTracer`, `outlineMasks(regions)`; `addAction` and
 * `addTool`.
 */
export class Editor extends EventTarget {
  constructor(parentElement, data) {
    super();
    this.project = data.project;
    this.server = new Server(data.server);
    this.drafts = null;
    this.pictures = []; // entries of the route `pictures`
    this.classes = [];
    this.attributes = { region: {}, file: {} };
    this.className = null;
    this.doc = null;
    this.entry = null; // of the picture that is shown
    this.hovered = null;
    this.numbers = new Map(); // id of a region -> its number in the list, from 1
    this.tools = new Map();
    this.tool = null;
    this.snapper = this.sharedBorders = this.edgeTracer = null;
    this.nextAttributes = null; // of new regions, while "same for new regions" is on
    this.colours = new Map();
    this.objects = new WeakMap(); // region -> its drawing object
    this.build(parentElement);
    this.edits = new Edits(this);
    this.opened = new OpenPictures(this);
    this.shown = new ShownPicture(this);
    for (const Tool of TOOLS) this.addTool(Tool);
    addCommands(this);
    addGeometry(this); // before the keys: its panel gets its own first
    this.hintPanel = new HintPanel(this);
    this.panel.append(this.hintPanel.element);
    this.keys.start();
    this.chooseTool("select");
    this.load();
  }

  // Elements

  build(parentElement) {
    this.root = element("div", { class: "editor unstyled" });
    const sheet = element("link", { rel: "stylesheet", href: new URL("./editor.css", import.meta.url).href });
    sheet.addEventListener("load", () => { this.root.classList.remove("unstyled"); this.fitHeight(); });
    sheet.addEventListener("error", () => this.root.classList.remove("unstyled"));
    const container = element("div", { class: "view" });
    this.stage = element("div", { class: "stage" }, container);
    this.view = new PictureView(container, { label: "Picture: draw and edit regions" });
    this.view.camera.margin = BORDER;
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
    this.panel = element(
      "aside", { class: "panel", "aria-label": "Classes and regions" },
      this.classList.element, this.regionList.element, this.attributeForm.element,
    );
    this.root.append(
      this.toolBar.element, this.stage, this.panel, this.status.element, this.strip.element, this.keySheet.element,
      this.conflictView.element,
    );
    parentElement.querySelector("div")?.replaceChildren(sheet, this.root);
    this.root.setAttribute("data-server", this.server.address);
    // A click on a button leaves the focus where it is, so that arrows and Space go on acting on the picture.
    this.root.addEventListener("mousedown", (event) => {
      if (event.target.closest("input, select, textarea, dialog, .picture-surface")) return;
      event.preventDefault();
      this.endTyping();
    });
    this.view.painters.push((context, view) => this.tool?.paint?.(context, view));
    this.view.display.opacity = 0.22;
    this.view.display.label = (object) => this.labelOf(object);
    this.view.addEventListener("hover", ({ detail }) => this.setHovered(detail.id));
    this.stopped = new AbortController();
    const { signal } = this.stopped;
    window.addEventListener("resize", () => this.fitHeight(), { signal });
    document.addEventListener("fullscreenchange", () => this.fitHeight(), { signal });
    this.heights = new ResizeObserver(() => this.fitHeight());
    this.heights.observe(document.body);
    const main = this.host.closest?.('[data-testid="stMainBlockContainer"]');
    if (main) this.heights.observe(main);
    this.fitHeight();
  }

  get host() {
    const root = this.root.getRootNode();
    return root.host ?? this.root;
  }

  /** Whether the editor is in the page and visible. */
  get isOnPage() {
    return this.root.isConnected && this.root.getClientRects().length > 0;
  }

  /** Whether a dialog of the editor or of Streamlit is open: then keys are its own. */
  hasDialog() {
    if (this.root.querySelector("dialog[open]")) return true;
    const open = (found) => found.isConnected && found.getClientRects().length > 0;
    return [...document.querySelectorAll('[role="dialog"][aria-modal="true"], [data-testid="stDialog"]')].some(open);
  }

  /** Give the editor the height that the window has below it, less what stands below the editor on the page. */
  fitHeight() {
    if (!this.root.isConnected || document.fullscreenElement) return;
    const top = this.root.getBoundingClientRect().top + (this.scroller()?.scrollTop ?? 0);
    const below = document.querySelector(".st-key-annotate_below");
    const rest = (below ? below.getBoundingClientRect().height : 0) + BELOW;
    const height = Math.max(LEAST_HEIGHT, Math.floor(window.innerHeight - top - rest));
    if (height === this.height) return;
    this.height = height;
    this.root.style.setProperty("--editor-height", `${height}px`);
  }

  scroller() {
    return document.querySelector('[data-testid="stMain"]');
  }

  /** Take the focus from a text that is being typed, so that it is saved. */
  endTyping() {
    const active = this.root.getRootNode().activeElement;
    if (active && takesText(active)) active.blur();
  }

  focusPicture() {
    this.view.element.focus({ preventScroll: true });
  }

  emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  // Data

  /** Take the data of a rerun. */
  take(data) {
    this.server.address = data.server; // another one if the studio was started again
    this.root.setAttribute("data-server", data.server);
    this.shown.take(data);
  }

  /** Load the list of pictures, the classes and the attributes; try again until it works. */
  async load() {
    if (this.loading) return;
    this.loading = true;
    for (let wait = 500; !this.stopped.signal.aborted; wait = Math.min(8000, wait * 2)) {
      try {
        this.takeProject(await this.server.pictures());
        await this.drafts.ready;
        break;
      } catch (error) {
        this.view.showMessage(error.message);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
    this.loading = false;
    if (this.stopped.signal.aborted) return;
    this.shown.start();
    RegionsDocument.recover(this.server, this.project);
  }

  takeProject({ project, pictures, classes, attributes }) {
    this.drafts ??= new DraftStore(project);
    this.pictures = pictures;
    this.places = new Map(pictures.map((entry, place) => [entry.id, place]));
    this.attributes = { region: attributes?.region ?? {}, file: attributes?.file ?? {} };
    this.takeClasses(classes);
    this.strip.setPictures(pictures);
  }

  takeClasses(classes) {
    this.classes = classes;
    this.colours = new Map(classes.map((entry) => [entry.name, entry.colour]));
    this.objects = new WeakMap();
    if (!this.colours.has(this.className)) this.className = classes[0]?.name ?? null;
    this.emit("classes");
    this.drawRegions();
  }

  /** Get the classes again: one has been made by a save, or changed on another page. */
  async refreshClasses() {
    try {
      const { classes } = await this.server.pictures();
      if (JSON.stringify(classes) !== JSON.stringify(this.classes)) this.takeClasses(classes);
    } catch {
      // It is asked again with the next one.
    }
  }

  colourOf(className) {
    return this.colours.get(className) ?? GREY;
  }

  // Pictures

  get place() {
    return this.entry ? this.places.get(this.entry.id) : -1;
  }

  get shownName() {
    return this.entry?.name ?? null;
  }

  get isDone() {
    return Boolean(this.entry?.done);
  }

  pictureNamed(name) {
    return this.pictures.find((entry) => entry.name === name) ?? null;
  }

  /** Show the next picture (1) or the one before (-1). */
  step(step) {
    const place = (this.shown.wantedPlace ?? this.place) + step;
    if (place < 0 || place >= this.pictures.length) return this.say(
      step > 0 ? "This is the last picture." : "This is the first picture."
    );
    return this.showPlace(place);
  }

  /** Show the next picture without regions that is not done; after the last one from the beginning. */
  stepToUnlabelled() {
    const from = this.shown.wantedPlace ?? this.place, total = this.pictures.length;
    for (let step = 1; step < total; step += 1) {
      const place = (from + step) % total;
      const entry = this.pictures[place];
      if (!entry.done && entry.n_regions === 0) return this.showPlace(place);
    }
    return this.say("No other picture is unlabelled.");
  }

  /** Show the picture at this place of the list. */
  showPlace(place) {
    const entry = this.pictures[place];
    if (entry) this.shown.show(entry, true);
  }

  /** Called before another picture is shown: end what the pointer does, and keep the unfinished outline. */
  leavePicture() {
    if (!this.doc) return;
    this.endTyping();
    finishNudge(this);
    this.tool?.stop?.();
    this.keepDraft();
    this.lastEntry = this.entry;
  }

  /** Put a loaded document into the view and the panels. */
  enterPicture(entry, doc) {
    this.listening?.abort();
    const { signal } = this.listening = new AbortController();
    doc.addEventListener("regions", () => this.onRegions(), { signal });
    doc.addEventListener("selection", () => this.onSelection(), { signal });
    doc.addEventListener("status", () => this.onStatus(), { signal });
    doc.addEventListener("details", () => this.onDetails(), { signal });
    this.entry = entry;
    this.doc = doc;
    this.hovered = null;
    entry.done = doc.done;
    this.root.dataset.image = entry.name;
    this.view.setActive(new Set());
    this.view.setPicture(doc.picture);
    if (!doc.picture) this.view.showMessage(doc.problem ?? "This picture cannot be shown.");
    this.view.tool = this.tool;
    this.status.showPicture(entry, this.place + 1, this.pictures.length);
    this.strip.setCurrent(this.place);
    this.restoreDraft();
    this.say("");
    this.emit("picture");
    this.onSelection();
    this.onRegions();
    this.onStatus();
  }

  // Drafts: unfinished outlines, one for each picture

  /** Keep the unfinished outline of the picture, `tool.draft()`; null if there is none. */
  keepDraft(draft = undefined) {
    if (!this.entry || !this.drafts || this.restoring) return;
    const tools = [this.tool, ...this.tools.values()];
    const kept = draft ?? tools.map((tool) => tool?.draft?.()).find(Boolean) ?? null;
    this.drafts.set(this.entry.id, kept);
  }

  restoreDraft() {
    this.restoring = true;
    const draft = this.drafts?.get(this.entry.id) ?? null;
    for (const tool of this.tools.values()) tool.restore?.(null);
    const tool = draft && this.tools.get(draft.tool);
    if (tool) {
      if (draft.class_name && this.colours.has(draft.class_name)) this.chooseClass(draft.class_name, false);
      if (tool !== this.tool) this.chooseTool(draft.tool, false);
      else tool.start?.();
      tool.restore(draft);
    } else {
      this.tool?.start?.();
    }
    this.restoring = false;
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
    if (this.nextAttributes && Object.keys(this.nextAttributes).length) region.attributes = {
      ...this.nextAttributes, ...more.attributes,
    };
    this.doc.change({ put: [region] }, `draw ${shape.kind}`);
    this.doc.select([region.id]);
    return region;
  }

  /** The label of a region on the picture: its number in the list, and its class where there are several. */
  labelOf({ id, class: name }) {
    const number = this.numbers.get(id) ?? "";
    return this.classes.length > 1 ? `${number} ${name ?? "no class"}`.trim() : String(number);
  }

  drawRegions() {
    if (!this.doc) return;
    const { hidden, regions } = this.doc;
    this.numbers = new Map(regions.map((region, place) => [region.id, place + 1]));
    this.view.setObjects(regions.filter((region) => !hidden.has(region.id)).map((region) => {
      let object = this.objects.get(region);
      if (!object) this.objects.set(region, object = objectOf(region, this));
      return object;
    }));
  }

  onRegions() {
    const { doc, entry } = this;
    this.drawRegions();
    this.view.redrawOverlay();
    this.root.dataset.regions = doc.regions.length;
    if (entry.n_regions !== doc.regions.length) {
      entry.n_regions = doc.regions.length;
      this.strip.refresh(this.place);
    }
    if (doc.regions.some(
      (region) => region.class_name && !this.colours.has(region.class_name)
    )) this.wantsClasses = true;
    this.emit("regions");
    this.emit("counts");
  }

  onSelection() {
    this.view.setSelected(this.doc.selection);
    this.view.redrawOverlay(); // the tool draws the handles
    this.emit("selection");
  }

  onDetails() {
    const { doc, entry } = this;
    entry.done = doc.done;
    this.status.showDone(doc.done);
    this.strip.refresh(this.place);
    if (!doc.picture || doc.picture.address !== this.view.picture?.address) {
      this.view.setPicture(doc.picture);
      if (!doc.picture) this.view.showMessage(doc.problem ?? "This picture cannot be shown.");
    }
    this.emit("file");
  }

  onStatus() {
    const { status } = this.doc;
    this.root.dataset.status = status.state;
    this.status.showSaved(status);
    if (status.state === "saved" && this.wantsClasses) {
      this.wantsClasses = false;
      this.refreshClasses();
    }
    this.conflictView.update(this.doc);
    this.emit("status");
  }

  setHovered(id) {
    if (id === this.hovered) return;
    this.hovered = id;
    this.view.setHovered(id);
    this.emit("hover");
  }

  /**
   * Hide or lock regions (`what` is "hidden" or "locked"), or show or unlock them: on true, false, or the other way
   * round.
   */
  toggleRegions(what, ids, on = null) {
    const { doc } = this;
    const set = doc[what];
    for (const id of ids) {
      if (on ?? !set.has(id)) set.add(id);
      else set.delete(id);
    }
    if (what === "hidden") {
      doc.select([...doc.selection].filter((id) => !set.has(id)));
      this.drawRegions();
    }
    this.emit("hidden");
    this.view.redraw();
  }

  /** Zoom to a region. */
  showRegion(id) {
    const region = id && this.doc.region(id);
    const box = region && shapeBounds(region.shape);
    if (box) this.view.camera.showBox(box);
  }

  undo() {
    finishNudge(this);
    return this.doc?.undo();
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

  /**
   * The regions of the picture that was shown before this one, else of the one before in the list; null without one.
   */
  async regionsOfLastPicture() {
    const entry = this.lastEntry && this.lastEntry !== this.entry ? this.lastEntry : this.pictures[this.place - 1];
    if (!entry) return null;
    try {
      return (await this.opened.get(entry)).regions;
    } catch (error) {
      this.say(error.message, "problem");
      return [];
    }
  }

  // Classes and attributes

  /** Choose the class of new regions; the selected regions get it too, unless an outline is being drawn. */
  chooseClass(name, changes = true) {
    const { doc } = this;
    this.className = name;
    this.emit("class");
    this.view.redrawOverlay();
    if (!changes || !doc || this.tool?.begun) return;
    const chosen = this.selectedRegions().filter((region) => !doc.locked.has(region.id) && region.class_name !== name);
    if (chosen.length === 0) return;
    doc.change({ put: chosen.map((region) => ({ ...region, class_name: name })) }, `class ${name}`);
    this.say(`${chosen.length === 1 ? "1 region is" : `${chosen.length} regions are`} now “${name}”.`);
  }

  /** Add a class and choose it. Return the names of similar classes if the person has to choose first, else []. */
  async addClass(name, anyway) {
    if (this.colours.has(name)) {
      this.chooseClass(name);
      return [];
    }
    const answer = await this.server.addClass(name, anyway);
    if (answer.similar?.length) return answer.similar;
    this.takeClasses(answer.classes);
    this.chooseClass(name);
    return [];
  }

  /** Set an attribute of the selected regions; `change` maps the old value to the new one. */
  setAttribute(name, change) {
    const { doc } = this;
    const put = this.selectedRegions().filter((region) => !doc.locked.has(region.id)).map((region) => (
      { ...region, attributes: { ...region.attributes, [name]: change(region.attributes?.[name]) } }
    ));
    if (put.length === 0) return;
    doc.change({ put }, `attribute ${name}`);
    if (this.nextAttributes) this.nextAttributes[name] = put.at(-1).attributes[name];
  }

  /** Whether new regions get the attributes that were given last. */
  setSameForNext(on) {
    this.nextAttributes = on ? { ...this.selectedRegions().at(-1)?.attributes } : null;
  }

  /** The attributes of the picture (VIA file attributes). */
  get fileAttributes() {
    return this.doc?.fileAttributes ?? {};
  }

  /** Set an attribute of the picture. */
  async setFileAttribute(name, change) {
    const { doc } = this, before = doc.fileAttributes;
    doc.fileAttributes = { ...before, [name]: change(before[name]) };
    try {
      await doc.setFileAttributes(doc.fileAttributes);
    } catch (error) {
      this.say(`${name} of the picture is not saved: ${error.message}`, "problem");
      doc.fileAttributes = before;
      this.emit("file");
    }
  }

  /** Mark the picture as done, or not. */
  async setDone(done) {
    const { doc, entry } = this;
    if (!doc) return;
    const show = (value) => {
      entry.done = value;
      if (entry === this.entry) this.status.showDone(value);
      this.strip.refresh(this.places.get(entry.id));
    };
    show(done);
    try {
      await doc.setDone(done);
      this.shown.runPage(); // the side bar counts the pictures that are done
    } catch (error) {
      show(!done);
      this.say(`Done is not saved: ${error.message}`, "problem");
    }
  }

  // Tools and actions

  /** Add a tool: a class as tools.js describes. `group` is the group of its button. */
  addTool(Tool, group = "tools") {
    const tool = new Tool(this);
    const { name, label, icon, key } = Tool;
    this.tools.set(name, tool);
    const action = {
      name: `tool ${name}`, label, icon, group, isOn: (editor) => editor.tool === tool,
      run: (editor) => editor.chooseTool(name),
    };
    this.toolBar.add(action);
    if (key) this.keys.more.push({ name: action.name, group: "Tools", keys: [key], words: label, run: action.run });
    return tool;
  }

  /**
   * Add a command or a mode: {name, label, icon, group, key, words, run(editor), isOn(editor), isEnabled(editor)}.
   * `group` is "modes", "shapes" (of operations), "hints" or "view". It gets a button, a key and a row in the sheet of
   * keys. With `when`, the key is the action's only while `when(editor)` is true.
   */
  addAction(action) {
    const { name, label, words, key, group, run, when, held } = action;
    if (action.icon) this.toolBar.add(action);
    const groups = { modes: "Tools", shapes: "Combine", hints: "Help from the machine", view: "View", history: "Edit" };
    const keys = key === undefined || key === null ? [] : [key].flat();
    if (keys.length) this.keys.more.push({
      name, group: groups[group] ?? "Edit", keys, words: words ?? label, run, when, held,
    });
    this.toolBar.update();
  }

  chooseTool(name, keeps = true) {
    const next = this.tools.get(name);
    if (!next) return;
    if (next !== this.tool) {
      this.tool?.stop?.();
      if (keeps) this.keepDraft();
      this.tool = next;
      this.root.dataset.tool = name;
      if (this.doc) {
        this.view.tool = next;
        next.start?.();
      }
      this.cursor.toolChanged(name);
    }
    this.status.showHint(next.constructor.hint ?? TOOL_HINTS[name] ?? "");
    this.view.redrawOverlay();
    this.emit("tool");
  }

  /** Give a key to the tool first; return whether it was the tool's. */
  toolKey(event) {
    return Boolean(this.doc && this.tool?.key?.(event));
  }

  // View

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

  async toggleFullScreen() {
    try {
      if (document.fullscreenElement) {
        await document.exitFullscreen();
      } else {
        await this.root.requestFullscreen();
        await navigator.keyboard?.lock?.(["Escape"]); // Esc cancels an outline; held down, it leaves full screen
      }
    } catch {
      this.say("The browser does not allow full screen here.", "problem");
    }
  }

  togglePanels() {
    this.root.classList.toggle("without-panels");
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
    this.leavePicture();
    this.stopped.abort();
    this.listening?.abort();
    this.heights.disconnect();
    this.keys.stop();
    this.strip.destroy();
    this.regionList.destroy();
    this.shown.destroy();
    this.opened.destroy();
    this.conflictView.destroy();
    this.view.destroy();
    this.root.remove();
  }
}
