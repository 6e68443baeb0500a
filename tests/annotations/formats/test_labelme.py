"""labelme files: read as labelme means them, and written as they were read."""

from __future__ import annotations

import base64
import copy
import io
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import labelme
from maskrcnn.annotations.formats.labelme import reading
from maskrcnn.annotations.formats.writing import write
from maskrcnn.annotations.regions import (
    Circle,
    Ellipse,
    Keypoints,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
    Skeleton,
)
from maskrcnn.errors import StudioError


def png(pixels: Any) -> str:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def shape(kind: str, points: list[list[float]], label: str = "cat", **fields: Any) -> dict[str, Any]:
    """An entry as labelme 5.5 writes it."""
    empty = {"group_id": None, "description": "", "flags": {}, "mask": None}
    return {"label": label, "points": points, "shape_type": kind, **empty, **fields}


TRIANGLE = [[1.5, 1], [20.25, 3], [11, 17]]
OTHER = [[30, 20], [35, 20], [35, 25]]
SHAPES = [
    shape("polygon", TRIANGLE, flags={"occluded": True}, description="by the door"),
    shape("rectangle", [[14, 10], [3, 4]]),
    shape("circle", [[20, 15], [23, 19]]),
    shape("polygon", TRIANGLE, "dog", group_id=1),
    shape("line", [[1, 2], [3, 4]]),
    shape("polygon", OTHER, "dog", group_id=1),
    shape("linestrip", [[1, 2], [3, 4], [5, 1]]),
    shape("point", [[7, 8]], group_id=1),
    shape("points", [[7, 8], [9, 10]]),
    # Two rows of three pixels from (5, 6) on: 1 0 1 above 1 1 0.
    shape("mask", [[5.0, 6.0], [7.0, 7.0]], mask=png([[1, 0, 1], [1, 1, 0]])),
    {"label": "", "points": TRIANGLE, "difficult": False},  # an old file; another program's field
    shape("rectangle", [[1, 1], [4, 1], [4, 3], [1, 3]]),
    shape("rectangle", [[1, 1], [4, 2], [4, 3], [1, 3]]),
]
DOCUMENT = {
    "version": "5.5.0",
    "flags": {"night": True},
    "shapes": SHAPES,
    "imagePath": "a.jpg",
    "imageData": None,
    "imageHeight": 30,
    "imageWidth": 40,
    "checked_by": "Ann",
}


def documents(*shapes: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"a.json": {**DOCUMENT, "shapes": list(shapes), **fields}}


def region(entry: dict[str, Any]) -> Region:
    (found,) = labelme.parse(documents(entry), "set").images[0].regions
    return found


def written(dataset: Dataset) -> dict[str, Any]:
    return {name: json.loads(content) for name, content in labelme.encode(dataset).files.items()}


def test_every_shape_of_labelme() -> None:
    dataset = labelme.parse({"a.json": DOCUMENT}, "set")
    (record,) = dataset.images
    assert dataset.classes == ("cat", "dog")
    assert (record.file_name, record.width, record.height) == ("a.jpg", 40, 30)
    assert record.attributes == {"flags": {"night": True}, "checked_by": "Ann"}
    drawn = [(found.class_name, found.shape) for found in record.regions]
    triangle, other = tuple(map(tuple, TRIANGLE)), tuple(map(tuple, OTHER))
    assert drawn[:8] == [
        ("cat", Polygon(triangle)),
        ("cat", Rect(3, 4, 11, 6)),
        ("cat", Circle(20, 15, 5)),  # 3 across and 4 down to the rim
        ("dog", MultiPolygon(((triangle,), (other,)))),
        ("cat", Polyline(((1, 2), (3, 4)))),
        ("cat", Polyline(((1, 2), (3, 4), (5, 1)))),
        ("cat", Point(7, 8)),
        ("cat", Keypoints(((7, 8, 2), (9, 10, 2)))),
    ]
    mask = raster.mask(drawn[8][1], 30, 40)
    assert [(int(x), int(y)) for y, x in np.argwhere(mask)] == [(5, 6), (7, 6), (5, 7), (6, 7)]
    assert drawn[9:] == [
        (None, Polygon(triangle)),
        ("cat", Rect(1, 1, 3, 2)),
        ("cat", Polygon(((1, 1), (4, 2), (4, 3), (1, 3)))),
    ]
    assert record.regions[0].attributes == {"flags": {"occluded": True}, "description": "by the door"}
    assert record.regions[9].attributes == {"difficult": False}


