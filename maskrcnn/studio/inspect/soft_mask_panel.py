"""The panel of the Predictions page with the soft mask of a detection, cell by cell, beside the pasted one.

Soft masks are not saved, so it runs the network on the picture again, and takes the detection that is closest to the
saved one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from pycocotools import mask as coco_mask

from maskrcnn.drawing.soft_masks import soft_and_pasted
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.matching import ImageMatches
from maskrcnn.runs.checkpoint_files import checkpoints_by_epoch
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.inspect.inspected_run import PAGE
from maskrcnn.studio.inspect.traced_picture import counted_objects, load_labelled_picture, traced
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain

if TYPE_CHECKING:
    from maskrcnn.model import Trace

KEY = "soft_mask_panel"
"""Key of the panel, by which the browser finds it."""
_WANTED = f"{PAGE}_soft_mask"
_SIDE = 840  # pixels of a drawing's longer side
_SAME_IOU, _SAME_SCORE = 0.98, 0.01
"""Least IoU of the boxes and largest difference of scores of what counts as the saved detection, found again."""


@dataclass(frozen=True)
class FoundAgain:
    """The detection of a trace that is closest to a saved one: its number, the IoU of the two boxes, and its score."""

    number: int
    iou: float
    score: float


def ask(run: RunFolder, epoch: int, image: dict[str, Any], position: int) -> None:
    """Have `panel` show the soft mask of the detection at `position` of `RunFolder.detections(epoch)`."""
    st.session_state[_WANTED] = (str(run.path), epoch, image["id"], position)


def panel(run: RunFolder, epoch: int, image: dict[str, Any], matches: ImageMatches) -> None:
    """Draw the panel if the soft mask of a detection in this picture was asked for (`ask`)."""
    *place, position = st.session_state.get(_WANTED, (None,) * 4)
    checkpoint = checkpoints_by_epoch(run).get(epoch)
    if place != [str(run.path), epoch, image["id"]] or checkpoint is None:
        return
    with st.container(border=True, key=KEY), session.fail_softly(stop=False):
        detections = run.detections(epoch)
        if not 0 <= position < len(detections) or detections[position]["image_id"] != image["id"]:
            raise StudioError(f"{run.name}: the detections of epoch {epoch} were changed just now; select one again")
        pixels = load_labelled_picture(run, image)
        with st.spinner("Running the picture through the network"):
            found = traced(run, checkpoint, image, counted_objects(matches))
        _show(pixels, found, detections[position])


def _show(picture: np.ndarray, found: Trace, saved: dict[str, Any]) -> None:
    """Draw both masks and their words."""
    again = closest_detection(found, saved)
    if again is None or found.detections.soft_masks is None:
        st.markdown("Run again, the network finds nothing of this class in the picture, so there is no soft mask.")
        st.button("Close", key="soft_mask_close", on_click=_close)
        return
    soft, pasted = found.detections.soft_masks[again.number], found.pasted_mask(again.number)
    box = found.to_picture(found.detections.boxes[again.number])
    left, right = soft_and_pasted(picture, soft, pasted, box, _SIDE)
    soft_column, pasted_column, words_column = st.columns([5, 5, 4], gap="medium")
    soft_column.image(left, caption="Soft mask, as the mask head finds it")
    pasted_column.image(right, caption="Pasted mask: where it is at least 0.5")
    rows, columns = soft.shape
    width, height = (box[2:] - box[:2]).tolist()
    with words_column:
        name = found.config.names[int(found.detections.labels[again.number]) - 1]
        st.markdown(f"**{plain(name)} {again.score:.2f}**")
        st.markdown(
            f"The mask head finds {rows} × {columns} cells for every box, however large. This box has "
            f"{width:.0f} × {height:.0f} px, so a cell covers {width / columns:.1f} × {height / rows:.1f} px. Dark "
            "blue is 0, grey 0.5, yellow 1."
        )
        st.markdown(
            "Between the middles of the cells the mask is interpolated. The orange line is 0.5: what lies inside "
            f"becomes the pasted mask. Of the cells, {int((np.abs(soft - 0.5) < 0.3).sum())} are unsure (0.2 to 0.8)."
        )
        st.markdown(again_in_words(again, float(saved["score"]), _mask_iou(pasted, saved)))
        st.button("Close", key="soft_mask_close", on_click=_close)


def closest_detection(found: Trace, saved: dict[str, Any]) -> FoundAgain | None:
    """Return the detection of a trace with the class of a saved one whose box overlaps it best; None without any."""
    numbers = np.flatnonzero(found.detections.labels == saved["category_id"])
    if not len(numbers):
        return None
    boxes = found.to_picture(found.detections.boxes[numbers]).astype(np.float64)
    boxes[:, 2:] -= boxes[:, :2]
    ious = coco_mask.iou(boxes, np.array([saved["bbox"]], np.float64), [0])[:, 0]
    best = int(ious.argmax())
    number = int(numbers[best])
    return FoundAgain(number, float(ious[best]), float(found.detections.scores[number]))


def again_in_words(again: FoundAgain, saved_score: float, mask_iou: float | None) -> str:
    """Return a sentence on whether the detection that was found again is the saved one.

    >>> again_in_words(FoundAgain(0, 1.0, 0.91), 0.91, 1.0)
    'It is the saved detection: box IoU 1.00, mask IoU 1.00.'
    """
    numbers = f"box IoU {again.iou:.2f}" + ("" if mask_iou is None else f", mask IoU {mask_iou:.2f}")
    if again.iou >= _SAME_IOU and abs(again.score - saved_score) <= _SAME_SCORE:
        return f"It is the saved detection: {numbers}."
    return (
        f"It is not quite the saved detection ({numbers}, score {again.score:.2f} instead of {saved_score:.2f}): the "
        "network that was kept, or its arithmetic, is not the one that saved it."
    )


def _mask_iou(pasted: np.ndarray, saved: dict[str, Any]) -> float | None:
    """The IoU of a pasted mask with that of a saved detection; None if it has none of that size."""
    rle = saved.get("segmentation")
    if not isinstance(rle, dict) or tuple(rle["size"]) != pasted.shape:
        return None
    own = coco_mask.decode(rle).astype(bool)
    union = int((own | pasted).sum())
    return float((own & pasted).sum() / union) if union else 1.0  # two empty masks are equal


def _close() -> None:
    """Take the panel away (callback)."""
    st.session_state.pop(_WANTED, None)
