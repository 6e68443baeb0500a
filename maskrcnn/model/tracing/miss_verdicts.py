"""Verdicts: why a labelled object was found or missed, as a `Reason` and in one or two sentences with the numbers."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from maskrcnn.model.tracing import filters
from maskrcnn.model.tracing.object_candidates import (
    MASK,
    MATCH,
    SHOWN,
    ObjectCandidates,
    OverlappingDetection,
)
from maskrcnn.words import distinct_decimals, two_digits

Reason = Literal[
    "found",
    "counted for another",  # its detection is matched to another object, and a detection is matched to one object only
    "another class",  # a detection of another class overlaps it
    "too loose",  # a detection of its class overlaps it by less than 0.5
    "not shown",  # the score of its detection is below the minimum for being shown
    "low score",  # no box on it has a sufficient score for its class: the background or another class has a higher one
    "NMS",  # its last box was dropped in favour of a box that does not fit
    "limit",  # its last box was not among the limited number of best boxes
    "no box",  # no anchor or proposal fitted it, or the network moved them away
]

_FILTER_REASONS: dict[str, Reason] = {
    filters.PRE_NMS: "limit",
    filters.POST_NMS: "limit",
    filters.BEST: "limit",
    filters.RPN_NMS: "NMS",
    filters.DETECTION_NMS: "NMS",
    filters.OBJECTNESS: "low score",
    filters.SCORE: "low score",
}
"""Filter that dropped the last box of an object -> reason; "no box" for the others."""

_MATCHING_REASONS: dict[str, Reason] = {MATCH: "counted for another", MASK: "too loose", SHOWN: "not shown"}
"""Step after the filters of the network -> reason."""

DETECTION_FILTERS = (filters.BOX_CLIPPED, filters.BOX_TOO_SMALL, filters.DETECTION_NMS, filters.BEST)
"""Filters whose candidates the sentences call detections, with a score; others have proposals, with an objectness."""


def judge(obj: ObjectCandidates, lost_at: str, min_score: float) -> tuple[Reason, str]:
    """Why an object was missed (or found), as a reason and in a sentence.

    `lost_at`: the filter at which it was lost, "" for an object that was found; `min_score`: the minimum score of a
    detection that is shown. The reason is the first that applies:

    1. "another class": a detection of another class, with a higher score than the object's own best box, lies on the
       object, unless a detection of its own class that is matched to another object overlaps it by as much;
    2. the reason in `_MATCHING_REASONS`, if the object was lost after the filters of the network;
    3. "too loose": a detection of its own class overlaps it by too little;
    4. the reason in `_FILTER_REASONS`, or "no box".
    """
    if not lost_at:
        return "found", _found(obj)
    sentence, score = _filter_sentence(obj, lost_at, min_score), _own_score(obj, lost_at)
    if other := obj.detection_of_another_class(obj.min_iou, score):
        own_is_as_close = lost_at == MATCH and obj.left_before(MATCH).iou.max() >= other.iou
        if not own_is_as_close:
            return "another class", _another_class(obj, other, lost_at, min_score)
    if lost_at in _MATCHING_REASONS:
        return _MATCHING_REASONS[lost_at], sentence
    reason = _FILTER_REASONS.get(lost_at, "no box")
    loose = obj.detection_with_low_iou()
    # If NMS dropped its box in favour of the loose detection, "NMS" says more.
    if loose and not (lost_at == filters.DETECTION_NMS and _kept_by_nms(obj) == loose.candidate):
        return "too loose", f"Found too loosely: {_overlap_text(obj, loose)}, and {obj.min_iou:g} is needed. {sentence}"
    if also := obj.detection_of_another_class(0, score):
        sentence = f"{sentence} {_overlap_text(obj, also, 'A')}, too."
    return reason, sentence


def _own_score(obj: ObjectCandidates, lost_at: str) -> float:
    """The best score for the object's class among the boxes that fitted before the object was lost.

    0 if it was lost in the RPN or because the box head moved its boxes: these have no class score yet.
    """
    if lost_at not in (*DETECTION_FILTERS, filters.SCORE, SHOWN, MASK, MATCH):
        return 0
    left = obj.left_before(lost_at)
    return float(left.score[left.strongest()])


def _filter_sentence(obj: ObjectCandidates, lost_at: str, min_score: float) -> str:
    """The sentence about what the filter `lost_at` did to the last candidate of the object."""
    if lost_at == filters.DECODED:
        return _no_anchor(obj) if obj.anchor.iou < obj.min_iou else _moved_away(obj)
    if lost_at == filters.PRE_NMS:
        return _outranked_on_its_level(obj)
    if lost_at in (filters.CLIPPED, filters.BOX_CLIPPED):
        return _clipped(obj, lost_at)
    if lost_at in (filters.TOO_SMALL, filters.BOX_TOO_SMALL):
        return _too_small(obj, lost_at)
    if lost_at == filters.OBJECTNESS:
        return _low_objectness(obj)
    if lost_at in (filters.RPN_NMS, filters.DETECTION_NMS):
        return _suppressed(obj, lost_at)
    if lost_at in (filters.POST_NMS, filters.BEST):
        return _outranked(obj, lost_at)
    if lost_at == filters.REFINED:
        return _refined_away(obj)
    if lost_at in (filters.SCORE, SHOWN):
        return _low_score(obj, lost_at, min_score)
    return _wrong_mask(obj) if lost_at == MASK else _matched_to_another(obj)


def _found(obj: ObjectCandidates) -> str:
    """The sentence for an object that was found."""
    left = obj.steps[MATCH]
    return f"Found with IoU {left.iou[left.closest()]:.2f} and score {left.score[left.closest()]:.2f}."


def _overlap_text(obj: ObjectCandidates, detection: OverlappingDetection, article: str = "a") -> str:
    """A clause about a detection that overlaps the object: class, score and IoU."""
    iou = f"IoU {_iou_text(obj, detection.iou)}"
    if detection.box_iou is not None:  # masks decide about the match, but a person sees the boxes first
        iou = f"mask {iou} and box IoU {detection.box_iou:.2f}"
    return f"{article} detection as {detection.name} with score {detection.score:.2f} lies on it with {iou}"


def _another_class(obj: ObjectCandidates, other: OverlappingDetection, lost_at: str, min_score: float) -> str:
    """The sentences for an object with a detection of another class: about it, and about the object's own class."""
    taken = f"Taken for another class: {_overlap_text(obj, other)}."
    if lost_at in (filters.SCORE, SHOWN):
        left = obj.left_before(lost_at)
        best = left.strongest()
        limit, words = _score_limit(obj, lost_at, min_score)
        score = distinct_decimals(left.score[best], limit)
        return f"{taken} Its best score as {obj.name} is {score} (IoU {left.iou[best]:.2f}), {words}."
    if lost_at in (*DETECTION_FILTERS, MASK, MATCH):
        return f"{taken} As {obj.name}: {_filter_sentence(obj, lost_at, min_score)}"
    return f"{taken} No box as {obj.name} fits it."