def test_what_was_read_is_written_as_it_was() -> None:
    read = {"a.json": DOCUMENT, "sub/b.json": {**DOCUMENT, "imagePath": "../pictures/b.jpg", "imageData": "/9j/"}}
    dataset = labelme.parse(read, "set")
    assert [record.file_name for record in dataset.images] == ["a.jpg", "pictures/b.jpg"]
    assert written(dataset) == read
    assert labelme.encode(dataset).warnings == ()


def test_large_pictures_inside_the_files_are_left_out_with_a_warning(monkeypatch) -> None:
    monkeypatch.setattr(reading, "MOST_IMAGE_DATA", 5)
    read = {
        "a.json": {**DOCUMENT, "imageData": "abc"},
        "b.json": {**DOCUMENT, "imagePath": "b.jpg", "imageData": "def"},
    }
    encoded = labelme.encode(labelme.parse(read, "set"))
    assert [json.loads(content)["imageData"] for content in encoded.files.values()] == [None, None]
    assert encoded.warnings == (
        "set: 2 pictures left out of their labelme files because they are large; keep them beside the files",
    )


def test_an_edit_changes_what_was_edited_and_nothing_else() -> None:
    dataset = labelme.parse({"a.json": DOCUMENT}, "set")
    first, second, *others = dataset.images[0].regions
    moved = first.with_shape(Polygon(((0, 0), (5, 0), (5, 5))))
    renamed = replace(second, class_name="dog", attributes={"note": "x"})
    record = replace(dataset.images[0], regions=(moved, renamed, *others))
    entries = written(replace(dataset, images=(record,)))["a.json"]["shapes"]
    assert entries[0] == {**SHAPES[0], "points": [[0, 0], [5, 0], [5, 5]]}
    assert entries[1] == {**SHAPES[1], "label": "dog", "attributes": {"note": "x"}}
    assert entries[2:] == SHAPES[2:]


def test_an_object_in_several_parts_gets_a_group_of_its_own() -> None:
    parts = MultiPolygon(((((0, 0), (4, 0), (4, 4)),), (((9, 9), (12, 9), (12, 12)),)))
    regions = (Region(parts, "cat", {"group_id": 3}), Region(parts, "cat"), Region(parts, "cat", {"group_id": 3}))
    dataset = Dataset((ImageRecord("a.jpg", regions, width=40, height=30),), ("cat",))
    entries = written(dataset)["a.json"]["shapes"]
    assert [entry["group_id"] for entry in entries] == [3, 3, 4, 4, 5, 5]
    again = labelme.parse(written(dataset), "set").images[0].regions
    assert [found.shape for found in again] == [parts] * 3


def test_what_labelme_has_no_field_for_is_a_field_that_it_keeps() -> None:
    points = Keypoints(((4, 1, 2), (2, 9, 1), (0, 0, 0)))
    regions = (
        Region(Rect(1, 2, 3, 4), "cat", {"note": "x"}, iscrowd=True, keypoints=points),
        Region(Rect(1, 2, 3, 4), "cat", source="model", score=0.25),
        Region(points, "cat"),
    )
    before = Dataset((ImageRecord("a.jpg", regions, width=40, height=30, split="val", attributes={"b": 1}),), ("cat",))
    after = labelme.parse(written(before), "set").images[0]
    for old, new in zip(regions, after.regions, strict=True):
        for name in ("shape", "class_name", "attributes", "iscrowd", "source", "score", "keypoints"):
            assert getattr(old, name) == getattr(new, name), name
    assert (after.split, after.attributes) == ("val", {"b": 1})
    assert written(labelme.parse(written(before), "set")) == written(before)


def test_what_becomes_something_else_is_said() -> None:
    square, hole = ((2, 2), (12, 2), (12, 12), (2, 12)), ((5, 5), (8, 5), (8, 8), (5, 8))
    holed = MultiPolygon(((square, hole),))
    regions = (
        Region(holed, "cat"),
        Region(Ellipse(20, 15, 8, 4), "cat"),
        Region(raster.from_mask(np.zeros((30, 40), bool)), "cat"),
    )
    dataset = Dataset(
        (ImageRecord("a.jpg", regions, width=40, height=30),),
        ("cat",),
        source=Path("in.json"),
        skeletons={"cat": Skeleton(("nose",))},
    )
    assert labelme.encode(dataset).warnings == (
        "in.json: 1 class lost the names of their keypoints because labelme has none",
        "in.json: 1 region with holes became masks because labelme polygons have no holes",
        "in.json: 1 region drawn as ellipses became polygons because labelme has none",
        "in.json: 1 region left out because their mask has no pixel inside the picture",
    )
    mask, ellipse = labelme.parse(written(dataset), "set").images[0].regions
    assert (raster.mask(mask.shape, 30, 40) == raster.mask(holed, 30, 40)).all()
    assert (raster.mask(ellipse.shape, 30, 40) == raster.mask(regions[1].shape, 30, 40)).all()


