"""The curves of a run, looked at as the Vega-Lite specifications that they become."""

from __future__ import annotations

from typing import Any

import pytest

from maskrcnn.config import LOSSES
from maskrcnn.studio import charts


def row(epoch: int, **values: float | None) -> dict[str, Any]:
    losses = {name: 0.1 * epoch for name in ("loss", *LOSSES)}
    return {
        "event": "epoch",
        "epoch": epoch,
        "step": 10 * epoch,
        "progress": 0.1 * epoch,
        "elapsed": 7.0,
        **losses,
        **values,
    }


def data(chart: Any, layer: int) -> list[dict[str, Any]]:
    document = chart.to_dict()
    return document["datasets"][document["layer"][layer]["data"]["name"]]


def encoding(chart: Any, channel: str, layer: int = 0) -> dict[str, Any]:
    return chart.to_dict()["layer"][layer]["encoding"][channel]


def test_training_is_solid_and_validation_dashed() -> None:
    scale = encoding(charts.loss_chart([row(1, val_loss=0.5)], "loss", 200), "strokeDash")["scale"]
    dash = dict(zip(scale["domain"], scale["range"], strict=True))
    assert dash == {"training": [1, 0], "validation": [6, 4]}


def test_a_loss_is_drawn_for_training_and_validation() -> None:
    chart = charts.loss_chart([row(1, val_loss=0.5), row(2, val_loss=0.4)], "loss", 200)
    points = {(point["epoch"], point["series"]): point["value"] for point in data(chart, 0)}
    assert points == {(1, "training"): 0.1, (1, "validation"): 0.5, (2, "training"): 0.2, (2, "validation"): 0.4}


def test_each_loss_has_a_colour_of_its_own() -> None:
    assert set(charts.LOSS_COLOURS) == {"loss", *LOSSES}
    assert len(set(charts.LOSS_COLOURS.values())) == 7
    colours = [encoding(charts.loss_chart([row(1)], loss, 200), "color")["value"] for loss in LOSSES]
    assert colours == [charts.LOSS_COLOURS[loss] for loss in LOSSES]


@pytest.mark.parametrize("background", ["#ffffff", "#11131a"])
@pytest.mark.parametrize("loss", charts.LOSS_COLOURS)
def test_colours_can_be_seen_on_both_backgrounds(loss: str, background: str) -> None:
    """WCAG 1.4.11: at least 3:1 for graphics."""

    def luminance(colour: str) -> float:
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    darker, lighter = sorted([luminance(charts.LOSS_COLOURS[loss]), luminance(background)])
    assert (lighter + 0.05) / (darker + 0.05) >= 3


def test_axes_do_not_move_when_a_point_arrives() -> None:
    first, second = ([row(epoch, loss=2.6 - 0.2 * epoch) for epoch in range(1, last)] for last in (3, 4))
    for channel in ("x", "y"):
        domains = [
            encoding(charts.loss_chart(rows, "loss", 200, end=20), channel)["scale"]["domain"]
            for rows in (first, second)
        ]
        assert domains[0] == domains[1]
    assert encoding(charts.loss_chart(first, "loss", 200, end=20), "x")["scale"]["domain"] == [1, 20]


def test_one_epoch_is_enough_for_a_picture() -> None:
    assert encoding(charts.loss_chart([row(1)], "loss", 200, end=1), "x")["scale"]["domain"] == [1, 2]


def test_what_is_not_a_number_is_left_out() -> None:
    chart = charts.loss_chart([row(1), row(2, loss=float("nan")), row(3, loss=float("inf"))], "loss", 200)
    assert [point["epoch"] for point in data(chart, 0)] == [1]


def test_the_tooltip_holds_every_value_of_the_epoch() -> None:
    full = [row(1, **{f"val_{name}": 1.0 for name in ("loss", *LOSSES)})]
    tips = [tip["title"] for tip in encoding(charts.loss_chart(full, "loss", 200), "tooltip", -1)]
    assert len(tips) == 1 + 2 * 7
    assert tips[:3] == ["epoch", "loss, training", "loss, validation"]
    small = [tip["title"] for tip in encoding(charts.loss_chart(full, "mrcnn_mask_loss", 100), "tooltip", -1)]
    assert small == ["epoch", "mrcnn mask, training", "mrcnn mask, validation"]


