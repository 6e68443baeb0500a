"""Label-error candidates: places where what the network finds speaks against what is labelled.

A network that has learned from mostly right labels is itself right more often than single labels are wrong, at least
where it is sure and where its epochs agree. `label_error_candidates` lists the places where it contradicts a label, the
most suspicious first, for a person to look at. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskrcnn.errors import StudioError
from maskrcnn.evaluation.coco_documents import Id
from maskrcnn.evaluation.label_evidence.findings import find
from maskrcnn.evaluation.label_evidence.outcomes import CLASS, LOOSE, NOTHING, label_pairs, outcomes
from maskrcnn.evaluation.measured_set import MeasuredSet

Kind = Literal["missing", "wrong_class", "shifted", "double", "spurious"]

LEAST_SCORE = 0.5
DOUBLE = 0.6


@dataclass(frozen=True)
class Candidate:
    """A place where a label may be wrong.

    `kind`: an object without a label ("missing"), a label of the wrong class, a label that lies beside its object
    ("shifted"), a second label on one object ("double"), a label on nothing ("spurious"). `picture` is the index in
    `MeasuredSet.pictures`. `annotation_id` is the suspected label, None for a missing one. `position` is the index of
    the detection that speaks against it in the given detections of the newest epoch, None if there is none; `score` is
    its score, 0 for none. `suspicion`, from 0 to 1, is the estimated probability that the label is wrong. `box` is that
    of the label, or of the detection for a missing one: x, y, width, height in pixels. `class_name` is the labelled
    class (for a missing label the found one), `found_class` that of the detection. `why` says the reason.
    """

    kind: Kind
    picture: int
    annotation_id: Id | None
    position: int | None
    score: float
    suspicion: float
    box: tuple[float, float, float, float]
    class_name: str
    found_class: str | None
    why: str


def label_error_candidates(measured_epochs: Sequence[MeasuredSet]) -> list[Candidate]:
    """The candidates among the labels of a set, the most suspicious first; each label is one at most, a crowd never.

    `measured_epochs` are the same labels with the detections of one or several epochs, the newest last. Raises
    `StudioError` without any epoch, or if their pictures or labels differ.
    """
    if not measured_epochs:
        raise StudioError("label errors: there are no detections; choose an epoch that has some")
    newest = measured_epochs[-1]
    for measured in measured_epochs[:-1]:
        if (measured.pictures, measured.objects.annotation_ids) != (newest.pictures, newest.objects.annotation_ids):
            raise StudioError("label errors: the epochs were measured on different labels; measure all on the same")
    findings = find(measured_epochs, LEAST_SCORE)
    found = outcomes(measured_epochs, findings)
    detections, objects, names = newest.detections, newest.objects, newest.names
    score = detections.score[findings.detection]
    agreement = findings.agreement.mean(axis=1) if findings.agreement.shape[1] else np.ones(len(findings))
    candidates: list[Candidate] = []

    def add(kind: Kind, suspicion: float, why: str, label: int = -1, finding: int = -1) -> None:
        place = int(findings.detection[finding]) if finding >= 0 else -1
        box = objects.boxes[label] if label >= 0 else detections.boxes[place]
        found_class = names[detections.category[place]] if place >= 0 else None
        candidates.append(
            Candidate(
                kind=kind,
                picture=int(objects.picture[label] if label >= 0 else detections.picture[place]),
                annotation_id=objects.annotation_ids[label] if label >= 0 else None,
                position=int(detections.position[place]) if place >= 0 else None,
                score=float(detections.score[place]) if place >= 0 else 0.0,
                suspicion=float(suspicion),
                box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
                class_name=names[objects.category[label]] if label >= 0 else str(found_class),
                found_class=found_class,
                why=why,
            )
        )

    suspected: set[int] = set()
    doubles = label_pairs(newest)
    doubles = doubles.where(
        (doubles.iou >= DOUBLE) & (objects.category[doubles.detection] == objects.category[doubles.object])
    )
    for first, second, iou in zip(
        doubles.detection.tolist(), doubles.object.tolist(), doubles.iou.tolist(), strict=True
    ):
        label = first if found.finding[first] < 0 <= found.finding[second] else second
        if label not in suspected:
            suspected.add(label)
            add("double", iou, f"two labels of this class lie on each other (IoU {iou:.2f})", label)
    for finding in range(len(findings)):
        label, sure = int(found.label[finding]), score[finding] * agreement[finding]
        if label in suspected:
            continue
        shown = f"{score[finding]:.2f}"
        if found.outcome[finding] == NOTHING:
            add(
                "missing",
                sure * (1 - found.covered[finding]),
                f"found with score {shown} where nothing is labelled",
                -1,
                finding,
            )
        elif found.outcome[finding] == CLASS:
            name = names[detections.category[findings.detection[finding]]]
            suspected.add(label)
            add(
                "wrong_class",
                sure * (1 - findings.rival[finding]),
                f"found as {name} with score {shown}",
                label,
                finding,
            )
        elif found.outcome[finding] == LOOSE:
            suspected.add(label)
            add(
                "shifted",
                sure,
                f"found with score {shown}, but IoU with the label is {found.iou[finding]:.2f}",
                label,
                finding,
            )
    for label in np.flatnonzero(~objects.crowd & (found.seen == 0)).tolist():
        if label not in suspected:
            epochs = len(measured_epochs)
            add("spurious", 0.3, f"found in none of {epochs} epochs" if epochs > 1 else "not found", label)
    return sorted(candidates, key=lambda candidate: -candidate.suspicion)
