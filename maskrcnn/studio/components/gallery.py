"""A grid of thumbnails: a click on one opens it, a tick chooses it. One component, so that 50 tiles are one element."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

_CSS = """
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(148px, 1fr)); gap: 14px 12px; padding: 3px; }
.all { display: inline-flex; gap: 8px; align-items: center; padding: 2px 3px 10px; cursor: pointer; }
.all[hidden] { display: none; }
.all, .tile { font-family: var(--st-font); color: var(--st-text-color); font-size: 14px; }
.tile { position: relative; min-width: 0; margin: 0; }
.open { display: block; width: 100%; aspect-ratio: 4 / 3; padding: 0; border: 1px solid var(--st-border-color);
        border-radius: var(--st-base-radius); overflow: hidden; cursor: pointer;
        background: var(--st-secondary-background-color); }
.open img { width: 100%; height: 100%; object-fit: cover; display: block; }
.open .none { font-size: 14px; color: var(--st-text-color); }
.open:hover, .open:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.tick { position: absolute; top: 6px; left: 6px; width: 24px; height: 24px; display: grid; place-items: center;
        background: var(--st-background-color); border-radius: 6px; box-shadow: 0 0 0 1px var(--st-border-color);
        cursor: pointer; }
input { width: 16px; height: 16px; margin: 0; accent-color: var(--st-primary-color); cursor: pointer; }
.ticked .open { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
.badge { position: absolute; top: 6px; right: 6px; padding: 1px 7px; border-radius: 6px; font-size: 13px;
         color: var(--st-text-color); background: var(--st-background-color);
         box-shadow: 0 0 0 1px var(--st-border-color); pointer-events: none; }
.name { margin-top: 5px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.says { font-size: 13px; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
"""

_JS = """
export default function ({ parentElement, data, setStateValue, setTriggerValue }) {
  const grid = parentElement.querySelector(".grid"), every = parentElement.querySelector(".all");
  const whole = every.querySelector("input");
  const ids = data.tiles.map((tile) => tile.id);
  // This runs again whenever the data changes, and every tick changes it: what is drawn already is left alone.
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
  const tell = () => { paint(); setStateValue("ticked", ids.filter((id) => ticked.has(id))); };
  const make = (kind, className, text) => {
    const element = document.createElement(kind);
    element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  every.hidden = ids.length === 0;
  every.querySelector("span").textContent = data.all;
  whole.onchange = () => { ids.forEach((id) => (whole.checked ? ticked.add(id) : ticked.delete(id))); tell(); };
  grid.replaceChildren(...data.tiles.map((tile, place) => {
    const figure = make("figure", "tile"), open = make("button", "open");
    open.type = "button";
    open.title = tile.title;
    if (tile.picture) {
      const image = make("img", "");
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
      tell();
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
"""

_grid = st.components.v2.component(
    "studio_gallery",
    html='<label class="all"><input type="checkbox"><span></span></label><div class="grid"></div>',
    css=_CSS,
    js=_JS,
)


@dataclass(frozen=True)
class Tile:
    """One picture of the grid: JPEG bytes (None: it cannot be shown), its name, a line below it, what hovering it says,
    and a word in its corner."""

    id: int
    picture: bytes | None
    name: str
    says: str
    title: str
    badge: str = ""


def ticked(key: str) -> list[int]:
    """The ids that are ticked in the gallery of this key, in its order; also before it is drawn in this run."""
    return list((st.session_state.get(key) or {}).get("ticked") or [])


def show(tiles: Sequence[Tile], key: str, all_words: str) -> int | None:
    """Draw the grid; returns the id of the picture that was just clicked. `all_words` is beside the box for all."""
    data: dict[str, Any] = {
        "tiles": [
            {
                "id": tile.id,
                "picture": tile.picture and "data:image/jpeg;base64," + base64.b64encode(tile.picture).decode(),
                "name": tile.name,
                "says": tile.says,
                "title": tile.title,
                "badge": tile.badge,
            }
            for tile in tiles
        ],
        "ticked": ticked(key),
        "all": all_words,
    }
    answer = _grid(
        key=key, data=data, default={"ticked": []}, on_ticked_change=lambda: None, on_opened_change=lambda: None
    )
    return answer.get("opened")
