"""YOLO data sets: fractions of a picture in, pixels out, and the other way round."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from maskrcnn.annotations import raster, read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import yolo
from maskrcnn.annotations.formats.writing import write
from maskrcnn.annotations.regions import Circle, Keypoints, MultiPolygon, Point, Polygon, Rect, Region
from maskrcnn.errors import StudioError

YAML = "names: [cat, dog]\ntrain: images/train\nval: images/val\n"

MakeSet = Callable[..., Path]


@pytest.fixture
def data_set(tmp_path: Path, picture: Any) -> MakeSet:
    """`data_set(yaml, **files)` makes a folder; `a.jpg` and `b.jpg` of 40 x 30 px are its pictures for training."""

    def make(settings: str = YAML, files: dict[str, str] | None = None) -> Path:
        for name in ("images/train/a.jpg", "images/train/b.jpg"):
            picture(f"set/{name}")
        for name, content in {"data.yaml": settings, **(files or {})}.items():
            (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "set" / name).write_text(content, encoding="utf-8")
        return tmp_path / "set"

    return make


def test_rows_are_fractions_of_the_picture(data_set: MakeSet) -> None:
    rows = "1 0.1 0.2 0.5 0.2 0.5 0.4\n\n0 0.5 0.5 0.25 0.2\n"
    dataset = yolo.read_folder(data_set(files={"labels/train/a.txt": rows}))
    assert dataset.classes == ("cat", "dog")
    first, second = dataset.images
    assert (first.file_name, first.width, first.height, first.split) == ("a.jpg", 40, 30, "train")
    assert first.path is not None
    polygon, box = first.regions
    np.testing.assert_allclose(polygon.shape.points, [(4, 6), (20, 6), (20, 12)])
    assert (polygon.class_name, box.class_name) == ("dog", "cat")
    assert box.shape == Rect(15, 12, 10, 6)
    assert second.regions == ()


@pytest.mark.parametrize(
    "settings",
    [
        "names: {0: cat, 1: dog}\ntrain: images/train\n",
        "names:\n  - cat\n  - dog\ntrain: ../images/train\nval: ../images/val\n",
        "names: [cat, dog]\ntrain: /home/me/sets/pets/images/train\n",
        "names: [cat, dog]\npath: ../set\ntrain: images/train\n",
        "names: [cat, dog]\npath: /somewhere\ntrain: [images/train, images/more]\ntest:  # none\n",
        "names: [cat, dog]\ntrain: 'C:\\sets\\images\\train'\n",
    ],
)
def test_where_the_folder_of_pictures_is_found(settings: str, data_set: MakeSet) -> None:
    folder = data_set(settings, {"labels/train/a.txt": "1 0.5 0.5 0.2 0.2"})
    for path in (folder, folder / "data.yaml"):
        assert yolo.is_yolo(path)
        assert [len(record.regions) for record in yolo.read_folder(path).images] == [1, 0]


def test_folders_outside_the_data_set_are_not_looked_into(tmp_path: Path, data_set: MakeSet, picture: Any) -> None:
    picture("images/outside/secret.jpg")
    for entry in ("../images/outside", str(tmp_path / "images/outside")):
        with pytest.raises(StudioError, match="names no pictures that are there"):
            yolo.read_folder(data_set(f"names: [cat]\ntrain: {entry}\n"))


def test_class_names_are_texts_whatever_yaml_makes_of_them(data_set: MakeSet) -> None:
    dataset = yolo.read_folder(data_set("names: [no, 3, '<script>', null, 日本]\ntrain: images/train\n"))
    assert dataset.classes == ("no", "3", "<script>", "null", "日本")


def test_splits_and_pictures_of_one_name_in_two_of_them(data_set: MakeSet, picture: Any) -> None:
    picture("set/images/val/a.jpg")
    picture("set/images/test/deep/c.jpg")
    dataset = yolo.read_folder(data_set(YAML + "test: images/test\n"))
    assert [(record.file_name, record.split) for record in dataset.images] == [
        ("train/a.jpg", "train"),
        ("b.jpg", "train"),
        ("val/a.jpg", "val"),
        ("deep/c.jpg", None),
    ]
    files = yolo.encode(dataset).files
    assert set(files) == {
        *("data.yaml", "labels/train/train/a.txt", "labels/train/b.txt"),
        *("labels/val/val/a.txt", "labels/test/deep/c.txt"),
    }


def test_one_folder_for_two_splits_is_read_once(data_set: MakeSet) -> None:
    dataset = yolo.read_folder(data_set("names: [cat]\ntrain: images/train\nval: images/train\n"))
    assert [(record.file_name, record.split) for record in dataset.images] == [("a.jpg", "train"), ("b.jpg", "train")]


def test_labels_without_their_picture(data_set: MakeSet, picture: Any, tmp_path: Path) -> None:
    folder = data_set(files={"labels/train/gone.txt": "0 0.5 0.5 0.2 0.2", "labels/train/classes.txt": "cat\ndog\n"})
    with pytest.raises(
        StudioError, match=r"labels/train/gone\.txt: its picture is not in images/train, .* --images DIR"
    ):
        yolo.read_folder(folder)
    picture("elsewhere/gone.jpg", 100, 50)
    dataset = yolo.read_folder(folder, tmp_path / "elsewhere")
    assert dataset.images[-1].regions[0].shape == Rect(40, 20, 20, 10)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("0 0.5 0.5", "line 1 has 2 numbers after its class"),
        ("0 0.5 0.5 0.1 0.1 0.9", "line 1 has 5 numbers after its class"),
        ("0 0.1 0.1 0.5 0.1 0.5 0.5 0.1", "line 1 has 7 numbers after its class"),
        ("2 0.5 0.5 0.1 0.1", 'line 1 has class "2", but data.yaml names 2 classes'),
        ("0.5 0.5 0.5 0.1 0.1", 'line 1 has class "0.5"'),
        ("cat 0.5 0.5 0.1 0.1", "line 1 has something that is no number"),
        ("0 nan 0.5 0.1 0.1", "no place in a picture"),
        ("0 1e308 0.5 0.1 0.1", "no place in a picture"),
        ("0 0.5 0.5 -0.1 0.1", "a box of negative size"),
        ("\udcff", "not text"),
    ],
)
def test_a_wrong_row_is_named(row: str, complaint: str, data_set: MakeSet) -> None:
    folder = data_set(files={"labels/train/a.txt": ""})
    (folder / "labels/train/a.txt").write_bytes(row.encode("utf-8", "surrogateescape"))
    with pytest.raises(StudioError) as caught:
        yolo.read_folder(folder)
    assert complaint in str(caught.value)
    assert "a.txt: " in str(caught.value)


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "- 1",
        "{",
        "nc: 2\n",
        "names: [a]\n",  # any file may have names
        "a: &a [x]\n" + "b: *a\n" * 3,
        "[" * 500,  # too deep: each takes Python three calls
    ],
)
def test_what_is_no_data_yaml(settings: str, data_set: MakeSet) -> None:
    folder = data_set(settings)
    assert not yolo.is_yolo(folder)
    with pytest.raises(StudioError, match=r"there is no data\.yaml"):
        yolo.read_folder(folder)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ("names: cat\ntrain: images/train\n", 'has "cat" as "names"'),
        ("names: [[cat]]\ntrain: images/train\n", "as name of class 0"),
        ("names: {a: cat}\ntrain: images/train\n", 'as name of class "a"'),
        ("names: [cat]\ntrain: list.txt\n", '"list.txt" as train, a list that is not there'),
        ("names: [cat]\ntrain: {a: 1}\n", 'as "train", not a folder'),
    ],
)
def test_a_wrong_data_yaml_is_named(settings: str, complaint: str, data_set: MakeSet) -> None:
    with pytest.raises(StudioError) as caught:
        yolo.read_folder(data_set(settings))
    assert complaint in str(caught.value)


def test_two_pictures_of_one_label_file(data_set: MakeSet, picture: Any) -> None:
    picture("set/images/train/a.png")
    with pytest.raises(StudioError, match=r"a\.png: a\.jpg has the same name"):
        yolo.read_folder(data_set())
    pair = Dataset((ImageRecord("a.jpg", width=9, height=9), ImageRecord("a.png", width=9, height=9)))
    with pytest.raises(StudioError, match=r'"a\.png" and "a\.jpg" would share the label file labels/train/a\.txt'):
        yolo.encode(pair)


# Writing


def rows(*regions: Region, **fields: Any) -> tuple[list[str], tuple[str, ...]]:
    """The rows of regions on a picture of 40 x 30 px, and the warnings."""
    record = ImageRecord("a.jpg", regions, **{"width": 40, "height": 30, "path": Path("a.jpg"), **fields})
    encoded = yolo.encode(Dataset((record,), ("cat", "dog"), source=Path("in.json")))
    return encoded.files["labels/train/a.txt"].decode().splitlines(), encoded.warnings


def test_rows_are_written_with_ten_decimals() -> None:
    assert rows(Region(Polygon(((4, 6), (20, 6), (40, 30))), "dog")) == (
        ["1 0.1000000000 0.2000000000 0.5000000000 0.2000000000 1.0000000000 1.0000000000"],
        (),
    )


def test_what_yolo_cannot_hold_is_counted() -> None:
    square, hole = ((2, 2), (12, 2), (12, 12), (2, 12)), ((5, 5), (8, 5), (8, 8), (5, 8))
    held, warnings = rows(
        Region(Rect(0, 0, 5, 5), "cat", iscrowd=True),
        Region(Point(1, 1), "cat"),
        Region(Rect(50, 50, 5, 5), "cat"),
        Region(MultiPolygon(((square, hole),)), "cat"),
        Region(Circle(20, 15, 5), "cat", {"note": "x"}, source="model", score=0.5),
        Region(Rect(-5, 0, 10, 5), "cat", keypoints=Keypoints(((1, 1, 2),))),
        attributes={"b": 1},
        path=None,
    )
    assert len(held) == 3
    assert warnings == (
        "in.json: 1 picture nowhere to be found; put them into images/<split>/, where YOLO looks for them",
        "in.json: 1 picture lost their attributes because YOLO has none",
        "in.json: 1 region left out because YOLO has no crowds",
        "in.json: 1 region without area (points, lines) left out because YOLO has outlines and boxes only",
        "in.json: 1 region left out because YOLO ends at the picture's edge, and they lie outside",
        "in.json: 1 region in several parts, with holes or drawn as masks became one outline each because YOLO has no "
        "other",
        "in.json: 1 region drawn as circles or ellipses became polygons because YOLO has neither",
        "in.json: 1 region lost their attributes because YOLO segmentation has none",
        "in.json: 1 region no longer marked as suggested by a model because YOLO segmentation has no such mark",
        "in.json: 1 region cut off at the picture's edge because YOLO ends there",
        "in.json: 1 region lost their keypoints because YOLO segmentation has none",
    )


@pytest.mark.parametrize(
    ("points", "area"),
    [
        (((-5, 5), (10, 5), (10, 15), (-5, 15)), 100),  # cut on the left
        (((30, 20), (60, 20), (60, 60), (30, 60)), 100),  # cut at the corner
        (((-10, -10), (50, -10), (50, 40), (-10, 40)), 1200),  # round the whole picture
        (((-10, 5), (10, 5), (10, 8), (-5, 8), (-5, 12), (10, 12), (10, 15), (-10, 15)), 60),  # two pieces
    ],
)
def test_what_lies_outside_is_cut_off(points: Any, area: int) -> None:
    (row,), _ = rows(Region(Polygon(points), "cat"))
    fractions = np.array([float(value) for value in row.split()[1:]])
    assert fractions.min() >= 0
    assert fractions.max() <= 1
    outline = Polygon(tuple(map(tuple, fractions.reshape(-1, 2) * (40, 30))))
    assert (raster.mask(outline, 30, 40) == raster.mask(Polygon(points), 30, 40)).all()
    assert raster.area(outline, 30, 40) == area


def test_parts_that_overlap_stay_one_area() -> None:
    parts = [((x, x), (x + 10, x), (x + 10, x + 10), (x, x + 10)) for x in (2, 7)]
    (row,), _ = rows(Region(MultiPolygon(tuple((part,) for part in parts)), "cat"))
    fractions = np.array([float(value) for value in row.split()[1:]]).reshape(-1, 2)
    outline = Polygon(tuple(map(tuple, fractions * (40, 30))))
    assert raster.area(outline, 30, 40) == 100 + 100 - 25  # the square of 5 x 5 that both cover counts once


def test_written_and_read_again(picture: Any, tmp_path: Path) -> None:
    shapes = [Polygon(((1.123456789, 2), (20.5, 3.25), (11, 17))), Polygon(((0, 0), (4032, 0), (1 / 3, 3024)))]
    records = [
        ImageRecord(name, (Region(shape, "dog"),), picture(f"in/{name}", 4032, 3024), 4032, 3024, split=split)
        for name, shape, split in zip(("a.jpg", "sub/b.jpg"), shapes, ("train", "val"), strict=True)
    ]
    dataset = Dataset(tuple(records), ("cat", "dog"))
    assert write(dataset, tmp_path / "out", "yolo") == []
    assert yaml.safe_load((tmp_path / "out/data.yaml").read_text()) == {
        **{"train": "images/train", "val": "images/val"},
        "names": {0: "cat", 1: "dog"},
    }
    again = yolo.read_folder(tmp_path / "out")
    assert again.classes == dataset.classes
    for before, after in zip(records, again.images, strict=True):
        assert (before.file_name, before.split) == (after.file_name, after.split)
        np.testing.assert_allclose(after.regions[0].shape.points, before.regions[0].shape.points, rtol=0, atol=1e-6)


def test_real_outlines_keep_their_masks_to_the_pixel(real_data: Path, tmp_path: Path) -> None:
    before = read(real_data / "coco/tinycoco/annotations/instances_train2017.json")
    write(before, tmp_path / "out", "yolo")
    after = {record.file_name: record for record in read(tmp_path / "out").images}
    compared = 0
    for record in before.images:
        size = record.height, record.width
        objects = [region for region in record.regions if not region.iscrowd]
        for ours, theirs in zip(objects, after[record.file_name].regions, strict=True):
            assert (raster.mask(ours.shape, *size) == raster.mask(theirs.shape, *size)).all()
            compared += 1
    assert compared == 288 - 4  # without the crowds


def test_names_that_lead_out_stay_inside() -> None:
    records = tuple(ImageRecord(name, width=9, height=9, path=Path("x")) for name in ("../../a.jpg", "/etc/b.jpg"))
    encoded = yolo.encode(Dataset(records))
    assert list(encoded.files)[1:] == ["labels/train/a.txt", "labels/train/etc/b.txt"]
    assert list(encoded.pictures) == ["images/train/a.jpg", "images/train/etc/b.jpg"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"width": None, "path": None}, 'image "a.jpg" not found beside it, and YOLO needs its size'),
        ({"regions": (Region(Rect(0, 0, 5, 5)),)}, 'region 1 of "a.jpg" has no class'),
        ({"regions": (Region(Rect(0, 0, 5, 5), "cow"),)}, 'is a "cow"; the classes are cat, dog'),
        (
            {"regions": (Region(raster.from_mask(np.ones((5, 5), bool)), "cat"),)},
            "the mask is 5 x 5 px, the picture 40",
        ),
    ],
)
def test_what_cannot_be_written_at_all(change: dict[str, Any], complaint: str) -> None:
    record = replace(ImageRecord("a.jpg", width=40, height=30), **change)
    with pytest.raises(StudioError) as caught:
        yolo.encode(Dataset((record,), ("cat", "dog")))
    assert complaint in str(caught.value)


@pytest.mark.parametrize("folder", ["Images", "IMAGES", "images", "Labels", "labels", "images/Images"])
def test_a_picture_in_a_folder_called_like_yolos_own_keeps_its_labels(
    folder: str, picture: Any, tmp_path: Path
) -> None:
    path = picture("photos/a.png")
    record = ImageRecord(f"{folder}/a.png", (Region(Rect(4, 4, 20, 10), "cat"),), path, 40, 30, split="train")
    write(Dataset((record,), ("cat",)), tmp_path / "set", "yolo")
    (again,) = yolo.read_folder(tmp_path / "set").images
    assert [region.class_name for region in again.regions] == ["cat"]


@pytest.mark.parametrize("folder", ["Images", "Labels", "labels"])
def test_such_a_picture_is_found_elsewhere_too(folder: str, picture: Any, tmp_path: Path) -> None:
    path = picture(f"photos/{folder}/a.png")
    record = ImageRecord(f"{folder}/a.png", (Region(Rect(4, 4, 20, 10), "cat"),), path, 40, 30, split="train")
    write(Dataset((record,), ("cat",)), tmp_path / "set", "yolo")
    for copy in (tmp_path / "set" / "images").rglob("*.png"):
        copy.unlink()
    (again,) = yolo.read_folder(tmp_path / "set", tmp_path / "photos").images
    assert (again.path, len(again.regions)) == (path, 1)
