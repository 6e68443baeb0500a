"""Resizing of pictures to the working size of a network, and batching of them, for training and inference."""

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
    """The (height, width) to which a picture is resized for a network.

    The shorter side becomes `image_min_dim`, or less if the longer side would be longer than `image_max_dim`. `factor`
    multiplies the result, for a training picture whose scale is jittered.

    >>> working_size(1200, 1600, Config.preset("classroom"))  # image_min_dim 384, image_max_dim 512
    (384, 512)
    >>> working_size(600, 1600, Config.preset("classroom"))  # the longer side decides
    (192, 512)
    """
    scale = factor * min(config.image_min_dim / min(height, width), config.image_max_dim / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A uint8 picture `(H, W, 3)` or `(H, W)`, resized to `size` (height, width).

    If it gets smaller, pixels are averaged, against aliasing.

    >>> resize(np.zeros((40, 60, 3), np.uint8), (20, 30)).shape
    (20, 30, 3)
    """
    height, width = size
    shrinking = height * width < picture.shape[0] * picture.shape[1]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)


def resize_mask(bitmap: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A bitmap `(H, W)` of bool or 0 and 1, resized to `size` (height, width), as uint8.

    A pixel of the result is 1 if at least half of it is covered.

    >>> resize_mask(np.array([[1, 1, 0, 0], [1, 0, 0, 0]], np.uint8), (1, 2)).tolist()  # 3 of 4 pixels, and none
    [[1, 0]]
    """
    height, width = size
    covered = cv2.resize(bitmap.astype(np.uint8) * np.uint8(255), (width, height), interpolation=cv2.INTER_AREA)
    return (covered >= 128).astype(np.uint8)


def to_tensor(picture: np.ndarray) -> Tensor:
    """A resized picture, uint8 RGB `(H, W, 3)`, as the float tensor `(3, H, W)` in [0, 1] that a network takes.

    >>> to_tensor(np.full((2, 3, 3), 255, np.uint8)).shape, to_tensor(np.full((2, 3, 3), 255, np.uint8)).max().item()
    (torch.Size([3, 2, 3]), 1.0)
    """
    return torch.from_numpy(picture).permute(2, 0, 1).float() / 255


class PictureTransform(GeneralizedRCNNTransform):
    """The first module of a network: it resizes, normalises and batches pictures.

    It has these attributes besides torchvision's (`temporary_attributes` sets them temporarily):

    - `resized`: whether pictures have their working size already, so that they are not resized. The trainer resizes
      (and augments) pictures itself; resizing again would undo its scale jitter.
    - `room`: minimum (height, width) of a batch, reached by padding. Processes that share a batch use the same value.
    - `dtype`: dtype of the batches, None for float32. It is bfloat16 in a network that is prepared for it.
    """

    resized = False
    room: tuple[int, ...] = (0, 0)
    dtype: torch.dtype | None = None

    def batch_images(self, images: list[Tensor], size_divisible: int = 32) -> Tensor:
        """A batch `(N, 3, H, W)` of pictures `(3, h, w)`, padded with zeros on the right and at the bottom.

        H and W are multiples of `size_divisible` and at least the sides in `self.room`. The dtype is `self.dtype`, or
        that of the pictures if it is None.
        """
        batch = super().batch_images(images, size_divisible)
        min_height, min_width = (math.ceil(side / size_divisible) * size_divisible for side in self.room)
        batch = functional.pad(batch, (0, max(0, min_width - batch.shape[3]), 0, max(0, min_height - batch.shape[2])))
        return batch if self.dtype is None else batch.to(self.dtype)

    def resize(self, image: Tensor, target: dict[str, Tensor] | None = None) -> tuple[Tensor, dict[str, Tensor] | None]:
        """A picture and its target at the working size; unchanged if `resized` is set."""
        return (image, target) if self.resized else super().resize(image, target)
