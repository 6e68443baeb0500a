// Drawing of objects on a canvas. Every line has a dark and a bright part, so that it shows on every ground.

import { geometryOf } from "./objects.js";

/**
 * How an object is drawn. Lengths are CSS px.
 *
 * @typedef {object} Look
 * @property {string} [colour] CSS colour; else that of the object
 * @property {"solid" | "dashed" | "hatched"} [style] else that of the object
 * @property {number} [opacity] of the filling, 0..1; default 0 (no filling)
 * @property {boolean} [outline] draw the outline; default true
 * @property {boolean} [box] draw the box of an object that also has an outline or keypoints; default false
 * @property {boolean} [keypoints] draw points that have limbs, and limbs; default true
 * @property {boolean} [points] draw single points; default true
 * @property {boolean} [grid] draw the grid; default true
 * @property {number} [width] of lines; default 2
 * @property {boolean} [emphasis] draw a bright and a dark band around the outline; default false
 * @property {boolean} [halo] draw the second, dark or bright part of the lines; default true
 */

const FALLBACK = "#ffb000";
const DASH = [7, 5]; // CSS px
const MOST_DASHES = 3000; // in one outline; a longer one is cut to what is visible

/**
 * Draw an object. The context's unit is the CSS px of the view, as in a painter.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {import("./camera.js").Camera} camera
 * @param {import("./objects.js").PictureObject} object
 * @param {Look} [look]
 */
export function drawObject(context, camera, object, look = {}) {
  context.save();
  const [x, y] = camera.origin;
  context.translate(x, y);
  context.scale(camera.scale, camera.scale);
  drawInPicture(context, camera, object, look);
  context.restore();
}

/** Draw an object, as `drawObject`, on a context whose unit is the picture px. It leaves line settings behind. */
export function drawInPicture(context, camera, object, look = {}) {
  const geometry = geometryOf(object);
  const colour = look.colour ?? object.colour ?? FALLBACK;
  const style = look.style ?? object.style ?? "solid";
  const px = 1 / camera.scale; // one CSS px in picture px
  const width = look.width ?? 2;
  if (geometry.isClosed && look.opacity > 0) fill(context, geometry, colour, style, look.opacity, camera);
  if (look.grid !== false && object.grid) strokeGrid(context, object.grid, colour, width * 0.5 * px, look.halo, px);
  if (look.outline !== false && (geometry.hasOutline || geometry.isBox)) {
    context.lineJoin = width > 2.5 ? "round" : "miter"; // round joins take longer
    context.miterLimit = 3;
    if (look.emphasis) strokeBands(context, geometry.pathAt(camera.scale), width, px);
    if (look.halo !== false) {
      context.strokeStyle = haloOf(colour);
      context.lineWidth = (width + 2) * px;
      context.stroke(geometry.pathAt(camera.scale));
    }
    context.strokeStyle = colour;
    context.lineWidth = width * px;
    if (style === "dashed") strokeDashed(context, geometry, camera);
    else context.stroke(geometry.pathAt(camera.scale));
  }
  if (look.box && object.box && !geometry.isBox) strokeBox(context, object.box, colour, style, look.halo, px);
  if (object.points?.length) drawPoints(context, object, colour, look, width, px);
}

/** Return black or white in half opacity: the one that differs more from a CSS colour. */
export function haloOf(colour) {
  return luminance(colour) > 0.22 ? "rgba(0,0,0,0.6)" : "rgba(255,255,255,0.75)";
}

/** Return the text colour, black or white, that can be read on a ground of a CSS colour. */
export function inkOn(colour) {
  return luminance(colour) > 0.18 ? "#000" : "#fff";
}

const luminances = new Map();

/** Relative luminance 0..1 of a CSS colour (WCAG). */
function luminance(colour) {
  if (!luminances.has(colour)) {
    if (luminances.size > 1000) luminances.clear();
    const [r, g, b] = rgb(colour).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    luminances.set(colour, 0.2126 * r + 0.7152 * g + 0.0722 * b);
  }
  return luminances.get(colour);
}

let probe;

/** Red, green and blue, 0..255, of a CSS colour. */
function rgb(colour) {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i.exec(colour);
  if (hex) return hex.slice(1, 4).map((part) => parseInt(part, 16));
  if (!probe) {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    probe = canvas.getContext("2d", { willReadFrequently: true });
  }
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = FALLBACK;
  probe.fillStyle = colour;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data.slice(0, 3)];
}

function fill(context, geometry, colour, style, opacity, camera) {
  context.globalAlpha = opacity;
  if (style === "hatched") {
    context.fillStyle = hatch(context, colour, camera);
    context.globalAlpha = Math.min(1, opacity * 1.8);
  } else {
    context.fillStyle = colour;
  }
  context.fill(geometry.pathAt(camera.scale), "evenodd");
  context.globalAlpha = 1;
}

const hatchTiles = new Map(); // colour and ratio -> canvas with one tile

