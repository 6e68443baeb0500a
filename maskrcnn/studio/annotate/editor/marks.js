/*
 * What tools draw above the picture: lines, handles and short notes, in CSS px of the view. Everything has a dark and a
 * bright part, so that it shows on every ground.
 */

const DARK = "rgba(0, 0, 0, 0.75)";
const BRIGHT = "#ffffff";

/** The size of a handle in CSS px. */
const HANDLE = 9;

/** The radius in CSS px within which a pointer reaches a handle. */
export const reach = (event) => (event?.pointerType === "touch" ? 14 : 7);

/** How far in CSS px a press must move to be a drag. */
export const dragThreshold = (event) => (event?.pointerType === "touch" ? 8 : 3);

/** Draw a line through points of the view. `look`: {closed, dash: [on, off], colour}. */
export function paintLine(context, points, { closed = false, dash = [], colour = BRIGHT } = {}) {
  if (points.length < 2) return;
  context.save();
  context.lineJoin = context.lineCap = "round";
  context.beginPath();
  points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  if (closed) context.closePath();
  const parts = [[DARK, 4, []], [BRIGHT, 2.4, dash]];
  if (colour !== BRIGHT) parts.push([colour, 1.4, dash]);
  for (const [style, width, pattern] of parts) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.setLineDash(pattern);
    context.stroke();
  }
  context.restore();
}

/** Draw a handle at a point of the view. `form`: "round", "square" or "small" (of an edge); `hot`: pointed at. */
export function paintHandle(context, [x, y], { form = "round", hot = false, colour = BRIGHT } = {}) {
  const radius = (form === "small" ? HANDLE - 2 : HANDLE) / 2 + (hot ? 2 : 0);
  context.save();
  context.beginPath();
  if (form === "square") context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
  else context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = hot ? colour : BRIGHT;
  context.globalAlpha = form === "small" && !hot ? 0.75 : 1;
  context.fill();
  context.lineWidth = 1.5;
  context.strokeStyle = DARK;
  context.stroke();
  if (hot) {
    context.beginPath();
    context.arc(x, y, radius + 2, 0, 2 * Math.PI);
    context.strokeStyle = BRIGHT;
    context.stroke();
  }
  context.restore();
}

/** Draw a dashed ring around a point of the view. */
export function paintReach(context, [x, y], radius, colour = BRIGHT) {
  context.save();
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  for (const [style, width, pattern] of [[DARK, 4, []], [BRIGHT, 2.4, [3, 3]], [colour, 1.4, [3, 3]]]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.setLineDash(pattern);
    context.stroke();
  }
  context.restore();
}

/** Write a short note beside a point of the view, on a dark ground, wholly within the view. */
export function paintNote(context, text, [x, y], view) {
  if (!text) return;
  context.save();
  context.font = `12px ${getComputedStyle(view.element).fontFamily || "sans-serif"}`;
  context.textBaseline = "middle";
  const { clientWidth, clientHeight } = view.element;
  const width = context.measureText(text).width + 12, height = 20;
  const left = Math.max(2, Math.min(x + 16, clientWidth - width - 2));
  const top = Math.max(2, Math.min(y + 18, clientHeight - height - 2));
  context.fillStyle = "rgba(0, 0, 0, 0.78)";
  context.fillRect(left, top, width, height);
  context.fillStyle = BRIGHT;
  context.fillText(text, left + 6, top + height / 2);
  context.restore();
}

/** A box [x, y, w, h] of the view as the dashed frame of a selection. */
export function paintFrame(context, [x, y, w, h]) {
  paintLine(context, [[x, y], [x + w, y], [x + w, y + h], [x, y + h]], { closed: true, dash: [4, 4] });
}
