"""Detection of objects in a picture, in COCO's results format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision.models.detection.image_list import ImageList

from maskrcnn.config import Config
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.channels_last_heads import ChannelsLastMaskPredictor
from maskrcnn.model.mask_pasting import pastes_legacy
from maskrcnn.model.mask_runs import encode_soft_mask
from maskrcnn.model.resize import resize, to_tensor, working_size

PROPOSALS_AT_ONCE = 250
DETECTIONS_AT_ONCE = 25
"""Numbers of RoIs that a head processes together: enough to use the processor fully, few enough to need little
memory."""


@torch.inference_mode()
def detect(model: StudioRCNN, picture: np.ndarray, image_id: int = 0) -> list[dict[str, Any]]:
    """The detections in one uint8 `(H, W, 3)` RGB picture, best first.

    A detection is `{"image_id", "category_id", "bbox": [x, y, w, h], "score"}` in pixels of the picture. `category_id`
    is the class index, 1 to num_classes - 1. With the mask task it also has `"segmentation"`, a compressed RLE. With
    the keypoint task it also has `"keypoints"`, x, y and 2 of each keypoint in one flat list, `"keypoint_scores"`, the
    expected OKS of each, and `"pose_score"`, the score times their mean. (With `keypoint_decode` argmax the keypoint
    scores are logits, and there is no pose score.) The model must be in eval mode; `maskrcnn.model.prepare` makes it
    faster.

    >>> from maskrcnn.config import Config
    >>> from maskrcnn.model import build
    >>> detect(build(Config.preset("classroom", detection_min_confidence=0.99)), np.zeros((64, 64, 3), np.uint8))
    []
    """
    height, width = picture.shape[:2]
    found = find(model, network_picture(model, picture))
    return results_of(model.config, found, height, width, image_id)


def network_picture(model: StudioRCNN, picture: np.ndarray) -> Tensor:
    """A uint8 `(H, W, 3)` RGB picture as the network takes it: `(3, h, w)` of its working size, on its device."""
    size = working_size(picture.shape[0], picture.shape[1], model.config)
    return to_tensor(resize(picture, size)).to(next(model.parameters()).device)


def results_of(
    config: Config, found: dict[str, Tensor], height: int, width: int, image_id: int = 0
) -> list[dict[str, Any]]:
    """The result of `find` as COCO results in pixels of the picture of `height` x `width` (see `detect`)."""
    size = working_size(height, width, config)
    stretch = torch.tensor([width / size[1], height / size[0]] * 2)
    boxes = (found["boxes"].float().cpu() * stretch).numpy()
    detections: list[dict[str, Any]] = []
    for (x1, y1, x2, y2), label, score in zip(
        boxes.tolist(), found["labels"].tolist(), found["scores"].tolist(), strict=True
    ):
        place = [x1, y1, x2 - x1, y2 - y1]
        detections.append({"image_id": image_id, "category_id": label, "bbox": place, "score": score})
    if "masks" in found:
        legacy = pastes_legacy(config)
        masks = found["masks"][:, 0].float().cpu().numpy()
        for detection, mask, box in zip(detections, masks, boxes, strict=True):
            detection["segmentation"] = encode_soft_mask(mask, box, height, width, legacy)
    if "keypoints" in found:
        places = found["keypoints"].float().cpu() * torch.tensor([*stretch[:2], 2])
        for detection, points, scores in zip(detections, places, found["keypoints_scores"].tolist(), strict=True):
            detection |= {"keypoints": points.flatten().tolist(), "keypoint_scores": scores}
            if config.keypoint_decode == "oks":
                detection["pose_score"] = detection["score"] * sum(scores) / len(scores)
    return detections


@dataclass(frozen=True)
class BoxAnswers:
    """What a network says of one picture before its last filters.

    `maps`: the maps of the backbone, by level. `size`: (height, width) of the picture that the network was given.
    `proposals`: xyxy `(K, 4)` in its pixels, best objectness first. `logits`: `(K, C)` of the classes with the
    background. `deltas`: `(K, 4 C)`, the refinement of each proposal for each class.
    """

    maps: dict[str, Tensor]
    size: tuple[int, int]
    proposals: Tensor
    logits: Tensor
    deltas: Tensor


@torch.inference_mode()
def box_answers(model: StudioRCNN, picture: Tensor) -> BoxAnswers:
    """Run backbone, RPN and box head on one picture of the working size of `model`, float `(3, H, W)` in [0, 1]."""
    return box_answers_of(model, [picture])[0]


@torch.inference_mode()
def box_answers_of(model: StudioRCNN, pictures: Sequence[Tensor]) -> list[BoxAnswers]:
    """Run backbone and RPN on several pictures of the same size together, and the box head on each (`box_answers`).

    The results are those of the single pictures up to rounding.
    """
    size = (pictures[0].shape[1], pictures[0].shape[2])
    batch = model.transform.batch_images([model.transform.normalize(picture) for picture in pictures])
    all_maps = model.backbone(batch)
    proposals, _ = model.rpn(ImageList(batch, [size] * len(pictures)), all_maps)
    heads = model.roi_heads
    found = []
    for number, own in enumerate(proposals):
        maps = {level: values[number : number + 1] for level, values in all_maps.items()}
        answers = [
            heads.box_predictor(heads.box_head(heads.box_roi_pool(maps, [rois], [size])))
            for rois in own.split(PROPOSALS_AT_ONCE)
        ]
        logits, deltas = (torch.cat(parts) for parts in zip(*answers, strict=True))
        found.append(BoxAnswers(maps, size, own, logits, deltas))
    return found


def find(model: StudioRCNN, picture: Tensor) -> dict[str, Tensor]:
    """The detections of `model` in one picture of its working size, as tensors, best first.

    `picture`: float `(3, H, W)` in [0, 1].

    The result is that of calling `model`, with masks that are not pasted: `boxes (N, 4)` xyxy in pixels of `picture`,
    `labels (N,)`, `scores (N,)`, and for the tasks of the network `masks (N, 1, M, M)` in [0, 1], `keypoints (N, K, 3)`
    and `keypoints_scores (N, K)`. It needs less memory, because RoIs are processed in groups.
    """
    return detections_of(model, box_answers(model, picture))


@torch.inference_mode()
def detections_of(model: StudioRCNN, answers: BoxAnswers) -> dict[str, Tensor]:
    """The last filters of the network, and masks and keypoints of what they leave (see `find`)."""
    (boxes,), (scores,), (labels,) = model.roi_heads.postprocess_detections(
        answers.logits, answers.deltas, [answers.proposals], [answers.size]
    )
    return {"boxes": boxes, "labels": labels, "scores": scores} | masks_and_keypoints(model, answers, boxes, labels)


@torch.inference_mode()
def masks_and_keypoints(model: StudioRCNN, answers: BoxAnswers, boxes: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Soft masks and keypoints of boxes `(N, 4)` of the classes `labels (N,)`, as far as the network has them.

    The keys are those of `find`.
    """
    heads, maps, size = model.roi_heads, answers.maps, answers.size
    found: dict[str, Tensor] = {}
    groups = list(zip(boxes.split(DETECTIONS_AT_ONCE), labels.split(DETECTIONS_AT_ONCE), strict=True))
    if heads.has_mask():
        found["masks"] = torch.cat([_detected_masks(model, maps, size, *group) for group in groups])
    if heads.has_keypoint():
        heatmaps = [heads.keypoint_logits(maps, [rois], [size]) for rois, _ in groups]
        (places,), (keypoint_scores,) = heads.read_keypoints(torch.cat(heatmaps), [boxes])
        found |= {"keypoints": places, "keypoints_scores": keypoint_scores}
    return found


def _detected_masks(
    model: StudioRCNN, maps: dict[str, Tensor], size: tuple[int, int], boxes: Tensor, labels: Tensor
) -> Tensor:
    """The soft masks of a group of detections, each of the class that was detected: `(K, 1, M, M)` in [0, 1]."""
    heads = model.roi_heads
    grids = heads.mask_head(heads.mask_roi_pool(maps, [boxes], [size]))
    if isinstance(heads.mask_predictor, ChannelsLastMaskPredictor) and heads.mask_kind == "sigmoid":
        return heads.mask_predictor.of_class(grids, labels).sigmoid()
    return heads.mask_probabilities(heads.mask_predictor(grids), labels)
