"""COCO's average precision of many rankings at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from maskrcnn.evaluation.measures import RECALLS

CELLS_AT_ONCE = 4_000_000
"""Batch size, in detections times thresholds with the padding: some 100 MB."""


def group_ap(group: np.ndarray, found: np.ndarray, ignored: np.ndarray, n_objects: np.ndarray) -> np.ndarray:
    """The AP of S rankings at T thresholds: (S, T) float64; 0 for a ranking without objects.

    `group` (M,) int64, sorted, is the ranking of each detection; within one they are sorted by score, best first.
    `found` and `ignored` (M, T) bool are their results, `n_objects` (S,) the objects of each ranking.

    As in `COCOeval.accumulate`: precision after each detection, made a falling envelope from the end, and the mean of
    the envelope at the 101 recalls. Recall rises only at hits, so each hit stands for the recalls that it reaches.

    Example: the first ranking finds its only object with its second detection; precision is 1/2 at all recalls.

    >>> found = np.array([[False], [True], [True]])
    >>> group_ap(np.array([0, 0, 1]), found, np.zeros_like(found), np.array([1, 1])).round(6).tolist()
    [[0.5], [1.0]]
    """
    lengths = np.bincount(group, minlength=len(n_objects))
    first = np.cumsum(lengths) - lengths
    result = np.zeros((len(n_objects), found.shape[1]))
    for rankings in _batches(lengths, found.shape[1]):
        within = np.arange(lengths[rankings].max())
        is_there = within < lengths[rankings][:, None]
        rows = np.where(is_there, first[rankings][:, None] + within, 0)
        hits = found[rows] & is_there[..., None]
        counted = ~ignored[rows] & is_there[..., None]
        result[rankings] = _padded_ap(hits, counted, n_objects[rankings])
    return result


def _batches(lengths: np.ndarray, thresholds: int) -> Iterator[np.ndarray]:
    """Batches of rankings that have detections, (S,) indices each. Similar lengths share one: little is padding."""
    doublings = np.ceil(np.log2(np.maximum(lengths, 1)))
    for number in np.unique(doublings[lengths > 0]):
        rankings = np.flatnonzero((doublings == number) & (lengths > 0))
        at_once = max(1, CELLS_AT_ONCE // int(2**number * thresholds))
        for start in range(0, len(rankings), at_once):
            yield rankings[start : start + at_once]


def _padded_ap(hits: np.ndarray, counted: np.ndarray, n_objects: np.ndarray) -> np.ndarray:
    """The AP of rankings (S, L, T) bool that are padded at their end: (S, T)."""
    true_positives = np.cumsum(hits, axis=1, dtype=np.int32)
    precision = true_positives / (np.cumsum(counted, axis=1, dtype=np.int32) + np.spacing(1))
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    reached = recalls_reached(true_positives, np.maximum(n_objects, 1)[:, None, None])
    newly_reached = np.diff(reached, axis=1, prepend=0)
    return (envelope * newly_reached).sum(axis=1) / len(RECALLS)


def recalls_reached(true_positives: np.ndarray, n_objects: np.ndarray) -> np.ndarray:
    """How many of COCO's 101 recalls are at most `true_positives / n_objects`; 0 for no true positive.

    >>> recalls_reached(np.array([0, 1, 2]), np.array([2, 2, 2])).tolist()
    [0, 51, 101]
    """
    return np.where(true_positives > 0, np.searchsorted(RECALLS, true_positives / n_objects, side="right"), 0)
