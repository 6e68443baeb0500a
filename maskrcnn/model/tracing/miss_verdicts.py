"""Why an object was found or missed, in one or two sentences with the numbers."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from maskrcnn.model.tracing import filters
from maskrcnn.model.tracing.object_candidates import MASK, MATCH, MATCH_IOU, SHOWN, Case, Lying
from maskrcnn.words import apart

Reason = Literal[
    "found",
    "counted for another",  # the detection on it finds another object, and one detection finds one
    "another class",  # a detection of another class lies on it
    "too loose",  # one of its class lies on it, but overlaps it by less than 0.5
    "not shown",  # its detection has a score below that from which on they are shown
    "low score",  # no box on it has a sufficient score as its class: the background or another class has won
    "NMS",  # its last box was dropped in favour of one that does not fit
    "limit",  # it did not belong to so many best ones
    "no box",  # no anchor or proposal fitted, or the network moved them away
]


def judge(case: Case, lost_at: str, min_score: float) -> tuple[Reason, str]:
    """Why an object was missed that was lost at that filter ("" for one that was found), in a word and in a sentence.

    What lies on it comes first, as that is what can be seen; then what became of the boxes that would have found it.
    """
    if not lost_at:
        return "found", _found(case)
    own, score = _sentence(case, lost_at, min_score), _own_score(case, lost_at)
    other = case.as_another_class(MATCH_IOU, score)
    if other and not (lost_at == MATCH and case.before(MATCH).iou.max() >= other.iou):
        return "another class", _another_class(case, other, lost_at, min_score)
    if lost_at in (MATCH, MASK, SHOWN):
        return {MATCH: "counted for another", MASK: "too loose", SHOWN: "not shown"}[lost_at], own  # type: ignore
    reason: Reason = _REASONS.get(lost_at, "no box")
    if (loose := case.too_loose()) and not (reason == "NMS" and _winner(case, lost_at) == loose.candidate):
        return "too loose", f"Found too loosely: {_lies(loose)}, and {MATCH_IOU:g} is needed. {own}"
    if also := case.as_another_class(0, score):
        own = f"{own} {_lies(also, 'A')}, too."
    return reason, own


def _own_score(case: Case, lost_at: str) -> float:
    """The best score as its own class of a box that fitted before it was lost; 0 where the network has not come so far
    as to give one."""
    if lost_at not in (*DETECTION_FILTERS, filters.SCORE, SHOWN, MASK, MATCH):
        return 0
    left = case.before(lost_at)
    return float(left.score[left.strongest()])


_REASONS: dict[str, Reason] = {
    filters.PRE_NMS: "limit",
    filters.POST_NMS: "limit",
    filters.BEST: "limit",
    filters.RPN_NMS: "NMS",
    filters.DETECTION_NMS: "NMS",
    filters.OBJECTNESS: "low score",
    filters.SCORE: "low score",
}


def _sentence(case: Case, lost_at: str, min_score: float) -> str:
    """What the filter did at which it was lost."""
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


def _lies(detection: Lying, article: str = "a") -> str:
    iou = f"IoU {below(detection.iou)}"
    if detection.box_iou is not None:  # masks decide, and the boxes are what is seen at first
        iou = f"mask {iou} and box IoU {detection.box_iou:.2f}"
    return f"{article} detection as {detection.name} with score {detection.score:.2f} lies on it with {iou}"


def _another_class(case: Case, other: Lying, lost_at: str, min_score: float) -> str:
    """The detection of another class, and what its own class came to."""
    taken = f"Taken for another class: {_lies(other)}."
    if lost_at in (filters.SCORE, SHOWN):
        left = case.before(lost_at)
        best = left.strongest()
        limit, words = _limit(case, lost_at, min_score)
        score = apart(left.score[best], limit)
        return f"{taken} Its best score as {case.name} is {score} (IoU {left.iou[best]:.2f}), {words}."
    if lost_at in (*DETECTION_FILTERS, MASK, MATCH):
        return f"{taken} As {case.name}: {_sentence(case, lost_at, min_score)}"
    return f"{taken} No box as {case.name} fits it."


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
    elsewhere = name == filters.DETECTION_NMS and case.counts_for_another(winner)
    return (
        f"Its best {_kind(name)} (IoU {left.iou[best]:.2f}, {word} {apart(left.score[best], score)}) was dropped by "
        f"NMS in favour of a box with {word} {apart(score, left.score[best])}: the two overlap by "
        f"{apart(nms.ious[lost], step.limit)}, more than {step.limit:g}, but that box overlaps the object by only "
        f"{below(case.steps[name].iou_of(winner))}{f' and finds another {case.name}' if elsewhere else ''}."
    )


def _winner(case: Case, name: str) -> int:
    """The box in whose favour NMS dropped its closest one."""
    left = case.before(name)
    nms = case.trace.rpn.nms if name == filters.RPN_NMS else case.trace.heads.nms
    return int(nms.by[nms.dropped == left.index[left.closest()]][0]) if name == filters.DETECTION_NMS else -1


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
    probabilities = case.trace.heads.probabilities[left.index[best] // (len(names) - 1)]
    rival = max((label for label in range(len(names)) if label != case.label), key=lambda label: probabilities[label])
    score, other = left.score[best], f"{probabilities[rival]:.2f}"
    limit, words = _limit(case, name, min_score)
    # Not only its own proposal may be of another class: so may a detection that is not shown, or finds another object.
    on_it = (d for d in case.lying if d.label != case.label and d.iou >= MATCH_IOU and d.score > score)
    if stronger := max(on_it, key=lambda detection: detection.score, default=None):
        finds = ", which finds another object" if stronger.finds >= 0 else ""
        return (
            f"Classified as {stronger.name} ({stronger.score:.2f}, IoU {stronger.iou:.2f}{finds}) rather than "
            f"{case.name} ({apart(score, limit)}, {words})."
        )
    if rival and probabilities[rival] > score:
        return f"Classified as {names[rival]} ({other}) rather than {case.name} ({apart(score, limit)}, {words})."
    return (
        f"Its best score as {case.name}, {apart(score, limit)} (IoU {left.iou[best]:.2f}), is {words}; {names[rival]} "
        f"has {other}."
    )


def _limit(case: Case, name: str, min_score: float) -> tuple[float, str]:
    """The score that is asked for, and "below ..." in words."""
    if name == SHOWN:
        return min_score, f"below {min_score:g}, from which on detections are shown"
    limit = case.filter(name).limit
    return limit, f"below detection_min_confidence {limit:g}"


def _wrong_mask(case: Case) -> str:
    left, masks = case.before(MASK), case.steps[MASK]
    best = left.closest()
    return (
        f"Its box was found (IoU {left.iou[best]:.2f}, score {left.score[best]:.2f}), but its mask overlaps the "
        f"object's by only {below(masks.iou_of(left.index[best]))}."
    )


def _taken(case: Case) -> str:
    """The sentence for an object whose best detection is matched to another object."""
    left = case.before(MATCH)
    best = left.closest()
    there = case.counts_for_another(left.index[best])
    which = f", which it overlaps by {there.iou_there:.2f}" if there else ""
    words = (
        f"Its best detection (IoU {left.iou[best]:.2f}, score {left.score[best]:.2f}) counts for another {case.name} "
        f"already{which}, and one detection finds one object."
    )
    before, nms = case.before(filters.DETECTION_NMS), case.trace.heads.nms
    dropped = np.isin(before.index, nms.dropped[nms.by == left.index[best]])
    closer = np.flatnonzero(dropped & (before.iou > case.steps[SHOWN].iou_of(left.index[best])))
    if len(closer):
        closest = closer[before.iou[closer].argmax()]
        words += (
            f" NMS had dropped a closer one (IoU {before.iou[closest]:.2f}, score {before.score[closest]:.2f}) in its "
            "favour."
        )
    return words


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


def below(iou: float) -> str:
    """An IoU with two decimals, or with as many as it takes to be seen to lie below `MATCH_IOU` if it does."""
    return apart(iou, MATCH_IOU) if iou < MATCH_IOU else f"{iou:.2f}"
