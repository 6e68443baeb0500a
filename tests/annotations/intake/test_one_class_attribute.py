"""Several VIA files, and a file beside what a project has: they agree on which attribute is the class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.intake import Staged, stage_path
from maskrcnn.errors import ArgumentError

SQUARE = {"name": "rect", "x": 2, "y": 3, "width": 10, "height": 8}


def write(folder: Path, file: str, picture: str, *attributes: dict[str, Any]) -> None:
    regions = [{"shape_attributes": SQUARE, "region_attributes": said} for said in attributes]
    folder.mkdir(exist_ok=True)
    document = {picture: {"filename": picture, "size": -1, "regions": regions, "file_attributes": {}}}
    (folder / file).write_text(json.dumps(document))


def classes_of(dataset: Dataset) -> list[str | None]:
    return sorted((region.class_name or "") for record in dataset.images for region in record.regions)


A, B = {"kind": "a"}, {"kind": "b"}


@pytest.mark.parametrize(
    ("one", "two", "asked", "classes"),
    [
        ([A, B, B], [B, A, A], None, ["a", "a", "a", "b", "b", "b"]),  # of three regions alone the rule takes none
        ([A, B], [B], None, ["a", "b", "b"]),
        ([{"name": "n1", "type": "leaf"}], [{"name": "n2", "type": "leaf"}], None, ["leaf", "leaf"]),
        ([{"name": "n1", "type": "leaf"}], [{"name": "n2", "type": "leaf"}], "name", ["n1", "n2"]),
        ([{"name": "n1", "type": "leaf"}], [{"name": "n2"}], "type", ["", "leaf"]),
        ([A], [B], "kind", ["a", "b"]),
        ([A, B, A, B], [{"Kind": "a"}], None, ["a", "a", "a", "b", "b"]),
        ([A, B], [{"Kind": "a"}], "kind", ["a", "a", "b"]),
        ([{"mango": "mango"}, {"orange": "1"}], [{"orange": "1"}], "mango, orange", ["mango", "orange", "orange"]),
        ([{"mango": "mango"}], [{"orange": "orange"}], "mango,orange", ["mango", "orange"]),
    ],
)
def test_two_files_of_one_folder(
    one: list[Any], two: list[Any], asked: str | None, classes: list[str], tmp_path: Path, picture: Any
) -> None:
    picture("images/a.jpg")
    picture("images/b.jpg", seed=1)
    write(tmp_path / "annotations", "one.json", "a.jpg", *one)
    write(tmp_path / "annotations", "two.json", "b.jpg", *two)
    assert classes_of(read(tmp_path, None, asked)) == classes
    if asked is None:
        with stage_path(tmp_path) as staged:
            assert [name for name in classes_of(staged.dataset) if name] == classes


def test_an_attribute_of_no_file_is_refused(tmp_path: Path, picture: Any) -> None:
    picture("images/a.jpg")
    picture("images/b.jpg", seed=1)
    write(tmp_path / "annotations", "one.json", "a.jpg", A)
    write(tmp_path / "annotations", "two.json", "b.jpg", B)
    with pytest.raises(ArgumentError, match='no region has the attribute "colour"; choose "kind"'):
        read(tmp_path, None, "colour")


def staged_beside(folder: Path, *attributes: dict[str, Any]) -> Staged:
    write(folder, "labels.json", "a.jpg", *attributes)
    with stage_path(folder / "labels.json") as staged:
        return staged


@pytest.mark.parametrize(
    ("attributes", "own", "known", "classes"),
    [
        ([A, B, B], "kind", ("a", "b"), ["a", "b", "b"]),
        ([{"name": "n", "kind": "a"}], "kind", ("a",), ["a"]),
        ([{"name": "n", "type": "leaf"}], None, ("leaf", "stem"), ["leaf"]),
        ([{"name": "n", "type": "leaf"}], None, (), ["n"]),  # an empty project has said nothing yet
        ([{"name": "n", "type": "leaf"}], "kind", ("x",), ["n"]),
        ([{"name": "n1", "type": "leaf"}, {"name": "n2", "type": "leaf"}], "name", ("oak",), ["leaf", "leaf"]),
        ([{"name": "n1", "type": "leaf"}], "name", ("leaf",), ["leaf"]),
        ([{"name": "oak", "type": "tree"}, {"name": "fir", "type": "tree"}], "name", ("oak",), ["fir", "oak"]),
        ([{"Kind": "a"}, {"Kind": "b"}, {"Kind": "b"}], "kind", ("a", "b"), ["a", "b", "b"]),
    ],
)
def test_a_file_beside_what_the_project_has(
    attributes: list[Any], own: str | None, known: tuple[str, ...], classes: list[str], tmp_path: Path, picture: Any
) -> None:
    picture("a.jpg")
    staged = staged_beside(tmp_path, *attributes)
    found = staged.with_project_attribute(own, known)
    assert classes_of(found.dataset) == classes
    changed = found.dataset.class_attribute != staged.dataset.class_attribute
    assert len(found.warnings) == len(staged.warnings) + changed
    if changed:
        assert "is the class there" in found.warnings[-1]
        assert "this project" in found.warnings[-1]
