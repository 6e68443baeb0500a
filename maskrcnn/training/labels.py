"""Which labels a run learns from: the snapshot that goes into its `dataset.json`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskrcnn.annotations import Dataset, read
from maskrcnn.annotations.formats import coco
from maskrcnn.annotations.regions import classes_in
from maskrcnn.annotations.store import DATABASE, Project, Split
from maskrcnn.annotations.trainable import require_trainable
from maskrcnn.errors import StudioError


def training_documents(data: Path, val: Path | None, images: Path | None, run: Path) -> dict[str, Any]:
    """`{"classes": names, "train": COCO document, "val": COCO document or None}` for a run in the folder `run`.

    A project brings its own validation set, unless `val` names another. Raises `StudioError` for labels that cannot be
    learned from and for a class in the validation set that the training set has not.
    """
    if is_project(data):  # the labels of a run can be looked at in the project, and gone back to
        Project.open(data).snapshot(f"run {run.name}")
    if val is None and is_project(data):
        project = Project.open(data)
        training, held_back = labelled(project, "train"), labelled(project, "val")
        validation = require_trainable(held_back) if held_back.n_regions else None
    else:
        training = read(data, images)
        validation = require_trainable(read(val, images)) if val else None
    training = require_trainable(training)
    classes = classes_in(training.images)
    if validation and (unknown := [name for name in classes_in(validation.images) if name not in classes]):
        raise StudioError(
            f'{validation.source}: class "{unknown[0]}" is in the validation set but not in the training set '
            f"({', '.join(classes)}); rename it there or label some for training"
        )
    return {
        "classes": classes,
        "train": snapshot(training, classes, run),
        "val": snapshot(validation, classes, run) if validation else None,
    }


def labelled(project: Project, split: Split) -> Dataset:
    """The pictures of a split that have regions, or that somebody marked as done and therefore mean to be empty.

    A picture that nobody has labelled yet would teach that everything on it is background.
    """
    finished = {image.file_name for image in project.images(split) if image.n_regions or image.done}
    dataset = project.dataset(split)
    return replace(dataset, images=tuple(record for record in dataset.images if record.file_name in finished))


def is_project(folder: Path) -> bool:
    return (folder / DATABASE).is_file()


def snapshot(dataset: Dataset, classes: Sequence[str], run: Path) -> dict[str, Any]:
    """The dataset as a COCO document whose images also say where their file is (`path`)."""
    document = coco.document(dataset, classes)
    for image, record in zip(document["images"], dataset.images, strict=True):
        image["path"] = stored_path(record.path, run) if record.path else ""
    return document


def stored_path(picture: Path, run: Path) -> str:
    """Relative to the run where both lie in one project (which may be moved as a whole), else absolute."""
    picture, run = picture.resolve(), run.resolve()
    project = run.parent.parent
    if picture.is_relative_to(project) and is_project(project):
        return os.path.relpath(picture, run)
    return str(picture)
