"""Which attribute is the class: the rule as a table, what else it could be, and changing it there and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import via
from maskrcnn.annotations.formats.via import class_attributes, class_values
from maskrcnn.annotations.formats.via.attribute_tally import Tally
from maskrcnn.annotations.formats.via.class_attributes import Candidate
from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.trainable_check import require_trainable
from maskrcnn.errors import ArgumentError, StudioError
from tests.annotations.formats.test_lossless import ANY, lists_of_images, projects


def choice(*options: str, kind: str = "dropdown") -> dict[str, Any]:
    return {"type": kind, "options": {option: option.title() for option in options}}


TEXT = {"type": "text"}


@pytest.mark.parametrize(
    ("regions", "definitions", "expected"),
    [
        ([], {}, None),
        ([{}, {}], {}, None),
        ([{}, {}], {"kind": choice("a", "b")}, "kind"),  # defined, and not filled in yet
        ([{}, {}], {"name": TEXT}, None),
        ([{"name": ""}, {"name": " "}], {}, None),
        ([{"name": "car"}], {}, "name"),
        ([{"Class": "car", "note": "x"}], {}, "Class"),
        ([{"name": "car"}, {}], {"name": TEXT, "type": choice("scratch")}, "name"),  # car damage: type is never used
        (
            [{"name": "Swan", "type": "bird"}, {"name": "Plato", "type": "human"}, {"name": "Kriton", "type": "human"}],
            {},
            "type",
        ),
        (
            [{"name": "car", "occluded": "no"}, {"name": "car", "occluded": "no"}],
            {"occluded": choice("no", "yes")},
            "name",
        ),
        (
            [{"name": "n1", "shape": "star"}, {"name": "n2", "shape": "star"}],
            {"shape": choice("star", kind="radio")},
            "shape",
        ),
        (
            [{"id": 1, "part": "a"}, {"id": 2, "part": "b"}],
            {"id": TEXT, "part": choice("a", "b", kind="image")},
            "part",
        ),
        ([{"name": "x", "label": "a"}, {"name": "x", "label": "b"}], {"label": choice("a", "b")}, "label"),
        ([{"species": "cat"}, {"species": "cat"}], {}, "species"),
        ([{"species": "cat"}, {}], {}, None),  # not every region has it
        ([{"species": "cat", "mood": "good"}, {"species": "cat", "mood": "good"}], {}, None),  # which of the two?
        ([{"note": "one"}, {"note": "two"}, {"note": "three"}], {}, None),  # says something else each time
        ([{"track": 320}, {"track": 320}], {}, None),  # numbers count something
        ([{"category": 3}, {"category": 3}], {}, "category"),
        ([{"kind": {"cat": True}}, {"kind": {"cat": True}}], {"kind": choice("cat", kind="checkbox")}, "kind"),
    ],
)
def test_which_attribute_is_the_class(regions: list[Any], definitions: dict[str, Any], expected: str | None) -> None:
    tally = Tally()
    for attributes in regions:
        tally.add(attributes)
    assert class_attributes.class_attribute_of_tally(tally, definitions) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("cat", "cat"),
        (" ", None),
        ("", None),
        (None, None),
        (3, "3"),
        (3.0, "3"),
        (2.5, "2.5"),
        (True, None),
        ({"cat": True}, "cat"),
        ({"cat": True, "dog": False}, "cat"),
        ({"cat": True, "dog": True}, None),
        ({"cat": "true"}, None),
        ({}, None),
        ([], None),
        (["cat"], None),
    ],
)
def test_the_class_in_a_value(value: Any, expected: str | None) -> None:
    assert class_values.class_named_by_value(value) == expected


SQUARE = {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}


def document(*regions: dict[str, Any], **definitions: Any) -> dict[str, Any]:
    """A project of one picture whose regions have these attributes."""
    drawn = [{"shape_attributes": SQUARE, "region_attributes": attributes} for attributes in regions]
    images = {"a.jpg5": {"filename": "a.jpg", "size": 5, "regions": drawn, "file_attributes": {}}}
    return {"_via_settings": {}, "_via_img_metadata": images, "_via_attributes": {"region": definitions, "file": {}}}


def classes_of(dataset: Dataset) -> list[str | None]:
    return [region.class_name for record in dataset.images for region in record.regions]


# What else it could be


def test_candidates_are_counted_and_the_chosen_one_comes_first() -> None:
    dataset = via.parse(
        document(
            {"name": "n1", "kind": "cat", "wet": {"a": True, "b": True}, "iscrowd": 1},
            {"name": "n2", "kind": "dog", "wet": {"a": True}, "note": ""},
            {"name": "n3", "kind": "dog", "wet": {}},
            kind=choice("cat", "dog"),
            unused=TEXT,
        ),
        "a.json",
    )
    assert class_attributes.class_candidates(dataset) == (
        Candidate("kind", 3, {"dog": 2, "cat": 1}, chosen=True),
        Candidate("name", 3, {"n1": 1, "n2": 1, "n3": 1}, chosen=False),
        Candidate("wet", 1, {"a": 1}, chosen=False, several=1),
        Candidate("note", 0, {}, chosen=False),
        Candidate("unused", 0, {}, chosen=False),
    )
    assert list(class_attributes.class_candidates(dataset)[0].values) == ["dog", "cat"]


def test_without_attributes_there_is_no_candidate() -> None:
    dataset = via.parse(document({}, {}), "a.json")
    assert classes_of(dataset) == ["object"] * 2
    assert class_attributes.class_candidates(dataset) == ()


def test_a_dataset_of_another_origin_has_its_classes_as_a_candidate() -> None:
    regions = (Region(Rect(0, 0, 1, 1), "cat", {"note": "x"}), Region(Rect(0, 0, 1, 1), "dog", {"class": ""}))
    dataset = Dataset((ImageRecord("a.jpg", regions),), ("cat", "dog"))
    assert class_attributes.class_candidates(dataset) == (
        Candidate("name", 2, {"cat": 1, "dog": 1}, chosen=True),
        Candidate("note", 1, {"x": 1}, chosen=False),
        Candidate("class", 0, {}, chosen=False),
    )


def test_several_ticked_boxes_name_no_class() -> None:
    ticked = ({"cat": True, "dog": True}, {"cat": True}, {"cat": True})
    written = document(*({"kind": value} for value in ticked), kind=choice("cat", "dog", kind="checkbox"))
    dataset = via.parse(written, "a.json", "kind")
    assert classes_of(dataset) == [None, "cat", "cat"]
    (candidate,) = class_attributes.class_candidates(dataset)
    assert (candidate.n_regions, candidate.several) == (2, 1)
    there = replace(dataset, images=tuple(replace(record, path=Path("a.jpg")) for record in dataset.images))
    with pytest.raises(StudioError, match=r'region 1 of "a\.jpg" has 2 boxes ticked for "kind"; leave one of them'):
        require_trainable(there)


# Choosing


def test_the_class_attribute_can_be_named() -> None:
    written = document({"name": "n1", "kind": "cat"}, {"name": "n1", "kind": "dog"}, later=choice("bird"))
    assert via.parse(written, "a.json").class_attribute == "name"
    named = via.parse(written, "a.json", "kind")
    assert (named.class_attribute, named.classes, classes_of(named)) == ("kind", ("cat", "dog"), ["cat", "dog"])
    assert [r.attributes for r in named.images[0].regions] == [{"name": "n1"}] * 2
    assert via.parse(written, "a.json", "later").classes == ("bird",)  # defined, and on no region


@pytest.mark.parametrize(
    ("attributes", "complaint"),
    [
        ({"name": "x", "kind": "y"}, 'a.json: no region has the attribute "colour"; choose "kind", "name"'),
        ({}, 'a.json: no region has the attribute "colour"; its regions have no attributes, so leave it out'),
        ({f"n{i}": "" for i in range(10)}, 'choose "n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7" and 2 more'),
    ],
)
def test_an_attribute_that_is_not_there_is_refused_with_the_choices(attributes: Any, complaint: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        via.parse(document(attributes), "a.json", "colour")
    assert complaint in str(caught.value)
    with pytest.raises(ArgumentError) as caught:
        class_attributes.reclassified(via.parse(document(attributes), "a.json"), "colour")
    assert complaint in str(caught.value)


def test_another_class_there_and_back() -> None:
    written = document(
        {"name": "n1", "kind": 3},
        {"name": "n1", "kind": {"cat": True, "dog": False}},
        {"name": "n2", "kind": {"cat": True}},
        {"name": "", "kind": "3"},
        {"name": "n2"},
    )
    dataset = via.parse(written, "a.json")
    other = class_attributes.reclassified(dataset, "kind")
    assert (other.class_attribute, other.classes) == ("kind", ("3", "cat"))
    assert classes_of(other) == ["3", "cat", "cat", "3", None]
    assert [r.attributes for r in other.images[0].regions] == [
        {"name": "n1"}, {"name": "n1"}, {"name": "n2"}, {"name": ""}, {"name": "n2"},
    ]  # fmt: skip
    assert class_attributes.reclassified(other, "name") == dataset
    images = via.document(other, "via2")["a.jpg5"]["regions"]
    assert images == written["_via_img_metadata"]["a.jpg5"]["regions"]


def test_one_class_there_and_back() -> None:
    dataset = via.parse(document({"name": "n1"}, {"name": "n1"}, {}), "a.json")
    one = class_attributes.reclassified(dataset, None)
    assert (one.class_attribute, one.classes, classes_of(one)) == (None, ("object",), ["object"] * 3)
    assert [r.attributes for r in one.images[0].regions] == [{"name": "n1"}, {"name": "n1"}, {}]
    assert class_attributes.reclassified(one, "name") == dataset
    again = via.parse(json.loads(json.dumps(via.document(one, "via2"))), "a.json")
    assert set(classes_of(again)) == {"object"}  # it is written down, so the rule finds nothing else


def test_classes_without_a_region_are_remembered_under_their_attribute() -> None:
    dataset = replace(via.parse(document({"name": "n", "kind": "k"}), "a.json"), classes=("z", "n"))
    other = class_attributes.reclassified(dataset, "kind")
    assert other.classes == ("k",)
    assert class_attributes.reclassified(other, "name") == dataset


def test_classes_of_another_origin_become_an_attribute() -> None:
    regions = (Region(Rect(0, 0, 1, 1), "cat", {"colour": "red"}), Region(Rect(0, 0, 1, 1), "dog"))
    dataset = Dataset((ImageRecord("a.jpg", regions),), ("cat", "dog"))
    other = class_attributes.reclassified(dataset, "colour")
    assert [(r.class_name, r.attributes) for r in other.images[0].regions] == [
        ("red", {"class": "cat"}),
        (None, {"class": "dog"}),
    ]
    assert class_attributes.reclassified(other, "class") == replace(dataset, class_attribute="class")


def test_the_mark_of_a_crowd_is_no_class_where_no_region_says_more() -> None:
    """Found at random: it was chosen, being the one attribute with choices, and then refused."""
    defined = {"iscrowd": {"type": "dropdown", "options": {"1": "yes"}}, "class": {"type": "text"}}
    dataset = via.parse({"_via_img_metadata": {}, "_via_attributes": {"region": defined, "file": {}}}, "a.json")
    assert dataset.class_attribute is None
    assert [candidate.name for candidate in class_attributes.class_candidates(dataset)] == ["class"]
    assert class_attributes.reclassified(class_attributes.reclassified(dataset, "class"), None).class_attribute is None


CROWDS = {"iscrowd": {"type": "dropdown", "options": {"1": "yes"}}, "class": {"type": "text"}}


@ANY
@example({"_via_img_metadata": {}, "_via_attributes": {"region": CROWDS, "file": {}}})
@example({"k": {"filename": "a.jpg", "regions": [{"shape_attributes": SQUARE, "region_attributes": {"iscrowd": "1"}}]}})
@given(lists_of_images | projects)
def test_any_choice_there_and_back(written: dict[str, Any]) -> None:
    dataset = via.parse(written, "a.json")
    for candidate in class_attributes.class_candidates(dataset):
        assert sum(candidate.values.values()) == candidate.n_regions
        named = via.parse(written, "a.json", candidate.name)
        assert sorted(filter(None, classes_of(named))) == sorted(
            c for c, n in candidate.values.items() for _ in range(n)
        )
        changed = class_attributes.reclassified(dataset, candidate.name)
        assert classes_of(changed) == classes_of(named)
        assert changed.classes == named.classes
        if dataset.class_attribute is not None:
            assert class_attributes.reclassified(changed, dataset.class_attribute) == dataset
            assert (
                class_attributes.reclassified(class_attributes.reclassified(dataset, None), dataset.class_attribute)
                == dataset
            )


# Definitions


EVERY_TYPE = {
    "name": {"type": "text", "description": "Name of the object", "default_value": "not_defined"},
    "type": {"type": "dropdown", "options": {"cat": "Cat", "dog": "Dog"}, "default_options": {"cat": True}},
    "sex": {"type": "radio", "description": "", "options": {"f": "♀", "m": "♂"}, "default_options": {}},
    "state": {"type": "checkbox", "options": {"wet": "Wet", "old": "Old"}, "default_options": {"wet": True}},
    "looks": {"type": "image", "description": "", "options": {"1": "a.png", "2": "b.png"}, "default_options": {}},
}  # fmt: skip


def test_definitions_and_file_attributes_are_kept_whole() -> None:
    written = document(
        {"name": "Tom", "type": "cat", "sex": "m", "state": {"wet": True, "old": True}, "looks": "2"}, **EVERY_TYPE
    )
    written["_via_attributes"]["file"] = EVERY_TYPE
    (image,) = written["_via_img_metadata"].values()
    image["file_attributes"] = {"name": "yard", "state": {"wet": True}, "looks": "1", "n": 3}
    dataset = via.parse(json.loads(json.dumps(written)), "a.json")
    assert dataset.class_attribute == "type"
    assert dataset.classes == ("cat", "dog")  # in the order of the options
    (record,) = dataset.images
    assert record.attributes == image["file_attributes"]
    assert record.regions[0].attributes == {
        "name": "Tom",
        "sex": "m",
        "state": {"wet": True, "old": True},
        "looks": "2",
    }
    assert via.document(dataset, "via-project") == written
    assert via.encode(dataset, "via2").warnings == (
        "a.json: definitions of attributes left out because VIA 2.x has none; a VIA 2.x project keeps them",
        "a.json: 1 class without a region left out because VIA 2.x knows only those in use",
    )


def test_a_project_of_something_else_defines_what_its_regions_have() -> None:
    listed = {
        "a": {
            "filename": "a.jpg",
            "size": 5,
            "file_attributes": {"weather": "sun"},
            "regions": [
                {"shape_attributes": SQUARE, "region_attributes": {"type": "cat", "note": 3, "state": {"wet": True}}},
                {"shape_attributes": SQUARE, "region_attributes": {"type": "", "state": {"old": False}}},
            ],
        }
    }
    attributes = via.document(via.parse(listed, "a.json"), "via-project")["_via_attributes"]
    text = {"type": "text", "description": "", "default_value": ""}
    assert attributes == {
        "region": {
            "type": {"type": "dropdown", "description": "", "options": {"cat": "cat"}, "default_options": {}},
            "note": text,
            "state": {
                "type": "checkbox",
                "description": "",
                "options": {"wet": "wet", "old": "old"},
                "default_options": {},
            },
        },
        "file": {"weather": text},
    }


def test_a_class_of_ticked_boxes_is_defined_so() -> None:
    listed = document({"type": {"cat": True}})["_via_img_metadata"]
    written = via.document(via.parse(listed, "a.json"), "via-project")
    assert written["_via_attributes"]["region"]["type"]["type"] == "checkbox"
    assert written["_via_img_metadata"] == listed


def test_the_real_demo(real_data: Path) -> None:
    dataset = read(real_data / "via_official/v2_basic_demo/via_region_data.json")
    assert [(c.name, c.n_regions, c.chosen, c.several) for c in class_attributes.class_candidates(dataset)] == [
        ("type", 4, True, 0),
        ("name", 4, False, 0),
        ("image_quality", 2, False, 1),
    ]
