"""From labels to tensors: pictures and targets at working size, augmented.

Pictures are decoded once, shrunk to working size (a little more, where scale jitter will enlarge them) and kept as far
as memory allows, so an epoch costs no decoding. Masks are cut out at full resolution by the project's rasteriser and
shrunk with their picture.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from pycocotools import mask as coco_mask
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.transforms import v2

from maskrcnn.annotations import pictures
from maskrcnn.config import Config
from maskrcnn.evaluation import documents
from maskrcnn.model.resize import resize, working_size

Target = dict[str, Tensor]

KEPT_BYTES = 2 * 1024**3
"""Memory for pictures and masks that are kept between epochs; what does not fit is read anew each time."""


@dataclass
class LabelledPictures(Dataset):
    """The pictures of one COCO document as `(picture, target)` pairs.

    `picture`: float `(3, h, w)` in [0, 1] at working size; `target`: `boxes (N, 4)` xyxy in its pixels, `labels (N,)`
    from 1, `masks (N, h, w)` uint8. Crowds and objects that vanish at working size are left out. A picture without
    objects is kept: it teaches what is background. Give `augment` for training, leave it out for validation.
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
        self._transform = augmentation(self.config) if self.augment else v2.Identity()

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Target]:
        picture, target = self._sample(index)
        picture, target = self._transform(picture, dict(target))
        boxes = target["boxes"]
        seen = (
            (boxes[:, 2] - boxes[:, 0] >= 1)
            & (boxes[:, 3] - boxes[:, 1] >= 1)
            & target["masks"].flatten(1).any(1).bool()
        )
        # Plain tensors from here on: torchvision's losses do not expect its own tv_tensors.
        picture = picture.as_subclass(Tensor).float() / 255
        return picture, {name: value.as_subclass(Tensor)[seen] for name, value in target.items()}

    def _sample(self, index: int) -> tuple[Tensor, Target]:
        """The picture and its target before augmentation, from memory where they are kept."""
        if index in self._kept:
            return self._kept[index]
        picture, target = self._read(self.images[index])
        size = picture.nbytes + target["masks"].nbytes
        if self._kept_bytes + size <= KEPT_BYTES:
            self._kept[index] = picture, target
            self._kept_bytes += size
        return picture, target

    def _read(self, image: dict[str, Any]) -> tuple[Tensor, Target]:
        full = pictures.load(self.picture_path(image))
        height, width = full.shape[:2]
        size = working_size(height, width, self.config, 1 + self.config.scale_jitter if self.augment else 1)
        annotations = self._annotations[image["id"]]
        boxes = np.array([annotation["bbox"] for annotation in annotations], np.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        boxes *= np.array([size[1] / width, size[0] / height] * 2, np.float32)
        masks = [shrunk_mask(annotation["segmentation"], (height, width), size) for annotation in annotations]
        target = {
            "boxes": tv_tensors.BoundingBoxes(torch.from_numpy(boxes), format="XYXY", canvas_size=size),
            "labels": torch.tensor([annotation["category_id"] for annotation in annotations], dtype=torch.int64),
            "masks": tv_tensors.Mask(torch.from_numpy(np.stack(masks) if masks else np.zeros((0, *size), np.uint8))),
        }
        picture = torch.from_numpy(resize(full, size)).permute(2, 0, 1).contiguous()
        return tv_tensors.Image(picture), target


def shrunk_mask(segmentation: Any, full: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """A COCO segmentation of a picture of `full` (height, width) as a uint8 bitmap at `size`.

    A pixel belongs to the mask if at least half of it is covered.
    """
    bitmap = coco_mask.decode(documents.encode(segmentation, *full))
    covered = cv2.resize(bitmap * np.uint8(255), (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return (covered >= 128).astype(np.uint8)


def augmentation(config: Config) -> v2.Transform:
    """Mirror, scale and colour, as `config` sets them; boxes and masks follow the picture."""
    jitter = config.colour_jitter
    return v2.Compose(
        [
            v2.RandomHorizontalFlip(config.flip),
            ShrinkAtRandom((1 - config.scale_jitter) / (1 + config.scale_jitter)),
            v2.ColorJitter(brightness=jitter, contrast=jitter, saturation=jitter, hue=jitter / 10),
        ]
    )


class ShrinkAtRandom(v2.Transform):
    """Scale picture, boxes and masks together by a factor drawn from [lowest, 1], log-uniformly."""

    def __init__(self, lowest: float) -> None:
        super().__init__()
        self.lowest = lowest

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        height, width = v2.functional.get_size(flat_inputs[0])
        factor = self.lowest ** float(torch.rand(()))
        return {"size": [max(1, round(height * factor)), max(1, round(width * factor))]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if isinstance(inpt, tv_tensors.Mask):
            # torchvision takes the nearest pixel, which moves the outline of a small object; half covered is in.
            covered = v2.functional.resize_image(inpt.as_subclass(Tensor).float(), params["size"], antialias=True)
            return tv_tensors.wrap((covered >= 0.5).to(torch.uint8), like=inpt)
        return self._call_kernel(v2.functional.resize, inpt, size=params["size"], antialias=True)


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
