"""The curves of a run: Altair charts and the tables behind them.

Training is a solid line, validation a dashed one, and each loss has its own colour, here and on every other page. The
axes are laid out for the whole run: x ends where the run will end, y starts at 0 and ends at a round number, so that
neither moves when a point arrives.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import altair as alt
import pandas as pd

from maskrcnn.config import LOSSES
from maskrcnn.training.run_folder import Row

LOSS_COLOURS: dict[str, str] = {
    "loss": "#7b8398",
    "rpn_class_loss": "#0f9d92",
    "rpn_bbox_loss": "#5a9e3a",
    "mrcnn_class_loss": "#d1495b",
    "mrcnn_bbox_loss": "#b5772b",
    "mrcnn_mask_loss": "#c2459c",
    "mrcnn_keypoint_loss": "#3d85e8",
}
"""The colour of each loss. All have at least 3:1 contrast on both backgrounds, and none is the accent colour."""

LOSS_TITLES: dict[str, str] = {
    "loss": "loss",
    "rpn_class_loss": "rpn class",
    "rpn_bbox_loss": "rpn bbox",
    "mrcnn_class_loss": "mrcnn class",
    "mrcnn_bbox_loss": "mrcnn bbox",
    "mrcnn_mask_loss": "mrcnn mask",
    "mrcnn_keypoint_loss": "keypoint",
}

LOSS_MEANINGS: dict[str, str] = {
    "rpn_class_loss": "Are there objects under the anchors? (cross entropy)",
    "rpn_bbox_loss": "How far are the proposals from their objects? (smooth L1)",
    "mrcnn_class_loss": "Is the class of each proposal right? (cross entropy)",
    "mrcnn_bbox_loss": "How far are the refined boxes from their objects? (smooth L1)",
    "mrcnn_mask_loss": "Is each pixel of the mask right? (cross entropy: of yes and no, or of classes with softmax)",
    "mrcnn_keypoint_loss": "Is each keypoint in the right cell of its heatmap? (cross entropy over all cells)",
}

AP_LINES: dict[str, tuple[str, str, str]] = {
    "segm_ap": ("mask AP", LOSS_COLOURS["mrcnn_mask_loss"], "circle"),
    "bbox_ap": ("box AP", LOSS_COLOURS["mrcnn_bbox_loss"], "square"),
    "keypoints_ap": ("keypoint AP", LOSS_COLOURS["mrcnn_keypoint_loss"], "triangle-up"),
}
"""Field of a row -> name, colour and point of its line."""

AP_NAMES: dict[str, str] = {
    "segm_ap": "mask AP",
    "segm_ap50": "mask AP50",
    "segm_ap75": "mask AP75",
    "bbox_ap": "box AP",
    "bbox_ap50": "box AP50",
    "keypoints_ap": "keypoint AP",
    "keypoints_ap50": "keypoint AP50",
}

AP_MEANING = (
    "COCO average precision, the mean over IoU .50, .55, ..., .95 and over the classes, on all validation pictures: of "
    "masks, of boxes, and of keypoints, where OKS (how close they are for the object's size) stands in place of IoU. "
    "The table below also holds AP50 and AP75, at one threshold each."
)

SOLID, DASHED = [1, 0], [6, 4]
SERIES = ("training", "validation")

INK = "currentColor"
"""The colour of text on an axis: that of the text around it. Streamlit's own grey is too faint for a projector."""

_CIRCLE = alt.value("circle")

Axis = Literal["epoch", "step"]


def losses_in(rows: Iterable[Row]) -> tuple[str, ...]:
    """The losses that a run has: those of its rows, in the order of `LOSSES`."""
    found = {name for row in rows for name in row}
    return tuple(loss for loss in LOSSES if loss in found)


def has_ap(rows: Iterable[Row]) -> bool:
    """Whether any row holds an AP that can be drawn."""
    return any(row.get(field) is not None for row in rows for field in AP_LINES)


