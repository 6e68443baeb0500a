"""What became of an object, in one plain sentence with the numbers that say why."""

from __future__ import annotations

import math

import numpy as np

from maskrcnn.model.tracing import filters
from maskrcnn.model.tracing.candidates import MASK, MATCH, MATCH_IOU, SHOWN, Case


def verdict(case: Case, lost_at: str, min_score: float) -> str:
    """The sentence on an object that was lost at that filter ("" for one that was found)."""
    if not lost_at:
        return _found(case)
    if lost_at == filters.DECODED:
        return _no_anchor(case) if case.anchor.iou < MATCH_IOU else _moved_away(case)
    if lost_at == filters.PRE_NMS:
        return _outranked_on_its_level(case)
    if lost_at in (filters.CLIPPED, filters.BOX_CLIPPED):
        return _clipped(case, lost_at)
    if lost_at in (filters.TOO_SMALL, filters.BOX_TOO_SMALL):
        return _too_small(case, lost_at)
    if lost_at == filters.OBJECTNESS:
        return _no_objectness(case)
    if lost_at in (filters.RPN_NMS, filters.DETECTION_NMS):
        return _suppressed(case, lost_at)
    if lost_at in (filters.POST_NMS, filters.BEST):
        return _outranked(case, lost_at)
    if lost_at == filters.REFINED:
        return _refined_away(case)
    if lost_at in (filters.SCORE, SHOWN):
        return _no_score(case, lost_at, min_score)
    return _wrong_mask(case) if lost_at == MASK else _taken(case)


def _found(case: Case) -> str:
    left = case.steps[MATCH]
    return f"Found with IoU {left.iou[left.closest()]:.2f} and score {left.score[left.closest()]:.2f}."


# The RPN


def _no_anchor(case: Case) -> str:
    assert case.trace.assignment is not None
    (side, ratio), anchors = shape(case.trace.assignment.boxes[case.number]), case.trace.rpn.all_anchors
    sides, ratios = shape(anchors)
    smallest, largest = sides.min(), sides.max()
    # How far the object is outside of what the anchors cover, in doublings.
    size_gap = max(math.log2(smallest / side), math.log2(side / largest))
    ratio_gap = max(math.log2(ratios.min() / ratio), math.log2(ratio / ratios.max()))
    if max(size_gap, ratio_gap) < 0.01:
        nearest = np.array(anchors[case.anchor.index])
        reason = f"the nearest is {extent(nearest)}, the object {extent(case.trace.assignment.boxes[case.number])}"
    elif size_gap >= ratio_gap:
        word, bound = ("smallest", smallest) if side < smallest else ("largest", largest)
        reason = f"the {word} anchor is {bound:.0f} px, the object {side:.0f} px"
    else:
        low, high = ratios.min(), ratios.max()
        reason = f"anchors are {low:.2g} to {high:.2g} times as high as wide, the object {ratio:.2g} times"
    return f"No anchor overlaps it by more than {case.anchor.iou:.2f}: {reason} (in the resized picture)."


def _moved_away(case: Case) -> str:
    decoded = case.steps[filters.DECODED]
    objectness = decoded.score[case.anchor.index]
    return (
        f"The RPN moved its best anchor (IoU {case.anchor.iou:.2f}, objectness {objectness:.2f}) away from it, to IoU "
        f"{decoded.iou[case.anchor.index]:.2f}; no other anchor came closer than {decoded.iou.max():.2f}."
    )


def _outranked_on_its_level(case: Case) -> str:
    left, decoded = case.before(filters.PRE_NMS), case.filter(filters.DECODED)
    best = left.strongest()
    logits = np.concatenate([level.ravel() for level in case.trace.rpn.objectness.values()])
    rivals = logits[decoded.groups == decoded.groups[best]]
    level = list(case.trace.rpn.objectness)[decoded.groups[best]]
    return (
        f"Its best proposal (IoU {left.iou[best]:.2f}) is number {1 + np.count_nonzero(rivals > logits[best])} of "
        f"{len(rivals)} on {level} by objectness ({left.score[best]:.2f}), and only the best "
        f"{case.filter(filters.PRE_NMS).limit} of each level go on (pre_nms_limit)."
    )


def _clipped(case: Case, name: str) -> str:
    left, after = case.before(name), case.steps[name]
    best = left.closest()
    return (
        f"Its best {_kind(name)} (IoU {left.iou[best]:.2f}) was cut off at the edge of the picture and then overlaps "
        f"it by only {after.iou_of(left.index[best]):.2f}."
    )


def _too_small(case: Case, name: str) -> str:
    left, step = case.before(name), case.filter(name)
    best = left.closest()
    before = case.filter(left.filter)
    box = before.boxes[before.survivors == left.index[best]][0]
    return (
        f"Its best {_kind(name)} (IoU {left.iou[best]:.2f}) is {extent(box)}, and a side below {step.limit:g} px is "
        "dropped."
    )


