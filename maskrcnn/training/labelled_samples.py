"""The samples of a training: pictures and targets as tensors, from a COCO document, scaled and augmented.

A picture is decoded once, scaled to the working size (or larger, if scale jitter needs it) and kept in memory up to the
limit `picture_cache_mb`, so later epochs decode nothing. Masks stay outlines and are never filled at the size of the
picture: `StudioRoIHeads` fills 28 x 28 cells around each proposal. A target has only what the tasks of the config need.

The random numbers of a sample come from the `random.Random` that the caller passes, so a sample is the same in every
thread, in every process and in a resumed run.

Keypoints are continuous coordinates, like all others, and are used as the labels have them. Some tools (COCO's, for
example) write the index of the pixel instead, whose centre is half a pixel further right and down. This is not
corrected, neither here nor in `evaluation`, so training and evaluation agree.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from maskrcnn.annotations import pictures
from maskrcnn.annotations.polygon_outline import PolygonOutline
from maskrcnn.config import Config
from maskrcnn.model.resize import resize, working_size
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.shown_pictures import document_part
from maskrcnn.training.augmentation import Augmentation, mirror_order
from maskrcnn.training.picture_objects import PictureObjects, keypoint_rows, labelled_inside

Target = dict[str, Any]


@dataclass
class LabelledSamples:
    """The pictures of one COCO document as `(picture, target)` pairs.

    `picture`: float `(3, h, w)` in [0, 1] at working size; `target`: `boxes (N, 4)` xyxy in its pixels, `labels (N,)`
    from 1; with the mask task `masks`, a `PolygonOutline` per object; with the keypoints task `keypoints (N, K, 3)`
    float32: x, y, visibility. All three are 0 for a keypoint that is not labelled or outside the picture; the loss
    ignores it. Crowds, and objects smaller than a pixel at working size, are left out. A picture without objects is
    kept as an example of background. `augment` is True for training and False for validation.
    """

    document: dict[str, Any]
    picture_path: Callable[[dict[str, Any]], Path]
    config: Config
    augment: bool = False
    _kept: dict[int, tuple[np.ndarray, PictureObjects]] = field(default_factory=dict, repr=False)
    _kept_bytes: int = 0

    def __post_init__(self) -> None:
        self.images = self.document["images"]
        self._annotations: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in self.images}
        for annotation in self.document["annotations"]:
            if not annotation.get("iscrowd"):
                self._annotations[annotation["image_id"]].append(annotation)
        self._augmentation = Augmentation(self.config, mirror_order(self.config))
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Target]:
        """Sample `index` with a new random generator; see `sample`."""
        return self.sample(index, random.Random())

    def sample(self, index: int, draw: random.Random) -> tuple[Tensor, Target]:
        """Picture `index` and its target, augmented with random numbers from `draw`."""
        picture, objects = self.read(index)
        if self.augment:
            picture, objects = self._augmentation(picture, objects, draw, self._any_other(index, draw))
        height, width = picture.shape[:2]
        objects = objects.visible(height, width)
        target: Target = {"boxes": torch.from_numpy(objects.boxes), "labels": torch.from_numpy(objects.labels)}
        if objects.outlines is not None:
            target["masks"] = objects.outlines
        if objects.keypoints is not None:
            target["keypoints"] = labelled_inside(torch.from_numpy(objects.keypoints), height, width)
        pixels = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
        return pixels.float() / 255, target

    def read(self, index: int) -> tuple[np.ndarray, PictureObjects]:
        """Picture `index`, uint8 `(h, w, 3)`, and its objects before augmentation; from memory if kept there."""
        if (kept := self._kept.get(index)) is not None:
            return kept
        picture, objects = self._read(self.images[index])
        size = picture.nbytes + objects.nbytes
        with self._lock:
            if index not in self._kept and self._kept_bytes + size <= self.config.picture_cache_mb * 10**6:
                self._kept[index] = picture, objects
                self._kept_bytes += size
        return picture, objects

    def _read(self, image: dict[str, Any]) -> tuple[np.ndarray, PictureObjects]:
        """Decode a picture and scale it and its objects to working size."""
        height, width = image["height"], image["width"]
        size = working_size(height, width, self.config, 1 + self.config.scale_jitter if self.augment else 1)
        picture = resize(pictures.load_at_least(self.picture_path(image), size), size)
        scale = np.array([size[1] / width, size[0] / height], np.float32)
        annotations = self._annotations[image["id"]]
        corners = np.array([annotation["bbox"] for annotation in annotations], np.float32).reshape(-1, 2, 2)
        corners[:, 1] += corners[:, 0]
        # A box that was made from keypoints may extend beyond the picture.
        boxes = (corners * scale).clip(0, size[::-1]).reshape(-1, 4).astype(np.float32)
        outlines, keypoints = None, None
        if "mask" in self.config.tasks:
            outlines = [
                PolygonOutline.of(annotation["segmentation"], (height, width), size) for annotation in annotations
            ]
        if "keypoints" in self.config.tasks:
            keypoints = keypoint_rows(annotations, self.config.num_keypoints)
            keypoints[..., :2] *= scale
        labels = np.array([annotation["category_id"] for annotation in annotations], np.int64)
        return picture, PictureObjects(boxes, labels, outlines, keypoints)

    def _any_other(self, index: int, draw: random.Random) -> Callable[[], tuple[np.ndarray, PictureObjects]]:
        """A function that reads a random other picture, to paste objects from. If there is no other, it is this one."""
        return lambda: self.read((index + draw.randrange(1, max(2, len(self)))) % len(self))

    def subset(self, count: int) -> LabelledSamples:
        """At most `count` of the pictures, evenly spaced over all, as new samples that keep nothing in memory yet."""
        total = len(self)
        count = min(count, total)
        images = [self.images[place * total // count] for place in range(count)]
        return LabelledSamples(document_part(self.document, images), self.picture_path, self.config, self.augment)


def labelled_sets(
    documents: dict[str, Any], run: RunFolder, config: Config
) -> tuple[LabelledSamples, LabelledSamples | None]:
    """The training samples, with augmentation, and the validation samples (None without validation pictures)."""
    val = documents["val"]
    training = LabelledSamples(documents["train"], run.picture_path, config, augment=True)
    return training, LabelledSamples(val, run.picture_path, config) if val and val["images"] else None
