"""The candidates of one labelled object after each filter, and the detections that overlap it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskrcnn.model.tracing.filters import Filter
from maskrcnn.model.tracing.trace import Trace

MATCH_IOU = 0.5
"""A box with at least this IoU belongs to the object, as in AP50."""

NEAR_IOU = 0.1
"""From this IoU on a detection has something to do with the object; below, it lies elsewhere (Bolya et al. 2020, TIDE,
section 2.2)."""

# Filters after those of the network; see `ObjectStory`.
SHOWN = "shown"
MASK = "mask"
MATCH = "match"


@dataclass(frozen=True)
class BestAnchor:
    """The anchor that overlaps an object best: its number, its level, its IoU with the object, and what it teaches the
    RPN (`assignment.POSITIVE`, `NEGATIVE` or `NEUTRAL`)."""

    index: int
    level: str
    iou: float
    label: int


@dataclass(frozen=True)
class Standing:
    """How an object stands after one filter.

    `filter`: its name; `left`: how many candidates overlap the object by at least `MATCH_IOU`, and `candidates`: which,
    by their numbers; `best`: the candidate with the largest IoU, -1 where none is left at all; `iou`, `score`: its own.
    For detections only those of the object's class are candidates.
    """

    filter: str
    left: int
    best: int
    iou: float
    score: float
    candidates: tuple[int, ...] = ()


@dataclass(frozen=True)
class Candidates:
    """What is left for one object after a filter: numbers `(S,)`, IoU with the object `(S,)` and scores `(S,)`."""

    filter: str
    index: np.ndarray
    iou: np.ndarray
    score: np.ndarray

    @property
    def fitting(self) -> np.ndarray:
        """Positions of those that overlap the object by at least `MATCH_IOU`."""
        return np.flatnonzero(self.iou >= MATCH_IOU)

    def closest(self) -> int:
        """Position of the largest IoU."""
        return int(self.iou.argmax())

    def strongest(self) -> int:
        """Position of the best score among those that fit."""
        fitting = self.fitting
        return int(fitting[self.score[fitting].argmax()])

    def iou_of(self, candidate: int) -> float:
        """The IoU of the candidate of that number."""
        return float(self.iou[self.index == candidate][0])

    def standing(self) -> Standing:
        """The same in five figures."""
        if not len(self.index):
            return Standing(self.filter, 0, -1, 0.0, 0.0)
        best = self.closest()
        found = int(self.index[best]), float(self.iou[best]), float(self.score[best])
        fitting = self.fitting
        return Standing(self.filter, len(fitting), *found, tuple(self.index[fitting].tolist()))


@dataclass(frozen=True)
class Lying:
    """A detection of any class that lies on an object, with an IoU of at least `NEAR_IOU`.

    `candidate`: its number among the candidates of the box head; `label`, `name`: its class; `score`; `iou`: with the
    object, of the masks where both are known, else of the boxes; `box_iou`: of the boxes, None where `iou` is; `shown`:
    whether its score is high enough; `finds`: which object it counts for (-1: none), and `iou_there`: its IoU with that
    one.
    """

    candidate: int
    label: int
    name: str
    score: float
    iou: float
    box_iou: float | None
    shown: bool
    finds: int
    iou_there: float


@dataclass(frozen=True)
class Case:
    """One object and all that is needed to say what became of it.

    `number`, `label`, `name`: which of the targets, its class and the class's name; `steps`: filter -> what was left
    for it after that, in order; `lying`: the detections that lie on it, closest first.
    """

    trace: Trace
    number: int
    label: int
    name: str
    anchor: BestAnchor
    steps: dict[str, Candidates]
    lying: tuple[Lying, ...] = ()

    def as_another_class(self, least: float, above: float) -> Lying | None:
        """The closest shown detection of another class with at least that IoU and a score above the other number, which
        finds no object of its own class."""
        others = (d for d in self.lying if d.label != self.label and d.shown and d.finds < 0)
        return next((d for d in others if d.iou >= least and d.score > above), None)

    def too_loose(self) -> Lying | None:
        """The closest shown detection of its class that does not overlap it enough, and finds no other object."""
        found = (d for d in self.lying if d.label == self.label and d.shown and d.finds < 0 and d.iou < MATCH_IOU)
        return next(found, None)

    def counts_for_another(self, candidate: int) -> Lying | None:
        """The detection of that candidate, if it lies on the object but finds another one."""
        return next((d for d in self.lying if d.candidate == candidate and d.finds not in (-1, self.number)), None)

    def before(self, name: str) -> Candidates:
        """What was left for it before that filter."""
        names = list(self.steps)
        return self.steps[names[names.index(name) - 1]]

    def filter(self, name: str) -> Filter:
        """The filter of that name, with all that it left."""
        return next(step for step in self.trace.rpn.filters + self.trace.heads.filters if step.name == name)

    def lost_at(self) -> str:
        """The filter after which no candidate was left, "" if there is one at the end.

        Not simply the first without: the box head can pull a proposal back onto the object.
        """
        fits = [len(step.fitting) > 0 for step in self.steps.values()]
        last = max((number for number, any_left in enumerate(fits) if any_left), default=-1)
        return "" if fits[-1] else list(self.steps)[last + 1]
