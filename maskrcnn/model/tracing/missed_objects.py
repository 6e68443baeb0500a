"""The story of each labelled object of a traced picture: whether it was found, and if not, why it was missed.

```python
for story in explain(trace(model, picture, {"boxes": boxes, "labels": labels})):
    print(story.name, story.lost_at, story.verdict)
```

A candidate belongs to an object if their IoU is at least 0.5, or another minimum that is asked for; a detection must
also have the right class. The object is lost at the filter after which it has no candidate any more. A verdict first
names what a person sees on the object: a detection of another class, a detection with a low IoU, or a detection that is
matched to another object. Then it names what the filter did.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torchvision.ops import box_iou

from maskrcnn.errors import StudioError
from maskrcnn.model.tracing.assignment import Assignment
from maskrcnn.model.tracing.filters import Filter
from maskrcnn.model.tracing.miss_verdicts import Reason, judge
from maskrcnn.model.tracing.object_candidates import (
    MASK,
    MATCH,
    MATCH_IOU,
    NEAR_IOU,
    SHOWN,
    BestAnchor,
    CandidateSummary,
    FilterCandidates,
    ObjectCandidates,
    OverlappingDetection,
)
from maskrcnn.model.tracing.trace import Trace


@dataclass(frozen=True)
class ObjectStory:
    """How one labelled object was found or missed.

    `number`: its index among the targets; `label`, `name`: its class; `box`: xyxy in pixels of the picture; `anchor`:
    the anchor that overlaps it best. `proposals`: its candidates after each filter of the RPN. `detections`: its
    candidates after each filter of the box head, and then after

    - "shown": the detections with a score of at least `min_score`,
    - "mask" (if masks are known): the same detections, with the IoU of masks,
    - "match": the detections that are not matched to another object by COCO's greedy rule.

    `found`: whether it was found. `lost_at`: the name of the filter, or of one of these three steps, after which no
    candidate was left; "" if it was found. `reason`: why it was missed (see `miss_verdicts.Reason`). `verdict`: the
    same in one or two sentences with the numbers.
    """

    number: int
    label: int
    name: str
    box: tuple[float, ...]
    anchor: BestAnchor
    proposals: tuple[CandidateSummary, ...]
    detections: tuple[CandidateSummary, ...]
    found: bool
    lost_at: str
    reason: Reason
    verdict: str


def explain(trace: Trace, min_score: float = 0.0, iou: float = MATCH_IOU) -> list[ObjectStory]:
    """One story for each object in the targets of the trace, in their order.

    `min_score`: detections with a lower score are not shown, so an object without another detection is missed.
    `iou`: from which IoU on a box or mask belongs to an object. Raises `StudioError` if the trace has no targets.

    `docs/python.md` has an example.
    """
    if trace.assignment is None:
        raise StudioError("explain: the trace knows no objects; give trace() their boxes and labels as targets")
    truth, objects = trace.assignment.truth, trace.assignment.boxes
    anchor_ious = _box_ious(trace.rpn.all_anchors, objects)
    proposal_ious = [_box_ious(step.boxes, objects) for step in trace.rpn.filters]
    detection_ious = [_box_ious(step.boxes, objects) for step in trace.heads.filters]
    overlap, matched = _overlaps_and_matches(trace, trace.assignment, detection_ious[-1], min_score, iou)
    steps_after_detection = _candidates_after_detection(
        trace, trace.assignment, detection_ious[-1], overlap, matched, min_score, iou
    )
    stories = []
    for number, label in enumerate(truth.labels.tolist()):
        best = int(anchor_ious[:, number].argmax())
        level, *_ = trace.rpn.place(best)
        anchor = BestAnchor(
            index=best,
            level=level,
            iou=float(anchor_ious[best, number]),
            label=int(trace.assignment.anchor_labels[best]),
        )
        proposals = [
            _candidates_after(step, ious[:, number], iou)
            for step, ious in zip(trace.rpn.filters, proposal_ious, strict=True)
        ]
        detections = [
            _candidates_after(step, ious[:, number], iou, step.groups == label)
            for step, ious in zip(trace.heads.filters, detection_ious, strict=True)
        ]
        detections += [candidates[number] for candidates in steps_after_detection]
        steps = {step.filter: step for step in proposals + detections}
        overlapping = _overlapping_detections(trace, overlap, detection_ious[-1], matched, number, min_score, iou)
        obj = ObjectCandidates(trace, number, label, trace.config.names[label - 1], anchor, steps, overlapping, iou)
        lost_at = obj.lost_at()
        reason, words = judge(obj, lost_at, min_score)
        stories.append(
            ObjectStory(
                number=number,
                label=label,
                name=obj.name,
                box=tuple(truth.boxes[number].tolist()),
                anchor=anchor,
                proposals=tuple(step.summary() for step in proposals),
                detections=tuple(step.summary() for step in detections),
                found=not lost_at,
                lost_at=lost_at,
                reason=reason,
                verdict=words,
            )
        )
    return stories


def _box_ious(boxes: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """IoU of `boxes (S, 4)` with labelled `objects (N, 4)`, all xyxy: `(S, N)` float32; 0 if both have no area."""
    return box_iou(torch.from_numpy(boxes), torch.from_numpy(objects)).nan_to_num(0).numpy()


def _candidates_after(
    step: Filter, overlap: np.ndarray, iou: float, chosen: np.ndarray | slice = slice(None)
) -> FilterCandidates:
    """The candidates that survived a filter, with their IoU `overlap (S,)`; `chosen` selects those of one class."""
    return FilterCandidates(step.name, step.survivors[chosen], overlap[chosen], step.scores[chosen], iou)


def _overlaps_and_matches(
    trace: Trace, assignment: Assignment, boxes: np.ndarray, min_score: float, iou: float
) -> tuple[np.ndarray, np.ndarray]:
    """The IoU of D detections with N objects, of any class, and the matches, which tell found from missed objects.

    `boxes (D, N)`: IoU of the boxes. Returns `(D, N)` float32, the IoU of the masks if they are known, else of the
    boxes; and the matches, bool `(D, N)`.
    """
    truth, found = assignment.truth, trace.detections
    overlap = boxes
    if truth.masks is not None and found.soft_masks is not None:
        overlap = _mask_ious(trace, truth.masks, boxes > 0)
    return overlap, _greedy_matches(np.where(_can_match(trace, assignment, min_score), overlap, 0), iou)


def _can_match(trace: Trace, assignment: Assignment, min_score: float) -> np.ndarray:
    """Which detection can be matched to which object: bool `(D, N)`, True if it is shown and has the object's class."""
    found = trace.detections
    return (found.scores >= min_score)[:, None] & (found.labels[:, None] == assignment.truth.labels)


