// The part of a picture that a view shows: scale and centre. Views with one group name share scale and centre.

const LARGEST_SCALE = 64; // CSS px per picture px
const groups = new Map(); // name of a group -> Set of its cameras

/**
 * Maps picture pixels to CSS pixels of a view and back. Dispatches "change" when scale, place or sizes have changed.
 *
 * `scale` is in CSS px per picture px, `cx`, `cy` is the picture point in the middle of the view, `fitted` says
 * whether the whole picture is kept in view when the view changes its size.
 */
export class Camera extends EventTarget {
  #group;

  /** @param {string | null} group name of the group that shares this camera's scale and centre */
  constructor(group = null) {
    super();
    this.width = 0; // of the view, CSS px
    this.height = 0;
    this.ratio = 1; // device px per CSS px
    this.margin = 0; // CSS px that `fit` leaves free on each side
    this.pictureWidth = 1;
    this.pictureHeight = 1;
    this.scale = 1;
    this.cx = 0.5;
    this.cy = 0.5;
    this.fitted = true;
    this.#group = group;
    if (group !== null) {
      if (!groups.has(group)) groups.set(group, new Set());
      groups.get(group).add(this);
    }
  }

  /** CSS px in the view of the picture's left top corner: [x, y]. */
  get origin() {
    return [this.width / 2 - this.cx * this.scale, this.height / 2 - this.cy * this.scale];
  }

  /** Convert a picture point to CSS px of the view. */
  toScreen([x, y]) {
    return [this.width / 2 + (x - this.cx) * this.scale, this.height / 2 + (y - this.cy) * this.scale];
  }

  /** Convert CSS px of the view to a picture point (fractional picture px). */
  toPicture([sx, sy]) {
    return [this.cx + (sx - this.width / 2) / this.scale, this.cy + (sy - this.height / 2) / this.scale];
  }

  /** The visible part of the picture plane in picture px: [x, y, w, h]. It can exceed the picture. */
  get visibleBox() {
    const [x, y] = this.toPicture([0, 0]);
    return [x, y, this.width / this.scale, this.height / this.scale];
  }

  /** Scale at which the whole picture fits every view of the group. */
  get fitScale() {
    let scale = LARGEST_SCALE;
    for (const camera of this.#linked()) {
      if (camera.width < 1 || camera.height < 1) continue;
      const width = Math.max(1, camera.width - 2 * camera.margin);
      const height = Math.max(1, camera.height - 2 * camera.margin);
      scale = Math.min(scale, width / this.pictureWidth, height / this.pictureHeight);
    }
    return scale;
  }

  /** Smallest and largest scale that can be reached. */
  get scaleLimits() {
    return [Math.min(this.fitScale, 1 / this.ratio) / 2, LARGEST_SCALE];
  }

