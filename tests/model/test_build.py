"""What is built from a Config: its start, its parts, and pictures in which there is nothing.

Elsewhere: `test_torchvision.py` holds it to torchvision's builders, `test_combinations.py` trains every combination,
`test_backbones.py` and `test_heads.py` have the parts.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from maskrcnn.config import LOSS_NAMES, Config
from maskrcnn.model import build
from maskrcnn.model.build import PARTS, StudioRCNN, parameter_counts
from maskrcnn.model.heads import LAST_HEAD_LAYERS, last_head_layers
from tests import tiny

SMALL = {**tiny.CONFIG, "keypoint_head_width": 8, "keypoint_head_depth": 1, "num_keypoints": 2, "keypoint_pool_size": 7}


def network(**changes: Any) -> StudioRCNN:
    return build(Config.preset("classroom", **{**SMALL, **changes}))


def square(size: int = 64) -> tuple[Tensor, dict[str, Tensor]]:
    """A picture with one bright square and its target."""
    picture = torch.zeros(3, size, size)
    picture[:, 16:48, 16:48] = 1
    masks = (picture[:1] > 0).to(torch.uint8)
    keypoints = torch.tensor([[[16.0, 16, 2], [47, 47, 2]]])
    boxes, labels = torch.tensor([[16.0, 16, 48, 48]]), torch.tensor([1])
    return picture, {"boxes": boxes, "labels": labels, "masks": masks, "keypoints": keypoints}


def nothing(size: int = 64) -> dict[str, Tensor]:
    return {name: tensor[:0] for name, tensor in square(size)[1].items()}


@pytest.mark.parametrize("mask_kind", ["sigmoid", "softmax", "agnostic"])
def test_an_untrained_network_is_undecided(mask_kind: str) -> None:
    """Nothing is known, so all answers are about equally likely: -ln(1 / how many there are)."""
    torch.manual_seed(0)
    model = network(mask_kind=mask_kind, tasks="box,mask,keypoints", num_classes=3).train()
    picture, target = square()
    losses = model([picture], [target])
    assert losses["loss_classifier"].item() == pytest.approx(math.log(3), abs=0.05)
    assert losses["loss_objectness"].item() == pytest.approx(math.log(2), abs=0.05)
    answers = 3 if mask_kind == "softmax" else 2
    assert losses["loss_mask"].item() == pytest.approx(math.log(answers), abs=0.02)
    assert losses["loss_keypoint"].item() == pytest.approx(math.log(28 * 28), abs=0.05)  # which of 28 x 28 places


@pytest.mark.parametrize("tasks", ["box", "box,mask", "box,keypoints", "box,mask,keypoints"])
def test_a_network_has_the_losses_and_answers_of_its_tasks(tasks: str) -> None:
    model = network(tasks=tasks).train()
    picture, target = square()
    losses = model([picture], [target])
    assert [LOSS_NAMES[name] for name in LOSS_NAMES if name in losses] == list(model.config.losses)
    with torch.inference_mode():
        (found,) = model.eval()([picture])
    assert ("masks" in found, "keypoints" in found) == ("mask" in tasks, "keypoints" in tasks)
    heads = model.roi_heads
    assert (heads.has_mask(), heads.has_keypoint()) == ("mask" in tasks, "keypoints" in tasks)


def test_a_batch_of_nothing_teaches_background_only() -> None:
    torch.manual_seed(0)
    model = network(tasks="box,mask,keypoints", norm="frozen").train()
    losses = model([torch.rand(3, 64, 64)] * 2, [nothing()] * 2)
    sum(losses.values()).backward()
    zero = {"loss_box_reg", "loss_mask", "loss_keypoint", "loss_rpn_box_reg"}
    assert {name for name, loss in losses.items() if loss.item() == 0} == zero
    assert all(torch.isfinite(loss) and loss >= 0 for loss in losses.values())
    # The weights of what was not asked are left alone, and not spoilt.
    gradients = [p.grad for p in model.parameters()]
    assert all(gradient is not None and torch.isfinite(gradient).all() for gradient in gradients)
    assert model.roi_heads.mask_predictor.mask_fcn_logits.weight.grad.abs().sum() == 0


def test_a_batch_without_objects_and_without_proposals_has_no_loss_but_the_rpns() -> None:
    model = network(rpn_min_score=0.999).train()
    losses = model([torch.rand(3, 64, 64)], [nothing()])
    assert {name for name, loss in losses.items() if loss.item() == 0} == set(losses) - {"loss_objectness"}
    sum(losses.values()).backward()


def test_nothing_found_is_an_empty_answer() -> None:
    model = network(rpn_min_score=0.999, tasks="box,mask,keypoints")
    with torch.inference_mode():
        (found,) = model([torch.rand(3, 48, 80)])
    shapes = {name: tuple(values.shape) for name, values in found.items()}
    assert shapes == {
        "boxes": (0, 4),
        "labels": (0,),
        "scores": (0,),
        "masks": (0, 1, 48, 80),
        "keypoints": (0, 2, 3),
        "keypoints_scores": (0, 2),
    }


def test_it_is_built_ready_for_predicting() -> None:
    model = network()
    assert not model.training
    assert model.config == Config.preset("classroom", **SMALL)


def test_a_seed_makes_the_same_network() -> None:
    states = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        states.append(network().state_dict())
    name = "roi_heads.mask_predictor.mask_fcn_logits.weight"
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert not torch.equal(states[0][name], states[2][name])


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"tasks": "box"}, LAST_HEAD_LAYERS[:2]),
        ({}, LAST_HEAD_LAYERS[:3]),
        ({"mask_head": "mlp"}, (*LAST_HEAD_LAYERS[:2], LAST_HEAD_LAYERS[3])),
        ({"tasks": "box,mask,keypoints"}, (*LAST_HEAD_LAYERS[:3], LAST_HEAD_LAYERS[4])),
        ({"backbone": "mobilenet_v3_small_c4"}, LAST_HEAD_LAYERS[:3]),
    ],
)
def test_the_last_layers_are_those_whose_size_follows_the_classes(changes: dict[str, Any], names: Any) -> None:
    with torch.device("meta"):
        few, many = (network(**changes, num_classes=n, num_keypoints=n) for n in (2, 5))
    assert tuple(last_head_layers(few)) == names
    differing = {
        name.rpartition(".")[0]
        for name, tensor in few.state_dict().items()
        if tensor.shape != many.state_dict()[name].shape
    }
    assert differing == set(names)


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"tasks": "box"}, ["body", "neck", "rpn", "box head"]),
        ({}, ["body", "neck", "rpn", "box head", "mask head"]),
        ({"tasks": "box,keypoints"}, ["body", "neck", "rpn", "box head", "keypoint head"]),
        ({"tasks": "box,mask,keypoints"}, list(PARTS)),
        ({"backbone": "resnet18_c5", "tasks": "box"}, ["body", "neck", "rpn", "box head"]),
        ({"backbone": "resnet18_c4"}, ["body", "rpn", "box head", "mask head"]),  # no neck: C4 as it is
    ],
)
def test_parameters_are_counted_once_and_by_part(changes: dict[str, Any], parts: list[str]) -> None:
    with torch.device("meta"):
        model = network(**changes)
    counts = parameter_counts(model)
    total = counts.pop("total")
    assert list(counts) == parts
    assert total == sum(counts.values()) == sum(p.numel() for p in model.parameters())


def test_parameters_of_a_mask_head_by_hand() -> None:
    # One 3x3 convolution from 8 to 8 channels, a 2x2 deconvolution from 8 to 8, a 1x1 to two classes; all with biases.
    with torch.device("meta"):
        counts = parameter_counts(network())
    assert counts["mask head"] == (9 * 8 * 8 + 8) + (4 * 8 * 8 + 8) + (8 * 2 + 2)


def test_pictures_that_were_resized_already_keep_their_size() -> None:
    model = network()
    picture, target = square(80)
    scaled, _ = model.transform([picture], [target])
    assert scaled.image_sizes == [(64, 64)]
    model.transform.resized = True
    kept, targets = model.transform([picture], [target])
    assert kept.image_sizes == [(80, 80)]
    assert targets[0]["boxes"].tolist() == [[16, 16, 48, 48]]


def test_a_batch_of_several_processes_is_padded_to_what_all_of_them_have() -> None:
    """To multiples of 32, as torchvision pads; room that it has anyway changes nothing."""
    transform = network().transform
    transform.resized = True
    shapes = {}
    for room in ((0, 0), (40, 90), (70, 97), (64, 20)):
        transform.room = room
        batch, _ = transform([torch.ones(3, 40, 90)])
        shapes[room] = tuple(batch.tensors.shape[2:])
        assert batch.image_sizes == [(40, 90)]
        assert batch.tensors[..., 40:, :].abs().sum() == batch.tensors[..., :, 90:].abs().sum() == 0
    assert shapes == {(0, 0): (64, 96), (40, 90): (64, 96), (70, 97): (96, 128), (64, 20): (64, 96)}


@pytest.mark.parametrize(
    ("backbone", "names"),
    [
        ("resnet18_fpn", {"0": "P2", "1": "P3", "2": "P4", "3": "P5", "pool": "P6"}),
        ("resnet18_c4", {"0": "C4"}),
        ("resnet18_c5", {"0": "C5"}),
    ],
)
def test_maps_have_the_names_of_the_papers(backbone: str, names: dict[str, str]) -> None:
    with torch.device("meta"):
        assert network(backbone=backbone).level_names == names
