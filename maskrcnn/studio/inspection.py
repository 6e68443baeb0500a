"""What the Predictions page shows of a run: its epochs, its report, its table and the chosen picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from maskrcnn.annotations.colours import colour_of
from maskrcnn.annotations.store import Project
from maskrcnn.evaluation import evaluate
from maskrcnn.evaluation.report import Report
from maskrcnn.training.run_folder import DATASET, RunFolder

COLUMNS: dict[str, str] = {
    "file": "picture",
    "ap": "AP",
    "ap50": "AP50",
    "ap50_pooled": "AP50 pooled",
    "n_gt": "objects",
    "tp": "TP",
    "fp": "FP",
    "fn": "FN",
}
"""Field of a report's row -> title of its column."""


def report(run: RunFolder, epoch: int, min_score: float) -> Report:
    """The report of an epoch's detections on the run's validation pictures, computed once."""
    files = (run.path / DATASET, run.path / "detections" / f"epoch_{epoch:04d}.json")
    stamp = tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)
    return _report(str(run.path), epoch, stamp, min_score)


@st.cache_data(max_entries=16, show_spinner="Measuring the detections")
def _report(run_path: str, epoch: int, stamp: tuple[int, ...], min_score: float) -> Report:
    """`stamp` tells a file that was written again from the one before."""
    run = RunFolder(Path(run_path))
    return evaluate(run.dataset()["val"], run.detections(epoch), min_score=min_score)


def best_epoch(run: RunFolder, epochs: list[int]) -> int:
    """The epoch with the best mask AP among those whose detections were kept; the last one where none has any."""
    scores = {row["epoch"]: row.get("segm_ap") for row in run.epochs()}
    known = [epoch for epoch in epochs if scores.get(epoch) is not None]
    return max(known, key=lambda epoch: (scores[epoch], epoch)) if known else epochs[-1]


def class_colours(project: Project, categories: list[dict[str, Any]]) -> dict[int, str]:
    """The colour of each category: that of the project's class of this name, else one by its number."""
    stored = {entry.name: entry.colour for entry in project.classes()}
    return {entry["id"]: stored.get(entry["name"], colour_of(entry["id"] - 1)) for entry in categories}


def table(found: Report) -> pd.DataFrame:
    """One line for each picture, in the order of the report, with the columns of `COLUMNS`."""
    frame = pd.DataFrame(found["per_image"], columns=list(COLUMNS))
    return frame.astype({"ap": "Float64", "ap50": "Float64", "ap50_pooled": "Float64"}).rename(columns=COLUMNS)


def column_config(definitions: Mapping[str, str]) -> dict[str, Any]:
    """How the table writes its numbers, each with its definition on hover."""
    config: dict[str, Any] = {"picture": st.column_config.TextColumn(width="medium")}
    for field, title in COLUMNS.items():
        if field.startswith("ap"):
            config[title] = st.column_config.NumberColumn(format="%.3f", help=definitions[field], width="small")
        elif field != "file":
            config[title] = st.column_config.NumberColumn(help=definitions[field], width="small")
    return config


def figure(value: float | None) -> str:
    """An AP to three decimals, a dash where it is not defined."""
    return "–" if value is None else f"{value:.3f}"


def counted(number: int, noun: str) -> str:
    """`1 object`, `2 objects`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
