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

    @property
    def nbytes(self) -> int:
        """The size of the maps in bytes."""
        return sum(level.nbytes for level in self.maps.values())


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

    If the network does not know that class, it is the class that the box head finds most likely.

    Raises `StudioError` if the network has no mask head, or if no pixel of the box is in the picture.
    """
    require_masks(model)
    inside = _within_picture(box, maps)
    stretch = np.array([maps.size[1] / maps.full[1], maps.size[0] / maps.full[0]] * 2)
    rois = torch.from_numpy(inside * stretch)[None].float().to(next(model.parameters()).device)
    heads = model.roi_heads
    scores, _ = heads.box_predictor(heads.box_head(heads.box_roi_pool(maps.maps, [rois], [maps.size])))
    chances = scores[0].softmax(dim=0)
    names = model.config.names
    label = 1 + names.index(class_name) if class_name in names else 1 + int(chances[1:].argmax())
    logits = heads.mask_logits(maps.maps, [rois], [maps.size])
    mask = heads.mask_probabilities(logits, torch.tensor([label], device=logits.device))[0, 0].float().cpu().numpy()
    # Mask targets that are not aligned show the picture half a pixel further right and down (see `StudioRoIHeads`).
    x0, y0, x1, y1 = (inside if heads.aligned_targets else inside + 0.5 / stretch).tolist()
    return PromptedMask(SoftMask(mask, (x0, y0, x1, y1)), names[label - 1], float(chances[label]))


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


def _within_picture(box: Box, maps: PictureMaps) -> np.ndarray:
    """Return the part of a box within the picture, `(4,)` xyxy. Raises `StudioError` if it has no pixel there."""
    height, width = maps.full
    inside = np.clip(np.array(box, float), 0, [width, height, width, height])
    if not (inside[2:] > inside[:2]).all():
        raise StudioError("the box is outside the picture; draw it on the picture")
    return inside
