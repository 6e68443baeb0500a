"""Which labels a run learns from: the snapshot that goes into its `dataset.json`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskrcnn.annotations import Dataset, learned, raster, read
from maskrcnn.annotations.formats import class_choice, coco
from maskrcnn.annotations.labelled_pictures import labelled
from maskrcnn.annotations.learned import has_outline
from maskrcnn.annotations.own_splits import by_own_split
from maskrcnn.annotations.regions import ImageRecord, Region, classes_in
from maskrcnn.annotations.skeletons import keypoint_labels, keypoints_of, require_keypoints
from maskrcnn.annotations.store import Project, is_project
from maskrcnn.annotations.trainable import Watch, require_trainable, unwatched
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
    """`{"classes": names, "keypoints": KeypointLabels or None, "train": COCO document, "val": COCO document or None,
    "learned": {"train": Learned, "val": Learned or None}, "notes": lines}` for a run in the folder `run` that learns
    `tasks`.

    A project brings its own validation set, and so do labels with a split of their own (`own_splits`), unless `val`
    names another. `keypoints` are those of the training set, where they are a task; `learned` counts what the labels
    hold and what of it is learned from. Raises `StudioError` for labels that cannot be learned from, for a task that
    they say nothing about, and for classes or keypoints in the validation set that the training set has not. With
    `snapshot`, the labels of a project are noted in its history under the name of the run. `watch` sees the pictures
    go by. `class_attribute` names the VIA attribute that is the class, where the rule would find another; the
    validation set follows the training set in it (`class_choice`). `notes` are what the readers of the labels left out
    or took otherwise.
    """
    if snapshot and is_project(data):  # the labels of a run can be looked at in the project, and gone back to
        Project.open(data).snapshot(f"run {run.name}")
    outlines = "mask" in tasks
    waiting = 0
    own_split: str | None = None
    held_back: Dataset | None = None
    if val is None and is_project(data):
        project = Project.open(data)
        training, held_back = labelled(project, "train"), labelled(project, "val")
        waiting = len(project.images()) - len(training.images) - len(held_back.images)
    elif is_project(data):
        training = labelled(Project.open(data))
    else:
        training, held_back, own_split = by_own_split(read(data, images, class_attribute))
    if val is None:
        found = learned.tally(held_back.images, outlines=outlines) if held_back else None
        validation = held_back if found and (found.n_objects or found.n_left("no-class")) else None
    else:
        validation = held_back = class_choice.as_in(read(val, images), training)
    class_choice.require_choice(training, class_attribute)
    notes = [*training.warnings, *(validation.warnings if validation else ()), *([own_split] if own_split else [])]
    require_tasks(training, tasks)
    training = require_trainable(training, outlines=outlines, watch=watch)
    classes = classes_in(training.images)
    if validation:
        validation = require_trainable(validation, outlines=outlines, watch=watch)
        measured = learned.tally(validation.images, outlines=outlines).objects
        if unknown := sorted(measured.keys() - set(classes)):
            raise StudioError(
                f'{validation.source}: class "{unknown[0]}" is in the validation set but not in the training set '
                f"({', '.join(classes)}); rename it there or label some for training"
            )
    keypoints = keypoint_labels(training) if "keypoints" in tasks else None
    if keypoints and validation:
        require_keypoints(validation, keypoints, "those of the training set", "a validation set")
    return {
        "classes": classes,
        "keypoints": keypoints,
        "notes": notes,
        "train": frozen(training, classes, run, outlines=outlines),
        "val": frozen(validation, classes, run, outlines=outlines) if validation else None,
        "learned": {
            "train": replace(learned.tally(training.images, outlines=outlines), waiting=waiting),
            "val": learned.tally((validation or held_back).images, outlines=outlines) if held_back else None,
        },
    }


def require_tasks(dataset: Dataset, tasks: Sequence[str]) -> None:
    """`StudioError` where the labels say nothing about one of the tasks, with the tasks that they are good for."""

    def some(holds: Callable[[Region], object]) -> bool:
        return any(holds(region) for record in dataset.images for region in record.regions)

    lacking = []
    if "mask" in tasks and not some(has_outline):
        lacking.append("an outline to learn masks from")
    if "keypoints" in tasks and not some(keypoints_of):
        lacking.append("keypoints to learn")
    # Where there is nothing at all, require_trainable has the words for it.
    if lacking and some(lambda region: raster.has_box(region.shape)):
        possible = ["box", *["mask"] * some(has_outline), *["keypoints"] * some(keypoints_of)]
        raise StudioError(
            f"{dataset.source or 'the dataset'}: no object has {' or '.join(lacking)}; label some, or learn what there "
            f"is: --tasks {','.join(possible)}"
        )


def frozen(dataset: Dataset, classes: Sequence[str], run: Path, *, outlines: bool = True) -> dict[str, Any]:
    """The dataset as a COCO document whose images also say where their file is (`path`).

    It holds the objects (`learned.why_not`) and the crowds of `classes`, which evaluation passes over. With
    `outlines=False` objects of which only keypoints were drawn are in it too.
    """

    def kept(record: ImageRecord) -> ImageRecord:
        size = learned.size_of(record)
        reasons = [learned.why_not(region, size, outlines=outlines) for region in record.regions]
        regions = zip(record.regions, reasons, strict=True)
        held = [r for r, reason in regions if reason is None or (reason == "crowd" and r.class_name in classes)]
        return record if len(held) == len(record.regions) else replace(record, regions=tuple(held))

    document = coco.document(replace(dataset, images=tuple(map(kept, dataset.images))), classes, outlines=outlines)
    for image, record in zip(document["images"], dataset.images, strict=True):
        image["path"] = stored_path(record.path, run) if record.path else ""
    return document


def stored_path(picture: Path, run: Path) -> str:
    """Relative to the run where both lie in one project (which may be moved as a whole), else absolute."""
    picture, run = picture.resolve(), run.resolve()
    project = RunFolder(run).project
    if project is not None and picture.is_relative_to(project):
        return os.path.relpath(picture, run)
    return str(picture)
