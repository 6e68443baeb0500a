"""Which epochs of a run can be loaded again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from maskrcnn.config import Config
from maskrcnn.model import build
from maskrcnn.model.weights import save
from maskrcnn.runs.checkpoint_files import checkpoints_by_epoch
from maskrcnn.runs.folder import RunFolder

SMALL = {"fpn_channels": 8, "box_head_width": 8, "mask_head_width": 8}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run with numbered checkpoints of epochs 10 and 2, and the best one, of epoch 7."""
    made = RunFolder.create(tmp_path / "first")
    for epoch in (10, 2):
        (made.path / "checkpoints" / f"epoch_{epoch:04d}.safetensors").parent.mkdir(exist_ok=True)
        (made.path / "checkpoints" / f"epoch_{epoch:04d}.safetensors").write_bytes(b"never read")
    save(build(Config.preset("classroom", backbone="resnet18_fpn", **SMALL)), made.best, 7)
    return made


def test_numbered_checkpoints_and_the_best_one(run: RunFolder) -> None:
    assert [(epoch, path.name) for epoch, path in checkpoints_by_epoch(run).items()] == [
        (2, "epoch_0002.safetensors"),
        (7, "best.safetensors"),
        (10, "epoch_0010.safetensors"),
    ]


def test_a_numbered_checkpoint_stands_for_its_epoch(run: RunFolder) -> None:
    numbered = run.path / "checkpoints" / "epoch_0007.safetensors"
    numbered.write_bytes(b"never read")
    assert checkpoints_by_epoch(run)[7] == numbered


@pytest.mark.parametrize("content", [b"", b"nothing", b"\xff" * 64])
def test_a_best_one_that_cannot_be_read_is_left_out(run: RunFolder, content: bytes) -> None:
    assert 7 in checkpoints_by_epoch(run)
    run.best.write_bytes(content)
    os.utime(run.best, ns=(1, 1))
    assert list(checkpoints_by_epoch(run)) == [2, 10]
