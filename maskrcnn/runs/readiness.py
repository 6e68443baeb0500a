"""Checks and warnings about the labels before a training starts. Does not import torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from maskrcnn.annotations import learnable_objects
from maskrcnn.annotations.learnable_objects import LearnableCounts
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.skeletons import mirrored
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs.training_documents import labelled_dataset, objects_by_class
from maskrcnn.words import counted

FEW = 5
"""Minimum number of objects of a class; with fewer, a warning is shown that the class is hardly learned."""


def require_ready(documents: dict[str, Any]) -> None:
    """Raise `StudioError` if the training set has no pictures or no objects.

    `documents` is `{"train": COCO document, "val": COCO document or None}`.
    """
    train = documents["train"]
    if not train["images"]:
        raise StudioError("there is no picture to learn from; label some, or give another --data")
    if not objects_by_class(train):
        pictures = len(train["images"])
        where = "the only picture" if pictures == 1 else f"any of the {pictures:,} pictures"
        raise StudioError(f"there is no object on {where} to learn from; label some, or give another --data")


def remarks(config: Config, documents: dict[str, Any]) -> Iterator[str]:
    """Warnings for the user about a training on `documents` with `config`, one line each.

    `documents` are those of `training_documents`. Without its `learned` (when a run is resumed), there are no warnings
    about labels that are not used.
    """
    train, val = documents["train"], documents["val"]
    yield from documents.get("notes", ())
    names = {category["id"]: category["name"] for category in train["categories"]}
    objects = objects_by_class(train)
    learned_by_split: dict[str, LearnableCounts | None] = documents.get("learned") or {}
    for split, prefix in (("train", ""), ("val", "of the validation set, ")):
        if learned := learned_by_split.get(split):
            for line in learned.remarks():
                yield f"{prefix}{line}"
    if (learned := learned_by_split.get("train")) and (
        number := learned.vanishing(config.image_min_dim, config.image_max_dim)
    ):
        yield (
            f"{counted(number, 'object is', 'objects are')} narrower than a pixel once pictures are scaled to working "
            f"size, and {'is' if number == 1 else 'are'} not learned; raise image_min_dim ({config.image_min_dim}) and "
            f"image_max_dim ({config.image_max_dim})"
        )
    if len(train["images"]) == 1:
        yield "there is one picture only: it will be learned by heart, and others will hardly be understood; label more"
    for number, name in names.items():
        if not objects[number]:
            yield f'class "{name}" has no object to learn from; it will never be found'
        elif objects[number] < FEW and len(train["images"]) > 1:
            there = counted(objects[number], "object")
            yield f'class "{name}" has {there} to learn from; label more, it will hardly be learned'
    learned_val = learned_by_split.get("val")
    if not val or not val["images"]:
        if learned_val and learned_val.pictures:
            why = (
                f"no object on the {counted(learned_val.pictures, 'validation picture')}, so there is no validation set"
            )
        else:
            why = "there is no validation set"
        yield (
            f"{why}: no AP and no validation losses, and the last epoch counts as the best; keep some labelled "
            "pictures back on the Split page of the project, or name others with --val"
        )
    else:
        val_objects = objects_by_class(val)
        if not val_objects:
            yield "the validation pictures have no object on them, so there will be no AP"
        for number, name in names.items():
            if val_objects and objects[number] and not val_objects[number]:
                yield f'class "{name}" is on no validation picture, so the AP says nothing of it'
    if config.patience is not None and not (val and val["images"]):
        yield "patience needs a validation set, so the run goes to its end"
    if config.copy_paste and "mask" not in config.tasks:
        yield "copy_paste needs the mask task; no objects are pasted"
    if "keypoints" in config.tasks:
        if config.flip and mirrored(config.keypoint_names, config.num_keypoints) is None:
            yield (
                "pictures are not mirrored, because the names of the keypoints do not say which is left and which is "
                "right; call them left_eye, right_eye and so on"
            )
    elif any(annotation.get("num_keypoints") for annotation in train["annotations"]):
        yield f"the labels have keypoints too; --tasks {','.join([*config.tasks, 'keypoints'])} learns them"


def learnable_in_project(
    project: Project, *, outlines: bool = True, progress: Progress | None = None
) -> learnable_objects.LearnableCounts:
    """Count the objects of a project that are ready for a training, over both splits.

    `LearnableCounts.waiting` is the number of pictures that are left out because they are not labelled yet.
    """
    dataset = labelled_dataset(project)
    waiting = len(project.images()) - len(dataset.images)
    return replace(learnable_objects.tally(dataset.images, outlines=outlines, progress=progress), waiting=waiting)
