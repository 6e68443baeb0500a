"""Names that nothing else has."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from maskrcnn.annotations.unused_names import BRACKETS, HYPHEN, UnusedNames, unused_name, unused_path
from maskrcnn.name_order import folded


@pytest.mark.parametrize(
    ("wanted", "form", "first", "taken", "found"),
    [
        ("a.jpg", BRACKETS, 2, [], "a.jpg"),
        ("a.jpg", BRACKETS, 2, ["a.jpg"], "a (2).jpg"),
        ("a.jpg", BRACKETS, 2, ["a.jpg", "a (2).jpg", "a (4).jpg"], "a (3).jpg"),
        ("sub.1/a", BRACKETS, 2, ["sub.1/a"], "sub.1/a (2)"),
        ("a.tar.gz", BRACKETS, 2, ["a.tar.gz"], "a.tar (2).gz"),
        ("{0}.{x}", BRACKETS, 2, ["{0}.{x}"], "{0} (2).{x}"),  # a name is never a form
        ("cells 0.2", HYPHEN, 2, ["cells 0.2"], "cells 0.2-2"),
        ("a.jpg-1", "{name}_{number}", 1, ["a.jpg-1"], "a.jpg-1_1"),
    ],
)
def test_the_wanted_name_or_that_with_the_first_free_number(
    wanted: str, form: str, first: int, taken: list[str], found: str
) -> None:
    assert unused_name(wanted, taken.__contains__, form, first) == found
    assert UnusedNames(taken, form, first, key=str).take(wanted) == found


def test_names_that_some_disk_takes_for_one_are_one() -> None:
    names = UnusedNames(["Café.jpg"])
    assert names.take("CAFE\u0301.JPG") == "CAFE\u0301 (2).JPG"
    assert names.take("cafe.jpg") == "cafe.jpg"
    assert folded("STRASSE") == folded("straße")


def test_every_name_is_given_once_also_where_a_numbered_one_is_wanted() -> None:
    names = UnusedNames()
    wanted = ["a.jpg", "a (2).jpg", "a.jpg", "a.jpg", "A (3).jpg", "a (2).jpg"]
    found = [names.take(name) for name in wanted]
    assert found == ["a.jpg", "a (2).jpg", "a (3).jpg", "a (4).jpg", "A (3) (2).jpg", "a (2) (2).jpg"]
    assert len({*map(folded, found)}) == len(wanted)


def test_thousands_of_pictures_of_one_name_get_numbers_quickly() -> None:
    names, start = UnusedNames(["a.jpg"]), time.process_time()
    assert len({names.take("a.jpg") for _ in range(5000)}) == 5000
    assert time.process_time() - start < 1  # a search from 2 on would take 12 million steps
    assert names.take("A.jpg") == "A (5002).jpg"
    assert names.take("a (7).jpg") == "a (7) (2).jpg"
    assert names.take("b.jpg") == "b.jpg"


def test_a_path_beside_what_lies_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file in the place of the folder")
    first = unused_path(tmp_path / "a" / "b.jpg")
    assert first == tmp_path / "a (2)" / "b.jpg"
    first.touch()
    assert unused_path(tmp_path / "a" / "b.jpg") == tmp_path / "a (2)" / "b (2).jpg"
    assert unused_path(tmp_path / "new" / "deep" / "b.jpg") == tmp_path / "new" / "deep" / "b.jpg"
    assert (tmp_path / "new" / "deep").is_dir()
