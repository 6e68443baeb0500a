"""Numbers that the Statistics and Split pages print, by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.regions import Point, Polyline, Rect, Region
from maskrcnn.annotations.statistics import statistics
from maskrcnn.studio.dataset import statistics_charts
from maskrcnn.studio.dataset.statistics_view import median_in_words, not_learned_in_words


def of_counts(counts: Sequence[int]) -> Dataset:
    """A class for each number ("c0", "c1", ...), with so many objects, all on one picture."""
    regions = [Region(Rect(1, 1, 9, 9), f"c{n}") for n, count in enumerate(counts) for _ in range(count)]
    names = tuple(f"c{n}" for n in range(len(counts)))
    return Dataset((ImageRecord("a.png", tuple(regions), None, 64, 48),), names)


@pytest.mark.parametrize(
    ("counts", "drawn"),
    [
        ([3, 1, 2], [0, 1, 2]),
        ([1] * 20, list(range(20))),
        # Ten with 1 before eleven with 5 and one with 9: of 22, the 20 most common are the 12 and the first 8 of 1.
        ([1] * 10 + [5] * 11 + [9], [*range(8), *range(10, 22)]),
        # The 20th is one of 30 equals, all of which stand before the most common ones.
        ([2] * 30 + [7, 8, 9], [*range(17), 30, 31, 32]),
        ([0] * 25 + [4], [*range(19), 25]),
        (list(range(1, 26)), list(range(5, 25))),
        ([9, *[1] * 25, 9], [0, *range(1, 19), 26]),
    ],
)
def test_the_most_common_classes_are_drawn(counts: list[int], drawn: list[int]) -> None:
    found = statistics(of_counts(counts))
    assert [row.name for row in statistics_charts.common(found)] == [f"c{number}" for number in drawn]
    chart = statistics_charts.classes(found, dict.fromkeys(found.names, "#000000"))
    assert chart.tables["rows"]["class"].to_pylist() == [f"c{number}" for number in drawn]


@pytest.mark.parametrize(
    ("numbers", "said"),
    [([8, 9], "8.5"), ([8], "8"), ([8, 8], "8"), ([1, 2, 40], "2"), ([0, 1], "0.5"), ([9, 8, 10, 11], "9.5")],
)
def test_a_median_is_what_it_is(numbers: list[int], said: str) -> None:
    assert median_in_words(np.array(numbers)) == said


CELL = Region(Rect(1, 1, 9, 9), "cell")
CROWD, POINT = Region(Rect(1, 1, 9, 9), "cell", iscrowd=True), Region(Point(3, 3), "cell")
LINE, OUT = Region(Polyline(((1, 1), (9, 9))), "cell"), Region(Rect(99, 1, 9, 9), "cell")


@pytest.mark.parametrize(
    ("regions", "train", "val"),
    [
        ([CELL], "", ""),
        ([CROWD], "Not among them: 1 region that marks a crowd.", ""),
        ([CROWD, CROWD, CELL], "Not among them: 2 regions that mark a crowd.", ""),
        ([LINE, POINT, POINT], "Not among them: 1 region that is a line, 2 that are points.", ""),
        ([OUT, CROWD], "Not among them: 1 region that marks a crowd, 1 that has no pixel inside its picture.", ""),
    ],
)
def test_what_is_no_object_is_told_for_the_split_that_is_chosen(regions: list[Region], train: str, val: str) -> None:
    images = [
        ImageRecord("a.png", tuple(regions), None, 64, 48, split="train"),
        ImageRecord("b.png", (CELL,), None, 64, 48, split="val"),
    ]
    found = statistics(Dataset(images, ("cell",)))
    assert not_learned_in_words(found.of("train")) == train
    assert not_learned_in_words(found.of("val")) == val
