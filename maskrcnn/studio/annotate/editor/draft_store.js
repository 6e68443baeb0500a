// What is unfinished on each picture, outlines and first corners, kept over picture changes, reloads and closed tabs.

import { randomId, Storage } from "./journal.js";

const PREFIX = "maskrcnn-draft", TAB = "maskrcnn-tab";

/**
 * The drafts of one project: `get(pictureId)`, and `set(pictureId, draft | null)` with any JSON values, such as [{tool,
 * class_name, points}]. The draft of a tab comes back in that tab; that of a closed tab in any.
 */
export class DraftStore {
  constructor(project, storage = new Storage(), session = new Storage(sessionStorageOrNull())) {
    this.project = project;
    this.storage = storage;
    this.session = session;
    this.drafts = new Map(); // the copy of this page, in case there is no storage
    this.living = new Set(); // ids of tabs that are open
    this.tab = session.get(TAB) ?? randomId();
    this.ready = this.findTabs();
  }

  /** Take the tab's id, or a new one if this tab is a duplicate of another. Resolves when `get` knows all tabs. */
  async findTabs() {
    if (navigator.locks) {
      const isMine = (await hold(`${TAB}/${this.tab}`)) || (await heldHere(this.tab));
      if (!isMine) {
        this.tab = randomId();
        await hold(`${TAB}/${this.tab}`);
      }
      const { held } = await navigator.locks.query();
      this.living = new Set(held.map(({ name }) => name.split(`${TAB}/`)[1]).filter(Boolean));
    }
    here.add(this.tab);
    this.session.set(TAB, this.tab);
  }

  /** The draft of a picture; null if there is none. */
  get(pictureId) {
    if (this.drafts.has(pictureId)) return this.drafts.get(pictureId);
    const own = this.storage.get(this.key(pictureId, this.tab));
    if (own) return own.draft;
    const others = this.storage.keys(`${PREFIX}/${this.project}/${pictureId}/`)
      .map((key) => ({ key, kept: this.storage.get(key) }))
      .filter(({ key, kept }) => kept && !this.living.has(key.split("/")[3]))
      .sort((one, other) => other.kept.at - one.kept.at);
    if (others.length === 0) return null;
    this.storage.remove(others[0].key); // it belongs to this tab now
    this.set(pictureId, others[0].kept.draft);
    return others[0].kept.draft;
  }

  set(pictureId, draft) {
    this.drafts.set(pictureId, draft);
    const key = this.key(pictureId, this.tab);
    if (draft === null) this.storage.remove(key);
    else this.storage.set(key, { draft, at: Date.now() });
  }

  key(pictureId, tab) {
    return `${PREFIX}/${this.project}/${pictureId}/${tab}`;
  }
}

const here = new Set(); // ids that this page holds

async function heldHere(tab) {
  return here.has(tab);
}

function hold(name) {
  return new Promise((resolve) => {
    navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? null : new Promise(() => {});
    }).catch(() => resolve(true));
  });
}

function sessionStorageOrNull() {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}
