"""Decoding of keypoints: from the heatmaps of the keypoint head to one position for each keypoint.

The softmax of a heatmap is the probability that each of its cells contains the keypoint; the loss trains it as such (He
et al. 2017, "Mask R-CNN", sec. 5). There are two ways to choose one position:

- the most probable cell, as in the paper and in torchvision (`argmax`);
- the position with the highest expected OKS (`by_expected_oks`; Purkrabek and Matas 2025, "ProbPose"). If the
  probability is spread over many cells, this position is close to most of it, but the highest cell may be far away. The
  expected OKS is also a confidence in the unit of the evaluation measure, which a ranking of poses needs (Gu et al.
  2024, "On the Calibration of Human Pose Estimation").
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

AREA_OF_BOX = 0.53
"""Area of an object as a share of the area of its box, which OKS needs: about the share of people in COCO. With half or
twice this value, the keypoint AP of drawn people changes by less than 0.005."""

BOXES_AT_ONCE = 16
"""Number of boxes that are processed together, which limits the memory."""


def by_expected_oks(heatmaps: Tensor, boxes: Tensor, sigmas: Sequence[float]) -> tuple[Tensor, Tensor]:
    """The position of each keypoint with the highest expected OKS, and that OKS.

    `heatmaps`: logits `(N, K, S, S)`, whose S x S cells divide the `boxes`, xyxy `(N, 4)` in pixels; `sigmas`: one for
    each of the K keypoints, as shares of the object's size (cocodataset.org, keypoints evaluation). Returns the
    positions `(N, K, 3)` float32, (x, y, 1) in the frame of the boxes as in torchvision, and the expected OKS `(N, K)`
    float32 in [0, 1].

    A peak in the middle cell of a 3 x 3 heatmap over a box of 30 x 30 is a keypoint at (15, 15):

    >>> heatmap = torch.full((1, 1, 3, 3), -20.0)
    >>> heatmap[0, 0, 1, 1] = 20.0
    >>> positions, expected_oks = by_expected_oks(heatmap, torch.tensor([[0.0, 0.0, 30.0, 30.0]]), [0.1])
    >>> positions[0, 0].tolist(), round(expected_oks.item(), 3)
    ([15.0, 15.0, 1.0], 1.0)
    """
    groups = zip(heatmaps.split(BOXES_AT_ONCE), boxes.split(BOXES_AT_ONCE), strict=True)
    positions, values = zip(*(highest_expected_oks(maps, near, sigmas) for maps, near in groups), strict=True)
    return torch.cat(positions), torch.cat(values)


def highest_expected_oks(heatmaps: Tensor, boxes: Tensor, sigmas: Sequence[float]) -> tuple[Tensor, Tensor]:
    """`by_expected_oks` for a few boxes at once: positions `(N, K, 3)` and their expected OKS `(N, K)`.

    The OKS of a position for a keypoint at distance (dx, dy) is a product of a function of dx and one of dy. So the
    expected OKS of all cells is two matrix products with the probabilities. The best cell is then refined to a fraction
    of a cell by a parabola along each axis.
    """
    count, keypoints, side = heatmaps.shape[:3]
    probabilities = heatmaps.float().flatten(2).softmax(dim=2).view(count, keypoints, side, side)
    corner, size = boxes[:, :2].float(), (boxes[:, 2:] - boxes[:, :2]).float().clamp(min=1)
    reach = 2 * torch.tensor(sigmas, device=boxes.device)  # the constant k of OKS, twice sigma
    scale = (AREA_OF_BOX * size.prod(dim=1)).sqrt()[:, None, None]
    spread = reach[:, None] * scale / (size / side)[:, None]  # in cells, (N, K, xy)
    expected_oks = _oks_kernel(spread[..., 1], side) @ probabilities @ _oks_kernel(spread[..., 0], side)

    value, best = expected_oks.flatten(2).max(dim=2)
    y, x = best // side, best % side
    column = expected_oks.gather(3, x[..., None, None].expand(-1, -1, side, 1))[..., 0]
    row = expected_oks.gather(2, y[..., None, None].expand(-1, -1, 1, side))[..., 0, :]
    middle = torch.stack([x + _peak_offset(row, x), y + _peak_offset(column, y)], dim=2) + 0.5
    places = corner[:, None] + middle * (size / side)[:, None]
    return torch.cat([places, torch.ones_like(value)[..., None]], dim=2), value


def _oks_kernel(spread: Tensor, side: int) -> Tensor:
    """The factor of OKS along one axis, exp(-d^2 / (2 spread^2)), for all pairs of cells at distance d.

    `spread (...)` is in cells; the result is `(..., side, side)`.
    """
    place = torch.arange(side, device=spread.device, dtype=torch.float32)
    distance = (place[:, None] - place) ** 2
    return (-distance / (2 * spread[..., None, None] ** 2)).exp()


def _peak_offset(line: Tensor, top: Tensor) -> Tensor:
    """Offset in cells from the highest cell to the peak of the parabola through it and its two neighbours.

    `line (..., S)`: the values along one axis; `top (...)`: the index of the highest. 0 at both ends of the line.
    """
    last = line.shape[-1] - 1
    before, at, after = (line.gather(-1, (top + step).clamp(0, last)[..., None])[..., 0] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = torch.where(bend < 0, (before - after) / (2 * bend), 0.0)
    return torch.where((top > 0) & (top < last), shift, 0.0)
