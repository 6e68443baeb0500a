// The journal of one picture: changes that the server has not confirmed yet, kept in localStorage.
//
// Keys: `maskrcnn-unsent/PROJECT/PICTURE/JOURNAL` is the head {name, revision, state, first, recorded}, and
// `.../NUMBER` one change. The head says from which number on the changes are unconfirmed, so a change is confirmed by
// one write. A journal belongs to the page that holds the Web Lock of its name; another page takes it over when that
// page is gone. Where there are no Web Locks (http to another machine), every page may take it: the revision of a save
// keeps the same change from being stored twice.

const PREFIX = "maskrcnn-unsent";
const PATIENCE = 250; // milliseconds that a page which is just ending may still hold its journals

/** localStorage that never throws. `isWorking` is false after a write failed, for example because it is full. */
export class Storage {
  constructor(place = localStorageOrNull()) {
    this.place = place;
    this.isWorking = place !== null;
  }

  get(key) {
    try {
      return JSON.parse(this.place.getItem(key));
    } catch {
      return null;
    }
  }

  set(key, value) {
    try {
      this.place.setItem(key, JSON.stringify(value));
      this.isWorking = true;
    } catch {
      this.isWorking = false;
    }
    return this.isWorking;
  }

  remove(key) {
    try {
      this.place.removeItem(key);
    } catch { /* there is no storage, so there is no such key */ }
  }

  keys(start) {
    try {
      return Object.keys(this.place).filter((key) => key.startsWith(start));
    } catch {
      return [];
    }
  }
}

function localStorageOrNull() {
  try {
    return window.localStorage;
  } catch { // cookies are blocked
    return null;
  }
}

/** A random id of 24 letters and digits. */
export function randomId() {
  return [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => (byte % 36).toString(36)).join("");
}

/** The ids of the pictures of a project that have unconfirmed changes in this browser. */
export function picturesWithJournals(storage, project) {
  const ids = storage.keys(`${PREFIX}/${project}/`).map((key) => Number(key.split("/")[2]));
  return [...new Set(ids)].filter(Number.isInteger);
}

/** One journal. Changes are any JSON values. */
export class Journal {
  /** @param {string} id the journal's own id; a new one by default. */
  constructor(storage, project, picture, id = randomId()) {
    this.storage = storage;
    this.id = id;
    this.key = `${PREFIX}/${project}/${picture}/${id}`;
    this.first = 0; // number of the first unconfirmed change
    this.next = 0; // number of the next change
    this.isComplete = true; // whether all unconfirmed changes are stored
    this.release = () => {};
  }

  /** Journals of a picture that no other page holds, oldest first; each is held by this page then. */
  static async abandoned(storage, project, picture) {
    const heads = storage.keys(`${PREFIX}/${project}/${picture}/`).filter((key) => key.split("/").length === 4);
    const found = [];
    for (const key of heads) {
      const journal = new Journal(storage, project, picture, key.split("/")[3]);
      if (await journal.hold()) found.push(journal);
    }
    return found.sort((one, other) => (one.head()?.at ?? 0) - (other.head()?.at ?? 0));
  }

  /** Make this page the journal's owner until `release()`. False if another page is. */
  async hold() {
    if (!navigator.locks) return true;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    return new Promise((resolve) => {
      const owned = () => new Promise((end) => {
        clearTimeout(timer);
        this.release = end;
        resolve(true);
      });
      navigator.locks.request(this.key, { signal: patience.signal }, owned)
        .catch((error) => resolve(error.name !== "AbortError"));
    });
  }

  head() {
    return this.storage.get(this.key);
  }

  /** The head and the unconfirmed changes {head, changes}; null if there are none. */
  read() {
    const head = this.head();
    if (!head) return null;
    const changes = [];
    for (let number = head.first; ; number++) {
      const change = this.storage.get(`${this.key}/${number}`);
      if (change === null) break;
      changes.push(change);
    }
    this.first = head.first;
    this.next = head.first + changes.length;
    return changes.length ? { head, changes } : null;
  }

  /** Keep one more change. `head` says on what the first one is based: {name, revision, state}. */
  append(change, head, all) {
    if (!this.isComplete) {
      this.replace(all, head);
      return;
    }
    if (this.next === this.first) {
      this.isComplete = this.storage.set(this.key, { ...head, first: this.first, at: Date.now() });
    }
    this.isComplete = this.isComplete && this.storage.set(`${this.key}/${this.next}`, change);
    this.next++;
  }

  /** The first `number` changes are confirmed; the rest, `left`, is based on `head`. */
  confirm(number, left, head) {
    if (!left.length) {
      this.clear();
    } else if (!this.isComplete) {
      this.replace(left, head);
    } else {
      const from = this.first;
      this.first += number;
      this.storage.set(this.key, { ...head, first: this.first, at: Date.now() });
      for (let old = from; old < this.first; old++) this.storage.remove(`${this.key}/${old}`);
    }
  }

  /** Keep these changes instead of those that are there, which stay if there is no room. */
  replace(changes, head) {
    // One number stays unused, so that a page that ends in the middle of this leaves the old list, and not both.
    const first = this.next + 1;
    const isStored = changes.every((change, place) => this.storage.set(`${this.key}/${first + place}`, change))
      && this.storage.set(this.key, { ...head, first, at: Date.now() });
    this.isComplete = isStored;
    const [from, to] = isStored ? [this.first, this.next] : [first, first + changes.length];
    for (let number = from; number < to; number++) this.storage.remove(`${this.key}/${number}`);
    if (isStored) [this.first, this.next] = [first, first + changes.length];
  }

  /** Forget everything. */
  clear() {
    this.storage.remove(this.key);
    for (const key of this.storage.keys(`${this.key}/`)) this.storage.remove(key);
    this.first = this.next;
    this.isComplete = true;
  }
}
