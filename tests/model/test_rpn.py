"""The RPN that works its gradient out at the sampled anchors only, beside torchvision's, which does so everywhere."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor
from torchvision.models.detection.rpn import RegionProposalNetwork

from maskrcnn.config import Config
from maskrcnn.model.build import StudioRCNN, build
from maskrcnn.model.rpn import rpn_neighbourhoods
from tests import tiny

PICTURES = [torch.rand(3, 64, 96, generator=torch.Generator().manual_seed(n)) for n in range(2)]


def network(**changes: Any) -> StudioRCNN:
    torch.manual_seed(0)
    model = build(Config.preset("classroom", **{**tiny.CONFIG, "norm": "frozen", "num_classes": 3, **changes}))
    for parameter in model.rpn.parameters():  # as it starts, nothing is likely and nothing moves
        torch.nn.init.normal_(parameter, std=0.05)
    model.transform.resized = True
    return model.train()


def targets(empty: bool = False) -> list[dict[str, Tensor]]:
    boxes = torch.zeros(0, 4) if empty else torch.tensor([[10.0, 10, 50, 60], [30, 20, 90, 62]])
    labels = torch.ones(len(boxes), dtype=torch.int64)
    return [{"boxes": boxes, "labels": labels, "masks": torch.zeros(len(boxes), 64, 96)} for _ in PICTURES]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"backbone": "mobilenet_v2_c4", "rpn_anchor_scales": (16, 32, 64)},
        {"backbone": "mobilenet_v3_large_fpn32", "rpn_scales_at": "every-level"},
        {"rpn_head_depth": 2},  # sees further than one cell, so it is torchvision's way
    ],
)
@pytest.mark.parametrize("empty", [False, True])
def test_losses_and_gradients_are_torchvisions(changes: dict[str, Any], empty: bool) -> None:
    ours = network(**changes)
    theirs = copy.deepcopy(ours)
    theirs.rpn.__class__ = RegionProposalNetwork
    found = []
    for model in (ours, theirs):
        torch.manual_seed(1)  # the same anchors are drawn
        losses = model(PICTURES, targets(empty))
        (losses["loss_objectness"] + 3 * losses["loss_rpn_box_reg"]).backward()
        found.append(losses)
    for name, expected in found[1].items():
        torch.testing.assert_close(found[0][name], expected, rtol=1e-5, atol=1e-6)
    compared = 0
    for (name, mine), wanted in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        if wanted.grad is not None:
            compared += 1
            assert mine.grad is not None, name
            torch.testing.assert_close(mine.grad, wanted.grad, rtol=1e-3, atol=1e-5 * wanted.grad.abs().max().item())
    assert compared > 10


def test_the_cells_around_a_cell() -> None:
    # Two maps of 2 x 3 cells and one channel: 0 1 2 / 3 4 5, and ten more than that.
    maps = torch.stack([torch.arange(6.0).view(1, 2, 3), torch.arange(6.0).view(1, 2, 3) + 10])
    found = rpn_neighbourhoods(maps, torch.tensor([0, 1]), torch.tensor([1, 5]))[..., 0]
    assert found.tolist() == [[0, 0, 0, 0, 1, 2, 3, 4, 5], [11, 12, 0, 14, 15, 0, 0, 0, 0]]
