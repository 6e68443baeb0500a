"""A VIA file that is read and written in its own flavour says the same: real files, awkward ones, and any at all."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from maskrcnn.annotations import read
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import label_file, via, writing
from maskrcnn.annotations.regions import Keypoints, Rect, Region, Skeleton
from maskrcnn.annotations.store import region_json
from maskrcnn.errors import StudioError
from tests.sweeps import examples

REAL: tuple[tuple[str, str], ...] = (
    ("balloon/train/via_region_data.json", "via1"),
    ("balloon/val/via_region_data.json", "via1"),
    ("car_damage/train/car-damage-train.json", "via-project"),
    ("car_damage/train/train_multiclass.json", "via2"),
    ("car_damage/train/via_region_data.json", "via2"),
    ("car_damage/val/car-damage-val.json", "via-project"),
    ("car_damage/val/val_multiclass.json", "via2"),
    ("car_damage/val/via_region_data.json", "via2"),
    ("via_official/v1_unit/unit_test_annotation2.json", "via1"),
    ("via_official/v2_basic_demo/via_region_data.json", "via2"),
    ("via_official/v2_face_demo/sherlock_ep01_tracks_FRCNN.json", "via2"),
    ("via_official/v2_face_demo/via_region_data.json", "via2"),
)
DEFINITIONS = (
    "car_damage/train/car-damage-train_attributes.json",
    "car_damage/val/car-damage-val_attributes.json",
    "via_official/v2_basic_demo/attributes.json",
)


def there_and_back(document: Any, flavour: str) -> Any:
    """A document as it is read from a file, kept by the store, and written again."""
    dataset = label_file.dataset_of_document(json.loads(json.dumps(document)), "labels.json")
    assert dataset.extras["flavour"] == flavour
    kept = [region_json.loads(region_json.dumps(record.regions)) for record in dataset.images]
    for record, regions in zip(dataset.images, kept, strict=True):
        assert regions == record.regions  # so the extras are plain JSON values
        assert json.loads(json.dumps(dict(record.extras))) == record.extras
    assert json.loads(json.dumps(dict(dataset.extras))) == dataset.extras
    (content,) = via.encode(dataset, flavour).files.values()
    assert json.loads(content) == json.loads(json.dumps(via.document(dataset, flavour)))
    return json.loads(content)


@pytest.mark.parametrize(("file", "flavour"), REAL)
def test_real_files_come_back_as_they_were(real_data: Path, tmp_path: Path, file: str, flavour: str) -> None:
    dataset = read(real_data / file)
    assert dataset.extras["flavour"] == flavour
    assert writing.write(dataset, tmp_path / "again.json", flavour) == []
    assert json.loads((tmp_path / "again.json").read_text()) == json.loads((real_data / file).read_text("utf-8"))


def test_every_real_file_is_in_the_table(real_data: Path) -> None:
    found = {
        path.relative_to(real_data).as_posix()
        for folder in ("via_official", "balloon", "car_damage")
        for path in (real_data / folder).rglob("*.json")
    }
    assert found == {file for file, _ in REAL} | set(DEFINITIONS)


@pytest.mark.parametrize("file", DEFINITIONS)
def test_definitions_alone_are_called_what_they_are(real_data: Path, file: str) -> None:
    with pytest.raises(StudioError, match=r"this holds VIA's definitions of attributes, no pictures and no regions; "):
        read(real_data / file)


# Awkward documents


def polygon(*points: tuple[float, float], **further: Any) -> dict[str, Any]:
    return {
        "name": "polygon",
        "all_points_x": [p[0] for p in points],
        "all_points_y": [p[1] for p in points],
        **further,
    }


TRIANGLE = ((1, 2), (30, 4.5), (12, 25))


def image(regions: Any, **further: Any) -> dict[str, Any]:
    return {"filename": "a.jpg", "size": 5, "regions": regions, "file_attributes": {}, **further}


def region(shape: Any = None, **attributes: Any) -> dict[str, Any]:
    return {"shape_attributes": shape or polygon(*TRIANGLE), "region_attributes": attributes}


def one_x(regions: Any, **further: Any) -> dict[str, Any]:
    return image(regions, fileref="", base64_img_data="", **further)


def project(images: dict[str, Any], **parts: Any) -> dict[str, Any]:
    return {
        "_via_settings": {"ui": {}, "core": {}, "project": {"name": "p"}},
        "_via_img_metadata": images,
        "_via_attributes": {"region": {}, "file": {}},
        "_via_data_format_version": "2.0.10",
        "_via_image_id_list": list(images),
        **parts,
    }


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


ODD_SIZES: tuple[Any, ...] = ("five", {}, [5], True, "9" * 400, 1e300)
ELLIPSE = {"name": "ellipse", "cx": 9, "cy": 8, "rx": 5, "ry": 2}
CHOICE = {"type": "radio", "description": "", "options": {"cat": "Cat"}, "default_options": {}}
TWO = {"a.jpg5": image([]), "b": image([region()], filename="b.jpg")}

AWKWARD: dict[str, tuple[str, dict[str, Any]]] = {
    "1.x closed and not": ("via1", {"a.jpg5": one_x({"0": region(polygon(*TRIANGLE, TRIANGLE[0])), "1": region()})}),
    "1.x closed twice": ("via1", {"a.jpg5": one_x({"0": region(polygon(*TRIANGLE, TRIANGLE[0], TRIANGLE[0]))})}),
    "1.x one vertex": ("via1", {"a.jpg5": one_x({"0": region(polygon((1, 1))), "1": region(polygon((1, 1), (1, 1)))})}),
    "1.x numbers": ("via1", {"a.jpg5": one_x({"3": region(), "0": region(ELLIPSE), "x": region(), "2": region()})}),
    "1.x theta": ("via1", {"a.jpg5": one_x({"0": region({**ELLIPSE, "theta": 0}), "1": region(ELLIPSE)})}),
    "1.x turned": ("via1", {"a.jpg5": one_x({"0": region({**ELLIPSE, "theta": 0.3})})}),
    "1.x no fileref": ("via1", {"a.jpg5": image({"0": region(ELLIPSE)})}),
    "1.x embedded": (
        "via1",
        {"a.jpg5": one_x({}) | {"base64_img_data": "data:image/png;base64,AAAA", "fileref": None}},
    ),
    "1.x as a list": ("via1", {"a.jpg5": one_x([region(ELLIPSE)]), "b": one_x({}, filename="b.jpg")}),
    "2.x closed": ("via2", {"a.jpg5": image([region(polygon(*TRIANGLE, TRIANGLE[0])), region()])}),
    "2.x theta": ("via2", {"a.jpg5": image([region({**ELLIPSE, "theta": 0}), region(ELLIPSE)])}),
    "2.x empty fileref": ("via2", {"a.jpg5": image([region()], fileref="")}),
    "size as text": ("via2", {"a.jpg5": image([], size="5"), "b": image([], size=" 7 "), "c": image([], size="")}),
    "size odd": ("via2", {"a.jpg5": image([], size=5.0), "b": image([], size=-1), "c": image([], size=None)}),
    "size that is none": (
        "via2",
        {key: image([region()], size=size) for key, size in zip("abcdef", ODD_SIZES, strict=True)},
    ),
    "nothing in other words": (
        "via2",
        {
            "a": image(None),
            "b": image(""),
            "c": image([region()], file_attributes=None),
            "d": image(
                [{**region(), "region_attributes": nothing} for nothing in (None, [], "", {})], file_attributes=[]
            ),
        },
    ),
    "nothing in 1.x": ("via1", {"a": one_x([]), "b": one_x(None), "c": one_x({"0": region()}, file_attributes="")}),
    "settings that are none": ("via-project", project(TWO, _via_settings=None)),
    "settings in a list": ("via-project", project(TWO, _via_settings=[{"ui": {}}])),
    "definitions that are none": ("via-project", project({"k": image([region(kind="cat")])}, _via_attributes=[])),
    "definitions of another kind": (
        "via-project",
        project({"k": image([region(kind="cat")])}, _via_attributes={"region": ["kind"], "file": {}}),
    ),
    "a definition that is none": (
        "via-project",
        project({"k": image([region(kind="cat")])}, _via_attributes={"region": {"kind": None, "x": 3}, "file": {}}),
    ),
    "no size": ("via2", {"a.jpg-1": without(image([]), "size"), "a.jpg": without(image([]), "size")}),
    "no parts": ("via2", {"a.jpg5": without(image([]), "regions", "file_attributes")}),
    "no attributes": ("via2", {"a.jpg5": image([{"shape_attributes": polygon(*TRIANGLE)}, region()])}),
    "other keys": ("via2", {"": image([]), "a.jpg5": image([region()]), "é": image([], size=9)}),
    "keys swapped": ("via2", {"b.jpg5": image([]), "a.jpg5": image([], filename="b.jpg")}),
    "one name twice": ("via2", {"x": image([region(note="1")], made="x"), "y": image([region(note="2")], made="y")}),
    "key of the other": ("via2", {"k": image([]), "a.jpg5": image([], filename="c.jpg")}),
    "further fields": (
        "via2",
        {"a.jpg5": image([region(polygon(*TRIANGLE, z=[1, {"a": None}])) | {"timestamp": 3}], camera={"iso": 100})},
    ),
    "class values": (
        "via2",
        {
            "a.jpg5": image(
                [region(type=v) for v in (3, "3", 3, 3.5, "", None, True, {"3": True}, {"a": True, "b": True})]
            )
        },
    ),
    "checkbox forms": (
        "via2",
        {"a.jpg5": image([region(type=v) for v in ({"a": True, "b": False}, {"a": True}, {"a": True}, "a", {}, [])])},
    ),
    "crowds": ("via2", {"a.jpg5": image([region(iscrowd=v, name="x") for v in (0, 1, "1", "0", True, [], {})])}),
    "nobody's keypoints": (
        "via2",
        {
            "a.jpg5": image(
                [
                    region(keypoints=v)
                    for v in ("[[1,2,2]]", "[[1, 2, 2]]", "[[1, 2, 3]]", "[", "", [[1, 2, 2]], 7, "[]", "[NaN]")
                ]
            )
        },
    ),
    "ours by others": (
        "via2",
        {
            "a.jpg5": image(
                [region(maskrcnn_score=v, maskrcnn_source=v) for v in ("model", 0.5, "0.5", True, None, 1e300)]
            )
        },
    ),
    "script and SQL": (
        "via2",
        {
            "<script>alert(1)</script>": image(
                [region(name="'); DROP TABLE region; --"), region(name="<script>alert(1)</script>")],
                filename='"; DROP TABLE image; --.jpg',
                file_attributes={"<b>": "<img src=x onerror=alert(1)>"},
            )
        },
    ),
    "project": ("via-project", project(TWO)),
    "project without a version": ("via-project", without(project(TWO), "_via_data_format_version")),
    "project without a list": ("via-project", without(project(TWO), "_via_image_id_list")),
    "project of pictures": ("via-project", {"_via_img_metadata": TWO}),
    "project of nothing": ("via-project", project({})),
    "another version": ("via-project", project(TWO, _via_data_format_version="2.0.8")),
    "another order": ("via-project", project(TWO, _via_image_id_list=["b", "a.jpg5"])),
    "half a list": ("via-project", project(TWO, _via_image_id_list=["b"])),
    "a list of others": ("via-project", project(TWO, _via_image_id_list=["b", "gone", "b", 3, None, [1], "a.jpg5"])),
    "no list at all": ("via-project", project(TWO, _via_image_id_list={"a.jpg5": 1})),
    "empty settings": ("via-project", project(TWO, _via_settings={})),
    "no definitions": ("via-project", project({"k": image([region(name="cat")])}, _via_attributes={})),
    "half the definitions": ("via-project", project(TWO, _via_attributes={"file": {"caption": {"type": "text"}}})),
    "further parts": ("via-project", project(TWO, _via_something={"a": [1]}, other=None)),
    "classes beside the options": (
        "via-project",
        project(
            {"k": image([region(kind=v) for v in ("dog", "cat", "dog")])},
            _via_attributes={"region": {"kind": CHOICE}, "file": {}},
        ),
    ),
    "1.x in a project": (
        "via-project",
        project({"k": one_x({"1": region(polygon(*TRIANGLE, TRIANGLE[0])), "0": region()})}),
    ),
}


@pytest.mark.parametrize(("flavour", "document"), AWKWARD.values(), ids=AWKWARD)
def test_awkward_files_come_back_as_they_were(flavour: str, document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    assert there_and_back(document, flavour) == before


@pytest.mark.parametrize("flavour", via.FLAVOURS)
@pytest.mark.parametrize("document", [document for _, document in AWKWARD.values()], ids=AWKWARD)
def test_another_flavour_is_a_proper_file_of_it(document: dict[str, Any], flavour: str) -> None:
    dataset = label_file.dataset_of_document(json.loads(json.dumps(document)), "labels.json")
    if dataset.extras["flavour"] == flavour or not dataset.images:
        return
    written = json.loads(json.dumps(via.document(dataset, flavour)))
    images = written
    if flavour == "via-project":
        assert {*written} >= {"_via_settings", "_via_attributes", "_via_data_format_version", "_via_image_id_list"}
        assert {*written["_via_attributes"]} >= {"region", "file"}
        images = written["_via_img_metadata"]
        assert written["_via_image_id_list"] == list(images)
    assert len(images) == len(dataset.images)
    for key, entry in images.items():
        assert key.startswith(entry["filename"] + str(entry["size"]))
        assert type(entry["size"]) is int
        assert {"filename", "size", "regions", "file_attributes"} <= entry.keys()
        if flavour == "via1":
            assert {"fileref", "base64_img_data"} <= entry.keys()
            assert list(entry["regions"]) == [str(number) for number in range(len(entry["regions"]))]
            drawn = list(entry["regions"].values())
        else:
            drawn = entry["regions"]
        for one in drawn:
            assert {"shape_attributes", "region_attributes"} <= one.keys()
            shape = one["shape_attributes"]
            assert shape["name"] != "ellipse" or flavour == "via1" or "theta" in shape
    named = any(r.class_name for record in dataset.images for r in record.regions)
    again = label_file.dataset_of_document(written, "labels.json", dataset.class_attribute if named else None)
    assert [[r.shape for r in record.regions] for record in again.images] == [
        [r.shape for r in record.regions] for record in dataset.images
    ]
    assert [[r.attributes for r in record.regions] for record in again.images] == [
        [r.attributes for r in record.regions] for record in dataset.images
    ]


def test_an_edited_region_is_written_as_its_flavour_has_it() -> None:
    document = {"a.jpg5": one_x({"7": region(polygon(*TRIANGLE, z=1)), "1": region(ELLIPSE)})}
    dataset = via.parse(document, "labels.json")
    (record,) = dataset.images
    moved = record.regions[0].with_shape(Rect(0, 0, 2, 2))
    edited = Dataset((ImageRecord("a.jpg", (moved, *record.regions[1:]), file_size=5, extras=record.extras),))
    assert via.document(edited, "via1")["a.jpg5"]["regions"] == {
        "0": region({"name": "rect", "x": 0, "y": 0, "width": 2, "height": 2}),
        "1": region(ELLIPSE),
    }


def test_a_new_region_takes_no_number_of_another() -> None:
    rect = {"name": "rect", "x": 0, "y": 0, "width": 2, "height": 2}
    dataset = via.parse({"a.jpg5": one_x({"1": region(polygon(*TRIANGLE)), "0": region(ELLIPSE)})}, "labels.json")
    (record,) = dataset.images
    moved = record.regions[0].with_shape(Rect(0, 0, 2, 2))
    edited = Dataset((ImageRecord("a.jpg", (moved, record.regions[1]), file_size=5, extras=record.extras),))
    assert via.document(edited, "via1")["a.jpg5"]["regions"] == {"2": region(rect), "0": region(ELLIPSE)}


def test_pictures_that_go_and_come_are_followed_by_the_list_of_a_project() -> None:
    images = {key: image([], filename=f"{key}.jpg") for key in ("k", "l", "m", "n")}
    dataset = via.parse(project(images, _via_image_id_list=["gone", "l", "k", "m"]), "labels.json")
    assert [record.file_name for record in dataset.images] == ["l.jpg", "k.jpg", "m.jpg", "n.jpg"]
    kept = (*dataset.images[1:], ImageRecord("new.jpg", file_size=3))
    written = via.document(Dataset(kept, extras=dataset.extras), "via-project")
    assert written["_via_image_id_list"] == ["gone", "k", "m", "new.jpg3"]
    assert list(written["_via_img_metadata"]) == ["k", "m", "n", "new.jpg3"]


def test_a_size_that_was_found_out_wins_over_an_unknown_one(picture: Any) -> None:
    document = {"k": image([], size=-1), "l": without(image([], filename="b.jpg"), "size"), "m": image([], size="7")}
    records = via.parse(document, "labels.json").images
    known = Dataset(tuple(ImageRecord(r.file_name, file_size=9, extras=r.extras) for r in records))
    assert [entry["size"] for entry in via.document(known, "via2").values()] == [9, 9, 9]
    path = picture("a.jpg")  # found beside the file: that alone is no change of what the file said
    found = Dataset(tuple(ImageRecord(r.file_name, path=path, file_size=r.file_size, extras=r.extras) for r in records))
    assert via.document(found, "via2") == document
    assert via.document(found, "via1")[f"a.jpg{path.stat().st_size}"]["size"] == path.stat().st_size


# Any document


texts = st.text(st.characters(codec="utf-8"), max_size=4)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-9, 9) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2), max_leaves=4
)
coordinates = st.integers(-9, 60) | st.floats(-9, 60)
sizes = st.floats(0, 9) | st.integers(0, 9)
classes = st.sampled_from(["cat", "dog", "", " ", 3, 3.0, 1, "3"]) | st.dictionaries(
    st.sampled_from("ab"), st.booleans(), max_size=2
)
names = st.sampled_from(["class", "name", "kind", "iscrowd", "keypoints", "maskrcnn_score", "maskrcnn_source", "note"])
attributes = st.dictionaries(
    names, classes | values | st.sampled_from(["model", "[[1, 2, 2]]", "[[1,2,2]]"]), max_size=3
)
fields = st.dictionaries(texts.map("x".__add__), values, max_size=1)


def optional(**parts: Any) -> Any:
    return st.fixed_dictionaries({}, optional=parts)


@st.composite
def vertices(draw: st.DrawFn) -> dict[str, Any]:
    points = draw(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=4))
    closed = [*points, points[0]] if draw(st.booleans()) else points
    return polygon(*closed, name=draw(st.sampled_from(["polygon", "polyline"])))


def shape_of(name: str, **parts: Any) -> Any:
    return st.fixed_dictionaries({"name": st.just(name), **parts}, optional={"theta": coordinates})


centre = {"cx": coordinates, "cy": coordinates}
shapes = st.one_of(
    vertices(),
    shape_of("rect", x=coordinates, y=coordinates, width=sizes, height=sizes),
    shape_of("circle", **centre, r=sizes),
    shape_of("ellipse", **centre, rx=sizes, ry=sizes),
    shape_of("point", **centre),
)
nothing = st.sampled_from([None, "", []])
regions = st.builds(
    lambda shape, further, rest, unknown: {**unknown, "shape_attributes": {**further, **shape}, **rest},
    shapes, fields, optional(region_attributes=attributes | nothing), fields,
)  # fmt: skip
lists = st.lists(regions, max_size=3)
groups = st.dictionaries(st.sampled_from(["0", "1", "2", "5", "x"]), regions, max_size=3)
images = st.builds(
    lambda name, rest, unknown: {**unknown, "filename": name, **rest},
    st.sampled_from(["a.jpg", "b.jpg", "é/c.png"]),
    optional(
        size=st.sampled_from([5, "5", -1, None, "", 6.0, "five", {}]),
        regions=lists | nothing,
        file_attributes=st.dictionaries(texts, values, max_size=2) | nothing,
        fileref=st.sampled_from(["", "http://x"]),
    ),
    fields,
)
keys = st.sampled_from(["a.jpg5", "b.jpg5", "a.jpg-1", "k", "é/c.png-1"])
lists_of_images = st.dictionaries(keys, images, min_size=1, max_size=3)
definitions = st.dictionaries(
    names, st.fixed_dictionaries({"type": st.sampled_from(["text", "dropdown", "radio", "checkbox", "image"])},
    optional={"options": st.dictionaries(st.sampled_from(["cat", "dog", "a"]), texts, max_size=2)}), max_size=2,
)  # fmt: skip
projects = st.builds(
    lambda metadata, rest, unknown: {**unknown, "_via_img_metadata": metadata, **rest},
    lists_of_images | st.just({}),
    optional(
        _via_settings=st.dictionaries(texts, values, max_size=1) | nothing,
        _via_attributes=optional(region=definitions | nothing, file=definitions) | nothing,
        _via_data_format_version=st.sampled_from(["2.0.10", "2.0.9", 2]),
        _via_image_id_list=st.lists(keys, max_size=4),
    ),
    fields,
)


def as_one_x(entries: dict[str, Any], grouped: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        key: {"base64_img_data": "", **entry, "regions": group}
        for (key, entry), group in zip(entries.items(), grouped, strict=False)
    }


one_x_files = st.builds(as_one_x, lists_of_images, st.lists(groups, min_size=3, max_size=3))
ANY = settings(max_examples=examples(70), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@ANY
@given(lists_of_images)
def test_any_list_comes_back(document: dict[str, Any]) -> None:
    assert there_and_back(document, "via2") == document


@ANY
@given(one_x_files)
def test_any_1x_file_comes_back(document: dict[str, Any]) -> None:
    assert there_and_back(document, "via1") == document


@ANY
@example({"_via_img_metadata": {}, "_via_attributes": {"region": {"iscrowd": CHOICE, "class": {"type": "text"}}}})
@given(projects)
def test_any_project_comes_back(document: dict[str, Any]) -> None:
    assert there_and_back(document, "via-project") == document


# What VIA has no place for


places = st.tuples(coordinates, coordinates, st.sampled_from([0, 1, 2]))
keypoints = st.builds(Keypoints, st.lists(places, max_size=4).map(tuple))
drawn = st.builds(
    Region,
    st.builds(Rect, coordinates, coordinates, sizes, sizes) | keypoints,
    st.sampled_from([None, "cat", "dog"]),
    st.dictionaries(st.sampled_from(["note", "name"]), texts, max_size=1),
    st.booleans(),
    st.sampled_from(["human", "model"]),
    st.none() | st.floats(0, 1),
    st.none() | keypoints,
)


@ANY
@given(st.lists(drawn, max_size=4), st.sampled_from(via.FLAVOURS))
def test_keypoints_crowds_and_scores_come_back(regions: list[Region], flavour: str) -> None:
    dataset = Dataset((ImageRecord("a.jpg", tuple(regions)),), class_attribute="what")
    class_attribute = "what" if any(region.class_name for region in regions) else None
    written = json.loads(json.dumps(via.document(dataset, flavour)))
    (record,) = via.parse(written, "labels.json", class_attribute).images
    for before, after in zip(regions, record.regions, strict=True):
        assert after.shape == before.shape
        if not isinstance(before.shape, Keypoints):
            assert after.keypoints == before.keypoints
        assert (after.iscrowd, after.source, after.score) == (before.iscrowd, before.source, before.score)


def test_skeletons_come_back_from_a_project_and_are_missed_elsewhere() -> None:
    skeleton = Skeleton(("nose", "tail"), ((0, 1),))
    drawn = Region(Rect(0, 0, 9, 9), "cat", keypoints=Keypoints(((1, 1, 2), (2, 2, 1))))
    dataset = Dataset((ImageRecord("a.jpg", (drawn,)),), ("cat",), skeletons={"cat": skeleton})
    assert via.encode(dataset, "via-project").warnings == ()
    assert via.parse(via.document(dataset, "via-project"), "labels.json").skeletons == {"cat": skeleton}
    assert via.encode(dataset, "via2").warnings == (
        "the dataset: 1 class lost the names of their keypoints because VIA 2.x has none",
    )
