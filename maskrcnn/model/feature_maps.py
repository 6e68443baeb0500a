"""The feature maps of one picture, which a page shows: the maps of the backbone that the RPN and the heads read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.resize import resize, to_tensor, working_size


@dataclass(frozen=True)
class FeatureMaps:
    """The feature maps of one picture that the RPN and the heads read.

    `maps`: level name ("P2".."P6", "C4" or "C5", see `StudioRCNN.level_names`) -> float32 `(C, h, w)`; `strides`: level
    name -> pixels of the *resized* picture per cell; `scale`: (sx, sy), resized pixels per pixel of the picture. The
    maps are padded on the right and bottom to a multiple of 32 pixels. Cell (row, column) covers the resized pixels
    with x in [column * stride, (column + 1) * stride), and y likewise.
    """

    maps: dict[str, np.ndarray]
    strides: dict[str, int]
    scale: tuple[float, float]


@torch.inference_mode()
def features(model: StudioRCNN, picture: np.ndarray) -> FeatureMaps:
    """The feature maps of a uint8 `(H, W, 3)` RGB picture in `model`, which must be in eval mode.

    >>> from maskrcnn.config import Config
    >>> from maskrcnn.model import build
    >>> model = build(Config.preset("classroom", image_min_dim=64, image_max_dim=64))
    >>> found = features(model, np.zeros((64, 64, 3), np.uint8))
    >>> found.maps["P2"].shape, found.maps["P5"].shape  # strides 4 and 32
    ((128, 16, 16), (128, 2, 2))
    """
    height, width = picture.shape[:2]
    size = working_size(height, width, model.config)
    device = next(model.parameters()).device
    images, _ = model.transform([to_tensor(resize(picture, size)).to(device)])
    pyramid = model.backbone(images.tensors)
    maps = {model.level_names[key]: value[0].float().cpu().numpy() for key, value in pyramid.items()}
    strides = dict(zip(maps, model.config.backbone_strides, strict=True))
    return FeatureMaps(maps, strides, (size[1] / width, size[0] / height))
