"""What the network of a run learned from, counted in the labels of the run."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from maskrcnn import untrusted_files
from maskrcnn.evaluation.measures import SIZES
from maskrcnn.inference.model_cards.card_parts import ClassCount, LabelledPictures, LearnedFrom
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import LOG, START, RunFolder
from maskrcnn.runs.initial_weights_words import start_of
from maskrcnn.words import one_line

_HEAD, _LINES, _LONGEST = 20_000, 60, 1_000
"""Maximum bytes and lines of log.txt that are searched, and maximum characters of a line."""

_LEFT_OUT = re.compile(r"\b(?:is|are) (?:not learned|left out|learned as background)\b")
"""Lines of the log about labels that are not learned (`LearnableCounts.remarks`), for runs of older versions."""

_PATH = re.compile(r"(?:^|[\s\"'(])(?:/|~/|[A-Za-z]:\\)")
"""An absolute path in a line: whoever reads a card is not to learn where the labels lay."""


def learned_from(run: RunFolder, dataset: Mapping[str, Any]) -> LearnedFrom:
    """What the network learned from; `dataset` is the content of dataset.json."""
    drawn, validation = dataset.get("drawn"), dataset["val"]
    return LearnedFrom(
        training=None if drawn else labelled_pictures(dataset["train"]),
        validation=labelled_pictures(validation) if validation and validation["images"] else None,
        drawn=one_line(shipped_models.toy_pictures_words(drawn)) if drawn else "",
        left_out=_left_out(run),
        start=start_of(run).get("start", ""),
    )


def labelled_pictures(document: Mapping[str, Any]) -> LabelledPictures:
    """Count the pictures and objects of a COCO document. An object without `area` has that of its box.

    >>> document = {
    ...     "images": [{"id": n, "file_name": f"{n}.png", "width": 100, "height": 60 + n} for n in (1, 2, 3)],
    ...     "categories": [{"id": 1, "name": "cell"}, {"id": 2, "name": "dust"}],
    ...     "annotations": [
    ...         {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 9, 9], "area": 81},
    ...         {"id": 2, "image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 40], "area": 1600},
    ...     ],
    ... }
    >>> found = labelled_pictures(document)
    >>> found.objects, found.negatives, found.small, found.medium, found.median
    (2, 2, 1, 1, (100, 62))
    >>> [(row.name, row.objects, row.pictures) for row in found.classes]
    [('cell', 2, 1), ('dust', 0, 0)]
    """
    objects = [entry for entry in document["annotations"] if not entry.get("iscrowd")]
    number = Counter(entry["category_id"] for entry in objects)
    where: dict[int, set[int]] = defaultdict(set)
    for entry in objects:
        where[entry["category_id"]].add(entry["image_id"])
    areas = np.array([_area(entry) for entry in objects])
    small, large = areas < SIZES["small"][1], areas >= SIZES["large"][0]
    sides = np.array([(image["width"], image["height"]) for image in document["images"]], dtype=np.int64)
    return LabelledPictures(
        pictures=len(document["images"]),
        negatives=len(document["images"]) - len({entry["image_id"] for entry in objects}),
        objects=len(objects),
        crowds=len(document["annotations"]) - len(objects),
        classes=tuple(
            ClassCount(category["name"], number[category["id"]], len(where[category["id"]]))
            for category in document["categories"]
        ),
        small=int(small.sum()),
        medium=int((~small & ~large).sum()),
        large=int(large.sum()),
        **_picture_sizes(sides),
    )


def _area(entry: Mapping[str, Any]) -> float:
    """The area of an object in square pixels."""
    if entry.get("area") is not None:
        return float(entry["area"])
    _, _, width, height = entry.get("bbox") or (0, 0, 0, 0)
    return float(width * height)


def _picture_sizes(sides: np.ndarray) -> dict[str, tuple[int, int]]:
    """The pictures with the fewest and the most pixels, and the median of each side; `sides` is (P, 2) int64."""
    if not len(sides):
        return {}
    pixels = sides.prod(axis=1)
    chosen = {"smallest": sides[pixels.argmin()], "median": np.median(sides, axis=0), "largest": sides[pixels.argmax()]}
    return {name: (int(size[0]), int(size[1])) for name, size in chosen.items()}


def _left_out(run: RunFolder) -> tuple[str, ...] | None:
    """The lines about labels that were not learned, from start.json, else from the start of the log; None: unknown."""
    noted = (run.read_json(START) or {}).get("left_out")
    if noted is not None:
        return tuple(map(one_line, noted))
    try:
        with untrusted_files.opened(run.path / LOG, run.path) as file:
            lines = file.read(_HEAD).decode("utf-8", "replace").splitlines()[:_LINES]
    except FileNotFoundError:
        return None
    if not any(" to learn from, " in line for line in lines):
        return None
    own = [line for line in lines if len(line) <= _LONGEST and _LEFT_OUT.search(line) and not _PATH.search(line)]
    return tuple(map(one_line, own))
