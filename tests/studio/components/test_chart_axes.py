"""Ends and ticks of axes: numbers worked by hand."""

from __future__ import annotations

import pytest

from maskrcnn.studio.components import chart_axes


@pytest.mark.parametrize(
    ("value", "end"),
    [
        (0.7, 0.8),
        (1.0, 1.0),
        (1.01, 1.5),
        (3.2, 4.0),
        (9.0, 10.0),
        (0.0021, 0.0025),
        (26, 30),
        (0, 1.0),
        (float("nan"), 1.0),
    ],
)
def test_an_axis_ends_at_a_round_number(value: float, end: float) -> None:
    assert chart_axes.round_up(value) == pytest.approx(end)


@pytest.mark.parametrize(("value", "end"), [(0.7, 0.5), (0.5, 0.5), (0.034, 0.02), (1.9, 1.0), (8, 5)])
def test_a_logarithmic_axis_begins_at_a_round_number(value: float, end: float) -> None:
    assert chart_axes.round_down(value) == pytest.approx(end)


@pytest.mark.parametrize(
    ("low", "high", "most", "ticks"),
    [
        (0.2, 4.0, 8, [0.2, 0.5, 1, 2]),
        (0.02, 5.0, 6, [0.03, 0.1, 0.3, 1, 3]),  # eight by ones, twos and fives
        (0.001, 100.0, 6, [0.001, 0.01, 0.1, 1, 10, 100]),
        (5.0, 8.0, 5, [5, 8]),
    ],
)
def test_ticks_of_a_logarithmic_axis(low: float, high: float, most: int, ticks: list[float]) -> None:
    assert chart_axes.log_ticks(low, high, most) == pytest.approx(ticks)


@pytest.mark.parametrize(
    ("last", "most", "ticks"),
    [
        (2, 6, [1, 2]),
        (5, 6, [1, 2, 3, 4, 5]),
        (20, 6, [1, 5, 10, 15, 20]),
        (37, 11, [1, 5, 10, 15, 20, 25, 30, 37]),
        (1000, 6, [1, 500, 1000]),
    ],
)
def test_ticks_are_whole_numbers_with_both_ends(last: int, most: int, ticks: list[int]) -> None:
    assert chart_axes.integer_ticks(1, last, most) == ticks
