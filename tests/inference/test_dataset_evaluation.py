"""A network on labels, without a command line: what `evaluate` takes, gives and says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from maskrcnn.annotations import Dataset, ImageRecord, Region, read, write
from maskrcnn.annotations.regions import Rect
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.inference import evaluate
from maskrcnn.inference.dataset_evaluation import measurable
from tests.inference.pictures import picture

CONFIG = Config.preset("classroom", class_names=("nut", "bolt"), num_classes=3, tasks=("box",))
MODEL: Any = SimpleNamespace(config=CONFIG)
OBJECT = Region(Rect(2, 2, 8, 6), "bolt")


@pytest.fixture(autouse=True)
def finds_the_object_and_a_nut(monkeypatch: pytest.MonkeyPatch) -> None:
    def detect(_: object, seen: np.ndarray, image_id: Any) -> list[dict[str, Any]]:
        found = [(2, [2, 2, 8, 6], 0.9), (1, [0, 0, 4, 4], 0.6)]
        return [{"image_id": image_id, "category_id": c, "bbox": box, "score": score} for c, box, score in found]

    monkeypatch.setattr("maskrcnn.inference.dataset_evaluation.detect", detect)


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    records = tuple(
        ImageRecord(f"{name}.png", path=picture(tmp_path / f"{name}.png"), width=16, height=12, regions=(OBJECT,))
        for name in "ab"
    )
    write(Dataset(records, ("bolt",)), tmp_path / "labels.json", "coco")
    return tmp_path / "labels.json"


def test_the_report_is_of_the_labels_and_the_ids_are_theirs(labels: Path) -> None:
    """The bolt is found exactly; the nut, a class that the labels do not have, is wrong in each picture."""
    found = evaluate(MODEL, labels)
    assert [(row.file, row.tp, row.fp, row.fn) for row in found.report.per_image] == [
        ("a.png", 1, 1, 0),
        ("b.png", 1, 1, 0),
    ]
    assert found.report.bbox["AP"] == pytest.approx(1)
    assert found.category_ids == {"bolt": 1, "nut": 2}
    assert found.unlabelled == ("nut",)
    assert [entry["category_id"] for entry in found.detections] == [1, 2, 1, 2]


def test_a_file_and_the_dataset_that_was_read_from_it_are_one(labels: Path) -> None:
    assert evaluate(MODEL, read(labels)).report == evaluate(MODEL, str(labels)).report


def test_intervals_are_there_where_they_were_asked_for(labels: Path) -> None:
    calls: list[tuple[int, int]] = []
    with_them = evaluate(MODEL, labels, resamples=100, seed=3, progress=lambda *done: calls.append(done)).report
    assert with_them.intervals is not None
    assert (with_them.intervals.seed, with_them.intervals.resamples) == (3, 100)
    assert calls[-1] == (103, 103)  # both pictures, the resamples, and each of the two left out
    assert "intervals" not in evaluate(MODEL, labels).report.to_json()


def test_what_the_reader_has_to_say_is_handed_on(labels: Path) -> None:
    said: list[str] = []
    evaluate(MODEL, replace(read(labels), warnings=("one region was left out",)), warn=said.append)
    assert said == ["one region was left out"]


def test_a_class_that_the_network_has_not_learned_is_named(labels: Path) -> None:
    model: Any = SimpleNamespace(config=CONFIG.replace(class_names=("nut", "gear")))
    with pytest.raises(StudioError, match=r'labels\.json: class "bolt" is not one that runs/first has learned \('):
        evaluate(model, labels, model_name="runs/first")


def test_sizes_are_filled_in(labels: Path) -> None:
    records = read(labels).images
    without = Dataset(tuple(replace(record, width=None, height=None) for record in records), ("bolt",))
    assert [(record.width, record.height) for record in measurable(without, CONFIG).images] == [(16, 12)] * 2
