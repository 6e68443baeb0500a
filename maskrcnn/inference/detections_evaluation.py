"""Evaluation of saved detections, COCO results of any program, on labelled pictures. It imports no torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskrcnn.annotations import Dataset, learnable_objects, pictures, read
from maskrcnn.annotations.formats import coco
from maskrcnn.annotations.formats.via import class_attribute_across_files
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.evaluation import MeasuredSet, Report, intervals, measure, report_of
from maskrcnn.evaluation.document_checks import is_given, result_list
from maskrcnn.evaluation.measures import DEFAULT_IOU, DEFAULT_MIN_SCORE
from maskrcnn.evaluation.ranking_ap import Progress
from maskrcnn.words import counted


def evaluate_detections(
    detections: Path | str | Iterable[Mapping[str, Any]],
    data: Path | str | Dataset,
    images: Path | str | None = None,
    class_attribute: str | None = None,
    *,
    min_score: float = DEFAULT_MIN_SCORE,
    iou: float = DEFAULT_IOU,
    resamples: int = 0,
    seed: int = 0,
    warn: Callable[[str], None] = lambda line: None,
    progress: Progress | None = None,
) -> Report:
    """Measure detections that were saved, by this program or another one, on labelled pictures.

    `detections` are COCO results (see `evaluation.coco_documents`), a list or a file. Their ids are those of the labels
    `data`: of its COCO file, else those that `convert --to coco` gives. Pictures are only read for sizes that the
    labels do not have. Masks are measured if all detections have them, and keypoints if any has; otherwise boxes alone.
    The other arguments are those of `evaluate`.

    Raises `ArgumentError` if a file does not exist, `StudioError` if the two do not belong together.
    """
    name = str(detections) if isinstance(detections, Path | str) else "detections"
    found = _read_json(Path(detections)) if isinstance(detections, Path | str) else detections
    dataset = data if isinstance(data, Dataset) else read(Path(data), images and Path(images), class_attribute)
    class_attribute_across_files.require_class_choice(dataset, class_attribute)
    for line in dataset.warnings:
        if "--images DIR" not in line:  # the pictures need not be there
            warn(line)
    dataset = _with_sizes(dataset)
    try:
        results = result_list(found)
        tasks = _tasks(dataset, results)
        truth = coco.ground_truth(dataset, outlines="mask" in tasks)
        measured = measure(truth, results, tasks)
    except StudioError as error:
        source = str(dataset.source if isinstance(data, Dataset) else data)
        raise StudioError(_with_file_names(str(error), name, source)) from None
    if line := _foreign_classes_line(measured, len(truth["categories"])):
        warn(f"{name}: {line}")
    return full_report(measured, min_score, iou, resamples, seed, progress)


def full_report(
    measured: MeasuredSet,
    min_score: float = DEFAULT_MIN_SCORE,
    iou: float = DEFAULT_IOU,
    resamples: int = 0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """The report that `python -m maskrcnn evaluate` writes: with evidence and analyses, and intervals if asked for."""
    report = report_of(measured, min_score=min_score, iou=iou, with_evidence=True, with_analyses=True)
    return report.with_intervals(intervals(report, resamples, seed, progress)) if resamples else report


def _foreign_classes_line(measured: MeasuredSet, labelled: int) -> str:
    """A line about detections of classes that the labels do not have; "" without any.

    The first `labelled` classes of the measured set are those of the labels.
    """
    foreign = measured.categories[labelled:]
    if not foreign:
        return ""
    number = int((measured.detections.category >= labelled).sum())
    more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
    return (
        f"{counted(number, 'detection')} of category id {foreign[0]}{more}, which the labels do not have: wrong in the "
        "counts of each picture, and no part of AP"
    )


def _read_json(path: Path) -> Any:
    """The content of a JSON file of detections."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArgumentError(f"{path} does not exist; give a file of detections (COCO results)") from None
    except OSError as error:
        raise ArgumentError(f"{path}: cannot be read ({error.strerror}); give a file of detections") from None
    except (ValueError, RecursionError):
        raise StudioError(f"{path}: this is no JSON file; give detections as COCO results") from None


def _tasks(dataset: Dataset, found: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What can be measured: masks and keypoints only if both the detections and the labels have them."""
    objects = [region for record in dataset.images for region in learnable_objects.objects(record, outlines=False)]
    masks = all(map(learnable_objects.has_outline, objects)) and all(entry.get("segmentation") for entry in found)
    poses = any(map(learnable_objects.keypoints_of, objects)) and any(
        is_given(entry.get("keypoints")) for entry in found
    )
    return ("box", *["mask"] * masks, *["keypoints"] * poses)


def _with_sizes(dataset: Dataset) -> Dataset:
    """The dataset with the size of each picture, read from the picture where the labels do not have it."""
    records = []
    for record in dataset.images:
        if record.width is None or record.height is None:
            if record.path is None:
                raise StudioError(
                    f'{dataset.source or "the labels"}: the size of "{record.file_name}" is not known, and the picture '
                    "was not found beside them; pass --images DIR"
                )
            width, height = pictures.check(record.path)
            record = replace(record, width=width, height=height)
        records.append(record)
    return replace(dataset, images=tuple(records))


def _with_file_names(message: str, detections: str, labels: str) -> str:
    """A message about the two documents with the names of their files."""
    for kind, name in (("detections: ", detections), ("ground truth: ", labels)):
        if message.startswith(kind):
            return f"{name}: {message.removeprefix(kind)}"
    return message
