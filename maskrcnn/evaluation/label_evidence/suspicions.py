"""Suspicions: the estimated probability that a label is wrong, from how often the network is.

All kinds are estimated together, so that their suspicions can be compared (see `lapses`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskrcnn.evaluation.label_evidence import lapses
from maskrcnn.evaluation.label_evidence.findings import Findings
from maskrcnn.evaluation.label_evidence.outcomes import FIT, Outcome, Outcomes
from maskrcnn.evaluation.measured_set import MeasuredSet

USUAL_RATE = 0.01
"""Expected rate of each kind of label error, before anything is seen."""

EXPECTED_OBJECTS = 30.0
"""The number of objects that is worth as much as what is expected of the network before anything is seen."""

EXPECTED_SCORES = (0.3, 0.5, 0.7, 0.9, 0.97, 0.99)
"""Scores at which it is expected to be right as often as they say."""

EXPECTED_STEADINESS = 0.8
"""Expected IoU of the detections of two epochs that agree."""

EXPECTED_MISSES = 0.05
"""Expected rate of objects that no epoch finds."""

UNFOUND = 0.03
"""The score that stands for "not found at all" where logarithms are taken."""

LOOSEST, TIGHTEST = 0.05, 0.75
"""IoUs of labels that lie beside their objects are taken as equally likely between these."""

USUAL_SPREAD, SPREAD_OBJECTS = 0.7, 10
"""Expected spread of the log odds of IoUs that fit, and the number of objects that this is worth."""

FIT_ROUNDS = 4
"""How often the usual IoU and the errors are fitted in turn."""


def of_findings(measured_epochs: Sequence[MeasuredSet], findings: Findings, found: Outcomes) -> np.ndarray:
    """The probability (N,) that the label of each finding is wrong, or missing where nothing is labelled.

    The network is right, or found the wrong class, a loose outline or nothing real; where it is right, the label has
    the wrong class, lies beside the object, is missing, or is right. A loose overlap can be the fault of either side,
    or no fault at all if such IoUs are usual for this network.
    """
    newest = measured_epochs[-1]
    suspicion = np.zeros(len(findings))
    taking_part = found.outcome != Outcome.SPOKEN_FOR
    outcome = found.outcome[taking_part]
    evidence = finding_evidence(newest, findings, found)[taking_part]
    network, label = np.zeros((len(outcome), 4)), np.zeros((len(outcome), 4))
    for state in (Outcome.CLASS, Outcome.NOTHING):
        network[outcome == state, state] = label[outcome == state, state] = 1
    other_class = outcome == Outcome.CLASS
    network[other_class, Outcome.CLASS] = class_odds(newest, findings, found)[taking_part][other_class]
    same_class = (outcome == Outcome.FITS) | (outcome == Outcome.LOOSE)
    iou = np.clip(found.iou[taking_part][same_class], 1e-3, 1 - 1e-3)
    beside = np.where((iou > LOOSEST) & (iou < TIGHTEST), 1 / (TIGHTEST - LOOSEST), 0.0)
    network[same_class, Outcome.LOOSE] = label[same_class, Outcome.LOOSE] = beside
    fits = (iou >= FIT).astype(np.float64)
    for _ in range(FIT_ROUNDS):
        network[same_class, Outcome.FITS] = usual_iou_density(evidence[same_class], iou, fits)
        fitted = lapses.fit(evidence, network, label, USUAL_RATE, expected_findings(evidence, len(measured_epochs) > 1))
        fits = fitted.network[same_class, Outcome.FITS]
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
        log_odds(findings.others.best_scores(len(findings))),
        findings.crowding,
        found.covered,
        np.log(np.maximum(boxes[:, 2] * boxes[:, 3], 1)),
    ]
    if findings.agreement.shape[1]:
        columns += [log_odds(findings.agreement).mean(axis=1), findings.steadiness.mean(axis=1)]
    return np.stack(columns, axis=1)


def expected_findings(evidence: np.ndarray, with_older: bool) -> lapses.Expectation:
    """Before anything is seen, a finding is expected to be right as often as its score says; with older epochs, more
    often if they agree, and less often if they do not."""
    scores = np.array(EXPECTED_SCORES)
    rows = np.tile(evidence.mean(axis=0) if len(evidence) else np.zeros(evidence.shape[1]), (len(scores), 1))
    rows[:, 0] = log_odds(scores)
    right = scores
    if with_older:
        agree, differ = rows.copy(), rows.copy()
        agree[:, -2], agree[:, -1] = log_odds(scores), EXPECTED_STEADINESS
        differ[:, -2], differ[:, -1] = log_odds(np.zeros(len(scores))), 0.0
        rows, right = np.concatenate([agree, differ]), np.concatenate([(1 + scores) / 2, scores / 2])
    shares = np.stack([right, *[(1 - right) / 3] * 3], axis=1)
    return lapses.Expectation(rows, EXPECTED_OBJECTS / len(rows) * shares)


def log_odds(score: np.ndarray) -> np.ndarray:
    """The log odds of scores from 0 to 1 of any shape; finite also for 0 and 1."""
    score = np.clip(score, UNFOUND, 1 - 1e-3)
    return np.log(score / (1 - score))


def class_odds(newest: MeasuredSet, findings: Findings, found: Outcomes) -> np.ndarray:
    """How much more often (N,) the network mistakes the labelled class for the found one than a random class."""
    classes = len(newest.categories)
    mine = newest.detections.category[findings.detection]
    theirs = newest.objects.category[np.maximum(found.label, 0)]
    wrong = found.outcome == Outcome.CLASS
    counts = np.zeros((classes, classes))
    np.add.at(counts, (mine[wrong], theirs[wrong]), 1.0)
    counts += counts.T
    share = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
    return share[mine, theirs] * max(classes - 1, 1)


def usual_iou_density(evidence: np.ndarray, iou: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """The density (n,) of each IoU where network and label are right.

    Its log odds are normal around a mean that depends linearly on the evidence (n, F); fitted with weights (n,).
    """
    odds = np.log(iou / (1 - iou))
    design = lapses.standardised(evidence, weight)
    weighted = design * weight[:, None]
    penalty = np.eye(design.shape[1])
    penalty[0, 0] = 1e-6
    away = odds - design @ np.linalg.solve(design.T @ weighted + penalty, weighted.T @ odds)
    squares = (weight * away**2).sum() + SPREAD_OBJECTS * USUAL_SPREAD**2
    spread = np.sqrt(squares / (weight.sum() + SPREAD_OBJECTS))
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
        usually = EXPECTED_OBJECTS * np.array([[1 - EXPECTED_MISSES, EXPECTED_MISSES]])
        expected = lapses.Expectation(evidence.mean(axis=0, keepdims=True), usually)
        suspicion[chosen] = lapses.fit(evidence, seen, seen, USUAL_RATE / 2, expected).label[:, 1]
    return suspicion


def of_doubles(iou: np.ndarray, masks: bool) -> np.ndarray:
    """The probability that two labels with this IoU are of one object.

    Masks of two objects hardly overlap; boxes of two objects may.
    """
    middle, width = (0.5, 0.07) if masks else (0.75, 0.05)
    return 1 / (1 + np.exp(-(iou - middle) / width))
