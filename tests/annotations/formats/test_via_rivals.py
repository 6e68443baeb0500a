"""An attribute for each class: which files have that, and what a region's own attributes would call it."""

from __future__ import annotations

from typing import Any

import pytest

from maskrcnn.annotations.formats import via, via_classes
from maskrcnn.annotations.regions import Dataset, ImageRecord, Rect, Region
from tests.annotations.formats.test_via_classes import SQUARE, choice


def labels(*regions: dict[str, Any], **definitions: Any) -> Dataset:
    """A VIA project of one picture whose regions have these attributes."""
    drawn = [{"shape_attributes": SQUARE, "region_attributes": attributes} for attributes in regions]
    images = {"a.jpg5": {"filename": "a.jpg", "size": 5, "regions": drawn, "file_attributes": {}}}
    document = {"_via_img_metadata": images, "_via_attributes": {"region": definitions, "file": {}}}
    return via.parse(document, "a.json")


CAT, DOG = {"cat": "cat"}, {"dog": "dog"}


@pytest.mark.parametrize(
    ("regions", "definitions", "rivals"),
    [
        ([CAT, CAT, DOG], {}, ("cat", "dog")),
        ([CAT, DOG], {}, ("cat", "dog")),  # neither is on more than half, so none is the class
        ([{"Cat": "cat "}, {"Cat": "cat"}, {"dog": "Dog"}], {}, ("Cat", "dog")),
        ([{"cat": "cat", "dog": ""}, {"cat": "cat", "dog": ""}, {"dog": "dog", "cat": ""}], {}, ("cat", "dog")),
        ([{"cat": {"cat": True}}, {"dog": {"dog": True}}], {}, ("cat", "dog")),
        ([{"cat": "1", "dog": "0"}, {"cat": 0, "dog": 1}], {}, ("cat", "dog")),  # one of them on, everywhere
        ([{"cat": True}, {"dog": True}, {"dog": True}], {}, ("dog", "cat")),
        ([{**CAT, "note": "x"}, {**DOG, "note": "y"}, {**DOG, "age": "3"}], {}, ("dog", "cat")),
        ([{"class": "cat"}, {"class": "cat"}, {"Class": "dog"}], {}, ("class", "Class")),  # renamed half-way
        ([{"pet": "cat"}, {"wild": "fox"}], {"pet": choice("cat"), "wild": choice("fox")}, ("pet", "wild")),
        ([CAT, CAT, CAT], {}, ()),
        ([CAT, {**CAT, **DOG}, DOG], {}, ()),  # both on one region: which is it?
        ([{"name": "cat"}, {"name": "cat", "cat": "cat"}], {}, ()),
        ([{"species": "cat"}, {"species": "cat"}, {"species": "cat"}, {"note": "blurred"}], {}, ()),
        ([CAT, CAT, CAT, {"occluded": "yes"}], {}, ()),  # says how it looks, not what it is
        ([{"occluded": "yes"}, {"blurred": "yes"}, {}], {}, ()),
        ([{"iscrowd": 1}, CAT, CAT], {}, ()),
        ([{}, {}], {}, ()),
    ],
)
def test_attributes_that_each_name_a_class(
    regions: list[dict[str, Any]], definitions: dict[str, Any], rivals: tuple[str, ...]
) -> None:
    assert via_classes.rival_attributes(labels(*regions, **definitions)) == rivals


def test_classes_of_another_origin_have_no_rivals() -> None:
    regions = (Region(Rect(0, 0, 1, 1), "cat", {"dog": "dog"}), Region(Rect(0, 0, 1, 1), "dog"))
    assert via_classes.rival_attributes(Dataset((ImageRecord("a.jpg", regions),), ("cat", "dog"))) == ()


@pytest.mark.parametrize(
    ("attributes", "names"),
    [
        ({}, {}),
        ({"orange": "orange"}, {"orange": "orange"}),
        ({"fruit": "orange", "seen": "3"}, {"fruit": "orange", "seen": "3"}),
        ({"orange": {"ripe": True}}, {"orange": "ripe"}),
        ({"orange": "", "note": " ", "kind": None, "state": {"wet": False}}, {}),
        ({"orange": "no", "hidden": "0", "cut": False}, {}),
        ({"iscrowd": 1, "keypoints": "[", "maskrcnn_score": "?", "maskrcnn_source": "me"}, {}),
    ],
)
def test_what_its_own_attributes_call_a_region(attributes: dict[str, Any], names: dict[str, str]) -> None:
    assert via_classes.own_names(Region(Rect(0, 0, 1, 1), None, attributes)) == names
