"""The feature pyramid of one picture, for pages that look inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from maskrcnn.model.backbones import PYRAMID_LEVELS
from maskrcnn.model.build import StudioMaskRCNN
from maskrcnn.model.resize import resize, to_tensor, working_size


@dataclass(frozen=True)
class FeatureMaps:
    """Pyramid maps of one picture.

    `maps`: "P2".."P6" -> float32 `(C, h, w)`; `strides`: level -> pixels of the *resized* picture per cell; `scale`:
    (sx, sy), resized pixels per pixel of the picture. The maps are padded on the right and bottom to a multiple of 32
    pixels; cell (row, column) covers resized pixels [column * stride, (column + 1) * stride).
    """

    maps: dict[str, np.ndarray]
    strides: dict[str, int]
    scale: tuple[float, float]


@torch.inference_mode()
def features(model: StudioMaskRCNN, picture: np.ndarray) -> FeatureMaps:
    """The pyramid that `model` sees of one uint8 `(H, W, 3)` RGB picture. The model must be in eval mode."""
    height, width = picture.shape[:2]
    size = working_size(height, width, model.config)
    device = next(model.parameters()).device
    images, _ = model.transform([to_tensor(resize(picture, size)).to(device)])
    pyramid = model.backbone(images.tensors)
    maps = {PYRAMID_LEVELS[key]: value[0].float().cpu().numpy() for key, value in pyramid.items()}
    strides = {level: 2 ** int(level[1]) for level in maps}
    return FeatureMaps(maps, strides, (size[1] / width, size[0] / height))