def test_files_are_named_after_pictures_and_never_lead_out() -> None:
    names = ["a.jpg", "a.png", "sub/a.jpg", "../up.jpg", "/etc/b.jpg", "A.gif", 'q"u?.jpg', "日本.jpg"]
    files = labelme.encode(Dataset(tuple(ImageRecord(name) for name in names))).files
    assert list(files) == [
        *("a.json", "a (2).json", "sub/a.json", "up.json", "etc/b.json", "A (3).json", 'q"u?.json', "日本.json")
    ]


def test_pictures_go_to_where_labelme_looks_for_them(picture, tmp_path) -> None:
    source = picture("in/pictures/a.jpg")
    read = {
        "labels/a.json": {**DOCUMENT, "imagePath": "..\\pictures\\a.jpg"},
        "b.json": {**DOCUMENT, "imagePath": "b.jpg"},
    }
    first, second = labelme.parse(read, tmp_path / "in").images
    hostile = ImageRecord("../../c.jpg")
    dataset = Dataset(tuple(replace(record, path=source) for record in (first, second, hostile)))
    encoded = labelme.encode(dataset)
    assert list(encoded.files) == ["labels/a.json", "b.json", "c.json"]
    assert list(encoded.pictures) == ["pictures/a.jpg", "b.jpg", "c.jpg"]
    write(dataset, tmp_path / "out", "labelme")
    assert (tmp_path / "out/pictures/a.jpg").read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    "image_path", ["/etc/passwd", "../../a.jpg", "C:\\pictures\\a.jpg", "http://x.org/a.jpg", ".."]
)
def test_a_picture_outside_keeps_its_name_and_is_not_looked_up_there(image_path: str) -> None:
    read = {"sub/a.json": {**DOCUMENT, "imagePath": image_path}}
    (record,) = labelme.parse(read, "set").images
    assert (record.file_name, record.path) == (image_path, None)
    assert written(labelme.parse(read, "set")) == read


def test_junk_anywhere_is_read_or_refused_in_one_line(refusals) -> None:
    def use(damaged: Any) -> None:
        if labelme.is_labelme(damaged):
            labelme.encode(labelme.parse({"labels.json": damaged}, "labels.json"))

    assert refusals(DOCUMENT, use) > 100


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        (shape("circle", [[1, 2]]), "shape 1 is a circle of 1 point"),
        (shape("cuboid", TRIANGLE), 'shape 1 has the type "cuboid"; labelme\'s types are polygon'),
        (shape("polygon", []), 'a list of 0 as "points"'),
        (shape("polygon", [[1, 2, 3]]), 'a list of 3 in its "points"'),
        (shape("polygon", [[1, 1e308], [2, 2], [3, 3]]), "no place in a picture"),
        (shape("polygon", [[1, float("nan")], [2, 2], [3, 3]]), "no place in a picture"),
        (shape("mask", [[5, 6], [7, 7]]), 'is a mask, but has None as "mask"'),
        (shape("mask", [[5, 6], [7, 7]], mask="!"), 'has a "mask" that is no PNG picture'),
        (shape("mask", [[5, 6], [7, 8]], mask=png([[1, 0, 1], [1, 1, 0]])), "a mask of 3 x 2 px between corners that"),
        (shape("mask", [[38, 6], [40, 7]], mask=png([[1, 0, 1], [1, 1, 0]])), "from 38, 6 to 40, 7 in a picture of 40"),
        (shape("mask", [[5, 6], [5, 6]], mask=png([[[1, 2, 3]]])), "several colours"),
        ({**shape("polygon", TRIANGLE), "label": [3]}, 'has a list of 1 as "label", not a text'),
    ],
)
def test_a_wrong_shape_is_named(entry: dict[str, Any], complaint: str) -> None:
    with pytest.raises(StudioError) as caught:
        labelme.parse(documents(entry), "set")
    assert str(caught.value).startswith("set/a.json: ")
    assert complaint in str(caught.value)


