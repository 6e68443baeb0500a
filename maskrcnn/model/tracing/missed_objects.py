"""Why each labelled object of a traced picture was found or missed: the filter that dropped its last candidate, and the
detections that overlap it.

```python
for story in explain(trace(model, picture, {"boxes": boxes, "labels": labels})):
    print(story.name, story.lost_at, story.verdict)
```

A candidate belongs to an object if their IoU is at least 0.5; for detections the class has to be right too. The object
is lost at the first filter after which it has no candidate. A verdict first names what a person sees on the object: a
detection of another class, one with a low IoU, or one that is matched to another object; then the filter.
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
    """What became of one labelled object.

    `number`: which of the targets; `label`, `name`: its class; `box`: xyxy in pixels of the picture; `anchor`: its best
    one. `proposals`: its standing after each filter of the RPN. `detections`: after each of the box head, and then

    - "shown": among detections from `min_score` on,
    - "mask" (where masks are known): the same, by the IoU of masks,
    - "match": among those that are not taken by another object, by COCO's greedy rule.

    `found`, or else `lost_at`: the name of the filter, or one of these three, after which no candidate was left.
    `reason`: why it was missed, in a word (see `miss_verdicts.Reason`). `verdict`: the same in words with the numbers.
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


def explain(trace: Trace, min_score: float = 0.0) -> list[ObjectStory]:
    """One story for each object that the trace was given, in their order.

    `min_score`: detections below are not shown, so an object that has no other is lost. Raises `StudioError` where the
    trace has no ground truth.

    `docs/python.md` has an example.
    """
    if trace.assignment is None:
        raise StudioError("explain: the trace knows no objects; give trace() their boxes and labels as targets")
    truth, objects = trace.assignment.truth, trace.assignment.boxes
    anchor_ious = ious(trace.rpn.all_anchors, objects)
    proposal_ious = [ious(step.boxes, objects) for step in trace.rpn.filters]
    detection_ious = [ious(step.boxes, objects) for step in trace.heads.filters]
    on_objects, matched = _overlaps_and_matches(trace, trace.assignment, detection_ious[-1], min_score)
    endings = _shown_mask_and_match(trace, trace.assignment, detection_ious[-1], on_objects, matched, min_score)
    stories = []
    for number, label in enumerate(truth.labels.tolist()):
        best = int(anchor_ious[:, number].argmax())
        level, taught = trace.rpn.place(best)[0], int(trace.assignment.anchor_labels[best])
        anchor = BestAnchor(best, level, float(anchor_ious[best, number]), taught)
        proposals = [
            _candidates_after(step, overlap[:, number])
            for step, overlap in zip(trace.rpn.filters, proposal_ious, strict=True)
        ]
        detections = [
            _candidates_after(step, overlap[:, number], step.groups == label)
            for step, overlap in zip(trace.heads.filters, detection_ious, strict=True)
        ]
        detections += [ending[number] for ending in endings]
        steps = {step.filter: step for step in proposals + detections}
        overlapping = _overlapping_detections(trace, on_objects, detection_ious[-1], matched, number, min_score)
        case = ObjectCandidates(trace, number, label, trace.config.names[label - 1], anchor, steps, overlapping)
        lost_at = case.lost_at()
        reason, words = judge(case, lost_at, min_score)
        stories.append(
            ObjectStory(
                number=number,
                label=label,
                name=case.name,
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


def ious(boxes: np.ndarray, objects: np.ndarray) -> np.ndarray:
    """IoU of xyxy `boxes (S, 4)` with `objects (N, 4)`: `(S, N)` float32, 0 for two boxes without area."""
    return box_iou(torch.from_numpy(boxes), torch.from_numpy(objects)).nan_to_num(0).numpy()


def _candidates_after(step: Filter, overlap: np.ndarray, chosen: np.ndarray | slice = slice(None)) -> FilterCandidates:
    return FilterCandidates(step.name, step.survivors[chosen], overlap[chosen], step.scores[chosen])


def _overlaps_and_matches(
    trace: Trace, assignment: Assignment, boxes: np.ndarray, min_score: float
) -> tuple[np.ndarray, np.ndarray]:
    """How far each detection lies on each object, whatever its class, and which finds which.

    `boxes (D, N)`: IoU of the boxes. Returns `(D, N)` float32, the IoU of the masks where they are known, else of the
    boxes; and bool `(D, N)`.
    """
    truth, found = assignment.truth, trace.detections
    overlap = boxes
    if truth.masks is not None and found.soft_masks is not None:
        overlap = _mask_ious(trace, truth.masks, boxes > 0)
    return overlap, _greedy_matches(np.where(_could_match(trace, assignment, min_score), overlap, 0))


def _could_match(trace: Trace, assignment: Assignment, min_score: float) -> np.ndarray:
    """Which detection could find which object: bool `(D, N)`, where it is shown and the class is right."""
    found = trace.detections
    return (found.scores >= min_score)[:, None] & (found.labels[:, None] == assignment.truth.labels)


def _overlapping_detections(
    trace: Trace, overlap: np.ndarray, boxes: np.ndarray, matched: np.ndarray, number: int, min_score: float
) -> tuple[OverlappingDetection, ...]:
    """The detections that lie on object `number`, closest first. `(D, N)`: IoU of masks where they are known, IoU of
    boxes (the same array where they are not), and which finds which."""
    found, candidates = trace.detections, trace.heads.filters[-1].survivors
    near = np.flatnonzero(overlap[:, number] >= NEAR_IOU)
    overlapping = []
    for place in near[np.argsort(-overlap[near, number], kind="stable")].tolist():
        finds = int(matched[place].argmax()) if matched[place].any() else -1
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
                finds=finds,
                iou_there=float(overlap[place, finds]) if finds >= 0 else 0.0,
            )
        )
    return tuple(overlapping)


