/* Masks as shapes, `{kind: "rle", size: [height, width], counts}`: COCO's compressed run lengths, columns first. */

import { runLengths } from "../../components/picture/rle.js";

const intervalsOf = new WeakMap(); // mask -> its intervals: a hit test must not decode again

/** The set pixels of a mask as half-open intervals [start, end) of column * height + row. */
export function maskIntervals(shape) {
  if (!intervalsOf.has(shape)) intervalsOf.set(shape, decoded(shape.counts));
  return intervalsOf.get(shape);
}

function decoded(counts) {
  const runs = runLengths(counts), intervals = [];
  for (let i = 0, start = 0; i < runs.length; start += runs[i++]) {
    if (i % 2 && runs[i]) intervals.push([start, start + runs[i]]);
  }
  return intervals;
}

function encoded(intervals, total) {
  const runs = [];
  let end = 0;
  for (const [from, to] of intervals) {
    runs.push(from - end, to - from);
    end = to;
  }
  if (end < total || !runs.length) runs.push(total - end);
  let text = "";
  runs.forEach((run, i) => {
    let value = i > 2 ? run - runs[i - 2] : run, more = true;
    while (more) {
      let code = ((value % 32) + 32) % 32;
      value = Math.floor(value / 32);
      more = code & 16 ? value !== -1 : value !== 0;
      if (more) code |= 32;
      text += String.fromCharCode(code + 48);
    }
  });
  return text;
}

/** The box around the set pixels of a mask; null if there is none. */
export function maskBounds(shape) {
  const height = shape.size[0];
  let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
  for (const [start, end] of maskIntervals(shape)) {
    const first = Math.floor(start / height), last = Math.floor((end - 1) / height);
    left = Math.min(left, first);
    right = Math.max(right, last + 1);
    top = Math.min(top, first === last ? start % height : 0);
    bottom = Math.max(bottom, first === last ? ((end - 1) % height) + 1 : height);
  }
  return left < right ? [left, top, right - left, bottom - top] : null;
}

/** The mask moved by whole pixels. What leaves the picture is cut off. */
export function movedMask(shape, dx, dy) {
  if (!dx && !dy) return shape;
  const [height, width] = shape.size, intervals = [];
  for (const [start, end] of maskIntervals(shape)) {
    for (let from = start; from < end;) {
      const column = Math.floor(from / height), to = Math.min(end, (column + 1) * height);
      const top = Math.max(0, from - column * height + dy), bottom = Math.min(height, to - column * height + dy);
      const place = (column + dx) * height;
      if (column + dx >= 0 && column + dx < width && top < bottom) {
        const last = intervals[intervals.length - 1];
        if (last && last[1] === place + top) last[1] = place + bottom;
        else intervals.push([place + top, place + bottom]);
      }
      from = to;
    }
  }
  return { ...shape, counts: encoded(intervals, height * width) };
}