# Filters of the RPN


def _no_anchor(obj: ObjectCandidates) -> str:
    """The sentence for an object that no anchor fits: too small, too large, or of another aspect ratio."""
    assert obj.trace.assignment is not None
    box, anchors = obj.trace.assignment.boxes[obj.number], obj.trace.rpn.all_anchors
    (side, ratio), (sides, ratios) = _side_and_ratio(box), _side_and_ratio(anchors)
    smallest, largest = sides.min(), sides.max()
    # How far the object is outside the range of the anchors: 1 is a factor of 2.
    size_gap = max(math.log2(smallest / side), math.log2(side / largest))
    ratio_gap = max(math.log2(ratios.min() / ratio), math.log2(ratio / ratios.max()))
    if max(size_gap, ratio_gap) < 0.01:
        nearest = np.array(anchors[obj.anchor.index])
        reason = f"the nearest is {_box_size_text(nearest)}, the object {_box_size_text(box)}"
    elif size_gap >= ratio_gap:
        word, bound = ("smallest", smallest) if side < smallest else ("largest", largest)
        reason = f"the {word} anchor is {bound:.0f} px, the object {side:.0f} px"
    else:
        low, high = ratios.min(), ratios.max()
        reason = (
            f"anchors are {two_digits(low)} to {two_digits(high)} times as high as wide, "
            f"the object {two_digits(float(ratio))} times"
        )
    return f"No anchor overlaps it by more than {obj.anchor.iou:.2f}: {reason} (in the resized picture)."


