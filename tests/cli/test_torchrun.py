"""Two processes that share every batch learn what one would have learned: `torchrun`, with gloo on a CPU."""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from maskrcnn.__main__ import main
from maskrcnn.annotations.trainable_check import unwatched
from maskrcnn.cli.train import add_arguments
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError
from maskrcnn.runs.folder import BEGUN, PROCESS, RESULT, RunFolder
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.training_documents import training_documents
from maskrcnn.training.distributed import Team, refuse_uneven
from maskrcnn.training.training_start import begin
from maskrcnn.words import counted
from tests import tiny
from tests.forked import in_child
from tests.sweeps import sweep

FIELDS = (
    *("norm=group", "precision=float32", "batch_size=4", "loader_threads=1", "ema=0.9", "copy_paste=0.5", "crop=0.5"),
    *("warmup_steps=1", "learning_rate=0.002", "patience=5"),
)


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.squares(tmp_path_factory.mktemp("squares"), pictures=6)


def words_of(labels: Path, run: Path, *more: str) -> list[str]:
    words = ["train", "--data", str(labels), "--val", str(labels), "--out", str(run), "--device", "cpu"]
    words += ["--backbone", "mobilenet_v3_small_fpn", "--layers", "heads,all", "--epochs", "2", *tiny.SETTINGS]
    return [*words, *(word for setting in FIELDS for word in ("--set", setting)), *more]


def together(words: list[str], root: Path, processes: int = 2) -> subprocess.CompletedProcess[str]:
    """Run a command of the studio in that many processes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes)),
            *("--master-addr", "127.0.0.1", "--master-port", str(port), "-m", "maskrcnn", *words),
        ],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@sweep
def test_two_processes_learn_what_one_does(labels: Path, tmp_path: Path, root: Path) -> None:
    """The same losses at every step, the same rows, and the same weights at the end.

    Only sums are taken in another order: seen were 2e-7 for losses and 3e-8 for weights.
    """
    assert in_child(lambda: main(words_of(labels, tmp_path / "one"))) == 0
    ended = together(words_of(labels, tmp_path / "two"), root)
    assert ended.returncode == 0, ended.stderr
    one, two = RunFolder(tmp_path / "one"), RunFolder(tmp_path / "two")
    alone, shared = one.metrics(), two.metrics()
    assert [(row["event"], row["step"], row["layers"]) for row in alone] == [
        (row["event"], row["step"], row["layers"]) for row in shared
    ]
    config = one.config()
    for first, second in zip(alone, shared, strict=True):
        for name in (*config.losses, "loss"):
            assert second[name] == pytest.approx(first[name], abs=1e-4), (first["step"], name)
        assert second["learning_rate"] == first["learning_rate"]
        assert second["gradient_norm"] == pytest.approx(first["gradient_norm"], rel=0.02)
        if first["event"] == "epoch":
            assert second["val_loss"] == pytest.approx(first["val_loss"], abs=1e-4)
    weights = [load_file(run.best) for run in (one, two)]
    for name, tensor in weights[0].items():
        if tensor.is_floating_point():
            assert torch.allclose(tensor, weights[1][name], atol=1e-4), name

    # Only the first one writes and speaks.
    assert ended.stdout.count("epoch   1 ") == 1
    assert two.log_tail().count("epoch   1 ") == 1
    assert "2 processes" in two.log_tail()
    assert len(shared) == len(alone)
    assert two.result()["state"] == "done"
    # The one that learned inside this test notes no process that anybody may end.
    assert {path.name for path in two.path.iterdir()} == {PROCESS, BEGUN, *(path.name for path in one.path.iterdir())}
    # The trainer names its attempt in all that it writes about it.
    ids = {json.loads((two.path / name).read_text())["attempt"] for name in (PROCESS, BEGUN, RESULT)}
    assert len(ids) == 1

    # What two began, one can go on with.
    for run in (one, two):
        words = ["train", "--resume", "--out", str(run.path), "--device", "cpu", "--epochs", "1"]
        assert in_child(lambda words=words: main(words)) == 0
        assert [row["epoch"] for row in run.epochs()] == [1, 2, 3]
    assert two.epochs()[-1]["loss"] == pytest.approx(one.epochs()[-1]["loss"], abs=1e-4)


@pytest.mark.parametrize(
    ("batch", "processes", "mend"), [(3, 2, 4), (1, 2, 2), (8, 4, None), (4, 4, None), (5, 3, 6), (2, 3, 3)]
)
def test_a_batch_that_cannot_be_shared_is_refused(
    batch: int, processes: int, mend: int | None, labels: Path, tmp_path: Path
) -> None:
    """By the first process, before anything is written and before it has anything to do with the others."""
    documents = training_documents(labels, None, None, tmp_path / "run")
    documents["train"]["images"] = documents["train"]["images"][:4]  # so a batch is of 4 pictures at most
    config = Config.preset("classroom", batch_size=batch)
    if mend is None:
        refuse_uneven(config, documents, Team(0, processes))
        return
    batches = f"batches of {counted(min(batch, 4), 'picture')}"
    says = f"{processes} processes cannot share {batches} evenly; give --set batch_size={mend}"
    with pytest.raises(ArgumentError, match=says):
        refuse_uneven(config, documents, Team(0, processes))


def test_nothing_is_written_then(labels: Path, tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    args = parser.parse_args(words_of(labels, tmp_path / "run", "--set", "batch_size=3")[1:])
    with pytest.raises(ArgumentError, match="2 processes cannot share batches of 3 pictures"):
        begin(TrainingRequest.from_options(vars(args)), args.out, torch.device("cpu"), Team(0, 2), unwatched)
    assert not (tmp_path / "run").exists()
