"""The candidates of one labelled object after each filter, and the detections that overlap it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskrcnn.model.tracing.filters import Filter
from maskrcnn.model.tracing.trace import Trace

MATCH_IOU = 0.5
"""Minimum IoU with which a box belongs to the object, as in AP50, unless another one is asked for."""

NEAR_IOU = 0.1
"""Minimum IoU with which a detection counts as overlapping the object; with less, it lies elsewhere (Bolya et al. 2020,
TIDE, section 2.2)."""

# Filters after those of the network; see `ObjectStory`.
SHOWN = "shown"
MASK = "mask"
MATCH = "match"


@dataclass(frozen=True)
class BestAnchor:
    """The anchor that overlaps an object best.

    `index`: its number; `level`: its level; `iou`: its IoU with the object; `label`: its training target
    (`assignment.POSITIVE`, `NEGATIVE` or `NEUTRAL`).
    """

    index: int
    level: str
    iou: float
    label: int


@dataclass(frozen=True)
class CandidateSummary:
    """The candidates of an object after one filter, in figures.

    `filter`: the name of the filter; `left`: the number of candidates that overlap the object by at least the minimum
    IoU, and `candidates`: their numbers; `best`: the candidate with the largest IoU, -1 if no candidate is left at all;
    `iou`, `score`: its own. Of the detections only those of the object's class are candidates.
    """

    filter: str
    left: int
    best: int
    iou: float
    score: float
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True)
class FilterCandidates:
    """The candidates that are left for one object after one filter.

    `filter`: the name of the filter; `index (S,)`: the numbers of the candidates; `iou (S,)`: their IoU with the
    object; `score (S,)`: their scores. `min_iou`: from which IoU on a candidate fits.
    """

    filter: str
    index: np.ndarray
    iou: np.ndarray
    score: np.ndarray
    min_iou: float = MATCH_IOU

    @property
    def fitting(self) -> np.ndarray:
        """Positions in the arrays of the candidates that overlap the object by at least `min_iou`."""
        return np.flatnonzero(self.iou >= self.min_iou)

    def closest(self) -> int:
        """Position in the arrays of the candidate with the largest IoU."""
        return int(self.iou.argmax())

    def strongest(self) -> int:
        """Position in the arrays of the candidate with the highest score among the fitting ones."""
        fitting = self.fitting
        return int(fitting[self.score[fitting].argmax()])

    def iou_of(self, candidate: int) -> float:
        """The IoU of the candidate with that number."""
        return float(self.iou[self.index == candidate][0])

    def summary(self) -> CandidateSummary:
        """How many candidates fit, and their numbers; and number, IoU and score of the closest candidate."""
        if not len(self.index):
            return CandidateSummary(self.filter, 0, -1, 0.0, 0.0)
        best = self.closest()
        found = int(self.index[best]), float(self.iou[best]), float(self.score[best])
        fitting = self.fitting
        return CandidateSummary(self.filter, len(fitting), *found, tuple(self.index[fitting].tolist()))


@dataclass(frozen=True)
class OverlappingDetection:
    """A detection of any class that overlaps an object by an IoU of at least `NEAR_IOU` (or the minimum, if lower).

    `candidate`: its number among the candidates of the box head; `label`, `name`: its class; `score`; `iou`: with the
    object, of the masks if both are known, else of the boxes; `box_iou`: of the boxes, None if `iou` is that already;
    `shown`: whether its score is high enough to be shown; `matched_object`: the number of the object that it is matched
    to, -1 for none; `matched_iou`: its IoU with that object.
    """

    candidate: int
    label: int
    name: str
    score: float
    iou: float
    box_iou: float | None
    shown: bool
    matched_object: int
    matched_iou: float

    @property
    def is_matched(self) -> bool:
        """Whether it is matched to an object, this one or another."""
        return self.matched_object >= 0


@dataclass(frozen=True)
class ObjectCandidates:
    """One object of a traced picture, with its candidates after every filter and the detections that overlap it.

    `number`, `label`, `name`: its index among the targets, its class and the class's name; `steps`: name of a filter ->
    the candidates that are left after it, in the order of the filters; `overlapping`: the detections that overlap it,
    closest first; `min_iou`: from which IoU on a box or a mask belongs to it.
    """

    trace: Trace
    number: int
    label: int
    name: str
    anchor: BestAnchor
    steps: dict[str, FilterCandidates]
    overlapping: tuple[OverlappingDetection, ...] = ()
    min_iou: float = MATCH_IOU

    def detection_of_another_class(self, min_iou: float, above: float) -> OverlappingDetection | None:
        """The closest shown detection of another class, with an IoU of at least `min_iou` and a score above `above`.

        Detections that are matched to an object of their own class are left out.
        """
        others = (d for d in self.overlapping if d.label != self.label and d.shown and not d.is_matched)
        return next((d for d in others if d.iou >= min_iou and d.score > above), None)  # `overlapping`: closest first

    def detection_with_low_iou(self) -> OverlappingDetection | None:
        """The closest shown detection of its class with an IoU below `min_iou` that is matched to no object."""
        own = (d for d in self.overlapping if d.label == self.label and d.shown and not d.is_matched)
        return next((d for d in own if d.iou < self.min_iou), None)  # `overlapping`: closest first

    def detection_matched_to_another(self, candidate: int) -> OverlappingDetection | None:
        """The detection from that candidate, if it overlaps this object but is matched to another one."""
        matched = (d for d in self.overlapping if d.is_matched and d.matched_object != self.number)
        return next((d for d in matched if d.candidate == candidate), None)

    def left_before(self, name: str) -> FilterCandidates:
        """The candidates that were left before the filter of that name."""
        names = list(self.steps)
        return self.steps[names[names.index(name) - 1]]

    def filter_named(self, name: str) -> Filter:
        """The filter of that name, with the candidates of all objects that survived it."""
        return next(step for step in self.trace.rpn.filters + self.trace.heads.filters if step.name == name)

    def lost_at(self) -> str:
        """Name of the filter at which the object was lost: no fitting candidate is left from there on. "" if found.

        This can be later than the first filter without a fitting candidate, because the box head can move a proposal
        back onto the object.
        """
        fits = [len(step.fitting) > 0 for step in self.steps.values()]
        last = max((number for number, any_left in enumerate(fits) if any_left), default=-1)
        return "" if fits[-1] else list(self.steps)[last + 1]
