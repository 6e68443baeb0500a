"""From the heatmaps of the keypoint head to one position for each keypoint.

The softmax of a heatmap is the probability of each of its cells to hold the keypoint: the loss trains it as that (He et
al. 2017, "Mask R-CNN", sec. 5). One position can be chosen in two ways:

- the most probable cell, as in the paper and in torchvision (`argmax`);
- the position with the highest expected OKS (`by_expected_oks`; Purkrabek and Matas 2025, "ProbPose"). Where the
  probability is spread out, this is where most of it is near, not the cell that happens to be the highest. The expected
  OKS is also a confidence in the unit of the measure, which a ranking of poses needs (Gu et al. 2024, "On the
  Calibration of Human Pose Estimation").
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

AREA_OF_BOX = 0.53
"""Area of an object as a share of its box, for OKS, which scales with the area: about that of people in COCO. With half
or twice as much, the keypoint AP of drawn people changes by less than 0.005."""

BOXES_AT_ONCE = 16
"""Boxes that are processed together, which bounds the memory."""


def by_expected_oks(heatmaps: Tensor, boxes: Tensor, sigmas: Sequence[float]) -> tuple[Tensor, Tensor]:
    """The position of each keypoint with the highest expected OKS, and that OKS.

    `heatmaps`: logits `(N, K, S, S)`, cell by cell over `boxes`, xyxy `(N, 4)` in pixels; `sigmas`: one for each of the
    K keypoints, as shares of the object's size (cocodataset.org, keypoints evaluation). Returns `(N, K, 3)` float32, x
    and y in the frame of the boxes and a 1, as torchvision does, and `(N, K)` float32 in [0, 1].

    A peak in the middle cell of a 3 x 3 heatmap over a box of 30 x 30 is a keypoint at (15, 15):

    >>> heatmap = torch.full((1, 1, 3, 3), -20.0)
    >>> heatmap[0, 0, 1, 1] = 20.0
    >>> positions, expected_oks = by_expected_oks(heatmap, torch.tensor([[0.0, 0.0, 30.0, 30.0]]), [0.1])
    >>> positions[0, 0].tolist(), round(expected_oks.item(), 3)
    ([15.0, 15.0, 1.0], 1.0)
    """
    groups = zip(heatmaps.split(BOXES_AT_ONCE), boxes.split(BOXES_AT_ONCE), strict=True)
    positions, values = zip(*(_highest_expected_oks(maps, near, sigmas) for maps, near in groups), strict=True)
    return torch.cat(positions), torch.cat(values)


def _highest_expected_oks(heatmaps: Tensor, boxes: Tensor, sigmas: Sequence[float]) -> tuple[Tensor, Tensor]:
    count, keypoints, side = heatmaps.shape[:3]
    probabilities = heatmaps.float().flatten(2).softmax(dim=2).view(count, keypoints, side, side)
    corner, size = boxes[:, :2].float(), (boxes[:, 2:] - boxes[:, :2]).float().clamp(min=1)
    reach = 2 * torch.tensor(sigmas, device=boxes.device)  # k of OKS
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
    """exp(-d^2 / (2 spread^2)) for each pair of cells with distance d along one axis: `(..., side, side)` from `spread`
    (...)."""
    place = torch.arange(side, device=spread.device, dtype=torch.float32)
    distance = (place[:, None] - place) ** 2
    return (-distance / (2 * spread[..., None, None] ** 2)).exp()


def _peak_offset(line: Tensor, top: Tensor) -> Tensor:
    """Offset in cells from the highest cell `top` (...) of `line` (..., S) to the vertex of the parabola through it and
    its two neighbours; 0 at the ends."""
    last = line.shape[-1] - 1
    before, at, after = (line.gather(-1, (top + step).clamp(0, last)[..., None])[..., 0] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = torch.where(bend < 0, (before - after) / (2 * bend), 0.0)
    return torch.where((top > 0) & (top < last), shift, 0.0)
