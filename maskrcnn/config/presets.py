"""Named starting points of a `Config`: what each changes of the field defaults (which are `classroom`)."""

from __future__ import annotations

from typing import Any

DEFAULT_PRESET = "classroom"
"""The preset if the user chose none; its values are the defaults of the fields."""

# The sizes of Mask R-CNN with a ResNet-FPN, on which the paper, torchvision and Detectron2 agree.
_FULL_SIZE: dict[str, Any] = {
    "num_classes": 91,
    "backbone": "resnet50_fpn",
    "fpn_channels": 256,
    "image_min_dim": 800,
    "image_max_dim": 1333,
    "pre_nms_limit": 1000,
    "pre_nms_limit_training": 2000,
    "post_nms_rois_training": 2000,
    "post_nms_rois_inference": 1000,
    "train_rois_per_image": 512,
    "box_head_width": 1024,
    "mask_head_width": 256,
    "keypoint_head_width": 512,
    "keypoint_head_depth": 8,
    "keypoint_decode": "argmax",
    "optimiser": "sgd",
    "learning_rate": 0.005,
}

_TORCHVISION: dict[str, Any] = {**_FULL_SIZE, "pooling": "align-legacy"}

_TORCHVISION_MOBILENET: dict[str, Any] = {
    **_TORCHVISION,
    "tasks": ("box",),
    "backbone": "mobilenet_v3_large_fpn32",
    "rpn_scales_at": "every-level",
    "rpn_min_score": 0.05,
}

PRESETS: dict[str, dict[str, Any]] = {
    # Small enough to fine-tune on two processor cores while a class waits.
    "classroom": {},
    # What a GPU makes comfortable: the paper's widths at a moderate picture size.
    "standard": {
        "backbone": "resnet50_fpn",
        "fpn_channels": 256,
        "image_min_dim": 640,
        "image_max_dim": 1024,
        "pre_nms_limit": 1000,
        "post_nms_rois_training": 1000,
        "post_nms_rois_inference": 500,
        "train_rois_per_image": 256,
        "box_head_width": 1024,
        "mask_head_width": 256,
        "keypoint_head_width": 256,
        "keypoint_head_depth": 8,
        "learning_rate": 2e-4,
    },
    # He et al. 2017, the ResNet-101-FPN of table 1, with section 3.1's settings for one machine of eight pictures.
    "paper": {
        **_FULL_SIZE,
        "backbone": "resnet101_fpn",
        "image_max_dim": 1333,
        "learning_rate": 0.01,
        "batch_size": 8,
    },
    # maskrcnn_resnet50_fpn exactly: its COCO checkpoint loads key for key. With tasks = box it is
    # fasterrcnn_resnet50_fpn, with tasks = box,keypoints and two classes keypointrcnn_resnet50_fpn.
    "torchvision": _TORCHVISION,
    # maskrcnn_resnet50_fpn_v2: BatchNorm everywhere, a deeper RPN head, a convolutional box head.
    "torchvision-v2": {
        **_TORCHVISION,
        "norm": "batch",
        "head_norm": "batch",
        "rpn_head_depth": 2,
        "box_head_depth": 4,
    },
    # fasterrcnn_mobilenet_v3_large_fpn, and its twin for small pictures.
    "torchvision-mobilenet": _TORCHVISION_MOBILENET,
    "torchvision-mobilenet-320": {
        **_TORCHVISION_MOBILENET,
        "image_min_dim": 320,
        "image_max_dim": 640,
        "pre_nms_limit": 150,
        "post_nms_rois_inference": 150,
    },
    # Detectron2's R-50-FPN: the half-pixel shift, samples as the box needs them, fewer proposals while training.
    "detectron": {
        **_FULL_SIZE,
        "num_classes": 81,
        "pooling": "align",
        "sampling_ratio": 0,
        "post_nms_rois_training": 1000,
        "learning_rate": 0.02,
        "batch_size": 16,
    },
}
