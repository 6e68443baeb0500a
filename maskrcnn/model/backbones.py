"""Backbones: the stages of a classification network (the body), and the maps that the detector reads.

Stage s has stride 2^s (C2: 4, C3: 8, C4: 16, C5: 32), the naming of Lin et al. 2017, "Feature Pyramid Networks".

| kind | maps | the heads |
|---|---|---|
| `fpn` | P2..P5 under the keys "0".."3", and P6 (a subsampled P5, for the RPN only) as "pool" | read from the pyramid |
| `fpn32` | first and last map of stride 32 as "0" and "1", and "pool": torchvision's light detector | as `fpn` |
| `c4` | C4 as "0" | begin with the body's stage 5 (He et al. 2017, fig. 4, left) |
| `c5` | C5 as "0", through a 1x1 convolution to as many channels as a pyramid has | read from that map |

Keys and module names are torchvision's, so that torchvision's checkpoints fit.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import get_model
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d

from maskrcnn.config import Config


@dataclass(frozen=True)
class Body:
    """The stages of one classification network.

    `network`: torchvision's name of the network; `children`: the attribute with its blocks, "" if they are attributes
    of the network itself; `ends`: the last block of stages 2..5; `channels`: channels of C2..C5; `stages`: block ->
    number of its stage.
    """

    network: str
    children: str
    ends: tuple[str, str, str, str]
    channels: tuple[int, int, int, int]
    stages: dict[str, int]

    @property
    def stage5(self) -> tuple[str, ...]:
        """The blocks between C4 and C5."""
        return tuple(block for block, stage in self.stages.items() if stage == 5)


def _resnet_body(network: str, channels: tuple[int, int, int, int]) -> Body:
    """The `Body` of a ResNet: its layers 1..4 are stages 2..5."""
    layers = ("layer1", "layer2", "layer3", "layer4")
    stages = {"conv1": 1, "bn1": 1} | {layer: stage for stage, layer in enumerate(layers, start=2)}
    return Body(network, "", layers, channels, stages)


def _numbered_blocks_body(
    network: str, ends: tuple[int, int, int, int], channels: tuple[int, int, int, int], stem: int
) -> Body:
    """The `Body` of a network whose blocks are numbered 0, 1, ...: `stem` is the last block of stage 1, and `ends` are
    the last blocks of stages 2..5."""
    stages: dict[str, int] = {}
    first = 0
    for stage, end in enumerate((stem, *ends), start=1):
        stages |= {str(block): stage for block in range(first, end + 1)}
        first = end + 1
    return Body(network, "features", tuple(map(str, ends)), channels, stages)  # type: ignore[arg-type]


BODIES: dict[str, Body] = {
    "resnet18_slim": _resnet_body("resnet18", (32, 64, 128, 256)),
    "resnet18": _resnet_body("resnet18", (64, 128, 256, 512)),
    "resnet34": _resnet_body("resnet34", (64, 128, 256, 512)),
    "resnet50": _resnet_body("resnet50", (256, 512, 1024, 2048)),
    "resnet101": _resnet_body("resnet101", (256, 512, 1024, 2048)),
    "resnet152": _resnet_body("resnet152", (256, 512, 1024, 2048)),
    "resnext50": _resnet_body("resnext50_32x4d", (256, 512, 1024, 2048)),
    "resnext101": _resnet_body("resnext101_32x8d", (256, 512, 1024, 2048)),
    # The last block of the MobileNets, a 1x1 convolution that widens the map for the classifier, is left out: the
    # pyramid would reduce its channels again.
    "mobilenet_v2": _numbered_blocks_body("mobilenet_v2", (3, 6, 13, 17), (24, 32, 96, 320), stem=1),
    "mobilenet_v3_small": _numbered_blocks_body("mobilenet_v3_small", (1, 3, 8, 11), (16, 24, 48, 96), stem=0),
    "mobilenet_v3_large": _numbered_blocks_body("mobilenet_v3_large", (3, 6, 12, 15), (24, 40, 112, 160), stem=1),
    # The first layer of AlexNet has stride 4, so there is no stage 1. Its stage 5 is a single max pooling.
    "alexnet": _numbered_blocks_body("alexnet", (1, 4, 11, 12), (64, 192, 256, 256), stem=-1),
}

FIRST_AND_LAST = {"mobilenet_v3_large": (("13", 160), ("16", 960))}
"""Body that can have an `fpn32` -> the first and the last block of stride 32, with their channels."""


def body_of(config: Config) -> Body:
    """The body of the network that `config` describes."""
    return BODIES[config.body]


def norm_layer(kind: str, eps: float = 1e-5) -> Callable[[int], nn.Module] | None:
    """A function that makes a norm for a number of channels; None for the kind "none".

    `kind`: "frozen" or "batch" (BatchNorm with fixed or learned statistics), "group" (Wu and He 2018) or "none".
    """
    if kind == "frozen":
        return partial(FrozenBatchNorm2d, eps=eps)
    if kind == "batch":
        return partial(nn.BatchNorm2d, eps=eps)
    if kind == "group":
        # 32 groups as in the paper, or fewer if 32 does not divide the channels.
        return lambda channels: nn.GroupNorm(math.gcd(32, channels), channels, eps)
    return None


class SlimResNet(ResNet):
    """A ResNet with half the channels in each stage: a quarter of the weights and of the arithmetic.

    There are no ImageNet weights for it. It is small enough to be trained from random weights and to ship.
    """

    def _make_layer(self, block: Any, planes: int, *args: Any, **kwargs: Any) -> nn.Sequential:
        return super()._make_layer(block, planes // 2, *args, **kwargs)


class SingleMap(nn.Module):
    """A backbone (kinds `c4` and `c5`) that returns one map of its body, after the module `neck`.

    `(N, 3, H, W)` -> `{"0": (N, out_channels, h, w)}`. `end` is the block of the body that ends with the map.
    """

    def __init__(self, network: nn.Module, end: str, neck: nn.Module, out_channels: int) -> None:
        super().__init__()
        self.body = IntermediateLayerGetter(network, return_layers={end: "0"})
        self.neck = neck
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """The map, under the key "0"."""
        return OrderedDict({"0": self.neck(self.body(x)["0"])})


def build_backbone(config: Config) -> tuple[BackboneWithFPN | SingleMap, nn.Sequential | None]:
    """The backbone that `config` describes, randomly initialised, and the stage 5 that its heads run, or None.

    Only the heads of kind `c4` run stage 5 of the body. Its blocks keep their names, but all their strides are 1, so
    that a grid of 7 x 7 cells keeps its size (He et al. 2017, fig. 4). None with other kinds, and with a body whose
    stage 5 has no weights.
    """
    body, channels = body_of(config), config.fpn_channels
    network = blocks_of(config)
    if config.kind == "c4":
        stage5 = nn.Sequential(OrderedDict((block, network.get_submodule(block)) for block in body.stage5))
        learns = any(True for _ in stage5.parameters())  # that of AlexNet has no weights
        backbone = SingleMap(network, body.ends[2], nn.Identity(), body.channels[2])
        return backbone, _without_stride(stage5) if learns else None
    norm = norm_layer(config.head_norm, config.norm_eps)
    if config.kind == "c5":
        reduce = nn.Conv2d(body.channels[3], channels, 1, bias=norm is None)
        nn.init.kaiming_uniform_(reduce.weight, a=1)  # as the lateral convolutions of the pyramid
        neck = nn.Sequential(reduce, norm(channels)) if norm else reduce
        return SingleMap(network, body.ends[3], neck, channels), None
    ends = FIRST_AND_LAST[config.body] if config.kind == "fpn32" else zip(body.ends, body.channels, strict=True)
    blocks, widths = zip(*ends, strict=True)
    return_layers = {block: str(level) for level, block in enumerate(blocks)}
    return BackboneWithFPN(network, return_layers, list(widths), channels, norm_layer=norm), None


def blocks_of(config: Config) -> nn.Module:
    """The blocks of the classification network of a backbone, randomly initialised, as one module."""
    body = body_of(config)
    if config.body == "alexnet":  # it has no norms
        blocks = get_model("alexnet", weights=None).features
        # With its own paddings, maps are smaller than picture / stride, so cells would be in the wrong place.
        blocks[0].padding = (4, 4)
        for pooling in (blocks[2], blocks[5], blocks[12]):
            pooling.padding = 1
        return blocks
    if config.body == "resnet18_slim":
        return SlimResNet(BasicBlock, [2, 2, 2, 2], norm_layer=norm_layer(config.norm, config.norm_eps))
    network = get_model(body.network, weights=None, norm_layer=norm_layer(config.norm, config.norm_eps))
    return getattr(network, body.children) if body.children else network


def _without_stride(stage5: nn.Sequential) -> nn.Sequential:
    """Stage 5 of a body with all its convolutions set to stride 1, in place."""
    for module in stage5.modules():
        if isinstance(module, nn.Conv2d):
            module.stride = (1, 1)
    return stage5


def set_trainable(backbone: nn.Module, body: Body, layers: str) -> None:
    """Freeze the stages of the body that `layers` leaves out: all with "heads", 1 and 2 with "3+", none with "all"."""
    first_trained = {"heads": 6, "all": 1}.get(layers) or int(layers[0])  # the last stage is 5, so 6 means none
    for name, block in backbone.get_submodule("body").named_children():
        # Numbered blocks after those of `body.stages` (in `fpn32`) belong to stage 5; the others have no weights.
        stage = body.stages.get(name, 5 if name.isdigit() else 1)
        block.requires_grad_(stage >= first_trained)


class LeanPyramid(nn.Module):
    """The pyramid of a backbone for inference, a `FeaturePyramidNetwork` that uses less memory.

    It releases each map of the body after reading it: it removes the maps from the dict that it is given, so that their
    memory is freed.
    """

    def __init__(self, fpn: FeaturePyramidNetwork) -> None:
        super().__init__()
        self.inner_blocks, self.layer_blocks, self.extra_blocks = fpn.inner_blocks, fpn.layer_blocks, fpn.extra_blocks

    def forward(self, maps: dict[str, Tensor]) -> dict[str, Tensor]:
        """The maps of a backbone's pyramid from those of its body, `(N, C, h, w)`, finest first.

        The keys are those of the body's maps, and "pool".
        """
        names, pyramid = list(maps), list[Tensor]()
        above: Tensor | None = None
        for name, inner, layer in zip(names[::-1], self.inner_blocks[::-1], self.layer_blocks[::-1], strict=True):
            lateral = inner(maps.pop(name))
            if above is not None:
                lateral += functional.interpolate(above, size=lateral.shape[-2:])
            pyramid.insert(0, layer(lateral))
            above = lateral
        if self.extra_blocks is not None:
            pyramid, names = self.extra_blocks(pyramid, [], names)
        return OrderedDict(zip(names, pyramid, strict=True))
