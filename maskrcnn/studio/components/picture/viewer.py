"""A picture with objects that the browser draws: pan, zoom, layers, hover and selection, without reruns of the page.

`viewer.js` is the component; the modules beside it draw the picture, and the editor of the Annotate page
uses them, too.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.studio.serving.browser_code import importing_script
from maskrcnn.studio.serving.picture_files import picture_url

_viewer = st.components.v2.component(
    "studio_picture_viewer",
    html='<div class="viewer"></div>',
    js=importing_script(Path(__file__).with_suffix(".js")),
)

_FLATTEST, _TALLEST = 2.5, 0.6
"""Limits of `usual_aspect`."""

_NAMES_IN_BROWSER = {"min_score": "minScore", "pixel_grid": "pixelGrid"}


@dataclass(frozen=True)
class Display:
    """What a viewer shows of the objects.

    `boxes` are those of objects that also have an outline, `points` are single points, `opacity` is that of fillings
    (0..1). Only objects with a score of at least `min_score` (or without one) and of `classes` (None: all) are shown.
    """

    outlines: bool = True
    fills: bool = True
    boxes: bool = False
    keypoints: bool = True
    labels: bool = True
    points: bool = True
    grids: bool = True
    pixel_grid: bool = True
    opacity: float = 0.25
    min_score: float = 0.0
    classes: tuple[str, ...] | None = None


def shown_picture(path: Path | str, name: str | None = None) -> dict[str, Any]:
    """Return what the browser needs to show a picture file: address, width and height (displayed frame), and name.

    Raises `OSError` if there is no such file, and `StudioError` if it is no picture.
    """
    path = Path(path)
    width, height = pictures.size(path, name)
    return {"address": picture_url(path), "width": width, "height": height, "name": name or path.name}


def picture_viewer(
    picture: Mapping[str, Any] | None,
    objects: Iterable[Mapping[str, Any]] = (),
    key: str = "picture",
    *,
    display: Display | None = None,
    selected: str | int | None = None,
    hovered: str | int | None = None,
    report_hover: bool = False,
    camera_group: str | None = None,
    height: int | None = None,
    min_height: int = 320,
    message: str = "",
    label: str = "Picture",
) -> str | int | None:
    """Show a picture with objects, and return the id of the object that is selected in it, else None.

    `picture` is a `shown_picture`; None shows only `message`. `objects` are JSON values in picture pixels of the
    displayed frame, back to front; `objects.js` lists the fields. A click selects an object and reruns the page;
    `selected` selects one from the page. `hovered` emphasizes one; with `report_hover`, `hovered_in` returns the one
    under the pointer, at the price of a rerun.

    Viewers with one `camera_group` show the same part of their pictures. `height` is in CSS pixels; None fills the
    window below the component, at least `min_height`. `label` is the name for screen readers.

    Example:

    ```python
    picture = shown_picture(folder / "cat.jpg")
    cat = {"id": "a", "class": "cat", "score": 0.9, "colour": "#0072b2", "parts": [[[[10, 10], [90, 10], [50, 80]]]]}
    chosen = picture_viewer(picture, [cat], "cats", display=Display(boxes=True, min_score=0.5))
    if chosen is not None:
        st.write(f"Selected: {chosen}")
    ```
    """
    layers = {_NAMES_IN_BROWSER.get(name, name): value for name, value in asdict(display or Display()).items()}
    data = {
        "picture": dict(picture) if picture is not None else None,
        "objects": [dict(item) for item in objects],
        "display": layers,
        "selected": selected,
        "hovered": hovered,
        "reportHover": report_hover,
        "cameraGroup": camera_group,
        "height": height,
        "minHeight": min_height,
        "message": message,
        "label": label,
    }
    answer = _viewer(
        key=key,
        data=data,
        default={"selected": selected, "hovered": None},
        on_selected_change=lambda: None,
        on_hovered_change=lambda: None,
    )
    return answer.get("selected")


def hovered_in(key: str) -> str | int | None:
    """Return the id of the object under the pointer in a viewer with `report_hover`, else None."""
    return (st.session_state.get(key) or {}).get("hovered")


def usual_aspect(sizes: Iterable[Sequence[float]]) -> float:
    """Return the geometric mean of width / height of pictures with these sizes, within limits; 1 without any.

    The place for pictures has this shape, whichever picture is chosen, so that the page below it does not move.

    >>> usual_aspect([(400, 100), (100, 100)]), usual_aspect([(0, 10)])
    (2.0, 1.0)
    """
    ratios = [width / height for width, height in sizes if width > 0 < height]
    return min(_FLATTEST, max(_TALLEST, statistics.geometric_mean(ratios))) if ratios else 1.0
