"""A project and a run as an earlier version of the studio wrote them (tests/landed): they open as they are.

The files were written by the version before the modules of the studio were moved into rooms; they are never written
again by a test. What they hold is what was typed when they were made, said here once more.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from maskrcnn.annotations.regions import Circle, Ellipse, Point, Polygon, Polyline, Rect
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.runs.best_epoch import best_epoch
from maskrcnn.runs.folder import RunFolder

LANDED = Path(__file__).parent / "landed"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "squares"
    shutil.copytree(LANDED / "images", folder / "images")
    shutil.copytree(LANDED / "run", folder / "runs" / "first")
    db = sqlite3.connect(folder / "project.db")
    db.executescript((LANDED / "project.sql").read_text(encoding="utf-8"))
    db.close()
    return Project.open(folder)


def test_the_labels_are_those_that_were_drawn(project: Project) -> None:
    regions, revision = project.regions(1)
    assert [region.shape for region in regions] == [
        Polygon(((7, 7), (39, 7), (39, 39), (7, 39))),
        Rect(1, 2, 10, 8),
        Circle(20.5, 20, 5),
        Ellipse(40, 30, 10, 5, 0.5),
        Polyline(((1, 1), (5, 5.25), (9, 1))),
        Point(3, 4),
        Polygon(((50, 10), (60, 10), (55, 20))),
    ]
    assert [region.class_name for region in regions] == ["square", *["strange"] * 6]
    assert regions[1].attributes == {"kind": "odd"}
    assert revision == 5  # of the import, two saves, an undo and the renaming of a class
    counts = project.counts()
    assert (counts.pictures, counts.train, counts.val, counts.done) == (3, 2, 1, 1)
    assert [entry.file_name for entry in project.removed()] == ["square3.png"]
    assert project.regions(4)[0][0].attributes == {"note": "für später"}


def test_its_history_goes_back_and_its_snapshots_are_there(project: Project) -> None:
    assert [snapshot.name for snapshot in project.snapshots()] == ["run first", "before the lesson"]
    before = project.dataset(snapshot=1)
    assert {region.class_name for record in before.images for region in record.regions} == {"square", "odd"}
    project.undo(1)
    assert project.can_redo(1)


def test_it_takes_new_work(project: Project) -> None:
    regions, revision = project.regions(2)
    assert project.save(2, regions[:0], revision) == revision + 1
    assert Project.open(project.folder).regions(2)[0] == ()


def test_the_run_opens(project: Project) -> None:
    run = RunFolder(project.runs_folder / "first")
    config = run.config()
    assert (config.backbone, config.class_names, config.epochs) == ("resnet18_fpn", ("square", "strange"), 2)
    assert config == Config.preset(
        "classroom",
        backbone="resnet18_fpn",
        norm="batch",
        layers="all",
        class_names=("square", "strange"),
        num_classes=3,
        epochs=2,
        fpn_channels=8,
        box_head_width=16,
        mask_head_width=8,
        mask_head_depth=1,
        image_min_dim=64,
        image_max_dim=96,
        pre_nms_limit=50,
        post_nms_rois_training=50,
        post_nms_rois_inference=20,
        train_rois_per_image=8,
        batch_size=2,
    )
    assert (run.result() or {})["state"] == "done"
    best = best_epoch(run.epochs())
    assert best is not None
    assert best.epoch == 1
    detections = json.loads((LANDED / "run" / "detections" / "epoch_0001.json").read_text(encoding="utf-8"))
    assert len(run.detections(1)) == len(detections)
    labels = run.dataset()
    assert [image["file_name"] for image in labels["val"]["images"]] == ["square2.png"]
    assert run.picture_path(labels["val"]["images"][0]) == project.images_folder / "square2.png"
