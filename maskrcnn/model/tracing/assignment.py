"""Assignment of training targets in one picture: the object of every anchor and proposal, by torchvision's matchers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection.roi_heads import keypoints_to_heatmap
from torchvision.models.detection.rpn import RegionProposalNetwork

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model.resize import resize_mask
from maskrcnn.model.roi_heads import StudioRoIHeads
from maskrcnn.words import counted

POSITIVE, NEGATIVE, NEUTRAL = 1, 0, -1
"""Training target of an anchor: an object; background; none, because its IoU is between the two limits."""


@dataclass(frozen=True)
class GroundTruth:
    """The labelled objects of one picture, in its own pixels.

    `boxes (N, 4)` float32 xyxy; `labels (N,)` int64 from 1; `masks (N, H, W)` bool and `keypoints (N, K, 3)` float32
    (x, y, v), None if they are unknown.
    """

    boxes: np.ndarray
    labels: np.ndarray
    masks: np.ndarray | None = None
    keypoints: np.ndarray | None = None

    @classmethod
    def parse(cls, targets: Mapping[str, Any], picture_size: tuple[int, int], config: Config) -> GroundTruth:
        """The ground truth from arrays by torchvision's names: `boxes`, `labels`, optionally `masks` and `keypoints`.

        `picture_size`: (height, width). Raises `StudioError` if an array does not fit the picture or the network.
        """
        boxes = np.asarray(targets["boxes"], np.float32).reshape(-1, 4)
        labels = np.asarray(targets["labels"], np.int64).reshape(-1)
        if len(labels) != len(boxes):
            raise StudioError(
                f"targets: {counted(len(boxes), 'box', 'boxes')} but {counted(len(labels), 'label')}; "
                "give one label for each box"
            )
        for number, (box, label) in enumerate(zip(boxes.tolist(), labels.tolist(), strict=True)):
            if not 1 <= label < config.num_classes:
                raise StudioError(
                    f"targets: object {number} has label {label}; this network knows 1 to {config.num_classes - 1}"
                )
            if not (np.isfinite(box).all() and box[2] > box[0] and box[3] > box[1]):
                raise StudioError(f"targets: object {number} has no area: {box}; give x1, y1, x2, y2 in pixels")
        wanted = {"masks": (len(boxes), *picture_size), "keypoints": (len(boxes), config.num_keypoints, 3)}
        more = {name: np.asarray(targets[name]) for name in wanted if targets.get(name) is not None}
        for name, array in more.items():
            if array.shape != wanted[name]:
                raise StudioError(f"targets: {name} have shape {array.shape}; {wanted[name]} is needed")
        masks, keypoints = more.get("masks"), more.get("keypoints")
        return cls(
            boxes,
            labels,
            None if masks is None else masks.astype(bool),
            None if keypoints is None or "keypoints" not in config.tasks else keypoints.astype(np.float32),
        )


@dataclass(frozen=True)
class Assignment:
    """The training targets of every anchor and every proposal of a picture.

    Training uses only a sample of them (`rpn_train_anchors_per_image`, `train_rois_per_image`), and adds the boxes of
    the objects to the proposals. Here are all anchors and all proposals, without these boxes. Frame: the resized
    picture.

    `truth`: the objects in pixels of the picture; `boxes (N, 4)` float32: their boxes in the resized picture.

    For the M anchors, in the order of their numbers in the trace: `anchor_labels (M,)` int64, `POSITIVE`, `NEGATIVE` or
    `NEUTRAL`; `anchor_objects (M,)` int64, the object of a positive anchor, else -1; `anchor_deltas (M, 4)` float32,
    the deltas that a positive anchor has to predict, else NaN.

    For the K proposals: `labels (K,)` int64, the class, 0 for background; `objects (K,)` int64, the object, else -1;
    `deltas (K, 4)` float32 in units of `bbox_std_dev`, NaN for background. For the P proposals that are not background,
    in order: `positives (P,)` int64, their indices; `masks (P, M, M)` float32 in [0, 1], the part of the object's mask
    inside the proposal, at `mask_shape`; `keypoint_cells (P, keypoints)` int64, row x side + column in the heatmap, -1
    for a keypoint that is not labelled or lies outside the proposal. `masks` and `keypoint_cells` are None without the
    task or its labels.
    """

    truth: GroundTruth
    boxes: np.ndarray
    anchor_labels: np.ndarray
    anchor_objects: np.ndarray
    anchor_deltas: np.ndarray
    labels: np.ndarray
    objects: np.ndarray
    deltas: np.ndarray
    positives: np.ndarray
    masks: np.ndarray | None
    keypoint_cells: np.ndarray | None


def assign(
    rpn: RegionProposalNetwork,
    heads: StudioRoIHeads,
    config: Config,
    truth: GroundTruth,
    anchors: Tensor,
    proposals: Tensor,
    size: tuple[int, int],
    scale: tuple[float, float],
) -> Assignment:
    """Assign the objects of `truth` to `anchors (M, 4)` and `proposals (K, 4)`.

    Both are xyxy in pixels of the resized picture of `size` (height, width). `scale`: (sx, sy), resized pixels per
    pixel of the picture.
    """
    device = anchors.device
    boxes = torch.from_numpy(truth.boxes * np.array([*scale, *scale], np.float32)).to(device)
    classes = torch.from_numpy(truth.labels).to(device)

    anchor_labels, matched_boxes = rpn.assign_targets_to_anchors([anchors], [{"boxes": boxes}])
    anchor_labels = anchor_labels[0].long()
    anchor_objects = torch.full_like(anchor_labels, -1)
    if len(boxes):
        matched = rpn.proposal_matcher(rpn.box_similarity(boxes, anchors))
        anchor_objects = torch.where(anchor_labels == POSITIVE, matched, anchor_objects)
    anchor_deltas = rpn.box_coder.encode(matched_boxes, [anchors])[0]

    if len(proposals):
        (objects,), (labels,) = heads.assign_targets_to_proposals([proposals], [boxes], [classes])
    else:  # torchvision's matcher refuses a picture without proposals
        objects = labels = classes.new_zeros(0)
    chosen = labels > 0
    deltas = torch.full((len(proposals), 4), torch.nan, device=device)
    if chosen.any():
        deltas[chosen] = heads.box_coder.encode([boxes[objects[chosen]]], [proposals[chosen]])[0]

    masks = cells = None
    if truth.masks is not None and heads.has_mask():
        small = np.stack([resize_mask(mask, size) for mask in truth.masks]) if len(boxes) else np.zeros((0, *size))
        like = anchors.new_empty(config.mask_shape)
        shrunk = torch.from_numpy(small).to(device)
        masks = heads.mask_targets([shrunk], [proposals[chosen]], [objects[chosen]], like).cpu().numpy()
    if truth.keypoints is not None and heads.has_keypoint():
        points = torch.from_numpy(truth.keypoints * np.array([*scale, 1], np.float32)).to(device)[objects[chosen]]
        places, seen = keypoints_to_heatmap(points, proposals[chosen], config.keypoint_shape)
        cells = torch.where(seen > 0, places, -1).cpu().numpy()

    return Assignment(
        truth=truth,
        boxes=boxes.cpu().numpy(),
        anchor_labels=anchor_labels.cpu().numpy(),
        anchor_objects=anchor_objects.cpu().numpy(),
        anchor_deltas=torch.where((anchor_labels == POSITIVE)[:, None], anchor_deltas, torch.nan).cpu().numpy(),
        labels=labels.cpu().numpy(),
        objects=torch.where(chosen, objects, -1).cpu().numpy(),
        deltas=deltas.cpu().numpy(),
        positives=torch.where(chosen)[0].cpu().numpy(),
        masks=masks,
        keypoint_cells=cells,
    )
