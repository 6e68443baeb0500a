"""Frozen norms as part of their convolutions: the same maps, the same gradients, the same names."""

import copy

import pytest
import torch
from torchvision.ops import FrozenBatchNorm2d

from maskrcnn.config import Config
from maskrcnn.model.build import StudioRCNN, build
from maskrcnn.model.fast_inference import prepare
from maskrcnn.model.norm_folding import temporarily_folded_norms
from tests import tiny

BODIES = ("resnet18_fpn", "mobilenet_v2_fpn", "mobilenet_v3_small_fpn", "resnext50_c4")


def with_statistics(backbone: str) -> StudioRCNN:
    """A network whose frozen norms do something: scale, shift, mean and variance drawn at random."""
    torch.manual_seed(0)
    model = build(Config.preset("classroom", **{**tiny.CONFIG, "backbone": backbone, "norm": "frozen"}))
    for norm in (module for module in model.modules() if isinstance(module, FrozenBatchNorm2d)):
        norm.running_var.uniform_(0.5, 2)
        norm.running_mean.normal_()
        norm.weight.uniform_(0.5, 1.5)
        norm.bias.normal_(0, 0.1)
    return model


@pytest.mark.parametrize("backbone", BODIES)
def test_maps_and_gradients_are_the_same(backbone: str) -> None:
    plain = with_statistics(backbone)
    folded = copy.deepcopy(plain)
    picture = torch.rand(2, 3, 64, 96)
    expected = plain.backbone(picture)
    with temporarily_folded_norms(folded):
        maps = folded.backbone(picture)
    for name in expected:
        torch.testing.assert_close(maps[name], expected[name], rtol=1e-4, atol=1e-5 * expected[name].abs().max().item())
    for features in (expected, maps):
        sum(feature.square().mean() for feature in features.values()).backward()
    compared = 0
    for (name, wanted), got in zip(plain.backbone.named_parameters(), folded.backbone.parameters(), strict=True):
        assert (wanted.grad is None) == (got.grad is None), name
        if wanted.grad is not None:
            compared += 1
            torch.testing.assert_close(got.grad, wanted.grad, rtol=1e-3, atol=2e-5 * float(wanted.grad.abs().max()))
    assert compared > 10


def test_names_and_weights_stay_as_they_are() -> None:
    model = with_statistics("resnet18_fpn")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with temporarily_folded_norms(model):
        within = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for after in (within, model.state_dict()):
        assert list(after) == list(before)
        assert all(torch.equal(after[name], before[name]) for name in before)


def test_afterwards_the_norms_are_applied_by_themselves_again() -> None:
    model = with_statistics("resnet18_fpn")
    picture = torch.rand(1, 3, 64, 96)
    norm = next(module for module in model.modules() if isinstance(module, FrozenBatchNorm2d))
    given = torch.rand(1, len(norm.weight), 2, 2)
    with torch.no_grad():
        before, normed = model.backbone(picture), norm(given)
        assert not torch.equal(normed, given)
        with temporarily_folded_norms(model):
            assert norm(given) is given
        with pytest.raises(RuntimeError, match="a step fails"), temporarily_folded_norms(model):
            raise RuntimeError("a step fails")
        after = model.backbone(picture)
        assert torch.equal(norm(given), normed)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert not [name for name, module in model.named_modules() if "forward" in vars(module)]


def test_a_network_that_learns_this_way_is_prepared_as_any_other() -> None:
    plain = with_statistics("mobilenet_v2_fpn")
    folded = copy.deepcopy(plain)
    picture = torch.rand(1, 3, 64, 96)
    with torch.no_grad(), temporarily_folded_norms(folded):
        expected = prepare(plain, precision="float32").backbone(picture)
        maps = prepare(folded, precision="float32").backbone(picture)
    for name in expected:
        assert torch.equal(maps[name], expected[name])
