"""The heads and their losses: numbers by hand, and the stage that the heads of a c4 network share."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from maskrcnn.config import Config
from maskrcnn.model import build
from maskrcnn.model.build import StudioRCNN, parameter_counts
from maskrcnn.model.heads import Stage5Head
from maskrcnn.model.roi_heads import StudioRoIHeads
from tests import tiny

LN2, LN3, LN5 = math.log(2), math.log(3), math.log(5)
C4 = {"backbone": "mobilenet_v3_small_c4", "keypoint_head_width": 8, "keypoint_head_depth": 1}


def network(**changes: Any) -> StudioRCNN:
    fields = {**tiny.CONFIG, "backbone": "mobilenet_v3_small_fpn", "norm": "frozen", "num_classes": 3}
    return build(Config.preset("classroom", **{**fields, **changes}))


def roi_heads(**changes: Any) -> StudioRoIHeads:
    with torch.device("meta"):  # only its losses are asked
        return network(**changes).roi_heads


# Three classes (0 is the background) on a mask of 2 x 2. In the mask of class 2 a pixel is on with a chance of 3/4,
# 1/2, 1/4 and 1/2; the masks of the others are nobody's business with a sigmoid.
SIGMOID = torch.tensor([[[[9.0, -9], [9, -9]], [[-9, 9], [9, 9]], [[LN3, 0], [-LN3, 0]]]])
TARGET = torch.tensor([[[1, 1], [1, 0.5]]])


def test_the_sigmoid_mask_loss_by_hand() -> None:
    loss = roi_heads(mask_kind="sigmoid").mask_loss(SIGMOID, TARGET, torch.tensor([2]))
    # -ln of 3/4, 1/2, 1/4; for half a pixel half of -ln(1/2) twice.
    assert loss.item() == pytest.approx((math.log(4 / 3) + LN2 + math.log(4) + LN2) / 4, abs=1e-6)


def test_the_agnostic_mask_loss_by_hand() -> None:
    # One mask for all classes: the label does not choose.
    heads = roi_heads(mask_kind="agnostic")
    for label in (1, 2):
        loss = heads.mask_loss(SIGMOID[:, 2:], TARGET, torch.tensor([label]))
        assert loss.item() == pytest.approx((math.log(4 / 3) + LN2 + math.log(4) + LN2) / 4, abs=1e-6)


# Chances of (background, class 1, class 2): 1/8, 2/8, 5/8.
SOFTMAX = torch.tensor([0, LN2, LN5]).reshape(1, 3, 1, 1)


@pytest.mark.parametrize(
    ("label", "target", "loss"),
    [
        (1, 1.0, math.log(4)),  # the object's pixel: its class should win
        (2, 1.0, math.log(8 / 5)),
        (1, 0.0, math.log(8)),  # not the object's: the background should
        (2, 0.0, math.log(8)),
        (1, 0.5, (math.log(4) + math.log(8)) / 2),
    ],
)
def test_the_softmax_mask_loss_by_hand(label: int, target: float, loss: float) -> None:
    found = roi_heads(mask_kind="softmax").mask_loss(SOFTMAX, torch.full((1, 1, 1), target), torch.tensor([label]))
    assert found.item() == pytest.approx(loss, abs=1e-6)


def test_a_sigmoid_lets_classes_be_and_a_softmax_makes_them_compete() -> None:
    louder = SOFTMAX.clone()
    louder[:, 2] += 1  # the mask of another class than the RoI's
    label, target = torch.tensor([1]), torch.ones(1, 1, 1)
    for kind, competes in (("sigmoid", False), ("softmax", True)):
        heads = roi_heads(mask_kind=kind)
        quiet, loud = (heads.mask_loss(logits, target, label).item() for logits in (SOFTMAX, louder))
        assert (loud > quiet) is competes
        quiet, loud = (heads.mask_probabilities(logits, label).item() for logits in (SOFTMAX, louder))
        assert (loud < quiet) is competes


@pytest.mark.parametrize(
    ("kind", "logits", "chances"),
    [
        ("sigmoid", SOFTMAX, [2 / 3, 5 / 6]),  # 1 / (1 + 1/2), 1 / (1 + 1/5)
        ("softmax", SOFTMAX, [2 / 8, 5 / 8]),
        ("agnostic", SOFTMAX[:, 2:], [5 / 6, 5 / 6]),
    ],
)
def test_the_soft_mask_is_that_of_the_detections_class(kind: str, logits: Tensor, chances: list[float]) -> None:
    found = roi_heads(mask_kind=kind).mask_probabilities(logits.repeat(2, 1, 1, 1), torch.tensor([1, 2]))
    assert found.shape == (2, 1, 1, 1)
    torch.testing.assert_close(found.flatten(), torch.tensor(chances))


@pytest.mark.parametrize("kind", ["sigmoid", "softmax", "agnostic"])
def test_no_roi_no_loss(kind: str) -> None:
    nothing = torch.zeros(0, 3, 4, 4, requires_grad=True)
    loss = roi_heads(mask_kind=kind).mask_loss(nothing, torch.zeros(0, 4, 4), torch.zeros(0, dtype=torch.int64))
    assert loss == 0
    loss.backward()


def mask_with_an_edge(at: int) -> Tensor:
    """One mask of 10 x 10 pixels that is 1 to the right of x = `at`."""
    mask = torch.zeros(1, 10, 10, dtype=torch.uint8)
    mask[:, :, at:] = 1
    return mask


@pytest.mark.parametrize(
    ("pooling", "left", "row"),
    [
        # A box 4 pixels wide, cut into 4: its cells are the pixels from 2 on, and the edge at 5 lies between two.
        ("align", 2.0, [0, 0, 0, 1]),
        ("pool", 2.0, [0, 0, 0, 1]),
        ("warp", 2.0, [0, 0, 0, 1]),
        # Pixel i is taken to sit at i, not i + 0.5: the cell [4, 5] looks at 4.5, between a 0 and a 1.
        ("align-legacy", 2.0, [0, 0, 0.5, 1]),
        # Half a pixel on, the cell [4.5, 5.5] is half in the mask; for legacy it is wholly in it.
        ("align", 2.5, [0, 0, 0.5, 1]),
        ("align-legacy", 2.5, [0, 0, 1, 1]),
        ("align", 4.0, [0, 1, 1, 1]),
        ("align", 1.5, [0, 0, 0, 0.5]),
    ],
)
def test_mask_targets_are_cut_where_the_mask_is(pooling: str, left: float, row: list[float]) -> None:
    heads = roi_heads(pooling=pooling)
    box = torch.tensor([[left, 3, left + 4, 7]])
    cut = heads.mask_targets([mask_with_an_edge(5)], [box], [torch.tensor([0])], torch.zeros(1, 3, 4, 4))
    torch.testing.assert_close(cut, torch.tensor(row, dtype=torch.float32).expand(1, 4, 4))


def test_mask_targets_are_of_the_object_that_the_box_is_for() -> None:
    masks = [torch.cat([mask_with_an_edge(0), mask_with_an_edge(10)]), mask_with_an_edge(5)]
    boxes = [torch.tensor([[2.0, 2, 8, 8]] * 3), torch.tensor([[5.0, 0, 9, 9]])]
    objects = [torch.tensor([1, 0, 1]), torch.tensor([0])]
    cut = roi_heads().mask_targets(masks, boxes, objects, torch.zeros(4, 3, 2, 2))
    assert cut.mean(dim=(1, 2)).tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(("kind", "masks"), [("sigmoid", 3), ("softmax", 3), ("agnostic", 1)])
@pytest.mark.parametrize("head", ["fcn", "mlp"])
@pytest.mark.parametrize("backbone", ["mobilenet_v3_small_fpn", "mobilenet_v3_small_c4", "alexnet_c4"])
def test_a_mask_has_twice_the_side_of_its_grid(backbone: str, head: str, kind: str, masks: int) -> None:
    with torch.device("meta"):
        model = network(backbone=backbone, mask_head=head, mask_kind=kind, mask_pool_size=6)
        grids = torch.empty(2, model.backbone.out_channels, 6, 6)
        logits = model.roi_heads.mask_predictor(model.roi_heads.mask_head(grids))
    assert logits.shape == (2, masks, 12, 12)
    assert model.config.mask_shape == 12


@pytest.mark.parametrize("backbone", ["mobilenet_v3_small_fpn", "mobilenet_v3_small_c4"])
def test_a_heatmap_has_four_times_the_side_of_its_grid(backbone: str) -> None:
    with torch.device("meta"):
        model = network(backbone=backbone, tasks="box,keypoints", num_keypoints=5, keypoint_pool_size=6)
        grids = torch.empty(2, model.backbone.out_channels, 6, 6)
        logits = model.roi_heads.keypoint_predictor(model.roi_heads.keypoint_head(grids))
    assert logits.shape == (2, 5, 24, 24)
    assert model.config.keypoint_shape == 24


def test_convolutions_move_a_mask_with_its_grid_and_an_mlp_does_not() -> None:
    """He et al. 2017, section 3, "Mask Representation": where things are is kept by convolutions, without effort."""
    grid = torch.zeros(1, 8, 14, 14)
    grid[:, :, 5:8, 4:7] = 1
    moved = grid.roll(2, dims=3)
    for head, moves in (("fcn", True), ("mlp", False)):
        torch.manual_seed(0)
        heads = network(mask_head=head).roi_heads
        with torch.no_grad():
            first, second = (heads.mask_predictor(heads.mask_head(x)) for x in (grid, moved))
        # Away from the rim, where the zeros beyond it are seen.
        same = torch.allclose(first.roll(4, dims=3)[..., 6:-6, 8:-6], second[..., 6:-6, 8:-6], atol=1e-7)
        assert same is moves


def test_the_box_head_of_a_c4_network_averages_over_the_grid() -> None:
    grid = torch.tensor([[[[1.0, 2], [3, 6]], [[0, 0], [0, 8]]]])
    assert Stage5Head(nn.Sequential(nn.Identity()))(grid).tolist() == [[3, 2]]


def test_the_heads_of_a_c4_network_share_stage_5() -> None:
    model = network(**C4, tasks="box,mask,keypoints")
    heads = model.roi_heads
    stage5 = heads.box_head.stage5
    assert all(head._stage5[0] is stage5 for head in (heads.mask_head, heads.keypoint_head))
    # Its weights are there once: in the state dict, for the optimiser, and in the count.
    owners = {name.split(".stage5.")[0] for name in model.state_dict() if "stage5" in name}
    assert owners == {"roi_heads.box_head"}
    assert len(list(model.parameters())) == len({id(p) for p in model.parameters()})
    counts = parameter_counts(model)
    assert counts.pop("total") == sum(counts.values()) == sum(p.numel() for p in model.parameters())


def test_a_copy_of_a_c4_network_shares_its_own_stage_5() -> None:
    model = network(**C4)
    twin = copy.deepcopy(model)
    assert twin.roi_heads.mask_head._stage5[0] is twin.roi_heads.box_head.stage5
    assert twin.roi_heads.box_head.stage5 is not model.roi_heads.box_head.stage5
    model.double().eval()
    assert next(model.roi_heads.mask_head._stage5[0].parameters()).dtype == torch.float64
    assert next(twin.roi_heads.mask_head._stage5[0].parameters()).dtype == torch.float32


def test_the_mask_loss_of_a_c4_network_reaches_stage_5_and_the_body() -> None:
    model = network(**C4).train()
    picture = torch.rand(3, 64, 64)
    masks = torch.zeros(1, 64, 64, dtype=torch.uint8)
    masks[:, 16:48, 16:48] = 1
    target = {"boxes": torch.tensor([[16.0, 16, 48, 48]]), "labels": torch.tensor([1]), "masks": masks}
    # At first the last layer hardly listens to what is before it; let it.
    torch.nn.init.normal_(model.roi_heads.mask_predictor.mask_fcn_logits.weight)
    model([picture], [target])["loss_mask"].backward()
    for part in (model.roi_heads.box_head.stage5, model.backbone.body):
        gradients = [p.grad for p in part.parameters()]
        assert all(gradient is not None for gradient in gradients)
        assert sum(float(gradient.abs().sum()) for gradient in gradients) > 0
    assert model.roi_heads.box_predictor.cls_score.weight.grad is None
