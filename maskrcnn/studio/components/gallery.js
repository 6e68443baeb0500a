// The grid of thumbnails of gallery.py: draws the tiles in `data`, and sends clicks (`opened`) and ticks (`ticked`).

export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const grid = parentElement.querySelector(".grid"), every = parentElement.querySelector(".all");
  const whole = every.querySelector("input");
  const ids = data.tiles.map((tile) => tile.id);
  // Streamlit calls this function whenever the data changes, which is after every tick. Unchanged tiles are not
  // redrawn.
  const kept = (grid.kept ??= { ticked: new Set(data.ticked ?? []), last: null, drawn: "" });
  const drawn = JSON.stringify([data.all, data.tiles]);
  if (kept.drawn === drawn) return;
  kept.drawn = drawn;
  kept.last = null;
  const ticked = kept.ticked;
  for (const id of [...ticked]) if (!ids.includes(id)) ticked.delete(id);
  const boxes = new Map();
  const paint = () => {
    for (const [id, box] of boxes) {
      box.checked = ticked.has(id);
      box.closest(".tile").classList.toggle("ticked", box.checked);
    }
    whole.checked = ids.length > 0 && ticked.size === ids.length;
    whole.indeterminate = ticked.size > 0 && !whole.checked;
  };
  const sendTicked = () => { paint(); setStateValue("ticked", ids.filter((id) => ticked.has(id))); };
  const make = (kind, className, text) => {
    const element = document.createElement(kind);
    element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  every.hidden = ids.length === 0;
  grid.classList.toggle("large", Boolean(data.isLarge));
  every.querySelector("span").textContent = data.all;
  whole.onchange = () => { ids.forEach((id) => (whole.checked ? ticked.add(id) : ticked.delete(id))); sendTicked(); };
  grid.replaceChildren(...data.tiles.map((tile, place) => {
    const figure = make("figure", "tile"), open = make("button", "open");
    open.type = "button";
    open.title = tile.title;
    if (tile.picture) {
      const image = make("img", "");
      image.loading = "lazy";
      image.src = tile.picture;
      image.alt = tile.name;
      open.append(image);
    } else {
      open.append(make("span", "none", "cannot be shown"));
    }
    open.onclick = () => setTriggerValue("opened", tile.id);
    const tick = make("label", "tick"), box = make("input", "");
    box.type = "checkbox";
    box.setAttribute("aria-label", `choose ${tile.name}`);
    tick.title = "Choose; with Shift, all from the last one on";
    box.onclick = (event) => {
      const other = event.shiftKey && kept.last !== null ? kept.last : place;
      const between = ids.slice(Math.min(other, place), Math.max(other, place) + 1);
      between.forEach((id) => (box.checked ? ticked.add(id) : ticked.delete(id)));
      kept.last = place;
      sendTicked();
    };
    tick.append(box);
    boxes.set(tile.id, box);
    figure.append(open, tick, make("div", "name", tile.name), make("div", "says", tile.says));
    if (tile.badge) figure.append(make("div", "badge", tile.badge));
    figure.querySelector(".name").title = tile.name;
    return figure;
  }));
  paint();
}
