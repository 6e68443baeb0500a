"""One answer to "which attribute is the class" for all the labels that it is asked of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats import coco, via
from maskrcnn.annotations.formats.via import class_attribute_across_files
from maskrcnn.errors import ArgumentError

SQUARE = {"name": "rect", "x": 2, "y": 3, "width": 10, "height": 8}


def labels(name: str, *regions: dict[str, Any], attribute: str | None = None, **definitions: Any) -> Dataset:
    """A VIA file of that name, a project where attributes are defined, whose regions have these attributes."""
    drawn = [{"shape_attributes": SQUARE, "region_attributes": attributes} for attributes in regions]
    images = {"a.jpg5": {"filename": "a.jpg", "size": 5, "regions": drawn, "file_attributes": {}}}
    parts = {"_via_img_metadata": images, "_via_attributes": {"region": definitions, "file": {}}}
    return via.parse(parts if definitions else images, name, attribute)


def classes_of(dataset: Dataset) -> list[str | None]:
    return [region.class_name for record in dataset.images for region in record.regions]


KINDS = {"type": "dropdown", "options": {"leaf": "", "stem": ""}}
TRAIN = [{"kind": kind, "name": f"p{number}"} for number, kind in enumerate(["leaf", "stem", "leaf", "leaf"])]
SIZES = {"type": "radio", "options": {"b": ""}}
EITHER = [{"part": "leaf", "also": "stem", "class": "q"}, {"part": "stem", "also": "leaf", "class": "q"}]


@pytest.mark.parametrize(
    ("regions", "definitions", "found"),
    [
        ([{"kind": "leaf"}, {"kind": "stem"}, {"kind": "stem"}], {}, ["leaf", "stem", "stem"]),  # too few for the rule
        ([{"kind": "leaf", "name": "p9"}], {}, ["leaf"]),  # where one name repeats as well as one kind
        ([{"kind": "leaf", "class": "big"}, {"kind": "stem", "class": "big"}], {}, ["leaf", "stem"]),
        ([{"kind": "leaf", "size": "b"}, {"kind": "stem", "size": "b"}], {"size": SIZES}, ["leaf", "stem"]),
        ([{"kind": "", "name": "leaf"}, {"kind": "stem", "name": "leaf"}], {}, [None, "stem"]),
        ([{"Kind": "leaf"}, {"Kind": "stem"}, {"Kind": "stem"}], {}, ["leaf", "stem", "stem"]),
        ([{"kind": {"leaf": True}, "name": "x"}, {"kind": {"stem": True}, "name": "x"}], {}, ["leaf", "stem"]),
        ([{"kind": "root", "name": "leaf"}], {}, ["root"]),  # asked first, also where another would fit
        ([{"part": "leaf", "name": "p1"}, {"part": "stem", "name": "p1"}], {}, ["leaf", "stem"]),  # by its values
        ([{"part": "leaf", "name": "leaf"}, {"part": "stem", "name": "stem"}], {}, ["leaf", "stem"]),
        (EITHER, {}, ["q", "q"]),
        ([{"kind": "leaf"}, {}], {}, ["leaf", None]),
        ([{"kind ": "leaf", "name": "leaf"}], {}, ["leaf"]),
    ],
)  # fmt: skip
def test_a_validation_file_follows_its_training_file(
    regions: list[Any], definitions: dict[str, Any], found: list[str | None]
) -> None:
    training = labels("train.json", *TRAIN, kind=KINDS)
    assert training.class_attribute == "kind"
    assert (
        classes_of(class_attribute_across_files.as_in_training(labels("val.json", *regions, **definitions), training))
        == found
    )


@pytest.mark.parametrize(
    ("regions", "attribute", "instead"),
    [
        ([{"kind": "leaf", "name": "p9"}], "kind", ', not "name", as in train.json'),
        ([{"kind": "leaf"}, {"kind": "stem"}, {"kind": "stem"}], "kind", ", as in train.json"),
        ([{"part": "leaf", "name": "p9"}], "part", ', not "name", as its values are classes of train.json'),
    ],
)
def test_what_is_read_otherwise_is_said(regions: list[Any], attribute: str, instead: str) -> None:
    dataset = class_attribute_across_files.as_in_training(
        labels("val.json", *regions), labels("train.json", *TRAIN, kind=KINDS)
    )
    assert dataset.class_attribute == attribute
    assert dataset.warnings == (f'val.json: the attribute "{attribute}" is the class there{instead}',)


def test_nothing_is_changed_where_nothing_is_open() -> None:
    training = labels("train.json", *TRAIN, kind=KINDS)
    same = labels("val.json", {"kind": "leaf"}, kind=KINDS)
    assert class_attribute_across_files.as_in_training(same, training) is same
    other = coco.parse({"images": [], "annotations": [], "categories": [{"id": 1, "name": "oak"}]}, "coco.json")
    assert class_attribute_across_files.as_in_training(other, training) is other
    unlabelled = labels("val.json")
    assert class_attribute_across_files.as_in_training(unlabelled, training) is unlabelled
    # Two fit: nobody knows which, so it stays, and is refused for its classes.
    two = labels("val.json", *EITHER)
    assert class_attribute_across_files.as_in_training(two, training) is two


@pytest.mark.parametrize(
    "regions", [[{"name": "x"}], [{"name": "x"}, {}], [{"kind": "a"}, {"kind": "b"}, {"kind": "b"}]]
)
def test_where_training_has_no_attribute_every_region_is_of_its_one_class(regions: list[Any]) -> None:
    training = labels("train.json", {}, {})
    found = class_attribute_across_files.as_in_training(labels("val.json", *regions), training)
    assert classes_of(found) == ["object"] * len(regions)
    assert [dict(region.attributes) for region in found.images[0].regions] == regions
    assert found.warnings == (
        'val.json: no attribute is the class there, as in train.json; every region is an "object"',
    )
    same = labels("val.json", {}, {})
    assert class_attribute_across_files.as_in_training(same, training) is same
    called_so = labels("train.json", {"kind": "object"}, {"kind": "object"})
    found = class_attribute_across_files.as_in_training(
        labels("val.json", {"kind": "object"}, {"kind": "rock"}), called_so
    )
    assert classes_of(found) == ["object", "rock"]


def test_labels_that_are_measured_on_are_read_as_the_network_has_learned() -> None:
    dataset = labels("val.json", {"name": "p9", "type": "leaf"})
    assert dataset.class_attribute == "name"
    found = class_attribute_across_files.as_in_other_labels(dataset, None, ("leaf", "stem"), "the network")
    assert classes_of(found) == ["leaf"]
    assert found.warnings == (
        'val.json: the attribute "type" is the class there, not "name", as its values are classes of the network',
    )


def test_a_validation_file_follows_where_each_attribute_is_a_class() -> None:
    fruit = [{"mango": "mango"}, {"orange": "orange"}, {"kiwi": "kiwi"}, {"mango": "mango"}]
    training = labels("train.json", *fruit, attribute="mango, orange, kiwi")
    assert classes_of(training) == ["mango", "orange", "kiwi", "mango"]
    found = class_attribute_across_files.as_in_training(
        labels("val.json", {"orange": "orange"}, {"mango": "mango"}), training
    )
    assert classes_of(found) == ["orange", "mango"]
    assert found.warnings == ("val.json: each of the attributes mango, orange is a class there, as in train.json",)
    assert classes_of(
        class_attribute_across_files.as_in_training(labels("val.json", {"orange": "orange"}), training)
    ) == ["orange"]
    written = via.parse(via.document(training, "via2"), "val.json")  # where it has been said already
    assert classes_of(class_attribute_across_files.as_in_training(written, training)) == [
        "mango",
        "orange",
        "kiwi",
        "mango",
    ]
    given = replace(labels("val.json", *fruit), extras={})  # of no VIA file: somebody has chosen its classes
    assert class_attribute_across_files.as_in_training(given, training) is given


def test_of_many_attributes_the_first_are_named() -> None:
    names = [f"kind {number}" for number in range(10)]
    regions = [{name: name} for name in names]
    training = labels("train.json", *regions, attribute=", ".join(names))
    (line,) = class_attribute_across_files.as_in_training(labels("val.json", *regions), training).warnings
    assert line.startswith(f"val.json: each of the attributes {', '.join(names[:8])} and 2 more is a class there")


def test_a_network_knows_the_classes_that_several_attributes_name() -> None:
    dataset = labels("val.json", {"mango": "mango"}, {"mango": "mango"}, {"orange": "orange"})
    found = class_attribute_across_files.as_in_other_labels(dataset, None, ("kiwi", "mango", "orange"), "the network")
    assert classes_of(found) == ["mango", "mango", "orange"]
    assert found.warnings == ("val.json: each of the attributes mango, orange is a class there, as in the network",)
    assert class_attribute_across_files.as_in_other_labels(dataset, None, ("mango",), "the network") is dataset


# Several files of one set


@pytest.mark.parametrize(
    ("files", "attribute"),
    [
        ([[{"kind": "a"}, {"kind": "b"}, {"kind": "b"}], [{"kind": "b"}, {"kind": "a"}, {"kind": "a"}]], "kind"),
        ([[{"kind": "a"}, {"kind": "b"}], [{"kind": "b"}], [{"kind": "a"}]], "kind"),
        ([[{"name": "n1", "type": "a"}], [{"name": "n2", "type": "a"}], [{"name": "n3", "type": "b"}]], "type"),
        ([[{"name": "n1", "kind": "a"}, {"name": "n1", "kind": "a"}], [{"kind": "a"}]], "name"),
        ([[{"kind": "a"}, {"kind": "a"}], [{}, {}, {}]], None),  # not on half of all regions
        ([[{}], [{}]], None),
    ],
)
def test_the_rule_for_the_regions_of_all_files_together(files: list[list[Any]], attribute: str | None) -> None:
    datasets = [labels(f"{n}.json", *regions) for n, regions in enumerate(files)]
    assert class_attribute_across_files.attribute_for_all(datasets) == attribute
    whole = labels("all.json", *(region for regions in files for region in regions))
    assert whole.class_attribute == attribute  # what one file with all of them has


def test_the_tallies_of_the_files_stay_theirs() -> None:
    one, two = labels("1.json", {"kind": "a"}), labels("2.json", {"kind": "b"})
    assert class_attribute_across_files.attribute_for_all([one, two]) == class_attribute_across_files.attribute_for_all(
        [one, two]
    )
    assert classes_of(one) == ["a"]


FRUIT = [{"mango": "mango"}, {"orange": "yes"}]


@pytest.mark.parametrize(
    ("files", "name", "found"),
    [
        ([[{"kind": "a"}, {"kind": "b"}], [{"kind": "b"}]], "kind", [["a", "b"], ["b"]]),
        ([[{"kind": "a"}], [{"Kind": "b"}], [{"kind ": "c"}]], "kind", [["a"], ["b"], ["c"]]),
        ([[{"kind": "a"}], [{"name": "b"}]], "kind", [["a"], [None]]),
        ([[{"Kind": "a", "kind": "b"}], [{"Kind": "c"}]], "Kind", [["a"], ["c"]]),
        ([FRUIT, FRUIT], "mango, orange", [["mango", "orange"], ["mango", "orange"]]),
        ([FRUIT, FRUIT[1:]], "mango,orange", [["mango", "orange"], ["orange"]]),
        ([FRUIT[:1], FRUIT[1:]], "mango,orange", [["mango"], ["orange"]]),
        ([FRUIT, [{"mango": "1"}, {"kiwi": "kiwi"}]], "mango,orange", [["mango", "orange"], ["mango", None]]),
    ],
)
def test_what_is_asked_for_is_asked_of_all_files(files: list[Any], name: str, found: list[Any]) -> None:
    datasets = [labels(f"{n}.json", *regions) for n, regions in enumerate(files)]
    assert [
        classes_of(dataset) for dataset in class_attribute_across_files.with_asked_attribute(datasets, name)
    ] == found


def test_what_no_file_has_is_refused_with_what_they_all_have() -> None:
    datasets = [labels("1.json", {"mango": "mango"}), labels("2.json", {"orange": "orange"})]
    for name in ("kiwi", "mango,kiwi", "Mango", ""):
        with pytest.raises(ArgumentError, match=f'no region has the attribute "{name}"; choose "mango", "orange"'):
            class_attribute_across_files.with_asked_attribute(datasets, name)


# --class-attribute


def test_an_attribute_is_only_asked_of_labels_that_leave_it_open(tmp_path: Path, picture: Any) -> None:
    from maskrcnn.annotations.store import Project

    class_attribute_across_files.require_class_choice(labels("via.json", {"kind": "leaf"}), "kind")
    other = coco.parse({"images": [], "annotations": [], "categories": []}, "coco.json")
    class_attribute_across_files.require_class_choice(other, None)
    with pytest.raises(
        ArgumentError, match=r'--class-attribute "kind": coco\.json is no VIA file, so its classes are g'
    ):
        class_attribute_across_files.require_class_choice(other, "kind")
    picture("a.jpg")
    path = tmp_path / "via.json"
    path.write_text(json.dumps(via.document(labels("via.json", {"kind": "leaf"}, {"kind": "leaf"}), "via2")))
    project = Project.create(tmp_path / "project")
    project.import_dataset(read(path), "train")
    with pytest.raises(ArgumentError, match="the class attribute of a project is changed under Dataset > Classes"):
        class_attribute_across_files.require_class_choice(read(project.folder), "kind")
