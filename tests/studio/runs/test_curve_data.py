"""Where steps lie, how they are smoothed and which are drawn: numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from maskrcnn.runs.metric_rows import MetricRows
from maskrcnn.studio.components.chart_axes import XAxis
from maskrcnn.studio.runs import curve_data

NAN = float("nan")


def rows(steps: int, *ends: int) -> MetricRows:
    """That many steps of 30 seconds; epochs ended after the steps `ends`."""
    numbers = np.arange(1.0, steps + 1)
    epochs = tuple({"epoch": epoch, "step": end, "elapsed": 30.0 * end} for epoch, end in enumerate(ends, start=1))
    return MetricRows({"step": numbers, "elapsed": 30 * numbers}, epochs, None)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (0.0, [1, 2, 4]),
        (0.5, [1, 5 / 3, 3]),  # 0.5 / 0.5, 1.25 / 0.75, 2.625 / 0.875
        (0.9, [1, 0.29 / 0.19, 0.661 / 0.271]),
    ],
)
def test_smoothing_is_a_running_mean_that_does_not_start_at_zero(weight: float, expected: list[float]) -> None:
    assert curve_data.smoothed(np.array([1.0, 2.0, 4.0]), weight) == pytest.approx(expected)


def test_smoothing_passes_over_what_is_not_a_number() -> None:
    smooth = curve_data.smoothed(np.array([1.0, NAN, 2.0, float("inf"), 4.0]), 0.5)
    assert smooth == pytest.approx([1, NAN, 5 / 3, float("inf"), 3], nan_ok=True)


@pytest.mark.parametrize(
    ("count", "drawn"),
    [(0, []), (1, [0]), (4, [0, 1, 2, 3]), (5, [0, 2, 4]), (10, [0, 4, 8, 9]), (11, [0, 4, 8, 10])],
)
def test_of_many_steps_some_are_drawn_and_always_the_last(count: int, drawn: list[int]) -> None:
    assert curve_data.drawn_steps(count, most=4).tolist() == drawn


def test_an_epoch_is_one_long_whatever_its_number_of_steps() -> None:
    # Four steps, then two; the third epoch is thought to be as long as the second.
    positions = curve_data.step_positions(rows(7, 4, 6), "epochs")
    assert positions == pytest.approx([0.25, 0.5, 0.75, 1, 1.5, 2, 2.5])


def test_the_first_epoch_is_as_long_as_is_known_before() -> None:
    assert curve_data.step_positions(rows(2), "epochs", first_epoch=4) == pytest.approx([0.25, 0.5])
    assert curve_data.step_positions(rows(3), "epochs") == pytest.approx([1 / 3, 2 / 3, 1])
    assert curve_data.step_positions(rows(5), "epochs", first_epoch=4)[-1] == 1  # longer than was thought


def test_an_epoch_that_is_longer_than_the_one_before_does_not_reach_beyond_its_end() -> None:
    assert curve_data.step_positions(rows(10, 2), "epochs")[[1, -1]] == pytest.approx([1, 2])


def test_other_axes() -> None:
    run = rows(4, 2, 4)
    assert curve_data.step_positions(run, "steps").tolist() == [1, 2, 3, 4]
    assert curve_data.step_positions(run, "minutes").tolist() == [0.5, 1, 1.5, 2]
    assert curve_data.epoch_positions(run.epochs, "epochs").tolist() == [1, 2]
    assert curve_data.epoch_positions(run.epochs, "steps").tolist() == [2, 4]
    assert curve_data.epoch_positions(run.epochs, "minutes").tolist() == [1, 2]
    assert curve_data.step_positions(rows(0), "epochs").tolist() == []


@pytest.mark.parametrize(
    ("runs", "steps"),
    # of 3,000 steps every 16th is 188, every 32nd 94, every 64th 47, every 128th 24; and the last one
    [(1, 189), (2, 48), (3, 48), (4, 25), (5, 25), (6, 25)],
)
def test_several_runs_share_the_points_of_a_chart(runs: int, steps: int) -> None:
    assert len(curve_data.drawn_steps(3000, curve_data.most_steps(runs))) == steps


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
    assert curve_data.x_end(axis, row, epochs, active) == pytest.approx(end)
