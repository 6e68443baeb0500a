"""The labels and detections of an epoch of a run, measured once and shared by all pages and sessions."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from maskrcnn.evaluation import MeasuredSet, Report, measure, report_of
from maskrcnn.evaluation.measures import DEFAULT_IOU
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.runs.labels_and_detections import detection_stamps, pictures_with_detections


@dataclass(frozen=True)
class EpochFiles:
    """An epoch of a run, with the modification times of the files that say what was labelled and found.

    It is the key of all caches of the page, and of the addresses of its pictures.
    """

    run: str
    epoch: int
    stamps: tuple[int, ...]

    @classmethod
    def of(cls, run: RunFolder, epoch: int) -> EpochFiles:
        """The epoch with the present stamps of its files."""
        return cls(str(run.path), epoch, detection_stamps(run, epoch))


def measured_set(files: EpochFiles) -> MeasuredSet:
    """Return the measured set of an epoch; it is cached and shared. Picture i is picture i of
    `pictures_with_detections`.

    Raises `StudioError` if a file is damaged, or labels and detections do not belong together.
    """
    return _measured_set(files)


@st.cache_resource(max_entries=4, show_spinner="Measuring the detections")
def _measured_set(files: EpochFiles) -> MeasuredSet:
    run = RunFolder(files.run)
    config = run.config()
    return measure(pictures_with_detections(run), run.detections(files.epoch), config.tasks, config.sigmas)


def epoch_report(run: RunFolder, epoch: int, min_score: float, iou: float = DEFAULT_IOU) -> Report:
    """Return the evaluation report of an epoch's detections; it is cached. Raises `StudioError` for a damaged file.

    Row i of the report belongs to picture i of `pictures_with_detections`.
    """
    return _epoch_report(EpochFiles.of(run, epoch), min_score, iou)


@st.cache_resource(max_entries=16, show_spinner=False)  # immutable: all sessions share it
def _epoch_report(files: EpochFiles, min_score: float, iou: float) -> Report:
    return report_of(measured_set(files), min_score=min_score, iou=iou)
