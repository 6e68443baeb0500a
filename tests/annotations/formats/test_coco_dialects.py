"""COCO as other programs write it: what is meant is read, what only informs never keeps an object from being read."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations import raster, read
from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats import coco
from maskrcnn.annotations.learnable_objects import has_outline
from maskrcnn.annotations.regions import RLE, Keypoints, MultiPolygon, Point, Polygon, Rect, Region
from maskrcnn.annotations.trainable_check import require_trainable
from maskrcnn.errors import StudioError

TRIANGLE = Polygon(((1, 1), (30, 2), (15, 25)))
FLAT = [1, 1, 30, 2, 15, 25]
TWO = MultiPolygon(((TRIANGLE.points,), (((31, 1), (39, 1), (39, 9)),)))


def document(
    annotations: list[dict[str, Any]] | None = None,
    images: list[dict[str, Any]] | None = None,
    categories: list[dict[str, Any]] | None = None,
    **further: Any,
) -> dict[str, Any]:
    """A sound file of one picture, one category and one triangle; every annotation gets what it lacks of that."""
    common = {
        "image_id": 1,
        "category_id": 1,
        "segmentation": [FLAT],
        "area": 336.5,
        "bbox": [1, 1, 29, 24],
        "iscrowd": 0,
    }
    listed = [{"id": n, **common, **annotation} for n, annotation in enumerate(annotations or [{}], start=1)]
    return {
        "images": images or [{"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}],
        "annotations": listed,
        "categories": categories or [{"id": 1, "name": "cat"}],
        **further,
    }


def parsed(written: dict[str, Any]) -> Dataset:
    """The dataset of a document that came through a file, which is left as it was."""
    before = copy.deepcopy(written)
    dataset = coco.parse(json.loads(json.dumps(written)), "labels.json")
    assert written == before
    return dataset


def only_region(written: dict[str, Any]) -> Region:
    ((region,),) = [record.regions for record in parsed(written).images]
    return region


def complaint(written: dict[str, Any]) -> str:
    with pytest.raises(StudioError) as caught:
        parsed(written)
    assert str(caught.value).startswith("labels.json: ")
    return str(caught.value).removeprefix("labels.json: ")


# Ids


def two_pictures(first: Any, second: Any) -> list[dict[str, Any]]:
    return [{"id": first, "file_name": "a.jpg"}, {"id": second, "file_name": "b.jpg"}]


@pytest.mark.parametrize(
    ("own", "named"),
    [
        ((0, 1), ("0", "1")),
        (("0", "1"), (0, 1)),
        (("7", 8), (7.0, "8")),
        ((3, 4), (" 3", "4.0")),
        ((-1, 2), ("-1", 2)),
        (("000000397133", "000000000007"), ("000000397133", "000000000007")),
        (("a.jpg", "b.jpg"), ("a.jpg", "b.jpg")),
        (("12ab", 12), ("12ab", "12")),
    ],
)
def test_annotations_name_pictures_and_categories_in_either_spelling(own: Any, named: Any) -> None:
    written = document(
        [{"image_id": named[1], "category_id": named[0]}, {"image_id": named[0], "category_id": named[1]}],
        two_pictures(*own),
        [{"id": own[0], "name": "cat"}, {"id": own[1], "name": "dog"}],
    )
    dataset = parsed(written)
    assert [[region.class_name for region in record.regions] for record in dataset.images] == [["dog"], ["cat"]]
    assert [record.extras["coco"]["id"] for record in dataset.images] == list(own)  # their own, as they stand there
    kept = dataset.extras["coco_categories"]
    assert [kept[name]["id"] for name in ("cat", "dog")] == list(own)
    assert dataset.warnings == ()


@pytest.mark.parametrize(("first", "second"), [(1, "1"), ("1", 1), (1, "1.0"), (2.0, "2"), ("5", " 5"), (1, 1)])
def test_ids_that_could_be_either_of_two_are_refused(first: Any, second: Any) -> None:
    said = complaint(document(images=two_pictures(first, second)))
    assert said.startswith("image 2 has the id ")
    assert ("; make them differ" in said) == (first != second)
    assert "an image before it" in said
    categories = [{"id": first, "name": "cat"}, {"id": second, "name": "dog"}]
    assert complaint(document(categories=categories)).startswith("category 2 has the id ")


def test_an_entry_that_stands_there_twice_alike_is_one() -> None:
    picture, cat = {"id": 1, "file_name": "a.jpg"}, {"id": 1, "name": "cat"}
    dataset = parsed(document(images=[picture, picture], categories=[cat, cat]))
    assert (len(dataset.images), dataset.classes, dataset.n_regions) == (1, ("cat",), 1)
    assert dataset.warnings == ("labels.json: 1 picture in the file twice, alike, and read once",)


def test_entries_that_differ_in_what_only_informs_are_one() -> None:
    pictures = [{"id": 1, "file_name": "a.jpg", "date_captured": date} for date in ("2019", "2020")]
    cats = [{"id": 1, "name": "cat", "color": colour, "supercategory": colour} for colour in ("red", "blue")]
    dataset = parsed(document(images=pictures, categories=cats))
    assert (len(dataset.images), dataset.classes, dataset.n_regions) == (1, ("cat",), 1)
    assert dataset.warnings == ("labels.json: 1 picture in the file twice, alike, and read once",)
    # What matters does not: another name, other keypoints, another size.
    assert "category 2 has the id 1" in complaint(document(categories=[cats[0], {"id": 1, "name": "dog"}]))
    assert "category 2 has the id 1" in complaint(document(categories=[cats[0], cats[1] | {"keypoints": ["ear"]}]))
    assert "image 2 has the id 1" in complaint(document(images=[pictures[0], pictures[1] | {"width": 7, "height": 9}]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image_id": "01"}, 'annotation 1 belongs to image "01", which is not in the file'),
        ({"image_id": "one"}, 'annotation 1 belongs to image "one"'),
        ({"image_id": None}, 'annotation 1 has None as "image_id", which is no id'),
        ({"image_id": True}, 'annotation 1 has True as "image_id", which is no id'),
        ({"image_id": 1.5}, 'annotation 1 has 1.5 as "image_id", which is no id'),
        ({"category_id": "2"}, 'annotation 1 has category "2", which is not in the file'),
        ({"category_id": False}, 'annotation 1 has False as "category_id"'),
    ],
)
def test_ids_that_lead_nowhere_are_named(change: dict[str, Any], said: str) -> None:
    assert said in complaint(document([change]))


def test_a_project_keeps_the_ids_of_pictures_and_categories(tmp_path: Path, picture: Any) -> None:
    from maskrcnn.annotations.store import Project

    picture("a.jpg", 40, 30)
    path = tmp_path / "labels.json"
    written = document(
        [{"image_id": 71, "category_id": 9}],
        [{"id": "71", "file_name": "a.jpg", "width": 40, "height": 30}],
        [{"id": 9, "name": "cat"}],
    )
    path.write_text(json.dumps(written))
    project = Project.create(tmp_path / "project")
    project.import_dataset(read(path), "train")
    dataset = project.dataset()
    assert [record.extras["coco"]["id"] for record in dataset.images] == ["71"]
    assert dataset.extras["coco_categories"]["cat"]["id"] == 9


# Classes


@pytest.mark.parametrize(
    ("annotation", "class_name"),
    [
        ({"category_name": "cat"}, "cat"),
        ({"category": "cat"}, "cat"),
        ({"class": "dog"}, "dog"),  # which is in no list
        ({"label": " ", "category": "dog"}, "dog"),
        ({"category_id": "cat"}, "cat"),  # a name where an id belongs
        ({"category_id": [], "category_name": "cat"}, "cat"),
        ({}, None),
        ({"category_id": ""}, None),
        ({"category": 5}, None),
    ],
)
def test_the_class_of_an_annotation_without_a_category_id(annotation: dict[str, Any], class_name: str | None) -> None:
    written = document([{}])
    del written["annotations"][0]["category_id"]
    written["annotations"][0].update(annotation)
    dataset = parsed(written)
    assert only_region(written).class_name == class_name
    assert dataset.classes == ("cat",) if class_name != "dog" else ("cat", "dog")
    said = "labels.json: 1 region without a class because the file gives them no category"
    assert dataset.warnings == ((said,) if class_name is None else ())
    if class_name is None:
        there = [{**vars(record), "path": Path("a.jpg")} for record in dataset.images]
        with pytest.raises(StudioError, match=r'region 1 of "a\.jpg" has no '):
            require_trainable(Dataset(tuple(type(dataset.images[0])(**record) for record in there), dataset.classes))


def test_a_file_without_categories_has_the_classes_that_its_annotations_name() -> None:
    written = document([{"category": "dog"}, {"category": "cat"}])
    del written["categories"]
    for annotation in written["annotations"]:
        del annotation["category_id"]
    dataset = parsed(written)
    assert sorted(dataset.classes) == ["cat", "dog"]
    again = parsed(coco.document(dataset))
    assert [region.class_name for region in again.images[0].regions] == ["dog", "cat"]


@pytest.mark.parametrize("missing", ["annotations", "info", "licenses", "categories"])
@pytest.mark.parametrize("value", [None, "absent"])
def test_parts_that_a_file_of_pictures_can_do_without(missing: str, value: str | None) -> None:
    written: dict[str, Any] = {**document(), "info": {}, "licenses": [], "annotations": []}
    written[missing] = value
    if value == "absent":
        del written[missing]
    assert coco.is_coco(written)
    assert [record.file_name for record in parsed(written).images] == ["a.jpg"]


@pytest.mark.parametrize("name", ["", "  ", None])
def test_a_category_without_a_name_gives_no_class(name: str | None) -> None:
    categories = [{"id": 0, "name": name}, {"id": 1, "name": "cat"}]
    assert (parsed(document(categories=categories)).classes, parsed(document(categories=categories)).warnings) == (
        ("cat",),
        (),
    )
    dataset = parsed(document([{"category_id": 0}, {}], categories=categories))
    assert [region.class_name for region in dataset.images[0].regions] == [None, "cat"]
    assert dataset.warnings == ("labels.json: 1 region without a class because their category has no name",)


@pytest.mark.parametrize(("name", "class_name"), [(7, "7"), (7.0, "7"), (2.5, "2.5"), (0, "0"), (-1, "-1")])
def test_a_class_that_is_called_by_a_number(name: float, class_name: str) -> None:
    assert parsed(document(categories=[{"id": 1, "name": name}])).classes == (class_name,)


# Pictures


@pytest.mark.parametrize(
    "size",
    [
        {"width": -1, "height": -1},  # VIA, of a picture that was not loaded
        {"width": 0, "height": 0},
        {"width": None, "height": None},
        {"width": "", "height": ""},
        {"width": [], "height": {}},
        {"width": 40},
        {"width": 40, "height": -1},
        {},
    ],
)
def test_a_size_that_is_not_known_is_measured(size: dict[str, Any], tmp_path: Path, picture: Any) -> None:
    picture("a.jpg", 40, 30)
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(document(images=[{"id": 1, "file_name": "a.jpg", **size}])))
    dataset = read(path)
    assert (dataset.images[0].width, dataset.images[0].height) == (None, None)
    assert not [line for line in dataset.warnings if "size" in line]
    (record,) = require_trainable(dataset).images
    assert (record.width, record.height) == (40, 30)


@pytest.mark.parametrize("size", [("40", "30"), (40.0, "30.0"), (" 40", 30)])
def test_a_size_in_another_spelling(size: tuple[Any, Any]) -> None:
    (record,) = parsed(document(images=[{"id": 1, "file_name": "a.jpg", "width": size[0], "height": size[1]}])).images
    assert (record.width, record.height) == (40, 30)


@pytest.mark.parametrize("width", ["wide", 40.5, True, 10**9, -40, [40]])
def test_a_size_that_is_none_is_left_out_with_a_warning(width: Any) -> None:
    dataset = parsed(document(images=[{"id": 1, "file_name": "a.jpg", "width": width, "height": 30}]))
    assert (dataset.images[0].width, dataset.images[0].height) == (None, None)
    assert dataset.warnings == (
        "labels.json: the size of 1 picture left out because it is no number of pixels; it is measured instead",
    )


@pytest.mark.parametrize(
    ("entry", "file_name"),
    [
        ({"file_name": None, "coco_url": "http://images.example.org/val2017/000000391895.jpg"}, "000000391895.jpg"),
        ({"coco_url": "https://example.org/a%20cat.jpg?size=2#x"}, "a cat.jpg"),
        ({"flickr_url": "http://farm.example.org/1/b.jpg", "coco_url": ""}, "b.jpg"),
        ({"path": "/datasets/cats/a.jpg"}, "/datasets/cats/a.jpg"),
        ({"file_name": " ", "filename": "c.jpg"}, "c.jpg"),
        ({"file_name": "images/a.jpg", "coco_url": "http://example.org/b.jpg"}, "images/a.jpg"),
    ],
)
def test_where_the_name_of_a_picture_may_stand(entry: dict[str, Any], file_name: str) -> None:
    assert [record.file_name for record in parsed(document(images=[{"id": 1, **entry}])).images] == [file_name]


@pytest.mark.parametrize("entry", [{}, {"file_name": None}, {"file_name": 397133}, {"file_name": "", "coco_url": None}])
def test_a_picture_without_a_name_is_refused(entry: dict[str, Any]) -> None:
    assert "image 1 has " in complaint(document(images=[{"id": 1, **entry}]))


# Shapes


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        ({"segmentation": FLAT}, TRIANGLE),  # older VIA, older supervision
        ({"segmentation": [str(value) for value in FLAT]}, TRIANGLE),
        ({"segmentation": [[str(value) for value in FLAT]]}, TRIANGLE),
        ({"segmentation": [[1, 1], [30, 2], [15, 25]]}, TRIANGLE),
        ({"segmentation": [[[1, 1], [30, 2], [15, 25]]]}, TRIANGLE),
        ({"segmentation": [FLAT, []]}, TRIANGLE),
        ({"segmentation": [None, FLAT]}, TRIANGLE),
        ({"segmentation": [[7], FLAT, [1, 2, 3]]}, TRIANGLE),
        ({"segmentation": [FLAT, [31, 1, 39, 1, 39, 9]]}, TWO),
        ({"segmentation": [], "bbox": ["1", "1.5", "29", "24"]}, Rect(1, 1.5, 29, 24)),  # older Roboflow
        ({"segmentation": "", "bbox": [1, 1, 29, 24]}, Rect(1, 1, 29, 24)),
        ({"segmentation": {}, "bbox": [1, 1, 29, 24]}, Rect(1, 1, 29, 24)),
        ({"segmentation": [[]], "bbox": [], "keypoints": [5, 7, 2], "num_keypoints": 1}, Point(5, 7)),  # VIA 2.0.10
        ({"segmentation": None, "bbox": None, "keypoints": [5.5, 7, 1]}, Point(5.5, 7)),
        ({"segmentation": [], "bbox": [5, 7, 0, 0], "keypoints": ["5", "7", "2"]}, Point(5, 7)),
        ({"segmentation": [], "bbox": [1, 1, 29, 24], "keypoints": [5, 7, 2]}, Rect(1, 1, 29, 24)),
        ({"segmentation": [], "bbox": [], "keypoints": [5, 7, 2, 9, 9, 1]}, Keypoints(((5, 7, 2), (9, 9, 1)))),
    ],
)  # fmt: skip
def test_the_shape_that_is_meant(annotation: dict[str, Any], shape: Any) -> None:
    assert only_region(document([annotation])).shape == shape


@pytest.mark.parametrize("box", [[[1, 1, 29, 24]], [1, 1, 29, 24], [["1", 1, "29", 24.0]], [[[1, 1], [29, 24]]]])
def test_four_numbers_that_are_the_box_are_the_box(box: Any) -> None:
    """So some converters write it. From the picture's corner, or unlike the box, they may be the ends of a line."""
    region = only_region(document([{"segmentation": box}]))
    assert (region.shape, has_outline(region)) == (Rect(1, 1, 29, 24), False)
    (annotation,) = coco.document(parsed(document([{"segmentation": box}])))["annotations"]
    assert annotation["segmentation"] == []  # four numbers there are no outline to pycocotools
    line = Polygon(((1, 1), (30, 25)))
    assert only_region(document([{"segmentation": [[1, 1, 30, 25]]}])).shape == line
    corner = {"segmentation": [[0, 0, 29, 24]], "bbox": [0, 0, 29, 24]}
    assert only_region(document([corner])).shape == Polygon(((0, 0), (29, 24)))


