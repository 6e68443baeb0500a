"""Prediction of pictures with a trained network: the detections of each picture, and an overlay that shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskrcnn.annotations import pictures
from maskrcnn.annotations.progress_callback import Watch, unwatched
from maskrcnn.config import Config
from maskrcnn.drawing.overlays import detection_marks, draw
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.measures import DEFAULT_MIN_SCORE
from maskrcnn.inference.input_pictures import GivenPicture, pictures_of
from maskrcnn.model import detect
from maskrcnn.model.build import StudioRCNN


@dataclass(frozen=True)
class PicturePrediction:
    """The detections of a network in one picture.

    `picture` is uint8 `(H, W, 3)` RGB, as displayed. `detections` are COCO results of any score in pixels of `picture`,
    best first (see `model.detect`). If the picture could not be read, `error` is set, and there are no picture and no
    detections. `image_id` counts the pictures from 1. `name` is the file name, or its path in the given folder.
    """

    image_id: int
    path: Path
    name: str
    config: Config
    picture: np.ndarray | None = None
    detections: tuple[dict[str, Any], ...] = ()
    error: StudioError | None = None

    def shown(self, min_score: float = DEFAULT_MIN_SCORE) -> list[dict[str, Any]]:
        """The detections with a score of at least `min_score`."""
        return [found for found in self.detections if found["score"] >= min_score]

    def class_name(self, detection: dict[str, Any]) -> str:
        """The class name of a detection."""
        return self.config.names[detection["category_id"] - 1]

    def overlay(self, min_score: float = DEFAULT_MIN_SCORE) -> np.ndarray:
        """The picture with its detections of at least `min_score` drawn on it, uint8 `(H, W, 3)` RGB of the same size.

        Raises `error` if the picture could not be read.
        """
        if self.picture is None:
            raise self.error or StudioError(f"{self.path}: was not read; predict it first")
        drawn = detection_marks(self.shown(min_score), self.config.names, self.config.keypoint_edges)
        return draw(self.picture, drawn, longest=max(self.picture.shape[:2]))


def predict(
    model: StudioRCNN, images: Path | str | Sequence[Path | str], watch: Watch = unwatched
) -> Iterator[PicturePrediction]:
    """Predict pictures with a network (see `load`), and yield each prediction as soon as it is computed.

    `images` are files and folders; folders are searched with their subfolders. If a picture cannot be read, the `error`
    of its prediction says why, and the next picture follows. `watch(items, words, count)` wraps the pictures, for a
    progress bar. Raises `ArgumentError` if a path does not exist or a folder has no pictures.

    >>> from maskrcnn.inference import load
    >>> from tempfile import mkdtemp
    >>> from PIL import Image
    >>> file = Path(mkdtemp()) / "grey.png"
    >>> Image.new("RGB", (64, 64), "grey").save(file)
    >>> [found] = predict(load("toy", device="cpu"), file)
    >>> found.name, found.shown(min_score=0.9)
    ('grey.png', [])
    """
    given, _ = pictures_of(images)
    return predictions(model, given, watch)


def predictions(
    model: StudioRCNN, given: Sequence[GivenPicture], watch: Watch = unwatched
) -> Iterator[PicturePrediction]:
    """Like `predict`, for pictures that `pictures_of` has listed already."""
    for image_id, entry in enumerate(watch(given, "detecting", len(given)), start=1):
        try:
            picture = pictures.load(entry.path)
        except StudioError as error:
            yield PicturePrediction(image_id, entry.path, entry.name, model.config, error=error)
            continue
        found = detect(model, picture, image_id)
        yield PicturePrediction(image_id, entry.path, entry.name, model.config, picture, tuple(found))
