"""The filters of proposals (RPN) and of detections (box head), one by one, with the candidates that survive each.

They are the steps of torchvision's `RegionProposalNetwork.filter_proposals` and `RoIHeads.postprocess_detections` for
one picture, in the same order and with torchvision's operators, so the last survivors equal those of the network
(`tests/model/tracing/test_trace.py`). Here every step also returns the candidates that are left, and NMS also returns,
for each candidate that it dropped, the candidate that it kept instead.

All boxes are xyxy in pixels of the resized picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection.roi_heads import RoIHeads
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import batched_nms, box_iou, clip_boxes_to_image, remove_small_boxes

DECODED = "decoded"
PRE_NMS = "best per level"
CLIPPED = "clipped"
TOO_SMALL = "large enough"
OBJECTNESS = "objectness"
RPN_NMS = "RPN NMS"
POST_NMS = "best proposals"

REFINED = "refined"
BOX_CLIPPED = "boxes clipped"
SCORE = "score"
BOX_TOO_SMALL = "boxes large enough"
DETECTION_NMS = "detection NMS"
BEST = "best detections"

SMALLEST_BOX = 1e-2
"""Minimum side in pixels of a detection's box in `postprocess_detections`; that of the RPN is `rpn.min_size`."""


@dataclass(frozen=True)
class Filter:
    """One filter step and the candidates that survived it. `name` is one of the names above.

    `knob`: the Config field that sets the limit, "" if there is none; `limit`: the limit (a score, an IoU, a number of
    boxes or of pixels), 0 if the step drops nothing; `survivors (S,)` int64: numbers of the candidates that are left,
    in the network's order; `boxes (S, 4)` float32: their boxes after this step; `scores (S,)` float32: objectness or
    class probability, in [0, 1]; `groups (S,)` int64: the level of a proposal (0 is the finest) or the class of a
    detection. Ranking and NMS treat each group separately.
    """

    name: str
    knob: str
    limit: float
    survivors: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    groups: np.ndarray

    @property
    def count(self) -> int:
        """The number of candidates that are left."""
        return len(self.survivors)


@dataclass(frozen=True)
class Suppression:
    """The candidates that NMS dropped, and in favour of which ones.

    `dropped (D,)` int64: numbers of the dropped candidates; `by (D,)` int64: for each the survivor with the highest
    score in the same group that overlaps it by more than the limit; `ious (D,)` float32: the IoU of the two.
    """

    dropped: np.ndarray
    by: np.ndarray
    ious: np.ndarray

    def dropped_for(self, kept: int) -> tuple[np.ndarray, np.ndarray]:
        """The candidates that NMS dropped in favour of the candidate `kept`, and the IoU of each with it."""
        chosen = self.by == kept
        return self.dropped[chosen], self.ious[chosen]


@dataclass(frozen=True)
class _Remaining:
    """The candidates that are left between two filters, as tensors; the fields are those of `Filter`."""

    survivors: Tensor
    boxes: Tensor
    scores: Tensor
    groups: Tensor

    def keep(self, chosen: Tensor | slice) -> _Remaining:
        """Only the chosen candidates."""
        return _Remaining(self.survivors[chosen], self.boxes[chosen], self.scores[chosen], self.groups[chosen])

    def clip(self, size: tuple[int, int]) -> _Remaining:
        """The same candidates with boxes clipped to a picture of `size` (height, width)."""
        return _Remaining(self.survivors, clip_boxes_to_image(self.boxes, size), self.scores, self.groups)

    def as_filter(self, name: str, knob: str = "", limit: float = 0) -> Filter:
        """The `Filter` of that name that these candidates survived."""
        arrays = (tensor.cpu().numpy() for tensor in (self.survivors, self.boxes, self.scores, self.groups))
        return Filter(name, knob, limit, *arrays)


