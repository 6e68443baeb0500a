"""The labels of the inputs on the Launch page, and the order of the Config fields on it."""

from __future__ import annotations

from maskrcnn.config import BACKBONES, Section, fields_with

PRESET_WORDS: dict[str, str] = {
    "classroom": "Small and quick: learns from a few pictures in minutes on a processor.",
    "standard": "The paper's widths at a moderate picture size: for a graphics card.",
    "paper": "He et al. 2017: ResNet-101 with a pyramid, 800 pixels, SGD. For a large graphics card.",
    "torchvision": "torchvision's maskrcnn_resnet50_fpn exactly, so that its COCO weights fit: for a graphics card.",
    "torchvision-v2": "torchvision's maskrcnn_resnet50_fpn_v2, its better detector: for a graphics card.",
    "torchvision-mobilenet": "torchvision's light Faster R-CNN: boxes alone, from two maps of stride 32.",
    "torchvision-mobilenet-320": "The same for pictures of 320 pixels: its quickest detector.",
    "detectron": "Detectron2's ResNet-50 with a pyramid: RoIAlign with the half-pixel shift. For a graphics card.",
}
POOLING_WORDS: dict[str, str] = {
    "align": "RoIAlign",
    "align-legacy": "RoIAlign, legacy",
    "pool": "RoIPool",
    "warp": "RoIWarp",
}
MASK_HEAD_WORDS: dict[str, str] = {"fcn": "convolutions (FCN)", "mlp": "fully connected (MLP)"}
MASK_KIND_WORDS: dict[str, str] = {
    "sigmoid": "per class, sigmoid",
    "softmax": "per class, softmax",
    "agnostic": "one for all classes",
}
LAYER_WORDS: dict[str, str] = {
    "heads": "heads (with RPN and FPN)",
    "5+": "stage 5 and up",
    "4+": "stage 4 and up",
    "3+": "stage 3 and up",
    "all": "all layers",
}
SCHEDULE_WORDS: dict[str, str] = {
    "heads,all": "heads, then all",
    "heads,4+,all": "heads, 4+, all",
}
"""Schedules that are offered in the list, in addition to `LAYER_WORDS`. Other schedules are typed."""

LEARNING_WORDS: dict[str, str] = {
    "heads": "the heads",
    "5+": "stage 5 and up",
    "4+": "stage 4 and up",
    "3+": "stage 3 and up",
    "all": "all layers",
}
"""Group of layers -> its name in a sentence."""

LENGTH_WORDS: dict[str, str] = {
    "epochs": "epochs",
    "minutes": "minutes",
    "until": "until it no longer improves",
}

KIND_WORDS: dict[str, str] = {
    "fpn": "pyramid",
    "fpn32": "light pyramid",
    "c4": "one map, stride 16",
    "c5": "one map, stride 32",
}
"""Kind of backbone (the last part of its name) -> label of the feature maps that the heads use."""

BODIES: dict[str, tuple[str, ...]] = {
    body: tuple(name.rpartition("_")[2] for name in BACKBONES if name.rpartition("_")[0] == body)
    for body in dict.fromkeys(name.rpartition("_")[0] for name in BACKBONES)
}
"""Body -> the available kinds of feature maps; `f"{body}_{kind}"` is the name of a backbone."""

BODY_WORDS: dict[str, str] = {
    "resnet18_slim": "ResNet-18 slim",
    **{f"resnet{depth}": f"ResNet-{depth}" for depth in (18, 34, 50, 101, 152)},
    "resnext50": "ResNeXt-50",
    "resnext101": "ResNeXt-101",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v3_small": "MobileNetV3 small",
    "mobilenet_v3_large": "MobileNetV3 large",
    "alexnet": "AlexNet",
}

START_WORDS: dict[str, str] = {
    "imagenet": "ImageNet backbone",
    "coco": "COCO, the whole network",
    "file": "backbone from a file",
    "network": "whole network from a file or run",
    "none": "nothing (from scratch)",
}

SHIPPED_WORDS: dict[str, str] = {
    "toy": "Toy shapes (ships with the studio)",
    "toy-people": "Toy people (ships with the studio)",
}
"""Shipped models that are offered as initial weights. Other shipped models can be chosen by "network" and a path."""

PATH_WORDS: dict[str, tuple[str, str, str]] = {
    "file": (
        "Weights file of the backbone",
        "a .pth file on this computer",
        "A torch state dict of the backbone with torchvision's key names.",
    ),
    "network": (
        "Weights of the whole network",
        "a run folder, a .safetensors or a .pth file on this computer",
        "An earlier run, its checkpoint, or torchvision's weights of a detector. Only the last layers may differ: they "
        "start afresh for classes that the network did not know.",
    ),
}
"""Initial weights that need a path -> label, placeholder and help of the input."""

MAIN_FIELDS = (
    "tasks",
    "epochs",
    "minutes",
    "patience",
    "backbone",
    "pooling",
    "layers",
    "mask_head",
    "mask_kind",
    "learning_rate",
    "batch_size",
)
"""Config fields that the page always shows (mask fields only with the mask task)."""

FOLLOWING_FIELDS = fields_with(section=Section.LABELS)
"""Config fields that are determined by the labels and have no input."""

MORE_FIELDS: dict[str, tuple[str, ...]] = {
    section: fields
    for section in Section
    if (fields := tuple(name for name in fields_with(section=section) if name not in MAIN_FIELDS + FOLLOWING_FIELDS))
}
"""Config fields under "More choices", by heading."""
