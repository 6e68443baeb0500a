"""Label-error candidates: places where what the network finds speaks against what is labelled.

A network that has learned from mostly right labels is itself right more often than single labels are wrong, at least
where it is sure and where its epochs agree. `label_error_candidates` lists the places where it contradicts a label, the
most suspicious first, for a person to look at. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from maskrcnn.errors import StudioError
from maskrcnn.evaluation.coco_documents import Id
from maskrcnn.evaluation.label_evidence.findings import Findings, find
from maskrcnn.evaluation.label_evidence.outcomes import Outcome, Outcomes, label_pairs, outcomes
from maskrcnn.evaluation.label_evidence.suspicions import of_doubles, of_findings, of_unseen_labels
from maskrcnn.evaluation.measured_set import MeasuredSet

Kind = Literal["missing", "wrong_class", "shifted", "double", "spurious"]

LEAST_SCORE = 0.3
"""Least score of a detection that speaks against a label."""

LEAST_SUSPICION = 0.02
"""Least suspicion of a candidate."""


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

    Example: ten pictures with an object each, of which one has a second object that nobody labelled.

    >>> from maskrcnn.evaluation import measure
    >>> truth = {
    ...     "images": [{"id": n, "file_name": f"{n}.png", "width": 100, "height": 100} for n in range(10)],
    ...     "categories": [{"id": 1, "name": "cell"}],
    ...     "annotations": [
    ...         {"id": n, "image_id": n, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0}
    ...         for n in range(10)
    ...     ],
    ... }
    >>> found = [{"image_id": n, "category_id": 1, "bbox": [10, 10, 20, 20], "score": 0.95} for n in range(10)]
    >>> found.append({"image_id": 7, "category_id": 1, "bbox": [60, 60, 20, 20], "score": 0.97})
    >>> [candidate] = label_error_candidates([measure(truth, found, tasks=["box"])])
    >>> candidate.kind, candidate.picture, candidate.position, candidate.why
    ('missing', 7, 10, 'found with score 0.97 where nothing is labelled')
    """
    if not measured_epochs:
        raise StudioError("label errors: there are no detections; choose an epoch that has some")
    newest = measured_epochs[-1]
    for measured in measured_epochs[:-1]:
        if _labels(measured) != _labels(newest):
            raise StudioError("label errors: the epochs have different labels or tasks; measure all in the same way")
    findings = find(measured_epochs, LEAST_SCORE)
    found = outcomes(measured_epochs, findings)
    suspects: dict[tuple[str, int], _Suspect] = {}
    for suspect in (
        *_doubles(newest, found),
        *_contradicted(measured_epochs, findings, found),
        *_never_found(measured_epochs, found),
    ):
        if suspect.suspicion >= LEAST_SUSPICION:
            key = ("label", suspect.label) if suspect.label >= 0 else ("detection", suspect.detection)
            suspects[key] = max(suspects.get(key, suspect), suspect, key=lambda one: one.suspicion)
    ordered = sorted(suspects.values(), key=lambda one: -one.suspicion)
    return [_candidate(newest, suspect) for suspect in ordered]


def _labels(measured: MeasuredSet) -> tuple[object, ...]:
    """What epochs must have in common."""
    return measured.pictures, measured.objects.annotation_ids, measured.matched_by


class _Suspect(NamedTuple):
    """A candidate by the indices of its label and its detection, -1 for none."""

    kind: Kind
    suspicion: float
    label: int
    detection: int
    why: str


def _doubles(newest: MeasuredSet, found: Outcomes) -> Iterator[_Suspect]:
    """Of two labels on one object: the one that the network fits worse."""
    objects, masks = newest.objects, newest.matched_by == "segm"
    pairs = label_pairs(newest)
    suspicions = of_doubles(pairs.iou, masks)
    columns = zip(pairs.detection.tolist(), pairs.object.tolist(), pairs.iou.tolist(), suspicions.tolist(), strict=True)
    for first, second, iou, suspicion in columns:
        is_found = found.finding[first] >= 0, found.finding[second] >= 0
        if is_found == (True, True):
            continue  # the network sees two objects
        label, other = (first, second) if is_found == (False, True) else (second, first)
        classes = [newest.names[objects.category[one]] for one in (label, other)]
        what = "two labels of this class" if classes[0] == classes[1] else f"this label and one of {classes[1]}"
        yield _Suspect("double", suspicion, label, -1, f"{what} lie on each other, with an IoU of {iou:.2f}")


def _contradicted(measured_epochs: Sequence[MeasuredSet], findings: Findings, found: Outcomes) -> Iterator[_Suspect]:
    """Labels, and places without one, that findings speak against."""
    newest = measured_epochs[-1]
    suspicions = of_findings(measured_epochs, findings, found)
    epochs = f" ({len(measured_epochs)} epochs agree)" if len(measured_epochs) > 1 else ""
    for finding in np.flatnonzero(suspicions >= LEAST_SUSPICION).tolist():
        place, label = int(findings.detection[finding]), int(found.label[finding])
        name, score = newest.names[newest.detections.category[place]], newest.detections.score[place]
        agree = epochs if findings.agreement[finding].min(initial=1.0) >= 0.5 else ""
        kind: Kind
        match found.outcome[finding]:
            case Outcome.NOTHING:
                kind, why = "missing", f"found with score {score:.2f} where nothing is labelled"
            case Outcome.CLASS:
                kind, why = "wrong_class", f"found as {name} with score {score:.2f}"
            case _:
                iou = found.iou[finding]
                kind, why = (
                    "shifted",
                    f"found with score {score:.2f}, but its outline fits the label with an IoU of only {iou:.2f}",
                )
        yield _Suspect(kind, float(suspicions[finding]), label, place, why + agree)


def _never_found(measured_epochs: Sequence[MeasuredSet], found: Outcomes) -> Iterator[_Suspect]:
    """Labels where no epoch found anything."""
    suspicions, count = of_unseen_labels(measured_epochs[-1], found), len(measured_epochs)
    why = f"nothing was found here in {count} epochs" if count > 1 else "nothing was found here"
    for label in np.flatnonzero(suspicions >= LEAST_SUSPICION).tolist():
        yield _Suspect("spurious", float(suspicions[label]), label, -1, why)


def _candidate(newest: MeasuredSet, suspect: _Suspect) -> Candidate:
    """The candidate with ids and names instead of indices."""
    objects, detections, label, place = newest.objects, newest.detections, suspect.label, suspect.detection
    found_class = newest.names[detections.category[place]] if place >= 0 else None
    x, y, width, height = (objects.boxes[label] if label >= 0 else detections.boxes[place]).tolist()
    return Candidate(
        kind=suspect.kind,
        picture=int(objects.picture[label] if label >= 0 else detections.picture[place]),
        annotation_id=objects.annotation_ids[label] if label >= 0 else None,
        position=int(detections.position[place]) if place >= 0 else None,
        score=float(detections.score[place]) if place >= 0 else 0.0,
        suspicion=suspect.suspicion,
        box=(x, y, width, height),
        class_name=newest.names[objects.category[label]] if label >= 0 else str(found_class),
        found_class=found_class,
        why=suspect.why,
    )
