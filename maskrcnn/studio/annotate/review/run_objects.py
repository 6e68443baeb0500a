"""The labels and detections of a run's epoch, as shapes in the pictures of the project.

A run names its pictures by the path of the file. Its labels are those of the time of the training; `LabelMatches`
compares them with the regions that the project has today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import Rect, Region, Shape
from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.errors import StudioError
from maskrcnn.evaluation.coco_documents import encode_rle
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.annotate.review.object_links import RunEpoch
from maskrcnn.studio.runs.labels_and_detections import detection_stamps, pictures_with_detections

Entry = Mapping[str, Any]
"""A picture, an annotation or a detection in COCO's format."""

Code = dict[str, Any]
"""A compressed run-length code of pycocotools."""


def saved_detections(of: RunEpoch) -> Sequence[Entry]:
    """Return the detections of an epoch, in the order of the file. They are shared: do not modify them."""
    return _detections(str(of.run.path), of.epoch, detection_stamps(of.run, of.epoch))


@lru_cache(maxsize=8)
def _detections(run: str, epoch: int, _stamps: tuple[int, ...]) -> Sequence[Entry]:
    return RunFolder(run).detections(epoch)


def category_names(of: RunEpoch) -> dict[int, str]:
    """Return the class names of a run by their ids."""
    return {entry["id"]: entry["name"] for entry in pictures_with_detections(of.run)["categories"]}


def run_picture(of: RunEpoch, image_id: int) -> Entry:
    """Return the entry of a picture in the run's document. Raises `StudioError` if it has none with this id."""
    for image in pictures_with_detections(of.run)["images"]:
        if image["id"] == image_id:
            entry: Entry = image
            return entry
    raise StudioError(f"{of.run.name} has no picture {image_id}; its folder was damaged, restore it from a copy")


def stored_pictures(project: Project, of: RunEpoch) -> dict[int, StoredImage]:
    """Return {id of a picture in the run: the picture of the project with the same file}; others are left out."""
    stored = {image.file_name: image for image in project.images()}
    folder = project.images_folder.resolve()
    found = {}
    for image in pictures_with_detections(of.run)["images"]:
        own = stored.get(Path(image.get("path") or "").name)
        if own is not None and _lies_in(of.run, image, folder):
            found[image["id"]] = own
    return found


def _lies_in(run: RunFolder, image: Entry, folder: Path) -> bool:
    try:
        return run.picture_path(dict(image)).parent == folder
    except StudioError:
        return False


def mask_of(entry: Entry, image: Entry) -> Code:
    """Return the mask of a label or detection, else its box. Raises `StudioError` for a mask of another size.

    >>> image = {"width": 8, "height": 4, "file_name": "a.png"}
    >>> int(coco_mask.area(mask_of({"bbox": [1, 1, 2, 2]}, image)))
    4
    """
    height, width = image["height"], image["width"]
    if not entry.get("segmentation"):
        return _box_code(entry.get("bbox") or _keypoint_box(entry.get("keypoints") or []), height, width)
    code: Code = encode_rle(entry["segmentation"], height, width)
    if list(code["size"]) != [height, width]:
        raise StudioError(f"a mask does not have the size of {image['file_name']}; predict again on these pictures")
    return code


def box_of(entry: Entry, image: Entry) -> tuple[float, float, float, float]:
    """Return the box (x, y, width, height) of a label or detection in picture pixels."""
    x, y, width, height = entry.get("bbox") or coco_mask.toBbox(mask_of(entry, image)).tolist()
    return float(x), float(y), float(width), float(height)


def _keypoint_box(points: Sequence[float]) -> list[float]:
    xs, ys = list(points[0::3]) or [0.0], list(points[1::3]) or [0.0]
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def _box_code(box: Sequence[float], height: int, width: int) -> Code:
    x, y, w, h = box
    return raster.encoded(Rect(x, y, w, h), height, width)


def region_code(shape: Shape, height: int, width: int) -> Code | None:
    """Return the mask of a region's shape, of its box if it is a line or keypoints; None if it has no extent.

    None too for a mask of another size than the picture's.
    """
    try:
        if raster.has_area(shape):
            return raster.encoded(shape, height, width)
    except ValueError:
        return None
    x0, y0, x1, y1 = raster.bounds(shape)
    return raster.encoded(Rect(x0, y0, x1 - x0, y1 - y0), height, width) if x1 > x0 and y1 > y0 else None


class PictureRegions:
    """The regions of a picture in the project, to be compared with objects of a run."""

    def __init__(self, regions: Sequence[Region], height: int, width: int) -> None:
        pairs = [(region, region_code(region.shape, height, width)) for region in regions]
        self.regions = [region for region, code in pairs if code is not None]
        self._codes = [code for _, code in pairs if code is not None]

    def overlaps(self, code: Code) -> list[tuple[Region, float]]:
        """Return each region with its mask IoU, the highest first; those without a common pixel are left out."""
        if not self._codes:
            return []
        ious = np.asarray(coco_mask.iou([code], self._codes, [0] * len(self._codes)))[0].tolist()
        found = [(region, iou) for region, iou in zip(self.regions, ious, strict=True) if iou > 0]
        return sorted(found, key=lambda pair: -pair[1])

    def best(self, code: Code, class_name: str, least: float) -> tuple[Region, float] | None:
        """Return the region that is the object, and the IoU: at least `least`, of the same class if there is one."""
        near = [pair for pair in self.overlaps(code) if pair[1] >= least]
        return max(near, key=lambda pair: (pair[0].class_name == class_name, pair[1]), default=None)
