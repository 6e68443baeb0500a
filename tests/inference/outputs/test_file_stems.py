"""Names of pictures and classes are data: whatever they are, no file lies elsewhere and none meets another."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskrcnn.inference.outputs.file_stems import class_in_file_name, cutout_name, output_stems
from maskrcnn.name_order import folded


@pytest.mark.parametrize(
    ("names", "stems"),
    [
        (["a.jpg", "a.png", "A.png"], ["a", "a-2", "A-3"]),
        (["a.tar.gz.png"], ["a.tar.gz"]),
        (["x/a.png", "y/a.png"], ["x/a", "y/a"]),
        (["../../a.png", "C:\\photos\\b.png", "/etc/c.png"], ["a", "C_/photos/b", "etc/c"]),
        (["CON.png", "nul/aux.jpg", "com1.x.png", "console.png"], ["_CON", "_nul/_aux", "_com1.x", "console"]),
        (['a<b>:"|?*.png', "a\nb.png", "dot. .png"], ["a_b______", "a_b", "dot"]),
        (["", "..", ".png"], ["picture", "picture-2", ".png"]),
    ],
)
def test_stems(names: list[str], stems: list[str]) -> None:
    assert output_stems(names) == stems


@given(st.lists(st.text(max_size=300), max_size=5))
def test_any_names_give_files_of_their_own_in_the_folder(names: list[str]) -> None:
    stems = output_stems(names)
    assert len({folded(stem) for stem in stems}) == len(names)
    for stem in stems:
        parts = PurePosixPath(stem).parts
        assert parts
        assert not {"..", "/"} & set(parts)
        assert all(len(part.encode()) <= 210 for part in parts)
        assert not re.search(r'[<>:"|?*\\\x00-\x1f]', stem)


@given(st.text(max_size=300))
def test_any_class_is_a_part_of_a_file_name(name: str) -> None:
    part = class_in_file_name(name)
    assert re.fullmatch(r"[^\W_](?:[^\W_]|-)*", part)
    assert len(part.encode()) <= 40


@pytest.mark.parametrize("name", ["../x", "a/b", "CON", "..", "", "\x00", "=cmd()", "\ud800", "日本" * 50])
def test_a_cutout_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    file = tmp_path / cutout_name("a", 1, name)
    assert file.parent == tmp_path
    file.write_bytes(b"")  # the file system takes it


def test_a_cutout_has_one_reading() -> None:
    """The class "x_001_y" of picture "a", and the class "y" of a picture that is called "a_001_x"."""
    assert cutout_name("a", 1, "x_001_y") != cutout_name("a_001_x", 1, "y")


def test_a_long_name_is_shortened() -> None:
    assert len(cutout_name("a" * 250, 1, "nut").encode()) <= 255
    assert cutout_name("a" * 250, 1, "nut") != cutout_name("a" * 249 + "b", 1, "nut")
