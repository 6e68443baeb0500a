// The attributes of VIA: their definitions, and changing those of the selected regions and of the picture.

/** The attributes of one editor. `definitions` is {region, file}: name -> definition, as VIA has them. */
export class AttributeEdits {
  constructor(editor) {
    this.editor = editor;
    this.definitions = { region: {}, file: {} };
    this.next = null; // of new regions, while "same for new regions" is on
  }

  /** Take the definitions of the project. */
  take(definitions) {
    this.definitions = { region: definitions?.region ?? {}, file: definitions?.file ?? {} };
  }

  /** The attributes of the picture (VIA file attributes). */
  get ofPicture() {
    return this.editor.doc?.fileAttributes ?? {};
  }

  /** Set an attribute of the selected regions; `change` maps the old value to the new one. */
  set(name, change) {
    const { editor } = this, { doc } = editor;
    const put = editor.selectedRegions().filter((region) => !doc.locked.has(region.id)).map((region) => (
      { ...region, attributes: { ...region.attributes, [name]: change(region.attributes?.[name]) } }
    ));
    if (put.length === 0) return;
    doc.change({ put }, `attribute ${name}`);
    if (this.next) this.next[name] = put.at(-1).attributes[name];
  }

  /** Whether new regions get the attributes that were given last. */
  setSameForNext(on) {
    this.next = on ? { ...this.editor.selectedRegions().at(-1)?.attributes } : null;
  }

  /** Set an attribute of the picture. */
  async setOfPicture(name, change) {
    const { editor } = this, { doc } = editor, before = doc.fileAttributes;
    const after = { ...before, [name]: change(before[name]) };
    try {
      await doc.setFileAttributes(after);
    } catch (error) {
      editor.say(`${name} of the picture is not saved: ${error.message}`, "problem");
      if (doc.fileAttributes === after) doc.fileAttributes = before;
      editor.emit("file");
    }
  }
}
