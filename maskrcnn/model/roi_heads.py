"""The RoI heads: from proposals to losses or detections, with the mask losses that the paper compares.

torchvision's class knows one mask head; here masks may be one per class with a sigmoid, one per class with a softmax
over the classes, or class-agnostic, and their targets are cut with the same pixel model as the RoIs are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.models.detection.roi_heads import RoIHeads, fastrcnn_loss, keypointrcnn_inference, keypointrcnn_loss
from torchvision.ops import roi_align

from maskrcnn.annotations.polygon_outline import Outline
from maskrcnn.model.keypoint_decoding import by_expected_oks

Target = dict[str, Any]
Masks = Tensor | Sequence[Outline]
"""The masks of a picture: bitmaps `(N, H, W)`, or the outline of each object."""
OutlineRois = tuple[list[list[float]], list[int]]
"""RoIs xyxy of a picture, and the number of the object that each is for."""


class StudioRoIHeads(RoIHeads):
    """torchvision's `RoIHeads` with `mask_kind`, a choice of pixel model for the mask targets and of how heatmaps are
    read.

    `oks_sigmas`: one for each keypoint where places are chosen by expected OKS, None where they are the peaks.
    `aligned_targets`: whether the value of a mask pixel sits at its centre (x + 0.5), which is where it is; torchvision
    takes it to sit at x, and its COCO weights have learned so.
    """

    def __init__(
        self,
        *parts: Any,
        mask_kind: str = "sigmoid",
        aligned_targets: bool = True,
        oks_sigmas: Sequence[float] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(*parts, **more)
        self.mask_kind = mask_kind
        self.oks_sigmas = oks_sigmas
        self.aligned_targets = aligned_targets

    def forward(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: list[Target] | None = None,
    ) -> tuple[list[dict[str, Tensor]], dict[str, Tensor]]:
        """Detections of every picture, or in training the losses; one of the two is empty.

        `proposals`: xyxy `(K_i, 4)` of each picture in pixels of the resized picture, as are all boxes here.
        """
        if self.training:
            return [], self._losses(features, proposals, image_shapes, targets)
        return self._detections(features, proposals, image_shapes), {}

    def _losses(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: list[Target] | None,
    ) -> dict[str, Tensor]:
        proposals, matched, labels, deltas = self.select_training_samples(proposals, targets)
        assert targets is not None  # or the line above would have raised
        # Masks and keypoints are learned on positive RoIs only.
        positive = [label > 0 for label in labels]
        boxes = [proposal[chosen] for proposal, chosen in zip(proposals, positive, strict=True)]
        objects = [match[chosen] for match, chosen in zip(matched, positive, strict=True)]
        classes = torch.cat([label[chosen] for label, chosen in zip(labels, positive, strict=True)])
        # Fetched before the heads run: fetched later, a card would first finish these and then wait for the targets,
        # which the processor cuts while the heads run.
        places = self._outline_rois(targets, boxes, objects)
        logits, regression = self._classify(features, proposals, image_shapes)
        if len(logits):
            class_loss, box_loss = fastrcnn_loss(logits, regression, labels, deltas)
        else:  # pictures without an object and without a proposal: torch's mean of nothing is NaN
            class_loss, box_loss = logits.sum() * 0, regression.sum() * 0
        losses = {"loss_classifier": class_loss, "loss_box_reg": box_loss}

        if self.has_mask():
            masks = [target["masks"] for target in targets]
            logits = self.mask_logits(features, boxes, image_shapes)
            cut = self.mask_targets(masks, boxes, objects, logits, places)
            losses["loss_mask"] = self.mask_loss(logits, cut, classes)
        if self.has_keypoint():
            keypoints = [target["keypoints"] for target in targets]
            logits = self.keypoint_logits(features, boxes, image_shapes)
            # torchvision views the logits as rows, which those of a channels_last network are not.
            losses["loss_keypoint"] = keypointrcnn_loss(logits.contiguous(), boxes, keypoints, objects)
        return losses

    def _detections(
        self, features: dict[str, Tensor], proposals: list[Tensor], image_shapes: list[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        logits, regression = self._classify(features, proposals, image_shapes)
        boxes, scores, labels = self.postprocess_detections(logits, regression, proposals, image_shapes)
        found = [
            {"boxes": box, "labels": label, "scores": score}
            for box, label, score in zip(boxes, labels, scores, strict=True)
        ]
        if self.has_mask():
            logits = self.mask_logits(features, boxes, image_shapes)
            masks = self.mask_probabilities(logits, torch.cat(labels)).split([len(box) for box in boxes])
            for detection, mask in zip(found, masks, strict=True):
                detection["masks"] = mask
        if self.has_keypoint():
            logits = self.keypoint_logits(features, boxes, image_shapes)
            for detection, points, scores in zip(found, *self.read_keypoints(logits, boxes), strict=True):
                detection |= {"keypoints": points, "keypoints_scores": scores}
        return found

    def _classify(
        self, features: dict[str, Tensor], boxes: list[Tensor], shapes: list[tuple[int, int]]
    ) -> tuple[Tensor, Tensor]:
        """Class logits `(K, C)` and deltas `(K, 4 C)` of the boxes of all pictures."""
        return self.box_predictor(self.box_head(self.box_roi_pool(features, boxes, shapes)))

    def mask_logits(self, features: dict[str, Tensor], boxes: list[Tensor], shapes: list[tuple[int, int]]) -> Tensor:
        """`(K, masks, M, M)` for the boxes of all pictures."""
        return self.mask_predictor(self.mask_head(self.mask_roi_pool(features, boxes, shapes)))

    def keypoint_logits(
        self, features: dict[str, Tensor], boxes: list[Tensor], shapes: list[tuple[int, int]]
    ) -> Tensor:
        """`(K, keypoints, M, M)` for the boxes of all pictures."""
        return self.keypoint_predictor(self.keypoint_head(self.keypoint_roi_pool(features, boxes, shapes)))

    def read_keypoints(self, logits: Tensor, boxes: list[Tensor]) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """Keypoints from the heatmaps `(sum N_i, keypoints, M, M)` of all pictures: for each picture their positions
        `(N_i, keypoints, 3)` in the frame of its boxes, and the score of each `(N_i, keypoints)`: its expected OKS, or
        the logit at its peak."""
        if self.oks_sigmas is None:
            return keypointrcnn_inference(logits, boxes)
        counts = [len(box) for box in boxes]
        positions, expected_oks = by_expected_oks(logits, torch.cat(boxes), self.oks_sigmas)
        return positions.split(counts), expected_oks.split(counts)

    def mask_targets(
        self,
        masks: list[Masks],
        boxes: list[Tensor],
        objects: list[Tensor],
        like: Tensor,
        places: list[OutlineRois] | None = None,
    ) -> Tensor:
        """The part of its object's mask that lies in each box, `(K, M, M)` in [0, 1], of the size and dtype of `like`.

        `masks`: of each picture, bitmaps `(N_i, H, W)` or outlines; `boxes`: `(K_i, 4)`; `objects`: `(K_i,)`, which
        mask each box is for. `places`: the boxes and objects of outlines, where they have been fetched already.
        """
        places = places or self._outline_rois([{"masks": own} for own in masks], boxes, objects)
        side = like.shape[-1]
        cut = [
            self._cut_bitmaps(own, box, match, side)
            if isinstance(own, Tensor)
            else self._cut_outlines(own, fetched, side).to(box)
            for own, box, match, fetched in zip(masks, boxes, objects, places, strict=True)
        ]
        return torch.cat(cut).to(like.dtype)

    def _outline_rois(self, targets: Sequence[Target], boxes: list[Tensor], objects: list[Tensor]) -> list[OutlineRois]:
        """Boxes and objects of each picture as lists, in the pixel model that outlines are cut in; none for bitmaps."""
        # A mask read without the half-pixel shift is one read half a pixel further on.
        shift = 0.0 if self.aligned_targets else 0.5
        return [
            ([], [])
            if isinstance(target.get("masks"), Tensor | None)
            else ((box.detach() + shift).tolist(), match.tolist())
            for target, box, match in zip(targets, boxes, objects, strict=True)
        ]

    def _cut_bitmaps(self, masks: Tensor, boxes: Tensor, objects: Tensor, side: int) -> Tensor:
        rois = torch.cat([objects[:, None].to(boxes), boxes], dim=1)
        return roi_align(masks[:, None].to(boxes), rois, (side, side), aligned=self.aligned_targets)[:, 0]

    def _cut_outlines(self, masks: Sequence[Outline], places: OutlineRois, side: int) -> Tensor:
        boxes, objects = places
        cells = np.zeros((len(boxes), side, side), np.float32)
        for cell, box, chosen in zip(cells, boxes, objects, strict=True):
            cell[:] = masks[chosen].coverage(box, side)
        return torch.from_numpy(cells)

    def mask_loss(self, logits: Tensor, targets: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of `logits (K, masks, M, M)` and `targets (K, M, M)`, mean over all pixels; 0 without RoIs.

        sigmoid: binary cross-entropy on the mask of the RoI's own class (He et al. 2017, section 3); softmax: every
        pixel is of that class or background, a cross-entropy over all classes (table 2b); agnostic: binary, one mask.
        """
        if not len(logits):
            return logits.sum() * 0
        rois = torch.arange(len(logits), device=logits.device)
        if self.mask_kind == "softmax":
            log_probs = logits.log_softmax(dim=1)
            return -(targets * log_probs[rois, labels] + (1 - targets) * log_probs[:, 0]).mean()
        own = logits[:, 0] if self.mask_kind == "agnostic" else logits[rois, labels]
        return functional.binary_cross_entropy_with_logits(own, targets)

    def mask_probabilities(self, logits: Tensor, labels: Tensor) -> Tensor:
        """The soft mask of each detection's own class: `(K, 1, M, M)` in [0, 1] from `(K, masks, M, M)`."""
        if self.mask_kind == "agnostic":
            return logits.sigmoid()
        rois = torch.arange(len(logits), device=logits.device)
        probabilities = logits.softmax(dim=1) if self.mask_kind == "softmax" else logits.sigmoid()
        return probabilities[rois, labels][:, None]
