"""The evidence of a report: the matches of all detections, in compact form. COCO's AP on any subset of the pictures
can be computed from it.

The block `evidence` of a report has for each class

```
{"classes": [{"name": "circle",
              "scores": ["0.993 0.41", "", ...],       the scores of its detections in each picture, best first
              "bbox": {"objects": "2 0 ...",           the number of objects in each picture (without crowds)
                       "found": ["1023 0", "", ...],   a bit mask for each detection, in the order of scores
                       "ignored": []},                 likewise
              "segm": {...}, "keypoints": {...}}]}     if the detections have them; keypoints with a ranking of their
                                                       own have "scores", too
```

with one entry for each picture, in the order of `per_image`. `found` and `ignored` are bit masks over the ten IoU
thresholds: bit 0 is .50, bit 9 is .95. The bit in `found` is set if the detection is matched to an object of its class
at that threshold. The bit in `ignored` is set if it is matched to a crowd (for keypoints also: to an object without
labelled keypoints). If neither is set, it is a false positive. `ignored` is an empty list if no detection of the class
is ignored. At most 100 detections of a class in a picture are listed, as COCO evaluates, and 20 for keypoints.

Scores serve only for the ranking, and have only the decimals that it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskrcnn.evaluation.coco_documents import coco_id_order
from maskrcnn.evaluation.coco_matches import CocoMatches
from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.measures import IouType
from maskrcnn.evaluation.report import Report, ReportedClass, ReportedMatches, ReportEvidence

THRESHOLDS = 10
"""Number of IoU thresholds of COCO: .50, .55, ..., .95."""

DECIMALS = range(3, 17)
"""Possible numbers of decimals of a written score: the fewest that distinguish it from its neighbours are used."""

_BITS = 1 << np.arange(THRESHOLDS)
"""The bit of each IoU threshold in a bit mask."""


@dataclass(frozen=True)
class Ranking:
    """One class in one measure: its objects, and its detections of all pictures in one ranking, as in COCO.

    `objects` (P,) int64 is the number of objects of each picture, without ignored ones. The N detections are sorted by
    score, best first, and by image id for equal scores. `picture` (N,) int64 is the index of their picture in the
    report. `found` (N, 10) and `ignored` (N, 10) bool are their results at each IoU threshold.
    """

    name: str
    objects: np.ndarray
    picture: np.ndarray
    found: np.ndarray
    ignored: np.ndarray


def gather_evidence(measured: MeasuredSet) -> ReportEvidence:
    """The evidence of a measured set, in all its measures."""
    own_ranking = "keypoints" in measured.kinds and measured.ranked("keypoints") is not measured.detections
    classes = []
    for category, name in enumerate(measured.names):
        matches = {kind: _encoded_matches(measured.coco(kind), category) for kind in measured.kinds}
        if own_ranking:
            scores = _encoded_scores(measured.coco("keypoints"), category)
            matches["keypoints"] = matches["keypoints"].model_copy(update={"scores": scores})
        scores = _encoded_scores(measured.coco("bbox"), category)
        classes.append(ReportedClass.model_validate({"name": name, "scores": scores, **matches}))
    return ReportEvidence(classes=tuple(classes))


def class_rankings(report: Report, kind: IouType) -> list[Ranking]:
    """The ranking of each class in the measure `kind`. Raises `ValueError` if the evidence is missing or damaged."""
    if report.evidence is None:
        raise ValueError("the report has no evidence; evaluate with it")
    rows = report.per_image
    # Sorted by image id, as in pycocotools.
    sorted_pictures = np.array(sorted(range(len(rows)), key=lambda row: coco_id_order(rows[row].image_id)), np.int64)
    return [_decoded_ranking(entry, kind, sorted_pictures) for entry in report.evidence.classes]


def shortest_decimals(scores: np.ndarray) -> np.ndarray:
    """Scores (N,) float64, rounded as the evidence stores them: to the fewest decimals that keep their order.

    Different scores stay different.

    >>> shortest_decimals(np.array([0.12341, 0.12349, 0.5])).tolist()  # .12345 is halfway between the first two
    [0.123, 0.1235, 0.5]
    """
    values, places = np.unique(scores, return_inverse=True)
    # The order is kept if no rounded score reaches the middle between the score and one of its neighbours.
    middles = (values[1:] + values[:-1]) / 2
    middle_below, middle_above = np.append(-np.inf, middles), np.append(middles, np.inf)
    short = values.copy()
    for decimals in reversed(DECIMALS):  # the last rounding that keeps the order has the fewest decimals
        rounded = np.round(values, decimals)
        short = np.where((middle_below < rounded) & (rounded < middle_above), rounded, short)
    return short[places]


def _encoded_scores(matches: CocoMatches, category: int) -> tuple[str, ...]:
    """The scores of a class in each picture as texts of the evidence, with the fewest decimals that keep the order."""
    rows = _rows_of_class(matches, category)
    return _by_picture(matches, rows, shortest_decimals(matches.detections.score[matches.detection[rows]]))


def _encoded_matches(matches: CocoMatches, category: int) -> ReportedMatches:
    """The matches of one class in one measure, as the evidence stores them: a text of numbers for each picture.

    A detection has one number in `found` and one in `ignored`: the sum of the bits (`_BITS`) of the IoU thresholds at
    which it is so.
    """
    rows = _rows_of_class(matches, category)
    ignored = matches.ignored[rows, :, 0]
    is_counted = matches.counted[:, 0] & (matches.objects.category == category)
    return ReportedMatches(
        objects=_encoded_numbers(np.bincount(matches.objects.picture[is_counted], minlength=matches.pictures)),
        found=_by_picture(matches, rows, matches.found[rows, :, 0] @ _BITS),
        ignored=_by_picture(matches, rows, ignored @ _BITS) if ignored.any() else (),
    )


def _rows_of_class(matches: CocoMatches, category: int) -> np.ndarray:
    """The rows (n,) of the matches that are detections of a class, sorted by picture and score."""
    return np.flatnonzero(matches.detections.category[matches.detection] == category)


def _by_picture(matches: CocoMatches, rows: np.ndarray, values: np.ndarray) -> tuple[str, ...]:
    """The `values` (n,) of the detections `rows` as a text for each picture."""
    picture = matches.detections.picture[matches.detection[rows]]
    ends = np.searchsorted(picture, np.arange(matches.pictures), side="right")
    return tuple(_encoded_numbers(part) for part in np.split(values, ends[:-1])) if matches.pictures else ()


def _encoded_numbers(numbers: np.ndarray) -> str:
    """Numbers as a text of the evidence, separated by spaces."""
    return " ".join(map(repr, numbers.tolist()))


def _decoded_ranking(entry: ReportedClass, kind: IouType, sorted_pictures: np.ndarray) -> Ranking:
    """Decode the evidence of one class in the measure `kind` to its ranking.

    `sorted_pictures` (P,) are the indices of all pictures in the report, in the order of their image ids. Raises
    `ValueError` if the evidence is damaged.
    """
    matches = entry.matches(kind)
    if matches is None:
        raise ValueError(f"{entry.name}: has no {kind}")
    objects = np.array(matches.objects.split(), dtype=np.int64)
    scores_text = matches.scores or entry.scores
    lengths = {len(objects), len(matches.found), len(scores_text)}
    if matches.ignored:  # empty if no detection of the class is ignored
        lengths.add(len(matches.ignored))
    if lengths != {len(sorted_pictures)}:
        raise ValueError(f"{entry.name}: not one entry for each picture")
    found = [np.array(matches.found[picture].split(), dtype=np.int64) for picture in sorted_pictures]
    counts = [len(bits) for bits in found]
    ignored = [
        np.array(matches.ignored[picture].split(), dtype=np.int64) for picture in sorted_pictures if matches.ignored
    ]
    # For keypoints, only the first 20 detections of a picture have matches.
    scores = [
        np.array(scores_text[picture].split()[:count], dtype=np.float64)
        for picture, count in zip(sorted_pictures, counts, strict=True)
    ]
    for other in (scores, ignored or found):
        if list(map(len, other)) != counts:
            raise ValueError(f"{entry.name}: not one entry for each detection")
    order = np.argsort(-_joined_evidence(scores, np.float64), kind="stable")
    bits = _joined_evidence(found, np.int64)[order]
    ignored_bits = _joined_evidence(ignored, np.int64)[order] if ignored else np.zeros_like(bits)
    return Ranking(
        name=entry.name,
        objects=objects,
        picture=np.repeat(sorted_pictures, counts)[order],
        found=(bits[:, None] & _BITS) > 0,
        ignored=(ignored_bits[:, None] & _BITS) > 0,
    )


def _joined_evidence(arrays: Sequence[np.ndarray], dtype: type) -> np.ndarray:
    """Join decoded evidence, one array per picture, into one array. It is empty if there are no pictures."""
    return np.concatenate([np.zeros(0, dtype), *arrays])
