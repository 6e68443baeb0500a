"""What goes wrong in a training, made to happen: what is said, and what is still there afterwards."""

from __future__ import annotations

import errno
import math
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from maskrcnn.__main__ import main
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model import load
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.readiness import remarks, require_ready
from maskrcnn.training import loop, saved_state
from maskrcnn.training.batch_loader import BatchLoader
from maskrcnn.training.saved_state import load_state
from maskrcnn.training.training_errors import disk_is_full, diverged, memory_errors_explained
from tests import tiny
from tests.sweeps import one_in
from tests.training.prepared import Prepared

SMALL: dict[str, Any] = {"precision": "float32"}


def failure(prepared: Prepared, **options: Any) -> str:
    """The one line that ends a training."""
    with pytest.raises(StudioError) as raised:
        prepared.train(**options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def still_good(run: RunFolder, epochs: int) -> None:
    """What was learned in that many epochs is there, all of it finite, and the run can be gone on with."""
    assert len(run.checkpoints()) == len(run.epochs()) == epochs
    assert load_state(run.state, torch.device("cpu"))["course"]["finished"] == epochs
    if epochs:
        assert all(torch.isfinite(tensor).all() for tensor in load(run.path).state_dict().values())
    assert all(math.isfinite(row["loss"]) for row in run.metrics())
    assert not [path for path in run.path.rglob(".*") if path.is_file()]


def at_step(number: int, spoil: Callable[[Any], None], patch: pytest.MonkeyPatch) -> None:
    """Do something to the batch of that step, from 1."""
    real, seen = BatchLoader.__next__, []

    def spoilt(self: BatchLoader) -> Any:
        batch = real(self)
        seen.append(1)
        if len(seen) == number:
            spoil(batch)
        return batch

    patch.setattr(BatchLoader, "__next__", spoilt)


def test_a_loss_that_is_not_finite_names_the_picture_and_the_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = Prepared(tmp_path, norm="group", **SMALL)
    names: list[str] = []

    def spoil(batch: Any) -> None:
        batch.samples[1][0].fill_(math.nan)
        names.extend(batch.names)

    at_step(3, spoil, monkeypatch)
    said = failure(prepared)
    assert said.startswith("mrcnn_class_loss is nan at epoch 2, step 3, picture ")
    assert f"picture {names[1]}; the last good weights are kept" in said
    assert names[0] not in said
    assert "learning_rate ten times lower, and look at the labels of that picture" in said
    still_good(prepared.run, 1)


def test_a_picture_of_nan_in_one_batch_with_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loss that only comes of all of them together names them all."""
    prepared = Prepared(tmp_path, norm="group", **SMALL)
    real = loop.batch_losses

    def batch_losses(network: Any, samples: Any, seeds: Any) -> Any:
        parts = real(network, samples, seeds)
        return {**parts, "mrcnn_mask_loss": parts["mrcnn_mask_loss"] * math.inf}

    monkeypatch.setattr(loop, "batch_losses", batch_losses)
    said = failure(prepared)
    assert said.startswith("mrcnn_mask_loss is inf at epoch 1, step 1, pictures square")
    assert said.count("square") == 2
    assert "look at the labels" not in said
    still_good(prepared.run, 0)


@pytest.mark.filterwarnings("ignore")
def test_a_rate_that_is_far_too_high(tmp_path: Path) -> None:
    """The first steps go well; what they have done to the weights does not."""
    prepared = Prepared(tmp_path, learning_rate=1e9, warmup_steps=0, epochs=10, norm="group", **SMALL)
    said = failure(prepared)
    assert " is nan at epoch " in said or " is inf at epoch " in said
    assert "Try a learning_rate ten times lower" in said
    assert (prepared.run.state).is_file()
    assert all(math.isfinite(row["loss"]) for row in prepared.run.metrics())


def test_words_of_a_step_that_is_not_finite() -> None:
    values = {"rpn_class_loss": 0.5, "gradient_norm": math.nan}
    assert str(diverged(values, 3, 41, ["a.png", "b.png"], [])) == (
        "gradient_norm is nan at epoch 3, step 41, pictures a.png, b.png; the last good weights are kept. Try a "
        "learning_rate ten times lower"
    )


MEMORY = {
    "a graphics card": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    "a processor": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory"
    ),
    "another processor": RuntimeError(
        "[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"
    ),
    "python": MemoryError(),
}


@pytest.mark.parametrize("kind", one_in(2, MEMORY))
def test_memory_that_is_out_says_what_to_lower(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = Prepared(tmp_path, **SMALL)

    def spoil(batch: Any) -> None:
        raise MEMORY[kind]

    at_step(3, spoil, monkeypatch)
    said = failure(prepared)
    assert "not enough memory" in said
    assert "lower batch_size (now 2), then train_rois_per_image (now 8)" in said
    still_good(prepared.run, 1)


def test_memory_for_one_picture_a_step() -> None:
    with (
        pytest.raises(StudioError, match=r"lower image_max_dim .now 512. and image_min_dim"),
        memory_errors_explained(Config.preset("classroom", batch_size=1)),
    ):
        raise MemoryError
    with pytest.raises(RuntimeError, match="something else"), memory_errors_explained(Config.preset("classroom")):
        raise RuntimeError("something else")


def test_a_picture_that_goes_away_while_it_trains(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path, pictures=2, picture_cache_mb=0, epochs=5, loader_threads=1, **SMALL)
    rows: list[Any] = []

    def report(row: Any) -> None:
        rows.append(row)
        if row["event"] == "epoch":
            (tmp_path / "train" / "square1.png").unlink(missing_ok=True)

    assert "square1.png" in failure(prepared, report=report)
    run = prepared.run
    assert len(run.checkpoints()) == len(run.epochs()) >= 1
    assert load_state(run.state, torch.device("cpu"))["course"]["finished"] == len(run.epochs())


@pytest.mark.parametrize("event", ["step", "epoch"])
def test_a_run_folder_that_is_deleted_while_it_trains_does_not_come_back(tmp_path: Path, event: str) -> None:
    prepared = Prepared(tmp_path, **SMALL)

    def report(row: Any) -> None:
        if row["event"] == event:
            shutil.rmtree(prepared.run.path, ignore_errors=True)

    assert failure(prepared, report=report) == (
        f"{prepared.run.path} was deleted while it trained, so the training ends; start it anew"
    )
    assert not prepared.run.path.exists()


@pytest.mark.parametrize("what", ["state_last.pt", "checkpoint", "metrics.jsonl"])
def test_a_full_disk(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the second epoch; what was written before it stays, and nothing half-written."""
    prepared = Prepared(tmp_path, **SMALL)
    full = OSError(errno.ENOSPC, "No space left on device")
    if what == "state_last.pt":
        # A real write that stops in the middle, as on a full disk.
        def report(row: Any) -> None:
            if row["event"] == "epoch" and row["epoch"] == 2:
                resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))

    else:

        def report(row: Any) -> None:
            def spoilt(*given: Any) -> None:
                raise full

            if row["event"] == "step" and row["epoch"] == 2:
                if what == "checkpoint":
                    monkeypatch.setattr(saved_state.weights, "save", spoilt)
                else:
                    monkeypatch.setattr(RunFolder, "append_metrics", spoilt)

    try:
        said = failure(prepared, report=report)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert said == (
        f"the disk of {prepared.run.path} is full; make room there and go on with: train --resume --out "
        f"{prepared.run.path}"
    )
    state = load_state(prepared.run.state, torch.device("cpu"))
    assert state["course"]["finished"] == 1
    assert not [path for path in prepared.run.path.rglob(".*") if path.is_file()]


