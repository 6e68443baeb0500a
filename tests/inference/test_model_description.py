"""What `describe` says of presets and of networks that exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError
from maskrcnn.inference import describe, load
from maskrcnn.model import build, weights
from maskrcnn.model.weights import find_checkpoint
from tests import tiny


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    weights.save(build(Config.preset("classroom", **tiny.CONFIG)), path, epoch=4)
    return path


def test_a_preset_is_described_with_its_changes() -> None:
    found = describe("torchvision", ["pooling=pool"])
    assert (found.preset, found.changed, found.config.pooling) == ("torchvision", ("pooling=pool",), "pool")
    assert found.parameters["total"] == 44_401_393  # torchvision's table of its detectors


def test_a_checkpoint_is_described_by_its_file_and_epoch(checkpoint: Path) -> None:
    found = describe(str(checkpoint))
    assert (found.file, found.epoch, found.preset, found.card) == (checkpoint, 4, None, None)
    assert set(found.to_json()) == {"file", "epoch", "origin", "backbone_shapes", "anchors", "parameters", "config"}
    with pytest.raises(ArgumentError, match="was trained as it is"):
        describe(str(checkpoint), ["pooling=pool"])


def test_a_network_is_loaded_from_what_was_found_already(checkpoint: Path) -> None:
    network = load(find_checkpoint(checkpoint), device="cpu")
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
