"""torchvision's COCO detectors: the preset of each one, and the detector that is most similar to a Config.

This module does not import torch. `model.weights` loads the tensors of the detectors.
"""

from __future__ import annotations

from typing import Any

from maskrcnn.config import Config
from maskrcnn.errors import StudioError

DETECTORS: dict[str, tuple[str, dict[str, Any]]] = {
    "maskrcnn_resnet50_fpn": ("torchvision", {}),
    "maskrcnn_resnet50_fpn_v2": ("torchvision-v2", {}),
    "fasterrcnn_resnet50_fpn": ("torchvision", {"tasks": ("box",)}),
    "fasterrcnn_resnet50_fpn_v2": ("torchvision-v2", {"tasks": ("box",)}),
    "fasterrcnn_mobilenet_v3_large_fpn": ("torchvision-mobilenet", {}),
    "fasterrcnn_mobilenet_v3_large_320_fpn": ("torchvision-mobilenet-320", {}),
    "keypointrcnn_resnet50_fpn": ("torchvision", {"tasks": ("box", "keypoints"), "num_classes": 2}),
}
"""Name of torchvision's builder function -> the preset of the same network, and the fields that differ from it."""

WEIGHTS = "COCO_V1"
"""torchvision's name of the weights for the option `--init coco`."""

_WITHOUT_EPS = ("maskrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn", "keypointrcnn_resnet50_fpn")
"""Builders whose COCO weights were trained with frozen BatchNorm and eps = 0 (first generation)."""


def detector_fields(builder: str, weights: str = WEIGHTS) -> tuple[str, dict[str, Any]]:
    """The preset and the changed fields of the network as which torchvision's `builder` and `weights` were trained.

    The names of the COCO classes and keypoints are not included; `model.weights.detector_config` takes them from
    torchvision. Raises `KeyError` for a builder that is not in `DETECTORS`.

    >>> detector_fields("fasterrcnn_resnet50_fpn")
    ('torchvision', {'tasks': ('box',), 'norm_eps': 0.0})
    >>> detector_fields("maskrcnn_resnet50_fpn_v2")
    ('torchvision-v2', {})
    """
    preset, fields = DETECTORS[builder]
    return preset, {**fields, **({"norm_eps": 0.0} if builder in _WITHOUT_EPS and weights == WEIGHTS else {})}


def nearest_detector(config: Config) -> str:
    """The builder of the COCO detector that is most similar to the network `config`. Its weights may still not fit.

    >>> nearest_detector(Config.preset("torchvision-v2", tasks=("box",)))
    'fasterrcnn_resnet50_fpn_v2'
    """
    if config.kind == "fpn32":
        small = abs(config.image_min_dim - 320) < abs(config.image_min_dim - 800)
        return f"fasterrcnn_mobilenet_v3_large_{'320_' if small else ''}fpn"
    second = config.rpn_head_depth == 2 and config.box_head_depth > 0
    if "keypoints" in config.tasks and "mask" not in config.tasks and not second:
        return "keypointrcnn_resnet50_fpn"
    return f"{'mask' if 'mask' in config.tasks else 'faster'}rcnn_resnet50_fpn{'_v2' if second else ''}"


def coco_detector(config: Config) -> str:
    """Like `nearest_detector`, but raises `StudioError` if torchvision has no COCO weights for the backbone."""
    if config.backbone not in ("resnet50_fpn", "mobilenet_v3_large_fpn32"):
        raise StudioError(
            f"--init coco: there are no COCO weights with the backbone {config.backbone}; choose resnet50_fpn or "
            "mobilenet_v3_large_fpn32, or --backbone-weights imagenet"
        )
    return nearest_detector(config)
