"""What a training of a project would learn from and be measured on, and what stands in its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import ImageRecord, classes_in
from maskrcnn.annotations.skeletons import KeypointLabels, keypoint_labels
from maskrcnn.annotations.store import Project
from maskrcnn.annotations.trainable import has_outline
from maskrcnn.errors import StudioError
from maskrcnn.studio.plain_text import plain


@dataclass(frozen=True)
class Split:
    """One half of what there is: pictures to learn from, objects on them, pictures that are left out.

    Left out are those that nobody has labelled yet: without a region and not marked as done.
    """

    pictures: int
    regions: int
    left_out: int


@dataclass(frozen=True)
class Material:
    """What a training with certain tasks would use.

    `nameless` counts objects without class, `unknown` are classes that only validation pictures have, `passed_over`
    counts regions that say nothing to these tasks (points and lines), `outlines` says whether any object has one.
    """

    train: Split
    val: Split
    classes: tuple[str, ...]
    nameless: int
    unknown: tuple[str, ...]
    passed_over: int
    outlines: bool
    tasks: tuple[str, ...]

    def obstacles(self) -> list[str]:
        """Why a training cannot start, each with its mend; empty if it can."""
        found = []
        if not self.train.pictures + self.train.left_out:
            found.append("There is no training picture; import some on the Annotate page.")
        elif not self.train.regions:
            found.append("There is no region to learn from in the training pictures; draw some on the Annotate page.")
        elif "mask" in self.tasks and not self.outlines:
            found.append("No object has an outline to learn masks from; draw some, or switch masks off.")
        if self.nameless:
            found.append(
                f"{_count(self.nameless, 'region has', 'regions have')} no class; "
                "choose one for each on the Annotate page, or delete them."
            )
        if self.unknown and self.classes:
            found.append(
                f'Class "{self.unknown[0]}" is in the validation pictures but not in the training pictures; '
                "rename it, or label some for training."
            )
        return found

    def warnings(self) -> list[str]:
        """What a training can start with, but somebody should know."""
        found = []
        if not self.val.regions:
            found.append(
                "There is no labelled validation picture, so there will be no validation losses and no AP, "
                "and the last epoch counts as the best."
            )
        if self.passed_over:
            found.append(
                f"{_count(self.passed_over, 'region without area', 'regions without area')} will be passed over: "
                "points, lines, or keypoints alone."
            )
        return found

    def in_words(self) -> str:
        """What is learned from, as Markdown: a small table, the pictures with nothing on them, the classes."""
        splits = {"training": self.train, "validation": self.val}
        rows = [f"| {title} | {split.pictures} | {split.regions} |" for title, split in splits.items()]
        parts = ["\n".join(["| | pictures | objects |", "|---|---:|---:|", *rows])]
        if waiting := self.train.left_out + self.val.left_out:
            parts.append(
                f"{_count(waiting, 'picture is', 'pictures are')} left out: no region yet, and not marked as done."
            )
        parts.append(f"{_count(len(self.classes), 'class', 'classes')}: {plain(', '.join(self.classes)) or 'none'}")
        return "\n\n".join(parts)


@dataclass(frozen=True)
class Labels:
    """The labels of a project that a trainer would take.

    `keypoints` are those of the training pictures, None where they cannot be learned; then `no_keypoints` says why.
    """

    train: tuple[ImageRecord, ...]
    val: tuple[ImageRecord, ...]
    left_out: tuple[int, int]
    keypoints: KeypointLabels | None
    no_keypoints: str

    def material(self, tasks: Sequence[str]) -> Material:
        """What there is for these tasks: with masks an object needs an area, without them a box is enough."""
        is_object = raster.has_area if "mask" in tasks else raster.has_box
        halves = (self.train, self.val)
        everything = [region for records in halves for record in records for region in record.regions]
        objects = [region for region in everything if is_object(region.shape)]
        classes = classes_in(self.train)
        train, val = (
            Split(
                len(records), sum(is_object(region.shape) for record in records for region in record.regions), waiting
            )
            for records, waiting in zip(halves, self.left_out, strict=True)
        )
        return Material(
            train=train,
            val=val,
            classes=classes,
            nameless=sum(region.class_name is None for region in objects),
            unknown=tuple(name for name in classes_in(self.val) if name not in classes),
            passed_over=len(everything) - len(objects),
            outlines=any(has_outline(region) for record in self.train for region in record.regions),
            tasks=tuple(tasks),
        )


def labels(project: Project) -> Labels:
    """Read what a project has to learn from."""
    train, val = _usable(project, "train"), _usable(project, "val")
    keypoints, why = None, ""
    try:
        keypoints = keypoint_labels(replace(project.dataset("train"), images=train))
    except StudioError as error:
        why = str(error)
    if keypoints is None and not why:
        why = "No object in the training pictures has keypoints. They come with COCO labels of keypoints."
    left_out = (len(project.images("train")) - len(train), len(project.images("val")) - len(val))
    return Labels(train, val, left_out, keypoints, why)


def _usable(project: Project, split: Literal["train", "val"]) -> tuple[ImageRecord, ...]:
    """The pictures that the trainer takes of a project: with regions, or marked as done and so meant to be empty."""
    finished = {image.file_name for image in project.images(split) if image.n_regions or image.done}
    return tuple(record for record in project.dataset(split).images if record.file_name in finished)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
