"""Decisions about suspected label errors: kept, found again by place, taken back, and added to older projects."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations.store import Project, UnknownPicture, migrations, table_definitions
from maskrcnn.annotations.store.label_review.decisions import LabelDecision, box_iou
from maskrcnn.errors import StudioError

BOX = (10.0, 10.0, 20.0, 20.0)


@pytest.fixture
def project(tmp_path: Path, picture: Any) -> Project:
    made = Project.create(tmp_path / "pets")
    made.add_pictures([picture("a.jpg"), picture("b.jpg", seed=1)], "train")
    return made


def test_decisions_are_kept_and_can_be_taken_back(project: Project) -> None:
    first = project.decide_label(1, "missing", "cat", BOX, "keep")
    second = project.decide_label(2, "double", "dog", BOX, "mend")
    again = Project.open(project.folder)
    assert again.label_decisions() == [
        LabelDecision(first, 1, "missing", "cat", BOX, "keep"),
        LabelDecision(second, 2, "double", "dog", BOX, "mend"),
    ]
    assert again.take_label_decision_back(first)
    assert not again.take_label_decision_back(first)
    assert [decision.id for decision in project.label_decisions()] == [second]


def test_the_same_place_has_half_of_the_area_in_common() -> None:
    # 20 x 20 px moved by 5 px: 300 px in common, 500 px together; moved by 10 px: 200 of 600.
    decided = LabelDecision(1, 1, "shifted", "cat", BOX, "keep")
    assert box_iou(BOX, (15, 10, 20, 20)) == pytest.approx(0.6)
    assert decided.is_about(1, "shifted", (15, 10, 20, 20))
    assert box_iou(BOX, (20, 10, 20, 20)) == pytest.approx(1 / 3)
    assert not decided.is_about(1, "shifted", (20, 10, 20, 20))
    assert not decided.is_about(2, "shifted", BOX)
    assert not decided.is_about(1, "missing", BOX)
    assert box_iou((0, 0, 0, 0), (0, 0, 0, 0)) == 0


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"kind": "odd"}, "kind of label error is unknown"),
        ({"decision": "skip"}, "decision is unknown; it is one of keep, mend, add"),
        ({"class_name": "x" * 1001}, "more than 1000 characters"),
        ({"class_name": "cat\ud800"}, "broken character"),
        ({"class_name": " "}, "without a name"),
        ({"box": (0.0, 0.0, -1.0, 2.0)}, "no box in a picture"),
        ({"box": (0.0, float("nan"), 1.0, 2.0)}, "no box in a picture"),
        ({"box": (2e6, 0.0, 1.0, 2.0)}, "no box in a picture"),
    ],
)
def test_what_is_no_decision_is_refused(project: Project, change: dict[str, Any], complaint: str) -> None:
    values: dict[str, Any] = {"kind": "missing", "class_name": "cat", "box": BOX, "decision": "add"} | change
    with pytest.raises(StudioError, match=complaint):
        project.decide_label(1, **values)
    with pytest.raises(UnknownPicture):
        project.decide_label(99, "missing", "cat", BOX, "add")
    assert project.label_decisions() == []


def test_a_project_of_version_2_gets_the_table(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    (folder / "images").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "project.db", isolation_level=None)) as db:
        db.executescript(f"{table_definitions.VERSION_2} PRAGMA user_version = 2;")
        db.execute("INSERT INTO meta VALUES ('name', '\"Old\"')")
    project = Project.open(folder)
    assert (project.name, project.label_decisions()) == ("Old", [])
    assert (folder / "project.db.v2.bak").is_file()
    assert migrations.table_definitions.VERSION == 4
