"""VIA files: every flavour there and back, the class rule as a table, and junk in every place of a document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations import raster, read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import embedded_pictures, label_file, via
from maskrcnn.annotations.regions import Circle, Ellipse, MultiPolygon, Point, Polygon, Polyline, Rect, Region
from maskrcnn.errors import StudioError
from tests.work import calls


def region(shape: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    return {"shape_attributes": shape, "region_attributes": attributes}


def polygon(*points: tuple[float, float]) -> dict[str, Any]:
    return {"name": "polygon", "all_points_x": [x for x, _ in points], "all_points_y": [y for _, y in points]}


TRIANGLE = polygon((1, 2), (30, 4.5), (12, 25))
SHAPES = [
    region(TRIANGLE, name="cat", note="lying", tags={"wet": True, "old": True}),
    region({"name": "rect", "x": 1, "y": 2, "width": 3, "height": 4}, name="dog"),
    region({"name": "circle", "cx": 10, "cy": 11, "r": 2.5}, name="cat", age=7),
    region({"name": "ellipse", "cx": 10, "cy": 11, "rx": 5, "ry": 2, "theta": 0.5}, name="dog"),
    region({"name": "polyline", "all_points_x": [1, 5], "all_points_y": [1, 6]}, name="line"),
    region({"name": "point", "cx": 3, "cy": 4}, name=""),
]
VIA2 = {
    "whatever": {"filename": "a.jpg", "size": 1234, "regions": SHAPES, "file_attributes": {"caption": "é"}},
    "b": {"filename": "b.jpg", "size": 5, "regions": [], "file_attributes": {}},
}
CLOSED = polygon((1, 2), (30, 4.5), (12, 25), (1, 2))
VIA1 = {
    "a.jpg1234": {
        "fileref": "http://example.org/a.jpg",
        "size": 1234,
        "filename": "a.jpg",
        "base64_img_data": "",
        "file_attributes": {},
        "regions": {"0": region(CLOSED), "1": region({"name": "ellipse", "cx": 9, "cy": 9, "rx": 5, "ry": 2})},
    }
}
PROJECT = {
    "_via_settings": {
        "ui": {"image": {"region_label": "kind"}},
        "core": {"buffer_size": 18},
        "project": {"name": "pets"},
    },
    "_via_img_metadata": {
        "b.jpg5": {"filename": "b.jpg", "size": 5, "regions": [], "file_attributes": {}},
        "a.jpg9": {"filename": "a.jpg", "size": 9, "regions": [region(TRIANGLE, kind="cat")], "file_attributes": {}},
    },
    "_via_attributes": {
        "region": {"kind": {"type": "radio", "options": {"dog": "Dog", "cat": "Cat"}, "default_options": {}}},
        "file": {"caption": {"type": "text", "description": "", "default_value": ""}},
    },
    "_via_data_format_version": "2.0.10",
    "_via_image_id_list": ["a.jpg9", "b.jpg5"],
}


def test_a_list_comes_back_as_it_was() -> None:
    dataset = via.parse(VIA2, "a.json")
    assert via.document(dataset, "via2") == VIA2
    assert list(via.document(dataset, "via1")) == ["a.jpg1234", "b.jpg5"]  # keys are VIA's in another flavour


def test_a_1x_file_comes_back_as_it_was() -> None:
    dataset = via.parse(VIA1, "a.json")
    assert dataset.extras["flavour"] == "via1"
    assert dataset.images[0].regions[0].shape == Polygon(((1, 2), (30, 4.5), (12, 25)))
    assert via.document(dataset, "via1") == VIA1


def test_a_project_comes_back_as_it_was() -> None:
    dataset = via.parse(PROJECT, "a.json")
    assert [image.file_name for image in dataset.images] == ["a.jpg", "b.jpg"]  # the order of the id list
    assert dataset.classes == ("dog", "cat")  # the order of the options
    assert via.document(dataset, "via-project") == PROJECT


@pytest.mark.parametrize("flavour", via.FLAVOURS)
def test_every_flavour_says_the_same(flavour: str) -> None:
    dataset = via.parse(VIA2, "a.json")
    again = via.parse(json.loads(json.dumps(via.document(dataset, flavour))), "a.json")
    assert again.classes == dataset.classes
    for before, after in zip(dataset.images, again.images, strict=True):
        assert (after.file_name, after.file_size, after.attributes) == (
            before.file_name,
            before.file_size,
            before.attributes,
        )
        assert [(r.shape, r.class_name, r.attributes) for r in after.regions] == [
            (r.shape, r.class_name, r.attributes) for r in before.regions
        ]


def test_shapes_classes_and_other_attributes() -> None:
    regions = via.parse(VIA2, "a.json").images[0].regions
    assert [r.shape for r in regions] == [
        Polygon(((1, 2), (30, 4.5), (12, 25))),
        Rect(1, 2, 3, 4),
        Circle(10, 11, 2.5),
        Ellipse(10, 11, 5, 2, 0.5),
        Polyline(((1, 1), (5, 6))),
        Point(3, 4),
    ]
    assert [r.class_name for r in regions] == ["cat", "dog", "cat", "dog", "line", None]
    assert regions[0].attributes == {"note": "lying", "tags": {"wet": True, "old": True}}
    assert regions[5].attributes == {"name": ""}


def test_a_project_written_from_nothing_has_what_via_opens() -> None:
    drawn = Region(Rect(0, 0, 2, 2), "cat")
    document = via.document(Dataset((ImageRecord("a.jpg", (drawn,)),), ("cat", "dog")), "via-project")
    assert set(document) == {
        "_via_settings",
        "_via_img_metadata",
        "_via_attributes",
        "_via_data_format_version",
        "_via_image_id_list",
    }
    assert set(document["_via_settings"]) == {"ui", "core", "project"}
    assert document["_via_image_id_list"] == ["a.jpg-1"] == list(document["_via_img_metadata"])
    assert document["_via_attributes"]["region"]["class"]["options"] == {"cat": "cat", "dog": "dog"}
    assert document["_via_img_metadata"]["a.jpg-1"]["regions"][0]["region_attributes"] == {"class": "cat"}


def test_a_new_class_becomes_an_option_and_the_others_stay() -> None:
    dataset = via.parse(PROJECT, "a.json")
    horse = ImageRecord("c.jpg", (Region(Rect(0, 0, 1, 1), "horse"),))
    document = via.document(
        Dataset((*dataset.images, horse), dataset.classes, "kind", None, dataset.extras), "via-project"
    )
    assert document["_via_attributes"]["region"]["kind"]["options"] == {"dog": "Dog", "cat": "Cat", "horse": "horse"}


def test_unknown_size_is_taken_from_the_picture(picture) -> None:
    path = picture("a.jpg")
    document = via.document(Dataset((ImageRecord("a.jpg", path=path, file_size=-1),)), "via2")
    assert document == {
        f"a.jpg{path.stat().st_size}": {
            "filename": "a.jpg",
            "size": path.stat().st_size,
            "regions": [],
            "file_attributes": {},
        }
    }


def test_pictures_of_one_name_and_size_keep_apart() -> None:
    document = via.document(
        Dataset((ImageRecord("a.jpg", file_size=5), ImageRecord("a.jpg", file_size=5))), "via-project"
    )
    assert len(document["_via_img_metadata"]) == 2
    assert document["_via_image_id_list"] == list(document["_via_img_metadata"])


def test_parts_and_holes_become_one_outline_with_the_same_mask() -> None:
    square, hole = ((0, 0), (9, 0), (9, 9), (0, 9)), ((3, 3), (6, 3), (6, 6), (3, 6))
    far = ((12, 2), (18, 2), (18, 8), (12, 8))
    shape = MultiPolygon(((square, hole), (far,)))
    dataset = Dataset((ImageRecord("a.jpg", (Region(shape, "ring"),)),), ("ring",))
    (again,) = via.parse(via.document(dataset, "via2"), "a.json").images[0].regions
    assert isinstance(again.shape, Polygon)
    assert (raster.mask(again.shape, 20, 20) == raster.mask(shape, 20, 20)).all()
    assert via.encode(dataset, "via2").warnings == (
        "the dataset: 1 region in several parts, with holes or drawn as masks became one outline each, as VIA has no "
        "other",
    )


@pytest.mark.parametrize("values", [[{"cat": True}, {"dog": True}, {"cat": True}], [3, 3, 4], ["a", "a", "b"]])
def test_classes_go_back_in_the_form_they_had(values: list[Any]) -> None:
    document = {"a": {"filename": "a", "size": 1, "regions": [region(TRIANGLE, kind=v, type=v) for v in values]}}
    dataset = via.parse(document, "a.json")
    assert dataset.class_attribute == "type"
    written = via.document(dataset, "via2")["a"]["regions"]
    assert written == document["a"]["regions"]


def test_no_attribute_at_all_means_one_class() -> None:
    dataset = via.parse(
        {"a": {"filename": "a.jpg", "size": 1, "regions": [region(TRIANGLE), region(TRIANGLE)]}}, "a.json"
    )
    assert (dataset.class_attribute, dataset.classes) == (None, ("object",))
    assert {r.class_name for r in dataset.images[0].regions} == {"object"}
    assert via.document(dataset, "via2")["a"]["regions"][0]["region_attributes"] == {}


def test_attributes_that_name_no_class_leave_regions_without() -> None:
    dataset = via.parse({"a": {"filename": "a.jpg", "regions": [region(TRIANGLE, track=1)]}}, "a.json")
    assert (dataset.class_attribute, dataset.classes) == (None, ())
    assert dataset.images[0].regions[0].class_name is None


@pytest.mark.parametrize("document", [VIA1, VIA2, PROJECT], ids=["via1", "via2", "project"])
@pytest.mark.parametrize("flavour", via.FLAVOURS)
def test_junk_anywhere_is_read_or_refused_in_one_line(document: dict[str, Any], flavour: str, refusals) -> None:
    assert (
        refusals(
            document, lambda damaged: via.document(label_file.dataset_of_document(damaged, "labels.json"), flavour)
        )
        > 50
    )


@pytest.mark.parametrize(
    ("drawn", "complaint"),
    [
        (
            {"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 2]},
            '3 "all_points_x" but 2 "all_points_y"',
        ),
        ({"name": "polygon", "all_points_x": [], "all_points_y": []}, "no vertex"),
        (
            {"name": "polygon", "all_points_x": [1, "2", 3], "all_points_y": [1, 2, 3]},
            '"2" as "all_points_x", not a number',
        ),
        ({"name": "rect", "x": 1, "y": 1, "width": -4, "height": 3}, 'negative "width"'),
        ({"name": "circle", "cx": 1, "cy": 1}, 'has no "r"'),
        ({"name": "circle", "cx": 1e9, "cy": 1, "r": 2}, "no place in a picture"),
        ({"name": "blob"}, 'the shape "blob"; VIA\'s shapes are'),
    ],
)
def test_a_wrong_shape_is_named_by_picture_and_region(drawn: dict[str, Any], complaint: str) -> None:
    document = {"a": {"filename": "a.jpg", "size": 1, "regions": [region(TRIANGLE), region(drawn)]}}
    with pytest.raises(StudioError, match=r'labels\.json: region 2 of "a\.jpg" has ') as caught:
        via.parse(document, "labels.json")
    assert complaint in str(caught.value)


def test_classes_of_real_files(real_data: Path) -> None:
    multiclass = read(real_data / "car_damage/train/train_multiclass.json")
    assert multiclass.classes == ("door", "front_bumper", "headlamp", "hood", "rear_bumper")
    assert multiclass.n_regions == 191
    demo = read(real_data / "via_official/v2_basic_demo/via_region_data.json")
    assert demo.class_attribute == "type"
    balloons = read(real_data / "balloon/train")
    assert (balloons.class_attribute, balloons.classes, balloons.n_regions) == (None, ("object",), 255)


def embedding(written: Any) -> ImageRecord:
    entry = {"filename": "a.jpg", "size": 1, "regions": {}, "file_attributes": {}, "base64_img_data": written}
    return via.parse({"a": entry}, "labels.json").images[0]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", None),
        (None, None),
        ("AAEC", b"\x00\x01\x02"),
        ("data:image/png;base64,AAEC", b"\x00\x01\x02"),
        ("data:;base64,AAE=", b"\x00\x01"),
    ],
)
def test_an_embedded_picture_is_at_hand(written: Any, expected: bytes | None) -> None:
    assert embedded_pictures.picture_in_via_file(embedding(written)) == expected


def test_without_the_field_there_is_no_embedded_picture() -> None:
    assert embedded_pictures.picture_in_via_file(ImageRecord("a.jpg")) is None


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("not base64!", "is not base64"),
        ("AAE", "is not base64"),
        ("AAEC\n", "is not base64"),
        ("data:image/png,AAEC", "is not base64"),
        ("data:image/png;base64", "is not base64"),
        ("http://example.org/a.png", "is not base64"),
        ("é", "is not base64"),
        (["AAEC"], "is not text"),
        (7, "is not text"),
    ],
)
def test_what_is_no_embedded_picture_is_refused(written: Any, complaint: str) -> None:
    with pytest.raises(StudioError, match=f'^"a.jpg": the picture inside the label file {complaint}; '):
        embedded_pictures.picture_in_via_file(embedding(written))


def test_an_embedded_picture_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_pictures, "LARGEST_EMBEDDED", 2**20)
    assert embedded_pictures.picture_in_via_file(embedding("A" * 2**20)) is not None
    with pytest.raises(StudioError, match="is over 1 MB; "):
        embedded_pictures.picture_in_via_file(embedding("A" * (2**21)))


@pytest.mark.parametrize("values", [[1, float("nan")], [float("nan"), 1], [1, float("inf")], [1, 1e308], [1, 10**400]])
@pytest.mark.parametrize("more", [[], [1e308, -1e308], [2, 3.5]])
def test_no_bad_number_hides_in_a_list(values: list[Any], more: list[Any]) -> None:
    for order in ([*values, *more], [*more, *values]):
        drawn = {"name": "polygon", "all_points_x": order, "all_points_y": [1] * len(order)}
        with pytest.raises(StudioError, match="which is no place in a picture"):
            via.parse({"a": {"filename": "a.jpg", "regions": [region(drawn)]}}, "labels.json")


@pytest.mark.parametrize("bad", [True, None, "1", [1], {}])
def test_only_numbers_are_coordinates(bad: Any) -> None:
    drawn = {"name": "polygon", "all_points_x": [1, 2.5, bad], "all_points_y": [1, 2, 3]}
    with pytest.raises(StudioError, match='as "all_points_x", not a number'):
        via.parse({"a": {"filename": "a.jpg", "regions": [region(drawn)]}}, "labels.json")


LONG = "long name\n" * 10_000


@pytest.mark.parametrize(
    "document",
    [
        {LONG: {"filename": 3}, "b": {"filename": "b"}},
        {"a": {"filename": LONG, "regions": [region({"name": "blob"})]}},
        {"a": {"filename": LONG, "regions": [region({"name": LONG})]}},
        {"a": {"filename": LONG, "regions": LONG}},
        {"a": {"filename": "a.jpg", "regions": [region(TRIANGLE, **{"name": "\ud800" + LONG})]}},
        {"a": {"filename": "a.jpg", "regions": [region(TRIANGLE, **{"x": json.loads("[" * 200 + "]" * 200)})]}},
        {"a": {"filename": "a.jpg", "x": json.loads("[" * 200 + "]" * 200)}},
        {"a": {"filename": "a.jpg", "file_attributes": {"x": json.loads("[" * 200 + "]" * 200)}}},
        {
            "_via_img_metadata": {},
            "_via_attributes": {"region": {"kind": {"type": "radio", "options": {"\ud800" + LONG: ""}}}},
        },
    ],
)
def test_complaints_about_hostile_files_are_one_short_line(document: dict[str, Any]) -> None:
    with pytest.raises(StudioError) as caught:
        via.parse(document, "labels.json")
    assert str(caught.value).startswith("labels.json: ")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("flavour", via.FLAVOURS)
def test_many_pictures_of_one_name_take_no_longer(flavour: str) -> None:
    """Each name is not tried again from the first number on."""
    some, many = (Dataset(tuple(ImageRecord("a.jpg", file_size=1) for _ in range(count))) for count in (200, 2000))
    written = via.document(many, flavour)
    assert len(written["_via_img_metadata"] if flavour == "via-project" else written) == 2000
    assert calls(lambda: via.document(many, flavour)) < 12 * calls(lambda: via.document(some, flavour))


def test_splits_that_go_are_named() -> None:
    dataset = Dataset((ImageRecord("a.jpg", split="train"), ImageRecord("b.jpg", split="val")))
    (warning,) = via.encode(dataset, "via-project").warnings
    assert warning == (
        "the dataset: which pictures are for training and which for validation is not said, as VIA 2.x projects cannot"
    )


@pytest.mark.parametrize("value", [None, [], {}, "x", 5, [None], {"region": None}, json.loads("[" * 80 + "]" * 80)])
@pytest.mark.parametrize(
    "part", ["_via_settings", "_via_attributes", "_via_data_format_version", "_via_image_id_list", "further"]
)
def test_what_a_project_says_of_itself_never_blocks(part: str, value: Any) -> None:
    drawn = {"shape_attributes": {"name": "point", "cx": 1, "cy": 2}, "region_attributes": {"name": "cat"}}
    images = {"a.jpg5": {"filename": "a.jpg", "size": 5, "regions": [drawn], "file_attributes": {}}}
    dataset = via.parse({"_via_img_metadata": images, part: value}, "a.json")
    assert [region.class_name for region in dataset.images[0].regions] == ["cat"]
    is_deep = str(value).startswith("[[")
    assert dataset.warnings == ((f'a.json: "{part}" left out because it is nested too deep',) if is_deep else ())
    assert via.document(dataset, "via-project")[via.IMAGES] == images
