"""Findings: the places where the newest epoch finds something, and what older epochs find there.

A network often has several detections of one object, of different classes. They are one finding: its best detection,
and the score of the best one of another class. Older epochs agree if they find the same class at the same place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.evaluation.coco_documents import Entry
from maskrcnn.evaluation.columns import Detections, Objects, Pairs, rank_in_group
from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.overlaps import box_pairs, mask_pairs

SAME_PLACE = 0.5
"""IoU from which two detections are of one place."""


@dataclass(frozen=True)
class OtherClasses:
    """The other classes that are found at the places of N findings, M in all: `finding` and `category` (M,) int64, and
    the best `score` (M,) float64 of each; sorted by finding, best score first."""

    finding: np.ndarray
    category: np.ndarray
    score: np.ndarray
    rank: np.ndarray
    """(M,) int64: 0 for the best class of each finding."""

    def best_scores(self, findings: int) -> np.ndarray:
        """The best score (N,) of another class at each finding, 0 without any."""
        best = np.zeros(findings)
        np.maximum.at(best, self.finding, self.score)
        return best


@dataclass(frozen=True)
class Findings:
    """N findings, sorted by picture and then by score, best first.

    `detection` (N,) int64 is the index of the best detection in the columns of the newest epoch. `others` are the other
    classes that the epoch finds there. `agreement` and `steadiness` (N, E) float64 are score and IoU of the best
    detection of the same class at the same place in each of E older epochs, 0 without any. `crowding` (N,) float64 is
    the largest IoU with a better finding.
    """

    detection: np.ndarray
    others: OtherClasses
    agreement: np.ndarray
    steadiness: np.ndarray
    crowding: np.ndarray

    def __len__(self) -> int:
        return len(self.detection)


def find(measured_epochs: Sequence[MeasuredSet], least_score: float) -> Findings:
    """The findings of the last of the epochs whose best detection has a score of at least `least_score`."""
    newest = measured_epochs[-1]
    found = newest.detections
    among = pairs_of(newest, found, newest.detection_entries, as_objects(found), newest.detection_entries)
    place_of, crowding = _places(found, among, least_score)
    chosen = np.flatnonzero((place_of == np.arange(len(found))) & (found.score >= least_score))
    older = [_agreement(newest, epoch, chosen) for epoch in measured_epochs[:-1]]
    agreement = np.stack([score for score, _ in older], axis=1) if older else np.zeros((len(chosen), 0))
    steadiness = np.stack([iou for _, iou in older], axis=1) if older else np.zeros((len(chosen), 0))
    return Findings(chosen, _other_classes(found, place_of, chosen), agreement, steadiness, crowding[chosen])


def pairs_of(
    measured: MeasuredSet,
    detections: Detections,
    detection_entries: Sequence[Entry],
    objects: Objects,
    object_entries: Sequence[Entry],
) -> Pairs:
    """The overlaps by the measure that matches: IoU of masks, or of boxes for a network without masks."""
    if measured.matched_by == "segm":
        return mask_pairs(object_entries, detection_entries, objects, detections)
    return box_pairs(objects, detections)


def as_objects(detections: Detections) -> Objects:
    """Detections in the place of objects, to measure how they overlap others."""
    count = len(detections)
    area = detections.boxes[:, 2] * detections.boxes[:, 3]
    places = tuple(detections.position.tolist())
    return Objects(detections.picture, detections.category, area, np.zeros(count, bool), detections.boxes, places)


def as_detections(objects: Objects) -> Detections:
    """Objects in the place of detections, all with score 1."""
    return Detections(objects.picture, objects.category, np.ones(len(objects)), objects.boxes, np.arange(len(objects)))


def areas(measured: MeasuredSet, entries: Sequence[Entry]) -> np.ndarray:
    """Areas (n,) float64 of masks, or of boxes for a network without masks."""
    if measured.matched_by == "segm":
        return np.array([coco_mask.area(entry["segmentation"]) for entry in entries], dtype=np.float64)
    return np.array([entry["bbox"][2] * entry["bbox"][3] for entry in entries], dtype=np.float64)


def _places(found: Detections, among: Pairs, least_score: float) -> tuple[np.ndarray, np.ndarray]:
    """For each detection (D,): the best detection of its place (itself if it is the best), and its largest IoU with a
    better finding of another place (only for scores of at least `least_score`)."""
    place_of, crowding = np.arange(len(found)), np.zeros(len(found))
    is_same = among.iou >= SAME_PLACE
    better = among.where((among.object < among.detection) & (is_same | (found.score[among.detection] >= least_score)))
    order = np.lexsort((better.object, better.detection))  # both are sorted by score within a picture
    columns = (better.detection[order], better.object[order], better.iou[order])
    for one, other, iou in zip(*(column.tolist() for column in columns), strict=True):
        if place_of[other] != other or place_of[one] != one:
            continue
        if iou >= SAME_PLACE:
            place_of[one] = other
        else:
            crowding[one] = max(crowding[one], iou)
    return place_of, crowding


def _other_classes(found: Detections, place_of: np.ndarray, chosen: np.ndarray) -> OtherClasses:
    """The classes at the places of the chosen detections, without those of the detections themselves."""
    number = np.full(len(found), -1)
    number[chosen] = np.arange(len(chosen))
    finding = number[place_of]
    members = np.flatnonzero((finding >= 0) & (found.category != found.category[place_of]))
    members = members[np.lexsort((-found.score[members], finding[members]))]
    finding, category = finding[members], found.category[members]
    _, first = np.unique(np.stack([finding, category], axis=1), axis=0, return_index=True)
    first = np.sort(first)
    finding, category = finding[first], category[first]
    return OtherClasses(finding, category, found.score[members[first]], rank_in_group(finding))


def _agreement(newest: MeasuredSet, older: MeasuredSet, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Score and IoU (N,) of the detection of an older epoch that confirms each finding: the best score of its class at
    its place."""
    found = newest.detections
    mine = Detections(
        found.picture[chosen], found.category[chosen], found.score[chosen], found.boxes[chosen], found.position[chosen]
    )
    entries = [newest.detection_entries[index] for index in chosen.tolist()]
    pairs = pairs_of(newest, mine, entries, as_objects(older.detections), older.detection_entries)
    index = {category: number for number, category in enumerate(newest.categories)}
    category = np.array([index.get(category, -1) for category in older.categories], dtype=np.int64)
    same = mine.category[pairs.detection] == category[older.detections.category[pairs.object]]
    pairs = pairs.where(same & (pairs.iou >= SAME_PLACE))
    score, iou = np.zeros(len(chosen)), np.zeros(len(chosen))
    value = older.detections.score[pairs.object]
    order = np.argsort(value, kind="stable")  # of several, the last one written is the best
    score[pairs.detection[order]] = value[order]
    iou[pairs.detection[order]] = pairs.iou[order]
    return score, iou
