"""Every body, cut in every way: where its maps lie, what learns, which norm it has.

Networks of 20 to 90 million weights are built and run on torch's `meta` device, which knows shapes only.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from maskrcnn.config import BACKBONES, LAYERS, Config
from maskrcnn.model import build
from maskrcnn.model.backbones import norm_layer
from maskrcnn.model.build import StudioRCNN
from tests import tiny
from tests.sweeps import one_in, sweep

SIDE = 128
WITHOUT_STAGE_5 = ("alexnet_c4",)
"""Its stage 5 is a max pooling; its heads are fully connected layers instead."""


def config(backbone: str, **changes: object) -> Config:
    scales = {"rpn_scales_at": "every-level"} if backbone.endswith("fpn32") else {}
    return Config.preset("classroom", **{**tiny.CONFIG, "backbone": backbone, **scales, **changes})


def shape_of(backbone: str, **changes: object) -> StudioRCNN:
    """The network without its numbers."""
    with torch.device("meta"):
        return build(config(backbone, **changes))


def picture() -> Tensor:
    return torch.empty(2, 3, SIDE, SIDE, device="meta")


CUT = [pytest.param(name, marks=[sweep] if number % 4 else []) for number, name in enumerate(BACKBONES)]
"""Every body cut in every way; one in four by default."""


@pytest.mark.parametrize("backbone", CUT)
def test_maps_have_the_strides_and_channels_that_are_promised(backbone: str) -> None:
    model = shape_of(backbone)
    maps = model.backbone(picture())
    assert list(maps) == list(model.level_names)
    assert [value.shape[-1] for value in maps.values()] == [SIDE // s for s in model.config.backbone_strides]
    assert {value.shape[1] for value in maps.values()} == {model.backbone.out_channels}
    # What is read from them fits the heads: seven cells by seven, whatever the map.
    grids = torch.empty(3, model.backbone.out_channels, 7, 7, device="meta")
    logits, deltas = model.roi_heads.box_predictor(model.roi_heads.box_head(grids))
    assert (logits.shape, deltas.shape) == ((3, 2), (3, 8))


@pytest.mark.parametrize("backbone", one_in(2, [name for name in BACKBONES if name.endswith("_c4")]))
def test_stage_5_of_a_c4_body_is_in_the_heads_and_keeps_the_grid(backbone: str) -> None:
    model = shape_of(backbone)
    stage5 = getattr(model.roi_heads.box_head, "stage5", None)
    if backbone in WITHOUT_STAGE_5:
        assert stage5 is None
        return
    whole = shape_of(f"{model.config.body}_c5").backbone.body
    names = [name for name, _ in stage5.named_children()]
    assert not set(names) & {name for name, _ in model.backbone.body.named_children()}
    for name in names:  # the very blocks that a c5 body has there
        ours, theirs = stage5.get_submodule(name).state_dict(), whole.get_submodule(name).state_dict()
        assert {key: value.shape for key, value in ours.items()} == {key: value.shape for key, value in theirs.items()}
    assert stage5(torch.empty(3, model.backbone.out_channels, 7, 7, device="meta")).shape[2:] == (7, 7)


def stage_of_each_block(model: StudioRCNN) -> dict[str, int]:
    """Child of the body -> s, where its output has stride 2^s: measured, not looked up."""
    stages: dict[str, int] = {}

    def note(name: str, output: Tensor) -> None:
        stages[name] = int(math.log2(SIDE / output.shape[-1]))

    for name, child in model.backbone.body.named_children():
        child.register_forward_hook(lambda module, given, output, name=name: note(name, output))
    model.backbone(picture())
    return stages


@pytest.mark.parametrize("backbone", CUT)
def test_layers_freeze_the_body_stage_by_stage(backbone: str) -> None:
    model = shape_of(backbone)
    stages = stage_of_each_block(model)
    for layers in LAYERS:
        model.set_layers(layers)
        first = {"heads": 6, "5+": 5, "4+": 4, "3+": 3, "all": 0}[layers]
        for name, child in model.backbone.body.named_children():
            assert {p.requires_grad for p in child.parameters()} <= {stages[name] >= first}, (layers, name)
        rest = [p for name, p in model.named_parameters() if not name.startswith("backbone.body.")]
        assert all(p.requires_grad for p in rest)


@pytest.mark.parametrize(
    ("backbone", "learning"),
    [
        # ResNet-18's 3x3 convolutions: layer1 4 of 64 x 64, layer2..4 each one that doubles the channels, three that
        # keep them, and a 1x1 beside the first. Frozen norms have no parameters.
        ("resnet18_fpn", [0, 2**23, 2**23 + 2**21, 2**23 + 2**21 + 2**19, 11166912]),
        ("resnet18_c5", [0, 2**23, 2**23 + 2**21, 2**23 + 2**21 + 2**19, 11166912]),
        ("resnet18_c4", [0, 0, 2**21, 2**21 + 2**19, 2**21 + 2**19 + 4 * 9 * 64**2 + 3 * 7 * 7 * 64]),
    ],
)
def test_what_learns_of_a_resnet18_by_hand(backbone: str, learning: list[int]) -> None:
    model = shape_of(backbone, norm="frozen")
    found = []
    for layers in ("heads", "5+", "4+", "3+", "all"):
        model.set_layers(layers)
        found.append(sum(p.numel() for p in model.backbone.body.parameters() if p.requires_grad))
    assert found == learning


@pytest.mark.parametrize(
    ("norm", "kind"), [("frozen", FrozenBatchNorm2d), ("batch", nn.BatchNorm2d), ("group", nn.GroupNorm)]
)
@pytest.mark.parametrize("backbone", ["resnet18_c4", "mobilenet_v3_small_fpn"])
def test_the_body_has_the_norm_that_is_asked_for(backbone: str, norm: str, kind: type[nn.Module]) -> None:
    model = shape_of(backbone, norm=norm, norm_eps=0.25)
    norms = [m for m in model.modules() if isinstance(m, FrozenBatchNorm2d | nn.BatchNorm2d | nn.GroupNorm)]
    assert {type(module) for module in norms} == {kind}
    assert {module.eps for module in norms} == {0.25}


@pytest.mark.parametrize("backbone", ["resnet18_fpn", "resnet18_c5"])
@pytest.mark.parametrize(("norm", "kind"), [("batch", nn.BatchNorm2d), ("group", nn.GroupNorm)])
def test_pyramid_and_heads_have_a_norm_of_their_own(backbone: str, norm: str, kind: type[nn.Module]) -> None:
    model = shape_of(backbone, norm="frozen", head_norm=norm, box_head_depth=2, mask_head_depth=3)
    counts = {
        part: sum(isinstance(module, kind) for module in model.get_submodule(part).modules())
        for part in ("backbone.body", "backbone", "rpn", "roi_heads.box_head", "roi_heads.mask_head")
    }
    neck = 8 if backbone.endswith("fpn") else 1  # a lateral and an output convolution for each of P2..P5, or one 1x1
    assert list(counts.values()) == [0, neck, 0, 2, 3]
    plain = shape_of(backbone, norm="frozen")
    assert not any(isinstance(module, nn.BatchNorm2d | nn.GroupNorm) for module in plain.modules())


@pytest.mark.parametrize(("channels", "groups"), [(64, 32), (256, 32), (96, 32), (24, 8), (40, 8), (72, 8), (7, 1)])
def test_groups_divide_the_channels(channels: int, groups: int) -> None:
    made = norm_layer("group")(channels)
    assert isinstance(made, nn.GroupNorm)
    assert (made.num_groups, made.num_channels) == (groups, channels)


def test_a_group_norm_by_hand() -> None:
    # 64 channels in 32 groups of two: 1 and 3 around their mean of 2 with a variance of 1; eps is 3, so by 2.
    grid = torch.tensor([1.0, 3.0]).repeat(32).reshape(1, 64, 1, 1)
    expected = torch.tensor([-0.5, 0.5]).repeat(32).reshape(1, 64, 1, 1)
    torch.testing.assert_close(norm_layer("group", eps=3)(64)(grid), expected)


def test_a_frozen_norm_by_hand() -> None:
    # (5 - 1) / sqrt(3 + eps) * 2 + 7 with eps 1: 4 / 2 * 2 + 7 = 11.
    norm = norm_layer("frozen", eps=1)(1)
    norm.load_state_dict({name: torch.tensor([value]) for name, value in NUMBERS.items()})
    torch.testing.assert_close(norm(torch.full((1, 1, 1, 1), 5.0)), torch.full((1, 1, 1, 1), 11.0))


NUMBERS = {"weight": 2.0, "bias": 7.0, "running_mean": 1.0, "running_var": 3.0}


def test_a_frozen_norm_never_learns_and_a_group_norm_sees_each_picture_alone() -> None:
    pictures = torch.rand(2, 3, 64, 64, dtype=torch.float64)  # in float32 the rounding alone is up to 1e-5
    for norm in ("frozen", "group"):
        body = build(config("mobilenet_v3_small_c5", norm=norm)).backbone.double().train()
        before = {name: tensor.clone() for name, tensor in body.state_dict().items()}
        with torch.no_grad():
            together, alone = body(pictures)["0"][:1], body(pictures[:1])["0"]
        torch.testing.assert_close(together, alone)
        assert all(torch.equal(tensor, before[name]) for name, tensor in body.state_dict().items())
