"""The suspected label errors of a project, from the detections of a run: what a person is still to be asked.

The suspicions come from `evaluation.label_errors`, which compares detections with the labels of the run. Here they are
compared with the project of today: a place that was decided is not asked again, and a label that was changed since the
run is not shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.store import LabelDecision, Project, StoredImage
from maskrcnn.annotations.store.label_review.decisions import SAME_PLACE, Box, box_iou
from maskrcnn.studio.annotate.review import linked_object, run_objects
from maskrcnn.studio.annotate.review.object_links import RunEpoch
from maskrcnn.studio.annotate.review.run_objects import Entry, PictureRegions
from maskrcnn.studio.runs.labels_and_detections import detection_stamps, pictures_with_detections

if TYPE_CHECKING:
    from maskrcnn.evaluation.label_errors import Candidate

MOST_EPOCHS = 5
"""Number of epochs that are compared: the one of the link and the ones before."""

MOST_SHOWN = 1000
"""Maximum number of suspicions in a walk; the weakest are left out."""

UNCHANGED = 0.95
"""IoU of a label of the run and a region of the same class from which the region was not changed since the run."""


@dataclass(frozen=True)
class Suspicion:
    """A suspected label error at a place of a picture of the project.

    `found` is the position of the detection, `label` the annotation id, either may be missing; `decision` is what was
    decided about the place, None if it is still to be asked.
    """

    kind: str
    picture: StoredImage
    class_name: str
    found_class: str | None
    score: float
    box: Box
    why: str
    found: int | None
    label: int | None
    decision: LabelDecision | None

    def to_json(self) -> dict[str, Any]:
        """Return the values for the browser."""
        decided = self.decision and {"id": self.decision.id, "decision": self.decision.decision}
        return {
            "kind": self.kind,
            "picture": self.picture.id,
            "name": self.picture.file_name,
            "class_name": self.class_name,
            "found_class": self.found_class,
            "score": self.score,
            "box": self.box,
            "why": self.why,
            "found": self.found,
            "label": self.label,
            "decided": decided,
        }


def suspicions(project: Project, of: RunEpoch, candidates: Sequence[Candidate] | None = None) -> list[Suspicion]:
    """Return the suspicions that were decided or are still to be asked, the strongest first.

    `candidates` are those of `evaluation.label_errors`; None computes them from the run. Left out are those in pictures
    that the project does not have, whose label was changed since the run, and that are the same as an earlier one.
    """
    if candidates is None:
        candidates = engine_candidates(of)
    images = pictures_with_detections(of.run)["images"]
    stored = run_objects.stored_pictures(project, of)
    decisions, renamed = project.label_decisions(), project.renamed_classes()
    today = _LabelsToday(project, of, renamed)
    kept: list[Suspicion] = []
    by_picture: dict[int, list[Suspicion]] = {}
    for candidate in candidates:
        picture = stored.get(images[candidate.picture]["id"])
        if picture is None:
            continue
        suspicion = _suspicion(candidate, picture, decisions, renamed)
        others = by_picture.setdefault(picture.id, [])
        if any(_is_same(suspicion, other) for other in others):
            continue
        if suspicion.decision is None and today.have_changed(suspicion):
            continue
        kept.append(suspicion)
        others.append(suspicion)
        if len(kept) == MOST_SHOWN:
            break
    return kept


def engine_candidates(of: RunEpoch) -> Sequence[Candidate]:
    """Return the suspected label errors of an epoch, worst first, computed once for each state of the files.

    The epoch is compared with up to `MOST_EPOCHS` - 1 epochs before it. Raises `StudioError` if a file of the run
    cannot be read.
    """
    epochs = [epoch for epoch in of.run.detection_epochs() if epoch <= of.epoch][-MOST_EPOCHS:]
    stamps = tuple(detection_stamps(of.run, epoch) for epoch in epochs)
    return _computed(of, tuple(epochs), stamps)


@lru_cache(maxsize=4)
def _computed(of: RunEpoch, epochs: tuple[int, ...], _stamps: tuple[tuple[int, ...], ...]) -> Sequence[Candidate]:
    from maskrcnn.evaluation import measure
    from maskrcnn.evaluation.label_errors import label_error_candidates

    truth, tasks = pictures_with_detections(of.run), of.run.config().tasks
    measured = [measure(truth, of.run.detections(epoch), tasks=tasks) for epoch in epochs]
    return tuple(label_error_candidates(measured))


def _suspicion(
    candidate: Candidate, picture: StoredImage, decisions: Sequence[LabelDecision], renamed: dict[str, str]
) -> Suspicion:
    """Return a candidate with the present names of its classes, and what was decided about its place."""
    name = renamed.get(candidate.class_name, candidate.class_name)
    found_class = candidate.found_class
    x, y, width, height = (float(side) for side in candidate.box)
    box = (x, y, width, height)
    decided = next(
        (
            decision
            for decision in decisions
            if decision.is_about(picture.id, candidate.kind, box)
            and renamed.get(decision.class_name, decision.class_name) == name
        ),
        None,
    )
    return Suspicion(
        candidate.kind,
        picture,
        name,
        None if found_class is None else renamed.get(found_class, found_class),
        float(candidate.score),
        box,
        candidate.why,
        candidate.position,
        None if candidate.annotation_id is None else int(candidate.annotation_id),
        decided,
    )


def _is_same(one: Suspicion, other: Suspicion) -> bool:
    same = (one.kind, one.class_name) == (other.kind, other.class_name)
    return same and box_iou(one.box, other.box) >= SAME_PLACE


class _LabelsToday:
    """The labels of the project beside those of the run. The regions of a picture are read once."""

    def __init__(self, project: Project, of: RunEpoch, renamed: Mapping[str, str]) -> None:
        document = pictures_with_detections(of.run)
        self._project, self._of = project, of
        self._images = {image["id"]: image for image in document["images"]}
        self._labels = {annotation["id"]: annotation for annotation in document["annotations"]}
        names = run_objects.category_names(of)
        self._names = {number: renamed.get(name, name) for number, name in names.items()}
        self._regions: dict[int, PictureRegions] = {}

    def have_changed(self, suspicion: Suspicion) -> bool:
        """Whether somebody changed what is suspected since the run.

        A label was changed if no region of its class lies exactly where it lay; of two labels on one object, if there
        is only one left. An object without a label has one if a region of any class lies there now.
        """
        if suspicion.label is not None and (label := self._labels.get(suspicion.label)) is not None:
            name = self._names.get(label["category_id"])
            near = self._near(suspicion, label)
            if suspicion.kind == "double" and sum(iou >= linked_object.BELOW for _, iou in near) < 2:
                return True
            return not any(iou >= UNCHANGED and region.class_name == name for region, iou in near)
        if suspicion.found is not None:
            found = run_objects.saved_detections(self._of)[suspicion.found]
            return any(iou >= linked_object.SAME_OBJECT for _, iou in self._near(suspicion, found))
        return False

    def _near(self, suspicion: Suspicion, entry: Entry) -> list[tuple[Region, float]]:
        """Return the regions of today that overlap a label or a detection of the run, with their IoU."""
        image, picture = self._images[entry["image_id"]], suspicion.picture.id
        if picture not in self._regions:
            regions = self._project.regions(picture)[0]
            self._regions[picture] = PictureRegions(regions, image["height"], image["width"])
        return self._regions[picture].overlaps(run_objects.mask_of(entry, image))
