"""`python -m maskrcnn evaluate`: detections on labelled pictures, and what they are worth."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskrcnn.annotations import Dataset, learned, pictures, read
from maskrcnn.annotations.formats import class_choice, coco
from maskrcnn.annotations.skeletons import keypoint_labels
from maskrcnn.annotations.trainable import require_trainable
from maskrcnn.cli.interval_words import (
    TASKS,
    add_resampling,
    bracket,
    caution,
    check_resampling,
    figure,
    glossary,
    progress_bar,
)
from maskrcnn.cli.model_options import add_inference, load_for_inference
from maskrcnn.cli.output_files import print_warnings, require_place, write_json
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.evaluation import Report, evaluate, intervals
from maskrcnn.model import detect
from maskrcnn.words import counted

SHOWN = (
    *("AP", "AP50", "AP75", "APs", "APm", "APl", "bbox", "segm", "keypoints", "matched_by"),
    *("n_gt", "ap", "ap50", "tp", "fp", "fn", "mean_ap50_pooled", "ap50_pooled", "limit", "intervals"),
)
"""The definitions that `--help` shows, of what is printed; the report holds all."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = glossary(SHOWN)
    parser.add_argument(
        "model", metavar="MODEL", help="a run folder, a checkpoint, a shipped model (toy) or a .pth file"
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DATASET", help="labels to measure against")
    parser.add_argument("--images", type=Path, metavar="DIR", help="where the pictures are, if not beside the labels")
    parser.add_argument(
        "--class-attribute",
        metavar="NAME",
        help="the VIA region attribute that is the class, or several (mango,orange), each where it is set; else what "
        "names the classes that the network has learned",
    )
    parser.add_argument("--out", type=Path, metavar="REPORT", help="also write the report, as JSON; compare reads it")
    parser.add_argument(
        "--detections",
        type=Path,
        metavar="JSON",
        help="also write the detections (COCO results), with the ids that pictures and categories have in DATASET, or "
        "in what `convert DATASET --to coco` writes where it is no COCO file; so pycocotools gives the same AP on both",
    )
    add_resampling(parser, 500, "how often the pictures are drawn anew for the intervals of AP; 0: no intervals")
    add_inference(parser)


def run(args: argparse.Namespace) -> None:
    check_resampling(args, may_be_none=True)
    for place in filter(None, (args.out, args.detections)):
        require_place(place)
    model = load_for_inference(args)
    config, classes = model.config, model.config.names
    outlines = "mask" in config.tasks
    dataset = require_trainable(labels(args, classes), outlines=outlines)
    require_keypoints(config, dataset)
    print_warnings(dataset)
    ground_truth = coco.ground_truth(dataset, outlines=outlines)
    numbers = category_numbers(ground_truth, classes, f"{args.data}: {{}} is not one that {args.model} has learned")
    detections: list[dict[str, Any]] = []
    for image, record in zip(ground_truth["images"], tqdm(dataset.images, unit=" pictures", disable=None), strict=True):
        assert record.path is not None  # require_trainable has seen to it
        found = detect(model, pictures.load(record.path), image["id"])
        detections += [{**entry, "category_id": numbers[entry["category_id"] - 1]} for entry in found]
    report = evaluate(ground_truth, detections, tasks=config.tasks, sigmas=config.sigmas, with_evidence=True)
    if args.resamples:
        with progress_bar("resamples") as progress:
            report = report.with_intervals(intervals(report, args.resamples, args.seed, progress))
    if args.out:
        write_json(args.out, report.to_json())
    if args.detections:
        write_json(args.detections, detections, indent=None)
    for line in not_measured(dataset, outlines):
        print(line)
    declared = {category["id"] for category in ground_truth["categories"]}
    others = [f"{name} {number}" for name, number in zip(classes, numbers, strict=True) if number not in declared]
    if args.detections and others:
        print(f"{args.detections}: category ids of classes that {args.data} does not have: {', '.join(others)}")
    print(table(report))


def not_measured(dataset: Dataset, outlines: bool) -> list[str]:
    """A line for each reason why regions are no objects to find (see `annotations.learned`)."""
    found = learned.tally(dataset.images, outlines=outlines)
    lines = []
    for reason in learned.REASONS:
        if number := found.n_left(reason):
            words = learned.WORDS[reason][number > 1]
            neither = ": what lies there counts neither way" if reason == "crowd" else ""
            lines.append(f"not an object: {counted(number, 'region')} that {words}{neither}")
    return lines


def category_numbers(ground_truth: dict[str, Any], classes: Sequence[str], unknown: str) -> list[int | str]:
    """The id that each class of the network has in the labels, found by its name.

    A class that the labels do not have gets an id that they do not use, above theirs. `StudioError` where the labels
    have an object of a class that the network has not; `unknown` begins its line.
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


def labels(args: argparse.Namespace, classes: Sequence[str]) -> Dataset:
    """The labels to measure against, with their class read as the network has learned it."""
    dataset = read(args.data, args.images, args.class_attribute)
    class_choice.require_choice(dataset, args.class_attribute)
    if args.class_attribute is None:
        dataset = class_choice.following(dataset, None, classes, "the network")
    return dataset


def require_keypoints(config: Config, dataset: Dataset) -> None:
    """`StudioError` where the objects have other keypoints than the network has learned."""
    found = keypoint_labels(dataset) if "keypoints" in config.tasks else None
    if found is None:
        return
    named = found.names and config.keypoint_names
    if found.count != config.num_keypoints or (named and found.names != config.keypoint_names):
        raise StudioError(
            f"{dataset.source}: its objects have other keypoints ({found.count}) than the model has learned "
            f"({config.num_keypoints}); give labels with the same ones, in the same order"
        )


def table(report: Report) -> str:
    """The report for a terminal: a line per picture, then the figures of the whole set."""
    width = max([len(row.file) for row in report.per_image] + [7])
    what = "" if report.matched_by == "segm" else "  (of boxes)"
    lines = [f"{'picture':{width}}  objects     AP   AP50   TP   FP   FN{what}"]
    lines += [
        f"{row.file:{width}}  {row.n_gt:7d}  {figure(row.ap)}  {figure(row.ap50)}"
        f"  {row.tp:3d}  {row.fp:3d}  {row.fn:3d}"
        for row in report.per_image
    ]
    edges = {kind: report.intervals.edges(kind) if report.intervals else {} for kind in TASKS}
    for kind, name in TASKS.items():
        if (summary := report.summary(kind)) is not None:
            figures = [f"{key} {figure(value)} {bracket(edges[kind].get(key))}" for key, value in summary.items()]
            lines.append(f"{name}: " + "  ".join(words.rstrip() for words in figures))
    lines.append(f"mean AP50 of a picture, classes pooled: {figure(report.mean_ap50_pooled)}")
    objects = sum(row.n_gt for row in report.per_image)
    lines.append(f"on {counted(len(report.per_image), 'picture')} with {counted(objects, 'object')}")
    if report.intervals and any(any(found.values()) for found in edges.values()):
        lines.append(f"in brackets: the 95 % interval, from {report.intervals.resamples} resamples of the pictures")
        lines += caution(len(report.per_image))
    return "\n".join(lines)
