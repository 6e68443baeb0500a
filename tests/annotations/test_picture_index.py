"""Which picture a label file means, as tables of names."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations.picture_index import PictureIndex

NFC, NFD = (unicodedata.normalize(form, "Übungsgerät é.jpg") for form in ("NFC", "NFD"))


def pictures(*files: str) -> PictureIndex:
    return PictureIndex({file: Path("/dropped") / file for file in files})


@pytest.mark.parametrize(
    ("wanted", "label_file", "files", "meant"),
    [
        # where pictures lie
        ("a.jpg", "labels.json", ["a.jpg"], "a.jpg"),
        ("a.jpg", "labels.json", ["images/a.jpg"], "images/a.jpg"),
        ("a.jpg", "labels/via.json", ["photos/a.jpg"], "photos/a.jpg"),
        ("sub/a.jpg", "labels.json", ["sub/a.jpg"], "sub/a.jpg"),
        ("sub\\a.jpg", "labels.json", ["sub/a.jpg"], "sub/a.jpg"),
        ("./sub//a.jpg", "labels.json", ["sub/a.jpg"], "sub/a.jpg"),
        ("sub/a.jpg", "labels.json", ["data/sub/a.jpg"], "data/sub/a.jpg"),
        ("sub/a.jpg", "labels.json", ["a.jpg"], "a.jpg"),
        # names of other computers: only the last part counts
        ("/home/ann/a.jpg", "labels.json", ["a.jpg"], "a.jpg"),
        ("../pictures/a.jpg", "labels.json", ["a.jpg"], "a.jpg"),
        ("C:\\pictures\\a.jpg", "labels.json", ["a.jpg"], "a.jpg"),
        ("https://example.org/x/a.jpg", "labels.json", ["a.jpg"], "a.jpg"),
        # spelling
        (NFC, "labels.json", [NFD], NFD),
        (NFD, "labels.json", [NFC], NFC),
        ("IMG_1.JPG", "labels.json", ["img_1.jpg"], "img_1.jpg"),
        ("A.jpg", "labels.json", ["A.jpg", "a.jpg"], "A.jpg"),
        ("a b 'c' \"d\".jpg", "labels.json", ["a b 'c' \"d\".jpg"], "a b 'c' \"d\".jpg"),
        # of several, the one with the whole name, then the nearest
        ("sub/a.jpg", "labels.json", ["a.jpg", "sub/a.jpg"], "sub/a.jpg"),
        ("a.jpg", "labels.json", ["a.jpg", "sub/a.jpg"], "a.jpg"),
        ("a.jpg", "labels.json", ["images/a.jpg", "masks/a.jpg"], "images/a.jpg"),
        ("a.jpg", "train/via.json", ["train/a.jpg", "val/a.jpg"], "train/a.jpg"),
        ("a.jpg", "train/via.json", ["train/photos/a.jpg", "val/photos/a.jpg"], "train/photos/a.jpg"),
        (
            *("1.jpg", "annotations/instances_val2017.json"),
            *(["images/train2017/1.jpg", "images/val2017/1.jpg"], "images/val2017/1.jpg"),
        ),
        ("a.jpg", "one/via.json", ["one/x/a.jpg", "two/x/a.jpg"], "one/x/a.jpg"),
        # none
        ("b.jpg", "labels.json", ["a.jpg"], None),
        ("ba.jpg", "labels.json", ["a.jpg"], None),
        ("", "labels.json", ["a.jpg"], None),
        ("..", "labels.json", ["a.jpg"], None),
        # a guess would be needed
        ("a.jpg", "labels.json", ["one/a.jpg", "two/a.jpg"], None),
        ("IMG.jpg", "labels.json", ["img.jpg", "Img.jpg"], None),
    ],
)
def test_which_picture_is_meant(wanted: str, label_file: str, files: list[str], meant: str | None) -> None:
    assert pictures(*files).match(wanted, label_file).file == meant
    assert pictures(*reversed(files)).match(wanted, label_file).file == meant


def test_between_two_pictures_none_is_taken_and_both_are_named() -> None:
    found, (warning,) = pictures("one/a.jpg", "two/a.jpg").match_all(["a.jpg"], "labels.json")
    assert found == [None]
    assert warning.startswith("a.jpg: 2 pictures have this name (one/a.jpg, two/a.jpg), and none was taken; ")


def test_one_picture_is_never_taken_for_two_names() -> None:
    found, warnings = pictures("one/a.jpg").match_all(["one/a.jpg", "two/a.jpg"], "labels.json")
    assert found == ["one/a.jpg", None]
    assert [line.partition(":")[0] for line in warnings] == ["two/a.jpg"]

    found, warnings = pictures("a.jpg").match_all(["C:\\x\\a.jpg", "C:\\y\\a.jpg"], "labels.json")
    assert found == [None, None]
    assert len(warnings) == 2


def test_a_name_that_stands_twice_in_a_label_file_means_the_same_picture() -> None:
    assert pictures("a.jpg").match_all(["a.jpg", "a.jpg"], "labels.json") == (["a.jpg", "a.jpg"], [])


@pytest.mark.parametrize(
    ("name", "leads_out"),
    [
        ("a.jpg", False),
        ("a/b..c/d.jpg", False),
        ("a..jpg", False),
        ("..a.jpg", False),
        ("12:30 o'clock.jpg", False),
        ("note: a.jpg", False),
        ("../a", True),
        ("a/..", True),
        ("a\\..\\b", True),
        ("/a", True),
        ("\\a", True),
        ("C:a", True),
        ("c:\\a", True),
        ("file:///a", True),
    ],
)
def test_which_names_lead_out(name: str, leads_out: bool) -> None:
    assert names.leads_out(name) == leads_out


@pytest.mark.parametrize("letter", ["x", "é", "細", "😀"])
def test_a_name_too_long_for_a_file_system_keeps_its_beginning_and_suffix(letter: str, tmp_path: Path) -> None:
    one, two = (names.storable(f"{letter * 400}{end}.jpg") for end in "12")
    assert one != two
    for name in (one, two):
        assert len(name.encode()) <= 200
        assert name.startswith(letter * 20)
        assert name.endswith(".jpg")
        (tmp_path / name).write_bytes(b"")


@pytest.mark.parametrize(
    ("name", "stored"),
    [("a/b.jpg", "a/b.jpg"), ("../../b.jpg", "b.jpg"), ("a\0b\x1b.jpg", "a b .jpg"), ("..", "file"), ("", "file")],
)
def test_what_a_file_is_stored_as(name: str, stored: str) -> None:
    assert names.storable(name) == stored
