"""Attributes that are called as something that the studio writes itself: what is written is read back as it was.

Found at random first: a VIA project that defines the attribute `iscrowd`. Here every such name, with values that would
pass for the studio's own, beside regions that have the real thing.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import coco, labelme, via, writing
from maskrcnn.annotations.formats.via import class_attributes, csv_reading
from maskrcnn.annotations.regions import Keypoints, Polygon, Region
from maskrcnn.errors import ArgumentError
from tests.sweeps import one_in

NAMES = (
    *("iscrowd", "keypoints", "source", "score", "maskrcnn_source", "maskrcnn_score", "name", "class", "label", "id"),
    *("category_id", "bbox", "segmentation", "attributes", "group_id", "flags", "description", "shape_type", "points"),
)
VALUES: tuple[Any, ...] = (
    1,
    "1",
    0,
    0.5,
    True,
    "model",
    "x",
    [[1, 2, 2]],
    "[[1, 2, 2]]",
    {"a": True},
    {"a": "b"},
    "cat",
)
REGIONS = {
    "plain": Region(Polygon(((1, 1), (30, 2), (15, 25))), "cat"),
    "crowd": Region(Polygon(((1, 1), (30, 2), (15, 25))), "cat", iscrowd=True),
    "suggested": Region(Polygon(((1, 1), (30, 2), (15, 25))), "cat", source="model", score=0.25),
    "with keypoints": Region(Polygon(((1, 1), (30, 2), (15, 25))), "cat", keypoints=Keypoints(((3, 4, 2),))),
}


def again(dataset: Dataset, format: str) -> tuple[Region, tuple[str, ...]]:
    """The one region of a dataset after it was written and read, and what was said when it was written."""
    encoded = writing.encode(dataset, format)
    (content,) = encoded.files.values()
    attribute = class_attributes.class_attribute_to_write(dataset)
    match format:
        case "via-csv":
            read = csv_reading.parse(content.decode(), "a.csv", attribute)
        case "coco":
            read = coco.parse(json.loads(content), "a.json")
        case "labelme":
            read = labelme.parse({name: json.loads(file) for name, file in encoded.files.items()}, "folder")
        case _:
            read = via.parse(json.loads(content), "a.json", attribute)
    ((region,),) = [record.regions for record in read.images]
    return region, encoded.warnings


def facts(region: Region) -> dict[str, Any]:
    return {
        "class": region.class_name, "crowd": region.iscrowd, "source": region.source, "score": region.score,
        "keypoints": region.keypoints,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("format", "kind"),
    one_in(3, product(("via1", "via2", "via-project", "via-csv", "coco", "labelme"), REGIONS)),
)
def test_what_is_written_is_read_back(kind: str, format: str) -> None:
    for name in NAMES:
        for value in VALUES:
            before = replace(REGIONS[kind], attributes={name: value, "note": "n"})
            dataset = Dataset((ImageRecord("a.jpg", (before,), width=40, height=30),), ("cat",))
            after, said = again(dataset, format)
            where = (format, kind, name, value, after)
            assert facts(after) == facts(before), where
            # VIA has the mark of a crowd among the attributes; there it is what the region is.
            mine, theirs = (
                {key: v for key, v in attributes.items() if key != "iscrowd" or not format.startswith("via")}
                for attributes in (before.attributes, after.attributes)
            )
            if mine != theirs:
                assert sorted(map(repr, mine.values())) == sorted(map(repr, theirs.values())), where  # nothing is lost
                assert any(f'"{name}" have it as "' in line for line in said), where  # and it is said


@pytest.mark.parametrize(
    ("name", "value", "other"),
    [
        ("keypoints", "[[1, 2, 2]]", "keypoints_"),
        ("maskrcnn_score", 0.5, "maskrcnn_score_"),
        ("maskrcnn_source", "model", "maskrcnn_source_"),
        ("kind", "old", "kind_"),  # the class is written there
        ("kind", {"a": "b"}, "kind_"),
    ],
)
def test_an_attribute_whose_name_is_needed_gets_another(name: str, value: Any, other: str) -> None:
    region = replace(REGIONS["plain"], attributes={name: value, "note": "n"})
    dataset = Dataset((ImageRecord("a.jpg", (region,)),), ("cat",), "kind", extras={"flavour": "via2"})
    encoded = via.encode(dataset, "via2")
    (image,) = json.loads(encoded.files["via2.json"]).values()
    assert image["regions"][0]["region_attributes"] == {other: value, "note": "n", "kind": "cat"}
    assert encoded.warnings == (
        f'the dataset: 1 region with an attribute "{name}" have it as "{other}", as that name is needed there',
    )


@pytest.mark.parametrize(
    ("before", "crowd", "after"),
    [
        ("0", True, 1),
        (0, True, 1),
        ("1", True, "1"),
        (True, True, True),
        ("no", True, 1),
        (None, True, 1),
        ("0", False, "0"),
        ("yes", True, "yes"),
        (" True ", True, " True "),
        ({"crowd": True}, True, {"crowd": True}),
        ({"yes": True, "no": False}, True, {"yes": True, "no": False}),
        ({"iscrowd": True}, True, {"iscrowd": True}),
        ({"no": True}, False, {"no": True}),
        ({}, False, {}),
        ("perhaps", False, "perhaps"),
    ],
)
def test_the_mark_of_a_crowd_says_what_the_region_is(before: Any, crowd: bool, after: Any) -> None:
    region = replace(REGIONS["plain"], attributes={"iscrowd": before}, iscrowd=crowd)
    dataset = Dataset((ImageRecord("a.jpg", (region,)),), ("cat",), "kind")
    (image,) = via.document(dataset, "via2").values()
    assert image["regions"][0]["region_attributes"] == {"iscrowd": after, "kind": "cat"}
    assert via.parse(via.document(dataset, "via2"), "a.json", "kind").images[0].regions[0].iscrowd == crowd


def test_an_attribute_with_any_value_keeps_its_name_from_becoming_the_class() -> None:
    """Found by the test above: values that VIA could not define were not seen, and were written over by the class."""
    region = replace(REGIONS["plain"], attributes={"class": {"a": "b"}, "name": {}})
    dataset = Dataset((ImageRecord("a.jpg", (region,)),), ("cat",))
    (image,) = via.document(dataset, "via2").values()
    assert image["regions"][0]["region_attributes"] == {"class": {"a": "b"}, "name": {}, "label": "cat"}


def test_the_mark_of_a_crowd_cannot_be_asked_for_as_the_class() -> None:
    drawn = {"shape_attributes": {"name": "rect", "x": 1, "y": 1, "width": 3, "height": 3}}
    image = {"filename": "a.jpg", "size": 5, "regions": [{**drawn, "region_attributes": {"iscrowd": 1, "kind": "cat"}}]}
    with pytest.raises(ArgumentError, match='the attribute "iscrowd" marks crowds and is no class; choose "kind"'):
        via.parse({"a.jpg5": image}, "a.json", "iscrowd")
