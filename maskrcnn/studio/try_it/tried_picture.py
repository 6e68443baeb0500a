"""The picture of the Try it page: what a network found, with controls that answer without a script run.

The whole is one Streamlit component, `tried_picture.js`. The browser loads the candidates of the picture once
(`candidate_routes`) and selects, outlines and measures them by itself. The page is told the selection after a slider
was let go, and the line of known length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from maskrcnn.drawing.hex_colours import known_colour
from maskrcnn.studio.serving.browser_code import importing_script
from maskrcnn.studio.shell.hotkeys import Shortcut

if TYPE_CHECKING:
    from maskrcnn.model.candidates import Selection

UNITS: tuple[str, ...] = ("µm", "mm", "cm", "m", "km", "in", "ft")
"""Units of a known length."""

SHORTCUTS = (
    Shortcut("large", ("l",), "The picture alone, or with its controls"),
    Shortcut("only", ("o",), "Only the class of the selected object, or all classes"),
    Shortcut("length", ("m",), "Draw a line of known length, or finish"),
)
"""Keys that the picture answers in the browser, for the page's sheet of keys."""

_MOST_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 400)
_LONGEST = 1e9
"""The largest known length, in its unit."""

_component = st.components.v2.component(
    "studio_tried_picture", html="<div></div>", js=importing_script(Path(__file__).with_suffix(".js"))
)


@dataclass(frozen=True)
class KnownLength:
    """A line on a picture whose length is known: `value` in `unit` (one of `UNITS`).

    `line`: x1, y1, x2, y2 in pixels of the picture. `shared`: it holds for the other pictures of the set, too.

    >>> KnownLength((0, 0, 30, 40), 100.0, "mm").per_pixel
    2.0
    """

    line: tuple[float, float, float, float]
    value: float
    unit: str
    shared: bool = True

    @property
    def per_pixel(self) -> float:
        """Length of a pixel in `unit`."""
        x1, y1, x2, y2 = self.line
        return self.value / math.hypot(x2 - x1, y2 - y1)


@dataclass(frozen=True)
class TriedPicture:
    """What `show_picture` shows.

    `picture`: from `components.picture.viewer.shown_picture`. `candidates_url`: from
    `candidate_routes.candidates_url`. `classes`: name and colour of each class, those of the labels 1, 2, ... `own`:
    the network's own selection; `selection`: what is selected at first. `finds`: "boxes", and "masks" and "keypoints"
    if the network finds them. `limbs`: pairs of keypoints. `length`: the known length drawn on this picture; `scale`:
    length of a pixel and its unit, from another picture, which holds while this picture has no known length of its
    own. `aspect`: width / height of the usual picture of the set. With `reports_selected`, a click on an object runs
    the page. `room_below`: CSS pixels of the window that stay free below the picture.
    """

    picture: Mapping[str, Any]
    candidates_url: str
    classes: Sequence[tuple[str, str]]
    own: Selection
    selection: Selection
    name: str
    finds: tuple[str, ...] = ("boxes", "masks")
    limbs: Sequence[Sequence[int]] = ()
    length: KnownLength | None = None
    scale: tuple[float, str] | None = None
    aspect: float = 1.5
    reports_selected: bool = False
    room_below: int = 10


@dataclass(frozen=True)
class Shown:
    """What is chosen in the browser. `selected` is the position of an object among the candidates."""

    selection: Selection
    length: KnownLength | None = None
    selected: int | None = None


def show_picture(key: str, data: TriedPicture) -> Shown:
    """Draw the picture with its controls, and return what is chosen in it."""
    _component(
        key=key,
        data=component_data(data),
        default={"selection": None, "length": None, "selected": None},
        on_selection_change=lambda: None,
        on_length_change=lambda: None,
        on_selected_change=lambda: None,
    )
    return shown_in(key, data)


def shown_in(key: str, data: TriedPicture) -> Shown:
    """Return what is chosen in a picture that an earlier run of the page has drawn.

    What the browser sent is checked; anything odd counts as not sent. Lines and objects of another picture do, too.
    """
    state = st.session_state.get(key) or {}
    return Shown(
        _selection(state.get("selection"), data),
        _length(_about(state.get("length"), data, data.length), data.length),
        _selected(_about(state.get("selected"), data, None)),
    )


