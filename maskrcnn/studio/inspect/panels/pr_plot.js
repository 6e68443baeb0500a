// The precision-recall curve of one picture as a drawing: its points, their envelope, and the area below it.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 320, HEIGHT = 236; // units of the drawing
const LEFT = 40, RIGHT = 312, TOP = 10, BOTTOM = 196;
const SHAPES = { tp: "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0", fp: "M-4,-4L4,4M-4,4L4,-4" };

const across = (recall) => LEFT + recall * (RIGHT - LEFT);
const down = (precision) => BOTTOM - precision * (BOTTOM - TOP);

/** Make an element of the drawing. */
function draw(kind, attributes, text = "") {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.textContent = text;
  return element;
}

/** The frame: axes with numbers and titles. */
function axes() {
  const parts = [];
  for (const value of [0, 0.5, 1]) {
    parts.push(
      draw("path", { class: "grid", d: `M${LEFT},${down(value)}H${RIGHT}M${across(value)},${TOP}V${BOTTOM}` }),
      draw("text", { class: "tick", x: LEFT - 6, y: down(value) + 4, "text-anchor": "end" }, value.toFixed(1)),
      draw("text", { class: "tick", x: across(value), y: BOTTOM + 15, "text-anchor": "middle" }, value.toFixed(1)),
    );
  }
  const middle = (TOP + BOTTOM) / 2;
  parts.push(
    draw("text", { class: "axis", x: (LEFT + RIGHT) / 2, y: HEIGHT - 6, "text-anchor": "middle" }, "recall"),
    draw("text", {
      class: "axis", x: 11, y: middle, "text-anchor": "middle", transform: `rotate(-90 11 ${middle})`,
    }, "precision"),
  );
  return parts;
}

/** The outline of the area under the envelope: a stair that goes on at each object that was found. */
function stair({ rows, objects }) {
  let path = `M${across(0)},${down(0)}`, end = 0;
  for (const { status, envelope, hits } of rows) {
    if (status !== "tp") continue;
    path += `V${down(envelope)}H${across(hits / objects)}`;
    end = hits / objects;
  }
  return `${path}V${down(0)}H${across(end)}`;
}

/**
 * Draw a `curve` of `prCurve`. `looks` are the colours of "tp" and "fp". `onHover` is called with the index of a row
 * whose point is under the pointer, or null. Returns `root`, and `highlight(index | null)`.
 */
export function prPlot(curve, looks, onHover) {
  const { rows, objects, area } = curve;
  const says = area === null ? "no objects, so there is no curve" : `area under the envelope ${area.toFixed(3)}`;
  const root = draw("svg", {
    class: "pr-plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Precision over recall: ${says}`,
  });
  root.append(...axes());
  const points = new Map();
  if (objects) {
    const ranked = rows.map((row, place) => ({ ...row, place })).filter(({ rank }) => rank !== null);
    root.append(draw("path", { class: "area", d: stair(curve) }));
    const line = ranked.map(({ recall, precision }) => `${across(recall)},${down(precision)}`).join("L");
    if (ranked.length > 1) root.append(draw("path", { class: "curve", d: `M${line}` }));
    for (const { recall, precision, status, place } of ranked) {
      const point = draw("path", {
        class: `point ${status}`, d: SHAPES[status], transform: `translate(${across(recall)} ${down(precision)})`,
        "data-row": place,
      });
      point.style.setProperty("--colour", looks[status].colour);
      point.addEventListener("pointerenter", () => onHover(place));
      point.addEventListener("pointerleave", () => onHover(null));
      points.set(place, point);
      root.append(point);
    }
  }
  const ring = draw("circle", { class: "ring", r: 8, visibility: "hidden" });
  root.append(ring);
  return {
    root,
    highlight(place) {
      const row = place === null || !points.has(place) ? null : rows[place];
      ring.setAttribute("visibility", row ? "visible" : "hidden");
      if (!row) return;
      ring.setAttribute("cx", across(row.recall));
      ring.setAttribute("cy", down(row.precision));
    },
  };
}
