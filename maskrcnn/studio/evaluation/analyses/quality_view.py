"""What AP is made of: sizes of objects, kinds of errors and their costs, how well masks fit, and the counts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from maskrcnn.evaluation.analysis.boundary_iou import boundary_ious
from maskrcnn.evaluation.analysis.error_kinds import ErrorCost, error_costs
from maskrcnn.evaluation.measures import SIZES
from maskrcnn.evaluation.set_matches import TP
from maskrcnn.studio.components.chart import draw, draw_clickable
from maskrcnn.studio.evaluation import page_state
from maskrcnn.studio.evaluation.analyses import analysis_charts
from maskrcnn.studio.evaluation.measured_epoch import EpochFiles, measured_set
from maskrcnn.studio.evaluation.page_state import PAGE, ShownEpoch
from maskrcnn.studio.evaluation.picture_board import Board
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import counted

SIZE_COLOURS = {"small": "#86b6e8", "medium": "#4f8fd6", "large": "#2b62ad"}
_SIZE_HELP = (
    "COCO's size classes by the area of the label: small below 32² px, large from 96² px on. AP (IoU .50 to .95) over "
    "the objects of that size alone."
)
_COST_HELP = (
    "The kinds of TIDE (Bolya et al. 2020): class (right place, wrong class), location (right class, loose fit), both, "
    "duplicate (an object found once more), background (nothing is labelled there), missed. The bar is how much AP at "
    "the IoU of the slider would rise if only this kind of error were mended. The costs do not add up."
)
_FIT_HELP = (
    "The IoU of each right detection with its object. Boundary IoU (Cheng et al. 2021) compares only the pixels near "
    "both outlines (2 % of the picture's diagonal), so it still tells large masks apart when mask IoU is near 1."
)
_COUNT_HELP = (
    "Detections of at least the score of the slider against labelled objects. On the dashed line the count is right; "
    "above it too many are counted. A click on a point opens a picture with these numbers."
)
_KIND_WORDS = {"class": "wrong class", "location": "loose fit", "both": "class and fit"}


def show(shown: ShownEpoch, board: Board) -> None:
    """Draw four charts."""
    left, right = st.columns(2, gap="medium")
    with left:
        _show_sizes(shown)
    with right:
        _show_costs(shown, board)
    left, right = st.columns(2, gap="medium")
    with left:
        _show_fit(shown, board)
    with right:
        _show_counts(shown, board)


def _show_sizes(shown: ShownEpoch) -> None:
    """Draw AP by the size of the objects, with the number of objects."""
    measured = shown.measured
    st.subheader("AP by object size", help=_SIZE_HELP)
    summary = measured.coco(measured.matched_by).summary()
    area = measured.objects.area[~measured.objects.crowd]
    sizes = list(SIZE_COLOURS)
    values = [summary[f"AP{size[0]}"] for size in sizes]
    # An object of exactly 32² or 96² px counts in both ranges, as in COCO.
    counts = [int(((area >= SIZES[size][0]) & (area <= SIZES[size][1])).sum()) for size in sizes]
    words = [
        f"{analysis_charts.format_area(value)}  ({counted(number, 'object')})"
        for value, number in zip(values, counts, strict=True)
    ]
    draw(
        analysis_charts.bars(sizes, values, words, "AP (IoU .50 to .95)", list(SIZE_COLOURS.values())),
        svg=True,
        alt=f"Bars: AP of {', '.join(map(' '.join, zip(sizes, words, strict=True)))}",
    )


def _show_costs(shown: ShownEpoch, board: Board) -> None:
    """Draw what each kind of error costs."""
    st.subheader("What each kind of error costs", help=_COST_HELP)
    costs = costs_of(shown.files, board.matches.iou)
    names = [_KIND_WORDS.get(kind, kind) for kind in costs]
    words = [f"{analysis_charts.format_area(cost.ap_loss)}  ({cost.count:,})" for cost in costs.values()]
    most = max([cost.ap_loss or 0.0 for cost in costs.values()] + [0.02])
    draw(
        analysis_charts.bars(
            names,
            [cost.ap_loss for cost in costs.values()],
            words,
            f"AP at IoU {board.matches.iou:.2f} that is lost (number of errors at any score)",
            ["#f4511e"] * (len(names) - 1) + ["#3b82f6"],
            most,
        ),
        svg=True,
        alt="Bars: AP that each kind of error costs",
    )


@st.cache_data(max_entries=64, show_spinner=False)
def costs_of(files: EpochFiles, iou: float) -> dict[str, ErrorCost]:
    """The errors of each kind and their costs, cached."""
    return error_costs(measured_set(files), iou)


@st.cache_data(max_entries=32, show_spinner="Comparing the outlines")
def _boundary_ious(files: EpochFiles, min_score: float, iou: float) -> np.ndarray:
    measured = measured_set(files)
    return boundary_ious(measured, measured.match(min_score, iou))


def _show_fit(shown: ShownEpoch, board: Board) -> None:
    """Draw the histogram of the IoUs of right detections."""
    matches, has_masks = board.matches, "segm" in shown.measured.kinds
    st.subheader("How well right detections fit", help=_FIT_HELP)
    hits = matches.detection_status == TP
    if not hits.any():
        st.markdown("No detection is right at this score and IoU.")
        return
    series = {"mask IoU" if has_masks else "box IoU": matches.detection_iou[hits]}
    if has_masks:
        series["boundary IoU"] = _boundary_ious(shown.files, matches.min_score, matches.iou)[hits]
    words = ", ".join(f"mean {plain(name)} **{np.nanmean(values):.3f}**" for name, values in series.items())
    st.markdown(f"{counted(int(hits.sum()), 'right detection')}: {words}")
    draw(analysis_charts.iou_histogram(series, matches.iou), svg=True, alt="Histogram of the IoU of right detections")


def _show_counts(shown: ShownEpoch, board: Board) -> None:
    """Draw detections against objects."""
    matches = board.matches
    objects, found = matches.tp + matches.fn, matches.tp + matches.fp
    st.subheader("Counted objects", help=_COUNT_HELP)
    error = matches.count_error
    right = int((error == 0).sum())
    st.markdown(
        f"Counted right in {right:,d} of {counted(len(error), 'picture')}; mean error **{np.abs(error).mean():.2f}** "
        f"objects, in all {int(found.sum()):,} found and {int(objects.sum()):,} labelled"
    )
    draw_clickable(
        analysis_charts.count_chart(objects, found),
        f"{PAGE}_counts",
        partial(_open, shown, board),
        alt="Scatter: labelled objects against detections of each picture",
    )


def _open(shown: ShownEpoch, board: Board, point: Mapping[str, Any]) -> None:
    """Open the next picture with the numbers of a point; after the last one, the first one again (callback)."""
    matches = board.matches
    objects, found = matches.tp + matches.fn, matches.tp + matches.fp
    same = np.flatnonzero((objects == point.get("objects")) & (found == point.get("found")))
    if len(same):
        later = same[same > board.picture]
        page_state.open_picture(shown, int(later[0] if len(later) else same[0]), reveal=True)
