"""The whole loop on pictures of a few thousand pixels."""

import json
import math
from pathlib import Path

import pytest
import torch

from maskrcnn.config import Config
from maskrcnn.model import build, load
from maskrcnn.runs.folder import RunFolder
from maskrcnn.training.optimiser import make_optimiser
from maskrcnn.training.validation import validation_losses
from tests import tiny
from tests.training.prepared import Prepared


def test_a_run_records_every_step_and_epoch(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path)
    told: list[dict] = []
    result = prepared.train(report=told.append)
    run = prepared.run
    assert result["state"] == "done"
    assert result["epochs"] == 2
    rows = run.metrics()
    assert rows == told
    assert [row["event"] for row in rows] == ["step", "step", "epoch", "step", "step", "epoch"]  # 3 pictures in twos
    assert [row["step"] for row in rows] == [1, 2, 2, 3, 4, 4]
    for row in rows:
        assert row["loss"] == pytest.approx(sum(row[name] for name in prepared.config.losses), rel=1e-5)
    for epoch in run.epochs():
        steps = [row for row in rows if row["event"] == "step" and row["epoch"] == epoch["epoch"]]
        for name in (*prepared.config.losses, "loss"):
            assert epoch[name] == pytest.approx(sum(row[name] for row in steps) / 2)
            assert math.isfinite(epoch[f"val_{name}"])
        assert 0 <= epoch["segm_ap"] <= epoch["segm_ap50"] <= 1
    assert rows[-1]["progress"] == 1
    assert run.detection_epochs() == [1, 2]
    assert list(run.checkpoints()) == [1, 2]
    assert load(run.path).config.class_names == ("square",)


def test_it_learns(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path, epochs=12, scale_jitter=0.0, colour_jitter=0.0, learning_rate=3e-3, warmup_steps=2)
    prepared.train()
    # Not the sum of all: the box loss grows while more and more proposals lie on an object.
    names = ("rpn_class_loss", "mrcnn_class_loss", "mrcnn_mask_loss")
    losses = [sum(row[name] for name in names) for row in prepared.run.epochs()]
    assert losses[-1] < 0.6 * losses[0]


def test_a_budget_that_is_over_at_once_still_gives_one_step_and_a_checkpoint(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path, epochs=None, minutes=1e-9)
    assert prepared.train()["epochs"] == 1
    assert [row["event"] for row in prepared.run.metrics()] == ["step", "epoch"]
    assert prepared.run.best.is_file()


def test_frozen_layers_do_not_move(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path, layers="heads", norm="frozen", epochs=1)
    before = {name: p.clone() for name, p in prepared.model.named_parameters()}
    prepared.train()
    moved = {name.split(".")[1] for name, p in prepared.model.named_parameters() if not torch.equal(p, before[name])}
    assert "body" not in moved
    assert {"fpn", "head", "box_head", "mask_head"} <= moved


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    states = []
    for name in ("a", "b"):
        prepared = Prepared(tmp_path / name, epochs=1)
        prepared.train()
        states.append(prepared.model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_validation_disturbs_neither_the_random_state_nor_the_norms(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path)
    prepared.model.transform.resized = True
    state = torch.get_rng_state()
    before = {name: value.clone() for name, value in prepared.model.state_dict().items()}
    first = validation_losses(prepared.model, prepared.validation)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in prepared.model.state_dict().items())
    assert validation_losses(prepared.model, prepared.validation) == first
    assert first["val_loss"] == pytest.approx(sum(first[f"val_{name}"] for name in prepared.config.losses))


def test_cancel_ends_within_a_step_and_keeps_what_is_there(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path, epochs=50)
    rows: list[dict] = []
    result = prepared.train(
        report=rows.append, cancelled=lambda: len(rows) >= 3
    )  # in the first step of the second epoch
    assert result["state"] == "cancelled"
    assert result["epochs"] == 1
    assert [row["step"] for row in rows] == [1, 2, 2, 3]
    assert list(prepared.run.checkpoints()) == [1]


def test_only_the_last_checkpoints_and_the_best_stay(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path, epochs=5)
    prepared.train()
    assert list(prepared.run.checkpoints()) == [3, 4, 5]
    assert prepared.run.best.is_file()


def test_without_validation_the_last_epoch_is_the_best(tmp_path: Path) -> None:
    prepared = Prepared(tmp_path)
    prepared.validation = None
    assert prepared.train()["best_epoch"] == 2
    assert "val_loss" not in prepared.run.epochs()[0]


def test_sgd_and_adamw_spare_biases_from_decay() -> None:
    for optimiser in ("sgd", "adamw"):
        model = build(Config.preset("classroom", **tiny.CONFIG, optimiser=optimiser, weight_decay=0.1))
        decayed, spared = make_optimiser(model).param_groups
        assert {p.ndim for p in spared["params"]} == {1}
        assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)


def test_a_torn_last_line_of_the_metrics_is_passed_over(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run")
    run.append_metrics({"event": "epoch", "epoch": 1, "step": 3})
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"event": "epoch", "epoch": 2})[:-5])
    assert run.epochs() == [{"event": "epoch", "epoch": 1, "step": 3}]


def test_a_loss_that_is_not_finite_is_null_in_the_metrics(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run")
    run.append_metrics(
        {"event": "epoch", "epoch": 1, "step": 3, "val_loss": float("nan"), "loss": 1.5, "segm_ap": None}
    )
    assert (run.path / "metrics.jsonl").read_text() == (
        '{"event": "epoch", "epoch": 1, "step": 3, "val_loss": null, "loss": 1.5, "segm_ap": null}\n'
    )