@pytest.mark.parametrize("size", [[30, 40], [30.0, 40.0], ["30", "40"]])
@pytest.mark.parametrize(
    "counts",
    [
        [3, 7, 1190],
        [3.0, 7.0, 1190.0],
        ["3", "7", "1190"],
        # 3 and 7 are one digit each, chr(48 + n); 1190 = 1 * 1024 + 5 * 32 + 6, the lowest first, and all digits but
        # the last with 32 for "more follows": 38, 37, 1. (From the fourth run on, differences would stand here.)
        "37VU1",
        "b'37VU1'",
        'b"37VU1"',
    ],
)
def test_run_lengths_in_any_spelling(size: list[Any], counts: Any) -> None:
    shape = only_region(document([{"segmentation": {"size": size, "counts": counts}}])).shape
    assert isinstance(shape, RLE)
    assert (shape.size, raster.area(shape, 30, 40)) == ((30, 40), 7)


def test_a_backslash_in_the_text_of_bytes_stands_there_twice() -> None:
    # A backslash is 92 = 48 + 32 + 12: 12, and more follows. 12 + 1 * 32 = 44 pixels before the 7, and after them
    # 1200 - 44 - 7 = 1149 = 1 * 1024 + 3 * 32 + 29.
    code = chr(92) + "1" + "7" + chr(48 + 32 + 29) + chr(48 + 32 + 3) + "1"
    for counts in (code, repr(code.encode())):
        shape = only_region(document([{"segmentation": {"size": [30, 40], "counts": counts}}])).shape
        assert isinstance(shape, RLE)
        assert (shape.counts, raster.area(shape, 30, 40)) == (code, 7)


