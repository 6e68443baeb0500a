"""The report of a run's detections that the Predictions page shows: measured once for each epoch and score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn.evaluation import Report, evaluate
from maskrcnn.runs import epochs, metric_rows
from maskrcnn.runs.epochs import Best
from maskrcnn.runs.folder import CONFIG, DATASET, RunFolder
from maskrcnn.studio.shell import file_stamps
from maskrcnn.words import natural_key


def shown(run: RunFolder) -> dict[str, Any]:
    """The COCO document of the pictures that detections are of (`RunFolder.shown`), in natural order of their names.

    A run lists its pictures as its labels did. The page and its report both take this order, so that a row of the
    report is that of the picture at its place in the list.
    """
    document = run.shown()
    return {**document, "images": sorted(document["images"], key=lambda image: natural_key(image["file_name"]))}


def report(run: RunFolder, epoch: int, min_score: float) -> Report:
    """The report of an epoch's detections on the pictures of `shown`, in their order, computed once."""
    return _report(str(run.path), epoch, stamps(run, epoch), min_score)


def stamps(run: RunFolder, epoch: int) -> tuple[int, ...]:
    """The modification times of what the report of an epoch is made of: labels, configuration, detections."""
    files = (run.path / DATASET, run.path / CONFIG, run.path / "detections" / f"epoch_{epoch:04d}.json")
    return tuple(map(file_stamps.stamp, files))


@st.cache_resource(max_entries=16, show_spinner="Measuring the detections")  # immutable: all sessions share it
def _report(run_path: str, epoch: int, stamp: tuple[int, ...], min_score: float) -> Report:
    """`stamp` tells a file that was written again from the one before."""
    run = RunFolder(Path(run_path))
    config = run.config()
    truth, detections = shown(run), run.detections(epoch)
    return evaluate(truth, detections, min_score=min_score, tasks=config.tasks, sigmas=config.sigmas)


def best_epoch(run: RunFolder, kept: list[int]) -> Best:
    """The best (see `runs.epochs.best_epoch`) of the epochs whose detections were `kept`, which are one at least.

    It is the last of them where nothing was measured.
    """
    found = epochs.best_epoch(row for row in metric_rows.read(run).epochs if row["epoch"] in kept)
    return found if found and found.score is not None else Best(kept[-1])