def test_errors_that_come_from_a_full_disk() -> None:
    assert disk_is_full(OSError(errno.ENOSPC, "x"))
    assert not disk_is_full(OSError(errno.EACCES, "x"))
    assert disk_is_full(RuntimeError("I/O error: No space left on device (os error 28)"))
    wrapped = RuntimeError("[enforce fail at inline_container.cc:671] . unexpected pos 704 vs 598")
    wrapped.__context__ = OSError(errno.EDQUOT, "x")
    assert disk_is_full(wrapped)
    assert not disk_is_full(RuntimeError("other"))


def test_the_command_says_it_in_one_line_and_the_run_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tiny.squares(tmp_path / "data")

    def spoil(batch: Any) -> None:
        batch.samples[0][0].fill_(math.nan)

    at_step(1, spoil, monkeypatch)
    words = ["--data", str(labels), "--out", str(tmp_path / "run"), "--device", "cpu", *tiny.SETTINGS]
    words += ["--backbone", "mobilenet_v3_small_fpn", "--set", "norm=group"]
    assert main(["train", *words]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: mrcnn_class_loss is nan at epoch 1, step 1, picture square")
    run = RunFolder(tmp_path / "run")
    assert run.result() == {"state": "failed", "error": said.removeprefix("error: ")}
    assert f"failed: {run.result()['error']}" in run.log_tail()


# Before the first step


def document(
    *classes: int, pictures: int = 3, names: tuple[str, ...] = ("ant", "bee"), **fields: Any
) -> dict[str, Any]:
    """Pictures with one object of each of those classes, all on the first."""
    annotation = {"image_id": 1, "iscrowd": 0, "bbox": [0, 0, 9, 9], **fields}
    return {
        "images": [{"id": number + 1} for number in range(pictures)],
        "annotations": [{**annotation, "id": number, "category_id": c} for number, c in enumerate(classes)],
        "categories": [{"id": number, "name": name} for number, name in enumerate(names, 1)],
    }


MANY = (1,) * 9 + (2,) * 9
TOLD: dict[str, tuple[dict[str, Any], dict[str, Any] | None, dict[str, Any], str]] = {
    "a class with no instance": (document(*[1] * 9), document(1), {}, 'class "bee" has no object to learn from'),
    "a class of crowds": (
        document(*[1] * 9, 2, iscrowd=0),
        document(1, 2),
        {},
        'class "bee" has 1 object to learn from',
    ),
    "one picture": (document(*MANY, pictures=1), document(1, 2), {}, "there is one picture only"),
    "no validation set": (document(*MANY), None, {}, "there is no validation set: no AP"),
    "empty validation": (document(*MANY), document(), {}, "the validation pictures have no object on them"),
    "a class not validated": (document(*MANY), document(1), {}, 'class "bee" is on no validation picture'),
    "patience": (document(*MANY), None, {"patience": 3}, "patience needs a validation set"),
    "copy and paste": (document(*MANY), None, {"copy_paste": 0.5, "tasks": "box"}, "copy_paste needs the mask task"),
}


@pytest.mark.parametrize("kind", TOLD)
def test_what_may_surprise_is_told(kind: str) -> None:
    train, val, fields, says = TOLD[kind]
    lines = list(remarks(Config.preset("classroom", **fields), {"train": train, "val": val}))
    assert [line for line in lines if says in line]
    assert not any("\n" in line for line in lines)


def test_where_all_is_well_nothing_is_said() -> None:
    assert list(remarks(Config.preset("classroom"), {"train": document(*MANY), "val": document(1, 2)})) == []


def test_where_there_is_nothing_to_learn_it_does_not_begin() -> None:
    with pytest.raises(StudioError, match="there is no picture to learn from"):
        require_ready({"train": document(pictures=0), "val": None})
    with pytest.raises(StudioError, match="no object on any of the 3 pictures"):
        require_ready({"train": document(), "val": None})
    with pytest.raises(StudioError, match="no object on any of the 3 pictures"):
        require_ready({"train": document(1, iscrowd=1), "val": None})


def test_all_pictures_empty_is_refused_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tiny.kites(tmp_path / "data", pictures=2, empty=2)
    assert main(["train", "--data", str(labels), "--out", str(tmp_path / "run"), *tiny.SETTINGS]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "there is no region to learn from" in error
    assert not (tmp_path / "run").exists()


def test_it_is_told_before_the_first_step_and_one_picture_is_learned_all_the_same(tmp_path: Path) -> None:
    labels = tiny.squares(tmp_path / "data", pictures=1)
    words = ["--data", str(labels), "--out", str(tmp_path / "run"), "--epochs", "1", "--device", "cpu"]
    assert main(["train", *words, "--backbone", "mobilenet_v3_small_fpn", *tiny.SETTINGS]) == 0
    lines = RunFolder(tmp_path / "run").log_tail().splitlines()
    epoch = next(number for number, line in enumerate(lines) if line.startswith("epoch"))
    assert any("there is one picture only" in line for line in lines[:epoch])
    assert any("there is no validation set" in line for line in lines[:epoch])


def test_empty_pictures_are_learned_from(tmp_path: Path) -> None:
    """Two of three have nothing on them; some batches are of nothing."""
    labels = tiny.kites(tmp_path / "data", pictures=3, empty=2)
    words = ["--data", str(labels), "--out", str(tmp_path / "run"), "--epochs", "3", "--device", "cpu"]
    fields = ["--set", "copy_paste=0.5", "--set", "crop=0.5", "--set", "batch_size=1"]
    assert main(["train", *words, "--backbone", "mobilenet_v3_small_fpn", *tiny.SETTINGS, *fields]) == 0
    rows = [row for row in RunFolder(tmp_path / "run").metrics() if row["event"] == "step"]
    assert len(rows) == 9
    assert {row["roi_positives"] for row in rows} >= {0}
    assert all(math.isfinite(row["loss"]) for row in rows)
