"""A picture that is run through the network of an epoch again, with every stage kept: for explanations on demand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from pycocotools import mask as coco_mask

from maskrcnn.annotations import pictures
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.matching import ImageMatches, MatchedObject
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.components import network_choice
from maskrcnn.studio.shell.file_stamps import path_key, stamp

if TYPE_CHECKING:
    from maskrcnn.model import Trace


def counted_objects(matches: ImageMatches) -> list[MatchedObject]:
    """Return the objects that can be found, without crowds."""
    return [truth for truth in matches.truths if truth.status != "ignored"]


def load_labelled_picture(run: RunFolder, image: dict[str, Any]) -> np.ndarray:
    """Return a picture of a run, uint8 RGB `(H, W, 3)`.

    `image` is its entry in the run's dataset. Raises `StudioError` if it cannot be read, or does not have the size that
    its labels are for: the file was replaced.
    """
    pixels = pictures.load(run.picture_path(image))
    height, width = pixels.shape[:2]
    if (width, height) != (image["width"], image["height"]):
        raise StudioError(
            f"{image['file_name']}: is {width} x {height} px, but was {image['width']} x {image['height']} px when the "
            "network was trained; put that file back"
        )
    return pixels


def traced(run: RunFolder, checkpoint: Path, image: dict[str, Any], truths: Sequence[MatchedObject]) -> Trace:
    """Return the trace of a picture of a run by the network in `checkpoint`; the last one is cached.

    `truths` are its `counted_objects`. Raises `StudioError` if network or picture cannot be read.
    """
    picture = run.picture_path(image)
    ids = tuple(truth.annotation_id for truth in truths)
    return _traced(str(checkpoint), stamp(checkpoint), path_key(picture), stamp(picture), list(truths), ids)


@st.cache_resource(max_entries=1, show_spinner=False)
def _traced(
    checkpoint: str,
    changed: int,
    picture: bytes,
    picture_changed: int,
    _truths: list[MatchedObject],
    objects: tuple[int | str, ...],
) -> Trace:
    """Run the network on the picture and trace its boxes. `objects` (annotation ids) stand for `_truths` in the key."""
    from maskrcnn.model import trace

    boxes = np.array([truth.bbox for truth in _truths], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    targets: dict[str, Any] = {"boxes": boxes, "labels": [truth.category_id for truth in _truths]}
    if _truths and all(truth.rle for truth in _truths):
        targets["masks"] = np.stack([coco_mask.decode(truth.rle) for truth in _truths])
    return trace(network_choice.network(checkpoint, changed), pictures.load(os.fsdecode(picture)), targets)
