"""Every combination of backbone kind, RoI pooling, tasks, mask head and kind of mask learns and predicts.

The bodies are the smallest that there are. They do not depend on the other words, so each is built once and copied.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import torch
from torch import Tensor

from maskrcnn.config import LOSS_NAMES, MASK_HEADS, MASK_KINDS, POOLINGS, STRIDES, Config
from maskrcnn.model.backbones import build_backbone
from maskrcnn.model.build import StudioRCNN, build
from tests import tiny
from tests.sweeps import sweep

BACKBONES = {kind: f"mobilenet_v3_{'large' if kind == 'fpn32' else 'small'}_{kind}" for kind in STRIDES}
ALL_TASKS = "box,mask,keypoints"
SIZE, KEYPOINTS = 64, 4
SMALL: dict[str, Any] = {
    **tiny.CONFIG,
    "norm": "frozen",
    "num_classes": 3,
    "num_keypoints": KEYPOINTS,
    "rpn_scales_at": "every-level",
    "rpn_anchor_scales": (16, 32),
    "pre_nms_limit": 20,
    "post_nms_rois_training": 10,
    "post_nms_rois_inference": 5,
    "detection_min_confidence": 0.0,
    "detection_max_instances": 3,
    "pool_size": 4,
    "mask_pool_size": 4,
    "keypoint_pool_size": 4,
    "keypoint_head_width": 8,
    "keypoint_head_depth": 1,
}
FOUND_OF = {"box": ("boxes", "labels", "scores"), "mask": ("masks",), "keypoints": ("keypoints", "keypoints_scores")}
OF_OBJECTS = ("loss_box_reg", "loss_mask", "loss_keypoint", "loss_rpn_box_reg")


def combinations() -> Iterator[Any]:
    """Fields of each network, with a name for the test."""
    answers: list[dict[str, str]] = [{"tasks": "box"}, {"tasks": "box,keypoints"}]
    for head in MASK_HEADS:
        for kind in MASK_KINDS:
            answers += ({"tasks": tasks, "mask_head": head, "mask_kind": kind} for tasks in ("box,mask", ALL_TASKS))
    for turn, (kind, pooling) in enumerate(product(STRIDES, POOLINGS)):
        # Average and max fill any bin; one of the two is what `auto` means, and the heads do not know which.
        mode = "average" if pooling == "pool" else "max"
        for number, fields in enumerate((*answers, {"tasks": ALL_TASKS, "pooling_mode": mode})):
            fields = {"pooling": pooling, **fields}
            name = " ".join((kind, *fields.values()))
            # By default one in five, others for the next pooling, so that all words are met.
            marks = [sweep] if (number + turn) % 5 else []
            yield pytest.param({"backbone": BACKBONES[kind], **fields}, id=name, marks=marks)


@pytest.fixture(scope="module")
def bodies() -> dict[str, Any]:
    """A backbone of each kind, and with c4 the stage that goes to the heads."""
    torch.manual_seed(0)
    configs = (Config.preset("classroom", **{**SMALL, "backbone": backbone}) for backbone in BACKBONES.values())
    return {config.backbone: build_backbone(config) for config in configs}


@pytest.fixture
def network(request: pytest.FixtureRequest, bodies: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> StudioRCNN:
    monkeypatch.setitem(build.__globals__, "build_backbone", lambda config: copy.deepcopy(bodies[config.backbone]))
    torch.manual_seed(0)
    return build(Config.preset("classroom", **{**SMALL, **request.param}))


def a_picture(objects: int) -> tuple[Tensor, dict[str, Tensor]]:
    """Noise with one bright square, or with nothing."""
    picture = torch.rand(3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) / 2
    masks = torch.zeros(1, SIZE, SIZE, dtype=torch.uint8)
    masks[:, 16:48, 16:48] = 1
    keypoints = torch.tensor([[[20.0, 20, 2], [40, 40, 1], [0, 0, 0], [47, 17, 2]]])
    boxes, labels = torch.tensor([[16.0, 16, 48, 48]]), torch.tensor([2])
    target = {"boxes": boxes, "labels": labels, "masks": masks, "keypoints": keypoints}
    return picture + objects * masks / 2, {name: tensor[:objects] for name, tensor in target.items()}


@pytest.mark.parametrize("network", list(combinations()), indirect=True)
def test_it_learns_and_predicts(network: StudioRCNN) -> None:
    config = network.config
    (picture, target), (nothing, empty) = a_picture(1), a_picture(0)

    # One step on a picture with an object and one without: every weight that can learn is told how.
    losses = network.train()([picture, nothing], [target, empty])
    assert {LOSS_NAMES[name] for name in losses} == set(config.losses)
    assert all(torch.isfinite(loss) and loss >= 0 for loss in losses.values())
    sum(losses.values()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    torch.optim.SGD(network.parameters(), lr=1e-3).step()

    # Where there is nothing there is nothing to refine, to cut out or to point at.
    with torch.no_grad():
        losses = network([nothing, nothing], [empty, empty])
    assert {name: loss.item() for name, loss in losses.items() if name in OF_OBJECTS} == {
        name: 0 for name in OF_OBJECTS if LOSS_NAMES[name] in config.losses
    }
    assert all(torch.isfinite(loss) for loss in losses.values())

    with torch.inference_mode():
        (found,) = network.eval()([picture])
    assert set(found) == {name for task in config.tasks for name in FOUND_OF[task]}
    count = len(found["boxes"])
    assert 0 < count <= 3
    shapes = {"masks": (1, SIZE, SIZE), "keypoints": (KEYPOINTS, 3), "keypoints_scores": (KEYPOINTS,), "boxes": (4,)}
    for name, values in found.items():
        assert values.shape == (count, *shapes.get(name, ()))
        assert torch.isfinite(values).all()
    assert set(found["labels"].tolist()) <= {1, 2}
