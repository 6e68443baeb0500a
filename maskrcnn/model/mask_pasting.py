"""Pasting of masks: from the soft mask of a detection to its pixels in the picture, and their COCO run lengths.

The mask head predicts a grid `(M, M)` of probabilities for each box. It is resized to the box and thresholded at 0.5
(He et al. 2017, section 3). Only the pixels within the box are computed, and the run lengths are made without a bitmap
of the whole picture.

There are two ways to resize it. Exact: the grid is interpolated at the exact position of every pixel centre in the box.
Legacy: as torchvision, which first rounds the box to whole pixels and so moves an outline by up to a pixel.
torchvision's COCO weights are evaluated with that, so networks with `pooling = align-legacy` use it;
tests/model/test_mask_pasting.py compares it with torchvision's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pycocotools import mask as coco_mask
from torch.nn import functional
from torchvision.models.detection.roi_heads import expand_boxes, expand_masks

from maskrcnn.config import Config


@dataclass(frozen=True)
class MaskCrop:
    """A pasted mask, cropped to its box.

    `inside (w, h)` bool, indexed by column, then row, which is the order of COCO's run lengths; its first pixel is
    (`left`, `top`) of the picture.
    """

    inside: np.ndarray
    left: int
    top: int


NOTHING = MaskCrop(np.zeros((0, 0), bool), 0, 0)


def crop_mask(
    mask: np.ndarray, box: np.ndarray, height: int, width: int, legacy: bool = False, threshold: float = 0.5
) -> MaskCrop:
    """The pixels that a soft mask covers, as a `MaskCrop` of a picture of that size.

    `mask`: float32 `(M, M)` in [0, 1]; `box`: xyxy in pixels; `legacy`: paste as torchvision does; `threshold`:
    probability from which a pixel is covered.
    """
    return (_legacy_crop if legacy else _exact_crop)(mask, box, height, width, threshold)


def pastes_legacy(config: Config) -> bool:
    """Whether masks of the network that `config` describes are pasted as torchvision does (`legacy`)."""
    return config.pooling == "align-legacy"


def paste_mask(mask: np.ndarray, box: np.ndarray, height: int, width: int, legacy: bool = False) -> np.ndarray:
    """The pixels that a soft mask covers, as a uint8 bitmap `(height, width)` of 0 and 1 in Fortran order.

    The arguments are those of `crop_mask`. COCO's encoder needs Fortran order.

    A mask of 1 over a box of 2 x 1 pixels:

    >>> paste_mask(np.ones((4, 4), np.float32), np.array([1.0, 0.0, 3.0, 1.0]), height=2, width=4).tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    """
    part = crop_mask(mask, box, height, width, legacy)
    bitmap = np.zeros((height, width), np.uint8, order="F")
    right, bottom = part.left + part.inside.shape[0], part.top + part.inside.shape[1]
    bitmap[part.top : bottom, part.left : right] = part.inside.T
    return bitmap


def _exact_crop(mask: np.ndarray, box: np.ndarray, height: int, width: int, threshold: float) -> MaskCrop:
    """The mask interpolated at the exact positions of the pixel centres in its box, and thresholded."""
    x1, y1, x2, y2 = (float(side) for side in box)
    left, top = max(0, int(np.floor(x1))), max(0, int(np.floor(y1)))
    right, bottom = min(width, int(np.ceil(x2))), min(height, int(np.ceil(y2)))
    if right <= left or bottom <= top or x2 <= x1 or y2 <= y1:
        return NOTHING
    rows = _interpolation_weights(np.arange(top, bottom) + 0.5, y1, y2, mask.shape[0])
    columns = _interpolation_weights(np.arange(left, right) + 0.5, x1, x2, mask.shape[1])
    return MaskCrop((columns @ mask.T) @ rows.T >= threshold, left, top)


def _interpolation_weights(centres: np.ndarray, low: float, high: float, cells: int) -> np.ndarray:
    """Weights `(P, cells)` of linear interpolation along one axis: `weights @ values` are the interpolated values.

    The `cells` values belong to the middles of `cells` equal parts of [low, high]. They are interpolated at the P
    positions `centres`. Outside the first and the last value, the result falls to 0 within one cell.
    """
    position = (centres - low) / (high - low) * cells - 0.5
    return np.clip(1 - np.abs(position[:, None] - np.arange(cells)), 0, None).astype(np.float32)


def _legacy_crop(mask: np.ndarray, box: np.ndarray, height: int, width: int, threshold: float) -> MaskCrop:
    """The mask as torchvision's `paste_masks_in_image` pastes it, more than the threshold, cropped to its box."""
    padded, scale = expand_masks(torch.from_numpy(np.ascontiguousarray(mask))[None, None], padding=1)
    expanded = expand_boxes(torch.from_numpy(np.asarray(box, np.float32))[None], scale).to(torch.int64)
    x1, y1, x2, y2 = expanded[0].tolist()
    x2, y2 = max(x2, x1) + 1, max(y2, y1) + 1  # the box includes its last pixel, and has at least one
    left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    if right <= left or bottom <= top:
        return NOTHING
    soft = functional.interpolate(padded, size=(y2 - y1, x2 - x1), mode="bilinear", align_corners=False)[0, 0]
    inside = soft[top - y1 : bottom - y1, left - x1 : right - x1] > threshold
    return MaskCrop(np.ascontiguousarray(inside.numpy().T), left, top)  # `MaskCrop` is indexed by column, then row


