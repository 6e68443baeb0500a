"""The network within a training, and that it is as it was built after one, however it ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from maskrcnn.errors import StudioError
from maskrcnn.model import build
from maskrcnn.model.build import StudioRCNN
from maskrcnn.training import loop
from maskrcnn.training.batch_loader import BatchLoader
from maskrcnn.training.training_speedups import prepared_for_training
from tests.training.prepared import Prepared

FROZEN: dict[str, Any] = {"norm": "frozen", "precision": "bfloat16", "backbone": "resnet18_fpn"}
"""A network of which everything is changed while it trains: norms are folded, the wide parts are in bfloat16."""


def own_attributes(model: StudioRCNN) -> dict[str, set[str]]:
    """Names of what each module has of its own, its parameters, buffers and submodules left out."""
    return {name: set(vars(module)) for name, module in model.named_modules()}


@torch.no_grad()
def maps(model: StudioRCNN) -> dict[str, Tensor]:
    return model.eval().backbone(torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0)))


def is_as_built(model: StudioRCNN, attributes: dict[str, set[str]]) -> bool:
    """Whether no module computes in another way than its class, by the attributes of all modules and by the maps of a
    copy that is built anew."""
    fresh = copy_of(model)
    return own_attributes(model) == attributes and all(
        torch.equal(found, expected) for found, expected in zip(maps(model).values(), maps(fresh).values(), strict=True)
    )


def copy_of(model: StudioRCNN) -> StudioRCNN:
    """A network of the same config with the same weights."""
    fresh = build(model.config)
    fresh.load_state_dict(model.state_dict())
    return fresh


def test_within_and_after(tmp_path: Path) -> None:
    model = Prepared(tmp_path, **FROZEN).model
    attributes, names = own_attributes(model), list(model.state_dict())
    before = maps(model)
    with prepared_for_training(model):
        assert model.transform.resized
        assert list(model.state_dict()) == names
        assert not all(
            torch.equal(rough, exact) for rough, exact in zip(maps(model).values(), before.values(), strict=True)
        )
    assert not model.transform.resized
    assert is_as_built(model, attributes)


def test_after_a_whole_training(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path, **FROZEN)
    attributes = own_attributes(prepared.model)
    assert prepared.train()["state"] == "done"
    assert is_as_built(prepared.model, attributes)


def test_after_a_step_that_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = Prepared(tmp_path, **FROZEN)
    attributes = own_attributes(prepared.model)

    def fail(network: Any, samples: Any, seeds: Any) -> Any:
        assert prepared.model.transform.room != (0, 0)
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(loop, "batch_losses", fail)
    with pytest.raises(StudioError, match="not enough memory"):
        prepared.train()
    assert prepared.model.transform.room == (0, 0)
    assert is_as_built(prepared.model, attributes)


def test_after_a_step_whose_losses_are_not_finite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights are those from before that step, and forward, backward and clip have left nothing behind."""
    prepared = Prepared(tmp_path, **{**FROZEN, "norm": "group"})
    attributes, before = own_attributes(prepared.model), prepared.model.state_dict()
    before = {name: tensor.clone() for name, tensor in before.items()}
    read = BatchLoader.__next__

    def spoilt(loader: BatchLoader) -> Any:
        batch = read(loader)
        batch.samples[0][0].fill_(torch.nan)
        return batch

    monkeypatch.setattr(BatchLoader, "__next__", spoilt)
    with pytest.raises(StudioError, match="is nan at epoch 1, step 1"):
        prepared.train()
    assert is_as_built(prepared.model, attributes)
    assert all(torch.equal(tensor, before[name]) for name, tensor in prepared.model.state_dict().items())
