"""Scaling of a picture to the working size of a network. Training and inference share it."""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection.transform import GeneralizedRCNNTransform

from maskrcnn.config import Config


def working_size(height: int, width: int, config: Config, factor: float = 1.0) -> tuple[int, int]:
    """(height, width) after scaling: the shorter side becomes image_min_dim, unless the longer would pass
    image_max_dim.

    `factor` enlarges the result, for a training picture that will be jittered in scale.

    >>> working_size(1200, 1600, Config.preset("classroom"))  # image_min_dim 384, image_max_dim 512
    (384, 512)
    >>> working_size(600, 1600, Config.preset("classroom"))  # the longer side decides
    (192, 512)
    """
    scale = factor * min(config.image_min_dim / min(height, width), config.image_max_dim / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """`(H, W, 3)` or `(H, W)` uint8 at `size` (height, width); shrinking averages pixels, against aliasing.

    >>> resize(np.zeros((40, 60, 3), np.uint8), (20, 30)).shape
    (20, 30, 3)
    """
    height, width = size
    shrinking = height * width < picture.shape[0] * picture.shape[1]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)


def resize_mask(bitmap: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A bitmap `(H, W)`, bool or 0 and 1, as uint8 at `size` (height, width): 1 where at least half a pixel is
    covered.

    >>> resize_mask(np.array([[1, 1, 0, 0], [1, 0, 0, 0]], np.uint8), (1, 2)).tolist()  # 3 of 4 pixels, and none
    [[1, 0]]
    """
    height, width = size
    covered = cv2.resize(bitmap.astype(np.uint8) * np.uint8(255), (width, height), interpolation=cv2.INTER_AREA)
    return (covered >= 128).astype(np.uint8)


def to_tensor(picture: np.ndarray) -> Tensor:
    """uint8 `(H, W, 3)` RGB -> float `(3, H, W)` in [0, 1].

    >>> to_tensor(np.full((2, 3, 3), 255, np.uint8)).shape, to_tensor(np.full((2, 3, 3), 255, np.uint8)).max().item()
    (torch.Size([3, 2, 3]), 1.0)
    """
    return torch.from_numpy(picture).permute(2, 0, 1).float() / 255


class PictureTransform(GeneralizedRCNNTransform):
    """Scales, normalises and batches pictures.

    Its attributes change how (`temporary_attributes` sets them for a while):

    - `resized`: pictures have their working size already and are not scaled. The trainer resizes (and augments) on its
      own, once; torchvision's transform would undo its scale jitter.
    - `room`: batches are padded to this (height, width) at least; processes that share a batch pad theirs alike.
    - `dtype`: dtype of the batches, None for float32; a network prepared for bfloat16 takes its pictures in it.
    """

    resized = False
    room: tuple[int, ...] = (0, 0)
    dtype: torch.dtype | None = None

    def batch_images(self, images: list[Tensor], size_divisible: int = 32) -> Tensor:
        """`(N, 3, H, W)` from pictures `(3, h, w)`, padded on the right and at the bottom with zeros to a multiple of
        `size_divisible` pixels."""
        batch = super().batch_images(images, size_divisible)
        height, width = (math.ceil(side / size_divisible) * size_divisible for side in self.room)
        batch = functional.pad(batch, (0, max(0, width - batch.shape[3]), 0, max(0, height - batch.shape[2])))
        return batch if self.dtype is None else batch.to(self.dtype)

    def resize(self, image: Tensor, target: dict[str, Tensor] | None = None) -> tuple[Tensor, dict[str, Tensor] | None]:
        return (image, target) if self.resized else super().resize(image, target)
