"""Lines, looked at as the Vega-Lite specification and the tables of numbers that they become."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from maskrcnn.studio.components.chart import Chart
from maskrcnn.studio.components.chart_points import DrawnRun, RunPoints, fixed_point
from maskrcnn.studio.components.chart_tooltips import Tooltip
from maskrcnn.studio.components.line_charts import Kind, Line, line_chart, line_name_offsets


def points_of(ys: dict[str, list[float]], is_epochs: bool = True, run: DrawnRun | None = None) -> RunPoints:
    """Points at x = 1, 2, ..., which are also their epochs, with 2 steps and 30 seconds for each."""
    x = np.arange(1.0, len(next(iter(ys.values()))) + 1)
    values = {name: np.array(column) for name, column in ys.items()}
    return RunPoints(run or DrawnRun(), is_epochs, x, x, 2 * x, 30 * x, values)


def chart_of(kind: Kind, ys: list[float], height: int = 200, **about: Any) -> Chart:
    """A chart of one line of one run."""
    points = points_of({"loss": ys}, is_epochs=kind in ("training", "validation"))
    return line_chart([points], [Line("loss", kind, "#123456")], [], height, **about)


def layers(chart: Chart, mark: str) -> list[dict[str, Any]]:
    return [layer for layer in chart.spec["layer"] if layer["mark"]["type"] == mark]


def points(chart: Chart) -> pd.DataFrame:
    return chart.tables["points"].to_pandas()


def domain(chart: Chart, channel: str) -> list[float]:
    return chart.spec["encoding"][channel]["scale"]["domain"]


BOTH = [Line("loss", "training", "#123456"), Line("val_loss", "validation", "#123456")]


def test_training_is_solid_and_filled_and_validation_dashed_and_hollow() -> None:
    chart = line_chart([points_of({"loss": [1.0], "val_loss": [2.0]})], BOTH, [], 200)
    dashes = {layer["encoding"]["y"]["field"]: layer["mark"]["strokeDash"] for layer in layers(chart, "line")}
    assert dashes == {"loss": [1, 0], "val_loss": [6, 4]}
    filled = {layer["encoding"]["y"]["field"]: layer["mark"]["filled"] for layer in layers(chart, "point")}
    assert filled == {"loss": True, "val_loss": False}


def test_steps_are_fainter_than_what_is_smoothed_and_fainter_the_more_runs_there_are() -> None:
    def opacity(n_runs: int = 1, *more: Line) -> float:
        runs = [DrawnRun(f"{number}", "#123456", "circle") for number in range(n_runs)]
        parts = [points_of({"loss": [1.0], "smoothed": [1.0]}, False, run) for run in runs]
        chart = line_chart(parts, [Line("loss", "steps", "#123456"), *more], [], 200)
        return layers(chart, "line")[0]["mark"]["opacity"]

    smoothed = Line("smoothed", "smoothed", "#123456", has_tooltips=False)
    assert opacity(1, smoothed) < opacity()
    assert opacity(3) < opacity()
    assert layers(chart_of("smoothed", [1.0]), "line")[0]["mark"]["opacity"] > opacity()


def test_what_is_not_a_number_is_left_out() -> None:
    chart = chart_of("training", [0.1, float("nan"), float("inf"), 0.4])
    assert list(points(chart)["loss"].isna()) == [False, True, True, False]
    assert all("isValid(datum.loss)" in layer["transform"][0]["filter"] for layer in chart.spec["layer"])


def test_axes_do_not_move_when_a_point_arrives() -> None:
    first, second = (chart_of("training", [2.4, 2.2, 2.0, 1.8][:count], end=20) for count in (3, 4))
    assert first.spec == second.spec
    assert domain(first, "x") == [0, 20]
    assert domain(first, "y") == [0, 2.5]


def test_one_wild_step_does_not_press_the_others_flat() -> None:
    wild = [1.0] * 99 + [80.0]
    assert domain(chart_of("steps", wild), "y") == [0, 1]
    parts = [points_of({"loss": wild}, is_epochs=False), points_of({"loss": [7.0]})]
    chart = line_chart(parts, [Line("loss", "steps", "#123456"), Line("loss", "training", "#123456")], [], 200)
    assert domain(chart, "y") == [0, 8]  # but every epoch has to be seen


def test_a_logarithmic_axis_lies_around_the_values_and_leaves_out_zero() -> None:
    chart = chart_of("training", [0.0, 0.03, 0.7], log=True)
    assert domain(chart, "y") == pytest.approx([0.02, 0.8])
    assert all("datum.loss > 0" in layer["transform"][0]["filter"] for layer in chart.spec["layer"])


def test_the_point_under_the_pointer_tells_where_it_is_and_its_numbers() -> None:
    parts = [points_of({"loss": [0.5, 0.4], "val_loss": [0.6, 0.7]}, run=DrawnRun("a", "#123456", "square", 12.5))]
    chart = line_chart(parts, BOTH, [Tooltip("loss", "loss", "val_loss")], 200)
    hover = chart.spec["layer"][-1]
    assert [tip["title"] for tip in hover["encoding"]["tooltip"]] == ["run", "at", "time", "loss"]
    texts = [step["calculate"] for step in hover["transform"] if "calculate" in step]
    assert texts[0] == '["a"][datum.run]'
    assert "'epoch ' + datum.epoch + ', step ' + datum.step" in texts[1]
    assert "datum.loss" in texts[3]
    assert "datum.val_loss" in texts[3]
    [near] = chart.spec["params"]
    assert near["select"]["nearest"]


def test_a_line_without_tooltips_has_nothing_to_hover_over() -> None:
    line = Line("loss", "training", "#123456", has_tooltips=False)
    chart = line_chart([points_of({"loss": [0.5]})], [line], [Tooltip("loss", "loss")], 200)
    assert not [layer for layer in chart.spec["layer"] if "tooltip" in layer["encoding"]]


@pytest.mark.parametrize(
    ("values", "decimals", "dtype"),
    [
        ([0.001, 0.0, 6.5], None, "uint16"),
        ([0.0009, 0.5], None, "float"),  # shown with more decimals
        ([0.5, 6.6], None, "float"),
        ([-0.5], None, "float"),
        ([0.0004, 1.0], 3, "uint16"),
        ([0.25], 3, "uint8"),
    ],
)
def test_numbers_are_sent_in_the_shortest_type_that_holds_what_is_shown(
    values: list[float], decimals: int | None, dtype: str
) -> None:
    array, factor = fixed_point(np.array(values), decimals)
    assert str(array.type) == dtype
    shown = 10 ** -(4 if decimals is None else decimals)
    assert np.array(array.to_pylist()) * factor == pytest.approx(values, abs=shown / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("axis", "expression", "is_sent"),
    [
        ("epochs", "datum.is_epoch ? datum.epoch : datum.x", True),
        ("passes", "datum.step / [12.5][datum.run]", False),
        ("steps", "datum.step", False),
        ("minutes", "datum.elapsed === null ? null : datum.elapsed / 60", False),
    ],
)
def test_x_is_computed_from_what_the_tooltips_show(axis: Any, expression: str, is_sent: bool) -> None:
    chart = line_chart([points_of({"loss": [0.5]}, run=DrawnRun(pass_steps=12.5))], BOTH[:1], [], 200, axis)
    assert {"calculate": expression, "as": "x"} in chart.spec["transform"]
    assert ("x" in points(chart)) == is_sent


@pytest.mark.parametrize(
    ("mask", "box", "above"),
    [
        (0.3, 0.4, {"box AP": True, "mask AP": False}),
        (0.4, 0.3, {"box AP": False, "mask AP": True}),
        (0.0, 0.02, {"box AP": True, "mask AP": True}),  # not on the axis
        (0.95, 0.97, {"box AP": False, "mask AP": False}),  # not outside the plot
    ],
)
def test_lines_are_named_beside_their_ends(mask: float, box: float, above: dict[str, bool]) -> None:
    lines = [Line(name, "validation", "#123456", name=f"{name} AP") for name in ("mask", "box")]
    chart = line_chart([points_of({"mask": [0.1, mask], "box": [0.1, box]})], lines, [], 200, end=20, y_end=1.0)
    names = chart.tables["names"].to_pandas().set_index("text")
    assert {name: dy < 0 for name, dy in names["dy"].items()} == above
    assert set(names["x"]) == {2}
    upper, lower = ("box AP", "mask AP") if box > mask else ("mask AP", "box AP")
    assert names["dy"][upper] < names["dy"][lower]


def test_one_epoch_is_enough_for_a_picture_and_none_for_an_empty_one() -> None:
    assert domain(chart_of("training", [0.4], end=1), "x") == [0, 2]
    assert len(points(line_chart([], [], [], 200))) == 0


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
    assert line_name_offsets(values, gap=7, text=14) == offsets