def filter_proposals(
    rpn: RegionProposalNetwork, boxes: Tensor, objectness: Tensor, level_sizes: list[int], size: tuple[int, int]
) -> tuple[tuple[Filter, ...], Suppression]:
    """The seven filters of the RPN, from every decoded box (`DECODED`) to the proposals (`POST_NMS`), and what NMS
    dropped.

    `boxes (M, 4)` and logits `objectness (M,)` of all anchors, level after level; `level_sizes`: the number of anchors
    of each level; `size`: (height, width) of the resized picture. A candidate has the number of its anchor. The RPN
    must be in eval mode.
    """
    groups = torch.cat([boxes.new_full((count,), level, dtype=torch.int64) for level, count in enumerate(level_sizes)])
    left = _Remaining(torch.arange(len(boxes), device=boxes.device), boxes, objectness.sigmoid(), groups)
    filters = [left.as_filter(DECODED)]
    # By the logits, as in the network: two different logits can have the same sigmoid in float32.
    left = left.keep(rpn._get_top_n_idx(objectness[None], level_sizes)[0])
    filters.append(left.as_filter(PRE_NMS, "pre_nms_limit", rpn.pre_nms_top_n()))
    left = left.clip(size)
    filters.append(left.as_filter(CLIPPED))
    left = left.keep(remove_small_boxes(left.boxes, rpn.min_size))
    filters.append(left.as_filter(TOO_SMALL, "", rpn.min_size))
    left = left.keep(torch.where(left.scores >= rpn.score_thresh)[0])
    filters.append(left.as_filter(OBJECTNESS, "rpn_min_score", rpn.score_thresh))
    left, suppression = _suppress(left, rpn.nms_thresh)
    filters.append(left.as_filter(RPN_NMS, "rpn_nms_threshold", rpn.nms_thresh))
    left = left.keep(slice(rpn.post_nms_top_n()))
    filters.append(left.as_filter(POST_NMS, "post_nms_rois_inference", rpn.post_nms_top_n()))
    return tuple(filters), suppression


def filter_detections(
    heads: RoIHeads, boxes: Tensor, probabilities: Tensor, size: tuple[int, int]
) -> tuple[tuple[Filter, ...], Suppression]:
    """The six filters of the box head, from every proposal for every class (`REFINED`) to the detections (`BEST`); and
    what NMS dropped.

    `boxes (K, C, 4)`: each proposal after the box head refined it for each class; `probabilities (K, C)`; `size`:
    (height, width) of the resized picture. Class 0, the background, is no candidate: candidate i is proposal
    i // (C - 1) for class i % (C - 1) + 1.
    """
    count, classes = probabilities.shape
    groups = torch.arange(1, classes, device=boxes.device).expand(count, -1).reshape(-1)
    everything = torch.arange(len(groups), device=boxes.device)
    left = _Remaining(everything, boxes[:, 1:].reshape(-1, 4), probabilities[:, 1:].reshape(-1), groups)
    filters = [left.as_filter(REFINED)]
    left = left.clip(size)
    filters.append(left.as_filter(BOX_CLIPPED))
    left = left.keep(torch.where(left.scores > heads.score_thresh)[0])
    filters.append(left.as_filter(SCORE, "detection_min_confidence", heads.score_thresh))
    left = left.keep(remove_small_boxes(left.boxes, SMALLEST_BOX))
    filters.append(left.as_filter(BOX_TOO_SMALL, "", SMALLEST_BOX))
    left, suppression = _suppress(left, heads.nms_thresh)
    filters.append(left.as_filter(DETECTION_NMS, "detection_nms_threshold", heads.nms_thresh))
    left = left.keep(slice(heads.detections_per_img))
    filters.append(left.as_filter(BEST, "detection_max_instances", heads.detections_per_img))
    return tuple(filters), suppression


def _suppress(before: _Remaining, threshold: float) -> tuple[_Remaining, Suppression]:
    """torchvision's greedy NMS within each group: the candidates that are left, and the `Suppression` of the others.

    NMS takes the boxes in the order of their scores. Each box that is left drops all later boxes whose IoU with it is
    above the threshold. So a dropped box was dropped by the best box that is left and overlaps it that much.
    """
    order = batched_nms(before.boxes, before.scores, before.groups, threshold)
    gone = torch.ones(len(before.boxes), dtype=torch.bool, device=before.boxes.device)
    gone[order] = False
    dropped, by, ious = [], [], []
    for group in before.groups[gone].unique():
        losers = torch.where(gone & (before.groups == group))[0]
        kept = order[before.groups[order] == group]  # best first
        overlap = box_iou(before.boxes[losers], before.boxes[kept])
        above = overlap > threshold
        # argmax returns the first True. torchvision shifts the groups apart to process them together, which can round
        # an IoU to the other side of the threshold; then no IoU is above it here, and the largest is taken.
        first = torch.where(above.any(dim=1), above.int().argmax(dim=1), overlap.argmax(dim=1))
        dropped.append(before.survivors[losers])
        by.append(before.survivors[kept[first]])
        ious.append(overlap.gather(1, first[:, None])[:, 0])
    nothing = before.survivors[:0]
    found = Suppression(
        torch.cat([nothing, *dropped]).cpu().numpy(),
        torch.cat([nothing, *by]).cpu().numpy(),
        torch.cat([before.scores[:0], *ious]).cpu().numpy(),
    )
    return before.keep(order), found
