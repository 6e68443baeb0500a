"""From labels to tensors: pictures and targets at working size, augmented.

Pictures are decoded once, shrunk to working size (a little more, where scale jitter will enlarge them) and kept as far
as memory allows, so an epoch costs no decoding. Masks are cut out at full resolution by the project's rasteriser and
shrunk with their picture. Only what the config's tasks need is made: without the mask task there are no masks.

Keypoints are continuous coordinates like everything else here, taken as they were drawn. A tool that writes the number
of the pixel (as COCO's did) means a place half a pixel further to the bottom right; nothing is added for it, neither
here nor in `evaluation`, so what is learned and what it is measured by are the same.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pycocotools import mask as coco_mask
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from maskrcnn.annotations import pictures
from maskrcnn.annotations.skeletons import mirrored
from maskrcnn.config import Config
from maskrcnn.evaluation import documents
from maskrcnn.model.resize import resize, resize_mask, working_size
from maskrcnn.training.augmentation import Target, augmentation

KEPT_BYTES = 2 * 1024**3
"""Memory for pictures and masks that are kept between epochs; what does not fit is read anew each time."""


@dataclass
class LabelledPictures(Dataset):
    """The pictures of one COCO document as `(picture, target)` pairs.

    `picture`: float `(3, h, w)` in [0, 1] at working size; `target`: `boxes (N, 4)` xyxy in its pixels, `labels (N,)`
    from 1; with the mask task `masks (N, h, w)` uint8; with the keypoints task `keypoints (N, K, 3)` float32 as x, y,
    visibility, where all three are 0 for what is not labelled or lies outside the picture, so the loss passes over it.
    Crowds and objects that vanish at working size are left out. A picture without objects is kept: it teaches what is
    background. Give `augment` for training, leave it out for validation.
    """

    document: dict[str, Any]
    picture_path: Callable[[dict[str, Any]], Path]
    config: Config
    augment: bool = False
    _kept: dict[int, tuple[Tensor, Target]] = field(default_factory=dict, repr=False)
    _kept_bytes: int = 0

    def __post_init__(self) -> None:
        self.images = self.document["images"]
        self._annotations: dict[int, list[dict[str, Any]]] = {image["id"]: [] for image in self.images}
        for annotation in self.document["annotations"]:
            if not annotation.get("iscrowd"):
                self._annotations[annotation["image_id"]].append(annotation)
        self._transform = augmentation(self.config, mirror_order(self.config)) if self.augment else v2.Identity()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Target]:
        picture, target = self._sample(index)
        picture, target = self._transform(picture, dict(target))
        # Plain tensors from here on: torchvision's losses do not expect its own tv_tensors.
        picture = picture.as_subclass(Tensor).float() / 255
        target = {name: value.as_subclass(Tensor) for name, value in target.items()}
        boxes = target["boxes"]
        seen = (boxes[:, 2] - boxes[:, 0] >= 1) & (boxes[:, 3] - boxes[:, 1] >= 1)
        if "masks" in target:
            seen &= target["masks"].flatten(1).bool().any(1)
        if "keypoints" in target:
            target["keypoints"] = labelled_inside(target["keypoints"], target.pop("visibility"), picture)
        return picture, {name: value[seen] for name, value in target.items()}

    def _sample(self, index: int) -> tuple[Tensor, Target]:
        """The picture and its target before augmentation, from memory where they are kept."""
        if index in self._kept:
            return self._kept[index]
        picture, target = self._read(self.images[index])
        size = picture.nbytes + sum(value.nbytes for name, value in target.items() if name == "masks")
        if self._kept_bytes + size <= KEPT_BYTES:
            self._kept[index] = picture, target
            self._kept_bytes += size
        return picture, target

    def _read(self, image: dict[str, Any]) -> tuple[Tensor, Target]:
        full = pictures.load(self.picture_path(image))
        height, width = full.shape[:2]
        size = working_size(height, width, self.config, 1 + self.config.scale_jitter if self.augment else 1)
        scale = np.array([size[1] / width, size[0] / height], np.float32)
        annotations = self._annotations[image["id"]]
        corners = np.array([annotation["bbox"] for annotation in annotations], np.float32).reshape(-1, 2, 2)
        corners[:, 1] += corners[:, 0]
        # The box around keypoints alone may leave the picture with them.
        boxes = (corners * scale).clip(0, size[::-1]).reshape(-1, 4).astype(np.float32)
        target = {
            "boxes": tv_tensors.BoundingBoxes(torch.from_numpy(boxes), format="XYXY", canvas_size=size),
            "labels": torch.tensor([annotation["category_id"] for annotation in annotations], dtype=torch.int64),
        }
        if "mask" in self.config.tasks:
            masks = [shrunk_mask(annotation["segmentation"], (height, width), size) for annotation in annotations]
            stacked = np.stack(masks) if masks else np.zeros((0, *size), np.uint8)
            target["masks"] = tv_tensors.Mask(torch.from_numpy(stacked))
        if "keypoints" in self.config.tasks:
            places = keypoint_rows(annotations, self.config.num_keypoints)
            target["keypoints"] = tv_tensors.KeyPoints(torch.from_numpy(places[..., :2] * scale), canvas_size=size)
            target["visibility"] = torch.from_numpy(places[..., 2])
        picture = torch.from_numpy(resize(full, size)).permute(2, 0, 1).contiguous()
        return tv_tensors.Image(picture), target


def mirror_order(config: Config) -> tuple[int, ...] | None:
    """Which keypoint becomes which when a picture is mirrored; None where that would mislabel, so that it is not.

    Empty where keypoints are not learned: then nothing stands in the way.
    """
    if "keypoints" not in config.tasks:
        return ()
    return mirrored(config.keypoint_names, config.num_keypoints)


def keypoint_rows(annotations: list[dict[str, Any]], count: int) -> np.ndarray:
    """`(N, count, 3)` float32 of x, y, visibility; rows of 0 for an object without keypoints."""
    rows = np.zeros((len(annotations), count, 3), np.float32)
    for row, annotation in zip(rows, annotations, strict=True):
        if given := annotation.get("keypoints"):
            row[:] = np.reshape(given, (-1, 3))
    return rows


def labelled_inside(places: Tensor, visibility: Tensor, picture: Tensor) -> Tensor:
    """`(N, K, 3)` of x, y, visibility, all 0 where nothing is labelled within the picture."""
    edge = places.new_tensor([picture.shape[-1], picture.shape[-2]])
    counts = (visibility > 0) & (places >= 0).all(-1) & (places <= edge).all(-1)
    return torch.cat([places, visibility[..., None]], -1) * counts[..., None]


def shrunk_mask(segmentation: Any, full: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """A COCO segmentation of a picture of `full` (height, width) as a uint8 bitmap at `size`.

    A pixel belongs to the mask if at least half of it is covered.
    """
    return resize_mask(coco_mask.decode(documents.encode(segmentation, *full)), size)


def batches(samples: LabelledPictures, batch_size: int, seed: int) -> Iterator[list[tuple[Tensor, Target]]]:
    """Batches without end: every picture once per pass, in a new order each time.

    Upright and lying pictures are batched apart, because a batch is padded to its largest height and width. What is
    left over of a pass waits for the next one, so every batch is full.
    """
    order = random.Random(seed)
    waiting: dict[bool, list[int]] = {False: [], True: []}
    while True:
        indices = list(range(len(samples)))
        order.shuffle(indices)
        for index in indices:
            image = samples.images[index]
            group = waiting[image["height"] > image["width"]]
            group.append(index)
            if len(group) >= min(batch_size, len(samples)):
                yield [samples[i] for i in group]
                group.clear()
