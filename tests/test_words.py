"""Numbers with their nouns, and names in natural order."""

from __future__ import annotations

import pytest

from maskrcnn.annotations.file_names import natural_key
from maskrcnn.words import byte_size, counted


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 boxes"), (1, "1 box"), (2, "2 boxes"), (1000, "1,000 boxes"), (1001, "1,001 boxes")]
)
def test_a_number_has_its_noun(number: int, said: str) -> None:
    assert counted(number, "box", "boxes") == said


@pytest.mark.parametrize(
    "ordered",
    [
        ["1.jpg", "2.jpg", "10.jpg"],
        ["img.jpg", "img 1.jpg", "IMG 2.jpg", "img 10.jpg"],
        ["a/2.jpg", "a/10.jpg", "a b/1.jpg", "b/1.jpg"],  # a folder is whole before the next one begins
        ["1/10.jpg", "2/1.jpg", "10/1.jpg"],
        ["007.jpg", "7.jpg", "08.jpg"],  # equal values in a fixed order
        ["x" + "9" * 5000, "x1" + "0" * 5000],  # longer than int() takes
        ["e\u0301 2", "\u00e9 10"],  # one letter, spelled in two ways
    ],
)
def test_numbers_are_ordered_by_value(ordered: list[str]) -> None:
    assert sorted(reversed(ordered), key=natural_key) == ordered


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 kB"),
        (640, "640 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (25_600_000, "26 MB"),
        (999_400_000, "999 MB"),
        (999_600_000, "1.0 GB"),
        (2**30, "1.1 GB"),
        (141_000_000_000, "141.0 GB"),
        (999_940_000_000, "999.9 GB"),
        (999_960_000_000, "1.0 TB"),
        (2_400_000_000_000, "2.4 TB"),
    ],
)
def test_a_size_in_bytes(count: int, said: str) -> None:
    assert byte_size(count) == said
