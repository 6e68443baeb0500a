"""The object of a link, with what the project has at its place today."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maskrcnn.annotations.hints.detection_outline import detection_keypoints, detection_shape
from maskrcnn.annotations.regions import Region
from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.annotations.store.label_review.decisions import Box
from maskrcnn.errors import StudioError
from maskrcnn.studio.annotate.json_routes import for_browser
from maskrcnn.studio.annotate.review import run_objects
from maskrcnn.studio.annotate.review.object_links import ObjectLink, RunEpoch
from maskrcnn.studio.annotate.review.run_objects import Code, Entry, PictureRegions
from maskrcnn.studio.runs.labels_and_detections import pictures_with_detections
from maskrcnn.words import one_line

SAME_OBJECT = 0.5
"""IoU of a label of the run and a region of the project from which they are the same object."""

BELOW = 0.3
"""IoU of a detection and a region from which the region lies below it, and can be mended by it."""


@dataclass(frozen=True)
class LinkedObject:
    """An object of a run in a picture of the project.

    `found` is the outline of a detection as a region, None for a label. `label` is the region of the project that is
    the label; `below` are the regions below a detection with their IoU, the highest first.
    """

    link: ObjectLink
    picture: StoredImage
    class_name: str
    score: float | None
    box: Box
    found: Region | None
    label: Region | None
    below: tuple[tuple[Region, float], ...]

    @property
    def words(self) -> str:
        """One line for a person."""
        run, epoch, name = self.link.of.run.name, self.link.of.epoch, self.class_name
        if self.found is not None:
            return one_line(f"found by {run}, epoch {epoch}, as {name}, score {self.score:.2f}")
        if self.label is None:
            return one_line(f"the label “{name}” of {run} is not there any more: no region lies where it was")
        now = self.label.class_name
        changed = "" if now == name else f", now “{now or 'no class'}”"
        return one_line(f"label “{name}” of {run}, epoch {epoch}{changed}")

    def to_json(self) -> dict[str, Any]:
        """Return the values for the browser."""
        return {
            "which": self.link.which,
            "run": self.link.of.run.name,
            "epoch": self.link.of.epoch,
            "picture": self.picture.id,
            "name": self.picture.file_name,
            "class_name": self.class_name,
            "score": self.score,
            "box": self.box,
            "found": self.found and for_browser(self.found),
            "label": self.label and self.label.id,
            "below": [{"id": region.id, "iou": round(iou, 4)} for region, iou in self.below],
            "words": self.words,
        }


def linked_object(project: Project, link: ObjectLink) -> LinkedObject:
    """Return the object of a link. Raises `StudioError` if the run has none, or its picture is not in the project."""
    entry = entry_of(link)
    image = run_objects.run_picture(link.of, entry["image_id"])
    picture = run_objects.stored_pictures(project, link.of).get(image["id"])
    if picture is None:
        name = one_line(str(image["file_name"]))
        raise StudioError(
            f"{name}, in which {link.of.run.name} has this object, is no picture of this project; import it first"
        )
    name = present_class(project, link.of, entry)
    code, box = run_objects.mask_of(entry, image), run_objects.box_of(entry, image)
    regions = PictureRegions(project.regions(picture.id)[0], image["height"], image["width"])
    label: Region | None = None
    below: tuple[tuple[Region, float], ...] = ()
    found: Region | None = None
    score: float | None = None
    if link.which == "truth":
        best = regions.best(code, name, SAME_OBJECT)
        label = best and best[0]
    else:
        below = tuple(pair for pair in regions.overlaps(code) if pair[1] >= BELOW)
        score = float(entry["score"])
        found = _region(entry, code, box, name, score, link.number)
        if found is None:
            raise StudioError(f"detection {link.number} of {link.of.run.name} has no pixel; choose another one")
    return LinkedObject(link, picture, name, score, box, found, label, below)


def entry_of(link: ObjectLink) -> Entry:
    """Return the annotation or the detection of a link. Raises `StudioError` if the run has none."""
    of = link.of
    if link.which == "found":
        detections = run_objects.saved_detections(of)
        if 0 <= link.number < len(detections):
            return detections[link.number]
        raise StudioError(f"{of.run.name} has no detection {link.number} in epoch {of.epoch}; choose another one")
    return label_entry(of, link.number)


def label_entry(of: RunEpoch, number: int) -> Entry:
    """Return the annotation of this id. Raises `StudioError` if the run has none."""
    for annotation in pictures_with_detections(of.run)["annotations"]:
        if annotation["id"] == number:
            entry: Entry = annotation
            return entry
    raise StudioError(f"{of.run.name} has no label {number}; choose another one")


def present_class(project: Project, of: RunEpoch, entry: Entry) -> str:
    """Return the class of a label or a detection by its present name in the project."""
    name = run_objects.category_names(of).get(entry["category_id"], f"class {entry['category_id']}")
    return project.renamed_classes().get(name, name)


def _region(entry: Entry, code: Code, box: Box, name: str, score: float, position: int) -> Region | None:
    """Return the outline of a detection as a region of a network."""
    if (shape := detection_shape({"bbox": box, "segmentation": code if entry.get("segmentation") else None})) is None:
        return None
    keypoints = detection_keypoints(entry) if entry.get("keypoints") else None
    return Region(shape, name, source="model", score=round(score, 4), keypoints=keypoints, id=f"found-{position}")
