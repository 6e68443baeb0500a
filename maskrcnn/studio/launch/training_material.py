"""What a training of a project would learn from and be measured on, and what stands in its way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from maskrcnn.annotations.learnable_objects import Learned, has_outline, tally
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import ImageRecord, classes_in
from maskrcnn.annotations.skeletons import KeypointLabels, keypoint_labels
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs.readiness import FEW, remarks
from maskrcnn.studio.dataset import project_cache
from maskrcnn.words import counted

OBJECTS = (
    "Pictures that somebody labelled or marked as done, and the objects on them: regions that have a class, an area "
    "and a pixel inside their picture, and mark no crowd. Statistics and Split count the same."
)
CLASSES_SHOWN = 8
"""How many classes are counted one by one; the rarest of them, where there are more. The column is narrow."""


@dataclass(frozen=True)
class Split:
    """One half of what there is: pictures to learn from, objects on them (`annotations.learned`), pictures that are
    left out because nobody has labelled them yet. `of_class` counts the objects of each class, `learned` also what is
    passed over.
    """

    pictures: int
    objects: int
    left_out: int
    of_class: Mapping[str, int] = field(default_factory=dict)
    learned: Learned = field(default_factory=Learned, compare=False)

    @classmethod
    def of(cls, learned: Learned) -> Split:
        return cls(learned.pictures, learned.n_objects, learned.waiting, learned.objects, learned)


@dataclass(frozen=True)
class Material:
    """What a training with certain tasks would use.

    `nameless` counts regions with an area that have no class, `unknown` are classes of which only validation pictures
    have objects, `unused` classes of the project that no training picture has, `outlines` says whether any object has
    one.
    """

    train: Split
    val: Split
    classes: tuple[str, ...]
    nameless: int
    unknown: tuple[str, ...]
    unused: tuple[str, ...]
    outlines: bool
    tasks: tuple[str, ...]

    def obstacles(self) -> list[str]:
        """Why a training cannot start, each with its mend; empty if it can."""
        found = []
        if not self.train.pictures + self.train.left_out:
            found.append("There is no training picture; import some on the Annotate page.")
        elif not self.train.objects and not self.train.learned.n_left("no-class"):
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
        """What a training as `config` says can start with, but somebody should know: what the trainer says before its
        first step, and what only the project knows."""
        found = [f"{line[:1].upper()}{line[1:]}." for line in remarks(config, self._documents())]
        if self.unused:
            names = ", ".join(f'"{name}"' for name in self.unused[:CLASSES_SHOWN])
            found.append(f"No training object of {names} yet: the network will not learn what that is.")
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

        return {
            "train": document(self.train),
            "val": document(self.val) if self.val.objects else None,
            # Of the pictures that are left out there is a line of its own, also where there is no warning.
            "learned": {"train": replace(self.train.learned, waiting=0), "val": replace(self.val.learned, waiting=0)},
        }

    def table(self) -> list[tuple[str, str, str]]:
        """What is learned from and measured on, in rows of a title and the two numbers: pictures, objects, and those
        of each class, the rarest last. A number that is too small has a sign."""
        rows = [
            ("pictures", f"{self.train.pictures:,}", f"{self.val.pictures:,}"),
            ("objects", f"{self.train.objects:,}", f"{self.val.objects:,}"),
        ]
        common = sorted(self.classes, key=lambda name: (-self.train.of_class.get(name, 0), name))
        if (hidden := len(common) - CLASSES_SHOWN) > 0:
            rows.append((counted(hidden, "other class", "other classes"), "", ""))
        for name in common[max(0, hidden) :]:
            train, val = (split.of_class.get(name, 0) for split in (self.train, self.val))
            blind = val == 0 and self.val.objects > 0
            rows.append((name, f"⚠ {train}" if train < FEW else f"{train:,}", f"⚠ {val}" if blind else f"{val:,}"))
        return rows

    def left_out(self) -> str:
        """What of the project is not used; empty where all of it is."""
        waiting = self.train.left_out + self.val.left_out
        said = f"{counted(waiting, 'picture is', 'pictures are')} left out: no region yet, and not marked as done."
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
    return project_cache.worked_out(
        "launch",
        project,
        "Reading the labels",
        lambda progress: labels(project, progress),
        (*project_cache.stamp(project), done),
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
    with_masks, without = (_material(halves, left_out, names, outlines) for outlines in (True, False))
    return Labels(with_masks, without, keypoints, why)


def _material(
    halves: Mapping[str, Sequence[ImageRecord]], left_out: Mapping[str, int], names: Sequence[str], outlines: bool
) -> Material:
    """What there is where masks are learned (`outlines`) or not. `names` are the classes of the project."""
    found = {
        half: replace(tally(records, outlines=outlines), waiting=left_out.get(half, 0))
        for half, records in halves.items()
    }
    classes = classes_in(halves["train"])
    return Material(
        train=Split.of(found["train"]),
        val=Split.of(found["val"]),
        classes=classes,
        nameless=sum(learned.n_left("no-class") for learned in found.values()),
        unknown=tuple(sorted(found["val"].objects.keys() - set(classes))),
        unused=tuple(name for name in names if name not in classes),
        outlines=any(has_outline(region) for record in halves["train"] for region in record.regions),
        tasks=(),
    )
