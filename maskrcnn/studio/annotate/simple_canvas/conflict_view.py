"""The dialog for a save conflict: both versions of a picture side by side, their changes, and the choices."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures, raster
from maskrcnn.annotations.learnable_objects import keypoints_of
from maskrcnn.annotations.regions import RLE, Keypoints, Point, Region
from maskrcnn.annotations.store import Project
from maskrcnn.drawing import overlays
from maskrcnn.drawing.hex_colours import GREY
from maskrcnn.drawing.labelled_picture import Colours
from maskrcnn.drawing.overlays import Mark, Style
from maskrcnn.studio.annotate.simple_canvas import editing
from maskrcnn.studio.annotate.simple_canvas.editing import Conflict, Editor
from maskrcnn.studio.annotate.three_way_merge import Difference, Regions, differences
from maskrcnn.studio.components.class_colours import class_colours
from maskrcnn.studio.shell import projects_dialog

_SIDE, _MAX_HEIGHT = 640, 450
_STYLES: dict[Difference, Style] = {"new": "solid", "changed": "hatched", "removed": "dashed"}
_CHOICES = (
    ("Keep both changes", "both", "One picture with both. Of a region that both of you changed, yours is kept."),
    ("Keep mine", "mine", "The other version goes into the history: Undo brings it back."),
    ("Keep the other", "theirs", "Your version goes into the history: Undo brings it back."),
)


def show(project: Project, editor: Editor) -> None:
    """Open the dialog if the editor has a conflict. Every choice keeps both versions in the history."""
    if editor.conflict is not None and not projects_dialog.is_open():  # Streamlit raises for two open dialogs
        _conflict_dialog(project, editor, editor.conflict)


@st.dialog("This picture was saved elsewhere", width="large", dismissible=False, icon=":material/call_split:")
def _conflict_dialog(project: Project, editor: Editor, conflict: Conflict) -> None:
    """Draw both versions with their changes, and a button for each way to resolve the conflict."""
    st.markdown(
        "Since you opened it, another tab or another person saved it. Your change is kept, and so is theirs: what you "
        "do not choose stays in the history, where **Undo** brings it back."
    )
    path, colours = project.picture(editor.image_id), class_colours(project)
    for column, title, version in zip(
        st.columns(2), ("Yours", "Saved elsewhere"), (conflict.mine, conflict.theirs), strict=True
    ):
        with column:
            found = differences(conflict.base, version)
            st.markdown(f"**{title}**: {differences_in_words(found)}")
            picture = draw_version(path, conflict.base, version, colours)
            # With this maximum height the buttons below the pictures stay visible.
            width = min(_SIDE, round(_MAX_HEIGHT * picture.shape[1] / picture.shape[0]))
            st.image(picture, width=width, alt=f"{title}: {differences_in_words(found)}")
    st.markdown(":small[In grey: as it was when you opened it. Dashed: removed.]")
    with st.container(horizontal=True):
        for number, (label, choice, help) in enumerate(_CHOICES):
            key = f"annotate_resolve_{choice}"
            if st.button(label, key=key, type="secondary" if number else "primary", help=help):
                editing.resolve(editor.key, choice)
                st.rerun()


def differences_in_words(found: dict[str, Difference]) -> str:
    """Return a text for the conflict dialog: the numbers of new, changed and removed regions.

    >>> differences_in_words({"a": "new", "b": "changed", "c": "changed"})
    '1 new, 2 changed'
    """
    counts = Counter(found.values())
    return ", ".join(f"{counts[kind]} {kind}" for kind in _STYLES if counts[kind]) or "nothing changed"


def draw_version(path: Path, base: Regions, version: Regions, colours: Colours) -> np.ndarray:
    """Return the picture, uint8 RGB `(h, w, 3)`, with the regions of a version.

    Unchanged regions are grey. New, changed and removed regions have their class colour and a label.
    """
    picture = pictures.load(path)
    found = differences(base, version)
    removed = [region for region in base if found.get(region.id) == "removed"]
    marks = [
        _conflict_mark(region, found.get(region.id), colours, (picture.shape[0], picture.shape[1]))
        for region in (*version, *removed)
    ]
    return overlays.draw(picture, marks, boxes=False, longest=_SIDE)


def _conflict_mark(region: Region, difference: Difference | None, colours: Colours, size: tuple[int, int]) -> Mark:
    """Return the mark of a region in the conflict dialog, for a picture of `size` (height, width).

    `difference` is None if the region is unchanged.
    """
    inside = _conflict_mask(region, size)
    x0, y0, x1, y1 = raster.bounds(inside)
    box = (x0, y0, x1 - x0, y1 - y0)
    rle = raster.rle(inside, *size)
    if difference is None:
        return Mark(box, GREY, rle=rle)
    label = f"{difference}: {region.class_name or 'no class'}"
    return Mark(box, colours[region.class_name], label, _STYLES[difference], rle)


def _conflict_mask(region: Region, size: tuple[int, int]) -> RLE:
    """Return the mask of a region in the conflict dialog. A region without area becomes thick lines or discs."""
    height, width = size
    if raster.has_area(region.shape):
        return raster.from_mask(raster.mask(region.shape, height, width))
    thick = max(2, round(max(size) / 120))
    pixels = np.zeros((height, width), np.uint8)
    keypoints = keypoints_of(region)
    rings = raster.rings(region.shape) + (raster.rings(keypoints) if keypoints is not None else [])
    for ring in rings:
        places = np.array(ring, dtype=float).reshape(-1, 2).clip(-1e6, 1e6).astype(np.int32)
        if isinstance(region.shape, Point | Keypoints):
            for place in places.tolist():
                cv2.circle(pixels, place, thick, 1, cv2.FILLED)
        else:
            cv2.polylines(pixels, [places], False, 1, thick)
    return raster.from_mask(pixels.astype(bool))
