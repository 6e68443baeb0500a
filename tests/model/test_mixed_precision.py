"""bfloat16 where it saves time, float32 where coordinates are at stake."""

import copy

import pytest
import torch

from maskrcnn.config import Config
from maskrcnn.model import build
from maskrcnn.model.mixed_precision import bfloat16_training, supports_bfloat16
from tests import tiny
from tests.model.test_build import square


def test_convolutions_run_in_bfloat16_and_everything_else_gets_float32() -> None:
    torch.manual_seed(0)
    exact = build(Config.preset("classroom", **tiny.CONFIG)).train()
    model = copy.deepcopy(exact)
    inside: list[torch.dtype] = []
    pooled: list[torch.dtype] = []
    model.backbone.body.layer1.register_forward_hook(lambda module, given, result: inside.append(result.dtype))
    model.roi_heads.box_roi_pool.register_forward_hook(lambda module, given, result: pooled.append(result.dtype))

    picture, target = square()
    torch.manual_seed(1)
    with bfloat16_training(model):
        losses = model([picture], [target])
    assert inside == [torch.bfloat16]
    assert pooled == [torch.float32]
    assert all(value.dtype == torch.float32 for value in losses.values())

    # Eight bits: close to, and not the same as, what float32 gives.
    torch.manual_seed(1)
    expected = exact([picture], [target])
    for name in ("loss_objectness", "loss_mask", "loss_classifier"):
        torch.testing.assert_close(losses[name], expected[name], rtol=0.05, atol=0.01)
    sum(losses.values()).backward()
    assert all(p.grad is None or p.grad.dtype == torch.float32 for p in model.parameters())


def test_checkpoints_are_the_same_with_and_without() -> None:
    model = build(Config.preset("classroom", **tiny.CONFIG))
    before = {name: tensor.dtype for name, tensor in model.state_dict().items()}
    with bfloat16_training(model):
        assert {name: tensor.dtype for name, tensor in model.state_dict().items()} == before


def test_afterwards_the_network_computes_in_float32_again() -> None:
    torch.manual_seed(0)
    model = build(Config.preset("classroom", **tiny.CONFIG))
    picture = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        before = model.backbone(picture)
        with bfloat16_training(model):
            rough = model.backbone(picture)
        with pytest.raises(RuntimeError, match="a step fails"), bfloat16_training(model):
            raise RuntimeError("a step fails")
        after = model.backbone(picture)
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert not all(torch.equal(rough[name], before[name]) for name in before)
    assert not [name for name, module in model.named_modules() if "forward" in vars(module)]


def test_devices_that_have_no_bfloat16_units_say_so() -> None:
    assert supports_bfloat16(torch.device("mps")) is False
    assert isinstance(supports_bfloat16(torch.device("cpu")), bool)