def test_a_mask_in_a_list() -> None:
    code = {"size": [30, 40], "counts": [3, 7, 1190]}
    assert (
        only_region(document([{"segmentation": [code]}])).shape == only_region(document([{"segmentation": code}])).shape
    )


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        ({"segmentation": [1, 2, 3]}, 'a "segmentation" outline that is not a list of x, y'),
        ({"segmentation": [[1, 2, 3, 4, 5, 6, 7]]}, 'a "segmentation" outline that is not a list of x, y'),
        ({"segmentation": [1, 1, "x", 2, 15, 25]}, 'has "x" as "segmentation", not a number'),
        ({"segmentation": [FLAT, 3]}, 'a "segmentation" outline'),
        ({"segmentation": [], "bbox": [1, 2, 3]}, 'no outline, and a "bbox" that is not x, y, width, height'),
        ({"segmentation": [], "bbox": [1, 2, -3, 4]}, 'no outline, and a "bbox" that is not x, y, width, height'),
        ({"segmentation": [], "bbox": []}, 'neither "segmentation" nor "bbox"'),
    ],
)
def test_a_shape_that_is_none_is_refused(annotation: dict[str, Any], said: str) -> None:
    assert said in complaint(document([annotation]))


def test_a_point_comes_back_as_it_was() -> None:
    written = document([{"segmentation": [[]], "area": [], "bbox": [], "keypoints": [5, 7, 2], "num_keypoints": 1}])
    dataset = parsed(written)
    encoded = coco.encode(dataset)
    assert encoded.warnings == ()
    (annotation,) = json.loads(encoded.files["coco.json"])["annotations"]
    was = written["annotations"][0]
    for name in ("id", "image_id", "category_id", "segmentation", "keypoints", "num_keypoints", "iscrowd"):
        assert annotation[name] == was[name]
    assert (annotation["area"], annotation["bbox"]) == (0, [5, 7, 0, 0])  # what it has
    assert parsed(json.loads(encoded.files["coco.json"])).images[0].regions[0].shape == Point(5, 7)


