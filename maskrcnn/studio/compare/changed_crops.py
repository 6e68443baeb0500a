"""Crops of the objects that one side of a comparison finds and the other misses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.annotations.store import Project
from maskrcnn.drawing.jpeg import jpeg
from maskrcnn.drawing.overlays import MATCH_COLOURS
from maskrcnn.drawing.region_crops import boxed_crop
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.coco_documents import Id
from maskrcnn.evaluation.won_and_lost import ChangedObject
from maskrcnn.studio.compare.compare_pictures import FOCUS, file_of
from maskrcnn.studio.compare.compared_runs import PAGE, Side
from maskrcnn.studio.compare.compared_sets import ComparedEpochs, ComparedSets
from maskrcnn.studio.inspect import editor_link
from maskrcnn.studio.runs.labels_and_detections import pictures_with_detections
from maskrcnn.studio.shell import url_state
from maskrcnn.studio.shell.file_stamps import path_key, stamp
from maskrcnn.studio.shell.markdown_escape import plain

_IN_A_ROW = 6
_AT_FIRST = 12
"""Objects that are shown before a click on the button for more."""
_MORE = 40
"""Objects that a click on this button adds."""
_SIDE = 200
"""Longer side of a crop in pixels."""


@dataclass(frozen=True)
class EditorLinks:
    """Links to the editor of the project for labels of one side of a comparison, the one whose labels decide."""

    project: Project
    side: Side
    epochs: ComparedEpochs
    sets: ComparedSets

    @cached_property
    def _images(self) -> dict[Id, dict[str, Any]]:
        return {image["id"]: image for image in pictures_with_detections(self.side.run)["images"]}

    @cached_property
    def _is_own_run(self) -> bool:
        folder = self.side.run.project_folder
        return folder is not None and folder == self.project.folder.resolve()

    @cached_property
    def _names(self) -> dict[int, str | None]:
        """Position of a picture -> its name in the project, as far as they were asked for."""
        return {}

    def _name_in_project(self, position: int) -> str | None:
        if not self._is_own_run:
            return None
        if position not in self._names:
            common = self.sets.common
            ids = common.images_a if common.labels == "a" else common.images_b
            try:
                name = editor_link.name_in_project(self.project, self.side.run, self._images[ids[position]])
            except (StudioError, KeyError):
                name = None
            self._names[position] = name
        return self._names[position]

    def query(self, entry: ChangedObject) -> dict[str, str] | None:
        """The query of the editor at an object; None if its picture is not one of this project."""
        common, run = self.sets.common, self.side.run
        name = self._name_in_project(entry.picture)
        if name is None:
            return None
        epoch = self.epochs.epoch_a if common.labels == "a" else self.epochs.epoch_b
        annotation = common.annotation_ids[int(entry.annotation_id) - 1]
        asked = {side: st.query_params[side] for side in ("a", "b", "labels") if side in st.query_params}
        return asked | {
            "a_epoch": str(self.epochs.epoch_a),
            "b_epoch": str(self.epochs.epoch_b),
            "project": self.project.folder.name,
            "image": name,
            editor_link.OBJECT: editor_link.reference(run, epoch, f"truth:{annotation}"),
            "back": PAGE,
        }


def show(a: Side, b: Side, sets: ComparedSets, objects: Sequence[ChangedObject], word: str, links: EditorLinks) -> None:
    """Draw the objects `word` ("won" or "lost") as crops in rows; a button shows more."""
    if not objects:
        st.markdown("None at this score and IoU.")
        return
    count_key = f"{PAGE}_{word}_shown"
    most = int(st.session_state.get(count_key, _AT_FIRST))
    shown = objects[:most]
    files = {position: _file_or_none(a, b, sets, position) for position in {entry.picture for entry in shown}}
    for start in range(0, len(shown), _IN_A_ROW):
        columns = st.columns(_IN_A_ROW, gap="small")
        for column, entry in zip(columns, shown[start : start + _IN_A_ROW], strict=False):
            with column:
                _show_crop(files[entry.picture], sets.files[entry.picture], entry, links.query(entry))
    if most < len(objects):
        st.button(
            f"Show {min(_MORE, len(objects) - most)} more",
            key=f"{count_key}_more",
            on_click=lambda: st.session_state.update({count_key: most + _MORE}),
        )


def _file_or_none(a: Side, b: Side, sets: ComparedSets, position: int) -> Path | None:
    """The file of a picture; None if it cannot be shown."""
    try:
        return file_of(a, b, sets, position)
    except StudioError:
        return None


def _show_crop(path: Path | None, file: str, entry: ChangedObject, query: dict[str, str] | None) -> None:
    """Draw one object: its crop, its class and IoUs, the button that opens its picture, and the link to the editor.

    `path` is the file of its picture (None: it cannot be shown), `file` the name of it, `query` that of the editor.
    """
    colour = MATCH_COLOURS["tp" if entry.is_won else "fn"]
    try:
        content = crop(path, entry.box, colour) if path else None
    except (StudioError, OSError):
        content = None
    if content is None:
        st.markdown(":small[cannot be shown]")
    else:
        st.image(content, alt=f"{entry.name} in {file}", width="stretch")
    st.markdown(f":small[**{plain(entry.name)}**  \nIoU {entry.iou_a:.2f} → {entry.iou_b:.2f}]")
    st.button(
        plain(file),
        key=f"{PAGE}_open_{entry.annotation_id}",
        type="tertiary",
        help="Show it above, magnified",
        on_click=partial(_open, file, entry),
    )
    if query:
        st.page_link(editor_link.ANNOTATE_PAGE, label="Open in the editor", query_params=query)


def _open(file: str, entry: ChangedObject) -> None:
    """Open the picture of an object and magnify the object (callback)."""
    serial = (st.session_state.get(FOCUS) or {"serial": 0})["serial"] + 1
    st.session_state[FOCUS] = {"position": entry.picture, "box": list(entry.box), "serial": serial}
    url_state.choose("image", file)


def crop(path: Path, box: tuple[float, float, float, float], colour: str) -> bytes:
    """A crop of a picture around a box [x, y, w, h] that is drawn on it, as JPEG.

    Raises `StudioError` if the picture cannot be read.
    """
    return _crop(path_key(path), stamp(path), box, colour)


@lru_cache(maxsize=1000)
def _crop(path: bytes, changed: int, box: tuple[float, float, float, float], colour: str) -> bytes:
    """The result of `crop`; `changed` is the stamp of the file."""
    piece = boxed_crop(_pixels(path, changed), box, _SIDE, colour)
    height, width = piece.shape[:2]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    square = np.full((side, side, 3), 128, np.uint8)  # so that the texts below the crops of a row are level
    square[top : top + height, left : left + width] = piece
    return jpeg(square, _SIDE)


@lru_cache(maxsize=4)
def _pixels(path: bytes, changed: int) -> np.ndarray:
    """The pixels of a picture file. A few are kept, because one picture often has several objects."""
    return pictures.load(os.fsdecode(path))