def _moved_away(obj: ObjectCandidates) -> str:
    """The sentence for an object whose best anchor fits, but not the box that the RPN makes of it."""
    decoded = obj.steps[filters.DECODED]
    objectness = decoded.score[obj.anchor.index]
    return (
        f"The RPN moved its best anchor (IoU {obj.anchor.iou:.2f}, objectness {objectness:.2f}) away from it, to IoU "
        f"{decoded.iou[obj.anchor.index]:.2f}; no other anchor came closer than {decoded.iou.max():.2f}."
    )


def _outranked_on_its_level(obj: ObjectCandidates) -> str:
    """The sentence for an object whose best proposal is not among the `pre_nms_limit` best ones of its level."""
    left, decoded = obj.left_before(filters.PRE_NMS), obj.filter_named(filters.DECODED)
    best = left.strongest()
    logits = np.concatenate([level.ravel() for level in obj.trace.rpn.objectness.values()])
    rivals = logits[decoded.groups == decoded.groups[best]]
    level = list(obj.trace.rpn.objectness)[decoded.groups[best]]
    return (
        f"Its best proposal (IoU {left.iou[best]:.2f}) is number {1 + np.count_nonzero(rivals > logits[best])} of "
        f"{len(rivals)} on {level} by objectness ({left.score[best]:.2f}), and only the best "
        f"{obj.filter_named(filters.PRE_NMS).limit} of each level go on (pre_nms_limit)."
    )


def _low_objectness(obj: ObjectCandidates) -> str:
    """The sentence for an object whose best proposal has an objectness below `rpn_min_score`."""
    left, limit = obj.left_before(filters.OBJECTNESS), obj.filter_named(filters.OBJECTNESS).limit
    best = left.strongest()
    objectness = distinct_decimals(left.score[best], limit)
    return (
        f"The objectness {objectness} of its best proposal (IoU {left.iou[best]:.2f}) is below rpn_min_score {limit:g}."
    )


# Filters that the RPN and the box head both have


def _clipped(obj: ObjectCandidates, name: str) -> str:
    """The sentence for an object whose best box no longer fits after it is clipped to the picture."""
    left, after = obj.left_before(name), obj.steps[name]
    best = left.closest()
    return (
        f"Its best {_candidate_noun(name)} (IoU {left.iou[best]:.2f}) was cut off at the edge of the picture and then "
        f"overlaps it by only {after.iou_of(left.index[best]):.2f}."
    )


def _too_small(obj: ObjectCandidates, name: str) -> str:
    """The sentence for an object whose best box has a side below the minimum."""
    left, step = obj.left_before(name), obj.filter_named(name)
    best = left.closest()
    candidates_before = obj.filter_named(left.filter)  # of all objects, with their boxes
    box = candidates_before.boxes[candidates_before.survivors == left.index[best]][0]
    return (
        f"Its best {_candidate_noun(name)} (IoU {left.iou[best]:.2f}) is {_box_size_text(box)}, and a side below "
        f"{step.limit:g} px is dropped."
    )


