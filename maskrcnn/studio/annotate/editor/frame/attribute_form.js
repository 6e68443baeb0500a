// The attributes of VIA as inputs: those of the selected regions, and those of the picture.

import { element } from "./elements.js";

const SEVERAL = "(several values)";

/** Option id -> text of a definition. The options of an image attribute are addresses, so their ids are shown. */
function optionsOf(definition) {
  const options = definition?.options;
  if (!options || typeof options !== "object") return new Map();
  return new Map(
    Object.entries(options).map(([id, text]) => [id, definition.type === "image" ? id : String(text || id)])
  );
}

/** Values as text, for attributes without a fitting definition: the checked options, or the value itself. */
function inWords(value) {
  if (value === null || value === undefined || value === "") return "empty";
  if (typeof value !== "object") return String(value);
  return Object.keys(value).filter((id) => value[id] === true).join(", ") || "none";
}

const same = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

/** The form of attributes. `element` is its element; it is hidden while the project has no attributes. */
export class AttributeForm {
  constructor(editor) {
    this.editor = editor;
    this.region = element("div", { class: "fields" });
    this.file = element("div", { class: "fields" });
    const keep = () => editor.attributeEdits.setSameForNext(this.keep.checked);
    this.keep = element("input", { type: "checkbox", onchange: keep });
    this.keepLabel = element(
      "label", {
        class: "check", title: "New regions get the attributes that were given last.",
      }, this.keep, "Same for new regions",
    );
    this.regionPart = element(
      "div", {}, element("div", { class: "panel-title" }, "Attributes"), this.region, this.keepLabel,
    );
    this.filePart = element("div", {}, element("div", { class: "panel-title" }, "Picture"), this.file);
    this.element = element(
      "section", { class: "attributes", "aria-label": "Attributes", hidden: true }, this.regionPart, this.filePart,
    );
    for (const name of ["picture", "selection", "regions", "file"]) editor.addEventListener(name, () => this.draw());
  }

  draw() {
    const { editor } = this;
    const { attributeEdits } = editor, { definitions, ofPicture } = attributeEdits;
    const chosen = editor.selectedRegions();
    const carried = new Set(chosen.flatMap((region) => Object.keys(region.attributes ?? {})));
    const names = [...new Set([...Object.keys(definitions.region), ...carried])];
    const fileNames = [...new Set([...Object.keys(definitions.file), ...Object.keys(ofPicture)])];
    const state = JSON.stringify([
      chosen.map(
        (region) => [region.id, region.attributes ?? null]
      ), definitions, ofPicture, editor.entry?.name ?? null,
    ]);
    if (state === this.shown) return;
    const focused = this.element.contains(this.element.getRootNode().activeElement);
    if (focused && this.typing) return; // the text that is being typed is not replaced under the cursor
    this.shown = state;
    const at = focused ? this.element.getRootNode().activeElement.id : "";
    this.regionPart.hidden = names.length === 0;
    this.keepLabel.hidden = Object.keys(definitions.region).length === 0;
    this.filePart.hidden = fileNames.length === 0;
    this.element.hidden = names.length === 0 && fileNames.length === 0;
    if (names.length && chosen.length === 0) {
      this.region.replaceChildren(element("p", { class: "empty" }, "Select a region to see its attributes."));
    } else {
      this.region.replaceChildren(...names.map((name) => {
        const values = chosen.map((region) => region.attributes?.[name]);
        const mixed = values.some((value) => !same(value, values[0]));
        return this.field(
          "region", name, definitions.region[name], values[0], mixed, (change) => attributeEdits.set(name, change),
        );
      }));
    }
    this.file.replaceChildren(...fileNames.map((name) => this.field(
      "file", name, definitions.file[name], ofPicture[name], false,
      (change) => attributeEdits.setOfPicture(name, change),
    )));
    if (at) this.element.querySelector(`#${CSS.escape(at)}`)?.focus();
  }

  /** The input of one attribute. `save` gets a function from the old value to the new one. */
  field(owner, name, definition, value, mixed, save) {
    const kind = definition?.type ?? "text"; // VIA's label files without the project have no definitions
    const options = optionsOf(definition);
    const id = `${owner}-${name}`;
    const title = definition?.description ? String(definition.description) : null;
    const isText = value === undefined || value === null || typeof value === "string";
    if (kind === "text" && isText) {
      const input = element("input", { type: "text", class: "text-input", id, placeholder: mixed ? SEVERAL : null });
      input.value = mixed ? "" : value ?? "";
      input.addEventListener("focus", () => { this.typing = true; });
      input.addEventListener("blur", () => { this.typing = false; setTimeout(() => this.draw()); });
      input.addEventListener("change", () => save(() => input.value));
      input.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === "Escape") this.editor.focusPicture();
      });
      return element("label", { class: "field", title }, element("span", {}, name), input);
    }
    if (["dropdown", "image"].includes(kind) && isText) {
      const select = element(
        "select", { class: "text-input", id }, element("option", { value: "" }, mixed ? SEVERAL : "not given"),
      );
      const known = value && !options.has(value) ? new Map([...options, [value, value]]) : options;
      for (const [option, text] of known) select.append(element("option", { value: option }, text));
      select.value = mixed ? "" : value ?? "";
      select.addEventListener("change", () => save(() => select.value));
      return element("label", { class: "field", title }, element("span", {}, name), select);
    }
    if (kind === "radio" && isText) {
      const known = value && !options.has(value) ? new Map([...options, [value, value]]) : options;
      return this.group(name, title, [...known].map(([option, text], number) => {
        const input = element(
          "input", { type: "radio", name: id, id: `${id}-${number}`, onchange: () => save(() => option) },
        );
        input.checked = !mixed && value === option;
        return element("label", { class: "check" }, input, text);
      }));
    }
    if (kind === "checkbox" && (value === undefined || value === null || typeof value === "object")) {
      return this.group(name, title, [...options].map(([option, text], number) => {
        const input = element("input", {
          type: "checkbox", id: `${id}-${number}`, onchange: () => save(
            (before) => this.checked(before, option, input.checked)
          ),
        });
        input.checked = !mixed && value?.[option] === true;
        input.indeterminate = mixed;
        return element("label", { class: "check" }, input, text);
      }));
    }
    return element(
      "div", { class: "field", title }, element("span", {}, name),
      element("span", {}, mixed ? SEVERAL : inWords(value)),
    );
  }

  checked(before, option, on) {
    const value = { ...(before && typeof before === "object" ? before : {}) };
    if (on) value[option] = true;
    else delete value[option];
    return value;
  }

  group(name, title, inputs) {
    return element("fieldset", { class: "field", title }, element("legend", {}, name), ...inputs);
  }
}
