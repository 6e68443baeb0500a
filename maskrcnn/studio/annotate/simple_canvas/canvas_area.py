"""The canvas of the Annotate page with the picture as its background, sized to fit the browser window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.annotations.regions import Region, Skeleton
from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.drawing.labelled_picture import Colours, draw_numbered
from maskrcnn.drawing.overlays import resize_for_overlay
from maskrcnn.studio.annotate.simple_canvas import editing
from maskrcnn.studio.annotate.simple_canvas.editing import Editor
from maskrcnn.studio.components import canvas, viewport
from maskrcnn.studio.components.canvas_view import View
from maskrcnn.studio.components.class_colours import class_colours
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.file_stamps import stamp

_OTHER_ROWS = 244
"""Height of the rows above and below the canvas in CSS pixels."""

_MIN_HEIGHT = 320
"""Minimum height of the canvas in CSS pixels."""

_SHARP_SIDE = 900
"""Smaller pictures are enlarged to this longer side (pixels), so that the region numbers are sharp."""

_SHOWN_AT = 700
"""Approximate length of the canvas's longer side in CSS pixels."""


def show(project: Project, image: StoredImage, tool: canvas.Mode, zoom: float) -> Editor:
    """Draw the canvas and return the editor of its regions."""
    size = viewport.viewport_size("annotate")
    height = max(_MIN_HEIGHT, size.height - _OTHER_ROWS)
    view = View.fit(image.width, image.height, size.width, height, zoom)
    with session.fail_softly():
        editor = editing.open_editor(project, image, view, tool)
        background = canvas_background(
            project.picture(image.id),
            editor.regions,
            editor.painted,
            class_colours(project),
            zoom,
            {entry.name: entry.skeleton for entry in project.classes() if entry.skeleton},
            editing.selected_index(editor),
        )
    canvas.show(
        editor.drawing.objects(),
        background,
        view,
        key=editor.key,
        mode=tool,
        visible_height=height if zoom > 1 else None,
        on_change=partial(editing.take_drawing, editor.key),
    )
    return editor


def canvas_background(
    path: Path,
    regions: Sequence[Region],
    painted: set[str],
    colours: Colours,
    zoom: float = 1.0,
    skeletons: Mapping[str, Skeleton] | None = None,
    selected: int | None = None,
) -> bytes:
    """Return the background of the Annotate page's canvas: a JPEG of the picture with its regions.

    `drawing.labelled_picture.draw_numbered` draws the regions. At a zoom above 1 the JPEG has more pixels, up to the
    size of the picture. Raises `StudioError` if the picture cannot be read.
    """
    side = round(canvas.LONGEST_SIDE * zoom)
    picture, scale = _resized_for_background(str(path), stamp(path), side)
    picture = picture.copy()
    unit = max(picture.shape[:2]) / (_SHOWN_AT * zoom)
    draw_numbered(picture, scale, unit, regions, painted, colours, skeletons or {}, selected)
    return jpeg(picture, side)


@st.cache_data(max_entries=12, show_spinner=False)
def _resized_for_background(path: str, modified: int, side: int) -> tuple[np.ndarray, float]:
    """Return the picture resized for `canvas_background`, without regions, and its pixels per picture pixel.

    Its longer side is at least `_SHARP_SIDE` and at most `side` pixels. `modified` is the stamp of the file.
    """
    picture = pictures.load(path)
    return resize_for_overlay(picture, min(side, max(_SHARP_SIDE, *picture.shape[:2])))
