"""The rows of runs as lines: what is drawn, in which colour, and what hovering over it says."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from maskrcnn.config import LOSSES
from maskrcnn.runs.metric_rows import MetricRows
from maskrcnn.studio.components.line_charts import line_chart
from maskrcnn.studio.runs import curve_charts, run_tables
from maskrcnn.studio.runs.curve_points import Curves
from maskrcnn.studio.runs.curve_words import GAUGES, LOSS_COLOURS, LOSS_TITLES


def epoch(number: int, **values: Any) -> dict[str, Any]:
    losses = dict.fromkeys(("loss", *LOSSES), 0.1 * number)
    return {"event": "epoch", "epoch": number, "step": 2 * number, "elapsed": 30.0 * number, **losses, **values}


def run(*epochs: dict[str, Any], steps: int = 4, **about: Any) -> Curves:
    numbers = np.arange(1.0, steps + 1)
    columns = {"epoch": (numbers + 1) // 2, "step": numbers, "elapsed": 15 * numbers}
    columns |= {loss: numbers for loss in ("loss", *LOSSES)}
    columns |= {"memory_mb": 1e9 / 2**20 * numbers, "rpn_positives": numbers, "rpn_negatives": 2 * numbers}
    return Curves(MetricRows(columns, epochs, None), **about)


def test_a_loss_has_its_steps_and_both_kinds_of_epochs() -> None:
    curves = run(epoch(1, val_mrcnn_mask_loss=0.5), epoch(2))
    lines = {line.kind: line for line in curve_charts.loss_lines([curves], "mrcnn_mask_loss", "epochs", 0.0)}
    assert list(lines) == ["steps", "training", "validation"]
    assert lines["steps"].x.tolist() == [0.5, 1, 1.5, 2]
    assert lines["steps"].y.tolist() == [1, 2, 3, 4]
    assert lines["training"].x.tolist() == lines["validation"].x.tolist() == [1, 2]  # steps 2 and 4
    assert lines["training"].y.tolist() == [0.1, 0.2]
    assert lines["validation"].y == pytest.approx([0.5, np.nan], nan_ok=True)
    assert {line.colour for line in lines.values()} == {LOSS_COLOURS["mrcnn_mask_loss"]}


def test_smoothing_adds_a_line_and_leaves_the_steps() -> None:
    lines = curve_charts.loss_lines([run()], "loss", "steps", 0.5)
    assert [(line.kind, line.y[1]) for line in lines[:2]] == [("steps", 2), ("smoothed", pytest.approx(5 / 3))]


def test_hovering_over_the_sum_shows_every_loss_of_training_and_validation() -> None:
    full = epoch(2, **{f"val_{name}": 1.5 for name in ("loss", *LOSSES)})
    steps, training, _ = curve_charts.loss_lines([run(full)], "loss", "epochs", 0.0)
    [note] = training.notes
    assert list(note) == ["at", "time", *LOSS_TITLES.values()]
    assert (note["at"], note["time"]) == ("epoch 2, step 4", "1:00 since the start")
    assert note["mrcnn mask"] == "0.2000  ·  val 1.5000"
    assert (steps.notes[2]["at"], steps.notes[2]["mrcnn mask"]) == ("epoch 2, step 3", "3.0000")
    small = curve_charts.loss_lines([run(full)], "rpn_bbox_loss", "epochs", 0.0)[1].notes[0]
    assert list(small) == ["at", "time", "rpn bbox"]


@pytest.mark.parametrize(
    ("steps", "drawn", "words"),
    [(161, 161, ""), (162, 82, "every 2nd"), (300, 151, "every 2nd"), (640, 161, "every 2nd")],
)
def test_a_small_chart_draws_half_of_many_steps(steps: int, drawn: int, words: str) -> None:
    curves = run(steps=steps)
    large, small = (curve_charts.loss_lines([curves], "loss", "steps", 0.5, is_small) for is_small in (False, True))
    assert len(small[0].x) == len(small[1].x) == len(small[0].notes) == drawn
    assert set(small[0].x) <= set(large[0].x)
    assert (small[0].x[-1], small[1].y[-1]) == (large[0].x[-1], large[1].y[-1])  # the last one, smoothed over all
    assert small[0].notes[1] == large[0].notes[1 if drawn == steps else 2]
    assert words in curve_charts.small_charts_words([curves])
    assert bool(words) == bool(curve_charts.small_charts_words([curves]))


def test_without_validation_nothing_is_said_of_it() -> None:
    note = curve_charts.loss_lines([run(epoch(1))], "loss", "epochs", 0.0)[1].notes[0]
    assert note["loss"] == "0.1000"


def test_ap_of_one_run_has_a_named_line_for_each_kind() -> None:
    curves = run(epoch(1, segm_ap=None, bbox_ap=None), epoch(2, segm_ap=0.3, bbox_ap=0.4, keypoints_ap=0.6))
    fields = curve_charts.aps_in(curves.rows)
    assert fields == ("segm_ap", "bbox_ap", "keypoints_ap")
    lines = curve_charts.ap_lines([curves], fields, "epochs")
    assert lines[0].x.tolist() == [1, 2]
    assert {line.name: line.y[1] for line in lines} == {"mask AP": 0.3, "box AP": 0.4, "keypoint AP": 0.6}
    assert len({line.colour for line in lines}) == len({line.shape for line in lines}) == 3
    assert lines[0].notes[0]["mask AP"] == "–"
    assert lines[0].notes[1]["mask AP"] == "0.300"


def test_several_runs_have_a_line_each_in_their_own_colour() -> None:
    both = [
        run(epoch(1, segm_ap=0.1, bbox_ap=0.2), name="a", colour="#111111", shape="circle"),
        run(epoch(1, segm_ap=0.3, bbox_ap=0.4), name="b", colour="#222222", shape="square"),
    ]
    lines = curve_charts.ap_lines(both, ("segm_ap", "bbox_ap"), "epochs")
    assert [(line.colour, line.shape, line.y[0], line.name) for line in lines] == [
        ("#111111", "circle", 0.1, ""),
        ("#222222", "square", 0.3, ""),
    ]
    losses = curve_charts.loss_lines(both, "loss", "epochs", 0.0)
    assert {line.colour for line in losses} == {"#111111", "#222222"}
    assert {note["run"] for line in losses for note in line.notes} == {"a", "b"}


MASKS, BOXES = {"segm_ap": 0.3, "bbox_ap": 0.4}, {"bbox_ap": 0.5}
POSES, BLIND = {"bbox_ap": 0.6, "keypoints_ap": 0.7}, {}


@pytest.mark.parametrize(
    ("runs", "drawn"),
    [
        ([MASKS, BOXES], ("bbox_ap", [0.4, 0.5])),
        ([BOXES, MASKS], ("bbox_ap", [0.5, 0.4])),  # in whatever order they were chosen
        ([MASKS, POSES], ("bbox_ap", [0.4, 0.6])),
        ([POSES, POSES], ("keypoints_ap", [0.7, 0.7])),
        ([MASKS, MASKS], ("segm_ap", [0.3, 0.3])),
        ([BLIND, MASKS], ("segm_ap", [np.nan, 0.3])),  # one without validation says nothing against masks
        ([{"segm_ap": None, "bbox_ap": 0.4}, MASKS], ("bbox_ap", [0.4, 0.4])),
    ],
)
def test_runs_of_several_tasks_are_compared_by_the_finest_that_all_have(
    runs: list[dict[str, Any]], drawn: tuple[str, list[float]]
) -> None:
    curves = [run(epoch(1, **values), name=f"{number}") for number, values in enumerate(runs)]
    fields = curve_charts.aps_drawn(curves)
    lines = curve_charts.ap_lines(curves, fields, "steps")
    assert (fields[0], [line.y[0] for line in lines]) == (drawn[0], pytest.approx(drawn[1], nan_ok=True))


def test_epochs_that_do_not_say_when_they_ended_are_drawn_all_the_same() -> None:
    rows = [epoch(1, segm_ap=0.3, elapsed=None), epoch(2, segm_ap=0.4)]
    del rows[1]["elapsed"]
    curves = run(*rows)
    for axis in ("epochs", "steps", "minutes"):
        _, training, _ = curve_charts.loss_lines([curves], "loss", axis, 0.0)
        assert training.notes[1]["time"] == "– since the start"
        assert np.isnan(training.x).all() == (axis == "minutes")
    assert [line.notes[0]["mask AP"] for line in curve_charts.ap_lines([curves], ("segm_ap",), "steps")] == ["0.300"]


def test_a_gauge_has_a_line_for_each_thing_that_was_recorded() -> None:
    gauges = {gauge.title: gauge for gauge in GAUGES}
    [memory] = curve_charts.gauge_lines([run()], gauges["memory, GB"], "epochs", 0.0)
    assert memory.y == pytest.approx([1, 2, 3, 4])  # billions of bytes
    assert memory.notes[3] == {"at": "epoch 2, step 4", "time": "1:00 since the start", "memory": "4.0000"}
    assert len(curve_charts.gauge_lines([run()], gauges["anchors sampled"], "epochs", 0.0)) == 2
    assert curve_charts.gauge_lines([run()], gauges["waiting, %"], "epochs", 0.0) == []


def test_what_is_not_noisy_is_never_smoothed() -> None:
    gauges = {gauge.title: gauge for gauge in GAUGES}
    [memory] = curve_charts.gauge_lines([run()], gauges["memory, GB"], "epochs", 0.9)
    assert memory.kind == "smoothed"
    assert memory.y == pytest.approx([1, 2, 3, 4])
    kinds = [line.kind for line in curve_charts.gauge_lines([run()], gauges["anchors sampled"], "epochs", 0.9)]
    assert kinds == ["steps", "smoothed"] * 2


def test_a_run_has_the_losses_of_its_rows() -> None:
    boxes = {"event": "epoch", "epoch": 1, "loss": 1.0, **dict.fromkeys(LOSSES[:4], 0.2)}
    assert curve_charts.losses_in(MetricRows({}, (boxes,), boxes)) == LOSSES[:4]
    assert curve_charts.losses_in(run().rows) == LOSSES


def test_the_table_has_a_line_per_epoch_and_no_empty_column() -> None:
    table = run_tables.epoch_table([epoch(1, segm_ap=0.25), epoch(2, segm_ap=None)])
    assert list(table["epoch"]) == [1, 2]
    assert table["segm_ap"].iloc[0] == 0.25
    assert {"loss", *LOSSES, "seconds_since_start", "seconds_of_epoch"} <= set(table.columns)
    assert not {"val_loss", "bbox_ap"} & set(table.columns)


def test_the_charts_of_a_long_run_are_sent_in_less_than_170_kb() -> None:
    """A page sends less than 200 kB, of which the charts are the most; a chart is Arrow bytes and a specification."""
    losses = {loss: 0.123456 for loss in ("loss", *LOSSES[:5])}
    epochs = [epoch(number, **losses, **{f"val_{name}": 0.2 for name in losses}) for number in range(1, 26)]
    curves = run(*epochs, steps=320, pass_steps=12.5)
    sent = 0
    for loss in losses:
        lines = curve_charts.loss_lines([curves], loss, "epochs", 0.6, is_small=loss != "loss")
        chart = line_chart(lines, 150, "epochs", 25)
        sent += len(json.dumps(chart.spec)) + len(chart.tables["points"].to_batches()[0].serialize())
    assert 100_000 < sent < 170_000
