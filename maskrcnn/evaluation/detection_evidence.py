"""The match of every detection, in little space, for a report: COCO's AP on any choice of pictures follows from it.

The block `evidence` of a report holds, class by class,

```
{"classes": [{"name": "circle",
              "scores": ["0.993 0.41", "", ...],       the detections of each picture, best first
              "bbox": {"objects": "2 0 ...",           objects of each picture that can be found (crowds are none)
                       "found": ["1023 0", "", ...],   what each detection found, best first
                       "ignored": []},                 the same for what it does not count for
              "segm": {...}, "keypoints": {...}}]}     as far as the detections have them; keypoints that are ranked by
                                                       scores of their own have "scores", too
```

with one entry for each picture, in the order of `per_image`. `found` and `ignored` are bit masks over the ten IoU
thresholds: bit 0 stands for .50, bit 9 for .95. A detection is `found` at a threshold where it found an object of its
class, and `ignored` where it fell to a crowd (or, for keypoints, to an object without labelled ones); elsewhere it is a
mistake. `ignored` is an empty list where no detection of the class is. There are as many detections as COCO looks at,
100 of a class in a picture; for keypoints the first 20 of them.

Scores are there for their ranking and keep no more decimals than it needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskrcnn.evaluation.coco_ap import CocoEvaluation, IouType
from maskrcnn.evaluation.coco_documents import CocoDocuments, id_order
from maskrcnn.evaluation.report import ClassEvidence, Evidence, Matches, Report

THRESHOLDS = 10
"""COCO's IoU thresholds: .50, .55, ..., .95."""

DECIMALS = range(3, 17)
"""Decimals of a written score: 3, or as many more as are needed to tell it from its neighbours."""

_BITS = 1 << np.arange(THRESHOLDS)


@dataclass(frozen=True)
class Ranking:
    """One class of one task: its objects, and the detections of all pictures in one ranking, as COCO makes it.

    `objects` (P,) int64 counts the objects of each picture that can be found. Over the N detections, best score first
    and equal ones by image id: `picture` (N,) int64 is the position of their picture in the report, `found` (N, 10) and
    `ignored` (N, 10) bool say what became of them at each IoU threshold.
    """

    name: str
    objects: np.ndarray
    picture: np.ndarray
    found: np.ndarray
    ignored: np.ndarray


def gather_evidence(found: CocoDocuments, coco: CocoEvaluation, kinds: Sequence[IouType]) -> Evidence:
    """The evidence, from the matches that pycocotools has made already. `kinds` must have "bbox" among them."""
    results = {kind: coco.image_results(kind) for kind in kinds}
    own_ranking = "keypoints" in kinds and any(
        "pose_score" in pose for group in found.detections.values() for pose in group
    )
    classes = []
    for category_id, category in found.categories.items():
        of_class = {kind: [results[kind][category_id, image_id] for image_id in found.images] for kind in kinds}
        matches = {kind: _matches(of_class[kind]) for kind in kinds}
        if own_ranking:
            scores = _words_by_picture(_scores(of_class["keypoints"]))
            matches["keypoints"] = matches["keypoints"].model_copy(update={"scores": scores})
        scores = _words_by_picture(_scores(of_class["bbox"]))
        classes.append(ClassEvidence.model_validate({"name": category["name"], "scores": scores, **matches}))
    return Evidence(classes=tuple(classes))


def class_rankings(report: Report, kind: IouType) -> list[Ranking]:
    """Each class of a report with evidence, as `kind` ranks it. Raises `ValueError` where the evidence is damaged."""
    if report.evidence is None:
        raise ValueError("the report has no evidence; evaluate with it")
    rows = report.per_image
    # As pycocotools sorts them.
    by_id = np.array(sorted(range(len(rows)), key=lambda place: id_order(rows[place].image_id)), np.int64)
    return [_ranking(entry, kind, by_id) for entry in report.evidence.classes]


def shortest_decimals(scores: np.ndarray) -> np.ndarray:
    """Scores (N,) float64 rounded to as few decimals as keep their order: equal ones stay equal, others different.

    >>> shortest_decimals(np.array([0.12341, 0.12349, 0.5])).tolist()  # .12345 lies between them
    [0.123, 0.1235, 0.5]
    """
    values, places = np.unique(scores, return_inverse=True)
    middles = (values[1:] + values[:-1]) / 2
    low, high = np.append(-np.inf, middles), np.append(middles, np.inf)
    short = values.copy()
    for decimals in reversed(DECIMALS):
        rounded = np.round(values, decimals)
        short = np.where((low < rounded) & (rounded < high), rounded, short)
    return short[places]


def _scores(results: Sequence[Mapping[str, Any] | None]) -> list[list[float]]:
    return [[] if result is None else result["dtScores"] for result in results]


def _words_by_picture(scores: list[list[float]]) -> tuple[str, ...]:
    ends = np.cumsum([len(group) for group in scores], dtype=np.int64)
    short = shortest_decimals(np.array([score for group in scores for score in group], dtype=np.float64))
    return tuple(_words(group) for group in np.split(short, ends[:-1])) if scores else ()


def _matches(results: Sequence[Mapping[str, Any] | None]) -> Matches:
    found, ignored, objects = [], [], []
    for result in results:
        objects.append(0 if result is None else int(np.count_nonzero(np.asarray(result["gtIgnore"]) == 0)))
        matches = np.zeros((THRESHOLDS, 0)) if result is None else np.asarray(result["dtMatches"])
        ignore = np.zeros_like(matches, dtype=bool) if result is None else np.asarray(result["dtIgnore"], dtype=bool)
        found.append(_words(_BITS @ ((matches > 0) & ~ignore)))
        ignored.append(_BITS @ ignore)
    any_ignored = any(bits.any() for bits in ignored)
    return Matches(
        objects=_words(np.array(objects)),
        found=tuple(found),
        ignored=tuple(_words(bits) for bits in ignored) if any_ignored else (),
    )


def _words(numbers: np.ndarray) -> str:
    return " ".join(map(repr, numbers.tolist()))


def _ranking(entry: ClassEvidence, kind: IouType, by_id: np.ndarray) -> Ranking:
    matches = entry.matches(kind)
    if matches is None:
        raise ValueError(f"{entry.name}: has no {kind}")
    objects = np.array(matches.objects.split(), dtype=np.int64)
    words = matches.scores or entry.scores
    if not len(objects) == len(matches.found) == len(matches.ignored or by_id) == len(words) == len(by_id):
        raise ValueError(f"{entry.name}: not one entry for each picture")
    found = [np.array(matches.found[picture].split(), dtype=np.int64) for picture in by_id]
    counts = [len(bits) for bits in found]
    ignored = [np.array(matches.ignored[picture].split(), dtype=np.int64) for picture in by_id if matches.ignored]
    # Of keypoints there are the first twenty detections of a picture only.
    scores = [
        np.array(words[picture].split()[:count], dtype=np.float64) for picture, count in zip(by_id, counts, strict=True)
    ]
    for other in (scores, ignored or found):
        if list(map(len, other)) != counts:
            raise ValueError(f"{entry.name}: not one entry for each detection")
    order = np.argsort(-_joined(scores, np.float64), kind="stable")
    bits = _joined(found, np.int64)[order]
    passed = _joined(ignored, np.int64)[order] if ignored else np.zeros_like(bits)
    return Ranking(
        name=entry.name,
        objects=objects,
        picture=np.repeat(by_id, counts)[order],
        found=(bits[:, None] & _BITS) > 0,
        ignored=(passed[:, None] & _BITS) > 0,
    )


def _joined(arrays: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype), *arrays])