def table(rows: Iterable[Row]) -> pd.DataFrame:
    """The numbers of a run as a table, one line per row: the sum of the losses, AP, each loss, step, seconds."""
    parts = [prefix + loss for loss in LOSSES for prefix in ("", "val_")]
    columns = ["epoch", "loss", "val_loss", *AP_NAMES, *parts, "step", "elapsed"]
    frame = pd.DataFrame([{name: row.get(name) for name in columns} for row in rows])
    return frame.dropna(axis="columns", how="all").rename(columns={"elapsed": "seconds"})


def loss_chart(
    rows: Sequence[Row],
    loss: str,
    height: int,
    end: int | None = None,
    axis: Axis = "epoch",
) -> alt.LayerChart:
    """One loss over the epochs (or steps) of `rows`, training and validation; its tooltip holds every value of a row.

    `end` is the last epoch or step that the run will have, None where nobody knows.
    """
    lines = [
        {axis: row[axis], "series": series, "value": _finite(row.get(name))}
        for row in rows
        for series, name in zip(SERIES, (loss, f"val_{loss}"), strict=True)
    ]
    frame = pd.DataFrame([line for line in lines if line["value"] is not None], columns=[axis, "series", "value"])
    shown = ["loss", *losses_in(rows)] if loss == "loss" else [loss]
    whole = pd.DataFrame([{axis: row[axis], **_tooltip_values(row, shown)} for row in rows])
    y_end = round_up(frame["value"].max()) if len(frame) else 1.0
    return _layers(frame, whole, axis, end, (0, y_end), height, alt.value(LOSS_COLOURS[loss]))


def ap_chart(rows: Sequence[Row], height: int, end: int | None = None) -> alt.LayerChart:
    """AP of masks, boxes and keypoints (what there is) on the validation pictures over the epochs, between 0 and 1."""
    lines = [
        {"epoch": row["epoch"], "series": "validation", "name": name, "value": row.get(field)}
        for row in rows
        for field, (name, *_) in AP_LINES.items()
        if row.get(field) is not None
    ]
    frame = pd.DataFrame(lines, columns=["epoch", "series", "name", "value"])
    whole = pd.DataFrame(
        [{"epoch": row["epoch"], **{title: row.get(field) for field, title in AP_NAMES.items()}} for row in rows]
    )
    names, colours, points = (list(part) for part in zip(*AP_LINES.values(), strict=True))
    colour = alt.Color("name:N", scale=alt.Scale(domain=names, range=colours), legend=None)
    shape = alt.Shape("name:N", scale=alt.Scale(domain=names, range=points), legend=None)
    chart = _layers(frame, whole, "epoch", end, (0, 1), height, colour, shape)
    last = frame[frame["epoch"] == frame["epoch"].max()].sort_values("value")
    # Each line is named at its end: after the last point, or before it at the edge.
    at_edge = bool(len(last)) and last["epoch"].iloc[0] > 0.8 * max(end or 0, frame["epoch"].max())
    place: dict[str, Any] = {"align": "right", "dx": 0} if at_edge else {"align": "left", "dx": 8}
    offsets = name_offsets(list(last["value"]), 14 if at_edge else 7)
    for line, offset in zip(last.to_dict("records"), offsets, strict=True):
        named = alt.Chart(pd.DataFrame([line])).mark_text(dy=offset, fontWeight="bold", **place)
        chart += named.encode(x="epoch:Q", y="value:Q", text="name:N", color=colour)
    return chart


def name_offsets(values: Sequence[float], gap: int, text: int = 14) -> list[int]:
    """How far below its point (pixels; negative: above) each of up to three lines is named that end at these ascending
    values, so that no name lies on another, on the axis or outside the plot.

    The highest is named above and the lowest below; one between them goes where there is more room.
    """
    above = [-gap - text * place for place in range(len(values))]
    below = [gap + text * place for place in reversed(range(len(values)))]
    on_axis, at_top = min(values, default=0) < 0.1, max(values, default=0) > 0.9
    if on_axis and at_top:
        low = sum(value < 0.5 for value in values)
        return above[:low] + below[low:]
    if on_axis or at_top or len(values) == 1:
        return below if at_top else above
    middle_above = len(values) == 2 or values[-1] - values[-2] > values[-2] - values[-3]
    return [gap, *above[:-1]] if middle_above else [*below[1:], -gap]


