// Edits of a list of regions {put, remove, order}, as annotations/editing/regions_edit.py has them, and their digests.

const FIELDS = ["id", "shape", "class_name", "attributes", "iscrowd", "source", "score", "keypoints"];
const normal = new WeakSet(); // regions that `normalised` returned
const digests = new WeakMap(); // region -> digest

/** A frozen region with only the fields that the server knows; those with their default values are left out. */
export function normalised(region) {
  if (normal.has(region)) return region;
  const result = {};
  for (const field of FIELDS) {
    if (region[field] !== undefined && !isDefault(field, region[field])) result[field] = region[field];
  }
  if (typeof result.id !== "string" || !result.id) throw new TypeError("a region without an id");
  if (typeof result.shape?.kind !== "string") throw new TypeError("a region without a shape");
  requireFinite(result.shape);
  if (result.keypoints) requireFinite(result.keypoints);
  Object.freeze(result.shape);
  if (result.attributes) Object.freeze(result.attributes);
  normal.add(Object.freeze(result));
  return result;
}

function isDefault(field, value) {
  if (value === null) return true;
  if (field === "iscrowd") return value === false;
  if (field === "source") return value === "human";
  return field === "attributes" && Object.keys(value).length === 0;
}

function requireFinite(value) {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError("a region with a coordinate that is not a finite number");
  } else if (Array.isArray(value)) {
    value.forEach(requireFinite);
  } else if (value && typeof value === "object") {
    Object.values(value).forEach(requireFinite);
  }
}

/**
 * The regions after an edit. Changed ones keep their place, new ones come last. `order` is a list of all ids, or the
 * new places of those that move, {id: place}; null if the order stays. Ids that a list lacks come after those that it
 * has; ids that do not exist are ignored.
 */
export function applied(regions, { put = [], remove = [], order = null }) {
  const changed = new Map(put.map((region) => [region.id, region]));
  const removed = new Set(remove);
  const result = new Map();
  for (const region of regions) {
    if (!removed.has(region.id)) result.set(region.id, changed.get(region.id) ?? region);
  }
  for (const [id, region] of changed) result.set(id, region);
  if (!order) return [...result.values()];
  const ids = [...result.keys()];
  return (Array.isArray(order) ? listedFirst(ids, order) : moved(ids, order)).map((id) => result.get(id));
}

function listedFirst(ids, order) {
  const existing = new Set(ids);
  const listed = new Set(order.filter((id) => existing.has(id)));
  return [...listed, ...ids.filter((id) => !listed.has(id))];
}

function moved(ids, order) {
  const places = new Map(Object.entries(order));
  const others = ids.filter((id) => !places.has(id));
  const moving = ids.filter((id) => places.has(id)).sort((one, other) => places.get(one) - places.get(other));
  const found = [];
  for (const id of moving) {
    while (found.length < places.get(id) && others.length) found.push(others.shift());
    found.push(id);
  }
  return [...found, ...others];
}

/** The fewest ids that have to move so that `before` becomes `after`, with their places {id: place}. */
function movesBetween(before, after) {
  const from = new Map(before.map((id, place) => [id, place]));
  // The others are a longest part of `after` that stands in `before` in the same order. `ends[n]` is the place in
  // `after` of the last id of such a part with n + 1 ids, the one that is farthest back in `before`.
  const ends = [], previous = [];
  after.forEach((id, place) => {
    let low = 0, high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (from.get(after[ends[middle]]) < from.get(id)) low = middle + 1;
      else high = middle;
    }
    previous[place] = low ? ends[low - 1] : -1;
    ends[low] = place;
  });
  const staying = new Set();
  for (let place = ends.at(-1) ?? -1; place >= 0; place = previous[place]) staying.add(place);
  return Object.fromEntries(after.flatMap((id, place) => (staying.has(place) ? [] : [[id, place]])));
}

/** The smallest edit that turns `before` into `after`; `order` is null unless it changes. */
export function editBetween(before, after) {
  const was = new Map(before.map((region) => [region.id, region]));
  const now = new Set(after.map((region) => region.id));
  const put = after.filter((region) => !isSame(was.get(region.id), region));
  const remove = before.filter((region) => !now.has(region.id)).map((region) => region.id);
  const result = applied(before, { put, remove });
  const isOrdered = result.every((region, place) => region.id === after[place].id);
  const ids = (regions) => regions.map((region) => region.id);
  return { put, remove, order: isOrdered ? null : movesBetween(ids(result), ids(after)) };
}

/** Whether an edit changes nothing. */
export function isEmpty(edit) {
  return !edit.put?.length && !edit.remove?.length && !edit.order;
}

function isSame(one, other) {
  return one === other || (one !== undefined && other !== undefined && digest(one) === digest(other));
}

/** A short text that is the same for equal lists of regions, and another one for different lists. */
export function stateDigest(regions) {
  return hashed(regions.map(digest).join(" "));
}

function digest(region) {
  let found = digests.get(region);
  if (found === undefined) {
    found = hashed(canonical(region));
    digests.set(region, found);
  }
  return found;
}

function canonical(value) {
  if (Array.isArray(value)) {
    const first = value[0]; // outlines are nested lists of numbers, which need no sorting
    if (first === undefined || typeof first === "number") return JSON.stringify(value);
    return `[${value.map(canonical).join()}]`;
  }
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const parts = [];
  for (const key of Object.keys(value).sort()) {
    if (value[key] !== undefined) parts.push(`${JSON.stringify(key)}:${canonical(value[key])}`);
  }
  return `{${parts.join()}}`;
}

/** A 106-bit hash as text; crypto.subtle would need https on other machines. */
function hashed(text) {
  return hash53(text, 0) + hash53(text, 0x9e3779b9);
}

function hash53(text, seed) {
  let a = 0xdeadbeef ^ seed, b = 0x41c6ce57 ^ seed;
  for (let place = 0; place < text.length; place++) {
    const code = text.charCodeAt(place);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (2097151 & b) + (a >>> 0)).toString(36);
}
