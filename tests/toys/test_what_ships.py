"""The models in `data/weights`: whole, within their budget, held apart from what they are measured on, and able."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from maskrcnn.annotations import pictures, read
from maskrcnn.annotations.formats import coco
from maskrcnn.config import Config
from maskrcnn.evaluation import evaluate
from maskrcnn.model import detect, load
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder
from maskrcnn.toys.training_recipes import SHIPS


@pytest.fixture(autouse=True)
def the_real_ones(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_models, "FOLDER", root / "data/weights")


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


SHIPPED = shipped_models.names()


def test_all_with_a_recipe_ship() -> None:
    assert sorted(SHIPPED) == sorted(SHIPS)
    assert SHIPPED[0] == "toy"


def test_what_ships_fits_its_budget(root: Path) -> None:
    weights = [shipped_models.FOLDER / name / "best.safetensors" for name in SHIPPED]
    assert all(path.stat().st_size <= 12_000_000 for path in weights)
    assert sum(path.stat().st_size for path in weights) <= 30_000_000
    assert size(root / "data") < 40_000_000


@pytest.mark.parametrize("name", SHIPPED)
def test_each_is_a_run_with_its_card(name: str) -> None:
    run, about = RunFolder.open(shipped_models.FOLDER / name), shipped_models.card(name)
    assert about is not None
    config = run.config()
    assert config == shipped_models.shipped_config(name) == load(name).config
    assert about["name"] == name
    assert shipped_models.card_ap_words(about)
    assert not run.state.exists()
    assert (run.result() or {})["state"] == "done"
    assert len(run.epochs()) == config.epochs == about["epochs"]
    kept = run.detection_epochs()
    assert {1, about["best_epoch"], about["epochs"]} <= set(kept)
    assert "/" not in run.log_tail(1000)  # no path of the machine that trained it
    assert all(run.picture_path(image).is_file() for image in run.shown()["images"])
    assert about["held_apart"]["shared"] == 0
    assert about["held_apart"]["pictures"] == about["test"]["pictures"] + len(run.shown()["images"])
    assert about["command"] == f"python -m maskrcnn.toys.weights {name}"
    for task, figures in about["ap"].items():
        low, high = about["intervals"][task]["AP"]
        assert low <= figures["AP"] <= high
    recipe = SHIPS[name]
    recipe.require_same_options(shipped_models.FOLDER / name)
    learned = recipe.data
    assert about["train"] == {"world": learned.world, "pictures": learned.pictures, "seed": learned.seed}


def test_the_twins_differ_in_their_pooling_alone() -> None:
    one, other = (
        Config.parse(json.loads((shipped_models.FOLDER / name / "config.json").read_text()))
        for name in ("toy-c5-align", "toy-c5-pool")
    )
    assert (one.pooling, other.pooling) == ("align", "pool")
    assert one.replace(pooling="pool") == other


@pytest.mark.parametrize(
    ("name", "sample", "least"),
    [("toy", "shapes", 0.7), ("toy-people", "people", 0.5), ("toy-c5-align", "shapes", 0.3)],
)
def test_each_finds_what_it_has_learned(root: Path, name: str, sample: str, least: float) -> None:
    """Six pictures are few, so this asks for less than the cards say."""
    model = load(name)
    dataset = read(root / "data" / sample / "val")
    few = replace(dataset, images=tuple(dataset.images)[:6])
    truth = coco.document(few, model.config.names)
    detections = []
    for image, record in zip(truth["images"], few.images, strict=True):
        assert record.path is not None
        detections += detect(model, pictures.load(record.path), image["id"])
    report = evaluate(truth, detections, tasks=model.config.tasks, sigmas=model.config.sigmas)
    assert report.segm["AP50"] >= least
    if "keypoints" in model.config.tasks:
        assert report.keypoints["AP50"] >= least
