"""The two maps of the RoIPool and RoIAlign page: what RoIPool reads for the box, beside one of the other methods."""

from __future__ import annotations

import streamlit as st

from maskrcnn.lessons import roi_pooling
from maskrcnn.studio.components.chart import draw
from maskrcnn.studio.learn import roi_charts
from maskrcnn.studio.learn.roi_layout import PAGE, Layout
from maskrcnn.studio.learn.roi_on_map import RoiOnMap
from maskrcnn.studio.learn.roi_texts import DOES, HOW, NAMES, WHY_OFF
from maskrcnn.studio.shell import address


def show(roi: RoiOnMap, layout: Layout) -> str:
    """Draw both maps; returns the method that was chosen to stand beside RoIPool."""
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.markdown(f"{NAMES['pool']} beside", width="content")
        method = address.segments(
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
        st.markdown(f"{NAMES['pool']} {DOES['pool']}", help=HOW["pool"])
        draw(roi_charts.pool_chart(roi.feature_map, roi.cells, roi.pool_bins, view, side), width="content")
        _deviation(roi, "pool")
    with other_column:
        st.markdown(f"{NAMES[method]} {DOES[method]}", help=HOW[method])
        draw(roi_charts.samples_chart(roi.feature_map, roi.cells, samples, method, view, side), width="content")
        _deviation(roi, method)
    return method


def _deviation(roi: RoiOnMap, method: str) -> None:
    """How far the box that the method reads is from the drawn one."""
    if method == "align":
        st.markdown("Off by **0 px**, IoU **1**")
        return
    off, iou = roi.deviation(method)
    st.markdown(
        f"Off by up to **{max(map(abs, off)):.1f} px**, IoU **{iou:.3f}**",
        help=f"Left {off[0]:+.1f}, top {off[1]:+.1f}, right {off[2]:+.1f}, bottom {off[3]:+.1f} picture pixels: "
        f"{WHY_OFF[method]} IoU is intersection over union of the two boxes.",
    )
