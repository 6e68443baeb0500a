"""An attribute for each class: which files have that, and what a region's own attributes would call it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import via
from maskrcnn.annotations.formats.via import class_attributes, class_values, large_files
from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.trainable_check import require_trainable
from maskrcnn.errors import ArgumentError, StudioError
from tests.annotations.formats.via.test_class_attributes import SQUARE, choice


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
        ([{"class": "", "Class": "dog"}, {"class": ""}], {}, ()),  # one of them says nothing
        ([CAT, {**CAT, **DOG}, DOG], {}, ()),  # both on one region: which is it?
        (
            [{"pet": "cat"}, {"wild": "fox"}, {"pet": {"cat": True, "dog": True}, "wild": "fox"}],
            {"pet": choice("cat", "dog"), "wild": choice("fox")},
            (),
        ),
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
    assert class_attributes.rival_attributes(labels(*regions, **definitions)) == rivals


def test_classes_of_another_origin_have_no_rivals() -> None:
    regions = (Region(Rect(0, 0, 1, 1), "cat", {"dog": "dog"}), Region(Rect(0, 0, 1, 1), "dog"))
    assert class_attributes.rival_attributes(Dataset((ImageRecord("a.jpg", regions),), ("cat", "dog"))) == ()


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
    assert class_values.classes_named_by_values(Region(Rect(0, 0, 1, 1), None, attributes)) == names


def test_training_says_what_to_do() -> None:
    dataset = labels(CAT, CAT, DOG)
    there = replace(dataset, images=tuple(replace(record, path=Path("a.jpg")) for record in dataset.images))
    with pytest.raises(StudioError) as caught:
        require_trainable(there)
    assert str(caught.value) == (
        'a.json: region 3 of "a.jpg" has no value for "cat", but for "dog"; give it a class, or take each of these for '
        'one: --class-attribute "cat,dog"'
    )


# Each attribute that is set is the class


FRUIT = [{"mango": "mango", "n": "1"}, {"mango": "mango"}, {"orange": "orange"}, {"orange": "", "mango": ""}, {}]


def classes_in(dataset: Dataset) -> list[str | None]:
    return [region.class_name for record in dataset.images for region in record.regions]


@pytest.mark.parametrize(
    ("regions", "asked", "classes"),
    [
        (FRUIT, "mango, orange", ["mango", "mango", "orange", None, None]),
        (FRUIT, " orange,mango ", ["mango", "mango", "orange", None, None]),
        (
            [{"cat": "1", "dog": "0"}, {"cat": "no", "dog": "yes"}, {"cat": 1, "dog": 1}],
            "cat,dog",
            ["cat", "dog", None],
        ),
        ([{"pet": "cat"}, {"wild": "fox"}, {"pet": {"dog": True}}], "pet, wild", ["cat", "fox", "dog"]),
        ([{"cat": {"cat": True}}, {"dog": True}], "cat,dog", ["cat", "dog"]),
        ([{"class": "cat"}, {"Class": "dog"}], "class, Class", ["cat", "dog"]),
    ],
)
def test_several_attributes_are_asked_for_together(
    regions: list[dict[str, Any]], asked: str, classes: list[str | None]
) -> None:
    for dataset in (
        via.parse(document(regions), "a.json", asked),
        class_attributes.reclassified(labels(*regions), asked),
    ):
        assert classes_in(dataset) == classes
        assert list(dataset.classes) == sorted({name for name in classes if name})
        # What was said stays, and a file that is written has one attribute that says it all.
        assert [dict(region.attributes) for region in dataset.images[0].regions] == regions
        asked_again = None if dataset.class_attribute == "class" else dataset.class_attribute
        again = via.parse(via.document(dataset, "via2"), "a.json", asked_again)
        assert classes_in(again) == classes
        assert again.class_attribute == dataset.class_attribute
        assert dataset.class_attribute not in {name for attributes in regions for name in attributes}


def document(regions: list[dict[str, Any]]) -> dict[str, Any]:
    drawn = [{"shape_attributes": SQUARE, "region_attributes": attributes} for attributes in regions]
    return {"a.jpg5": {"filename": "a.jpg", "size": 5, "regions": drawn, "file_attributes": {}}}


@pytest.mark.parametrize("asked", ["mango, kiwi", "mango,", ",", "kiwi"])
def test_attributes_that_are_not_there_are_refused(asked: str) -> None:
    with pytest.raises(ArgumentError, match="no region has the attribute"):
        via.parse(document(FRUIT), "a.json", asked)


def test_an_attribute_whose_name_has_a_comma_is_one() -> None:
    regions = [{"a, b": "cat", "a": "x", "b": "y"}]
    assert classes_in(via.parse(document(regions), "a.json", "a, b")) == ["cat"]


def test_a_large_file_is_read_the_same() -> None:
    text = json.dumps(document(FRUIT))
    large = large_files.parse(text, "a.json", "mango, orange", large=0)
    assert large is not None
    whole = via.parse(document(FRUIT), "a.json", "mango, orange")
    assert (classes_in(large), large.classes, large.class_attribute) == (classes_in(whole), whole.classes, "class")
