"""Crops of the objects that one side of a comparison finds and the other misses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.coco_documents import Id
from maskrcnn.evaluation.won_and_lost import ChangedObject
from maskrcnn.studio.compare import compare_routes
from maskrcnn.studio.compare.compare_pictures import FOCUS, file_of
from maskrcnn.studio.compare.compared_runs import PAGE, Side
from maskrcnn.studio.compare.compared_sets import ComparedEpochs, ComparedSets
from maskrcnn.studio.components.crops import crop_grid
from maskrcnn.studio.components.crops.crop_grid import Tile
from maskrcnn.studio.inspect import editor_link
from maskrcnn.studio.runs.labels_and_detections import pictures_with_detections
from maskrcnn.studio.shell import url_state

_AT_ONCE = 12
"""Objects that are shown at once: two rows of a window 1,400 pixels wide."""


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
    """Draw the objects `word` ("won" or "lost") as a grid of crops.

    A click on one opens its picture above, magnified at the object; a button opens the object in the editor.
    """
    by_item = {str(entry.annotation_id): entry for entry in objects}
    rows = {str(annotation): row for row, annotation in enumerate(sets.measured_b.objects.annotation_ids)}

    def tile_of(item: str) -> Tile:
        entry = by_item[item]
        return Tile(
            item,
            _crop_url(a, b, sets, links.epochs, entry, rows[item]),
            entry.name,
            f"IoU {entry.iou_a:.2f} → {entry.iou_b:.2f}",
            place=sets.files[entry.picture],
            is_editable=links.query(entry) is not None,
        )

    def opened(item: object) -> None:
        if entry := by_item.get(str(item)):
            _open(sets.files[entry.picture], entry)

    edited = crop_grid.show(
        list(by_item), tile_of, f"{PAGE}_{word}", "None at this score and IoU.", opened, per_page=_AT_ONCE
    )
    asked = by_item.get(str(edited))
    if asked and (query := links.query(asked)):
        st.switch_page(editor_link.ANNOTATE_PAGE, query_params=query)


def _crop_url(
    a: Side, b: Side, sets: ComparedSets, epochs: ComparedEpochs, entry: ChangedObject, row: int
) -> str | None:
    """The address of the crop of an object, which is `row` of the measured objects; None if it cannot be shown."""
    try:
        path = file_of(a, b, sets, entry.picture)
    except StudioError:
        return None
    return compare_routes.crop_url(epochs, path, row, is_found=entry.is_won)


def _open(file: str, entry: ChangedObject) -> None:
    """Open the picture of an object and magnify the object (callback)."""
    serial = (st.session_state.get(FOCUS) or {"serial": 0})["serial"] + 1
    st.session_state[FOCUS] = {"position": entry.picture, "box": list(entry.box), "serial": serial}
    url_state.choose("image", file)
