"""A network on a graphics card is the network on the processor: draws, losses, gradients, detections, a whole run."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask
from torch import Tensor

from maskrcnn.model import detect, load, prepare
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.mixed_precision import bfloat16_training, supports_bfloat16
from maskrcnn.training.batch_loader import BatchLoader
from maskrcnn.training.losses import batch_losses
from maskrcnn.training.saved_state import load_state
from maskrcnn.training.training_speedups import moved_to_device
from tests.model.test_fast_inference import network, noise
from tests.training.prepared import Prepared

CPU = torch.device("cpu")
KINDS: dict[str, dict[str, Any]] = {
    "classroom": {},
    "frozen norms": {"norm": "frozen"},
    "RoIPool": {"pooling": "pool"},
    "RoIWarp": {"pooling": "warp"},
    "legacy": {"pooling": "align-legacy"},
    "c4": {"backbone": "resnet18_c4"},
    "softmax masks": {"mask_kind": "softmax"},
    "keypoints": {"tasks": "box,keypoints"},
    "by cells": {"rpn_head_depth": 2},
}


def sets(tmp_path: Path) -> Any:
    """Two pictures with a square each, as the trainer makes them."""
    prepared = Prepared(tmp_path, pictures=2)
    with BatchLoader(prepared.training, prepared.config) as loader:
        return next(loader)


def on(device: torch.device, model: StudioRCNN) -> StudioRCNN:
    return copy.deepcopy(model).to(device)


def learned(model: StudioRCNN, batch: Any) -> tuple[dict[str, float], dict[str, Tensor]]:
    """The losses of a batch, and the gradients of its sum."""
    model.train()
    model.transform.resized = True
    parts = batch_losses(model, batch.samples, batch.seeds)
    sum(parts.values()).backward()
    gradients = {name: p.grad.cpu() for name, p in model.named_parameters() if p.grad is not None}
    return {name: value.item() for name, value in parts.items()}, gradients


@pytest.mark.parametrize("changes", [pytest.param(value, id=key) for key, value in KINDS.items() if key != "keypoints"])
def test_losses_and_gradients_are_the_processors(card: torch.device, tmp_path: Path, changes: dict[str, Any]) -> None:
    batch = sets(tmp_path)
    model = network(num_classes=2, **changes)
    here, there = learned(on(CPU, model), batch), learned(on(card, model), batch)
    assert there[0] == pytest.approx(here[0], rel=1e-3, abs=1e-5)
    assert there[1].keys() == here[1].keys()
    for name, gradient in here[1].items():
        difference = (there[1][name] - gradient).abs().max()
        assert difference <= 5e-3 * gradient.abs().max() + 1e-6, name


def test_a_step_draws_the_same_anchors_and_rois(card: torch.device) -> None:
    sampler = network().samplers["rpn"]
    random = torch.Generator().manual_seed(0)
    labels = [torch.randint(-1, 2, (5000,), generator=random) for _ in range(3)]
    sampler.seeds = [3, 2**60 - 1, 0]
    here, there = sampler(labels), sampler([label.to(card) for label in labels])
    for ours, theirs in zip(here, there, strict=True):
        assert all(torch.equal(one, other.cpu()) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("changes", [pytest.param(value, id=key) for key, value in KINDS.items()])
@pytest.mark.parametrize("ready", [False, True], ids=["as-trained", "prepared"])
def test_detections_are_the_processors(card: torch.device, changes: dict[str, Any], ready: bool) -> None:
    model = network(**changes).eval()
    both = []
    for device in (CPU, card):
        own = on(device, model)
        both.append(detect(prepare(own, precision="float32") if ready else own, noise()))
    here, there = both
    assert len(there) == len(here) > 0
    assert [one["category_id"] for one in there] == [one["category_id"] for one in here]
    np.testing.assert_allclose([one["score"] for one in there], [one["score"] for one in here], atol=1e-4)
    np.testing.assert_allclose([one["bbox"] for one in there], [one["bbox"] for one in here], atol=0.02)
    if "segmentation" in here[0]:
        masks = [np.stack([coco_mask.decode(one["segmentation"]) for one in found]).astype(int) for found in both]
        assert masks[0].any()
        # Pixels at a soft mask of 0.5 may fall to either side.
        assert abs(masks[0] - masks[1]).sum() <= 0.002 * masks[0].size
    if "keypoints" in here[0]:
        np.testing.assert_allclose([one["keypoints"] for one in there], [one["keypoints"] for one in here], atol=0.05)


def test_bfloat16_is_near_float32(card: torch.device, tmp_path: Path) -> None:
    if not supports_bfloat16(card):
        pytest.skip("this card computes no bfloat16")
    batch = sets(tmp_path / "batch")
    # Its last layers have small weights: rounding moves no proposal over a threshold.
    model = Prepared(tmp_path / "model").model
    exact, rough = on(card, model), on(card, model)
    expected = learned(exact, batch)[0]
    with bfloat16_training(rough):
        given = learned(rough, batch)[0]
    assert given == pytest.approx(expected, rel=0.05, abs=0.02)


@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_a_run_trains_resumes_and_is_read_by_the_processor(card: torch.device, tmp_path: Path, precision: str) -> None:
    prepared = Prepared(tmp_path, epochs=2, precision=precision)
    prepared.model = moved_to_device(prepared.model, card)
    rows: list[dict[str, Any]] = []
    stopped = prepared.train(report=rows.append, cancelled=lambda: len(rows) >= 3)
    assert stopped["state"] == "cancelled"
    state = load_state(prepared.run.state, card)
    assert prepared.train(resumed=state)["state"] == "done"
    assert [row["event"] for row in prepared.run.metrics()] == ["step", "step", "epoch", "step", "step", "epoch"]
    assert all(row["memory_mb"] > 0 for row in prepared.run.metrics() if row["event"] == "step")
    found = load(prepared.run.path)
    assert {p.device.type for p in found.parameters()} == {"cpu"}
    detect(found, noise())


def test_the_same_seed_gives_nearly_the_same_losses(card: torch.device, tmp_path: Path) -> None:
    """Nearly: a card adds up in an order of its own."""
    runs = []
    for name, device in (("card", card), ("again", card), ("processor", CPU)):
        prepared = Prepared(tmp_path / name, epochs=1, precision="float32")
        prepared.model = moved_to_device(prepared.model, device)
        prepared.train()
        runs.append([row["loss"] for row in prepared.run.metrics() if row["event"] == "step"])
    assert runs[1] == pytest.approx(runs[0], rel=1e-3)
    assert runs[2] == pytest.approx(runs[0], rel=5e-2)
