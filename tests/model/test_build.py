"""The composed network against torchvision's own."""

import pytest
import torch
from torchvision.models.detection import maskrcnn_resnet50_fpn

from maskrcnn.config import BACKBONES, LOSS_NAMES, POOLINGS, Config
from maskrcnn.model import build
from maskrcnn.model.build import parameter_counts
from tests import tiny


def square(size: int = 64) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """A picture with one bright square and its target."""
    picture = torch.zeros(3, size, size)
    picture[:, 16:48, 16:48] = 1
    masks = (picture[:1] > 0).to(torch.uint8)
    return picture, {"boxes": torch.tensor([[16.0, 16, 48, 48]]), "labels": torch.tensor([1]), "masks": masks}


def test_torchvision_preset_is_torchvisions_network() -> None:
    torch.manual_seed(0)
    theirs = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None).eval()
    ours = build(Config.preset("torchvision"))
    ours.load_state_dict(theirs.state_dict(), strict=True)
    for transform in (theirs.transform, ours.transform):  # small enough for a test; both alike
        transform.min_size, transform.max_size = (96,), 160
    picture = [torch.rand(3, 90, 120)]
    with torch.inference_mode():
        expected, found = theirs(picture)[0], ours(picture)[0]
    assert len(found["boxes"]) == len(expected["boxes"]) > 0
    for name in ("boxes", "scores", "masks"):
        torch.testing.assert_close(found[name], expected[name], atol=1e-5, rtol=0)
    assert found["labels"].tolist() == expected["labels"].tolist()


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("backbone", BACKBONES)
def test_every_backbone_and_pooling_learns_and_predicts(backbone: str, pooling: str) -> None:
    torch.manual_seed(0)
    model = build(Config.preset("classroom", **{**tiny.CONFIG, "backbone": backbone, "pooling": pooling}))
    picture, target = square()
    losses = model.train()([picture, picture], [target, target])
    assert set(losses) == set(LOSS_NAMES)
    sum(losses.values()).backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    with torch.inference_mode():
        (found,) = model.eval()([picture])
    assert found["masks"].shape[1:] == (1, 64, 64)


def test_a_picture_without_objects_has_no_box_and_no_mask_loss() -> None:
    model = build(Config.preset("classroom", **tiny.CONFIG)).train()
    empty = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64), "masks": torch.zeros(0, 64, 64)}
    losses = model([torch.rand(3, 64, 64)], [empty])
    assert losses["loss_box_reg"] == losses["loss_mask"] == losses["loss_rpn_box_reg"] == 0
    assert torch.isfinite(losses["loss_classifier"])


def test_an_untrained_network_is_undecided() -> None:
    # Nothing is known, so the classes are nearly equally likely and a mask is a coin: -ln(1 / 2) = 0.693 a pixel.
    torch.manual_seed(0)
    model = build(Config.preset("classroom", **tiny.CONFIG)).train()
    picture, target = square()
    losses = model([picture], [target])
    assert losses["loss_mask"].item() == pytest.approx(0.693, abs=0.02)
    assert losses["loss_classifier"].item() == pytest.approx(0.693, abs=0.05)


@pytest.mark.parametrize("backbone", BACKBONES)
def test_layers_freeze_the_body_from_below(backbone: str) -> None:
    model = build(Config.preset("classroom", **{**tiny.CONFIG, "backbone": backbone}))
    learning = {}
    for layers in ("heads", "5+", "4+", "3+", "all"):
        model.set_layers(layers)
        learning[layers] = sum(p.numel() for p in model.backbone.body.parameters() if p.requires_grad)
        assert all(p.requires_grad for p in model.roi_heads.parameters())
        assert all(p.requires_grad for p in model.backbone.fpn.parameters())
    assert learning["heads"] == 0
    assert learning["all"] == sum(p.numel() for p in model.backbone.body.parameters())
    assert list(learning.values()) == sorted(set(learning.values()))


def test_mobilenet_stages_have_their_strides() -> None:
    model = build(Config.preset("classroom", **{**tiny.CONFIG, "backbone": "mobilenet_v2_fpn"}))
    with torch.inference_mode():
        maps = model.backbone(torch.rand(1, 3, 64, 64))
    assert [tuple(value.shape[-2:]) for value in maps.values()] == [(16, 16), (8, 8), (4, 4), (2, 2), (1, 1)]


def test_parameter_counts_add_up() -> None:
    model = build(Config.preset("classroom", **tiny.CONFIG))
    counts = parameter_counts(model)
    assert counts.pop("total") == sum(counts.values()) == sum(p.numel() for p in model.parameters())