def _no_objectness(case: Case) -> str:
    left, limit = case.before(filters.OBJECTNESS), case.filter(filters.OBJECTNESS).limit
    best = left.strongest()
    return (
        f"The objectness {apart(left.score[best], limit)} of its best proposal (IoU {left.iou[best]:.2f}) is below "
        f"rpn_min_score {limit:g}."
    )


# Both


def _suppressed(case: Case, name: str) -> str:
    left, step = case.before(name), case.filter(name)
    nms = case.trace.rpn.nms if name == filters.RPN_NMS else case.trace.heads.nms
    best = left.closest()
    lost = np.flatnonzero(nms.dropped == left.index[best])[0]
    winner = nms.by[lost]
    score = step.scores[step.survivors == winner][0]
    word = _score_word(name)
    return (
        f"Its best {_kind(name)} (IoU {left.iou[best]:.2f}, {word} {apart(left.score[best], score)}) was dropped by "
        f"NMS in favour of a box with {word} {apart(score, left.score[best])}: the two overlap by "
        f"{apart(nms.ious[lost], step.limit)}, more than {step.limit:g}, but that box overlaps the object by only "
        f"{case.steps[name].iou_of(winner):.2f}."
    )


def _outranked(case: Case, name: str) -> str:
    left, step = case.before(name), case.filter(name)
    best = left.strongest()
    before = case.filter(left.filter)
    rank = 1 + np.flatnonzero(before.survivors == left.index[best])[0]
    return (
        f"Its best {_kind(name)} (IoU {left.iou[best]:.2f}) is number {rank} of {before.count} by {_score_word(name)} "
        f"({left.score[best]:.2f}), and only the best {step.limit} go on ({step.knob})."
    )


# The heads


def _refined_away(case: Case) -> str:
    left, refined = case.before(filters.REFINED), case.steps[filters.REFINED]
    best = left.closest()
    return (
        f"The box head moved its best proposal (IoU {left.iou[best]:.2f}) away from it: as {case.name} it overlaps it "
        f"by {refined.iou[best]:.2f}."
    )


def _no_score(case: Case, name: str, min_score: float) -> str:
    left = case.before(name)
    best = left.strongest()
    names = ("background", *case.trace.config.names)
    chances = case.trace.heads.probabilities[left.index[best] // (len(names) - 1)]
    rival = max((label for label in range(len(names)) if label != case.label), key=lambda label: chances[label])
    score, other = left.score[best], f"{chances[rival]:.2f}"
    if name == SHOWN:
        limit, below = min_score, f"below {min_score:g}, from which on detections are shown"
    else:
        limit = case.filter(name).limit
        below = f"below detection_min_confidence {limit:g}"
    if rival and chances[rival] > score:
        return f"Classified as {names[rival]} ({other}) rather than {case.name} ({apart(score, limit)}, {below})."
    return (
        f"Its best score as {case.name}, {apart(score, limit)} (IoU {left.iou[best]:.2f}), is {below}; {names[rival]} "
        f"has {other}."
    )


def _wrong_mask(case: Case) -> str:
    left, masks = case.before(MASK), case.steps[MASK]
    best = left.closest()
    return (
        f"Its box was found (IoU {left.iou[best]:.2f}, score {left.score[best]:.2f}), but its mask overlaps the "
        f"object's by only {masks.iou_of(left.index[best]):.2f}."
    )


def _taken(case: Case) -> str:
    left = case.before(MATCH)
    best = left.closest()
    return (
        f"Its best detection (IoU {left.iou[best]:.2f}, score {left.score[best]:.2f}) counts for another {case.name} "
        "already, and one detection finds one object."
    )


DETECTION_FILTERS = (filters.BOX_CLIPPED, filters.BOX_TOO_SMALL, filters.DETECTION_NMS, filters.BEST)


def _kind(name: str) -> str:
    return "detection" if name in DETECTION_FILTERS else "proposal"


def _score_word(name: str) -> str:
    return "score" if name in DETECTION_FILTERS else "objectness"


def shape(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Side of a square of the same area, and height / width, of xyxy boxes `(..., 4)`."""
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return np.sqrt(width * height), height / width


def extent(box: np.ndarray) -> str:
    """`12 x 40 px`."""
    return f"{box[2] - box[0]:.2g} × {box[3] - box[1]:.2g} px"


def apart(value: float, other: float) -> str:
    """`value` with two decimals, or with as many as it takes to read differently from `other`."""
    for digits in range(2, 8):
        if f"{value:.{digits}f}" != f"{other:.{digits}f}":
            return f"{value:.{digits}f}"
    return f"{value:.2f}"
