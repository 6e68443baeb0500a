"""From the heatmaps of the keypoint head to one place for each keypoint.

The softmax of a heatmap is the chance of each of its cells to hold the keypoint: that is what the loss asks for (He et
al. 2017, "Mask R-CNN", sec. 5). There are two ways to name one place:

- the most likely one, as in the paper and in torchvision (`argmax`);
- the one that is worth most by the measure, the place of the highest expected OKS (`by_expected_oks`; Purkrabek and
  Matas 2025, "ProbPose"). Where the network is unsure and the chance lies spread out, this is where most of it is near,
  not the cell that happens to be the highest. What is expected there says how sure the network is of the keypoint, in
  the unit of the measure, which is what a ranking of poses needs (Gu et al. 2024, "On the Calibration of Human Pose
  Estimation").
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

FILLED = 0.53
"""Share of its box that an object fills, for OKS, which goes by its area: about that of people in COCO. With half or
twice as much, the keypoint AP of drawn people moves by less than 0.005."""

BOXES_AT_ONCE = 16
"""Boxes that are looked at together, which bounds the memory."""


def by_expected_oks(heatmaps: Tensor, boxes: Tensor, sigmas: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Where each keypoint has the highest expected OKS, and how high that is.

    `heatmaps`: logits `(N, K, S, S)`, cell by cell over `boxes`, xyxy `(N, 4)` in pixels; `sigmas`: one for each of the
    K keypoints, as shares of the object's size (cocodataset.org, keypoints evaluation). Returns `(N, K, 3)` float32, x
    and y in the frame of the boxes and a 1, as torchvision does, and `(N, K)` float32 in [0, 1].
    """
    groups = zip(heatmaps.split(BOXES_AT_ONCE), boxes.split(BOXES_AT_ONCE), strict=True)
    places, worths = zip(*(_best_places(maps, near, sigmas) for maps, near in groups), strict=True)
    return torch.cat(places), torch.cat(worths)


def _best_places(heatmaps: Tensor, boxes: Tensor, sigmas: Sequence[float]) -> tuple[Tensor, Tensor]:
    count, keypoints, side = heatmaps.shape[:3]
    chances = heatmaps.float().flatten(2).softmax(dim=2).view(count, keypoints, side, side)
    corner, size = boxes[:, :2].float(), (boxes[:, 2:] - boxes[:, :2]).float().clamp(min=1)
    reach = 2 * torch.tensor(sigmas, device=boxes.device)  # k of OKS
    cells = reach[:, None] * (FILLED * size.prod(dim=1)).sqrt()[:, None, None] / (size / side)[:, None]  # (N, K, xy)
    worth = _similarity(cells[..., 1], side) @ chances @ _similarity(cells[..., 0], side)

    value, best = worth.flatten(2).max(dim=2)
    y, x = best // side, best % side
    column = worth.gather(3, x[..., None, None].expand(-1, -1, side, 1))[..., 0]
    row = worth.gather(2, y[..., None, None].expand(-1, -1, 1, side))[..., 0, :]
    middle = torch.stack([x + _summit(row, x), y + _summit(column, y)], dim=2) + 0.5
    places = corner[:, None] + middle * (size / side)[:, None]
    return torch.cat([places, torch.ones_like(value)[..., None]], dim=2), value


def _similarity(spread: Tensor, side: int) -> Tensor:
    """`(..., side, side)`: exp(-d^2 / (2 spread^2)) of two cells that are d apart along one axis, `spread` (...)."""
    place = torch.arange(side, device=spread.device, dtype=torch.float32)
    distance = (place[:, None] - place) ** 2
    return (-distance / (2 * spread[..., None, None] ** 2)).exp()


def _summit(line: Tensor, top: Tensor) -> Tensor:
    """How far beside its highest cell `top` (...) the parabola through it and its neighbours in `line` (..., S) has its
    summit, in cells; 0 at the ends."""
    last = line.shape[-1] - 1
    before, at, after = (line.gather(-1, (top + step).clamp(0, last)[..., None])[..., 0] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = torch.where(bend < 0, (before - after) / (2 * bend), 0.0)
    return torch.where((top > 0) & (top < last), shift, 0.0)
