"""The rows of runs as lines: what is drawn, in which colour, and what hovering over it says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from maskrcnn.config import LOSSES
from maskrcnn.runs.metric_rows import MetricRows
from maskrcnn.studio.components.chart import Chart
from maskrcnn.studio.runs import curve_charts, curve_data, curve_words, run_tables
from maskrcnn.studio.runs.curve_charts import CurveView
from maskrcnn.studio.runs.curve_data import Curves, most_steps
from maskrcnn.studio.runs.curve_words import AP_NAMES, GAUGES, LOSS_COLOURS, LOSS_TITLES, RUN_COLOURS, RUN_SHAPES


def epoch(number: int, **values: Any) -> dict[str, Any]:
    losses = dict.fromkeys(("loss", *LOSSES), 0.1 * number)
    return {"event": "epoch", "epoch": number, "step": 2 * number, "elapsed": 30.0 * number, **losses, **values}


def run(*epochs: dict[str, Any], steps: int = 4, **about: Any) -> Curves:
    numbers = np.arange(1.0, steps + 1)
    columns = {"epoch": (numbers + 1) // 2, "step": numbers, "elapsed": 15 * numbers}
    columns |= {loss: numbers for loss in ("loss", *LOSSES)}
    columns |= {"memory_mb": 1e9 / 2**20 * numbers, "rpn_positives": numbers, "rpn_negatives": 2 * numbers}
    return Curves(MetricRows(columns, epochs, None), **about)


def view(axis: Any = "epochs", smoothing: float = 0.0) -> CurveView:
    return CurveView(axis, 0.0, smoothing, False)


def drawn(chart: Chart) -> dict[str, list[tuple[float, float]]]:
    """Mark and column of each layer -> (x, y) of its points, as the browser computes them from table and transforms."""
    points = chart.tables["points"].to_pandas()
    decode = {step["as"]: float(step["calculate"].split(" * ")[1]) for step in chart.spec["transform"][:-2]}
    points = points.assign(**{name: points[name] * factor for name, factor in decode.items()})
    x = points["epoch"].where(points["is_epoch"], points["x"])
    found: dict[str, list[tuple[float, float]]] = {}
    for layer in chart.spec["layer"]:
        column = layer["encoding"]["y"]["field"]
        if column in points and layer["mark"]["type"] == "line":
            there = points["is_epoch"] == ("!" not in layer["transform"][0]["filter"])
            chosen = there & points[column].notna()
            dash = "dashed " if layer["mark"].get("strokeDash") == [6, 4] else ""
            kind = "epochs" if there.equals(points["is_epoch"]) else "steps"
            found[f"{dash}{column} of {kind}"] = list(zip(x[chosen], points[column][chosen], strict=True))
    return found


def tooltips(chart: Chart) -> dict[str, str]:
    """Title -> expression of each row of the tooltips."""
    hovered = next(layer for layer in chart.spec["layer"] if layer.get("name") == "hovered")
    texts = {step["as"]: step["calculate"] for step in hovered["transform"] if "calculate" in step}
    return {tip["title"]: texts[tip["field"]] for tip in hovered["encoding"]["tooltip"]}


def colours(chart: Chart) -> set[str]:
    """The colours of the lines and points of a chart of one run."""
    return {layer["mark"]["color"] for layer in chart.spec["layer"] if layer.get("name") != "hovered"}


def close(points: list[tuple[float, float]]) -> Any:
    return [pytest.approx(point, abs=1e-4) for point in points]


def test_a_loss_has_its_steps_and_both_kinds_of_epochs() -> None:
    curves = run(epoch(1, val_mrcnn_mask_loss=0.5), epoch(2))
    chart = curve_charts.loss_chart([curves], "mrcnn_mask_loss", view())
    assert colours(chart) == {LOSS_COLOURS["mrcnn_mask_loss"]}
    assert drawn(chart) == {
        "mrcnn_mask_loss of steps": close([(0.5, 1), (1, 2), (1.5, 3), (2, 4)]),
        "mrcnn_mask_loss of epochs": close([(1, 0.1), (2, 0.2)]),  # steps 2 and 4
        "dashed val_mrcnn_mask_loss of epochs": close([(1, 0.5)]),
    }


def test_smoothing_adds_a_line_and_leaves_the_steps() -> None:
    lines = drawn(curve_charts.loss_chart([run()], "loss", view(smoothing=0.5)))
    assert (lines["loss of steps"][1][1], lines["smoothed of steps"][1][1]) == pytest.approx((2, 5 / 3), abs=1e-4)


def test_hovering_over_the_sum_shows_every_loss_of_training_and_validation() -> None:
    full = epoch(2, **{f"val_{name}": 1.5 for name in ("loss", *LOSSES)})
    chart = curve_charts.loss_chart([run(full)], "loss", view())
    texts = tooltips(chart)
    assert list(texts) == ["at", "time", *LOSS_TITLES.values()]
    assert "datum.mrcnn_mask_loss" in texts["mrcnn mask"]
    assert "datum.val_mrcnn_mask_loss" in texts["mrcnn mask"]
    last = chart.tables["points"].to_pylist()[-1]
    assert (last["epoch"], last["step"], last["elapsed"]) == (2, 4, 60)
    assert (last["mrcnn_mask_loss"], last["val_mrcnn_mask_loss"]) == (2000, 15000)  # ten-thousandths
    assert list(tooltips(curve_charts.loss_chart([run(full)], "rpn_bbox_loss", view()))) == ["at", "time", "rpn bbox"]


@pytest.mark.parametrize(
    ("steps", "n_drawn", "words"),
    [(161, 161, ""), (162, 82, "every 2nd"), (300, 151, "every 2nd"), (640, 161, "every 2nd")],
)
def test_a_small_chart_draws_half_of_many_steps(steps: int, n_drawn: int, words: str) -> None:
    curves = run(steps=steps)
    large, small = (
        drawn(curve_charts.loss_chart([curves], "loss", view("epochs", 0.5), is_small)) for is_small in (False, True)
    )
    for name in ("loss of steps", "smoothed of steps"):
        assert len(small[name]) == n_drawn
        assert set(small[name]) <= set(large[name])
        assert small[name][-1] == large[name][-1]  # the last one, smoothed over all
    assert words in curve_words.small_charts_words(curves.is_thinned_in_small)
    assert bool(words) == bool(curve_words.small_charts_words(curves.is_thinned_in_small))


def test_ap_of_one_run_has_a_named_line_for_each_kind() -> None:
    curves = run(epoch(1, segm_ap=None, bbox_ap=None), epoch(2, segm_ap=0.3, bbox_ap=0.4, keypoints_ap=0.6))
    fields = curve_data.aps_in(curves.rows)
    assert fields == ("segm_ap", "bbox_ap", "keypoints_ap")
    chart = curve_charts.ap_chart([curves], fields, view())
    names = chart.tables["names"].to_pandas().set_index("text")
    assert dict(names["y"]) == pytest.approx({"mask AP": 0.3, "box AP": 0.4, "keypoint AP": 0.6})
    points = [layer["mark"] for layer in chart.spec["layer"] if layer["mark"]["type"] == "point"][:-1]
    assert len({mark["color"] for mark in points}) == len({mark["shape"] for mark in points}) == 3
    assert list(tooltips(chart)) == ["at", "time", "mask AP", "box AP", "keypoint AP"]
    assert chart.tables["points"].to_pydict()["segm_ap"] == [None, 300]


def test_several_runs_have_a_line_each_in_their_own_colour() -> None:
    both = [
        run(epoch(1, segm_ap=0.1, bbox_ap=0.2), name="a", colour="#111111", shape="circle"),
        run(epoch(1, segm_ap=0.3, bbox_ap=0.4), name="b", colour="#222222", shape="square"),
    ]
    chart = curve_charts.ap_chart(both, ("segm_ap", "bbox_ap"), view("passes"))
    assert chart.spec["encoding"]["color"]["scale"] == {"domain": [0, 1], "range": ["#111111", "#222222"]}
    [line, point, _] = chart.spec["layer"]
    assert (line["encoding"]["y"]["field"], point["encoding"]["y"]["field"]) == ("segm_ap", "segm_ap")
    assert point["encoding"]["shape"]["scale"]["range"] == ["circle", "square"]
    points = chart.tables["points"].to_pydict()
    assert (points["run"], points["segm_ap"]) == ([0, 1], [100, 300])
    assert tooltips(chart)["run"] == '["a", "b"][datum.run]'
    assert "names" not in chart.tables

    both[1] = run(epoch(1, rpn_bbox_loss=0.7), steps=2, name="b", colour="#222222", shape="square")
    losses = curve_charts.loss_chart(both, "rpn_bbox_loss", view("steps"))
    assert losses.spec["encoding"]["color"]["scale"]["range"] == ["#111111", "#222222"]
    points = losses.tables["points"].to_pydict()
    assert points["run"] == [0, 0, 0, 0, 0, 1, 1, 1]  # four steps and an epoch, two steps and an epoch
    assert points["rpn_bbox_loss"] == [10_000, 20_000, 30_000, 40_000, 1_000, 10_000, 20_000, 7_000]
    assert tooltips(losses)["run"] == '["a", "b"][datum.run]'


MASKS, BOXES = {"segm_ap": 0.3, "bbox_ap": 0.4}, {"bbox_ap": 0.5}
POSES, BLIND = {"bbox_ap": 0.6, "keypoints_ap": 0.7}, {}


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([MASKS, BOXES], ("bbox_ap", [0.4, 0.5])),
        ([BOXES, MASKS], ("bbox_ap", [0.5, 0.4])),  # in whatever order they were chosen
        ([MASKS, POSES], ("bbox_ap", [0.4, 0.6])),
        ([POSES, POSES], ("keypoints_ap", [0.7, 0.7])),
        ([MASKS, MASKS], ("segm_ap", [0.3, 0.3])),
        ([BLIND, MASKS], ("segm_ap", [None, 0.3])),  # one without validation says nothing against masks
        ([{"segm_ap": None, "bbox_ap": 0.4}, MASKS], ("bbox_ap", [0.4, 0.4])),
    ],
)
def test_runs_of_several_tasks_are_compared_by_the_finest_that_all_have(
    runs: list[dict[str, Any]], expected: tuple[str, list[float | None]]
) -> None:
    curves = [run(epoch(1, **values), name=f"{number}") for number, values in enumerate(runs)]
    fields = curve_data.aps_drawn(curves)
    column = curve_charts.ap_chart(curves, fields, view("steps")).tables["points"].to_pydict()[fields[0]]
    assert (fields[0], [None if ap is None else ap / 1000 for ap in column]) == expected


def test_epochs_that_do_not_say_when_they_ended_are_drawn_all_the_same() -> None:
    rows = [epoch(1, segm_ap=0.3, elapsed=None), epoch(2, segm_ap=0.4)]
    del rows[1]["elapsed"]
    curves = run(*rows)
    ends = {"epochs": [1, 2], "steps": [2, 4]}
    for axis in ("epochs", "steps", "minutes"):
        chart = curve_charts.loss_chart([curves], "loss", view(axis))
        epochs = [row for row in chart.tables["points"].to_pylist() if row["is_epoch"]]
        assert [(row["elapsed"], row["step"]) for row in epochs] == [(None, 2), (None, 4)]
        assert tooltips(chart)["time"].startswith("(datum.elapsed === null ? '–'")
        positions = curves.epoch_points(axis, ()).x
        assert positions == pytest.approx(ends.get(axis, [np.nan] * 2), nan_ok=True)
    ap = curve_charts.ap_chart([curves], ("segm_ap",), view("steps")).tables["points"].to_pydict()
    assert (ap["segm_ap"], ap["step"], ap["elapsed"]) == ([300, 400], [2, 4], [None, None])


def test_a_gauge_has_a_line_for_each_thing_that_was_recorded() -> None:
    gauges = {gauge.title: gauge for gauge in GAUGES}
    memory = curve_charts.gauge_chart([run()], gauges["memory, GB"], view())
    assert [y for _, y in drawn(memory)["memory_mb of steps"]] == close([1, 2, 3, 4])  # billions of bytes
    assert list(tooltips(memory)) == ["at", "time", "memory"]
    assert len(drawn(curve_charts.gauge_chart([run()], gauges["anchors sampled"], view()))) == 2
    assert drawn(curve_charts.gauge_chart([run()], gauges["waiting, %"], view())) == {}


def test_what_is_not_noisy_is_never_smoothed() -> None:
    gauges = {gauge.title: gauge for gauge in GAUGES}
    memory = drawn(curve_charts.gauge_chart([run()], gauges["memory, GB"], view(smoothing=0.9)))
    assert list(memory) == ["memory_mb of steps"]
    anchors = drawn(curve_charts.gauge_chart([run()], gauges["anchors sampled"], view(smoothing=0.9)))
    assert len(anchors) == 4


def test_a_run_has_the_losses_of_its_rows() -> None:
    boxes = {"event": "epoch", "epoch": 1, "loss": 1.0, **dict.fromkeys(LOSSES[:4], 0.2)}
    assert curve_data.losses_in(MetricRows({}, (boxes,), boxes)) == LOSSES[:4]
    assert curve_data.losses_in(run().rows) == LOSSES


def test_the_table_has_a_line_per_epoch_and_no_empty_column() -> None:
    table = run_tables.epoch_table([epoch(1, segm_ap=0.25), epoch(2, segm_ap=None)])
    assert list(table["epoch"]) == [1, 2]
    assert table["segm_ap"].iloc[0] == 0.25
    assert {"loss", *LOSSES, "seconds_since_start", "seconds_of_epoch"} <= set(table.columns)
    assert not {"val_loss", "bbox_ap"} & set(table.columns)


def long_run(number: int, n_runs: int) -> Curves:
    """A run of 100 epochs and 20,000 steps with every loss, AP and gauge; one of `n_runs` in a chart."""
    random = np.random.default_rng(number)
    steps = np.arange(1.0, 20_001)
    columns = {"epoch": np.ceil(steps / 200), "step": steps, "elapsed": 0.7 * steps}
    columns |= {loss: random.uniform(0.01, 2.5, len(steps)) for loss in ("loss", *LOSSES)}
    columns |= {line[0]: random.uniform(0, 300, len(steps)) for gauge in GAUGES for line in gauge.lines}
    names = ["loss", *LOSSES, *(f"val_{loss}" for loss in ("loss", *LOSSES)), *AP_NAMES]
    epochs = tuple(
        {"event": "epoch", "epoch": epoch, "step": 200 * epoch, "elapsed": 140.0 * epoch}
        | dict(zip(names, random.uniform(0.01, 1, len(names)).tolist(), strict=True))
        for epoch in range(1, 101)
    )
    rows = MetricRows(columns, epochs, epochs[-1])
    if n_runs == 1:
        return Curves(rows, 200, pass_steps=200)
    return Curves(rows, 200, f"r-{number}", RUN_COLOURS[number], RUN_SHAPES[number], 200.5, most_steps(n_runs))


def sent_bytes(chart: Chart) -> int:
    """The bytes of a chart as it is sent: the specification as JSON, each table as an Arrow stream."""
    tables = 0
    for part in chart.tables.values():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, part.schema) as stream:
            stream.write_table(part)
        tables += sink.getvalue().size
    return len(json.dumps(chart.spec)) + tables


@pytest.mark.parametrize(
    ("n_runs", "axis", "with_gauges"), [(1, "epochs", True), (6, "passes", False), (6, "minutes", False)]
)
def test_the_charts_of_long_runs_are_sent_in_less_than_160_kb(n_runs: int, axis: Any, with_gauges: bool) -> None:
    """The Runs page sends less than 200 kB in a fresh visit, of which the charts are the most."""
    curves = [long_run(number, n_runs) for number in range(n_runs)]
    look = view(axis, 0.6)
    charts = [curve_charts.loss_chart(curves, loss, look, is_small=loss != "loss") for loss in ("loss", *LOSSES)]
    charts.append(curve_charts.ap_chart(curves, curve_data.aps_drawn(curves), look))
    charts += [curve_charts.gauge_chart(curves, gauge, look) for gauge in GAUGES if with_gauges]
    assert 90_000 < sum(map(sent_bytes, charts)) < 160_000