def x_end(axis: Axis, row: Row, epochs: int | None, active: bool) -> int:
    """Where the x axis of a run ends whose last row is `row`: where the run will, as far as that can be told.

    `epochs` is None for a run whose length is set in minutes; its end is judged by the pace so far, in fives.
    """
    if not active:
        return int(row[axis])
    if axis == "step":
        return 50 * math.ceil(row["step"] / 50)
    if epochs:
        return max(epochs, int(row["epoch"]))
    return 5 * math.ceil(row["epoch"] / max(row["progress"], 1e-6) / 5 - 1e-9)


def thinned(rows: Sequence[Row], most: int = 300) -> Sequence[Row]:
    """Every n-th row, so that at most `most` are left; the last one stays."""
    every = math.ceil(len(rows) / most)
    return rows if every <= 1 else rows[(len(rows) - 1) % every :: every]


def round_up(value: float) -> float:
    """The next of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 (times a power of ten): an axis end that seldom moves."""
    if not value > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-9))


def integer_ticks(first: int, last: int, most: int) -> list[int]:
    """At most `most` whole numbers: `first`, `last`, and the multiples of 1, 2, 5, 10, ... that fit between them."""
    step = next(
        factor * 10**power
        for power in range(12)
        for factor in (1, 2, 5)
        if (last - first) / (factor * 10**power) + 2 <= most
    )
    between = [tick for tick in range(first // step * step, last, step) if tick > first and last - tick >= step * 0.6]
    return [first, *between, last]


def _layers(
    frame: pd.DataFrame,
    whole: pd.DataFrame,
    axis: Axis,
    end: int | None,
    y_domain: tuple[float, float],
    height: int,
    colour: Any,
    shape: Any = _CIRCLE,
) -> alt.LayerChart:
    """Lines with points from `frame`, under an invisible wide rule for each row of `whole`, which holds the tooltip."""
    last = max(2, end or 0, int(whole[axis].max()) if len(whole) else 0)
    small = height < 200
    about: dict[str, Any] = {"titlePadding": 4, "labelPadding": 4, "labelColor": INK, "titleColor": INK}
    x = alt.X(
        f"{axis}:Q",
        title=axis,
        scale=alt.Scale(domain=[1, last], nice=False),
        axis=alt.Axis(
            values=integer_ticks(1, last, 6 if small else 11), format="d", grid=False, labelOverlap=False, **about
        ),
    )
    y = alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(domain=list(y_domain), nice=False),
        axis=alt.Axis(tickCount=3 if small else 5, **about),
    )
    dash = alt.StrokeDash("series:N", scale=alt.Scale(domain=list(SERIES), range=[SOLID, DASHED]), legend=None)
    base = alt.Chart(frame).encode(x=x, y=y, color=colour)
    layers: list[alt.Chart] = [base.mark_line(strokeWidth=2).encode(strokeDash=dash)]
    if axis == "epoch":
        for series, filled in zip(SERIES, (True, False), strict=True):
            points = base.mark_point(size=24, filled=filled, opacity=1, strokeWidth=1.5).encode(shape=shape)
            layers.append(points.transform_filter(alt.datum.series == series))
    tips = [
        alt.Tooltip(f"{column}:Q", format="d" if column == axis else ".4f", title=column)
        for column in whole.columns
        if whole[column].notna().any()
    ]
    layers.append(alt.Chart(whole).mark_rule(strokeWidth=20, opacity=0).encode(x=x, tooltip=tips))
    return alt.LayerChart(layer=layers, height=height)


def _tooltip_values(row: Row, losses: Sequence[str]) -> dict[str, float | None]:
    """`{"rpn class, training": ..., "rpn class, validation": ...}` and so on."""
    return {
        f"{LOSS_TITLES[loss].partition(':')[0]}, {series}": _finite(row.get(name))
        for loss in losses
        for series, name in zip(SERIES, (loss, f"val_{loss}"), strict=True)
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
