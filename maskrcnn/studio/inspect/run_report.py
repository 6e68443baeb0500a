"""What the Predictions page shows of a run: its epochs, its report, its table and the chosen picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from maskrcnn.annotations.colours import colour_of
from maskrcnn.annotations.store import Project
from maskrcnn.evaluation import Report, evaluate
from maskrcnn.runs import epochs as epoch_rules
from maskrcnn.runs.epochs import Best
from maskrcnn.runs.folder import CONFIG, DATASET, RunFolder
from maskrcnn.studio.shell import file_stamps
from maskrcnn.words import natural_key

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
"""Field of a report's row -> title of its column; keypoint AP only where the network finds keypoints."""

MATCHED_BY: dict[str, str] = {"segm": "mask", "bbox": "box"}
"""What is compared to tell right from wrong, in a word."""


def shown(run: RunFolder) -> dict[str, Any]:
    """The COCO document of the pictures that detections are of (`RunFolder.shown`), in natural order of their names.

    A run lists its pictures as its labels did. The page and its report both take this order, so that a row of the
    report is that of the picture at its place in the list.
    """
    document = run.shown()
    return {**document, "images": sorted(document["images"], key=lambda image: natural_key(image["file_name"]))}


def report(run: RunFolder, epoch: int, min_score: float) -> Report:
    """The report of an epoch's detections on the pictures of `shown`, in their order, computed once."""
    files = (run.path / DATASET, run.path / CONFIG, run.path / "detections" / f"epoch_{epoch:04d}.json")
    stamp = tuple(map(file_stamps.stamp, files))
    return _report(str(run.path), epoch, stamp, min_score)


@st.cache_data(max_entries=16, show_spinner="Measuring the detections")
def _report(run_path: str, epoch: int, stamp: tuple[int, ...], min_score: float) -> Report:
    """`stamp` tells a file that was written again from the one before."""
    run = RunFolder(Path(run_path))
    config = run.config()
    truth, detections = shown(run), run.detections(epoch)
    return evaluate(truth, detections, min_score=min_score, tasks=config.tasks, sigmas=config.sigmas)


def best_epoch(run: RunFolder, epochs: list[int]) -> Best:
    """The best of the epochs whose detections were kept (see `training.epochs.best_epoch`), which are one at least; the
    last one of them where nothing was measured."""
    found = epoch_rules.best_epoch(row for row in run.epochs() if row["epoch"] in epochs)
    return found if found and found.score is not None else Best(epochs[-1])


def epoch_words(number: int, best: Best) -> str:
    """`3`, or `3 (best mask AP)`"""
    return f"{number} (best {best.judged_by})" if number == best.epoch and best.judged_by else str(number)


def epoch_help(best: Best) -> str:
    """What the choice of epochs says on hover."""
    if best.judged_by is None:
        return "Detections are kept for each epoch. Nothing was measured, so the last one counts as the best."
    return (
        f"Detections are kept for each epoch. The best of these has the highest {best.judged_by} on the validation "
        "pictures; among equals it is the first. A run opens at it."
    )


def class_colours(project: Project, categories: list[dict[str, Any]]) -> dict[int, str]:
    """The colour of each category: that of the project's class of this name, else one by its number."""
    stored = {entry.name: entry.colour for entry in project.classes()}
    return {entry["id"]: stored.get(entry["name"], colour_of(entry["id"] - 1)) for entry in categories}


def table(found: Report) -> pd.DataFrame:
    """One line for each picture, in the order of the report, with the columns of `COLUMNS`."""
    fields = [field for field in COLUMNS if field != "keypoints_ap" or found.keypoints]
    rows = [[getattr(row, field) for field in fields] for row in found.per_image]
    frame = pd.DataFrame(rows, columns=fields)
    return frame.astype({field: "Float64" for field in fields if "ap" in field}).rename(columns=COLUMNS)


def headline(found: Report) -> list[tuple[str, float | None, str]]:
    """The figures of the whole validation set: title, value and meaning, the finest of masks and boxes first."""
    kind, says = found.matched_by, found.definitions
    what, finest = MATCHED_BY[kind], found.summary(kind) or {}
    figures = [(f"{what} {name}", finest[name], f"{says[name]} {says[kind]}") for name in ("AP", "AP50", "AP75")]
    if found.keypoints:
        figures += [
            (f"keypoint {name}", found.keypoints[name], f"{says[name]} {says['keypoints']}") for name in ("AP", "AP50")
        ]
    pooled = f"{says['mean_ap50_pooled']} {says['ap50_pooled']}"
    return [*figures, ("mean AP50 pooled", found.mean_ap50_pooled, pooled)]


def column_config(definitions: Mapping[str, str]) -> dict[str, Any]:
    """How the table writes its numbers, each with its definition on hover."""
    config: dict[str, Any] = {"picture": st.column_config.TextColumn(width=160)}
    for field, title in COLUMNS.items():
        if "ap" in field:
            config[title] = st.column_config.NumberColumn(format="%.3f", help=definitions[field], width="small")
        elif field != "file":
            config[title] = st.column_config.NumberColumn(help=definitions[field], width="small")
    return config


def score_below(score: float, limit: float) -> str:
    """A score that is less than `limit`, with two decimals, or with as many as it takes to read as less.

    >>> score_below(0.31, 0.5), score_below(0.4996, 0.5)
    ('0.31', '0.4996')
    """
    said = (f"{score:.{digits}f}" for digits in range(2, 17))
    return next((words for words in said if float(words) < limit), f"{score:g}")


def figure(value: float | None) -> str:
    """An AP to three decimals, a dash where it is not defined."""
    return "–" if value is None else f"{value:.3f}"
