"""The evaluation report of a run for the Predictions page, cached for each epoch and minimum score."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn.annotations.file_names import natural_key
from maskrcnn.evaluation import Report, evaluate
from maskrcnn.runs import best_epoch as epoch_rule
from maskrcnn.runs import metric_rows
from maskrcnn.runs.best_epoch import Best
from maskrcnn.runs.folder import CONFIG, DATASET, RunFolder
from maskrcnn.studio.shell import file_stamps


def shown(run: RunFolder) -> dict[str, Any]:
    """Return the COCO document of the pictures with detections (`RunFolder.shown`), sorted by file name.

    The order is natural ("2.png" before "10.png"), while the run has the order of the labels. The page and its report
    use this order, so row i of the report belongs to picture i of the list.
    """
    document = run.shown()
    return {**document, "images": sorted(document["images"], key=lambda image: natural_key(image["file_name"]))}


def report(run: RunFolder, epoch: int, min_score: float) -> Report:
    """Return the evaluation report of an epoch's detections on the pictures of `shown`; it is cached."""
    return _report(str(run.path), epoch, stamps(run, epoch), min_score)


def stamps(run: RunFolder, epoch: int) -> tuple[int, ...]:
    """Return the modification times of the files for an epoch's report: labels, configuration and detections."""
    files = (run.path / DATASET, run.path / CONFIG, run.path / "detections" / f"epoch_{epoch:04d}.json")
    return tuple(map(file_stamps.stamp, files))


@st.cache_resource(max_entries=16, show_spinner="Measuring the detections")  # immutable: all sessions share it
def _report(run_path: str, epoch: int, stamp: tuple[int, ...], min_score: float) -> Report:
    """Compute the report. `stamp` is part of the cache key, so the report is recomputed if a file was rewritten."""
    run = RunFolder(Path(run_path))
    config = run.config()
    truth, detections = shown(run), run.detections(epoch)
    return evaluate(truth, detections, min_score=min_score, tasks=config.tasks, sigmas=config.sigmas)


def best_epoch(run: RunFolder, kept: list[int]) -> Best:
    """Return the best epoch (see `runs.best_epoch`) among `kept`, the epochs with saved detections (at least 1).

    If no epoch was measured, return the last one.
    """
    found = epoch_rule.best_epoch(row for row in metric_rows.read(run).epochs if row["epoch"] in kept)
    return found if found and found.score is not None else Best(kept[-1])
