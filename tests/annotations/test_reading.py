"""Reading by content, finding pictures, and what every kind of bad input gets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations import read, write
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.regions import Point, Rect, Region
from maskrcnn.annotations.trainable_check import require_trainable
from maskrcnn.errors import ArgumentError, StudioError

SQUARE = {"name": "rect", "x": 2, "y": 3, "width": 10, "height": 8}


def via_file(*names: str, shape: dict[str, Any] = SQUARE, **attributes: Any) -> dict[str, Any]:
    regions = [{"shape_attributes": shape, "region_attributes": attributes}]
    return {name: {"filename": name, "size": -1, "regions": regions, "file_attributes": {}} for name in names}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"filename,file_size\na.jpg,3\n", "not JSON"),
        (b"\xff\xd8\xff\xe0 a jpeg", "not text"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not JSON"),
        (b"[]", "holds no labels"),
        (b"3", "holds no labels"),
        (b"{}", "holds no labels"),
        (b'{"a": {"b": 1}}', "holds no labels"),
        (b'{"region": {}, "file": {}}', "VIA's definitions of attributes"),
        (b'{"_via_img_metadata": []}', '"_via_img_metadata", not an object'),
        (b'{"images": [], "annotations": {}}', '"annotations", not a list'),
        (b'{"images": [3], "annotations": []}', 'entry 1 of "images"'),
        (b'{"a": {"filename": "a.jpg"}, "b": 3}', 'picture "b" has 3 as its entry'),
    ],
)
def test_a_file_that_is_no_label_file(content: bytes, complaint: str, tmp_path) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(content)
    with pytest.raises(StudioError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert complaint in message
    assert "\n" not in message
    assert "; " in message
    assert not isinstance(caught.value, ArgumentError)


def test_a_path_that_does_not_exist(tmp_path, label_file) -> None:
    with pytest.raises(ArgumentError, match="no such file or folder"):
        read(tmp_path / "none.json")
    with pytest.raises(ArgumentError, match="--images"):
        read(label_file(via_file("a.jpg")), tmp_path / "none")


def test_a_byte_order_mark_is_no_matter(tmp_path) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(via_file("a.jpg")).encode())
    assert read(path).n_regions == 1


def test_a_folder_with_one_label_file_among_others(tmp_path, label_file) -> None:
    label_file(via_file("a.jpg"), "labels.json")
    label_file({"region": {}, "file": {}}, "attributes.json")
    label_file("not JSON", "broken.json")
    assert read(tmp_path).source == tmp_path / "labels.json"


def test_a_folder_with_none_or_several(tmp_path, label_file) -> None:
    with pytest.raises(StudioError, match="no label file is in this folder"):
        read(tmp_path)
    label_file(via_file("a.jpg"), "one.json")
    label_file(via_file("a.jpg"), "two.json")
    assert len(read(tmp_path).images) == 1  # the same again, as VIA saves regions in several ways
    label_file(via_file("a.jpg", kind="leaf"), "two.json")
    label_file(via_file("a.jpg", kind="stem"), "one.json")
    with pytest.raises(StudioError, match=r"several .*\(one\.json, two\.json\)"):
        read(tmp_path)


def test_a_folder_whose_only_file_is_broken_says_why(tmp_path, label_file) -> None:
    label_file("{", "labels.json")
    with pytest.raises(StudioError, match="not JSON"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("name", "lies_at"),
    [
        ("a.jpg", "a.jpg"),
        ("a.jpg", "images/a.jpg"),
        ("./sub/a.jpg", "sub/a.jpg"),
        ("sub\\a.jpg", "sub/a.jpg"),
        ("sub/a.jpg", "a.jpg"),
        ("/somewhere/else/a.jpg", "a.jpg"),
        ("../a.jpg", "a.jpg"),
        ("C:\\pictures\\a.jpg", "a.jpg"),
        ("http://example.org/x/a.jpg", "a.jpg"),
    ],
)
def test_where_a_picture_is_found(name: str, lies_at: str, picture, label_file) -> None:
    path = picture(lies_at)
    assert read(label_file(via_file(name))).images[0].path == path


def test_a_name_never_leads_out_of_the_folder(tmp_path, picture, label_file) -> None:
    outside = picture("outside.jpg")
    inner = tmp_path / "inner"
    inner.mkdir()
    for name in (
        "../outside.jpg",
        str(outside),
        "..",
        ".",
        "/",
        "inner/../../outside.jpg",
        "x\0.jpg",
        "a" * 5000 + ".jpg",
    ):
        path = label_file(via_file(name), "inner/labels.json")
        assert read(path).images[0].path is None, name


def test_given_images_are_looked_for_there_only(tmp_path, picture, label_file) -> None:
    picture("a.jpg")
    elsewhere = picture("elsewhere/b.jpg")
    dataset = read(label_file(via_file("a.jpg", "b.jpg")), tmp_path / "elsewhere")
    assert [image.path for image in dataset.images] == [None, elsewhere]


def test_trainable_fills_in_sizes_and_the_one_class(picture, label_file) -> None:
    picture("a.jpg", 50, 20)
    dataset = require_trainable(read(label_file(via_file("a.jpg"))))
    assert (dataset.images[0].width, dataset.images[0].height) == (50, 20)
    assert dataset.classes == ("object",)
    assert dataset.images[0].regions[0].class_name == "object"


@pytest.mark.parametrize("damage", ["missing", "truncated", "not an image"])
def test_pictures_that_cannot_be_trained_on(damage: str, picture, label_file) -> None:
    picture("a.jpg")
    path = picture("b.jpg", 300, 200)
    match damage:
        case "missing":
            path.unlink()
        case "truncated":
            path.write_bytes(path.read_bytes()[:-500])
        case _:
            path.write_text("no picture")
    dataset = read(label_file(via_file("a.jpg", "b.jpg")))
    expected = (
        r"labels\.json: image \"b\.jpg\" not found beside it; pass --images DIR" if damage == "missing" else r"b\.jpg: "
    )
    with pytest.raises(StudioError, match=expected):
        require_trainable(dataset)


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (
            via_file("a.jpg", shape={"name": "point", "cx": 1, "cy": 1}),
            "no object to learn from: the only region is a point",
        ),
        (via_file("a.jpg", shape={**SQUARE, "x": 500}), "the only region has no pixel inside its picture"),
        ({"a.jpg": {"filename": "a.jpg", "regions": []}}, "there is no region to learn from"),
        (via_file("a.jpg", track=5), 'has no class that can be told from "track"'),
        (
            {
                "a.jpg": {
                    "filename": "a.jpg",
                    "regions": [
                        {"shape_attributes": SQUARE, "region_attributes": {"name": "cat"}},
                        {"shape_attributes": {"name": "point", "cx": 1, "cy": 1}, "region_attributes": {}},
                        {"shape_attributes": SQUARE, "region_attributes": {"name": ""}},
                    ],
                }
            },
            'labels.json: region 3 of "a.jpg" has no value for "name"; give it one, or remove the region',
        ),
    ],
)
def test_labels_that_cannot_be_trained_on(document: dict[str, Any], complaint: str, picture, label_file) -> None:
    picture("a.jpg")
    with pytest.raises(StudioError) as caught:
        require_trainable(read(label_file(document)))
    assert complaint in str(caught.value)


def test_a_picture_of_another_size_than_labelled(picture) -> None:
    record = ImageRecord("a.jpg", (Region(Rect(0, 0, 5, 5), "x"),), picture("a.jpg", 40, 30), width=80, height=60)
    with pytest.raises(StudioError, match=r"80 x 60 px there, but .* is 40 x 30 px"):
        require_trainable(Dataset((record,), ("x",)))


def test_writing_leaves_nothing_behind_on_an_error(tmp_path) -> None:
    target = tmp_path / "out.json"
    target.write_text("the old file")
    without_class = Dataset((ImageRecord("a.jpg", (Region(Rect(0, 0, 5, 5)),), width=9, height=9),))
    unwritable = Dataset((ImageRecord("a.jpg", (Region(Rect(0, 0, 5, 5), "x", {"a": float("nan")}),)),), ("x",))
    for dataset, format in ((without_class, "coco"), (unwritable, "via2")):
        with pytest.raises(StudioError):
            write(dataset, target, format)
    with pytest.raises(ArgumentError, match=r"choose .*via1.*coco"):
        write(without_class, target, "dicom")
    assert target.read_text() == "the old file"
    assert os.listdir(tmp_path) == ["out.json"]


def test_a_write_that_breaks_off_leaves_the_old_file(tmp_path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "out.json"
    target.write_text("the old file")
    for step in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, step, full)
            with pytest.raises(ArgumentError, match=r"out\.json: cannot be written \(No space left on device\)"):
                write(Dataset(()), target, "via2")
        assert target.read_text() == "the old file"
        assert os.listdir(tmp_path) == ["out.json"]


def test_places_that_cannot_be_written(tmp_path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "out.json"):
        with pytest.raises(ArgumentError):
            write(Dataset(()), path, "via2")
    assert sorted(os.listdir(tmp_path)) == ["file"]


def test_write_reports_what_a_format_cannot_hold(tmp_path) -> None:
    record = ImageRecord("a.jpg", (Region(Point(1, 1), "x"), Region(Rect(0, 0, 5, 5), "x")), width=9, height=9)
    dataset = Dataset((record,), ("x",), source=Path("in.json"))
    assert write(dataset, tmp_path / "new" / "a.json", "via2") == []
    (warning,) = write(dataset, tmp_path / "a.json", "coco")
    assert warning.startswith("in.json: 1 region without area")
    assert read(tmp_path / "a.json").n_regions == 1
