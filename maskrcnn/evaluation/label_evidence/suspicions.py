"""Suspicions: the estimated probability that a label is wrong, from how often the network is.

All kinds are estimated together, so that their suspicions can be compared (see `lapses`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskrcnn.evaluation.label_evidence import lapses
from maskrcnn.evaluation.label_evidence.findings import Findings
from maskrcnn.evaluation.label_evidence.outcomes import Outcome, Outcomes
from maskrcnn.evaluation.measured_set import MeasuredSet

USUAL_RATE = 0.01
"""Expected rate of each kind of label error, before anything is seen."""

UNFOUND = 0.03
"""The score that stands for "not found at all" where logarithms are taken."""

LOOSEST, TIGHTEST = 0.05, 0.75
"""IoUs of labels that lie beside their objects are taken as equally likely between these."""

FIT_ROUNDS = 4


def of_findings(measured_epochs: Sequence[MeasuredSet], findings: Findings, found: Outcomes) -> np.ndarray:
    """The probability (N,) that the label of each finding is wrong, or missing where nothing is labelled."""
    newest = measured_epochs[-1]
    evidence = finding_evidence(newest, findings, found)
    taking_part = found.outcome != Outcome.SPOKEN_FOR
    suspicion = np.zeros(len(findings))
    if not taking_part.any():
        return suspicion
    evidence, outcome = evidence[taking_part], found.outcome[taking_part]
    network, label = np.zeros((len(outcome), 4)), np.zeros((len(outcome), 4))
    for state in (Outcome.CLASS, Outcome.NOTHING):
        network[outcome == state, state] = label[outcome == state, state] = 1
    classes = class_odds(newest, findings, found)[taking_part]
    network[outcome == Outcome.CLASS, Outcome.CLASS] = classes[outcome == Outcome.CLASS]
    same = (outcome == Outcome.FITS) | (outcome == Outcome.LOOSE)
    iou = np.clip(found.iou[taking_part][same], 1e-3, 1 - 1e-3)
    beside = np.where((iou > LOOSEST) & (iou < TIGHTEST), 1 / (TIGHTEST - LOOSEST), 0.0)
    network[same, Outcome.LOOSE] = label[same, Outcome.LOOSE] = beside
    tight = np.ones(same.sum())
    network[same, Outcome.FITS] = usual_fit(evidence[same], iou, tight)
    for _ in range(FIT_ROUNDS):
        fitted = lapses.fit(evidence, network, label, USUAL_RATE)
        network[same, Outcome.FITS] = usual_fit(evidence[same], iou, fitted.network[same, Outcome.FITS])
    suspicion[taking_part] = fitted.label.sum(axis=1)
    return suspicion


def finding_evidence(newest: MeasuredSet, findings: Findings, found: Outcomes) -> np.ndarray:
    """What says how sure a finding is: (N, F) float64.

    The columns are its score, the best score of another class, its overlap with better findings and with labels of
    others, its size, and the agreement of the older epochs in class and outline.
    """
    detections = newest.detections
    boxes = detections.boxes[findings.detection]
    columns = [
        log_odds(detections.score[findings.detection]),
        log_odds(findings.rival),
        findings.crowding,
        found.covered,
        np.log(np.maximum(boxes[:, 2] * boxes[:, 3], 1)),
    ]
    if findings.agreement.shape[1]:
        columns += [log_odds(findings.agreement).mean(axis=1), findings.steadiness.mean(axis=1)]
    return np.stack(columns, axis=1)


def log_odds(score: np.ndarray) -> np.ndarray:
    score = np.clip(score, UNFOUND, 1 - 1e-3)
    return np.log(score / (1 - score))


def class_odds(newest: MeasuredSet, findings: Findings, found: Outcomes) -> np.ndarray:
    """How much more often than a random class (N,) the network mistakes the labelled class for the found one."""
    classes = len(newest.categories)
    mine = newest.detections.category[findings.detection]
    theirs = newest.objects.category[np.maximum(found.label, 0)]
    wrong = found.outcome == Outcome.CLASS
    counts = np.zeros((classes, classes))
    np.add.at(counts, (mine[wrong], theirs[wrong]), 1.0)
    counts += counts.T
    share = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
    return share[mine, theirs] * max(classes - 1, 1)


def usual_fit(evidence: np.ndarray, iou: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The density (n,) of an IoU where network and label are right: normal in its log odds, around a mean that depends
    on the evidence; fitted with weights."""
    odds = np.log(iou / (1 - iou))
    design = np.concatenate([np.ones((len(iou), 1)), evidence], axis=1)
    weighted = design * weight[:, None]
    coefficients = np.linalg.solve(design.T @ weighted + 1e-3 * np.eye(design.shape[1]), weighted.T @ odds)
    away = odds - design @ coefficients
    spread = np.sqrt((weight * away**2).sum() / max(weight.sum(), 1e-9) + 0.05**2)
    return np.exp(-0.5 * (away / spread) ** 2) / (spread * np.sqrt(2 * np.pi)) / (iou * (1 - iou))


def of_unseen_labels(measured: MeasuredSet, found: Outcomes) -> np.ndarray:
    """The probability (G,) that a label that no epoch found lies on nothing; 0 for others and for crowds."""
    objects = measured.objects
    suspicion = np.zeros(len(objects))
    chosen = np.flatnonzero(~objects.crowd)
    if len(chosen):
        unseen = (found.seen[chosen] == 0).astype(int)
        evidence = np.log(np.maximum(objects.area[chosen], 1))[:, None]
        seen = np.eye(2)[unseen]
        suspicion[chosen] = lapses.fit(evidence, seen, seen, USUAL_RATE / 2).label[:, 1]
    return suspicion


def of_doubles(iou: np.ndarray, masks: bool) -> np.ndarray:
    """The probability that two labels with this IoU are of one object.

    Masks of two objects hardly overlap; boxes of two objects may.
    """
    middle, width = (0.5, 0.07) if masks else (0.75, 0.05)
    return 1 / (1 + np.exp(-(iou - middle) / width))
