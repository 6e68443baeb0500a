"""What can be taken home from a run."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from maskrcnn.annotations.store import Project
from maskrcnn.runs.folder import CONFIG, DATASET, LOG, RunFolder
from maskrcnn.studio.runs import run_downloads
from tests.shipping import ship

TRAIN = {
    "images": [{"id": 1, "file_name": "a.jpg", "width": 8, "height": 6}],
    "annotations": [{"id": 5, "image_id": 1, "category_id": 1}],
    "categories": [{"id": 1, "name": "cell"}],
}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "cells-0001")
    run.path.mkdir()
    run.write_json(CONFIG, {"seed": 1})
    run.write_json(DATASET, {"train": TRAIN, "val": None})
    about = {"epoch": 1, "progress": 0.5, "eta": 1.0}
    for step in (1, 2):
        run.append_metrics({**about, "event": "step", "step": step, "elapsed": 2.0 * step, "loss": 1 / step})
    run.append_metrics({**about, "event": "epoch", "step": 2, "elapsed": 5.0, "loss": 0.75, "validation_seconds": 1.5})
    for name, content in ((LOG, "said"), ("best.safetensors", "b" * 10), ("checkpoints/epoch_0001.safetensors", "c")):
        (run.path / name).parent.mkdir(exist_ok=True)
        (run.path / name).write_text(content)
    run.write_detections(1, [])
    return run


def taken(run: RunFolder, label: str) -> bytes:
    [item] = [item for item in run_downloads.downloads(run) if item.label == label]
    data = item.data()
    return data if isinstance(data, bytes) else data.read()


def test_weights_metrics_labels_configuration_and_log_can_be_taken(run: RunFolder) -> None:
    found = run_downloads.downloads(run)
    assert [(item.label, item.file_name) for item in found] == [
        ("Best weights", "cells-0001-best.safetensors"),
        ("Weights of epoch 1", "cells-0001-epoch_0001.safetensors"),
        ("Epochs (CSV)", "cells-0001-epochs.csv"),
        ("Steps (CSV)", "cells-0001-steps.csv"),
        ("Labels: training (COCO)", "cells-0001-train.json"),
        ("Configuration", "cells-0001-config.json"),
        ("Log", "cells-0001-log.txt"),
        ("All as one zip", "cells-0001.zip"),
    ]
    assert found[0].size == 10
    assert taken(run, "Best weights") == b"b" * 10
    assert json.loads(taken(run, "Labels: training (COCO)")) == TRAIN


def test_metrics_are_tables(run: RunFolder) -> None:
    epochs = pd.read_csv(io.BytesIO(taken(run, "Epochs (CSV)")))
    assert epochs.to_dict("records") == [
        {
            **{"epoch": 1, "loss": 0.75, "step": 2, "seconds_since_start": 5, "seconds_of_epoch": 5},
            **{"progress": 0.5, "eta": 1, "validation_seconds": 1.5},
        }
    ]
    steps = pd.read_csv(io.BytesIO(taken(run, "Steps (CSV)")))
    assert list(steps["step"]) == [1, 2]
    assert list(steps["loss"]) == [1, 0.5]


def test_all_of_it_is_one_zip(run: RunFolder) -> None:
    with zipfile.ZipFile(io.BytesIO(taken(run, "All as one zip"))) as archive:
        assert sorted(name.removeprefix("cells-0001/") for name in archive.namelist()) == [
            "best.safetensors",
            "checkpoints/epoch_0001.safetensors",
            "config.json",
            "detections/epoch_0001.json",
            "epochs.csv",
            "labels/train.json",
            "labels/val.json",
            "log.txt",
            "metrics.jsonl",
            "steps.csv",
        ]
        assert json.loads(archive.read("cells-0001/labels/val.json"))["images"] == []


def test_a_model_that_ships_gives_its_card_and_no_labels_that_it_does_not_have(weights_folder: Path) -> None:
    run = RunFolder(ship(weights_folder, pictures=("a.png",)))
    labels = [item.label for item in run_downloads.downloads(run)]
    assert labels == [
        "Best weights",
        *("Epochs (CSV)", "Steps (CSV)", "Labels: validation (COCO)", "Model card", "Configuration", "Log"),
        "All as one zip",
    ]
    with zipfile.ZipFile(io.BytesIO(taken(run, "All as one zip"))) as archive:
        names = archive.namelist()
    assert {"toy/card.json", "toy/labels/val.json", "toy/best.safetensors"} <= set(names)
    assert "toy/labels/train.json" not in names


def test_a_run_that_has_written_nothing_has_nothing_to_give(tmp_path: Path) -> None:
    assert run_downloads.downloads(RunFolder(tmp_path)) == []


def test_only_large_files_have_their_size_told() -> None:
    assert run_downloads.size_words(None) == run_downloads.size_words(900_000) == ""
    assert run_downloads.size_words(27_150_956) == " · 27 MB"


def test_labels_name_the_photographs_of_the_person_not_those_of_the_project(tmp_path: Path) -> None:
    """Two pictures of one name came into training and validation; the project called the second otherwise."""
    project = Project.create(tmp_path / "project")
    for split, shade in (("train", 40), ("val", 90)):
        buffer = io.BytesIO()
        Image.new("RGB", (8, 6), (shade, 0, 0)).save(buffer, "PNG")
        project.add_pictures([("a.png", buffer.getvalue())], split)  # type: ignore[arg-type]
    run = RunFolder(project.runs_folder / "cells-0001")
    run.path.mkdir()
    documents = {
        split: {**TRAIN, "images": [{**TRAIN["images"][0], "file_name": name}]}
        for split, name in (("train", "a.png"), ("val", "a (2).png"))
    }
    run.write_json(DATASET, documents)
    for split in ("train", "val"):
        [image] = json.loads(run_downloads.labels(run, split))["images"]
        assert image["file_name"] == "a.png"
    (project.folder / "project.db").write_bytes(b"damaged")
    assert json.loads(run_downloads.labels(run, "val"))["images"][0]["file_name"] == "a (2).png"
