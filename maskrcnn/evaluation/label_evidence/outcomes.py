"""Outcomes: what is labelled where something was found, and which labels nothing was found for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from maskrcnn.evaluation.columns import Pairs
from maskrcnn.evaluation.label_evidence.findings import Findings, areas, as_detections, pairs_of
from maskrcnn.evaluation.measured_set import MeasuredSet


class Outcome(IntEnum):
    """What is labelled where something was found."""

    FITS = 0
    """A label of its class fits."""
    CLASS = 1
    """A label of another class fits."""
    LOOSE = 2
    """A label of its class overlaps, but does not fit."""
    NOTHING = 3
    """No label is there."""
    SPOKEN_FOR = 4
    """It is a crowd, or an object that a better finding has already."""


FIT = 0.5
"""IoU from which a label fits."""

TOUCH = 0.1
"""IoU below which a label of the class is another object's."""

SEEN = 0.3
"""IoU from which a detection of any class shows that there is something at a label."""


@dataclass(frozen=True)
class Outcomes:
    """What became of N findings and G labels.

    `outcome` (N,) int8 is a constant of this module, `label` (N,) int64 the label that it is about (-1: none) and `iou`
    (N,) float64 the IoU with it. `covered` (N,) float64 is the fraction of the finding that lies on other labels.
    `finding` (G,) int64 is the finding of each label (-1: none). `seen` (G,) float64 is the best score of any class in
    any epoch at a label.
    """

    outcome: np.ndarray
    label: np.ndarray
    iou: np.ndarray
    covered: np.ndarray
    finding: np.ndarray
    seen: np.ndarray


def outcomes(measured_epochs: Sequence[MeasuredSet], findings: Findings) -> Outcomes:
    """Give labels to the findings, each to one at most: first those of the class that fit, then those of another class
    that fit, then those of the class that overlap; the better score chooses first, and takes the largest IoU."""
    newest = measured_epochs[-1]
    place = np.full(len(newest.detections), -1)
    place[findings.detection] = np.arange(len(findings))
    pairs = newest.pairs(newest.matched_by)
    pairs = pairs.where(place[pairs.detection] >= 0)
    pairs = Pairs(place[pairs.detection], pairs.object, pairs.iou)
    crowd = newest.objects.crowd[pairs.object]
    outcome = np.full(len(findings), Outcome.NOTHING, dtype=np.int8)
    label, iou = np.full(len(findings), -1), np.zeros(len(findings))
    taken = np.full(len(newest.objects), -1)
    outcome[pairs.detection[crowd & (pairs.iou >= FIT)]] = Outcome.SPOKEN_FOR
    pairs = pairs.where(~crowd & (outcome[pairs.detection] == Outcome.NOTHING))
    score = newest.detections.score[findings.detection]
    same = newest.detections.category[findings.detection][pairs.detection] == newest.objects.category[pairs.object]
    rounds = (
        (Outcome.FITS, same & (pairs.iou >= FIT)),
        (Outcome.CLASS, ~same & (pairs.iou >= FIT)),
        (Outcome.LOOSE, same & (pairs.iou >= TOUCH)),
    )
    for result, allowed in rounds:
        candidates = pairs.where(allowed)
        order = np.lexsort((-candidates.iou, candidates.detection, -score[candidates.detection]))
        columns = (candidates.detection[order], candidates.object[order], candidates.iou[order])
        for one, target, value in zip(*(column.tolist() for column in columns), strict=True):
            if label[one] < 0 and taken[target] < 0:
                label[one], iou[one], outcome[one], taken[target] = target, value, result, one
    again = (outcome[pairs.detection] == Outcome.NOTHING) & (pairs.iou >= FIT)
    outcome[pairs.detection[again]] = Outcome.SPOKEN_FOR
    return Outcomes(outcome, label, iou, _covered(newest, findings, pairs, label), taken, _seen(measured_epochs))


def label_pairs(measured: MeasuredSet) -> Pairs:
    """The pairs of labels of a picture that overlap, `detection` before `object`, without crowds."""
    objects, entries = measured.objects, measured.object_entries
    pairs = pairs_of(measured, as_detections(objects), entries, objects, entries)
    crowd = objects.crowd
    return pairs.where((pairs.detection < pairs.object) & ~crowd[pairs.detection] & ~crowd[pairs.object])


def _covered(newest: MeasuredSet, findings: Findings, pairs: Pairs, label: np.ndarray) -> np.ndarray:
    """The fraction (N,) of each finding that lies on one label other than its own, the largest."""
    own = areas(newest, [newest.detection_entries[index] for index in findings.detection.tolist()])
    other = areas(newest, newest.object_entries)
    pairs = pairs.where(label[pairs.detection] != pairs.object)
    shared = pairs.iou / (1 + pairs.iou) * (own[pairs.detection] + other[pairs.object])
    covered = np.zeros(len(findings))
    np.maximum.at(covered, pairs.detection, shared / np.maximum(own[pairs.detection], 1e-9))
    return covered


def _seen(measured_epochs: Sequence[MeasuredSet]) -> np.ndarray:
    """The best score (G,) of any class in any epoch at each label."""
    seen = np.zeros(len(measured_epochs[-1].objects))
    for measured in measured_epochs:
        pairs = measured.pairs(measured.matched_by)
        pairs = pairs.where(pairs.iou >= SEEN)
        np.maximum.at(seen, pairs.object, measured.detections.score[pairs.detection])
    return seen
