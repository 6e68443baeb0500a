"""A trained network on pictures: the detections of each, and a drawing of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from maskrcnn.annotations import pictures
from maskrcnn.annotations.colours import colour_of
from maskrcnn.annotations.trainable import Watch, unwatched
from maskrcnn.config import Config
from maskrcnn.drawing.overlays import Edges, Mark, draw
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.matching import DEFAULT_MIN_SCORE
from maskrcnn.inference.given_pictures import GivenPicture, pictures_of
from maskrcnn.model import detect
from maskrcnn.model.build import StudioRCNN


@dataclass(frozen=True)
class PicturePrediction:
    """What a network found in one picture.

    `picture` is uint8 `(H, W, 3)` RGB, as displayed; `detections` are COCO results in its pixels, best first, whatever
    their score (see `model.detect`). Where the picture could not be read, `error` says why, and there is nothing else.
    `image_id` counts the pictures from 1; `name` is that of the file, or its path in the folder that was given.
    """

    image_id: int
    path: Path
    name: str
    config: Config
    picture: np.ndarray | None = None
    detections: tuple[dict[str, Any], ...] = ()
    error: StudioError | None = None

    def shown(self, min_score: float = DEFAULT_MIN_SCORE) -> list[dict[str, Any]]:
        """The detections with at least that score."""
        return [found for found in self.detections if found["score"] >= min_score]

    def class_name(self, detection: dict[str, Any]) -> str:
        """The class of one of the detections."""
        return self.config.names[detection["category_id"] - 1]

    def overlay(self, min_score: float = DEFAULT_MIN_SCORE) -> np.ndarray:
        """The picture with its detections from `min_score` on drawn on it, uint8 `(H, W, 3)` RGB of the same size.

        Raises the `error` of a picture that could not be read.
        """
        if self.picture is None:
            raise self.error or StudioError(f"{self.path}: was not read; predict it first")
        drawn = marks(self.shown(min_score), self.config.names, self.config.keypoint_edges)
        return draw(self.picture, drawn, longest=max(self.picture.shape[:2]))


def predict(
    model: StudioRCNN, images: Path | str | Sequence[Path | str], watch: Watch = unwatched
) -> Iterator[PicturePrediction]:
    """What a network of `load` finds in pictures, one after the other, as they are done.

    `images` are files, or folders with pictures in them and below. A picture that cannot be read is told in the `error`
    of its prediction, and the others go on. `watch(items, words, count)` sees the pictures go by. Raises
    `ArgumentError` where something does not exist or a folder has no pictures.

    >>> from maskrcnn.inference import load
    >>> from tempfile import mkdtemp
    >>> from PIL import Image
    >>> file = Path(mkdtemp()) / "grey.png"
    >>> Image.new("RGB", (64, 64), "grey").save(file)
    >>> [found] = predict(load("toy", device="cpu"), file)
    >>> found.name, found.shown(min_score=0.9)
    ('grey.png', [])
    """
    several = [images] if isinstance(images, (str, Path)) else images
    given, _ = pictures_of([Path(path) for path in several])
    return predictions(model, given, watch)


def predictions(
    model: StudioRCNN, given: Sequence[GivenPicture], watch: Watch = unwatched
) -> Iterator[PicturePrediction]:
    """`predict`, of pictures whose files and names are known."""
    for image_id, entry in enumerate(watch(given, "detecting", len(given)), start=1):
        try:
            picture = pictures.load(entry.path)
        except StudioError as error:
            yield PicturePrediction(image_id, entry.path, entry.name, model.config, error=error)
            continue
        found = detect(model, picture, image_id)
        yield PicturePrediction(image_id, entry.path, entry.name, model.config, picture, tuple(found))


def marks(detections: Sequence[dict[str, Any]], names: Sequence[str], edges: Edges = ()) -> list[Mark]:
    """The detections as things to draw, in the colours of their classes, with what they have of mask, keypoints and
    limbs (`edges`).

    >>> [mark] = marks([{"category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.875}], ["nut"])
    >>> mark.label, mark.bbox
    ('nut 0.88', (1, 2, 3, 4))
    """
    return [
        Mark(
            tuple(found["bbox"]),
            colour_of(found["category_id"] - 1),
            f"{names[found['category_id'] - 1]} {found['score']:.2f}",
            rle=found.get("segmentation"),
            keypoints=found.get("keypoints", ()),
            edges=edges,
        )
        for found in detections
    ]
