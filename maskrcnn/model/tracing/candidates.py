"""One labelled object on its way through the filters: which boxes are left for it after each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskrcnn.model.tracing.filters import Filter
from maskrcnn.model.tracing.trace import Trace

MATCH_IOU = 0.5
"""From this IoU on a box is taken for the object, as in AP50."""

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

    `filter`: its name; `left`: candidates that overlap the object by at least `MATCH_IOU`; `best`: the candidate with
    the largest IoU, -1 where none is left at all; `iou`, `score`: its own. For detections only those of the object's
    class are candidates.
    """

    filter: str
    left: int
    best: int
    iou: float
    score: float


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
        return Standing(self.filter, len(self.fitting), *found)


@dataclass(frozen=True)
class Case:
    """One object and all that is needed to say what became of it.

    `number`, `label`, `name`: which of the targets, its class and the class's name; `steps`: filter -> what was left
    for it after that, in order.
    """

    trace: Trace
    number: int
    label: int
    name: str
    anchor: BestAnchor
    steps: dict[str, Candidates]

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
