"""The words that fields of the Config accept, the feature maps of backbones, and the names of the losses."""

from __future__ import annotations

from typing import Literal, get_args

# fmt: off
Backbone = Literal[
    "resnet18_slim_fpn", "resnet18_slim_c4", "resnet18_slim_c5",
    "resnet18_fpn", "resnet18_c4", "resnet18_c5",
    "resnet34_fpn", "resnet34_c4", "resnet34_c5",
    "resnet50_fpn", "resnet50_c4", "resnet50_c5",
    "resnet101_fpn", "resnet101_c4", "resnet101_c5",
    "resnet152_fpn", "resnet152_c4", "resnet152_c5",
    "resnext50_fpn", "resnext50_c4", "resnext50_c5",
    "resnext101_fpn", "resnext101_c4", "resnext101_c5",
    "mobilenet_v2_fpn", "mobilenet_v2_c4", "mobilenet_v2_c5",
    "mobilenet_v3_small_fpn", "mobilenet_v3_small_c4", "mobilenet_v3_small_c5",
    "mobilenet_v3_large_fpn", "mobilenet_v3_large_fpn32", "mobilenet_v3_large_c4", "mobilenet_v3_large_c5",
    "alexnet_fpn", "alexnet_c4",
]
# fmt: on
Norm = Literal["frozen", "batch", "group"]
HeadNorm = Literal["none", "batch", "group"]
ScalesAt = Literal["one-per-level", "every-level"]
Pooling = Literal["align", "align-legacy", "pool", "warp"]
PoolingMode = Literal["auto", "average", "max"]
Task = Literal["box", "mask", "keypoints"]
MaskHead = Literal["fcn", "mlp"]
MaskKind = Literal["sigmoid", "softmax", "agnostic"]
KeypointDecode = Literal["oks", "argmax"]
Optimiser = Literal["adamw", "sgd"]
Precision = Literal["auto", "float32", "bfloat16"]

BACKBONES: tuple[str, ...] = get_args(Backbone)
POOLINGS: tuple[str, ...] = get_args(Pooling)
TASKS: tuple[str, ...] = get_args(Task)
MASK_HEADS: tuple[str, ...] = get_args(MaskHead)
MASK_KINDS: tuple[str, ...] = get_args(MaskKind)

STRIDES: dict[str, tuple[int, ...]] = {"fpn": (4, 8, 16, 32, 64), "fpn32": (32, 32, 64), "c4": (16,), "c5": (32,)}
"""Kind of backbone -> the stride of each feature map of the RPN, finest first: pixels of the picture per cell."""

LEVEL_NAMES: dict[str, dict[str, str]] = {
    "fpn": {"0": "P2", "1": "P3", "2": "P4", "3": "P5", "pool": "P6"},
    "fpn32": {"0": "P5 first", "1": "P5 last", "pool": "P6"},
    "c4": {"0": "C4"},
    "c5": {"0": "C5"},
}
"""Kind of backbone -> torchvision's key of each feature map of the RPN -> its name in the papers."""


LOSS_NAMES: dict[str, str] = {
    "loss_objectness": "rpn_class_loss",
    "loss_rpn_box_reg": "rpn_bbox_loss",
    "loss_classifier": "mrcnn_class_loss",
    "loss_box_reg": "mrcnn_bbox_loss",
    "loss_mask": "mrcnn_mask_loss",
    "loss_keypoint": "mrcnn_keypoint_loss",
}
"""torchvision's name of each loss -> our name, as in Mask R-CNN lectures."""

LOSSES: tuple[str, ...] = tuple(LOSS_NAMES.values())
"""All losses that a network can have; `Config.losses` has those of one network."""

MEASURES: dict[str, str] = {"segm": "mask", "keypoints": "keypoint", "bbox": "box"}
"""COCO's word for the measure of an AP -> our word, in the order in which networks are compared: masks first."""
