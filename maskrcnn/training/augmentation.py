"""Augmentation: random changes of a training picture and its objects, each time the picture is used.

All random numbers come from the `draw` that is passed, never from the global state of torch, because several threads
read pictures, and a resumed run must see the same pictures.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from torchvision.transforms.v2 import functional

from maskrcnn.annotations.skeletons import mirrored
from maskrcnn.config import Config
from maskrcnn.model.resize import resize
from maskrcnn.training.picture_objects import PictureObjects

Picture = np.ndarray
Source = Callable[[], tuple[Picture, PictureObjects]]

SMALLEST_CROP = 0.4
"""Minimum share of each side that a crop keeps."""

MOST_PASTED = 6
"""Maximum number of pasted objects per picture."""


class Augmentation:
    """All augmentations that `config` enables: copy-paste, crop, scale, mirror and colour.

    `mirror_order` is the order of the keypoints in a mirrored picture (the function of this name computes it); None:
    pictures are not mirrored.
    """

    def __init__(self, config: Config, mirror_order: Sequence[int] | None) -> None:
        self.config = config
        self.mirror_order = mirror_order

    def __call__(
        self, picture: Picture, objects: PictureObjects, draw: random.Random, source: Source
    ) -> tuple[Picture, PictureObjects]:
        """A uint8 `(h, w, 3)` picture and its objects, changed with random numbers from `draw`; inputs do not change.

        `source` returns a picture to paste objects from.
        """
        config = self.config
        if draw.random() < config.copy_paste and objects.outlines is not None:
            picture, objects = paste(picture, objects, *source(), draw)
        if draw.random() < config.crop:
            picture, objects = crop(picture, objects, draw)
        smallest = (1 - config.scale_jitter) / (1 + config.scale_jitter)
        picture, objects = shrink(picture, objects, smallest ** draw.random())
        if draw.random() < config.flip and self.mirror_order is not None:
            picture, objects = mirror(picture, objects, self.mirror_order)
        return (colour(picture, config.colour_jitter, draw) if config.colour_jitter else picture), objects


def paste(
    picture: Picture, objects: PictureObjects, other: Picture, others: PictureObjects, draw: random.Random
) -> tuple[Picture, PictureObjects]:
    """Paste some objects of the picture `other`, scaled, mirrored and moved at random, over this picture.

    Source: Ghiasi et al. 2021, Simple Copy-Paste, section 3.
    """
    others = others.visible(*other.shape[:2])
    if not len(others):
        return picture, objects
    chosen = draw.sample(range(len(others)), draw.randint(1, min(MOST_PASTED, len(others))))
    others = others.chosen(chosen)
    height, width = picture.shape[:2]
    factor = draw.uniform(0.5, 1.25) * min(height / other.shape[0], width / other.shape[1])
    sign = -1 if draw.random() < 0.5 and others.keypoints is None else 1
    moved = others.moved((sign * factor, factor))
    (left, top), (right, bottom) = moved.boxes[:, :2].min(0), moved.boxes[:, 2:].max(0)
    # The group of objects is put at a random position, where at most half of its width and of its height is outside.
    x = draw.uniform(-(right - left) / 2, width - (right - left) / 2) - left
    y = draw.uniform(-(bottom - top) / 2, height - (bottom - top) / 2) - top
    moved = moved.moved((1, 1), (x, y))
    matrix = np.array([[sign * factor, 0, x], [0, factor, y]])
    # Our coordinates refer to pixel edges, those of warpAffine to pixel centres.
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    warped = cv2.warpAffine(other, matrix, (width, height), flags=cv2.INTER_LINEAR)
    assert moved.outlines is not None
    alpha = np.zeros((height, width), bool)
    for outline in moved.outlines:
        alpha |= outline.bitmap(height, width).astype(bool)
    return np.where(alpha[..., None], warped, picture), objects.under(moved)


def crop(picture: Picture, objects: PictureObjects, draw: random.Random) -> tuple[Picture, PictureObjects]:
    """A random window of the picture that contains the centre of one of its objects, if it has any."""
    height, width = picture.shape[:2]
    sides = [max(1, round(side * draw.uniform(SMALLEST_CROP, 1))) for side in (width, height)]
    place = []
    box = objects.boxes[draw.randrange(len(objects))] if len(objects) else None
    for axis, (whole, side) in enumerate(zip((width, height), sides, strict=True)):
        middle = draw.uniform(0, whole) if box is None else float(box[axis] + box[axis + 2]) / 2
        lowest, highest = max(0, math.ceil(middle - side)), min(whole - side, math.floor(middle))
        place.append(draw.randint(min(lowest, highest), max(lowest, highest)))
    x, y = (min(max(0, start), whole - side) for start, whole, side in zip(place, (width, height), sides, strict=True))
    return picture[y : y + sides[1], x : x + sides[0]], objects.moved((1, 1), (-x, -y))


def shrink(picture: Picture, objects: PictureObjects, factor: float) -> tuple[Picture, PictureObjects]:
    """Return the picture and its objects, scaled by `factor`."""
    height, width = picture.shape[:2]
    size = max(1, round(height * factor)), max(1, round(width * factor))
    if size == (height, width):
        return picture, objects
    return resize(picture, size), objects.moved((size[1] / width, size[0] / height))


def mirror(picture: Picture, objects: PictureObjects, order: Sequence[int]) -> tuple[Picture, PictureObjects]:
    """Flip horizontally. Keypoints are reordered by `order`, because a flipped left hand is a right hand."""
    objects = objects.moved((-1, 1), (picture.shape[1], 0))
    if objects.keypoints is not None:
        keypoints = objects.keypoints[:, list(order)]
        objects = PictureObjects(objects.boxes, objects.labels, objects.outlines, keypoints)
    return picture[:, ::-1], objects


def colour(picture: Picture, jitter: float, draw: random.Random) -> Picture:
    """Change brightness, contrast and saturation by up to 1 +- `jitter`, hue by +- `jitter` / 10, in random order."""
    pixels = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))
    changes = [
        (functional.adjust_brightness, draw.uniform(1 - jitter, 1 + jitter)),
        (functional.adjust_contrast, draw.uniform(1 - jitter, 1 + jitter)),
        (functional.adjust_saturation, draw.uniform(1 - jitter, 1 + jitter)),
        (functional.adjust_hue, draw.uniform(-jitter / 10, jitter / 10)),
    ]
    draw.shuffle(changes)
    for change, amount in changes:
        pixels = change(pixels, amount)
    return pixels.numpy().transpose(1, 2, 0)


def mirror_order(config: Config) -> tuple[int, ...] | None:
    """The order of the keypoints in a mirrored picture (`annotations.skeletons.mirrored`).

    None if the names do not tell left from right: then pictures cannot be mirrored. Empty without the keypoints task.
    """
    if "keypoints" not in config.tasks:
        return ()
    return mirrored(config.keypoint_names, config.num_keypoints)
