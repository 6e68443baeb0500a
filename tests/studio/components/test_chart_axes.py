"""Ends, ticks and names of axes: numbers worked by hand."""

from __future__ import annotations

import pytest

from maskrcnn.studio.components import chart_axes, line_charts
from maskrcnn.studio.components.chart_axes import XAxis
from maskrcnn.studio.runs import curve_points


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


@pytest.mark.parametrize(
    ("axis", "row", "epochs", "active", "end"),
    [
        ("epochs", {"epoch": 3, "progress": 0.15}, 20, True, 20),
        ("epochs", {"epoch": 3, "progress": 0.15}, 20, False, 3),  # cancelled after three of twenty
        ("epochs", {"epoch": 3, "progress": 0.25}, None, True, 15),  # three in a quarter of the time: twelve, in fives
        ("epochs", {"epoch": 5, "progress": 1.0}, None, True, 5),
        ("steps", {"step": 60, "progress": 0.3}, 20, True, 200),
        ("steps", {"step": 70, "progress": 0.3}, None, True, 250),  # 233, rounded up
        ("steps", {"step": 60, "progress": 0.3}, 20, False, 60),
        ("minutes", {"elapsed": 120, "eta": 540, "progress": 0.2}, 20, True, 15),  # 11 minutes, rounded up
        ("minutes", {"elapsed": 120, "eta": None, "progress": 0.2}, 20, True, 2),
        ("minutes", {"elapsed": 90, "progress": 0.2}, 20, False, 1.5),
        # Rows of another version, which say less: as far as it is now.
        ("steps", {"step": 60}, 20, True, 60),
        ("steps", {"step": 60, "progress": None}, None, True, 60),
        ("steps", {"step": 60, "progress": 0.0}, None, True, 60),
        ("epochs", {"epoch": 3}, None, True, 3),
        ("epochs", {"epoch": 3}, 20, True, 20),
        ("minutes", {"elapsed": 90}, 20, True, 1.5),
        ("minutes", {"elapsed": None, "progress": 0.5}, 20, False, 0),
    ],
)
def test_the_x_axis_ends_where_the_run_will(
    axis: XAxis, row: dict[str, float | None], epochs: int | None, active: bool, end: float
) -> None:
    row = {"epoch": 1, "step": 1, "elapsed": 1.0, **row}
    assert curve_points.x_end(axis, row, epochs, active) == pytest.approx(end)


@pytest.mark.parametrize(
    ("values", "offsets"),
    [
        ([], []),
        ([0.5], [-7]),
        ([0.95], [7]),
        ([0.02, 0.95], [-7, 7]),
        ([0.2, 0.4, 0.8], [7, -7, -21]),  # more room under the highest line
        ([0.2, 0.6, 0.8], [21, 7, -7]),
        ([0.01, 0.02, 0.03], [-7, -21, -35]),
        ([0.92, 0.93, 0.94], [35, 21, 7]),
        ([0.01, 0.02, 0.95], [-7, -21, 7]),
    ],
)
def test_three_lines_are_named_without_lying_on_each_other(values: list[float], offsets: list[int]) -> None:
    assert line_charts.line_name_offsets(values, gap=7, text=14) == offsets