def _shown_mask_and_match(
    trace: Trace, assignment: Assignment, boxes: np.ndarray, overlap: np.ndarray, matched: np.ndarray, min_score: float
) -> list[list[FilterCandidates]]:
    """What is left for each object at "shown", "mask" and "match". `(D, N)`: IoU of the boxes, IoU of masks where they
    are known, and which finds which."""
    truth, found = assignment.truth, trace.detections
    candidates = trace.heads.filters[-1].survivors
    right = _could_match(trace, assignment, min_score)

    def ending(name: str, left: np.ndarray, ious: np.ndarray) -> list[FilterCandidates]:
        columns = zip(left.T, ious.T, strict=True)
        return [FilterCandidates(name, candidates[own], values[own], found.scores[own]) for own, values in columns]

    endings = [ending(SHOWN, right, boxes)]
    if truth.masks is not None and found.soft_masks is not None:
        endings.append(ending(MASK, right, overlap))
    endings.append(ending(MATCH, matched, overlap))
    return endings


def _mask_ious(trace: Trace, masks: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """IoU of the pasted masks with the objects' `masks (N, H, W)`: `(D, N)` float32, 0 where not `wanted (D, N)`."""
    areas = masks.reshape(len(masks), -1).sum(axis=1).tolist()
    found = np.zeros(wanted.shape, np.float32)
    for detection in np.flatnonzero(wanted.any(axis=1)).tolist():
        pasted = trace.pasted_mask(detection)
        area = int(pasted.sum())
        for number in np.flatnonzero(wanted[detection]).tolist():
            common = int((pasted & masks[number]).sum())
            found[detection, number] = common / max(area + areas[number] - common, 1)
    return found


def _greedy_matches(overlap: np.ndarray) -> np.ndarray:
    """Which detection finds which object, bool `(D, N)`: from the best score down, each takes the free object that it
    overlaps best, the later one of two that it overlaps alike (as `evaluation.matching` does)."""
    matched = np.zeros(overlap.shape, bool)
    for detection, values in enumerate(overlap):
        free = np.where(matched.any(axis=0), 0, values)
        if free.max(initial=0) >= MATCH_IOU:
            matched[detection, len(free) - 1 - free[::-1].argmax()] = True
    return matched