/** A pattern of diagonal lines, 8 CSS px apart at every scale. */
function hatch(context, colour, camera) {
  const side = Math.max(4, Math.round(8 * camera.ratio)), name = `${colour} ${side}`;
  let tile = hatchTiles.get(name);
  if (!tile) {
    if (hatchTiles.size > 200) hatchTiles.clear();
    tile = document.createElement("canvas");
    tile.width = tile.height = side;
    const ink = tile.getContext("2d");
    ink.strokeStyle = colour;
    ink.lineWidth = side / 4;
    ink.beginPath();
    for (const shift of [-side, 0, side]) {
      ink.moveTo(shift - side, side * 2);
      ink.lineTo(shift + side * 2, -side);
    }
    ink.stroke();
    hatchTiles.set(name, tile);
  }
  const pattern = context.createPattern(tile, "repeat");
  const unit = 8 / side / camera.scale; // picture px per pixel of the tile
  pattern.setTransform(new DOMMatrix([unit, 0, 0, unit, 0, 0]));
  return pattern;
}

/** Stroke a bright and a dark band that are wider than the line. */
function strokeBands(context, path, width, px) {
  for (const [colour, more] of [["#fff", 6], ["#000", 3]]) {
    context.strokeStyle = colour;
    context.lineWidth = (width + more) * px;
    context.stroke(path);
  }
}

/** Stroke the outline in dashes. Of a very long one, only what is near the visible part. */
function strokeDashed(context, geometry, camera) {
  const px = 1 / camera.scale;
  context.setLineDash(DASH.map((length) => length * px));
  const [x0, y0, x1, y1] = geometry.bounds;
  const about = (2 * (x1 - x0 + y1 - y0)) / px / (DASH[0] + DASH[1]);
  if (about < MOST_DASHES && geometry.rings.every(({ points }) => points.length < 2000)) {
    context.stroke(geometry.pathAt(camera.scale));
  } else {
    strokeVisible(context, geometry, camera);
  }
  context.setLineDash([]);
}

/** Stroke those segments of the rings that can be seen; dashes start where they would in the whole line. */
function strokeVisible(context, geometry, camera) {
  const [left, top, w, h] = camera.visibleBox;
  for (const { points, closed } of geometry.rings) {
    let length = 0, drawing = false;
    const finish = () => {
      if (drawing) context.stroke();
      drawing = false;
    };
    for (let i = closed ? 0 : 1; i < points.length; i++) {
      const [ax, ay] = points.at(i - 1), [bx, by] = points[i];
      const seen = Math.max(ax, bx) >= left && Math.min(ax, bx) <= left + w
        && Math.max(ay, by) >= top && Math.min(ay, by) <= top + h;
      if (seen && !drawing) {
        drawing = true;
        context.lineDashOffset = length;
        context.beginPath();
        context.moveTo(ax, ay);
      }
      if (seen) context.lineTo(bx, by);
      else finish();
      length += Math.hypot(bx - ax, by - ay);
    }
    finish();
  }
  context.lineDashOffset = 0;
}

function strokeBox(context, [x, y, w, h], colour, style, halo, px) {
  context.lineJoin = "miter";
  if (halo !== false) {
    context.strokeStyle = haloOf(colour);
    context.lineWidth = 3 * px;
    context.strokeRect(x, y, w, h);
  }
  context.strokeStyle = colour;
  context.lineWidth = 1.5 * px;
  if (style === "dashed") context.setLineDash(DASH.map((length) => length * px));
  context.strokeRect(x, y, w, h);
  context.setLineDash([]);
}

function strokeGrid(context, [x, y, w, h, columns, rows], colour, width, halo, px) {
  context.beginPath();
  for (let i = 0; i <= columns; i++) {
    context.moveTo(x + (w * i) / columns, y);
    context.lineTo(x + (w * i) / columns, y + h);
  }
  for (let i = 0; i <= rows; i++) {
    context.moveTo(x, y + (h * i) / rows);
    context.lineTo(x + w, y + (h * i) / rows);
  }
  if (halo !== false) {
    context.strokeStyle = haloOf(colour);
    context.lineWidth = width + 2 * px;
    context.stroke();
  }
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke();
}

/** Draw limbs and keypoints: a visible one is a disc, a hidden one a ring. */
function drawPoints(context, { points, limbs = [] }, colour, look, width, px) {
  const single = points.length === 1 && limbs.length === 0;
  if (single ? look.points === false : look.keypoints === false) return;
  const halo = haloOf(colour);
  context.lineCap = "round";
  context.beginPath();
  for (const [i, j] of limbs) {
    if (!points[i]?.[2] || !points[j]?.[2]) continue;
    context.moveTo(points[i][0], points[i][1]);
    context.lineTo(points[j][0], points[j][1]);
  }
  if (look.halo !== false) {
    context.strokeStyle = halo;
    context.lineWidth = (width + 2) * px;
    context.stroke();
  }
  context.strokeStyle = colour;
  context.lineWidth = width * px;
  context.stroke();
  context.lineCap = "butt";
  const radius = (width + 2) * px;
  for (const [x, y, visibility = 2] of points) {
    if (visibility === 0) continue;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fillStyle = visibility === 1 ? halo : colour;
    context.fill();
    context.lineWidth = 3.5 * px;
    context.strokeStyle = halo;
    if (look.halo !== false) context.stroke();
    context.lineWidth = 1.5 * px;
    context.strokeStyle = visibility === 1 ? colour : inkOn(colour) === "#000" ? "#fff" : colour;
    context.stroke();
  }
}
