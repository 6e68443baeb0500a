"""COCO's greedy matching of all detections of a set at once, at several IoU thresholds.

COCO goes through the detections of a class in one picture from the best score down; each takes the object that is still
free and has the largest IoU. Detections of different pictures or classes never compete. So the best ones of all
pictures and classes can choose in one array operation, then all second ones, and so on: as many rounds as the fullest
picture has detections that overlap an object.
"""

from __future__ import annotations

import numpy as np

from maskrcnn.evaluation.columns import Detections, Pairs, rank_in_group

HIGHEST_THRESHOLD = 1 - 1e-10
"""Thresholds above this are taken as this, as in COCO: the IoU of equal shapes may be computed as slightly below 1."""


def greedy_partners(
    pairs: Pairs,
    detections: Detections,
    thresholds: np.ndarray,
    ignored: np.ndarray,
    crowd: np.ndarray,
) -> np.ndarray:
    """The object that each detection is matched to, in each of C columns: (D, C) int32 of indices, -1 for none.

    `pairs` are those of one class each. `thresholds` (C,) is the least IoU in each column, `ignored` (G, C) tells which
    objects count neither way there. `crowd` (G,) tells which objects can be matched to any number of detections. Each
    detection is matched to the free object with the largest IoU that counts; if there is none, to the one with the
    largest IoU that is ignored. Of equal IoUs the last object is taken, as in pycocotools.

    Example: both detections overlap object 0. The one with the better score is matched, and the other is not, though
    its IoU is larger.

    >>> pairs = Pairs(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([0.8, 0.9, 0.3]))
    >>> one_class = np.zeros(2, dtype=np.int64)
    >>> two = Detections(one_class, one_class, np.array([0.9, 0.6]), np.zeros((2, 4)), np.arange(2))
    >>> counts = np.zeros((2, 1), dtype=bool)
    >>> greedy_partners(pairs, two, np.array([0.5]), counts, np.zeros(2, dtype=bool)).tolist()
    [[0], [-1]]
    """
    thresholds = np.minimum(thresholds, HIGHEST_THRESHOLD)
    partners = np.full((len(detections), len(thresholds)), -1, dtype=np.int32)
    pairs = pairs.where(pairs.iou >= thresholds.min(initial=1.0))
    if not len(pairs):
        return partners
    # The rounds: the first detection of each picture and class that has candidates, then the second, ...
    choosers, first_pair = np.unique(pairs.detection, return_index=True)
    n_pairs = np.diff(first_pair, append=len(pairs))
    classes = detections.category.max(initial=0) + 1
    round_of = rank_in_group((detections.picture * classes + detections.category)[choosers])
    chooser_order = np.argsort(round_of, kind="stable")
    pair_order = np.argsort(np.repeat(round_of, n_pairs), kind="stable")
    choosers, n_pairs = choosers[chooser_order], n_pairs[chooser_order]
    objects, ious = pairs.object[pair_order], pairs.iou[pair_order]
    # Candidates are compared as integers, which hold the order of the IoUs exactly.
    place = np.unique(ious, return_inverse=True)[1].astype(np.int64) + 1
    counts_first = len(place) + 1  # more than any place: an object that counts is better than any that is ignored
    chooser_ends = np.cumsum(np.bincount(round_of))
    pair_ends = np.cumsum(n_pairs)
    is_free = np.ones(ignored.shape, dtype=bool)
    columns = np.arange(len(thresholds))
    begin = 0
    for start, end in zip(np.append(0, chooser_ends[:-1]), chooser_ends, strict=True):
        stop = pair_ends[end - 1]
        candidates, sizes = objects[begin:stop], n_pairs[start:end]
        starts = np.append(0, np.cumsum(sizes)[:-1])
        is_allowed = (ious[begin:stop, None] >= thresholds) & (is_free[candidates] | crowd[candidates, None])
        value = np.where(is_allowed, place[begin:stop, None] + counts_first * ~ignored[candidates], 0)
        best = np.repeat(np.maximum.reduceat(value, starts, axis=0), sizes, axis=0)
        is_best = is_allowed & (value == best)
        chosen = np.maximum.reduceat(np.where(is_best, candidates[:, None], -1), starts, axis=0)
        partners[choosers[start:end]] = chosen
        taken = chosen >= 0
        is_free[chosen[taken], np.broadcast_to(columns, chosen.shape)[taken]] = False
        begin = stop
    return partners
