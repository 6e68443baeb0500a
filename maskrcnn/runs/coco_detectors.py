"""torchvision's COCO detectors: which of them a network is, and how each was trained. Knows no torch.

`model.weights` loads their tensors; here is only what a configuration needs.
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
"""torchvision's builder -> the preset that is the same network, and what to change of it."""

WEIGHTS = "COCO_V1"
"""torchvision's name of the weights that "coco" means."""

_WITHOUT_EPS = ("maskrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn", "keypointrcnn_resnet50_fpn")
"""Builders of the first generation: their COCO weights were trained with a frozen BatchNorm that added nothing to the
variance."""


def detector_fields(builder: str, weights: str = WEIGHTS) -> tuple[str, dict[str, Any]]:
    """The preset, and the fields changed of it, of torchvision's `builder` as its COCO `weights` were trained.

    The names of COCO's classes and keypoints are left out: they are in torchvision's own tables
    (`model.weights.detector_config`). Raises `KeyError` for a builder that is not in `DETECTORS`.

    >>> detector_fields("fasterrcnn_resnet50_fpn")
    ('torchvision', {'tasks': ('box',), 'norm_eps': 0.0})
    >>> detector_fields("maskrcnn_resnet50_fpn_v2")
    ('torchvision-v2', {})
    """
    preset, fields = DETECTORS[builder]
    return preset, {**fields, **({"norm_eps": 0.0} if builder in _WITHOUT_EPS and weights == WEIGHTS else {})}


def nearest_detector(config: Config) -> str:
    """The builder whose COCO weights are most like a network `config`, whether or not they fit it.

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
    """`nearest_detector`; `StudioError` where torchvision has no COCO weights with the backbone of `config`."""
    if config.backbone not in ("resnet50_fpn", "mobilenet_v3_large_fpn32"):
        raise StudioError(
            f"--init coco: there are no COCO weights with the backbone {config.backbone}; choose resnet50_fpn or "
            "mobilenet_v3_large_fpn32, or --backbone-weights imagenet"
        )
    return nearest_detector(config)
