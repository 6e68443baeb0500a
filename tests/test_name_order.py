"""File names in natural order."""

from __future__ import annotations

import pytest

from maskrcnn.name_order import natural_key


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