def component_data(data: TriedPicture) -> dict[str, Any]:
    """Return what the browser gets over the websocket: addresses of what it loads, and how to draw it."""
    from maskrcnn.model.candidates import NMS_STEPS, PROPOSAL_STEPS  # which the caller has loaded for `Selection`

    own = data.own
    proposals = {step for step in PROPOSAL_STEPS if step < own.proposals} | {own.proposals}
    return {
        "picture": dict(data.picture),
        "candidates": data.candidates_url,
        "says": f"{data.name} with what the network found in it",
        "classes": [{"name": name, "colour": known_colour(colour)} for name, colour in data.classes],
        "selection": _for_browser(data.selection),
        "own": _for_browser(own),
        "stops": {
            "nms_iou": sorted({*NMS_STEPS, own.nms_iou, data.selection.nms_iou}),
            "proposals": sorted({*proposals, data.selection.proposals}),
            "most": sorted({*_MOST_STEPS, own.most, data.selection.most}),
        },
        "finds": list(data.finds),
        "limbs": [list(limb) for limb in data.limbs],
        "units": list(UNITS),
        "length": None if data.length is None else asdict(data.length) | {"line": list(data.length.line)},
        "scale": None if data.scale is None else {"per_pixel": data.scale[0], "unit": data.scale[1]},
        "aspect": data.aspect,
        "reports_selected": data.reports_selected,
        "room_below": data.room_below,
    }


def _for_browser(selection: Selection) -> dict[str, Any]:
    """Return a selection as JSON."""
    classes = selection.classes
    return asdict(selection) | {"classes": None if classes is None else sorted(classes)}


# What comes back from the browser


def _about(value: Any, data: TriedPicture, otherwise: Any) -> Any:
    """Return the `value` of a state {picture, value} if it is about this picture, else `otherwise`."""
    if not isinstance(value, Mapping) or value.get("picture") != data.candidates_url:
        return otherwise
    return value.get("value")


def _selection(value: Any, data: TriedPicture) -> Selection:
    """Return the selection that the browser sent; that of the page if it sent none, or an odd one."""
    if not isinstance(value, Mapping):
        return data.selection
    limits = {"min_score": (0.0, 1.0), "nms_iou": (0.0, 1.0), "mask_threshold": (0.01, 0.99)}
    numbers = {name: _number(value.get(name), *ends) for name, ends in limits.items()}
    whole = {name: _whole(value.get(name), 1, 1_000_000) for name in ("proposals", "most")}
    classes = value.get("classes")
    if isinstance(classes, Sequence) and not isinstance(classes, str) and len(classes) <= len(data.classes):
        labels = [_whole(label, 1, len(data.classes)) for label in classes]
        chosen = None if None in labels else frozenset(label for label in labels if label is not None)
        sound = chosen is not None
    else:
        chosen, sound = None, classes is None
    if not sound or None in numbers.values() or None in whole.values():
        return data.selection
    changes: dict[str, Any] = {**numbers, **whole, "classes": chosen}
    return replace(data.selection, **changes)


def _length(value: Any, otherwise: KnownLength | None) -> KnownLength | None:
    """Return the known length that the browser sent; None if it was taken away; `otherwise` if it is odd."""
    if value is None or isinstance(value, KnownLength):
        return value
    if not isinstance(value, Mapping):
        return otherwise
    places = value.get("line")
    if not isinstance(places, Sequence) or isinstance(places, str) or len(places) != 4:
        return otherwise
    line = [_number(place, -1e7, 1e7) for place in places]
    number, unit, shared = _number(value.get("value"), 0.0, _LONGEST), value.get("unit"), value.get("shared")
    x1, y1, x2, y2 = (math.nan if place is None else place for place in line)
    apart = math.hypot(x2 - x1, y2 - y1)
    if not apart >= 1 or not number or unit not in UNITS or not isinstance(shared, bool):
        return otherwise
    return KnownLength((x1, y1, x2, y2), number, unit, shared)


def _selected(value: Any) -> int | None:
    """Return the position of the selected object that the browser sent; None for anything odd."""
    return _whole(value, 0, 1_000_000)


def _number(value: Any, least: float, largest: float) -> float | None:
    """Return a finite number within limits, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= largest:
        return None
    return float(value)


def _whole(value: Any, least: int, largest: int) -> int | None:
    """Return a whole number within limits, else None. Browsers may send 5.0 for 5."""
    number = _number(value, least, largest)
    return int(number) if number is not None and number == int(number) else None
