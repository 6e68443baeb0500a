"""The validation set on the Predictions page: the report of an epoch, its AP, a table of pictures, and downloads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from maskrcnn.annotations.formats.spreadsheet import csv_of
from maskrcnn.evaluation import Report, evaluate
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.inspect.inspected_run import InspectedRun
from maskrcnn.studio.inspect.picture_choice import PictureChoice
from maskrcnn.studio.runs.labels_and_detections import detection_stamps, pictures_with_detections
from maskrcnn.studio.runs.run_words import format_ap
from maskrcnn.studio.shell import url_state
from maskrcnn.words import counted

TABLE = "predictions_table"
"""Session state key of the table."""

COLUMNS: dict[str, str] = {
    "file": "picture",
    "ap": "AP",
    "ap50": "AP50",
    "ap50_pooled": "AP50 pooled",
    "keypoints_ap": "keypoint AP",
    "n_gt": "objects",
    "tp": "TP",
    "fp": "FP",
    "fn": "FN",
}
"""Field of a report's row -> column title. Keypoint AP is shown only if the network finds keypoints."""

MATCHED_BY: dict[str, str] = {"segm": "mask", "bbox": "box"}
"""What is compared to decide whether a detection is correct -> its name in texts."""


def epoch_report(run: RunFolder, epoch: int, min_score: float) -> Report:
    """Return the evaluation report of an epoch's detections; it is cached. Raises `StudioError` for a damaged file.

    Row i of the report belongs to picture i of `pictures_with_detections`.
    """
    return _epoch_report(str(run.path), epoch, detection_stamps(run, epoch), min_score)


@st.cache_resource(max_entries=16, show_spinner="Measuring the detections")  # immutable: all sessions share it
def _epoch_report(run_path: str, epoch: int, changed: tuple[int, ...], min_score: float) -> Report:
    """Compute the report. `changed` is part of the cache key, so the report is recomputed if a file was rewritten."""
    run = RunFolder(run_path)
    config = run.config()
    truth, detections = pictures_with_detections(run), run.detections(epoch)
    return evaluate(truth, detections, min_score=min_score, tasks=config.tasks, sigmas=config.sigmas)


def show(inspected: InspectedRun, choice: PictureChoice, min_score: float) -> None:
    """Draw the metrics, the table of pictures and the downloads of the whole validation set."""
    report = epoch_report(inspected.run, choice.epoch, min_score)
    pictures = counted(len(choice.images), "validation picture")
    st.subheader(f"All {pictures}" if len(choice.images) > 1 else "The validation set: 1 picture")
    _show_metrics(report)
    _show_picture_table(report, choice)
    with st.container(horizontal=True):
        st.markdown(":small[A click on a row opens its picture; a click on a column's title sorts.]")
        _show_report_downloads(inspected.run, choice.epoch, min_score)


def _show_metrics(report: Report) -> None:
    """Draw the metrics of the whole validation set, side by side."""
    metrics = validation_metrics(report)
    widths = [4] * (len(metrics) - 1) + [5]
    for column, (title, value, meaning) in zip(st.columns(widths), metrics, strict=True):
        column.metric(title, format_ap(value), help=meaning)


def _show_picture_table(report: Report, choice: PictureChoice) -> None:
    """Draw the table of validation pictures. The chosen picture's row is selected."""
    st.session_state[TABLE] = {"selection": {"rows": [choice.position], "columns": [], "cells": []}}
    st.dataframe(
        picture_table(report),
        key=TABLE,
        hide_index=True,
        column_config=_picture_columns(report.definitions),
        placeholder="–",
        on_select=partial(_open_clicked_picture, [image["file_name"] for image in choice.images]),
        selection_mode=["single-row", "single-cell"],
    )


def _open_clicked_picture(names: list[str]) -> None:
    """Open the picture of the row of the table that was clicked. `names` are the file names of the rows."""
    selection = st.session_state[TABLE]["selection"]
    rows = [row for row, _ in selection["cells"]] or selection["rows"]
    if rows:
        url_state.choose("image", names[rows[0]])


def _show_report_downloads(run: RunFolder, epoch: int, min_score: float) -> None:
    """Draw the download buttons for the table, the report and the detections of an epoch."""
    texts = _report_files(str(run.path), epoch, detection_stamps(run, epoch), min_score)
    for content, (label, ending, mime) in zip(
        texts,
        (
            ("Table (CSV)", "pictures.csv", "text/csv"),
            ("Report (JSON)", "report.json", "application/json"),
            ("Detections (COCO JSON)", "detections.json", "application/json"),
        ),
        strict=True,
    ):
        st.download_button(
            label,
            content,
            file_name=f"{run.name}_epoch_{epoch:04d}_{ending}",
            mime=mime,
            icon=":material/download:",
            on_click="ignore",
        )


@st.cache_resource(max_entries=16, show_spinner=False)
def _report_files(run_path: str, epoch: int, changed: tuple[int, ...], min_score: float) -> tuple[str, str, str]:
    """Return the table (CSV), the report and the detections (JSON) of an epoch as texts.

    `changed` is part of the cache key.
    """
    run = RunFolder(run_path)
    report = epoch_report(run, epoch, min_score)
    return csv_of(picture_table(report)), json.dumps(report.to_json(), indent=1), json.dumps(run.detections(epoch))


def picture_table(found: Report) -> pd.DataFrame:
    """Return a table with one row for each picture, in the order of the report, and the columns of `COLUMNS`."""
    fields = [field for field in COLUMNS if field != "keypoints_ap" or found.keypoints]
    rows = [[getattr(row, field) for field in fields] for row in found.per_image]
    frame = pd.DataFrame(rows, columns=fields)
    return frame.astype({field: "Float64" for field in fields if "ap" in field}).rename(columns=COLUMNS)


def validation_metrics(found: Report) -> list[tuple[str, float | None, str]]:
    """Return the metrics of the whole validation set, each as title, value and definition.

    They are the AP of masks (or of boxes, if the network finds no masks), the AP of keypoints if there are any, and the
    mean AP50 pooled.
    """
    kind, definitions = found.matched_by, found.definitions
    what, summary = MATCHED_BY[kind], found.summary(kind) or {}
    metrics = [
        (f"{what} {name}", summary[name], f"{definitions[name]} {definitions[kind]}") for name in ("AP", "AP50", "AP75")
    ]
    if found.keypoints:
        metrics += [
            (f"keypoint {name}", found.keypoints[name], f"{definitions[name]} {definitions['keypoints']}")
            for name in ("AP", "AP50")
        ]
    pooled = f"{definitions['mean_ap50_pooled']} {definitions['ap50_pooled']}"
    return [*metrics, ("mean AP50 pooled", found.mean_ap50_pooled, pooled)]


def _picture_columns(definitions: Mapping[str, str]) -> dict[str, Any]:
    """Return the Streamlit column configuration of the table: number formats, and definitions as tooltips."""
    config: dict[str, Any] = {"picture": st.column_config.TextColumn(width=160)}
    for field, title in COLUMNS.items():
        if "ap" in field:
            config[title] = st.column_config.NumberColumn(format="%.3f", help=definitions[field], width="small")
        elif field != "file":
            config[title] = st.column_config.NumberColumn(help=definitions[field], width="small")
    return config
