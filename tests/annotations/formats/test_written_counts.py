"""How many regions an export says that it holds: what its files give when they are read again, not what went in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.__main__ import main
from maskrcnn.annotations import raster, read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Keypoints,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
)
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.studio.dataset import export_view

SIDE = 60
SQUARE = Polygon(((5.0, 5.0), (25.0, 5.0), (25.0, 25.0), (5.0, 25.0)))


def hole() -> MultiPolygon:
    return MultiPolygon((((*SQUARE.points,), ((10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0))),))


def two_parts() -> MultiPolygon:
    return MultiPolygon(((SQUARE.points,), (((40.0, 40.0), (55.0, 40.0), (55.0, 55.0)),)))


def mask(filled: bool) -> RLE:
    pixels = np.zeros((SIDE, SIDE), bool)
    pixels[30:50, 30:50] = filled
    return raster.from_mask(pixels)


# Regions beside a square of class "cat" that every format holds, and how many of all of them each format keeps.
KINDS: dict[str, tuple[list[Shape], dict[str, int]]] = {
    "nothing else": ([], {}),
    "points": ([Point(30, 30), Point(40, 40)], {"coco": 1, "yolo": 1, "masks": 1}),
    "a line": ([Polyline(((1.0, 1.0), (50.0, 50.0), (50.0, 9.0)))], {"coco": 1, "yolo": 1, "masks": 1}),
    "outside the picture": ([Rect(100, 100, 20, 20)], {"coco": 1, "yolo": 1, "masks": 1}),
    "covered whole": ([Rect(2, 2, 40, 40)], {"masks": 1}),
    "an empty mask": ([mask(False)], dict.fromkeys(writing.FORMATS, 1)),
    "outlines without a vertex": ([Polygon(()), Polyline(())], dict.fromkeys(writing.FORMATS, 1)),
    "a mask": ([mask(True)], {}),
    "several parts": ([two_parts()], {"masks": 1}),
    "a hole": ([hole()], {"masks": 2}),
    "a circle": ([Circle(40, 40, 10)], {}),
    "keypoints alone": ([Keypoints(((30.0, 30.0, 2), (40.0, 35.0, 1)))], {"yolo": 1, "masks": 1}),
}


def dataset(shapes: list[Shape], folder: Path, crowd: bool = False) -> Dataset:
    Image.new("RGB", (SIDE, SIDE), (9, 99, 200)).save(folder / "a.png")
    regions = (Region(SQUARE, "cat"), *(Region(shape, "cat", iscrowd=crowd) for shape in shapes))
    return Dataset((ImageRecord("a.png", regions, folder / "a.png", SIDE, SIDE),), ("cat",))


@pytest.mark.parametrize("format", writing.FORMATS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_count_is_that_of_the_file(kind: str, format: str, tmp_path: Path) -> None:
    shapes, kept = KINDS[kind]
    made = dataset(shapes, tmp_path)
    encoded = writing.encode(made, format)
    place = tmp_path / "out" / f"labels{writing.FORMATS[format].suffix or ''}"
    writing.write_encoded(encoded, place, format)
    again = read(place, None if place.is_dir() else tmp_path)
    assert encoded.n_regions == again.n_regions
    assert encoded.n_regions == kept.get(format, made.n_regions)
    if encoded.n_regions < made.n_regions:
        assert encoded.warnings, "what is not in the file is told of"


@pytest.mark.parametrize(("format", "kept"), [("yolo", 1), ("masks", 2), ("coco", 3), ("labelme", 3), ("via2", 3)])
def test_crowds(format: str, kept: int, tmp_path: Path) -> None:
    """Two crowds of one class: YOLO has none, and PNG masks one for each class."""
    made = dataset([Rect(30, 5, 10, 10), Rect(45, 5, 10, 10)], tmp_path, crowd=True)
    assert writing.encode(made, format).n_regions == kept


@pytest.mark.parametrize(
    ("written", "of", "words"),
    [
        (0, 0, "0 regions"),
        (1, 1, "1 region"),
        (2, 3, "2 of 3 regions"),
        (0, 1, "0 of 1 region"),
        (1200, 1201, "1,200 of 1,201 regions"),
    ],
)
def test_the_words(written: int, of: int, words: str) -> None:
    assert writing.written_regions_in_words(written, of) == words


def made_project(tmp_path: Path) -> Project:
    """A picture in training, with a square and a point; none in validation."""
    project = Project.create(tmp_path / "cells")
    project.import_dataset(dataset([Point(30, 30)], tmp_path), "train")
    return project


def test_the_page_and_convert_say_what_the_file_holds(tmp_path: Path, capsys) -> None:
    project = made_project(tmp_path)
    assert export_view.prepared(project, "coco", "all", pictures=False).regions == "1 of 2 regions"
    assert export_view.prepared(project, "via2", "train", pictures=False).regions == "2 regions"
    assert main(["convert", str(project.folder), str(tmp_path / "out.json"), "--to", "coco"]) == 0
    said = capsys.readouterr()
    assert "1 picture, 1 of 2 regions written; classes: cat" in said.out
    assert "1 region without area" in said.err


@pytest.mark.parametrize("format", writing.FORMATS)
def test_an_export_of_nothing_is_one_clear_line(format: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"^cells: validation has no pictures, so there is nothing to export$"):
        export_view.prepared(made_project(tmp_path), format, "val", pictures=True)


def test_convert_of_nothing_is_one_clear_line_and_writes_nothing(tmp_path: Path, capsys) -> None:
    (tmp_path / "via.json").write_text('{"_via_img_metadata": {}, "_via_settings": {}, "_via_attributes": {}}')
    Project.create(tmp_path / "empty")
    for source in ("via.json", "empty"):
        assert main(["convert", str(tmp_path / source), str(tmp_path / "out.json"), "--to", "coco"]) == 1
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert "no pictures" in said
        assert not (tmp_path / "out.json").exists()
