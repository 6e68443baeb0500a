"""The two maps of the RoIPool and RoIAlign page: how RoIPool and one other method read the box."""

from __future__ import annotations

import streamlit as st

from maskrcnn.lessons import roi_pooling
from maskrcnn.studio.components.chart import draw
from maskrcnn.studio.learn import roi_charts
from maskrcnn.studio.learn.pooled_roi import RoiOnMap
from maskrcnn.studio.learn.roi_layout import PAGE, Layout
from maskrcnn.studio.learn.roi_texts import DEVIATION, NAMES, READING, ROUNDING
from maskrcnn.studio.shell import url_state


def show(roi: RoiOnMap, layout: Layout) -> str:
    """Draw both maps, and return the method that the user compares with RoIPool."""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.markdown(f"{NAMES['pool']} beside", width="content")
        method = url_state.segments(
            "Beside RoIPool",
            "method",
            ("warp", "align-legacy", "align"),
            "align",
            page=PAGE,
            show=lambda method: roi_pooling.METHODS[method],
        )
    pool_column, other_column = st.columns(2)
    samples = roi.samples(method)
    view = roi_charts.window(roi.cells, roi.pool_bins.cells, samples.box)
    side = layout.map_side
    with pool_column:
        st.markdown(f"{NAMES['pool']} {ROUNDING['pool']}", help=READING["pool"])
        draw(roi_charts.pool_chart(roi.feature_map, roi.cells, roi.pool_bins, view, side), width="content")
        _deviation(roi, "pool")
    with other_column:
        st.markdown(f"{NAMES[method]} {ROUNDING[method]}", help=READING[method])
        draw(roi_charts.samples_chart(roi.feature_map, roi.cells, samples, method, view, side), width="content")
        _deviation(roi, method)
    return method


def _deviation(roi: RoiOnMap, method: str) -> None:
    """Draw a line with the deviation of the box that the method reads from the drawn box."""
    if method == "align":
        st.markdown("Off by **0 px**, IoU **1**")
        return
    off, iou = roi.deviation(method)
    st.markdown(
        f"Off by up to **{max(map(abs, off)):.1f} px**, IoU **{iou:.3f}**",
        help=f"Left {off[0]:+.1f}, top {off[1]:+.1f}, right {off[2]:+.1f}, bottom {off[3]:+.1f} picture pixels: "
        f"{DEVIATION[method]} IoU is intersection over union of the two boxes.",
    )
