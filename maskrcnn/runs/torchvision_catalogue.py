"""The catalogue of torchvision's trained weights: COCO detectors and ImageNet bodies, the names of their files, and the
fields of their networks.

Does not import torch; `model.weights.torchvision_files` downloads and reads the files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from maskrcnn.config import Config
from maskrcnn.errors import StudioError

IMAGENET_WEIGHTS: dict[str, str] = {"resnext50": "resnext50_32x4d", "resnext101": "resnext101_32x8d"}
"""Bodies (of a backbone) whose name in torchvision differs -> that name."""

COCO_DETECTORS: dict[str, tuple[str, dict[str, Any]]] = {
    "maskrcnn_resnet50_fpn": ("torchvision", {}),
    "maskrcnn_resnet50_fpn_v2": ("torchvision-v2", {}),
    "fasterrcnn_resnet50_fpn": ("torchvision", {"tasks": ("box",)}),
    "fasterrcnn_resnet50_fpn_v2": ("torchvision-v2", {"tasks": ("box",)}),
    "fasterrcnn_mobilenet_v3_large_fpn": ("torchvision-mobilenet", {}),
    "fasterrcnn_mobilenet_v3_large_320_fpn": ("torchvision-mobilenet-320", {}),
    "keypointrcnn_resnet50_fpn": ("torchvision", {"tasks": ("box", "keypoints"), "num_classes": 2}),
}
"""Name of torchvision's builder function -> the preset of the same network, and the fields that differ from it."""

COCO_WEIGHTS = "COCO_V1"
"""torchvision's name of the weights for the option `--init coco`."""

_WITHOUT_EPS = ("maskrcnn_resnet50_fpn", "fasterrcnn_resnet50_fpn", "keypointrcnn_resnet50_fpn")
"""Builders whose COCO weights were trained with frozen BatchNorm and eps = 0 (first generation)."""


def is_weights_file_downloaded(start_of_name: str) -> bool:
    """Whether torchvision's cache on this machine has a weights file whose name starts with `start_of_name`.

    Follows torch's rules for the location of the cache, without importing torch.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "torch"
    folder = Path(os.environ.get("TORCH_HOME") or cache).expanduser() / "hub" / "checkpoints"
    return any(folder.glob(f"{start_of_name}-*.pth"))


def start_of_imagenet_file(config: Config) -> str:
    """How the name of torchvision's file with ImageNet weights starts, for the body of `config`: "resnet50"."""
    return IMAGENET_WEIGHTS.get(config.body, config.body)


def start_of_coco_file(config: Config) -> str:
    """How the name of torchvision's file with COCO weights starts, for the `nearest_coco_detector` of `config`."""
    builder = nearest_coco_detector(config)
    return builder if "mobilenet" in builder else f"{builder}_coco"


def coco_network_fields(builder: str, weights: str = COCO_WEIGHTS) -> tuple[str, dict[str, Any]]:
    """The network of a COCO detector of torchvision's catalogue, as it was trained: its preset, and the changed fields.

    `builder` and `weights` are torchvision's names. The names of the COCO classes and keypoints are not included;
    `model.weights.detector_config` takes them from torchvision. Raises `KeyError` for a builder that is not in
    `COCO_DETECTORS`.

    >>> coco_network_fields("fasterrcnn_resnet50_fpn")
    ('torchvision', {'tasks': ('box',), 'norm_eps': 0.0})
    >>> coco_network_fields("maskrcnn_resnet50_fpn_v2")
    ('torchvision-v2', {})
    """
    preset, fields = COCO_DETECTORS[builder]
    return preset, {**fields, **({"norm_eps": 0.0} if builder in _WITHOUT_EPS and weights == COCO_WEIGHTS else {})}


def nearest_coco_detector(config: Config) -> str:
    """The COCO detector of torchvision's catalogue that is most similar to the network `config`: its builder.

    Its weights may still not fit.

    >>> nearest_coco_detector(Config.preset("torchvision-v2", tasks=("box",)))
    'fasterrcnn_resnet50_fpn_v2'
    """
    if config.kind == "fpn32":
        small = abs(config.image_min_dim - 320) < abs(config.image_min_dim - 800)
        return f"fasterrcnn_mobilenet_v3_large_{'320_' if small else ''}fpn"
    second = config.rpn_head_depth == 2 and config.box_head_depth > 0
    if "keypoints" in config.tasks and "mask" not in config.tasks and not second:
        return "keypointrcnn_resnet50_fpn"
    return f"{'mask' if 'mask' in config.tasks else 'faster'}rcnn_resnet50_fpn{'_v2' if second else ''}"


def require_coco_detector(config: Config) -> str:
    """Like `nearest_coco_detector`, but raises `StudioError` if the catalogue has none for the backbone."""
    if config.backbone not in ("resnet50_fpn", "mobilenet_v3_large_fpn32"):
        raise StudioError(
            f"--init coco: there are no COCO weights with the backbone {config.backbone}; choose resnet50_fpn or "
            "mobilenet_v3_large_fpn32, or --backbone-weights imagenet"
        )
    return nearest_coco_detector(config)