def _suppressed(obj: ObjectCandidates, name: str) -> str:
    """The sentence for an object whose closest box NMS dropped in favour of a box that does not fit."""
    left, step = obj.left_before(name), obj.filter_named(name)
    nms = obj.trace.rpn.nms if name == filters.RPN_NMS else obj.trace.heads.nms
    best = left.closest()
    row = np.flatnonzero(nms.dropped == left.index[best])[0]  # where `nms` has the closest box
    kept = nms.by[row]  # the candidate in favour of which it was dropped
    own_score, kept_score = left.score[best], step.scores[step.survivors == kept][0]
    word = _score_noun(name)
    is_matched = name == filters.DETECTION_NMS and obj.detection_matched_to_another(kept)
    other = f" and finds another {obj.name}" if is_matched else ""
    return (
        f"Its best {_candidate_noun(name)} (IoU {left.iou[best]:.2f}, {word} "
        f"{distinct_decimals(own_score, kept_score)}) was dropped by NMS in favour of a box with {word} "
        f"{distinct_decimals(kept_score, own_score)}: the two overlap by "
        f"{distinct_decimals(nms.ious[row], step.limit)}, more than {step.limit:g}, but that box overlaps the object "
        f"by only {_iou_text(obj, obj.steps[name].iou_of(kept))}{other}."
    )


def _kept_by_nms(obj: ObjectCandidates) -> int:
    """The number of the candidate that NMS of the detections kept when it dropped the closest one of the object."""
    left, nms = obj.left_before(filters.DETECTION_NMS), obj.trace.heads.nms
    closest = left.index[left.closest()]
    return int(nms.by[nms.dropped == closest][0])


def _outranked(obj: ObjectCandidates, name: str) -> str:
    """The sentence for an object whose best box has a rank below the limit of a filter that keeps the best boxes."""
    left, step = obj.left_before(name), obj.filter_named(name)
    best = left.strongest()
    candidates_before = obj.filter_named(left.filter)  # of all objects, best first
    rank = 1 + np.flatnonzero(candidates_before.survivors == left.index[best])[0]
    return (
        f"Its best {_candidate_noun(name)} (IoU {left.iou[best]:.2f}) is number {rank} of {candidates_before.count} by "
        f"{_score_noun(name)} ({left.score[best]:.2f}), and only the best {step.limit} go on ({step.knob})."
    )


# Filters of the box head, and those after it


def _refined_away(obj: ObjectCandidates) -> str:
    """The sentence for an object whose best proposal fits, but not the box that the box head makes of it."""
    left, refined = obj.left_before(filters.REFINED), obj.steps[filters.REFINED]
    best = left.closest()
    return (
        f"The box head moved its best proposal (IoU {left.iou[best]:.2f}) away from it: as {obj.name} it overlaps it "
        f"by {refined.iou[best]:.2f}."
    )


def _low_score(obj: ObjectCandidates, name: str, min_score: float) -> str:
    """The sentence for an object whose best box has a score for its class below the limit.

    It also names the rival: the class of a detection on the object with a higher score, or else the other class (or the
    background) with the highest probability in the same proposal.
    """
    left = obj.left_before(name)
    best = left.strongest()
    classes = obj.trace.config.names
    names = ("background", *classes)
    # The box head makes a candidate for each class from a proposal, so candidates k * classes to (k + 1) * classes - 1
    # are those of proposal k.
    proposal = left.index[best] // len(classes)
    probabilities = obj.trace.heads.probabilities[proposal]
    rival = max((label for label in range(len(names)) if label != obj.label), key=lambda label: probabilities[label])
    rival_score = f"{probabilities[rival]:.2f}"
    limit, words = _score_limit(obj, name, min_score)
    score = distinct_decimals(left.score[best], limit)
    # A detection of another class that is not shown or is matched to another object: `judge` does not name those.
    on_it = (d for d in obj.overlapping if d.label != obj.label and d.iou >= obj.min_iou and d.score > left.score[best])
    if stronger := max(on_it, key=lambda detection: detection.score, default=None):
        finds = ", which finds another object" if stronger.is_matched else ""
        return (
            f"Classified as {stronger.name} ({stronger.score:.2f}, IoU {stronger.iou:.2f}{finds}) rather than "
            f"{obj.name} ({score}, {words})."
        )
    rival_is_background = rival == 0
    if not rival_is_background and probabilities[rival] > left.score[best]:
        return f"Classified as {names[rival]} ({rival_score}) rather than {obj.name} ({score}, {words})."
    return (
        f"Its best score as {obj.name}, {score} (IoU {left.iou[best]:.2f}), is {words}; {names[rival]} has "
        f"{rival_score}."
    )


