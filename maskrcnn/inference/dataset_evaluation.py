"""Evaluation of a trained network on labelled pictures: its detections, and the report with its AP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from maskrcnn.annotations import Dataset, pictures, read
from maskrcnn.annotations.formats import coco
from maskrcnn.annotations.formats.via import class_attribute_across_files
from maskrcnn.annotations.progress_callback import Watch, unwatched
from maskrcnn.annotations.skeletons import KeypointLabels, require_keypoints
from maskrcnn.annotations.trainable_check import require_trainable
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.evaluation import Report, measure
from maskrcnn.evaluation.coco_documents import Id
from maskrcnn.evaluation.measures import DEFAULT_IOU, DEFAULT_MIN_SCORE
from maskrcnn.evaluation.ranking_ap import Progress
from maskrcnn.inference.detections_evaluation import full_report
from maskrcnn.model import detect
from maskrcnn.model.build import StudioRCNN


@dataclass(frozen=True)
class Evaluation:
    """The result of `evaluate`.

    `labels` is the ground truth, with picture sizes. `detections` are COCO results with the image and category ids of
    the labels (or the ids that `convert --to coco` gives them), so pycocotools computes the same AP from both.
    `category_ids` maps each class of the network to its category id. `unlabelled` are the classes of the network that
    the labels do not have.
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
    min_score: float = DEFAULT_MIN_SCORE,
    iou: float = DEFAULT_IOU,
    resamples: int = 0,
    seed: int = 0,
    model_name: str = "the network",
    warn: Callable[[str], None] = lambda line: None,
    watch: Watch = unwatched,
    progress: Progress | None = None,
) -> Evaluation:
    """Run a network (see `load`) on labelled pictures and compute its AP.

    `data` are labels: a file, a folder, a project, or a Dataset. `images` is the folder of the pictures if they are not
    next to the labels. `class_attribute` names the VIA attribute that is the class; None selects the one that has the
    classes of the network. `min_score` and `iou` decide what counts as found in the tables of pictures and classes.
    With `resamples` > 0 the report has intervals, with random `seed`. `model_name` is the name of the network in error
    messages. `warn` is called with each warning of the label reader.
    `watch(items, words, count)` wraps the pictures, for a progress bar. `progress(done, total)` counts the resamples.

    Raises `ArgumentError` if a given path or attribute does not exist. Raises `StudioError` if the labels cannot be
    used: no objects, or classes or keypoints that the network was not trained on.
    """
    config = model.config
    dataset = data if isinstance(data, Dataset) else read(Path(data), images and Path(images), class_attribute)
    dataset = measurable(dataset, config, class_attribute)
    for line in dataset.warnings:
        warn(line)
    truth = coco.ground_truth(dataset, outlines="mask" in config.tasks)
    source = dataset.source if isinstance(data, Dataset) else data
    numbers = dict(zip(config.names, category_ids_of_classes(truth, config.names, source, model_name), strict=True))
    detections: list[dict[str, Any]] = []
    shown = watch(dataset.images, "detecting", len(dataset.images))
    for image, record in zip(truth["images"], shown, strict=True):
        assert record.path is not None  # `measurable` raises without it
        for found in detect(model, pictures.load(record.path), image["id"]):
            detections.append({**found, "category_id": numbers[config.names[found["category_id"] - 1]]})
    measured = measure(truth, detections, config.tasks, config.sigmas)
    report = full_report(measured, min_score, iou, resamples, seed, progress)
    declared = {category["id"] for category in truth["categories"]}
    unlabelled = tuple(name for name, number in numbers.items() if number not in declared)
    return Evaluation(report, dataset, detections, numbers, unlabelled)


def measurable(dataset: Dataset, config: Config, class_attribute: str | None = None) -> Dataset:
    """The labels prepared for the evaluation of a network: with the class attribute of `config` and picture sizes.

    Reads every picture once. Raises the errors of `evaluate`, except those for unknown classes.
    """
    class_attribute_across_files.require_class_choice(dataset, class_attribute)
    if class_attribute is None:
        dataset = class_attribute_across_files.as_in_other_labels(dataset, None, config.names, "the network")
    dataset = require_trainable(dataset, outlines="mask" in config.tasks)
    if "keypoints" in config.tasks:
        learned = KeypointLabels(config.num_keypoints, tuple(config.keypoint_names))
        require_keypoints(dataset, learned, "the model has learned", "labels")
    return dataset


def category_ids_of_classes(
    ground_truth: Mapping[str, Any], classes: Sequence[str], source: object, model_name: str
) -> list[Id]:
    """The category id in a COCO document of each class of the network, found by name.

    `ground_truth` is the document of the labels, `classes` are the class names of the network.

    A class that the labels do not have gets a new id, larger than theirs. Raises `StudioError` if the labels have an
    object of another class; its message names the labels (`source`), that class and the network (`model_name`).

    >>> labels = {"categories": [{"id": 7, "name": "nut"}], "annotations": []}
    >>> category_ids_of_classes(labels, ["bolt", "nut"], "labels.json", "toy")
    [8, 7]
    """
    ids = {category["name"]: category["id"] for category in ground_truth["categories"]}
    used = {annotation["category_id"] for annotation in ground_truth["annotations"]}
    if unknown_names := [name for name, number in ids.items() if number in used and name not in classes]:
        raise StudioError(
            f'{source}: class "{unknown_names[0]}" is not one that {model_name} has learned ({", ".join(classes)}); '
            "rename it or train with it"
        )
    largest = max([0, *(number for number in ids.values() if isinstance(number, int))])
    has_text_ids = any(isinstance(number, str) for number in ids.values())  # text and numbers cannot be sorted together
    candidates = (str(number) if has_text_ids else number for number in count(largest + 1))
    unused = (number for number in candidates if number not in ids.values())
    new_ids = {name: next(unused) for name in classes if name not in ids}
    return [ids[name] if name in ids else new_ids[name] for name in classes]
