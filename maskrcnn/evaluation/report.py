"""The evaluation report, which `python -m maskrcnn evaluate` writes, `compare` reads and the pages show.

`report.json` has the fields of `Report`. Fields that were not set (`evidence`, `intervals`, `segm` of a class without
masks) are not written. A figure that is not defined is written as null.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Strict, ValidationError

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.evaluation.coco_documents import MatchedBy
from maskrcnn.evaluation.measures import DEFAULT_IOU, KINDS, IouType, Summary
from maskrcnn.name_order import natural_key

AGAIN = "evaluate both models on the same labels, with `python -m maskrcnn evaluate MODEL --data DATASET --out REPORT`"
"""Part of error messages: how to get two reports that can be compared."""

_Item = TypeVar("_Item")
_Array = Annotated[tuple[_Item, ...], Strict(False)]
"""A JSON array, stored as a tuple; its items are validated strictly."""


class _Part(BaseModel):
    """A part of a report: immutable, and validated without type conversions."""

    model_config = ConfigDict(strict=True, frozen=True)


class PictureRow(_Part):
    """One picture of a report.

    `n_gt` is the number of objects without crowds, `n_pred` the number of detections of at least the `min_score` of the
    report. Of these, `tp` are true positives and `fp` false positives; `fn` objects are missed. `f1` is
    2 TP / (2 TP + FP + FN), None if there is nothing to find and nothing was found. `mean_iou` is the mean IoU of the
    true positives with their objects, None without any. `count_error` is FP - FN: how many objects too many are
    counted. `beyond_limit` detections are left out of AP by COCO's limit.

    `ap`, `ap50` and `ap75` are COCO's AP of this picture, `ap50_pooled` is its AP from one ranking of all classes (see
    `ranking_ap.pooled_ap`). APs are None for a picture without objects. They can be 1 beside many false positives, if
    all of these have lower scores than the hits; so pictures are ranked by `f1` and by FP + FN.
    """

    image_id: int | str
    file: str
    n_gt: int
    n_pred: int = 0
    ap: float | None = None
    ap50: float | None = None
    ap75: float | None = None
    ap50_pooled: float | None = None
    keypoints_ap: float | None = None
    keypoints_ap50: float | None = None
    tp: int = 0
    fp: int = 0
    fn: int = 0
    f1: float | None = None
    mean_iou: float | None = None
    count_error: int = 0
    beyond_limit: int = 0

    @property
    def wrong(self) -> int:
        """What is wrong in this picture: false positives and missed objects."""
        return self.fp + self.fn


def worst_pictures(rows: Iterable[PictureRow]) -> list[PictureRow]:
    """The pictures sorted by F1, lowest first, then by FP + FN, most first, then by name in natural order. A picture
    without an F1 has nothing wrong and is left out."""
    return sorted(
        (row for row in rows if row.f1 is not None), key=lambda row: (row.f1, -row.wrong, natural_key(row.file))
    )


class ClassRow(_Part):
    """One class of a report: COCO's figures of it in each measure, and what was right, wrong and missed.

    The counts are those of detections of at least the `min_score` of the report, at its `iou`.
    """

    name: str
    n_gt: int = 0
    tp: int = 0
    fp: int = 0
    fn: int = 0
    bbox: Summary | None = None
    segm: Summary | None = None
    keypoints: Summary | None = None

    def summary(self, kind: IouType) -> Summary | None:
        """COCO's figures of the class in one measure; None if the report does not have it."""
        found: Summary | None = getattr(self, kind)
        return found

    @property
    def precision(self) -> float | None:
        """TP / (TP + FP); None if nothing was found."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def recall(self) -> float | None:
        """TP / (TP + FN); None if there is nothing to find."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else None


class ReportedMatches(_Part):
    """The matches of one class in one measure, as a text for each picture (see `detection_evidence`)."""

    objects: str
    found: _Array[str]
    ignored: _Array[str]
    scores: _Array[str] | None = None


class ReportedClass(_Part):
    """The evidence of one class: its name, the scores of its detections, and their matches in each measure."""

    name: str
    scores: _Array[str]
    bbox: ReportedMatches
    segm: ReportedMatches | None = None
    keypoints: ReportedMatches | None = None

    def matches(self, kind: IouType) -> ReportedMatches | None:
        """The matches of this class in a measure; None if the report does not have the measure."""
        found: ReportedMatches | None = getattr(self, kind)
        return found


class ReportEvidence(_Part):
    """The matches of all detections, from which COCO's AP on any subset of the pictures can be computed."""

    classes: _Array[ReportedClass]


Edges = dict[str, list[float] | None]
"""AP, AP50 and AP75 -> interval [low, high]; None if there are no objects, or in one picture only."""


