"""Downloads of the Evaluation page: the table, the report, the detections, and the large picture."""

from __future__ import annotations

import json
from functools import partial

import cv2
import pandas as pd
import streamlit as st

from maskrcnn.annotations import pictures
from maskrcnn.annotations.formats.spreadsheet import csv_of
from maskrcnn.drawing import overlays
from maskrcnn.evaluation import Report, match_image, report_of
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.evaluation.interval_jobs import interval_job
from maskrcnn.studio.evaluation.measured_epoch import EpochFiles, epoch_report, measured_set
from maskrcnn.studio.evaluation.page_state import ShownEpoch
from maskrcnn.studio.evaluation.picture_board import Board
from maskrcnn.studio.runs.labels_and_detections import pictures_with_detections

COLUMNS: dict[str, str] = {
    "file": "picture",
    "ap": "AP",
    "ap50": "AP50",
    "ap75": "AP75",
    "ap50_pooled": "AP50 pooled",
    "keypoints_ap": "keypoint AP",
    "n_gt": "objects",
    "n_pred": "detections",
    "tp": "TP",
    "fp": "FP",
    "fn": "FN",
    "wrong": "FP + FN",
    "f1": "F1",
    "mean_iou": "mean IoU",
    "count_error": "count error",
    "beyond_limit": "beyond COCO's limit",
}
"""Field of a report's row -> column title. Keypoint AP is there only if the network finds keypoints."""

_REAL = ("ap", "f1", "mean_iou")


def show(shown: ShownEpoch, board: Board) -> None:
    """Draw the download buttons. What they give is made when they are clicked."""
    files, at = shown.files, (shown.files, board.matches.min_score, board.matches.iou)
    start = f"{shown.run.name}_epoch_{shown.epoch:04d}"
    with st.container(horizontal=True):
        for label, ending, mime, content in (
            ("Table of pictures (CSV)", "pictures.csv", "text/csv", partial(table_csv, *at)),
            ("Report with intervals (JSON)", "report.json", "application/json", partial(report_json, *at)),
            ("Detections (COCO JSON)", "detections.json", "application/json", partial(detections_json, files)),
            ("The large picture (PNG)", "picture.png", "image/png", partial(picture_png, *at, board.picture)),
        ):
            st.download_button(
                label,
                content,
                file_name=f"{start}_{ending}",
                mime=mime,
                icon=":material/download:",
                on_click="ignore",
            )
    st.markdown(
        ":small[TP, FP, FN and F1 are those at the score and IoU of the sliders. The report is that of "
        "`python -m maskrcnn evaluate`. A chart is saved as PNG by the button that appears at its upper right corner, "
        "the charts of an analysis as SVG by the button below them.]"
    )


def picture_table(found: Report) -> pd.DataFrame:
    """Return a table with one row for each picture, in the order of the report, and the columns of `COLUMNS`."""
    fields = [field for field in COLUMNS if field != "keypoints_ap" or found.keypoints]
    rows = [[getattr(row, field) for field in fields] for row in found.per_image]
    frame = pd.DataFrame(rows, columns=fields)
    return frame.astype({field: "Float64" for field in fields if any(part in field for part in _REAL)}).rename(
        columns=COLUMNS
    )


def table_csv(files: EpochFiles, min_score: float, iou: float) -> str:
    """The table as CSV."""
    return csv_of(picture_table(epoch_report(RunFolder(files.run), files.epoch, min_score, iou)))


def report_json(files: EpochFiles, min_score: float, iou: float) -> str:
    """The report with evidence and intervals as JSON, as the command line writes it."""
    measured = measured_set(files)
    job = interval_job(files, measured)
    job.thread.join()
    report = report_of(measured, min_score=min_score, iou=iou, with_evidence=True, with_analyses=True)
    if job.report and job.report.intervals:
        report = report.with_intervals(job.report.intervals)
    return json.dumps(report.to_json(), indent=1)


def detections_json(files: EpochFiles) -> str:
    """The detections of the epoch as COCO results."""
    return json.dumps(RunFolder(files.run).detections(files.epoch))


def picture_png(files: EpochFiles, min_score: float, iou: float, number: int) -> bytes:
    """The open picture with what is right, wrong and missed, as PNG; its longer side has 2,048 pixels."""
    run = RunFolder(files.run)
    document, config = pictures_with_detections(run), run.config()
    image = document["images"][number]
    found = run.detections(files.epoch)
    matches = match_image(document, found, image["id"], min_score, iou, tasks=config.tasks)
    names = {entry["id"]: entry["name"] for entry in document["categories"]}
    marks = [
        *(mark for mark in overlays.truth_marks(matches, names) if mark.style == "dashed"),
        *overlays.prediction_marks(matches, names),
    ]
    drawn = overlays.draw(
        pictures.load(run.picture_path(image)), marks, longest=2048, boxes=matches.matched_by == "bbox"
    )
    return cv2.imencode(".png", cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))[1].tobytes()
