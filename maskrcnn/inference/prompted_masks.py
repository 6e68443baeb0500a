"""The mask of an object whose box a person drew: the mask head of a network, given that box.

The body of the network runs once for a picture (`picture_maps`), which takes most of the time. The mask of a box in it
then takes some milliseconds (`prompted_mask`). A network that does not know the class of the object has a mask head
too: the class that fits best is used instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from maskrcnn.annotations.hints.box_outline import SoftMask, resampled
from maskrcnn.annotations.hints.mask_outline import outline_of
from maskrcnn.annotations.raster import Box
from maskrcnn.annotations.regions import Shape
from maskrcnn.errors import StudioError
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.resize import resize, to_tensor, working_size

BOXES = ((0.0, 0.0, 1.0), (-0.04, 0.0, 1.05), (0.04, 0.0, 1.05), (0.0, -0.04, 1.05), (0.0, 0.04, 1.05))
"""The boxes over which masks are averaged: shift in x and y, and size, as shares of the person's box."""

CELLS = 112
"""Side of an averaged soft mask in cells."""

OUTLINE_SIDE = 512
"""Maximum side in pixels of the mask whose outline is followed. It has far more pixels than the network's mask."""


@dataclass(frozen=True)
class PictureMaps:
    """What the body of a network sees in one picture: the maps that the heads read.

    `maps`: `(1, C, h, w)` of each level. `size`: (height, width) of the picture for the network, `full` of the picture
    itself.
    """

    maps: dict[str, Tensor]
    size: tuple[int, int]
    full: tuple[int, int]


@dataclass(frozen=True)
class PromptedMask:
    """The mask of one object: its probabilities over a box, the class whose mask it is, and that class's score."""

    soft: SoftMask
    class_name: str
    score: float


def require_masks(model: StudioRCNN) -> None:
    """Raise `StudioError` if a network has no mask head."""
    if not model.roi_heads.has_mask():
        raise StudioError("this network finds no masks; choose one that was trained for them, such as toy")


@torch.inference_mode()
def picture_maps(model: StudioRCNN, picture: np.ndarray) -> PictureMaps:
    """Run the body of a network on a uint8 `(H, W, 3)` RGB picture. The network must be in eval mode."""
    height, width = picture.shape[:2]
    size = working_size(height, width, model.config)
    device = next(model.parameters()).device
    pixels = to_tensor(resize(picture, size)).to(device)
    maps = model.backbone(model.transform.batch_images([model.transform.normalize(pixels)]))
    return PictureMaps(maps, size, (height, width))


@torch.inference_mode()
def prompted_mask(model: StudioRCNN, maps: PictureMaps, box: Box, class_name: str | None = None) -> PromptedMask:
    """Return the mask of the object in a box (xyxy, picture pixels), of the class `class_name`.

    If the network does not know that class, it is the class that the box head finds most likely. The result is the
    mean over several boxes near the person's (`BOXES`): a network has learned from boxes that are not exact, so each
    alone is less certain. Values outside of the person's box are 0.

    Raises `StudioError` if the network has no mask head, or if no pixel of the box is in the picture.
    """
    require_masks(model)
    boxes = _boxes_near(box, maps)
    stretch = torch.tensor([maps.size[1] / maps.full[1], maps.size[0] / maps.full[0]] * 2)
    rois = (torch.from_numpy(boxes).float() * stretch).to(next(model.parameters()).device)
    heads = model.roi_heads
    scores, _ = heads.box_predictor(heads.box_head(heads.box_roi_pool(maps.maps, [rois[:1]], [maps.size])))
    chances = scores[0].softmax(dim=0)
    names = model.config.names
    label = 1 + names.index(class_name) if class_name in names else 1 + int(chances[1:].argmax())
    logits = heads.mask_logits(maps.maps, [rois], [maps.size])
    labels = torch.full((len(rois),), label, device=logits.device)
    masks = heads.mask_probabilities(logits, labels)[:, 0].float().cpu().numpy()
    # Mask targets that are not aligned show the picture half a pixel further right and down (see `StudioRoIHeads`).
    places = boxes if heads.aligned_targets else boxes + 0.5 / stretch.numpy()
    soft = _mean([SoftMask(mask, _box(place)) for mask, place in zip(masks, places, strict=True)], _box(boxes[0]))
    return PromptedMask(soft, names[label - 1], float(chances[label]))


def outline_of_soft_mask(soft: SoftMask) -> Shape | None:
    """Return the outline of the pixels that a soft mask covers (at least 0.5), in picture pixels; None if it is empty.

    It is followed in a mask of at most `OUTLINE_SIDE` pixels, so that its time does not depend on the picture.
    """
    x0, y0, x1, y1 = soft.box
    shrink = min(1.0, OUTLINE_SIDE / max(x1 - x0, y1 - y0))
    columns, rows = (max(2, round(side * shrink)) for side in (x1 - x0, y1 - y0))
    scale = (x1 - x0) / columns, (y1 - y0) / rows
    xs, ys = x0 + (np.arange(columns) + 0.5) * scale[0], y0 + (np.arange(rows) + 0.5) * scale[1]
    return outline_of(resampled(soft, xs, ys) >= 0.5, x0, y0, scale)


def _box(sides: np.ndarray) -> Box:
    """Return a box from an array `(4,)`."""
    x0, y0, x1, y1 = sides.tolist()
    return x0, y0, x1, y1


def _boxes_near(box: Box, maps: PictureMaps) -> np.ndarray:
    """Return the boxes over which masks are averaged, `(K, 4)` xyxy, the person's first, all within the picture.

    Raises `StudioError` if no pixel of the box is in the picture.
    """
    height, width = maps.full
    limits = np.array([width, height] * 2, float)
    own = np.clip(np.array(box, float), 0, limits)
    sides = own[2:] - own[:2]
    if not (sides > 0).all():
        raise StudioError("the box is outside the picture; draw it on the picture")
    found = []
    for right, down, size in BOXES:
        centre = (own[:2] + own[2:]) / 2 + np.array([right, down]) * sides
        found.append(np.clip(np.concatenate([centre - size * sides / 2, centre + size * sides / 2]), 0, limits))
    return np.stack(found)


def _mean(masks: list[SoftMask], box: Box) -> SoftMask:
    """Return the mean of soft masks over `box`. Where a mask ends within the box, its values are 0."""
    if len(masks) == 1 and masks[0].box == box:
        return masks[0]
    x0, y0, x1, y1 = box
    xs, ys = (low + (np.arange(CELLS) + 0.5) * (high - low) / CELLS for low, high in ((x0, x1), (y0, y1)))
    mean = np.mean([resampled(mask, xs, ys) for mask in masks], axis=0)
    return SoftMask(mean.astype(np.float32), box)