class ReportIntervals(_Part):
    """The bootstrap intervals of a report (see `bootstrap`), None for a measure that the report does not have."""

    level: float
    resamples: int
    seed: int
    bbox: Edges | None
    segm: Edges | None
    keypoints: Edges | None

    def edges(self, kind: IouType) -> Edges:
        """The bootstrap intervals of the APs of a measure; empty if the report does not have the measure."""
        found: Edges | None = getattr(self, kind)
        return found or {}


class ReportedCost(_Part):
    """How often a kind of error occurs, and how much higher AP would be without it, in [0, 1] (None: no objects)."""

    count: int
    ap_loss: float | None


class ReportedScore(_Part):
    """The score with the best F1, chosen on one half of the pictures, and its figures on the other half.

    The fields are those of `analysis.score_threshold.ScoreChoice`; without a `score`, `reason` says why.
    """

    score: float | None
    chosen_on: int
    reported_on: int
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    f1_interval: _Array[float] | None = None
    reason: str | None = None


class Report(_Part):
    """All figures of a set of detections on labelled pictures.

    `bbox`, `segm` and `keypoints` are COCO's figures over all pictures, in [0, 1]: AP, AP50, AP75, APs, APm, APl, AR1,
    AR10, AR100, ARs, ARm and ARl; for keypoints AP, AP50, AP75, APm, APl, AR, AR50, AR75, ARm and ARl. A measure is
    None if the network does not have its task; a figure is None if no object has that size. `per_image` has a row for
    each picture, `per_class` for each class; their counts are those at `min_score` and `iou`. `definitions` explains
    each figure in one or two sentences. `sigmas` are the sigmas of OKS, one for each keypoint. `error_costs` has the
    kinds of errors at `iou` (`analysis.error_kinds.KINDS`), and `suggested_score` a score to keep detections from.

    >>> from maskrcnn.evaluation import evaluate
    >>> truth = {
    ...     "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
    ...     "categories": [{"id": 1, "name": "cell"}],
    ...     "annotations": [
    ...         {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0},
    ...         {"id": 2, "image_id": 1, "category_id": 1, "bbox": [60, 60, 20, 20], "area": 400, "iscrowd": 0},
    ...     ],
    ... }
    >>> found = [{"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "score": 0.9}]
    >>> report = evaluate(truth, found, tasks=["box"])

    One of two objects is found, without false positives: precision is 1 up to recall 1/2, at 51 of the 101 recalls.

    >>> round(report.bbox["AP"], 4), round(51 / 101, 4)
    (0.505, 0.505)
    >>> row = report.per_image[0]
    >>> row.file, row.tp, row.fp, row.fn
    ('a.png', 1, 0, 1)
    >>> Report.from_json(report.to_json(), "report.json") == report
    True
    """

    bbox: Summary
    segm: Summary | None
    keypoints: Summary | None
    matched_by: MatchedBy = "segm"
    per_image: _Array[PictureRow]
    per_class: _Array[ClassRow] = ()
    mean_ap50_pooled: float | None = None
    min_score: float = 0.5
    iou: float = DEFAULT_IOU
    sigmas: _Array[float] | None = None
    definitions: dict[str, str] = {}
    error_costs: dict[str, ReportedCost] | None = None
    suggested_score: ReportedScore | None = None
    evidence: ReportEvidence | None = None
    intervals: ReportIntervals | None = None

    def summary(self, kind: IouType) -> Summary | None:
        """COCO's figures of one measure; None if the report does not have it."""
        found: Summary | None = getattr(self, kind)
        return found

    @property
    def kinds(self) -> tuple[IouType, ...]:
        """The measures of this report: "bbox", and "segm" and "keypoints" if it has them."""
        return tuple(kind for kind in KINDS if self.summary(kind) is not None)

    def with_intervals(self, intervals: ReportIntervals) -> Report:
        """A copy of the report with these intervals."""
        return self.model_copy(update={"intervals": intervals})

    def to_json(self) -> dict[str, Any]:
        """The report as the JSON document of `report.json`."""
        return self.model_dump(mode="json", exclude_unset=True)

    @classmethod
    def from_json(cls, content: object, name: str) -> Report:
        """The report from a JSON document. Raises `StudioError` if it is not a report or damaged.

        `name` is the name of the document in the error message.
        """
        if not isinstance(content, dict) or not {"per_image", "bbox"} <= set(content):
            raise StudioError(f"{name}: this is no report; give one that `python -m maskrcnn evaluate` wrote")
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            place = ".".join(map(str, error.errors()[0]["loc"]))
            raise StudioError(f"{name}: its {place} is damaged; {AGAIN}") from None

    @classmethod
    def read(cls, path: Path) -> Report:
        """Read a report file. Raises `ArgumentError` if it cannot be read, `StudioError` if it is no valid report."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ArgumentError(
                f"{path} does not exist; give a report that `python -m maskrcnn evaluate` wrote"
            ) from None
        except OSError as error:
            raise ArgumentError(f"{path}: cannot be read ({error.strerror}); give a report") from None
        except (ValueError, RecursionError):
            content = None
        return cls.from_json(content, str(path))
