"""What two epochs found on the pictures that they have in common, measured and compared; cached by file stamps."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from maskrcnn.config import Config
from maskrcnn.evaluation import Report, compare
from maskrcnn.evaluation.common_pictures import CommonPictures, Side, common_pictures
from maskrcnn.evaluation.comparison import Comparison
from maskrcnn.evaluation.measured_set import MeasuredSet, measure
from maskrcnn.evaluation.report_building import report_of
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.dataset.project_cache import progress_bar
from maskrcnn.studio.runs.labels_and_detections import detection_stamps, pictures_with_detections

RESAMPLES = 2000
"""How often the pictures are drawn anew for the intervals, as in `python -m maskrcnn compare`."""


@dataclass(frozen=True)
class ComparedEpochs:
    """What is compared: a run and an epoch on each side, and whose labels decide.

    `stamps_a` and `stamps_b` are the modification times of the files, so that a rewritten file is read again.
    """

    run_a: str
    epoch_a: int
    stamps_a: tuple[int, ...]
    run_b: str
    epoch_b: int
    stamps_b: tuple[int, ...]
    labels: Side

    @classmethod
    def of(cls, run_a: RunFolder, epoch_a: int, run_b: RunFolder, epoch_b: int, labels: Side) -> ComparedEpochs:
        """The epochs of two runs, with the present stamps of their files."""
        stamps_a, stamps_b = detection_stamps(run_a, epoch_a), detection_stamps(run_b, epoch_b)
        return cls(str(run_a.path), epoch_a, stamps_a, str(run_b.path), epoch_b, stamps_b, labels)


@dataclass(frozen=True, eq=False)
class ComparedSets:
    """Both sides on the pictures in common: as documents, measured, and as reports with evidence.

    `tasks` are those of both networks. `labels_differ` tells whether the labels of the two runs differ on these
    pictures.
    """

    common: CommonPictures
    tasks: tuple[str, ...]
    measured_a: MeasuredSet
    measured_b: MeasuredSet
    report_a: Report
    report_b: Report
    labels_differ: bool

    @property
    def files(self) -> tuple[str, ...]:
        """The file names of the pictures."""
        return self.measured_b.files


def compared_sets(epochs: ComparedEpochs) -> ComparedSets:
    """Read and measure both sides. Raises `StudioError` if a file cannot be read, or there is nothing in common."""
    return _compared_sets(epochs)


def comparison(epochs: ComparedEpochs, sets: ComparedSets) -> Comparison:
    """The comparison of both sides (`evaluation.compare`). The first time, a progress bar is drawn."""
    slot = _comparison_slot(epochs)
    if "result" not in slot:
        with st.empty():
            bar = progress_bar("Drawing the pictures anew")

            def progress(done: int, total: int) -> None:
                bar(done, total)

            slot["result"] = compare(sets.report_a, sets.report_b, resamples=RESAMPLES, progress=progress)
            st.empty()
    return slot["result"]


@st.cache_resource(max_entries=8, show_spinner="Measuring both sides")  # immutable: all sessions share it
def _compared_sets(epochs: ComparedEpochs) -> ComparedSets:
    run_a, run_b = RunFolder(epochs.run_a), RunFolder(epochs.run_b)
    documents = (
        pictures_with_detections(run_a),
        run_a.detections(epochs.epoch_a),
        pictures_with_detections(run_b),
        run_b.detections(epochs.epoch_b),
    )
    common = common_pictures(*documents, labels=epochs.labels)
    by_others = common_pictures(*documents, labels="a" if epochs.labels == "b" else "b")
    config_a, config_b = run_a.config(), run_b.config()
    tasks = tasks_in_common(config_a, config_b, common.truth["annotations"])
    measured_a, measured_b = (
        measure(common.truth, found, tasks, config.sigmas if "keypoints" in tasks else None)
        for found, config in ((common.detections_a, config_a), (common.detections_b, config_b))
    )
    return ComparedSets(
        common,
        tasks,
        measured_a,
        measured_b,
        report_of(measured_a, with_evidence=True),
        report_of(measured_b, with_evidence=True),
        labels_differ=_differ(common, by_others),
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _comparison_slot(epochs: ComparedEpochs) -> dict[str, Any]:
    """The cached dictionary of one comparison. A cached function must not draw, and the computation draws a bar."""
    return {}


def tasks_in_common(a: Config, b: Config, annotations: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """The tasks of both networks; without "mask" if an object has no outline to compare masks with."""
    tasks = [task for task in a.tasks if task in b.tasks]
    if "mask" in tasks and not all(entry.get("segmentation") for entry in annotations):
        tasks.remove("mask")
    return tuple(tasks)


def _differ(one: CommonPictures, other: CommonPictures) -> bool:
    """Whether the objects of the same pictures differ, apart from their ids and order."""

    def objects(common: CommonPictures) -> list[str]:
        files = {image["id"]: image["file_name"] for image in common.truth["images"]}
        names = {category["id"]: category["name"] for category in common.truth["categories"]}
        return sorted(
            json.dumps(
                [
                    files[entry["image_id"]],
                    names[entry["category_id"]],
                    *(entry.get(part) for part in ("iscrowd", "bbox", "segmentation", "keypoints")),
                ],
                default=str,
            )
            for entry in common.truth["annotations"]
        )

    return objects(one) != objects(other)