# What only informs


NO_AREA = "the area of 1 region left out because it is no number of pixels; it is measured instead"
NO_BOX = "the box of 1 region left out because it is not x, y, width, height; it is measured instead"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"area": []}, None),
        ({"area": None}, None),
        ({"area": ""}, None),
        ({"bbox": []}, None),
        ({"bbox": None}, None),
        ({"area": "336.5", "iscrowd": "0"}, None),
        ({"iscrowd": None}, None),
        ({"iscrowd": False, "attributes": []}, None),
        ({"area": "large"}, NO_AREA),
        ({"area": -1}, NO_AREA),
        ({"area": [336.5]}, NO_AREA),
        ({"bbox": [1, 1, 29]}, NO_BOX),
        ({"bbox": [1, 1, -9, 4]}, NO_BOX),
        ({"bbox": "all"}, NO_BOX),
        ({"id": 1.5}, "the id of 1 region left out because it is neither a whole number nor a text"),
        ({"id": [1]}, "the id of 1 region left out because it is neither a whole number nor a text"),
        ({"id": {}}, "the id of 1 region left out because it is neither a whole number nor a text"),
        ({"iscrowd": "no"}, None),
        ({"iscrowd": 2}, "1 region read as no crowd because iscrowd is neither 0 nor 1 there"),
        ({"iscrowd": "maybe"}, "1 region read as no crowd because iscrowd is neither 0 nor 1 there"),
        ({"attributes": ["occluded"]}, "the attributes of 1 region left out because they are not names and values"),
    ],
)  # fmt: skip
def test_what_informs_never_blocks(change: dict[str, Any], line: str | None) -> None:
    written = document([change])
    region = only_region(written)
    assert (region.shape, region.class_name, region.iscrowd) == (TRIANGLE, "cat", False)
    assert parsed(written).warnings == ((f"labels.json: {line}",) if line else ())
    (annotation,) = coco.document(parsed(written))["annotations"]
    assert annotation["area"] > 0
    assert len(annotation["bbox"]) == 4


