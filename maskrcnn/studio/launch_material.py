"""What a training of a project would learn from and be measured on, and what stands in its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from maskrcnn.annotations import raster
from maskrcnn.annotations.progress import Progress
from maskrcnn.annotations.regions import ImageRecord, Shape, classes_in
from maskrcnn.annotations.skeletons import KeypointLabels, keypoint_labels
from maskrcnn.annotations.store import Project
from maskrcnn.annotations.trainable import has_outline
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.studio import dataset_memory
from maskrcnn.training.readiness import FEW, remarks

CLASSES_SHOWN = 8
"""How many classes are counted one by one; the rarest of them, where there are more."""


@dataclass(frozen=True)
class Split:
    """One half of what there is: pictures to learn from, objects on them, pictures that are left out.

    Left out are those that nobody has labelled yet: without a region and not marked as done. `of_class` counts the
    objects of each class.
    """

    pictures: int
    regions: int
    left_out: int
    of_class: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Material:
    """What a training with certain tasks would use.

    `nameless` counts objects without class, `unknown` are classes that only validation pictures have, `unused` classes
    of the project that no training picture has, `passed_over` counts regions that say nothing to these tasks (points
    and lines), `outlines` says whether any object has one.
    """

    train: Split
    val: Split
    classes: tuple[str, ...]
    nameless: int
    unknown: tuple[str, ...]
    unused: tuple[str, ...]
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

    def warnings(self, config: Config) -> list[str]:
        """What a training as `config` says can start with, but somebody should know: what the trainer says before its
        first step, and what only the project knows."""
        found = [f"{line[:1].upper()}{line[1:]}." for line in remarks(config, self._documents())]
        if self.unused:
            names = ", ".join(f'"{name}"' for name in self.unused[:CLASSES_SHOWN])
            found.append(f"No training object of {names} yet: the network will not learn what that is.")
        if self.passed_over:
            found.append(
                f"{_count(self.passed_over, 'region without area', 'regions without area')} will be passed over: "
                "points, lines, or keypoints alone."
            )
        return found

    def _documents(self) -> dict[str, Any]:
        """Documents that count as those of the run would, with nothing else in them."""
        numbers = {name: number for number, name in enumerate(self.classes, start=1)}

        def document(split: Split) -> dict[str, Any]:
            objects: list[dict[str, Any]] = []
            for name, number in numbers.items():
                objects += [{"category_id": number}] * split.of_class.get(name, 0)
            categories = [{"id": number, "name": name} for name, number in numbers.items()]
            return {"images": [{}] * split.pictures, "annotations": objects, "categories": categories}

        return {"train": document(self.train), "val": document(self.val) if self.val.regions else None}

    def table(self) -> list[tuple[str, str, str]]:
        """What is learned from and measured on, in rows of a title and the two numbers: pictures, objects, and those
        of each class, the rarest last. A number that is too small has a sign."""
        rows = [
            ("pictures", str(self.train.pictures), str(self.val.pictures)),
            ("objects", str(self.train.regions), str(self.val.regions)),
        ]
        common = sorted(self.classes, key=lambda name: (-self.train.of_class.get(name, 0), name))
        if (hidden := len(common) - CLASSES_SHOWN) > 0:
            rows.append((f"{_count(hidden, 'more common class', 'more common classes')}", "", ""))
        for name in common[max(0, hidden) :]:
            train, val = (split.of_class.get(name, 0) for split in (self.train, self.val))
            blind = val == 0 and self.val.regions > 0
            rows.append((name, f"⚠ {train}" if train < FEW else str(train), f"⚠ {val}" if blind else str(val)))
        return rows

    def left_out(self) -> str:
        """What of the project is not used; empty where all of it is."""
        waiting = self.train.left_out + self.val.left_out
        said = f"{_count(waiting, 'picture is', 'pictures are')} left out: no region yet, and not marked as done."
        return said if waiting else ""


@dataclass(frozen=True)
class Labels:
    """The labels of a project that a trainer would take, counted.

    `with_masks` and `without_masks` are what there is for these tasks. `keypoints` are those of the training pictures,
    None where they cannot be learned; then `no_keypoints` says why.
    """

    with_masks: Material
    without_masks: Material
    keypoints: KeypointLabels | None
    no_keypoints: str

    def material(self, tasks: Sequence[str]) -> Material:
        """What there is for these tasks: with masks an object needs an area, without them a box is enough."""
        return replace(self.with_masks if "mask" in tasks else self.without_masks, tasks=tuple(tasks))


def known_labels(project: Project) -> Labels:
    """`labels`, counted once for each state of the project, with a bar meanwhile."""
    done = hash(tuple(image.id for image in project.images() if image.done))
    return dataset_memory.worked_out(
        "launch",
        project,
        "Reading the labels",
        lambda progress: labels(project, progress),
        (*dataset_memory.stamp(project), done),
    )


def labels(project: Project, progress: Progress | None = None) -> Labels:
    """Count what a project has to learn from. `progress(done, total)` is called after each picture.

    The trainer takes the pictures with regions, and those that somebody marked as done and so means to be empty.
    """
    images = project.images()
    split_of = {image.file_name: image.split for image in images if image.n_regions or image.done}
    dataset = project.dataset()
    halves: dict[str, list[ImageRecord]] = {"train": [], "val": []}
    for number, record in enumerate(dataset.images):
        if split := split_of.get(record.file_name):
            halves[split].append(record)
        if progress is not None:
            progress(number + 1, len(images))
    left_out: Counter[str] = Counter(image.split for image in images if image.file_name not in split_of)
    names = [entry.name for entry in project.classes()]
    keypoints, why = None, ""
    try:
        keypoints = keypoint_labels(replace(dataset, images=tuple(halves["train"])))
    except StudioError as error:
        why = str(error)
    if keypoints is None and not why:
        why = "No object in the training pictures has keypoints. They come with COCO labels of keypoints."
    with_masks, without = (
        _material(halves, left_out, names, is_object) for is_object in (raster.has_area, raster.has_box)
    )
    return Labels(with_masks, without, keypoints, why)


def _material(
    halves: Mapping[str, Sequence[ImageRecord]],
    left_out: Mapping[str, int],
    names: Sequence[str],
    is_object: Callable[[Shape], bool],
) -> Material:
    """What there is where `is_object` says which shapes count. `names` are the classes of the project."""
    splits, nameless, passed_over = {}, 0, 0
    for half, records in halves.items():
        regions = [region for record in records for region in record.regions]
        objects = Counter(region.class_name for region in regions if is_object(region.shape))
        nameless += objects[None]
        passed_over += len(regions) - objects.total()
        of_class = {name: number for name, number in objects.items() if name}
        splits[half] = Split(len(records), objects.total(), left_out.get(half, 0), of_class)
    classes = classes_in(halves["train"])
    return Material(
        train=splits["train"],
        val=splits["val"],
        classes=classes,
        nameless=nameless,
        unknown=tuple(name for name in classes_in(halves["val"]) if name not in classes),
        unused=tuple(name for name in names if name not in classes),
        passed_over=passed_over,
        outlines=any(has_outline(region) for record in halves["train"] for region in record.regions),
        tasks=(),
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
