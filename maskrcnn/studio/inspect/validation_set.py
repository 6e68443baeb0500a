"""The validation set on the Predictions page: its AP, a table with a row for each picture, and downloads."""

from __future__ import annotations

import json

import streamlit as st

from maskrcnn.annotations.formats.spreadsheet import csv_of
from maskrcnn.evaluation import Report
from maskrcnn.studio.inspect import report_table
from maskrcnn.studio.inspect.inspected_run import InspectedRun
from maskrcnn.studio.inspect.picture_choice import PictureChoice
from maskrcnn.studio.inspect.picture_view import MeasuredPicture
from maskrcnn.studio.shell import url_state
from maskrcnn.words import counted

TABLE = "predictions_table"
"""Session state key of the table."""


def show(inspected: InspectedRun, choice: PictureChoice, measured: MeasuredPicture) -> None:
    """Draw the metrics, the table of pictures and the downloads of the whole validation set."""
    pictures = counted(len(choice.images), "validation picture")
    st.subheader(f"All {pictures}" if len(choice.images) > 1 else "The validation set: 1 picture")
    _headline(measured.report)
    _table(measured.report, choice)
    with st.container(horizontal=True):
        st.markdown(":small[A click on a row opens its picture; a click on a column's title sorts.]")
        _downloads(f"{inspected.run.name}_epoch_{choice.epoch:04d}", measured)


def _headline(report: Report) -> None:
    """Draw the metrics of the whole validation set."""
    metrics = report_table.headline(report)
    widths = [4] * (len(metrics) - 1) + [5]
    for column, (title, value, meaning) in zip(st.columns(widths), metrics, strict=True):
        column.metric(title, report_table.format_ap(value), help=meaning)


def _table(report: Report, choice: PictureChoice) -> None:
    """Draw the table of pictures. The chosen picture's row is selected; a click on a row opens its picture."""

    def open_row() -> None:
        selection = st.session_state[TABLE]["selection"]
        rows = [row for row, _ in selection["cells"]] or selection["rows"]
        if rows:
            url_state.choose("image", choice.images[rows[0]]["file_name"])

    st.session_state[TABLE] = {"selection": {"rows": [choice.position], "columns": [], "cells": []}}
    st.dataframe(
        report_table.table(report),
        key=TABLE,
        hide_index=True,
        column_config=report_table.column_config(report.definitions),
        placeholder="–",
        on_select=open_row,
        selection_mode=["single-row", "single-cell"],
    )


def _downloads(stem: str, measured: MeasuredPicture) -> None:
    """Draw download buttons for table, report and detections. Their file names begin with `stem`."""
    table, report, detections = _documents(stem, measured.stamps, measured.min_score, measured)
    for label, content, ending, mime in (
        ("Table (CSV)", table, "pictures.csv", "text/csv"),
        ("Report (JSON)", report, "report.json", "application/json"),
        ("Detections (COCO JSON)", detections, "detections.json", "application/json"),
    ):
        st.download_button(
            label,
            content,
            file_name=f"{stem}_{ending}",
            mime=mime,
            icon=":material/download:",
            on_click="ignore",
        )


@st.cache_resource(max_entries=16, show_spinner=False)
def _documents(stem: str, stamps: tuple[int, ...], min_score: float, _measured: MeasuredPicture) -> tuple[str, ...]:
    """Return table, report and detections as texts. `stem`, `stamps` and `min_score` are the cache key."""
    table = csv_of(report_table.table(_measured.report))
    return table, json.dumps(_measured.report.to_json(), indent=1), json.dumps(_measured.detections)