@pytest.mark.parametrize("key", ["info", "licenses", "type"])
@pytest.mark.parametrize("value", [None, "x", 5, [None], {"a": [{}]}, json.loads("[" * 80 + "]" * 80)])
def test_what_a_file_says_of_itself_never_blocks(key: str, value: Any) -> None:
    dataset = parsed(document(**{key: value, "contributor": "somebody"}))
    assert dataset.n_regions == 1
    assert dataset.extras["coco"]["contributor"] == "somebody"
    line = "labels.json: information about the file left out because it is nested too deep"
    assert dataset.warnings == ((line,) if str(value).startswith("[[") else ())


@pytest.mark.parametrize("value", [1, True, "1", 1.0, "true", " True ", "yes", "Y"])
def test_the_mark_of_a_crowd_in_any_spelling(value: Any) -> None:
    assert only_region(document([{"iscrowd": value}])).iscrowd


def test_regions_with_the_same_fault_are_counted_in_one_line() -> None:
    dataset = parsed(document([{"area": "x"}, {"area": "y"}, {"area": "5"}, {"iscrowd": 7}]))
    assert [line.removeprefix("labels.json: ") for line in dataset.warnings] == [
        "the area of 2 regions left out because it is no number of pixels; it is measured instead",
        "1 region read as no crowd because iscrowd is neither 0 nor 1 there",
    ]


