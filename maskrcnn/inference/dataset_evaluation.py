"""A trained network on labelled pictures: its detections, and the report of how good they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from maskrcnn.annotations import Dataset, pictures, read
from maskrcnn.annotations.formats import class_choice, coco
from maskrcnn.annotations.skeletons import KeypointLabels, require_keypoints
from maskrcnn.annotations.trainable import Watch, require_trainable, unwatched
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.evaluation import Report, intervals
from maskrcnn.evaluation import evaluate as report_of
from maskrcnn.evaluation.bootstrap import Progress
from maskrcnn.evaluation.coco_documents import Id
from maskrcnn.model import detect
from maskrcnn.model.build import StudioRCNN


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    `labels` are those that it measured against, with the sizes of their pictures. `detections` are COCO results with
    the image and category ids that the labels have (or that `convert --to coco` gives them), so pycocotools on both
    gives the AP of the report. `category_ids` holds the id of each class of the network; those in `unlabelled` are
    classes that the labels do not have.
    """

    report: Report
    labels: Dataset
    detections: list[dict[str, Any]]
    category_ids: dict[str, Id]
    unlabelled: tuple[str, ...]


def evaluate(
    model: StudioRCNN,
    data: Path | str | Dataset,
    images: Path | str | None = None,
    class_attribute: str | None = None,
    *,
    resamples: int = 0,
    seed: int = 0,
    model_name: str = "the network",
    warn: Callable[[str], None] = lambda line: None,
    watch: Watch = unwatched,
    progress: Progress | None = None,
) -> Evaluation:
    """Run a network of `load` on labelled pictures and measure what it finds.

    `data` are labels: a file, a folder, a project, or a Dataset that was read already. `images` is the folder of the
    pictures where they are not beside the labels. `class_attribute` names the VIA attribute that is the class; None
    takes the one that holds the classes of the network. With `resamples` the report has bootstrap intervals, drawn with
    `seed`. `model_name` is what errors call the network. `warn` gets each line that the reader of the labels has to
    say; `watch(items, words, count)` sees the pictures go by; `progress(done, total)` counts the resamples.

    Raises `ArgumentError` where something that was named is not there, `StudioError` for labels that cannot be
    measured against: without objects, with other classes or keypoints than the network has learned.
    """
    config = model.config
    dataset = data if isinstance(data, Dataset) else read(Path(data), images and Path(images), class_attribute)
    dataset = measurable(dataset, config, class_attribute)
    for line in dataset.warnings:
        warn(line)
    truth = coco.ground_truth(dataset, outlines="mask" in config.tasks)
    unknown = f"{dataset.source if isinstance(data, Dataset) else data}: {{}} is not one that {model_name} has learned"
    numbers = dict(zip(config.names, category_numbers(truth, config.names, unknown), strict=True))
    detections: list[dict[str, Any]] = []
    shown = watch(dataset.images, "detecting", len(dataset.images))
    for image, record in zip(truth["images"], shown, strict=True):
        assert record.path is not None  # `measurable` raises without it
        for found in detect(model, pictures.load(record.path), image["id"]):
            detections.append({**found, "category_id": numbers[config.names[found["category_id"] - 1]]})
    report = report_of(truth, detections, tasks=config.tasks, sigmas=config.sigmas, with_evidence=True)
    if resamples:
        report = report.with_intervals(intervals(report, resamples, seed, progress))
    declared = {category["id"] for category in truth["categories"]}
    unlabelled = tuple(name for name, number in numbers.items() if number not in declared)
    return Evaluation(report, dataset, detections, numbers, unlabelled)


def measurable(dataset: Dataset, config: Config, class_attribute: str | None = None) -> Dataset:
    """The labels with their classes read as a network of `config` has learned them and the sizes of their pictures.

    Reads every picture once. Raises as `evaluate` does, but for classes.
    """
    class_choice.require_choice(dataset, class_attribute)
    if class_attribute is None:
        dataset = class_choice.following(dataset, None, config.names, "the network")
    dataset = require_trainable(dataset, outlines="mask" in config.tasks)
    if "keypoints" in config.tasks:
        learned = KeypointLabels(config.num_keypoints, tuple(config.keypoint_names))
        require_keypoints(dataset, learned, "the model has learned", "labels")
    return dataset


def category_numbers(ground_truth: Mapping[str, Any], classes: Sequence[str], unknown: str) -> list[Id]:
    """The id that each class of the network has in the labels, found by its name.

    A class that the labels do not have gets an id that they do not use, above theirs. `StudioError` where the labels
    have an object of a class that the network has not; `unknown` begins its line.

    >>> labels = {"categories": [{"id": 7, "name": "nut"}], "annotations": []}
    >>> category_numbers(labels, ["bolt", "nut"], "{}")
    [8, 7]
    """
    ids = {category["name"]: category["id"] for category in ground_truth["categories"]}
    used = {annotation["category_id"] for annotation in ground_truth["annotations"]}
    if strange := [name for name, number in ids.items() if number in used and name not in classes]:
        named = unknown.format(f'class "{strange[0]}"')
        raise StudioError(f"{named} ({', '.join(classes)}); rename it or train with it")
    above = max([0, *(number for number in ids.values() if isinstance(number, int))])
    texts = any(isinstance(number, str) for number in ids.values())  # which have no order with numbers
    fresh = (str(number) if texts else number for number in count(above + 1))
    unused = (number for number in fresh if number not in ids.values())
    others = {name: next(unused) for name in classes if name not in ids}
    return [ids[name] if name in ids else others[name] for name in classes]