def test_ap_is_drawn_between_0_and_1_and_passes_over_epochs_without() -> None:
    chart = charts.ap_chart([row(1, segm_ap=None, bbox_ap=None), row(2, segm_ap=0.3, bbox_ap=0.4)], 200)
    assert encoding(chart, "y")["scale"]["domain"] == [0, 1]
    points = {(point["epoch"], point["name"]): point["value"] for point in data(chart, 0)}
    assert points == {(2, "mask AP"): 0.3, (2, "box AP"): 0.4}


@pytest.mark.parametrize(
    ("mask", "box", "above"),
    [
        (0.3, 0.4, {"box AP": True, "mask AP": False}),
        (0.4, 0.3, {"box AP": False, "mask AP": True}),
        (0.0, 0.02, {"box AP": True, "mask AP": True}),  # not on the axis
        (0.95, 0.97, {"box AP": False, "mask AP": False}),  # not outside the plot
    ],
)
def test_ap_lines_are_named_beside_their_ends(mask: float, box: float, above: dict[str, bool]) -> None:
    document = charts.ap_chart([row(1, segm_ap=mask, bbox_ap=box)], 200, end=20).to_dict()
    texts = [layer for layer in document["layer"] if layer["mark"]["type"] == "text"]
    offsets = {document["datasets"][text["data"]["name"]][0]["name"]: text["mark"]["dy"] for text in texts}
    assert {name: offset < 0 for name, offset in offsets.items()} == above
    upper, lower = ("box AP", "mask AP") if box > mask else ("mask AP", "box AP")
    assert offsets[upper] < offsets[lower]


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
    assert charts.name_offsets(values, gap=7, text=14) == offsets


def test_a_run_has_the_losses_of_its_rows() -> None:
    boxes = {"event": "epoch", "epoch": 1, "loss": 1.0, **dict.fromkeys(LOSSES[:4], 0.2)}
    assert charts.losses_in([boxes]) == LOSSES[:4]
    assert charts.losses_in([row(1)]) == LOSSES
    tips = [tip["title"] for tip in encoding(charts.loss_chart([boxes], "loss", 200), "tooltip", -1)]
    assert not [tip for tip in tips if "mask" in tip or "keypoint" in tip]


def test_keypoint_ap_is_a_line_of_its_own_where_there_is_one() -> None:
    rows = [row(1, segm_ap=0.3, bbox_ap=0.4, keypoints_ap=0.6)]
    assert {point["name"] for point in data(charts.ap_chart(rows, 200), 0)} == {"mask AP", "box AP", "keypoint AP"}
    assert {"keypoints_ap"} <= set(charts.table(rows).columns)
    assert charts.has_ap([row(1, bbox_ap=0.4)])
    assert not charts.has_ap([row(1, segm_ap=None)])


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
    assert charts.round_up(value) == pytest.approx(end)


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
    assert charts.integer_ticks(1, last, most) == ticks


@pytest.mark.parametrize(
    ("axis", "epoch", "progress", "epochs", "active", "end"),
    [
        ("epoch", 3, 0.15, 20, True, 20),
        ("epoch", 3, 0.15, 20, False, 3),  # cancelled after three of twenty
        ("epoch", 3, 0.25, None, True, 15),  # three in a quarter of the minutes are twelve in all, in fives 15
        ("epoch", 5, 1.0, None, True, 5),
        ("step", 6, 0.3, 20, True, 100),  # step 60
        ("step", 6, 0.3, 20, False, 60),
    ],
)
def test_the_x_axis_ends_where_the_run_will(
    axis: charts.Axis, epoch: int, progress: float, epochs: int | None, active: bool, end: int
) -> None:
    assert charts.x_end(axis, {**row(epoch), "progress": progress}, epochs, active) == end


def test_thinned_keeps_the_last_row() -> None:
    rows = [row(number) for number in range(1, 1002)]
    kept = charts.thinned(rows, most=100)
    assert len(kept) <= 100
    assert kept[-1]["epoch"] == 1001
    assert charts.thinned(rows[:100], most=100) == rows[:100]


def test_the_table_has_a_line_per_epoch_and_no_empty_column() -> None:
    table = charts.table([row(1, segm_ap=0.25), row(2, segm_ap=None)])
    assert list(table["epoch"]) == [1, 2]
    assert table["segm_ap"].iloc[0] == 0.25
    assert {"loss", *LOSSES, "seconds"} <= set(table.columns)
    assert not {"val_loss", "bbox_ap"} & set(table.columns)
