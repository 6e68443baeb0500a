// The pixels of a picture: the whole of it in a size that fits the view, and sharper tiles when it is magnified.

const TILE = 1024; // side of a tile in pixels of its level, as in picture_files.py
const SIDES = [1024, 2048, 4096]; // longer sides in which the server sends a whole picture
const MOST_BYTES = 400e6; // of decoded bitmaps that are kept for all views
const AT_ONCE = 4; // requests of one view
const ENOUGH = 0.97; // pixels per device pixel that count as sharp

const bitmaps = new Map(); // URL -> ImageBitmap, the least recently used first
const sources = new Set(); // those that are in use

/** Return a kept bitmap, or undefined. */
function bitmapOf(url) {
  const bitmap = bitmaps.get(url);
  if (bitmap) {
    bitmaps.delete(url);
    bitmaps.set(url, bitmap);
  }
  return bitmap;
}

/** Keep a bitmap, and give up those that were not used for the longest time. */
function keepBitmap(url, bitmap) {
  bitmaps.get(url)?.close();
  bitmaps.set(url, bitmap);
  let bytes = 0;
  for (const { width, height } of bitmaps.values()) bytes += 4 * width * height;
  for (const [old, { width, height }] of bitmaps) {
    if (bytes <= MOST_BYTES) break;
    if (old === url || [...sources].some((source) => source.needs(old))) continue;
    bytes -= 4 * width * height;
    bitmaps.get(old).close();
    bitmaps.delete(old);
  }
}

/** Load and decode a picture. Raises an error with `lasting` if it is useless to try again. */
async function load(url, signal) {
  const answer = await fetch(url, { signal });
  if (!answer.ok) {
    const says = (await answer.text()).trim();
    const error = new Error(answer.status === 422 && says ? says : `The server answered ${answer.status}`);
    error.lasting = answer.status < 500;
    error.gone = answer.status === 404;
    throw error;
  }
  const bytes = await answer.blob();
  return createImageBitmap(bytes);
}

/** Side in which a whole picture is asked for, if `shown` device pixels of its longer side are seen. */
export function wholeSide(picture, shown) {
  const longest = Math.max(picture.width, picture.height);
  const needed = Math.min(longest, shown * ENOUGH);
  return SIDES.find((side) => side >= needed) ?? SIDES.at(-1);
}

/** Load the whole picture ahead, so that it is shown at once when its turn comes. `shown` is in device pixels. */
export async function preload(picture, shown, signal) {
  const url = `${picture.address}/whole/${wholeSide(picture, shown)}`;
  if (!bitmapOf(url)) keepBitmap(url, await load(url, signal));
}

/**
 * Loads and draws one picture. Dispatches "arrived" when there is more to draw, and "failed" with detail
 * {text, lasting, gone} when the picture cannot be loaded; if not `lasting`, it is tried again. `gone`: the server does
 * not know the address (any more), and another may help.
 */
export class PictureSource extends EventTarget {
  #whole = null; // URL of the best whole picture that has arrived
  #side = 0; // in which the whole picture is wanted
  #wanted = []; // URLs in the order of their importance
  #loading = new Map(); // URL -> AbortController
  #failed = new Map(); // URL -> time (ms) from which on it may be tried again, or Infinity
  #failures = 0;
  #timer = 0;

  /** @param {{address: string, width: number, height: number, name: string}} picture */
  constructor(picture) {
    super();
    this.picture = picture;
    sources.add(this);
  }

  /** Whether something of the whole picture can be drawn. */
  get ready() {
    return this.#whole !== null;
  }

  /** Whether everything that the last `draw` wanted has arrived. */
  get sharp() {
    return this.ready && this.#wanted.every((url) => bitmaps.has(url) || this.#failed.get(url) === Infinity);
  }

  /** Whether the bitmap of a URL is in use. */
  needs(url) {
    return url === this.#whole || this.#wanted.includes(url);
  }

