"""Convert labels to the training and validation documents of a run, which are saved in its `dataset.json`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskrcnn.annotations import learnable_objects, read
from maskrcnn.annotations.dataset import Dataset, ImageRecord, Split, classes_in
from maskrcnn.annotations.formats import coco
from maskrcnn.annotations.formats.via import class_attribute_across_files
from maskrcnn.annotations.predefined_splits import by_own_split
from maskrcnn.annotations.progress_callback import Watch, unwatched
from maskrcnn.annotations.skeletons import keypoint_labels, require_keypoints
from maskrcnn.annotations.store import Project, is_project
from maskrcnn.annotations.trainable_check import require_tasks, require_trainable
from maskrcnn.errors import StudioError
from maskrcnn.runs.folder import RunFolder


def training_documents(
    data: Path,
    val: Path | None,
    images: Path | None,
    run: Path,
    tasks: Sequence[str] = ("box", "mask"),
    snapshot: bool = True,
    watch: Watch = unwatched,
    class_attribute: str | None = None,
) -> dict[str, Any]:
    """Read the labels `data` and return the documents of a run in the folder `run` that learns `tasks`.

    The result is `{"classes": names, "keypoints": KeypointLabels or None, "train": COCO document, "val": COCO document
    or None, "learned": {"train": LearnableCounts, "val": LearnableCounts or None}, "notes": lines}`. `keypoints`
    are those of the training set, if they are a task. `learned` counts the labels, and those that are used. `notes` are
    warnings about labels that were skipped or changed.

    `val` are other labels for validation. Without it, the validation set is that of the project, or the split in the
    label files (`predefined_splits`). `images` is the folder of the pictures. `class_attribute` is the VIA attribute
    with the class, None: choose automatically; it also applies to the validation set
    (`via.class_attribute_across_files`). With `snapshot`, the labels of a project are saved in its history under the
    name of the run. `watch` reports the progress.

    Raises `StudioError` for labels that cannot be trained on, for a task without labels, and for classes or keypoints
    in the validation set that the training set does not have.
    """
    if snapshot and is_project(data):  # so that the user can view and restore the labels of the run in the project
        Project.open(data).snapshot(f"run {run.name}")
    outlines = "mask" in tasks
    waiting = 0
    own_split: str | None = None
    own_validation: Dataset | None = None  # the validation set that `data` itself contains
    if val is None and is_project(data):
        project = Project.open(data)
        training, own_validation = labelled_dataset(project, "train"), labelled_dataset(project, "val")
        waiting = len(project.images()) - len(training.images) - len(own_validation.images)
    elif is_project(data):
        training = labelled_dataset(Project.open(data))
    else:
        training, own_validation, own_split = by_own_split(read(data, images, class_attribute))
    validation: Dataset | None = None
    if val is not None:
        validation = class_attribute_across_files.as_in_training(read(val, images), training)
    elif own_validation:
        found = learnable_objects.tally(own_validation.images, outlines=outlines)
        # A set without objects is not used. One with objects without a class is: `require_trainable` reports them.
        if found.n_objects or found.n_skipped("no-class"):
            validation = own_validation
    class_attribute_across_files.require_class_choice(training, class_attribute)
    notes = [*training.warnings, *(validation.warnings if validation else ()), *([own_split] if own_split else [])]
    require_tasks(training, tasks)
    training = require_trainable(training, outlines=outlines, watch=watch)
    classes = classes_in(training.images)
    if validation:
        validation = require_trainable(validation, outlines=outlines, watch=watch)
        measured = learnable_objects.tally(validation.images, outlines=outlines).objects
        if unknown := sorted(measured.keys() - set(classes)):
            raise StudioError(
                f'{validation.source}: class "{unknown[0]}" is in the validation set but not in the training set '
                f"({', '.join(classes)}); rename it there or label some for training"
            )
    validation_labels = validation or own_validation  # what is counted, even if it is not used
    keypoints = keypoint_labels(training) if "keypoints" in tasks else None
    if keypoints and validation:
        require_keypoints(validation, keypoints, "those of the training set", "a validation set")
    return {
        "classes": classes,
        "keypoints": keypoints,
        "notes": notes,
        "train": training_document(training, classes, run, outlines=outlines),
        "val": training_document(validation, classes, run, outlines=outlines) if validation else None,
        "learned": {
            "train": replace(learnable_objects.tally(training.images, outlines=outlines), waiting=waiting),
            "val": learnable_objects.tally(validation_labels.images, outlines=outlines) if validation_labels else None,
        },
    }


def labelled_dataset(project: Project, split: Split | None = None) -> Dataset:
    """The labelled pictures of a project for the training documents, of one split (None: of both splits).

    A picture is labelled if it has regions or is marked as done. A picture that is done and has no regions is meant to
    be empty. An unlabelled picture is left out, because the model would learn that all of it is background.
    """
    finished = {image.file_name for image in project.images(split) if image.n_regions or image.done}
    dataset = project.dataset(split)
    return replace(dataset, images=tuple(record for record in dataset.images if record.file_name in finished))


def training_document(dataset: Dataset, classes: Sequence[str], run: Path, *, outlines: bool = True) -> dict[str, Any]:
    """The dataset as a COCO document whose images also have the path of their file (`path`).

    It contains the objects that can be learned (`learnable_objects.why_not`), and the crowds of `classes`, which the
    evaluation ignores. With `outlines=False`, it also contains objects that only have keypoints.
    """

    def without_unused(record: ImageRecord) -> ImageRecord:
        size = record.size
        reasons = [learnable_objects.why_not(region, size, outlines=outlines) for region in record.regions]
        regions = zip(record.regions, reasons, strict=True)
        held = [r for r, reason in regions if reason is None or (reason == "crowd" and r.class_name in classes)]
        return record if len(held) == len(record.regions) else replace(record, regions=tuple(held))

    used = replace(dataset, images=tuple(map(without_unused, dataset.images)))
    document = coco.document(used, classes, outlines=outlines)
    for image, record in zip(document["images"], dataset.images, strict=True):
        image["path"] = stored_path(record.path, run) if record.path else ""
    return document


def stored_path(picture: Path, run: Path) -> str:
    """The path of a picture as stored in dataset.json: relative to the run if both are in the same project (so that the
    project can be moved), otherwise absolute."""
    picture, run = picture.resolve(), run.resolve()
    project = RunFolder(run).project
    if project is not None and picture.is_relative_to(project):
        return os.path.relpath(picture, run)
    return str(picture)


def objects_by_class(document: dict[str, Any]) -> Counter[int]:
    """The number of objects per category id in a training document, without crowds.

    >>> document = {"annotations": [{"category_id": 1, "iscrowd": 0}, {"category_id": 1, "iscrowd": 1}]}
    >>> dict(objects_by_class(document))
    {1: 1}
    """
    return Counter(entry["category_id"] for entry in document["annotations"] if not entry.get("iscrowd"))