NAMES = ["head", "tack", "clew"]


@pytest.mark.parametrize(
    ("skeleton", "edges", "said"),
    [
        ([[1, 2], [3, 1]], ((0, 1), (2, 0)), None),
        ([["1", "2"], [3.0, 1]], ((0, 1), (2, 0)), None),
        ([["head", "tack"]], ((0, 1),), None),
        ([], (), None),
        (None, (), None),
        ([[1, 2], [1, 4]], ((0, 1),), "bones of a skeleton left out because they join keypoints that there are not"),
        ([[1, 2, 3], [2, 3]], ((1, 2),), "bones of a skeleton left out"),
        ([[1, True], "x", None, [2, 3]], ((1, 2),), "bones of a skeleton left out"),
        ([[0, 1], [1, 2]], ((0, 1), (1, 2)), "the skeleton of 1 class read as counted from 0"),
        ([[0, 1], [2, 3]], ((1, 2),), "bones of a skeleton left out"),  # fits neither way
        ("1-2", (), "the bones of the skeleton of 1 class left out"),
    ],
)
def test_bones_are_only_drawn(skeleton: Any, edges: Any, said: str | None) -> None:
    categories = [{"id": 1, "name": "cat", "keypoints": NAMES, "skeleton": skeleton, "color": "#q", "supercategory": 5}]
    written = document([{"keypoints": [1, 1, 2, 2, 2, 2, 3, 3, 2]}], categories=categories)
    dataset = parsed(written)
    assert (dataset.skeletons["cat"].names, dataset.skeletons["cat"].edges) == (tuple(NAMES), edges)
    assert only_region(written).keypoints == Keypoints(((1, 1, 2), (2, 2, 2), (3, 3, 2)))
    assert len(dataset.warnings) == (said is not None)
    if said:
        assert said in dataset.warnings[0]


@pytest.mark.parametrize("names", ["head", {"head": 1}, ["head", None, "clew"], ["head", ["tack"]], [True]])
def test_names_of_keypoints_that_are_none_are_left_out(names: Any) -> None:
    written = document([{"keypoints": [1, 1, 2]}], categories=[{"id": 1, "name": "cat", "keypoints": names}])
    dataset = parsed(written)
    assert (dataset.skeletons, only_region(written).keypoints) == ({}, Keypoints(((1, 1, 2),)))
    assert "the names of the keypoints of 1 class left out" in dataset.warnings[0]