  /** Set the size of the view in CSS px and the device px per CSS px. A fitted picture stays fitted. */
  resize(width, height, ratio) {
    if (width === this.width && height === this.height && ratio === this.ratio) return;
    const first = this.width === 0 || this.height === 0;
    Object.assign(this, { width, height, ratio });
    if (first && this.#adopt()) return;
    if (this.fitted) this.fit();
    else this.#set(this.scale, this.cx, this.cy, false);
  }

  /** Set the picture's size. The camera takes over what others of its group show of it, or fits the picture. */
  setPictureSize(width, height) {
    this.pictureWidth = width;
    this.pictureHeight = height;
    if (!this.#adopt()) this.fit();
  }

  /** Show the whole picture. */
  fit() {
    this.#set(this.fitScale, this.pictureWidth / 2, this.pictureHeight / 2, true);
  }

  /** Show one picture pixel as one device pixel, about the middle of the view. */
  oneToOne() {
    this.#set(1 / this.ratio, this.cx, this.cy, false);
  }

  /** Multiply the scale; the picture point at (sx, sy), CSS px of the view, stays where it is. */
  zoomAt(sx, sy, factor) {
    const [lowest, highest] = this.scaleLimits;
    const scale = Math.min(highest, Math.max(lowest, this.scale * factor));
    const [x, y] = this.toPicture([sx, sy]);
    this.#set(scale, x - (sx - this.width / 2) / scale, y - (sy - this.height / 2) / scale, false);
  }

  /** Move the picture by CSS px. */
  panBy(dx, dy) {
    this.#set(this.scale, this.cx - dx / this.scale, this.cy - dy / this.scale, false);
  }

  /** Show a box [x, y, w, h] of picture px and some ground around it, magnified to at most `most` CSS px per px. */
  showBox([x, y, w, h], most = 8) {
    const space = 1.25;
    const [lowest] = this.scaleLimits;
    const scale = Math.min(this.width / Math.max(w * space, 1e-6), this.height / Math.max(h * space, 1e-6));
    this.#set(Math.max(lowest, Math.min(scale, Math.max(most, this.fitScale))), x + w / 2, y + h / 2, false);
  }

  /** Return {scale, cx, cy, fitted}, for `restore`. */
  state() {
    return { scale: this.scale, cx: this.cx, cy: this.cy, fitted: this.fitted };
  }

  /** Show what `state()` described, in a view of any size. */
  restore(state) {
    if (state.fitted) this.fit();
    else this.#set(state.scale, state.cx, state.cy, false);
  }

  /** Leave the group. */
  destroy() {
    const group = groups.get(this.#group);
    group?.delete(this);
    if (group?.size === 0) groups.delete(this.#group);
  }

  /** All cameras of the group that show a picture of this size, this one included. */
  #linked() {
    const others = [...(groups.get(this.#group) ?? [])];
    const same = (camera) =>
      camera.pictureWidth === this.pictureWidth && camera.pictureHeight === this.pictureHeight;
    return [this, ...others.filter((camera) => camera !== this && same(camera))];
  }

  /** Take over the state of another camera of the group; return whether there is one. */
  #adopt() {
    const other = this.#linked().find((camera) => camera !== this && camera.width > 0);
    if (!other) return false;
    if (other.fitted) this.fit();
    else this.#take(other.scale, other.cx, other.cy, false);
    return true;
  }

  /** Set scale and centre of all cameras of the group, within limits. */
  #set(scale, cx, cy, fitted) {
    this.#take(scale, cx, cy, fitted);
    for (const camera of this.#linked()) if (camera !== this) camera.#take(this.scale, this.cx, this.cy, fitted);
  }

  /** Set this camera's scale and centre. A part of the picture stays in view. */
  #take(scale, cx, cy, fitted) {
    if (!Number.isFinite(scale) || scale <= 0 || !Number.isFinite(cx) || !Number.isFinite(cy)) return;
    this.scale = scale;
    this.cx = this.#withinReach(cx, this.width, this.pictureWidth);
    this.cy = this.#withinReach(cy, this.height, this.pictureHeight);
    this.fitted = fitted;
    this.#alignToDevicePixels();
    this.dispatchEvent(new Event("change"));
  }

  /** Limit the centre, so that at least 64 CSS px of the picture (all of a smaller one) stay in view. */
  #withinReach(centre, viewLength, pictureLength) {
    const kept = Math.min(64, viewLength / 2, pictureLength * this.scale) / this.scale;
    const half = viewLength / 2 / this.scale;
    return Math.min(pictureLength + half - kept, Math.max(kept - half, centre));
  }

  /** Where picture pixels are whole numbers of device pixels, let the picture start at one: it is sharp then. */
  #alignToDevicePixels() {
    const size = this.scale * this.ratio;
    if (size < 0.999 || Math.abs(size - Math.round(size)) > 1e-6) return;
    const [x, y] = this.origin.map((place) => Math.round(place * this.ratio) / this.ratio);
    this.cx = (this.width / 2 - x) / this.scale;
    this.cy = (this.height / 2 - y) / this.scale;
  }
}
