"""The RoI heads: from proposals to losses or detections, with the mask losses that the paper compares.

torchvision has one kind of mask. Here there is one mask per class with a sigmoid, one per class with a softmax over the
classes, or one for all classes; and mask targets are cut with the same pixel model as the pooled RoIs.
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

from maskrcnn.annotations.polygon_outline import PolygonOutline
from maskrcnn.model.keypoint_decoding import by_expected_oks

Target = dict[str, Any]
Masks = Tensor | Sequence[PolygonOutline]
"""The masks of a picture: bitmaps `(N, H, W)`, or the outline of each object."""
OutlineRois = tuple[list[list[float]], list[int]]
"""The RoIs of a picture as lists: boxes xyxy, and the number of the object of each."""


class StudioRoIHeads(RoIHeads):
    """torchvision's `RoIHeads` with more kinds of masks, pixel models of mask targets, and decodings of keypoints.

    `mask_kind`: "sigmoid", "softmax" or "agnostic" (see `mask_loss`). `oks_sigmas`: one for each keypoint if positions
    are chosen by expected OKS, None if they are the peaks of the heatmaps. `aligned_targets`: whether the value of mask
    pixel x belongs to its centre x + 0.5, which is correct; torchvision uses x, and its COCO weights were trained so.
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
        """The detections of every picture, or in training the losses; the other one is empty.

        `proposals`: xyxy `(K_i, 4)` of each picture. All boxes are in pixels of the resized picture.
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
        """The losses of all heads for a sample of the proposals of every picture."""
        proposals, matched, labels, deltas = self.select_training_samples(proposals, targets)
        assert targets is not None  # `select_training_samples` requires them
        # Masks and keypoints are trained on positive RoIs only.
        positive = [label > 0 for label in labels]
        boxes = [proposal[chosen] for proposal, chosen in zip(proposals, positive, strict=True)]
        objects = [match[chosen] for match, chosen in zip(matched, positive, strict=True)]
        classes = torch.cat([label[chosen] for label, chosen in zip(labels, positive, strict=True)])
        # Copied to the CPU before the heads run. The CPU cuts the mask targets while the GPU runs the heads; a later
        # copy would wait for the heads.
        rois = self._outline_rois(targets, boxes, objects)
        logits, regression = self._classify(features, proposals, image_shapes)
        if len(logits):
            class_loss, box_loss = fastrcnn_loss(logits, regression, labels, deltas)
        else:  # no objects and no proposals: the mean of an empty tensor would be NaN
            class_loss, box_loss = logits.sum() * 0, regression.sum() * 0
        losses = {"loss_classifier": class_loss, "loss_box_reg": box_loss}

        if self.has_mask():
            masks = [target["masks"] for target in targets]
            logits = self.mask_logits(features, boxes, image_shapes)
            cut = self.mask_targets(masks, boxes, objects, logits, rois)
            losses["loss_mask"] = self.mask_loss(logits, cut, classes)
        if self.has_keypoint():
            keypoints = [target["keypoints"] for target in targets]
            logits = self.keypoint_logits(features, boxes, image_shapes)
            # torchvision calls `view`, which fails for logits that are stored channels last.
            losses["loss_keypoint"] = keypointrcnn_loss(logits.contiguous(), boxes, keypoints, objects)
        return losses

    def _detections(
        self, features: dict[str, Tensor], proposals: list[Tensor], image_shapes: list[tuple[int, int]]
    ) -> list[dict[str, Tensor]]:
        """The detections of every picture."""
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
        """Mask logits `(K, masks, M, M)` for the boxes of all pictures."""
        return self.mask_predictor(self.mask_head(self.mask_roi_pool(features, boxes, shapes)))

    def keypoint_logits(
        self, features: dict[str, Tensor], boxes: list[Tensor], shapes: list[tuple[int, int]]
    ) -> Tensor:
        """Logits of the keypoint heatmaps `(K, keypoints, M, M)` for the boxes of all pictures."""
        return self.keypoint_predictor(self.keypoint_head(self.keypoint_roi_pool(features, boxes, shapes)))

    def read_keypoints(self, logits: Tensor, boxes: list[Tensor]) -> tuple[Sequence[Tensor], Sequence[Tensor]]:
        """The keypoints of each picture from the logits of all heatmaps `(sum N_i, keypoints, M, M)`.

        Returns for each picture the positions `(N_i, keypoints, 3)` in the frame of its boxes, and the scores
        `(N_i, keypoints)`: the expected OKS, or the logit at the peak.
        """
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
        logits: Tensor,
        rois: list[OutlineRois] | None = None,
    ) -> Tensor:
        """The mask targets: for each box the part of its object's mask inside the box, `(K, M, M)` in [0, 1].

        For each picture: `masks`, bitmaps `(N_i, H, W)` or outlines; `boxes (K_i, 4)`; `objects (K_i,)`, the number of
        the object of each box. M (the last axis) and the dtype are those of `logits`. `rois`: the result of
        `_outline_rois` for these boxes and objects; None to compute it here.
        """
        rois = rois or self._outline_rois([{"masks": own} for own in masks], boxes, objects)
        side = logits.shape[-1]
        cut = [
            self._cut_bitmaps(own, box, match, side)
            if isinstance(own, Tensor)
            else self._cut_outlines(own, picture_rois, side).to(box)
            for own, box, match, picture_rois in zip(masks, boxes, objects, rois, strict=True)
        ]
        return torch.cat(cut).to(logits.dtype)

    def _outline_rois(self, targets: Sequence[Target], boxes: list[Tensor], objects: list[Tensor]) -> list[OutlineRois]:
        """Boxes and object numbers of each picture as lists, for `_cut_outlines`; empty for a picture without outlines.

        A picture has no outlines if its masks are bitmaps, or if it has no masks (None).

        Without `aligned_targets` the boxes are shifted by half a pixel, because outlines use the correct pixel model.
        """
        shift = 0.0 if self.aligned_targets else 0.5
        return [
            ([], [])
            if isinstance(target.get("masks"), Tensor | None)
            else ((box.detach() + shift).tolist(), match.tolist())
            for target, box, match in zip(targets, boxes, objects, strict=True)
        ]

    def _cut_bitmaps(self, masks: Tensor, boxes: Tensor, objects: Tensor, side: int) -> Tensor:
        """The mask targets `(K, side, side)` of one picture from bitmaps `(N, H, W)`, by RoIAlign."""
        rois = torch.cat([objects[:, None].to(boxes), boxes], dim=1)
        return roi_align(masks[:, None].to(boxes), rois, (side, side), aligned=self.aligned_targets)[:, 0]

    def _cut_outlines(self, outlines: Sequence[PolygonOutline], rois: OutlineRois, side: int) -> Tensor:
        """The mask targets `(K, side, side)` of one picture from outlines: the covered share of each cell of a box."""
        boxes, objects = rois
        cells = np.zeros((len(boxes), side, side), np.float32)
        for cell, box, number in zip(cells, boxes, objects, strict=True):
            cell[:] = outlines[number].coverage(box, side)
        return torch.from_numpy(cells)

    def mask_loss(self, logits: Tensor, targets: Tensor, labels: Tensor) -> Tensor:
        """The mask loss: cross-entropy of `logits (K, masks, M, M)` and `targets (K, M, M)`, mean over all pixels.

        With `mask_kind` "sigmoid" it is the binary cross-entropy of the mask of the RoI's class (He et al. 2017,
        section 3). With "softmax" it is a cross-entropy over all classes, and each pixel is of the RoI's class or
        background (table 2b). With "agnostic" it is the binary cross-entropy of the only mask. 0 without RoIs.
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
        """The soft mask of each detection's class: `(K, 1, M, M)` in [0, 1] from `logits (K, masks, M, M)`."""
        if self.mask_kind == "agnostic":
            return logits.sigmoid()
        rois = torch.arange(len(logits), device=logits.device)
        probabilities = logits.softmax(dim=1) if self.mask_kind == "softmax" else logits.sigmoid()
        return probabilities[rois, labels][:, None]
