"""Lines, looked at as the Vega-Lite specification and the table of points that they become."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from maskrcnn.studio.components.chart import Chart
from maskrcnn.studio.components.line_charts import Kind, Line, line_chart


def line(ys: list[float], kind: Kind = "training", **about: Any) -> Line:
    return Line(np.arange(1.0, len(ys) + 1), np.array(ys), kind, "#123456", **about)


def layers(chart: Chart, mark: str) -> list[dict[str, Any]]:
    return [layer for layer in chart.spec["layer"] if layer["mark"]["type"] == mark]


def points(chart: Chart) -> pd.DataFrame:
    return chart.tables["points"].to_pandas()


def domain(chart: Chart, channel: str) -> list[float]:
    return chart.spec["encoding"][channel]["scale"]["domain"]


def test_training_is_solid_and_validation_dashed() -> None:
    [epochs] = [
        layer for layer in layers(line_chart([line([1.0])], 200), "line") if "strokeDash" in layer.get("encoding", {})
    ]
    scale = epochs["encoding"]["strokeDash"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {"training": [1, 0], "validation": [6, 4]}


def test_training_points_are_filled_and_validation_points_hollow() -> None:
    marks = layers(line_chart([line([1.0])], 200), "point")
    filled = {layer["transform"][0]["filter"]: layer["mark"]["filled"] for layer in marks if "filled" in layer["mark"]}
    assert filled == {"datum.kind === 'training'": True, "datum.kind === 'validation'": False}


def test_steps_are_fainter_than_what_is_smoothed_and_fainter_the_more_runs_there_are() -> None:
    def opacity(*lines: Line) -> float:
        return layers(line_chart(lines, 200), "line")[0]["mark"]["opacity"]

    alone, with_mean = opacity(line([1.0], "steps")), opacity(line([1.0], "steps"), line([1.0], "smoothed"))
    assert with_mean < alone
    assert opacity(*[line([1.0], "steps")] * 3) < alone
    assert layers(line_chart([line([1.0], "steps")], 200), "line")[1]["mark"]["opacity"] > alone


def test_what_is_not_a_number_is_left_out() -> None:
    chart = line_chart([line([0.1, float("nan"), float("inf"), 0.4])], 200)
    assert list(points(chart)["x"]) == [1, 4]


def test_axes_do_not_move_when_a_point_arrives() -> None:
    first, second = (line_chart([line([2.4, 2.2, 2.0, 1.8][:count])], 200, end=20) for count in (3, 4))
    assert first.spec == second.spec
    assert domain(first, "x") == [0, 20]
    assert domain(first, "y") == [0, 2.5]


def test_one_wild_step_does_not_press_the_others_flat() -> None:
    steps = line([1.0] * 99 + [80.0], "steps")
    assert domain(line_chart([steps], 200), "y") == [0, 1]
    assert domain(line_chart([steps, line([7.0])], 200), "y") == [0, 8]  # but every epoch has to be seen


def test_a_logarithmic_axis_lies_around_the_values_and_leaves_out_zero() -> None:
    chart = line_chart([line([0.0, 0.03, 0.7])], 200, log=True)
    assert domain(chart, "y") == pytest.approx([0.02, 0.8])
    assert list(points(chart)["y"]) == pytest.approx([0.03, 0.7])


def test_the_point_under_the_pointer_tells_its_notes() -> None:
    noted = line([0.5, 0.4], notes=[{"at": "epoch 1", "loss": "0.5"}, {"at": "epoch 2", "loss": "0.4"}])
    chart = line_chart([noted, line([0.3], "validation")], 200)
    hover = chart.spec["layer"][-1]
    assert [(tip["field"], tip["title"]) for tip in hover["encoding"]["tooltip"]] == [
        ("tip0", "at"),
        ("tip1", "loss"),
    ]
    assert list(points(chart)["note1"])[:2] == ["0.5", "0.4"]
    assert points(chart)["note0"].isna()[2]
    [near] = chart.spec["params"]
    assert near["select"]["nearest"]


@pytest.mark.parametrize(
    ("texts", "sent", "around"),
    [
        (["epoch 9, step 1 of it", "epoch 10, step 2 of it"], ["9, step 1", "10, step 2"], ("epoch ", " of it")),
        (["epoch 12", "epoch 13"], ["12", "13"], ("epoch ", "")),  # no digit, though both begin with one
        (["0:10 since then", "– since then"], ["0:10", "–"], ("", " since then")),
        (["aba 1 aba"], ["1"], ("aba ", " aba")),
        (["run", "run"], ["run", "run"], ("", "")),
        (['say "1"', 'say "2"'], ["1", "2"], ('say "', '"')),
    ],
)
def test_words_that_all_notes_share_are_sent_once(texts: list[str], sent: list[str], around: tuple[str, str]) -> None:
    chart = line_chart([line([0.1] * len(texts), notes=[{"at": text} for text in texts])], 200)
    assert list(points(chart)["note0"]) == sent
    [told] = chart.spec["layer"][-1]["transform"][1:]
    before, after = map(json.loads, told["calculate"].split(" + datum.note0 + "))
    assert (before, after) == around
    assert [before + text + after for text in sent] == texts


def test_a_line_without_notes_has_nothing_to_hover_over() -> None:
    assert not [
        layer for layer in line_chart([line([0.5])], 200).spec["layer"] if "tooltip" in layer.get("encoding", {})
    ]


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
    lines = [line([0.1, mask], "validation", name="mask AP"), line([0.1, box], "validation", name="box AP")]
    rows = points(line_chart(lines, 200, end=20, y_end=1.0))
    names = rows[rows["kind"] == "name"].set_index("text")
    assert {name: dy < 0 for name, dy in names["dy"].items()} == above
    assert set(names["x"]) == {2}
    upper, lower = ("box AP", "mask AP") if box > mask else ("mask AP", "box AP")
    assert names["dy"][upper] < names["dy"][lower]


def test_one_epoch_is_enough_for_a_picture_and_none_for_an_empty_one() -> None:
    assert domain(line_chart([line([0.4])], 200, end=1), "x") == [0, 2]
    assert len(points(line_chart([], 200))) == 0
