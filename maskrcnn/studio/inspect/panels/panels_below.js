// What stands below the pictures of the Predictions page: the selected one, the instances, and the AP row by row.

import { ApPanel } from "./ap_panel.js";
import { InstanceList } from "./instance_list.js";
import { PanelStrip } from "./panel_strip.js";
import { StoryPanel } from "./story_panel.js";

/**
 * The panels and what they have in common with the pictures. `choices` are those of the page.
 *
 * Events: "hover" {side, place | null} and "select" {side, place}: an object (side "truth") or a detection ("found")
 * and its index; "drawn" {}: other instances are to be drawn; "size" {name}: a panel was opened or closed; "do"
 * {action}: "editor", "follow" or "soft" for the selected one.
 */
export class PanelsBelow extends EventTarget {
  constructor(choices) {
    super();
    this.story = new StoryPanel();
    this.instances = new InstanceList();
    this.ap = new ApPanel();
    this.strip = new PanelStrip(choices, [
      { name: "showStory", root: this.story.root, title: "What became of the selected one, and why (W)" },
      { name: "showInstances", root: this.instances.root, title: "Draw single ones, or leave them out" },
      { name: "showAp", root: this.ap.root, title: "Precision and recall down the ranking, to check by hand" },
    ]);
    this.root = this.strip.root;
    this.strip.addEventListener("change", ({ detail }) => this.#tell("size", detail));
    this.instances.addEventListener("change", () => this.#tell("drawn", {}));
    this.instances.addEventListener("hover", ({ detail: { id } }) => {
      const [side, place] = id === null ? ["found", null] : id.split("-");
      this.#tell("hover", { side, place: place === null ? null : Number(place) });
    });
    for (const name of ["hover", "select"]) {
      this.ap.addEventListener(name, ({ detail: { detection } }) => {
        this.#tell(name, { side: "found", place: detection });
      });
    }
    this.ap.addEventListener("chosen", () => this.#writeAp());
    for (const action of ["only", "editor", "follow", "soft"]) {
      this.story.addEventListener(action, () => this.#tell("do", { action }));
    }
  }

  /** Whether an object or detection of a view is to be drawn, as far as it was not switched off. */
  isOn(id) {
    return !this.instances.off.has(id);
  }

  /** Show what a picture has; `data` is that of the component. */
  update(table, matches, choices, data) {
    const { looks } = data;
    const items = (entries, side, results) => (results ?? []).map(({ status }, place) => ({
      id: `${side}-${place}`, side, status,
      label: side === "truth" ? `${place + 1} ${entries[place].label}` : entries[place].label,
    }));
    this.instances.update([
      ...items(table?.objects, "truth", matches?.objects), ...items(table?.detections, "found", matches?.detections),
    ], looks);
    const { hidden } = this.instances;
    this.strip.label("showInstances", hidden ? `Instances, ${hidden} off` : "Instances");
    this.ap.update(table, choices, data.categories.map(({ name }) => name), looks);
    this.#iou = choices.iou;
    this.#writeAp();
  }

  #iou = 0.5;

  #writeAp() {
    this.strip.label("showAp", `AP at IoU ${this.#iou.toFixed(2)}: ${this.ap.value}, row by row`);
  }

  /** Tell about the selected one; `about` is {side, place} or null. */
  select(about, table, matches, choices, data) {
    this.story.update(about, table, matches, choices, data);
    const isThere = Boolean(about && matches);
    this.strip.label("showStory", isThere ? `Selected: ${this.story.title.textContent}` : "Selected: none");
  }

  /** Mark what is under the pointer, else what is selected, as {truth, found}: objects of the views, or null. */
  highlight({ truth, found }, show) {
    this.instances.highlight([truth?.id, found?.id].filter(Boolean));
    this.ap.highlight(found?.place ?? null, show);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
