"""Names of the losses and of what is measured."""

from __future__ import annotations

LOSS_NAMES: dict[str, str] = {
    "loss_objectness": "rpn_class_loss",
    "loss_rpn_box_reg": "rpn_bbox_loss",
    "loss_classifier": "mrcnn_class_loss",
    "loss_box_reg": "mrcnn_bbox_loss",
    "loss_mask": "mrcnn_mask_loss",
    "loss_keypoint": "mrcnn_keypoint_loss",
}
"""torchvision's name of each loss -> ours, which are the names of the lectures."""

LOSSES: tuple[str, ...] = tuple(LOSS_NAMES.values())
"""Every loss that a network can have; `Config.losses` are those of one network."""

MEASURES: dict[str, str] = {"segm": "mask", "keypoints": "keypoint", "bbox": "box"}
"""COCO's word for what an AP measures -> ours, in the order in which a network is judged: the finest first."""
