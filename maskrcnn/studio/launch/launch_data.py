"""The training and validation data of a project for the Launch page: counts, errors and warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from maskrcnn.annotations.dataset import ImageRecord, classes_in
from maskrcnn.annotations.learnable_objects import LearnableCounts, has_outline, tally
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.skeletons import KeypointLabels, keypoint_labels
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs.readiness import FEW, remarks
from maskrcnn.studio.dataset import project_cache
from maskrcnn.words import counted, sentence

OBJECTS = (
    "Pictures that somebody labelled or marked as done, and the objects on them: regions that have a class, an area "
    "and a pixel inside their picture, and mark no crowd. Statistics and Split count the same."
)
CLASSES_SHOWN = 8
"""Maximum number of classes in the table; if there are more, only the rarest are listed."""


@dataclass(frozen=True)
class LaunchSplit:
    """The counts of one split, training or validation, for the Launch page.

    `pictures` and `objects` are used; `left_out` pictures are not used, because they are not labelled yet. `of_class`
    is the number of objects per class. `learned` also counts the objects that are skipped.
    """

    pictures: int
    objects: int
    left_out: int
    of_class: Mapping[str, int] = field(default_factory=dict)
    learned: LearnableCounts = field(default_factory=LearnableCounts, compare=False)

    @classmethod
    def of(cls, learned: LearnableCounts) -> LaunchSplit:
        """The counts of a split, from the tally of its objects."""
        return cls(learned.pictures, learned.n_objects, learned.waiting, learned.objects, learned)


@dataclass(frozen=True)
class LaunchData:
    """The data of a project that a training with the tasks `tasks` would use, as the Launch page shows it.

    `nameless` is the number of regions with an area but no class. `unknown` are classes that are only in validation
    pictures. `unused` are classes of the project without training objects. `outlines` says whether any training object
    has an outline.
    """

    train: LaunchSplit
    val: LaunchSplit
    classes: tuple[str, ...]
    nameless: int
    unknown: tuple[str, ...]
    unused: tuple[str, ...]
    outlines: bool
    tasks: tuple[str, ...]

    def obstacles(self) -> list[str]:
        """The reasons why the Launch page cannot start a training, with advice; empty if it can."""
        found = []
        if not self.train.pictures + self.train.left_out:
            found.append("There is no training picture; import some on the Annotate page.")
        elif not self.train.objects and not self.train.learned.n_skipped("no-class"):
            why = "; ".join(self.train.learned.passed_over())
            found.append(
                f"There is no object to learn from in the training pictures{': ' if why else '; '}{why}"
                f"{'. Draw' if why else 'draw'} some on the Annotate page."
            )
        elif "mask" in self.tasks and not self.outlines:
            found.append("No object has an outline to learn masks from; draw some, or switch masks off.")
        if self.nameless:
            found.append(
                f"{counted(self.nameless, 'region has', 'regions have')} no class; "
                "choose one for each on the Annotate page, or delete them."
            )
        if self.unknown and self.classes:
            found.append(
                f'Class "{self.unknown[0]}" is in the validation pictures but not in the training pictures; '
                "rename it, or label some for training."
            )
        return found

    def warnings(self, config: Config) -> list[str]:
        """Warnings about a training with `config` that can start nevertheless: those of `readiness.remarks`, which the
        trainer also prints, and those about classes of the project without objects."""
        found = [sentence(line) for line in remarks(config, self._documents())]
        if self.unused:
            names = ", ".join(f'"{name}"' for name in self.unused[:CLASSES_SHOWN])
            found.append(f"No training object of {names} yet: the network will not learn what that is.")
        return found

    def _documents(self) -> dict[str, Any]:
        """Minimal training documents with the same counts as those of the run, as the input of `readiness.remarks`."""
        numbers = {name: number for number, name in enumerate(self.classes, start=1)}

        def document(split: LaunchSplit) -> dict[str, Any]:
            objects: list[dict[str, Any]] = []
            for name, number in numbers.items():
                objects += [{"category_id": number}] * split.of_class.get(name, 0)
            categories = [{"id": number, "name": name} for name, number in numbers.items()]
            return {"images": [{}] * split.pictures, "annotations": objects, "categories": categories}

        return {
            "train": document(self.train),
            "val": document(self.val) if self.val.objects else None,
            # `left_out` has a line about the pictures that are not used, so there is no warning about them.
            "learned": {"train": replace(self.train.learned, waiting=0), "val": replace(self.val.learned, waiting=0)},
        }

    def table(self) -> list[tuple[str, str, str]]:
        """The rows of the table: (title, training count, validation count) for pictures, objects and each class.

        The rarest class is last. A count that is too small is marked with a warning sign.
        """
        rows = [
            ("pictures", f"{self.train.pictures:,}", f"{self.val.pictures:,}"),
            ("objects", f"{self.train.objects:,}", f"{self.val.objects:,}"),
        ]
        common = sorted(self.classes, key=lambda name: (-self.train.of_class.get(name, 0), name))
        if (hidden := len(common) - CLASSES_SHOWN) > 0:
            rows.append((counted(hidden, "other class", "other classes"), "", ""))
        for name in common[max(0, hidden) :]:
            train, val = (split.of_class.get(name, 0) for split in (self.train, self.val))
            is_missing = val == 0 and self.val.objects > 0
            rows.append((name, f"⚠ {train}" if train < FEW else f"{train:,}", f"⚠ {val}" if is_missing else f"{val:,}"))
        return rows

    def left_out(self) -> str:
        """A sentence about the pictures of the project that are not used; empty if all are used."""
        unused = self.train.left_out + self.val.left_out
        line = f"{counted(unused, 'picture is', 'pictures are')} left out: no region yet, and not marked as done."
        return line if unused else ""


@dataclass(frozen=True)
class LaunchLabels:
    """The counted labels of a project.

    `with_masks` and `without_masks` are the counts for trainings with and without the mask task. `keypoints` are those
    of the training pictures, None if they cannot be learned; then `no_keypoints` is the reason.
    """

    with_masks: LaunchData
    without_masks: LaunchData
    keypoints: KeypointLabels | None
    no_keypoints: str

    def data_for(self, tasks: Sequence[str]) -> LaunchData:
        """The data for these tasks. With masks, an object needs an area; without masks, a box is enough."""
        return replace(self.with_masks if "mask" in tasks else self.without_masks, tasks=tuple(tasks))


def cached_labels(project: Project) -> LaunchLabels:
    """Like `count_labels`, but cached until the project changes, and with a progress bar."""
    done = hash(tuple(image.id for image in project.images() if image.done))
    return project_cache.cached_result(
        "launch",
        project,
        "Reading the labels",
        lambda progress: count_labels(project, progress),
        (*project_cache.stamp(project), done),
    )


def count_labels(project: Project, progress: Progress | None = None) -> LaunchLabels:
    """Count the labels of a project that a training would use. `progress(done, total)` is called after each picture.

    A training uses the pictures with regions, and pictures without regions that were marked as done.
    """
    images = project.images()
    split_of = {image.file_name: image.split for image in images if image.n_regions or image.done}
    dataset = project.dataset()
    records_of: dict[str, list[ImageRecord]] = {"train": [], "val": []}
    for number, record in enumerate(dataset.images):
        if split := split_of.get(record.file_name):
            records_of[split].append(record)
        if progress is not None:
            progress(number + 1, len(images))
    left_out: Counter[str] = Counter(image.split for image in images if image.file_name not in split_of)
    names = [entry.name for entry in project.classes()]
    keypoints, why = None, ""
    try:
        keypoints = keypoint_labels(replace(dataset, images=tuple(records_of["train"])))
    except StudioError as error:
        why = str(error)
    if keypoints is None and not why:
        why = "No object in the training pictures has keypoints. They come with COCO labels of keypoints."
    with_masks, without = (_launch_data(records_of, left_out, names, outlines) for outlines in (True, False))
    return LaunchLabels(with_masks, without, keypoints, why)


def _launch_data(
    records_of: Mapping[str, Sequence[ImageRecord]], left_out: Mapping[str, int], names: Sequence[str], outlines: bool
) -> LaunchData:
    """Count the data of both splits. `outlines` says whether masks are learned; `names` are the project's classes."""
    found = {
        split: replace(tally(records, outlines=outlines), waiting=left_out.get(split, 0))
        for split, records in records_of.items()
    }
    classes = classes_in(records_of["train"])
    return LaunchData(
        train=LaunchSplit.of(found["train"]),
        val=LaunchSplit.of(found["val"]),
        classes=classes,
        nameless=sum(learned.n_skipped("no-class") for learned in found.values()),
        unknown=tuple(sorted(found["val"].objects.keys() - set(classes))),
        unused=tuple(name for name in names if name not in classes),
        outlines=any(has_outline(region) for record in records_of["train"] for region in record.regions),
        tasks=(),
    )
