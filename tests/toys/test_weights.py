"""What ships is what was trained: in half precision, measured, told in a card, its training pictures left out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save_file

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model import build, load
from maskrcnn.model import weights as checkpoints
from maskrcnn.runs import shipped_models
from maskrcnn.toys import weights
from maskrcnn.toys.training_recipes import PictureSet, Recipe
from maskrcnn.toys.worlds import WORLDS, generate
from tests import tiny

EDGES = {"AP": [0.25, 0.6], "AP50": [0.5, 0.75], "AP75": [0.125, 0.375]}
REPORT: dict[str, Any] = {
    "bbox": {"AP": 0.5, "AP50": 0.75, "AP75": 0.25, "APs": 0.1},
    "segm": {"AP": 0.4, "AP50": 0.6, "AP75": 0.2, "APs": 0.1},
    "keypoints": None,
    "intervals": {"level": 0.95, "resamples": 500, "bbox": EDGES, "segm": EDGES},
}


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    val = tmp_path / "data/val"
    generate(WORLDS["shapes"], val, 1, seed=2)
    return Recipe("some", "Something.", "Nothing.", PictureSet("shapes", 3, 7), PictureSet("shapes", 2, 8), val, {}, ())


@pytest.fixture
def run(tmp_path: Path, recipe: Recipe) -> Path:
    """A finished run of 2 epochs of 600 steps each, as far as it is read."""
    run = tmp_path / "work/runs/some-0"
    run.mkdir(parents=True)
    config = Config.preset("classroom", **tiny.CONFIG, num_classes=3, class_names=("a", "b"), epochs=2, seed=5)
    torch.manual_seed(0)
    checkpoints.save(build(config), run / "best.safetensors", 2)
    rows = [
        {"event": event, "epoch": epoch + 1, "step": step, "loss": 1 / 3}
        for epoch in (0, 1)
        for event, step in [*(("step", 600 * epoch + n + 1) for n in range(600)), ("epoch", 600 * (epoch + 1))]
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run / "config.json").write_text(config.model_dump_json())
    (run / "log.txt").write_text(f"some-0: 3 pictures\ndone: {run}\n")
    (run / "result.json").write_text('{"state": "done", "seconds": 61.7, "best_epoch": 2, "machine": "an abacus"}')
    picture = {"id": 1, "file_name": "toy2-001.jpg", "path": "../../../data/val/toy2-001.jpg"}
    labels = {"images": [picture], "annotations": [], "categories": []}
    learned = {"images": [{"id": 1}], "annotations": [{"id": 1}], "categories": [{"id": 1, "name": "a"}]}
    (run / "dataset.json").write_text(json.dumps({"train": learned, "val": labels}))
    (run / "detections").mkdir()
    found = {"image_id": 1, "bbox": [200.1234567890123, 0.25, 3.0, 4], "segmentation": {"counts": "1/3"}}
    for epoch in (1, 2):
        (run / f"detections/epoch_{epoch:04d}.json").write_text(json.dumps([found]))
    return run


def test_a_run_that_ships(tmp_path: Path, recipe: Recipe, run: Path) -> None:
    target, place = tmp_path / "work/shipped/some", tmp_path / "data/weights/some"
    target.mkdir(parents=True)
    (target / "old").touch()
    weights.ship(recipe, run, target, place)
    assert not place.exists()
    names = ["best.safetensors", "config.json", "dataset.json", "detections", "log.txt", "metrics.jsonl", "result.json"]
    assert sorted(path.name for path in target.iterdir()) == names

    labels = json.loads((target / "dataset.json").read_text())
    assert labels["train"] == {"images": [], "annotations": [], "categories": [{"id": 1, "name": "a"}]}
    assert labels["drawn"] == {"world": "shapes", "pictures": 3, "seed": 7}
    assert labels["val"]["images"][0]["path"] == "../../val/toy2-001.jpg"
    assert Path(os.path.normpath(place / labels["val"]["images"][0]["path"])).is_file()

    assert (target / "log.txt").read_text() == "some: 3 pictures\ndone: some\n"
    rows = [json.loads(line) for line in (target / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["event"] == "epoch"] == [600, 1200]
    assert [row["step"] for row in rows if row["event"] == "step"] == list(range(4, 1201, 4))  # 1200 of them -> 300
    assert rows[0]["loss"] == 0.33333
    found = {"image_id": 1, "bbox": [200.1235, 0.25, 3.0, 4], "segmentation": {"counts": "1/3"}}
    assert [json.loads(path.read_text()) for path in sorted((target / "detections").iterdir())] == [[found], [found]]


@pytest.mark.parametrize(
    ("last", "best", "kept"),
    [(1, 1, [1]), (10, 9, [1, 2, 4, 6, 8, 9, 10]), (25, 21, [1, 5, 9, 13, 17, 21, 25]), (3, 2, [1, 2, 3])],
)
def test_epochs_whose_detections_ship(last: int, best: int, kept: list[int]) -> None:
    assert weights.epochs_kept(last, best) == kept


def test_half_precision_is_the_same_network(tmp_path: Path, run: Path) -> None:
    weights.halve(run / "best.safetensors", tmp_path / "half.safetensors")
    with safe_open(tmp_path / "half.safetensors", "pt") as file:
        kinds = {file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118 (not a dict)
    assert kinds == {torch.float16, torch.int64}  # BatchNorm counts its batches
    whole, half = load(run / "best.safetensors"), load(tmp_path / "half.safetensors")
    assert half.config == whole.config
    for name, tensor in half.state_dict().items():
        expected = whole.state_dict()[name]
        assert tensor.dtype == expected.dtype
        # Eleven bits: half a unit in the last place, and 2^-25 where numbers are too small to have them all.
        torch.testing.assert_close(tensor, expected, rtol=2**-11, atol=2**-25)


def test_what_half_precision_cannot_hold_does_not_ship(tmp_path: Path) -> None:
    save_file({"fine": np.ones(2, np.float32), "large": np.full(2, 7e4, np.float32)}, tmp_path / "whole")
    with pytest.raises(StudioError, match="its tensor large has values that half precision cannot hold"):
        weights.halve(tmp_path / "whole", tmp_path / "half")
    assert not (tmp_path / "half").exists()


def test_the_card(tmp_path: Path, recipe: Recipe, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_models, "FOLDER", tmp_path / "data/weights")
    monkeypatch.setattr(weights, "SHIPS", {"some": recipe})
    monkeypatch.setattr(weights, "evaluation_report", lambda shipping, *_: REPORT)
    monkeypatch.setattr(Recipe, "trained_run", lambda *_: run)
    place = tmp_path / "data/weights/some"
    place.mkdir(parents=True)
    (place / "old").touch()
    weights.make(["some"], tmp_path / "work")
    assert not (place / "old").exists()
    about = shipped_models.card("some")
    assert about is not None
    assert about["ap"] == {
        name: {key: REPORT[name][key] for key in ("AP", "AP50", "AP75")} for name in ("bbox", "segm")
    }
    assert about["intervals"] == {name: REPORT["intervals"][name] for name in ("bbox", "segm")}
    assert about["resamples"] == 500
    assert (about["seconds"], about["epochs"], about["best_epoch"], about["seed"]) == (62, 2, 2, 5)
    assert about["command"] == "python -m maskrcnn.toys.weights some"
    assert about["held_apart"] == {"pictures": 3, "shared": 0}  # two to measure on, one to validate on
    assert about["machine"] == "an abacus"
    assert about["bytes"] == (tmp_path / "data/weights/some/best.safetensors").stat().st_size
    assert (about["what"], about["limits"], about["classes"]) == ("Something.", "Nothing.", ["a", "b"])


def test_what_shipped_before_stays_until_the_new_is_whole(
    tmp_path: Path, recipe: Recipe, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    place = tmp_path / "data/weights/some"
    place.mkdir(parents=True)
    (place / "old").touch()
    monkeypatch.setattr(shipped_models, "FOLDER", tmp_path / "data/weights")
    monkeypatch.setattr(weights, "SHIPS", {"some": recipe})
    monkeypatch.setattr(Recipe, "trained_run", lambda *_: run)
    monkeypatch.setattr(weights, "evaluation_report", stopped)
    assert weights.main(["some", "--work", str(tmp_path / "work")]) == 1
    assert [path.name for path in place.iterdir()] == ["old"]


def test_a_picture_that_was_learned_from_is_found(tmp_path: Path, recipe: Recipe) -> None:
    learned = recipe.data.drawn_folder(tmp_path / "work")
    held = recipe.test.drawn_folder(tmp_path / "work")
    (held / "toy8-002.jpg").write_bytes((learned / "toy7-003.jpg").read_bytes())
    assert weights.held_apart(recipe, tmp_path / "work") == {"pictures": 3, "shared": 1}


def test_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        weights.main(["nobody"])
    assert "there is no nobody; choose toy" in capsys.readouterr().err