def test_a_mask_of_absurd_size_is_refused_before_it_is_decoded() -> None:
    header = bytearray(base64.b64decode(png([[1]])))
    header[16:24] = (60_000).to_bytes(4, "big") * 2
    header[29:33] = zlib.crc32(bytes(header[12:29])).to_bytes(4, "big")
    entry = shape("mask", [[5, 6], [7, 7]], mask=base64.b64encode(bytes(header)).decode())
    with pytest.raises(StudioError, match=r"shape 1 has a \"mask\" that is no PNG picture|far too large"):
        region(entry)
    large = documents(shape("mask", [[0, 0], [0, 0]], mask=png([[1]])), imageWidth=60_000, imageHeight=60_000)
    with pytest.raises(StudioError, match="60000 x 60000 px, which is far too large"):
        labelme.parse(large, "set")


def test_reading_changes_nothing_of_what_it_was_given() -> None:
    given = copy.deepcopy(DOCUMENT)
    labelme.parse({"a.json": given}, "set")
    assert given == DOCUMENT


# What only informs never blocks


@pytest.mark.parametrize(
    ("size", "known"),
    [
        ({"imageWidth": "40", "imageHeight": 30.0}, (40, 30)),
        ({"imageWidth": -1, "imageHeight": -1}, (None, None)),
        ({"imageWidth": 0, "imageHeight": 30}, (None, None)),
        ({"imageWidth": None, "imageHeight": None}, (None, None)),
        ({"imageWidth": "", "imageHeight": "wide"}, (None, None)),
        ({"imageWidth": 40}, (None, None)),
        ({"imageWidth": [40], "imageHeight": {"px": 30}}, (None, None)),
        ({"imageWidth": 10**9, "imageHeight": 30}, (None, None)),
    ],
)
def test_a_size_that_is_not_known_is_left_to_the_picture(size: dict[str, Any], known: Any) -> None:
    document = {"version": "5.5.0", "imagePath": "a.jpg", "shapes": [shape("polygon", TRIANGLE)], **size}
    (record,) = labelme.parse({"a.json": document}, "folder").images
    assert (record.width, record.height) == known
    assert len(record.regions) == 1


@pytest.mark.parametrize(("label", "class_name"), [(5, "5"), (5.0, "5"), (0, "0"), ("5", "5"), ("", None), (" ", None)])
def test_a_label_that_is_a_number_is_a_class(label: Any, class_name: str | None) -> None:
    assert region({**shape("polygon", TRIANGLE), "label": label}).class_name == class_name


@pytest.mark.parametrize("value", [1, True, 1.0, "1", "true", "Yes"])
def test_the_mark_of_a_crowd_in_any_spelling(value: Any) -> None:
    found = region({**shape("polygon", TRIANGLE), "iscrowd": value})
    assert (found.iscrowd, found.attributes) == (True, {})
    assert not region({**shape("polygon", TRIANGLE), "iscrowd": "no"}).iscrowd


def test_what_older_files_say_of_colours_is_kept_and_no_attribute() -> None:
    """labelme 3 writes null where nobody chose a colour."""
    entry = {"label": "cat", "line_color": None, "fill_color": None, "points": TRIANGLE}
    document = {"flags": {}, "shapes": [entry], "lineColor": [0, 255, 0, 128], "imagePath": "a.jpg", "imageData": None}
    dataset = labelme.parse({"a.json": document}, "folder")
    assert dataset.images[0].regions[0].attributes == {}
    assert json.loads(labelme.encode(dataset).files["a.json"])["shapes"][0]["line_color"] is None


@pytest.mark.parametrize("attributes", [["occluded"], "occluded", 3, [], "", None, True])
def test_attributes_that_are_no_group_are_kept_as_they_are(attributes: Any) -> None:
    entry = {**shape("polygon", TRIANGLE), "attributes": attributes}
    document = {"imagePath": "a.jpg", "imageWidth": 40, "imageHeight": 30, "shapes": [entry], "attributes": attributes}
    dataset = labelme.parse({"a.json": document}, "folder")
    (region,) = dataset.images[0].regions
    assert region.attributes == ({"attributes": attributes} if attributes else {})
    written = json.loads(labelme.encode(dataset).files["a.json"])
    assert written["shapes"][0]["attributes"] == attributes
    assert written["attributes"] == attributes