def _overlapping_detections(
    trace: Trace, overlap: np.ndarray, boxes: np.ndarray, matched: np.ndarray, number: int, min_score: float, iou: float
) -> tuple[OverlappingDetection, ...]:
    """The detections that overlap object `number` by at least `NEAR_IOU` (or `iou`, if lower), closest first.

    `overlap (D, N)`: IoU of masks if they are known, else the array `boxes`; `boxes (D, N)`: IoU of boxes; `matched (D,
    N)`: which detection is matched to which object.
    """
    found, candidates = trace.detections, trace.heads.filters[-1].survivors
    near = np.flatnonzero(overlap[:, number] >= min(NEAR_IOU, iou))
    overlapping = []
    for place in near[np.argsort(-overlap[near, number], kind="stable")].tolist():
        is_matched = bool(matched[place].any())
        matched_object = int(matched[place].argmax()) if is_matched else -1
        label, score = int(found.labels[place]), float(found.scores[place])
        overlapping.append(
            OverlappingDetection(
                candidate=int(candidates[place]),
                label=label,
                name=trace.config.names[label - 1],
                score=score,
                iou=float(overlap[place, number]),
                box_iou=None if overlap is boxes else float(boxes[place, number]),
                shown=score >= min_score,
                matched_object=matched_object,
                matched_iou=float(overlap[place, matched_object]) if is_matched else 0.0,
            )
        )
    return tuple(overlapping)


def _candidates_after_detection(
    trace: Trace,
    assignment: Assignment,
    boxes: np.ndarray,
    overlap: np.ndarray,
    matched: np.ndarray,
    min_score: float,
    iou: float,
) -> list[list[FilterCandidates]]:
    """The candidates of each object after the steps "shown", "mask" and "match": a list for each step.

    `boxes (D, N)`: IoU of boxes; `overlap (D, N)`: IoU of masks if they are known; `matched (D, N)`: which detection is
    matched to which object.
    """
    truth, found = assignment.truth, trace.detections
    candidates = trace.heads.filters[-1].survivors
    can_match = _can_match(trace, assignment, min_score)

    def of_each_object(name: str, left: np.ndarray, ious: np.ndarray) -> list[FilterCandidates]:
        columns = zip(left.T, ious.T, strict=True)
        return [FilterCandidates(name, candidates[own], values[own], found.scores[own], iou) for own, values in columns]

    steps = [of_each_object(SHOWN, can_match, boxes)]
    if truth.masks is not None and found.soft_masks is not None:
        steps.append(of_each_object(MASK, can_match, overlap))
    steps.append(of_each_object(MATCH, matched, overlap))
    return steps


def _mask_ious(trace: Trace, masks: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """IoU of the detections' pasted masks with the objects' `masks (N, H, W)`: `(D, N)` float32.

    It is computed only for the pairs in `wanted (D, N)`; for others it is 0.
    """
    areas = masks.reshape(len(masks), -1).sum(axis=1).tolist()
    found = np.zeros(wanted.shape, np.float32)
    for detection in np.flatnonzero(wanted.any(axis=1)).tolist():
        pasted = trace.pasted_mask(detection)
        area = int(pasted.sum())
        for number in np.flatnonzero(wanted[detection]).tolist():
            common = int((pasted & masks[number]).sum())
            found[detection, number] = common / max(area + areas[number] - common, 1)
    return found


def _greedy_matches(overlap: np.ndarray, iou: float) -> np.ndarray:
    """Which detection is matched to which object, bool `(D, N)`, from their IoU `overlap (D, N)`.

    In the order of their scores, each detection is matched to the unmatched object with the largest IoU of at least
    `iou`; of two objects with the same IoU to the later one (as `evaluation.matching` does).
    """
    matched = np.zeros(overlap.shape, bool)
    for detection, values in enumerate(overlap):
        free = np.where(matched.any(axis=0), 0, values)
        if free.max(initial=0) >= iou:
            matched[detection, len(free) - 1 - free[::-1].argmax()] = True
    return matched
