// Masks in COCO's run lengths, and their boundaries along pixel edges. The mask itself is never unpacked.

/**
 * Decode the counts of a COCO run-length encoding: lengths of runs of 0 and 1 in turn, column by column.
 *
 * @param {string | number[]} counts the compressed text of pycocotools, or the numbers themselves
 * @returns {number[]} lengths of the runs, the first of zeros
 */
export function runLengths(counts) {
  if (typeof counts !== "string") return [...counts];
  const lengths = [];
  let place = 0;
  while (place < counts.length) {
    let value = 0, shift = 0, code = 0;
    do {
      code = counts.charCodeAt(place++) - 48;
      value += (code & 0x1f) * 2 ** shift;
      shift += 5;
    } while (code & 0x20 && place < counts.length);
    if (code & 0x10) value -= 2 ** shift;
    if (lengths.length > 2) value += lengths[lengths.length - 2];
    lengths.push(value);
  }
  return lengths;
}

/** Return the intervals [top, bottom) of ones per column: Map of column -> [top, bottom, top, ...]. */
function columnsOf(lengths, height) {
  const columns = new Map();
  let start = 0;
  lengths.forEach((length, place) => {
    const end = start + length;
    for (let at = start; place % 2 === 1 && at < end; ) {
      const x = Math.floor(at / height), top = at - x * height, bottom = Math.min(height, top + end - at);
      const column = columns.get(x) ?? [];
      if (column.length === 0) columns.set(x, column);
      if (column.at(-1) === top) column[column.length - 1] = bottom;
      else column.push(top, bottom);
      at += bottom - top;
    }
    start = end;
  });
  return columns;
}

/**
 * Return the boundary of a mask as closed rings along pixel edges, with no vertex on a straight line.
 *
 * Outer rings run clockwise on the screen, holes the other way. Parts that touch in a corner only are apart.
 *
 * @param {{size: [number, number], counts: string | number[]}} rle size is [height, width]
 * @returns {number[][][]} rings of [x, y] in picture px; the first vertex is not repeated
 */
export function rleRings(rle) {
  const height = rle.size[0];
  if (!(height > 0)) return [];
  const columns = columnsOf(runLengths(rle.counts), height);
  const stride = height + 1;
  const next = new Map(); // start of an edge -> its end, or two ends; a point (x, y) is the number x * stride + y
  const add = (x0, y0, x1, y1) => {
    const start = x0 * stride + y0, end = x1 * stride + y1, known = next.get(start);
    next.set(start, known === undefined ? end : [known, end]);
  };
  const none = [];
  for (const [x, intervals] of columns) {
    const before = columns.get(x - 1) ?? none;
    for (let i = 0; i < intervals.length; i += 2) {
      add(x, intervals[i], x + 1, intervals[i]);
      add(x + 1, intervals[i + 1], x, intervals[i + 1]);
    }
    addVerticalEdges(before, intervals, x, add);
    if (!columns.has(x + 1)) addVerticalEdges(intervals, none, x + 1, add);
  }
  return chained(next, stride);
}

/** Add the edges at `x` where one of the columns left and right of it is set; the mask is to their right hand. */
function addVerticalEdges(left, right, x, add) {
  const ends = [...left, ...right].sort((a, b) => a - b);
  let l = 0, r = 0;
  for (let i = 0; i + 1 < ends.length; i++) {
    const top = ends[i], bottom = ends[i + 1];
    if (top === bottom) continue;
    while (l < left.length && left[l] <= top) l++;
    while (r < right.length && right[r] <= top) r++;
    const inLeft = l % 2 === 1, inRight = r % 2 === 1;
    if (inLeft && !inRight) add(x, top, x, bottom);
    else if (inRight && !inLeft) add(x, bottom, x, top);
  }
}

/** Chain edges to rings. Where two rings meet in a corner, the way turns to the right: the parts stay apart. */
function chained(next, stride) {
  const rings = [];
  const point = (at) => [Math.floor(at / stride), at % stride];
  for (const first of [...next.keys()]) {
    while (next.has(first)) {
      const ring = [];
      let at = first, from = null, firstEnd = null;
      for (;;) {
        const ends = next.get(at);
        let end = ends;
        if (Array.isArray(ends)) {
          end = from === null ? ends[0] : rightTurn(point(from), point(at), ends, point);
          next.set(at, end === ends[0] ? ends[1] : ends[0]);
        } else {
          next.delete(at);
        }
        ring.push(point(at));
        firstEnd ??= end;
        from = at;
        at = end;
        const left = next.get(at);
        if (left === undefined) break;
        if (at === first && rightTurn(point(from), point(at), [firstEnd, left], point) === firstEnd) break;
      }
      rings.push(withoutStraightVertices(ring));
    }
  }
  return rings;
}

/** Of two ends of edges that start at `at`, return the one to the right hand of somebody who comes from `from`. */
function rightTurn([x0, y0], [x, y], ends, point) {
  const turn = (end) => {
    const [x1, y1] = point(end);
    return (x - x0) * (y1 - y) - (y - y0) * (x1 - x);
  };
  return turn(ends[0]) > turn(ends[1]) ? ends[0] : ends[1];
}

/** Leave out the vertices at which a ring of axis-parallel edges does not turn. */
function withoutStraightVertices(ring) {
  return ring.filter(([x, y], i) => {
    const [x0, y0] = ring.at(i - 1), [x1, y1] = ring[(i + 1) % ring.length];
    return !((x0 === x && x === x1) || (y0 === y && y === y1));
  });
}
