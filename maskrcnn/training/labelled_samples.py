"""From labels to tensors: pictures and targets at working size, augmented.

Pictures are decoded once, shrunk to working size (a little more, where scale jitter will enlarge them) and kept as far
as `picture_cache_mb` allows, so later epochs need no decoding. Masks stay outlines and are never filled at the size of
the picture; `StudioRoIHeads` fills the 28 x 28 cells around each proposal. Only the config's tasks get targets.

A sample takes its random numbers from the `random.Random` that is passed in, so it is the same in any thread, process
and resumed run.

Keypoints are continuous coordinates like all others here, used as they are in the labels. A tool that writes the index
of the pixel (as COCO's did) means a point half a pixel further to the bottom right; nothing is added for that, neither
here nor in `evaluation`, so training and evaluation agree.
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
from maskrcnn.annotations.polygon_outline import Outline
from maskrcnn.config import Config
from maskrcnn.model.resize import resize, working_size
from maskrcnn.runs.folder import RunFolder
from maskrcnn.training.augmentation import Augmentation, mirror_order
from maskrcnn.training.picture_objects import PictureObjects, keypoint_rows, labelled_inside

Target = dict[str, Any]


@dataclass
class LabelledSamples:
    """The pictures of one COCO document as `(picture, target)` pairs.

    `picture`: float `(3, h, w)` in [0, 1] at working size; `target`: `boxes (N, 4)` xyxy in its pixels, `labels (N,)`
    from 1; with the mask task `masks`, an `Outline` of each object; with the keypoints task `keypoints (N, K, 3)`
    float32 as x, y, visibility, where all three are 0 for what is not labelled or lies outside the picture, so the loss
    passes over it. Crowds and objects that vanish at working size are left out. A picture without objects is kept: it
    is an example of background. `augment` is for training, not for validation.
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
        """A sample by a draw of its own; see `sample`."""
        return self.sample(index, random.Random())

    def sample(self, index: int, draw: random.Random) -> tuple[Tensor, Target]:
        """Picture `index` and its target, augmented as `draw` decides."""
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
        """A picture, uint8 `(h, w, 3)`, and its objects before augmentation, from memory where they are kept."""
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
        height, width = image["height"], image["width"]
        size = working_size(height, width, self.config, 1 + self.config.scale_jitter if self.augment else 1)
        picture = resize(pictures.load_at_least(self.picture_path(image), size), size)
        scale = np.array([size[1] / width, size[0] / height], np.float32)
        annotations = self._annotations[image["id"]]
        corners = np.array([annotation["bbox"] for annotation in annotations], np.float32).reshape(-1, 2, 2)
        corners[:, 1] += corners[:, 0]
        # The box around keypoints alone may leave the picture with them.
        boxes = (corners * scale).clip(0, size[::-1]).reshape(-1, 4).astype(np.float32)
        outlines, keypoints = None, None
        if "mask" in self.config.tasks:
            outlines = [Outline.of(annotation["segmentation"], (height, width), size) for annotation in annotations]
        if "keypoints" in self.config.tasks:
            keypoints = keypoint_rows(annotations, self.config.num_keypoints)
            keypoints[..., :2] *= scale
        labels = np.array([annotation["category_id"] for annotation in annotations], np.int64)
        return picture, PictureObjects(boxes, labels, outlines, keypoints)

    def _any_other(self, index: int, draw: random.Random) -> Callable[[], tuple[np.ndarray, PictureObjects]]:
        """A picture to take objects from; any but this one, where there is another."""
        return lambda: self.read((index + draw.randrange(1, max(2, len(self)))) % len(self))


def labelled_sets(
    documents: dict[str, Any], run: RunFolder, config: Config
) -> tuple[LabelledSamples, LabelledSamples | None]:
    """Return the training samples, augmented, and the validation samples; None if there are no validation pictures."""
    val = documents["val"]
    training = LabelledSamples(documents["train"], run.picture_path, config, augment=True)
    return training, LabelledSamples(val, run.picture_path, config) if val and val["images"] else None