def _score_limit(obj: ObjectCandidates, name: str, min_score: float) -> tuple[float, str]:
    """The minimum score that the filter `name` asks for, and the clause "below ..." about it."""
    if name == SHOWN:
        return min_score, f"below {min_score:g}, from which on detections are shown"
    limit = obj.filter_named(name).limit
    return limit, f"below detection_min_confidence {limit:g}"


def _wrong_mask(obj: ObjectCandidates) -> str:
    """The sentence for an object whose box was found, but with a mask that does not fit."""
    left, masks = obj.left_before(MASK), obj.steps[MASK]
    best = left.closest()
    return (
        f"Its box was found (IoU {left.iou[best]:.2f}, score {left.score[best]:.2f}), but its mask overlaps the "
        f"object's by only {_iou_text(obj, masks.iou_of(left.index[best]))}."
    )


def _matched_to_another(obj: ObjectCandidates) -> str:
    """The sentences for an object whose best detection is matched to another object."""
    left = obj.left_before(MATCH)
    best = left.closest()
    detection = obj.detection_matched_to_another(left.index[best])
    which = f", which it overlaps by {detection.matched_iou:.2f}" if detection else ""
    words = (
        f"Its best detection (IoU {left.iou[best]:.2f}, score {left.score[best]:.2f}) counts for another {obj.name} "
        f"already{which}, and one detection finds one object."
    )
    # Candidates of the object that NMS dropped in favour of this detection, but whose boxes overlap the object by more.
    before, nms = obj.left_before(filters.DETECTION_NMS), obj.trace.heads.nms
    was_dropped = np.isin(before.index, nms.dropped_for(left.index[best])[0])
    box_iou = obj.steps[SHOWN].iou_of(left.index[best])
    closer = np.flatnonzero(was_dropped & (before.iou > box_iou))
    if len(closer):
        closest = closer[before.iou[closer].argmax()]
        words += (
            f" NMS had dropped a closer one (IoU {before.iou[closest]:.2f}, score {before.score[closest]:.2f}) in its "
            "favour."
        )
    return words


# Words and numbers in the sentences


def _candidate_noun(name: str) -> str:
    """What a verdict calls the candidates of a filter: "detection" or "proposal"."""
    return "detection" if name in DETECTION_FILTERS else "proposal"


def _score_noun(name: str) -> str:
    """What a verdict calls the scores of a filter's candidates: "score" or "objectness"."""
    return "score" if name in DETECTION_FILTERS else "objectness"


def _side_and_ratio(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return for anchors or objects, xyxy `(..., 4)`: the side of a square of the same area, and height / width."""
    width, height = boxes[..., 2] - boxes[..., 0], boxes[..., 3] - boxes[..., 1]
    return np.sqrt(width * height), height / width


def _box_size_text(box: np.ndarray) -> str:
    """Width and height of an xyxy box as text, such as `4.5 × 128 px`."""
    return f"{two_digits(box[2] - box[0])} × {two_digits(box[3] - box[1])} px"


def _iou_text(obj: ObjectCandidates, iou: float) -> str:
    """An IoU with two decimals; below the minimum IoU with as many as needed to show that it is below."""
    return distinct_decimals(iou, obj.min_iou) if iou < obj.min_iou else f"{iou:.2f}"
