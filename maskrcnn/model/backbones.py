"""Bodies: a classification network cut into stages, with a feature pyramid on top.

Stage s has stride 2^s (C2: 4, C3: 8, C4: 16, C5: 32), the naming of Lin et al. 2017, "Feature Pyramid Networks". The
pyramid returns P2..P5 as "0".."3" and P6 (a subsampled P5, for the RPN only) as "pool": torchvision's keys, so that
torchvision's checkpoints fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn
from torchvision.models import get_model, get_model_weights
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.ops import FrozenBatchNorm2d

from maskrcnn.config import Config

PYRAMID_LEVELS = {"0": "P2", "1": "P3", "2": "P4", "3": "P5", "pool": "P6"}
"""torchvision's key of each pyramid map -> its name in the papers."""

NORMS: dict[str, Callable[..., nn.Module]] = {"frozen": FrozenBatchNorm2d, "batch": nn.BatchNorm2d}


@dataclass(frozen=True)
class Body:
    """How one classification network is cut: which child ends each stage, and which stage each child belongs to."""

    network: str
    children: str
    ends: tuple[str, str, str, str]
    channels: tuple[int, int, int, int]
    stages: dict[str, int]


def _resnet(network: str, channels: tuple[int, int, int, int]) -> Body:
    layers = ("layer1", "layer2", "layer3", "layer4")
    stages = {"conv1": 1, "bn1": 1} | {layer: stage for stage, layer in enumerate(layers, start=2)}
    return Body(network, "", layers, channels, stages)


def _mobilenet_stage(block: int) -> int:
    """The stage of a block of MobileNetV2: the stride doubles at blocks 0, 2, 4, 7 and 14."""
    return sum(block >= first for first in (0, 2, 4, 7, 14))


BODIES: dict[str, Body] = {
    "resnet18": _resnet("resnet18", (64, 128, 256, 512)),
    "resnet50": _resnet("resnet50", (256, 512, 1024, 2048)),
    # Block 18, a 1x1 convolution to 1280 channels for the classifier, is left out: the pyramid would only shrink it
    # again.
    "mobilenet_v2": Body(
        "mobilenet_v2",
        "features",
        ("3", "6", "13", "17"),
        (24, 32, 96, 320),
        {str(block): _mobilenet_stage(block) for block in range(18)},
    ),
}


def body_of(backbone: str) -> Body:
    """The body of a backbone's name: `resnet18_fpn` -> resnet18."""
    return BODIES[backbone.removesuffix("_fpn")]


def build_backbone(config: Config) -> BackboneWithFPN:
    """Body and pyramid as `config` describes them, randomly initialised."""
    body = body_of(config.backbone)
    network = get_model(body.network, weights=None, norm_layer=NORMS[config.norm])
    return BackboneWithFPN(
        getattr(network, body.children) if body.children else network,
        return_layers={end: str(level) for level, end in enumerate(body.ends)},
        in_channels_list=list(body.channels),
        out_channels=config.fpn_channels,
    )


def imagenet_state(backbone: str) -> dict[str, object]:
    """torchvision's ImageNet weights of the body, downloaded once and then cached by torch.hub.

    Raises `URLError` (an `OSError`) without a network.
    """
    network = body_of(backbone).network
    weights = get_model_weights(network)["IMAGENET1K_V1"]
    return dict(weights.get_state_dict(progress=False, check_hash=True))


def set_trainable(backbone: BackboneWithFPN, body: Body, layers: str) -> None:
    """Freeze the stages of the body that `layers` leaves out: "heads" all, "3+" stages 1 and 2, "all" none."""
    first = {"heads": 6, "all": 1}.get(layers) or int(layers[0])
    for name, child in backbone.body.named_children():
        child.requires_grad_(body.stages.get(name, 1) >= first)