def encode_crop(part: MaskCrop, height: int, width: int) -> dict[str, Any]:
    """COCO's compressed RLE, for JSON, of the mask `part` in a picture of `height` x `width` pixels.

    The counts are the lengths of alternating runs of 0 and 1, down the columns, beginning with 0.

    >>> whole = crop_mask(np.ones((28, 28), np.float32), np.array([1, 0, 3, 1]), height=2, width=4)
    >>> coco_mask.decode(encode_crop(whole, height=2, width=4)).tolist()
    [[0, 1, 1, 0], [0, 0, 0, 0]]
    """
    columns, rows = part.inside.shape
    padded = np.zeros((columns, rows + 2), bool)
    padded[:, 1:-1] = part.inside
    column, row = np.divmod(np.flatnonzero(padded[:, 1:] != padded[:, :-1]), rows + 1)
    return encode_runs((part.left + column) * height + part.top + row, height, width)


def encode_runs(places: np.ndarray, height: int, width: int) -> dict[str, Any]:
    """COCO's compressed RLE, for JSON, of runs of pixels in a picture of `height` x `width` pixels.

    `places (2 R,)`: the first pixel of each run and the one after its last, in turn and ascending; pixels are counted
    down the columns. Runs that touch become one.

    >>> coco_mask.decode(encode_runs(np.array([1, 2, 2, 3]), height=2, width=2)).tolist()
    [[0, 1], [1, 0]]
    """
    joined = np.flatnonzero(places[1:] == places[:-1])
    places = np.delete(places, np.concatenate([joined, joined + 1]))
    counts = np.diff(places, prepend=0, append=height * width)
    if len(counts) > 1 and counts[-1] == 0:
        counts = counts[:-1]
    code = coco_mask.frPyObjects({"size": [height, width], "counts": counts.tolist()}, height, width)
    return {"size": [height, width], "counts": code["counts"].decode("ascii")}


@dataclass(frozen=True)
class GridFrame:
    """Where the cells of a soft mask lie in the picture: what `crop_mask` computes with, as numbers.

    Pixels from column `left` to before `right` and from row `top` to before `bottom` are in the box. `low` and `step`
    (of columns, of rows): the middle of cell k is at `low + k * step` in pixels of the picture.
    """

    left: int
    top: int
    right: int
    bottom: int
    low: tuple[float, float]
    step: tuple[float, float]

    def cell_of_column(self, column: np.ndarray) -> np.ndarray:
        """The position of the centres of columns of pixels, in cells from the middle of the first cell."""
        return (column + 0.5 - self.low[0]) / self.step[0]

    def row_of_cell(self, cell: np.ndarray) -> np.ndarray:
        """The row whose centre is at a position in cells; a fraction if it lies between centres."""
        return self.low[1] + cell * self.step[1] - 0.5


def grid_frame(mask: np.ndarray, box: np.ndarray, height: int, width: int, legacy: bool = False) -> GridFrame | None:
    """The `GridFrame` of a soft mask `(M, M)`, None if no pixel of the picture is in the box. See `crop_mask`."""
    cells, extra = mask.shape[0], 0
    if legacy:  # a border of one cell is added, and the box is rounded and includes its last pixel
        extra = 1
        scale = (cells + 2) / cells
        expanded = expand_boxes(torch.from_numpy(np.asarray(box, np.float32))[None], scale).to(torch.int64)
        x1, y1, x2, y2 = (float(side) for side in expanded[0].tolist())
        x2, y2 = max(x2, x1) + 1, max(y2, y1) + 1
    else:
        x1, y1, x2, y2 = (float(side) for side in box)
    left, top = max(0, int(np.floor(x1))), max(0, int(np.floor(y1)))
    right, bottom = min(width, int(np.ceil(x2))), min(height, int(np.ceil(y2)))
    if right <= left or bottom <= top or x2 <= x1 or y2 <= y1:
        return None
    step = ((x2 - x1) / (cells + 2 * extra), (y2 - y1) / (cells + 2 * extra))
    return GridFrame(left, top, right, bottom, (x1 + (0.5 + extra) * step[0], y1 + (0.5 + extra) * step[1]), step)
