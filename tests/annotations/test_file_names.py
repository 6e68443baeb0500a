"""Names as other computers and programs write them: what is junk, and which two mean the same."""

from __future__ import annotations

import unicodedata

import pytest

from maskrcnn.annotations import file_names, similar_file_names

ROBOFLOW = "cat_jpg.rf.0123456789abcdef0123456789abcdef.jpg"
NFC, NFD = (unicodedata.normalize(form, "Größe é.jpg") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    "name",
    [
        ".ipynb_checkpoints/a-checkpoint.json",
        "set/.git/objects/ab.json",
        ".cache/a.jpg",
        "__MACOSX/set/._a.jpg",
        "train/._a.jpg",
        ".DS_Store",
        "Thumbs.db",
        "sub/THUMBS.DB",
        "desktop.ini",
        "@eaDir/a.jpg/SYNOFILE_THUMB_M.jpg",
        "@__thumb/a.jpg",
        "Network Trash Folder/a.jpg",
        "lost+found/a.jpg",
        "$RECYCLE.BIN/a.jpg",
        "System Volume Information/a.json",
        "#recycle/a.jpg",
        "__pycache__/a.json",
        "~$labels.csv",
        ".Trash-1000\\files\\a.jpg",
    ],
)
def test_what_systems_leave_behind(name: str) -> None:
    assert file_names.is_junk(name)


@pytest.mark.parametrize(
    "name",
    [
        "a.jpg",
        "../a.jpg",
        "./a.jpg",
        "a..jpg",
        "@anna.jpg",
        "#1.jpg",
        "cache/a.jpg",
        "git/a.jpg",
        "thumbs/a.jpg",
        "$5.jpg",
    ],
)
def test_what_a_person_may_call_a_file(name: str) -> None:
    assert not file_names.is_junk(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a b.jpg", "a%20b.jpg"),
        ("a%2520b.jpg", "a b.jpg"),  # encoded twice
        ("%C3%A9.png", "é.png"),
        ("%E9.png", "É.PNG"),  # as a Windows program in Latin 1 does
        ("x%2Fa.jpg", "x/a.jpg"),
        ("100%25.jpg", "100%.jpg"),
        (NFC, NFD),
        ("IMG.JPG", "img.jpg"),
        ("straße.jpg", "STRASSE.jpg"),
        ("R&amp;D 1.jpg", "R&D 1.jpg"),
        ("dÃ©cran.jpg", "décran.jpg"),  # UTF-8 that was read as Latin 1
        ("x/a.jpg ", "x/a.jpg"),
        ("Screenshot at 3.04\u202fPM.png", "Screenshot at 3.04 PM.png"),
        ("a\u00a0b.jpg", "a b.jpg"),
    ],
)
def test_spellings_of_one_name(one: str, other: str) -> None:
    assert file_names.normalised_file_name(one) == file_names.normalised_file_name(other)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("https://host.example/x/b.png?X-Sig=1&b=2", "https://host.example/x/b.png"),
        ("a.jpg?v=1", "a.jpg"),
        ("a.JPEG#xywh=1,2,3,4", "a.JPEG"),
        ("/data/local-files/?d=photos/a.png", "photos/a.png"),
        ("https://host.example/get?id=3&file=b%20c.tif", "b c.tif"),
        ("a.jpg", "a.jpg"),
        ("what?.jpg", "what?.jpg"),  # a question mark is part of a name where no address goes before it
        ("C#/a.jpg", "C#/a.jpg"),
        ("img#1.jpg", "img#1.jpg"),
    ],
)
def test_what_follows_an_address(name: str, meant: str) -> None:
    assert file_names.without_query(name) == meant


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a"], "a"),
        (["a", "b", "c"], "a, b, c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
        (["a"] * 12, "a, a, a and 9 more"),
    ],
)
def test_of_many_names_the_first_are_listed(names: list[str], said: str) -> None:
    assert file_names.listed(names) == said


@pytest.mark.parametrize(
    ("wanted", "there", "offered"),
    [
        ("a.jpg", ["a.jpeg"], ["a.jpeg"]),
        ("a.jpg", ["other/a.png"], ["other/a.png"]),
        ("1.jpg", ["1 (2).jpg"], ["1 (2).jpg"]),
        ("1 (2).jpg", ["1.jpg"], ["1.jpg"]),
        ("cat.jpg", ["cat - Copy.jpg", "dog.jpg"], ["cat - Copy.jpg"]),
        ("cat.jpg", ["Copy of cat.jpg"], ["Copy of cat.jpg"]),
        ("cat.jpg", ["Kopie von Cat (2).jpg"], ["Kopie von Cat (2).jpg"]),
        ("IMG_1_HEIC.rf.0123456789abcdef.jpg", ["IMG_1.heic"], ["IMG_1.heic"]),
        ("my photo.jpg", ["my_photo.jpg"], ["my_photo.jpg"]),
        ("7.jpg", ["007.jpg", "8.jpg"], ["007.jpg"]),
        ("1a2b3c4d-cat.jpg", ["cat.jpg"], ["cat.jpg"]),  # Label Studio's upload
        ("cat.jpg", [ROBOFLOW], [ROBOFLOW]),
        ("balloon.jpg", ["ballon.jpg"], ["ballon.jpg"]),
        ("colour.jpg", ["coluor.jpg"], ["coluor.jpg"]),
        ("street.jpg", ["streat.jpg"], ["streat.jpg"]),
        ("table.jpg", ["tablo.jpg"], ["tablo.jpg"]),
        ("scan.jpg", ["scan (1).jpg", "scan (2).jpg"], ["scan (1).jpg", "scan (2).jpg"]),
        # another number, another picture; and of short names any letter counts
        ("IMG_0001.jpg", ["IMG_0002.jpg"], []),
        ("IMG_12.jpg", ["IMG_1_2.jpg"], []),
        ("frame10.jpg", ["frame1.jpg"], []),
        ("IMG (3).jpg", ["IMG (7).jpg"], []),
        ("a.jpg", ["b.jpg"], []),
        ("cat.jpg", ["dog.jpg"], []),
        ("balloon.jpg", ["balcony.jpg"], []),
        ("(2).jpg", ["-.jpg"], []),  # without the mark of a copy nothing is left of it
    ],
)
def test_pictures_of_a_near_name(wanted: str, there: list[str], offered: list[str]) -> None:
    found = list(similar_file_names.similar_files([wanted], there).get(wanted, ()))
    assert found == offered


@pytest.mark.parametrize(
    ("there", "offered"),
    [(["7.jpg"], ["7.jpg"]), (["7.jpg", "a (2).jpg"], ["a (2).jpg"]), (["8.jpg"], [])],
)
def test_a_picture_called_as_its_label_file_is_near_last_of_all(there: list[str], offered: list[str]) -> None:
    assert list(similar_file_names.similar_files(["a.jpg"], there, {"a.jpg": "sub/7.json"}).get("a.jpg", ())) == offered


def test_a_picture_is_offered_for_one_name_only() -> None:
    assert similar_file_names.similar_files(["a.jpg", "A.png"], ["a.jpeg"]) == {}
    # The nearer one has it: "a.jpg" differs in its suffix, "a (2).jpg" by a copy's mark.
    assert similar_file_names.similar_files(["a (2).jpg", "a.jpg"], ["a.png"]) == {"a.jpg": ("a.png",)}