  /**
   * Draw what has arrived of the visible part, and load what is missing.
   *
   * @param {CanvasRenderingContext2D} context its unit is one device px
   * @param {import("./camera.js").Camera} camera
   * @param {boolean} quick draw in lower quality, while the picture moves
   */
  draw(context, camera, quick = false) {
    const { picture } = this, unit = camera.scale * camera.ratio; // device px per picture px
    const longest = Math.max(picture.width, picture.height);
    this.#side = Math.max(this.#side, wholeSide(picture, longest * camera.fitScale * camera.ratio));
    const wholeUrl = `${picture.address}/whole/${this.#side}`;
    if (bitmapOf(wholeUrl)) this.#whole = wholeUrl;
    const tiles = unit * ENOUGH > Math.min(1, this.#side / longest) ? this.#visibleTiles(camera, unit) : [];
    this.#wanted = [wholeUrl, ...tiles.map((tile) => tile.url)];
    const [x, y] = camera.origin;
    const place = { x: x * camera.ratio, y: y * camera.ratio, unit };
    context.imageSmoothingEnabled = unit < 8;
    context.imageSmoothingQuality = quick ? "low" : "high";
    const missing = tiles.some((tile) => !bitmapOf(tile.url));
    if (this.#whole && (missing || tiles.length === 0)) this.#drawWhole(context, place);
    if (missing) this.#drawOlderTiles(context, camera, place);
    for (const tile of tiles) this.#drawTile(context, tile, place);
    this.#loadMissing();
  }

  /** Stop loading. */
  destroy() {
    clearTimeout(this.#timer);
    for (const controller of this.#loading.values()) controller.abort();
    sources.delete(this);
    this.#loading.clear();
    this.#wanted = [];
  }

  /** The tiles of the level that is sharp enough, those next to the middle of the view first. */
  #visibleTiles(camera, unit) {
    const { picture } = this;
    const level = Math.max(0, Math.floor(-Math.log2(unit * ENOUGH)));
    const side = TILE * 2 ** level; // of a tile, picture px
    const [x, y, w, h] = camera.visibleBox;
    const first = (start) => Math.max(0, Math.floor(start / side));
    const last = (end, length) => Math.min(Math.ceil(length / side) - 1, Math.floor(end / side));
    const tiles = [];
    for (let row = first(y); row <= last(y + h, picture.height); row++) {
      for (let column = first(x); column <= last(x + w, picture.width); column++) {
        tiles.push({ url: `${picture.address}/${level}/${column}/${row}`, level, column, row });
      }
    }
    const away = (tile) => Math.hypot((tile.column + 0.5) * side - camera.cx, (tile.row + 0.5) * side - camera.cy);
    return tiles.sort((a, b) => away(a) - away(b));
  }

  #drawWhole(context, { x, y, unit }) {
    context.drawImage(bitmapOf(this.#whole), x, y, this.picture.width * unit, this.picture.height * unit);
  }

  /** Draw the tiles of other levels that have arrived, the sharper ones last. */
  #drawOlderTiles(context, camera, place) {
    const start = `${this.picture.address}/`, older = [];
    const [x, y, w, h] = camera.visibleBox;
    for (const url of bitmaps.keys()) {
      if (!url.startsWith(start) || url.startsWith(`${start}whole/`)) continue;
      const [level, column, row] = url.slice(start.length).split("/").map(Number);
      const side = TILE * 2 ** level;
      if (column * side > x + w || (column + 1) * side < x || row * side > y + h || (row + 1) * side < y) continue;
      older.push({ url, level, column, row });
    }
    older.sort((a, b) => b.level - a.level);
    for (const tile of older) this.#drawTile(context, tile, place);
  }

  /** Draw a tile if it has arrived. Its edges are at whole device pixels, so that no line is seen between two tiles. */
  #drawTile(context, { url, level, column, row }, { x, y, unit }) {
    const bitmap = bitmapOf(url);
    if (!bitmap) return;
    const side = TILE * 2 ** level, { width, height } = this.picture;
    const left = Math.round(x + column * side * unit), top = Math.round(y + row * side * unit);
    const right = Math.round(x + Math.min(width, (column + 1) * side) * unit);
    const bottom = Math.round(y + Math.min(height, (row + 1) * side) * unit);
    context.drawImage(bitmap, left, top, right - left, bottom - top);
  }

  #loadMissing() {
    for (const [url, controller] of this.#loading) {
      if (this.#wanted.includes(url)) continue;
      controller.abort();
      this.#loading.delete(url);
    }
    const now = performance.now();
    for (const url of this.#wanted) {
      if (this.#loading.size >= AT_ONCE) break;
      if (bitmaps.has(url) || this.#loading.has(url) || (this.#failed.get(url) ?? 0) > now) continue;
      this.#load(url);
    }
  }

  async #load(url) {
    const controller = new AbortController();
    this.#loading.set(url, controller);
    try {
      const bitmap = await load(url, controller.signal);
      if (controller.signal.aborted) {
        bitmap.close();
        return;
      }
      keepBitmap(url, bitmap);
      this.#failed.delete(url);
      this.#failures = 0;
    } catch (error) {
      if (controller.signal.aborted) return;
      this.#noteFailure(url, error);
    }
    this.#loading.delete(url);
    this.dispatchEvent(new Event("arrived"));
  }

  /** Remember when a URL may be tried again, and report a whole picture that cannot be loaded. */
  #noteFailure(url, error) {
    const wait = error.lasting ? Infinity : Math.min(15000, 1000 * 2 ** this.#failures++);
    this.#failed.set(url, performance.now() + wait);
    if (!error.lasting) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.dispatchEvent(new Event("arrived")), wait + 10);
    }
    if (this.ready) return;
    const again = "The picture cannot be loaded: no connection to the studio. Trying again.";
    const gone = "The picture cannot be loaded: its address has changed. Reload the page.";
    const text = error.gone ? gone : error.lasting ? error.message : again;
    const detail = { text, lasting: Boolean(error.lasting), gone: Boolean(error.gone) };
    this.dispatchEvent(new CustomEvent("failed", { detail }));
  }
}
