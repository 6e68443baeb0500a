"""Suggestions, looks and the list of next pictures: kept, decided, replaced, and added to older projects."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import Polygon, Rect, Region
from maskrcnn.annotations.store import KeptLook, NextPicture, Project, UnknownPicture, table_definitions
from maskrcnn.errors import StudioError

CAT = Region(Rect(1, 1, 10, 8), "cat", id="cat", source="model", score=0.9)
DOG = Region(Polygon(((20, 2), (30, 2), (25, 9))), "dog", id="dog", source="model", score=0.4)


@pytest.fixture
def project(tmp_path: Path, picture: Any) -> Project:
    made = Project.create(tmp_path / "pets")
    made.add_pictures([picture("a.jpg"), picture("b.jpg", seed=1), picture("c.jpg", seed=2)], "train")
    return made


def test_suggestions_are_kept_until_they_are_decided(project: Project) -> None:
    project.keep_suggestions("run/first", {1: [CAT, DOG], 2: [DOG], 3: []}, "stamp")
    again = Project.open(project.folder)
    found = again.kept_suggestions(1)
    assert found is not None
    assert (found.network, found.stamp, found.regions) == ("run/first", "stamp", (CAT, DOG))
    assert abs(datetime.now(UTC) - found.made) < timedelta(minutes=5)
    assert again.pictures_with_suggestions() == [1, 2]  # nothing is suggested for the third

    assert again.decide_suggestions(1, ["cat", "unknown"]) == 1
    assert again.decide_suggestions(1, ["cat"]) == 0
    found = Project.open(project.folder).kept_suggestions(1)
    assert found is not None
    assert found.regions == (DOG,)
    assert project.decide_suggestions(2, ["dog"]) == 1
    assert project.pictures_with_suggestions() == [1]
    project.take_suggestions_back(2)
    assert project.pictures_with_suggestions() == [1, 2]
    project.set_removed(2, True)
    assert project.pictures_with_suggestions() == [1]


def test_they_are_no_labels(project: Project) -> None:
    before = writing.encode(project.dataset(), "coco")
    project.keep_suggestions("run/first", {1: [CAT]})
    assert project.regions(1) == ((), 1)
    assert [image.status for image in project.images()] == ["new"] * 3
    assert (project.counts().regions, [entry.name for entry in project.classes()]) == (0, [])
    assert writing.encode(project.dataset(), "coco") == before


def test_regions_of_a_person_become_suggestions_of_a_model(project: Project) -> None:
    project.keep_suggestions("toy", {1: [replace(CAT, source="human", score=None)]})
    found = project.kept_suggestions(1)
    assert found is not None
    assert found.regions == (replace(CAT, score=None),)


def test_the_same_network_replaces_its_suggestions_and_others_stay(project: Project) -> None:
    project.keep_suggestions("run/first", {1: [CAT]}, "1")
    project.decide_suggestions(1, ["cat"])
    project.keep_suggestions("run/other", {1: [DOG]}, "1")
    moved = replace(CAT, shape=Rect(2, 1, 10, 8))
    project.keep_suggestions("run/first", {1: [replace(CAT, id="again"), moved]}, "2")
    first = project.kept_suggestions(1, "run/first")
    other = project.kept_suggestions(1, "run/other")
    assert first is not None
    assert other is not None
    # The same as one that was decided does not come back; what a newer checkpoint sees anew does.
    assert (first.stamp, first.regions, other.regions) == ("2", (moved,), (DOG,))
    # Without a name: the last ones, but those with something to decide before others.
    last = project.kept_suggestions(1)
    assert last is not None
    assert last.network == "run/first"
    project.decide_suggestions(1, ["cat"])
    last = project.kept_suggestions(1)
    assert last is not None
    assert last.network == "run/other"
    assert project.kept_suggestions(1, "run/third") is None
    assert project.kept_suggestions(2) is None


def test_three_networks_are_kept_for_a_picture(project: Project) -> None:
    for name in ("a", "b", "c", "d"):
        project.keep_suggestions(name, {1: [CAT]})
        project.keep_look(1, name, "1", KeptLook(np.array([1], "f4"), np.array([], "f4")))
    assert [project.kept_suggestions(1, name) is None for name in "abcd"] == [True, False, False, False]
    assert [len(project.kept_looks(name, "1")) for name in "abcd"] == [0, 1, 1, 1]


def test_a_renamed_class_has_its_present_name(project: Project) -> None:
    project.add_class("cat")
    project.keep_suggestions("run/first", {1: [CAT]})
    project.rename_class("cat", "lion")
    found = project.kept_suggestions(1)
    assert found is not None
    assert [region.class_name for region in found.regions] == ["lion"]


@pytest.mark.parametrize(
    ("network", "regions", "complaint"),
    [
        ("", [CAT], "name of the network is empty"),
        ("x" * 301, [CAT], "longer than 300 bytes"),
        ("a\0b", [CAT], "give it another name"),
        ("bad\ud800", [CAT], "broken character"),
        ("run", [replace(CAT, shape=Rect(float("nan"), 0, 1, 1))], "not a finite number"),
        ("run", [replace(CAT, class_name=" ")], "without a name"),
    ],
)
def test_what_cannot_be_stored_is_refused_as_a_whole(
    project: Project, network: str, regions: list[Region], complaint: str
) -> None:
    with pytest.raises(StudioError, match=complaint):
        project.keep_suggestions(network, {2: [DOG], 1: regions})
    with pytest.raises(UnknownPicture):
        project.keep_suggestions("run", {2: [DOG], 99: [DOG]})
    assert project.pictures_with_suggestions() == []


def test_looks_are_kept_by_network_and_state(project: Project) -> None:
    look = KeptLook(np.array([1, -2.5], "f4"), np.array([0.75], "f4"))
    project.keep_look(1, "run/first", "1", look, [CAT])
    project.keep_look(2, "run/first", "1", look)
    found = project.kept_looks("run/first", "1")
    assert sorted(found) == [1, 2]
    assert found[1].features.tolist() == [1, -2.5]
    assert found[1].scores.tolist() == [0.75]
    assert project.looked_at("run/first", "1") == {1, 2}
    assert project.pictures_with_suggestions() == [1]  # none were said for the second
    assert project.kept_looks("run/first", "2") == {}
    project.keep_look(1, "run/first", "2", look)
    assert sorted(project.kept_looks("run/first", "1")) == [2]
    with pytest.raises(StudioError, match="not finite"):
        project.keep_look(1, "run/first", "3", KeptLook(np.array([np.inf], "f4"), np.array([], "f4")))


def test_a_damaged_look_counts_as_missing(project: Project) -> None:
    for number in (1, 2, 3):
        project.keep_look(number, "run", "1", KeptLook(np.array([1, 2], "f4"), np.array([], "f4")))
    with closing(sqlite3.connect(project.folder / "project.db", isolation_level=None)) as db:
        nan, short = np.array([np.nan, 1], "f4").tobytes(), np.array([1], "f4").tobytes()
        db.execute("UPDATE picture_look SET features = ? WHERE image_id = 2", (nan,))
        db.execute("UPDATE picture_look SET features = ? WHERE image_id = 3", (short,))
    found = Project.open(project.folder).kept_looks("run", "1")
    assert len(found) in (1, 2)
    assert 2 not in found
    assert len({len(look.features) for look in found.values()}) == 1


def test_the_list_of_next_pictures_keeps_its_order(project: Project) -> None:
    project.set_next_pictures([NextPicture(3, "odd"), NextPicture(1, "like the others")])
    assert Project.open(project.folder).next_pictures() == [NextPicture(3, "odd"), NextPicture(1, "like the others")]
    project.set_removed(3, True)
    assert [entry.image_id for entry in project.next_pictures()] == [1]
    with pytest.raises(StudioError, match="more than 1000"):
        project.set_next_pictures([NextPicture(1, "")] * 1001)
    with closing(sqlite3.connect(project.folder / "project.db", isolation_level=None)) as db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'next_pictures'", ('[1, ["x", 2], [2, "b"], [2, "c"], {}]',))
    assert Project.open(project.folder).next_pictures() == [NextPicture(2, "b")]


def test_a_project_of_version_3_gets_the_tables(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    (folder / "images").mkdir(parents=True)
    with closing(sqlite3.connect(folder / "project.db", isolation_level=None)) as db:
        db.executescript(f"{table_definitions.TABLES_3} PRAGMA user_version = 3;")
        db.execute("INSERT INTO meta VALUES ('name', '\"Old\"')")
    project = Project.open(folder)
    assert (project.name, project.pictures_with_suggestions(), project.next_pictures()) == ("Old", [], [])
    assert (folder / "project.db.v3.bak").is_file()
