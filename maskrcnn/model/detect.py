"""From a picture to detections in COCO's results format."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from pycocotools import mask as coco_mask

from maskrcnn.model.build import StudioMaskRCNN
from maskrcnn.model.resize import resize, to_tensor, working_size


@torch.inference_mode()
def detect(model: StudioMaskRCNN, picture: np.ndarray, image_id: int = 0) -> list[dict[str, Any]]:
    """Detections of one uint8 `(H, W, 3)` RGB picture, best first.

    Each is `{"image_id", "category_id", "bbox": [x, y, w, h], "score", "segmentation": compressed RLE}` in pixels of
    that picture. `category_id` is the class index, 1 to num_classes - 1. The model must be in eval mode.
    """
    height, width = picture.shape[:2]
    size = working_size(height, width, model.config)
    device = next(model.parameters()).device
    images, _ = model.transform([to_tensor(resize(picture, size)).to(device)])
    maps = model.backbone(images.tensors)
    proposals, _ = model.rpn(images, maps)
    (found,), _ = model.roi_heads(maps, proposals, images.image_sizes)

    stretch = torch.tensor([width / size[1], height / size[0]] * 2)
    boxes = (found["boxes"].float().cpu() * stretch).numpy()
    masks = found["masks"][:, 0].float().cpu().numpy()
    detections = []
    for box, label, score, mask in zip(boxes, found["labels"].tolist(), found["scores"].tolist(), masks, strict=True):
        x1, y1, x2, y2 = (float(value) for value in box)
        detections.append(
            {
                "image_id": image_id,
                "category_id": label,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "score": score,
                "segmentation": encode(paste(mask, box, height, width)),
            }
        )
    return detections


def paste(mask: np.ndarray, box: np.ndarray, height: int, width: int, threshold: float = 0.5) -> np.ndarray:
    """The soft `(M, M)` mask of a `box` (xyxy, pixels of the picture) as a uint8 `(height, width)` bitmap of 0 and 1.

    Every pixel centre within the box reads the mask bilinearly at its exact place (He et al. 2017, sec. 3.1: resized to
    the RoI, binarised at 0.5). Only the pixels of the box are computed. torchvision rounds the box to whole pixels
    first, which moves an outline by up to a pixel.
    """
    x1, y1, x2, y2 = box
    left, top = max(0, int(np.floor(x1))), max(0, int(np.floor(y1)))
    right, bottom = min(width, int(np.ceil(x2))), min(height, int(np.ceil(y2)))
    bitmap = np.zeros((height, width), np.uint8, order="F")
    if right > left and bottom > top and x2 > x1 and y2 > y1:
        rows = _interpolation(np.arange(top, bottom) + 0.5, y1, y2, mask.shape[0])
        columns = _interpolation(np.arange(left, right) + 0.5, x1, x2, mask.shape[1])
        bitmap[top:bottom, left:right] = rows @ mask @ columns.T >= threshold
    return bitmap


def _interpolation(centres: np.ndarray, low: float, high: float, cells: int) -> np.ndarray:
    """`(len(centres), cells)` weights that read a row of `cells` values, spread over [low, high], linearly at
    `centres`.

    Beyond the outermost values the row fades to 0 within one cell, as if it were padded with one.
    """
    position = (centres - low) / (high - low) * cells - 0.5
    return np.clip(1 - np.abs(position[:, None] - np.arange(cells)), 0, None).astype(np.float32)


def encode(bitmap: np.ndarray) -> dict[str, Any]:
    """COCO's compressed RLE of a uint8 bitmap, as JSON can hold it."""
    code = coco_mask.encode(np.asfortranarray(bitmap))
    return {"size": [int(side) for side in code["size"]], "counts": code["counts"].decode("ascii")}
