// The classes of the project, their colours, and the class that is chosen for new regions.

const GREY = "#a0a0a0"; // of regions without a class

/** The classes of one editor: `entries` ({name, colour, hotkey, skeleton}), and the name that is `chosen`, or null. */
export class ClassChoice {
  constructor(editor) {
    this.editor = editor;
    this.entries = [];
    this.chosen = null;
    this.colours = new Map();
    // A class may have been renamed in another tab; its old name would make it once more.
    window.addEventListener("focus", () => this.refresh(), { signal: editor.stopped.signal });
  }

  has(name) {
    return this.colours.has(name);
  }

  colourOf(name) {
    return this.colours.get(name) ?? GREY;
  }

  /** Take the classes as the server has them. */
  take(entries) {
    const before = this.entries;
    this.entries = entries;
    this.colours = new Map(entries.map((entry) => [entry.name, entry.colour]));
    if (!this.has(this.chosen)) this.chosen = this.renamed(before) ?? entries[0]?.name ?? null;
    this.editor.emit("classes");
    this.editor.regionLayer.drawAnew();
  }

  /** The new name of the chosen class: its place and colour are those of a class that was not there before. */
  renamed(before) {
    const place = before.findIndex((entry) => entry.name === this.chosen);
    const now = this.entries[place];
    const isNew = now && !before.some((entry) => entry.name === now.name);
    return isNew && now.colour === before[place].colour ? now.name : null;
  }

  /** Get the classes again: one has been made by a save, or changed on another page. */
  async refresh() {
    try {
      const { classes } = await this.editor.server.pictures();
      if (JSON.stringify(classes) !== JSON.stringify(this.entries)) this.take(classes);
    } catch {
      // It is asked again with the next one.
    }
  }

  /** Choose the class of new regions; the selected regions get it too, unless an outline is being drawn. */
  choose(name, changes = true) {
    const { editor } = this, { doc } = editor;
    this.chosen = name;
    editor.emit("class");
    editor.view.redrawOverlay();
    if (!changes || !doc || editor.tool?.begun) return;
    const regions = editor.selectedRegions().filter(
      (region) => !doc.locked.has(region.id) && region.class_name !== name
    );
    if (regions.length === 0) return;
    doc.change({ put: regions.map((region) => ({ ...region, class_name: name })) }, `class ${name}`);
    editor.say(`${regions.length === 1 ? "1 region is" : `${regions.length} regions are`} now “${name}”.`);
  }

  /** Add a class and choose it. Return the names of similar classes if the person has to choose first, else []. */
  async add(name, anyway) {
    if (this.has(name)) {
      this.choose(name);
      return [];
    }
    const answer = await this.editor.server.addClass(name, anyway);
    if (answer.similar?.length) return answer.similar;
    this.take(answer.classes);
    this.choose(name);
    return [];
  }
}
