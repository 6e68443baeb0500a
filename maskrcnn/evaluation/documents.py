"""The two documents that evaluation compares, checked once and brought into one form.

Ground truth is a COCO document (`images`, `annotations`, `categories`); detections are COCO results (a list of
`{image_id, category_id, score, bbox [x, y, w, h], segmentation}`). Every mask becomes a compressed run-length code
here, and stays one: nothing in this package ever decodes a full mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pycocotools import mask as coco_mask

from maskrcnn.errors import StudioError

Document = Mapping[str, Any]
Entry = dict[str, Any]


@dataclass(frozen=True)
class Documents:
    """Ground truth and detections in one form, by image id.

    Every entry carries `image_id`, `category_id`, `bbox` [x, y, w, h], `segmentation` (compressed RLE) and `area` (a
    detection's is that of its mask); annotations have `iscrowd` 0 or 1, detections a `score` and `position`, their
    place in the list that was given.
    """

    images: dict[int, Entry]
    categories: dict[int, Entry]
    annotations: dict[int, list[Entry]]
    detections: dict[int, list[Entry]]


def read(
    ground_truth: Document, detections: Iterable[Document], only_image: int | None = None, *, masks: bool = True
) -> Documents:
    """Both documents, checked; `only_image` keeps one picture, and `masks=False` lets boxes do without masks.

    Raises `StudioError` where a detection is for a picture that the ground truth does not have, lacks a field, or has
    a mask of another size than its picture.
    """
    images = {image["id"]: dict(image) for image in ground_truth["images"] if only_image in (None, image["id"])}
    if only_image is not None and not images:
        raise StudioError(f"ground truth: there is no picture with id {only_image}; choose one of its pictures")
    found = Documents(
        images=images,
        categories={category["id"]: dict(category) for category in ground_truth["categories"]},
        annotations={image_id: [] for image_id in images},
        detections={image_id: [] for image_id in images},
    )
    for annotation in ground_truth["annotations"]:
        if annotation["image_id"] in images:
            found.annotations[annotation["image_id"]].append(_annotation(annotation, images, masks))
    known = {image["id"] for image in ground_truth["images"]}
    for position, detection in enumerate(detections):
        _check(detection, position, known)
        if detection["image_id"] in images:
            found.detections[detection["image_id"]].append(_detection(detection, position, images, masks))
    return found


def encode(segmentation: Any, height: int, width: int) -> Entry:
    """A COCO segmentation (polygons, plain or compressed RLE) as a compressed RLE of that picture size."""
    if isinstance(segmentation, list):
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    if isinstance(segmentation["counts"], list):
        return coco_mask.frPyObjects(segmentation, height, width)
    return dict(segmentation)


def _annotation(annotation: Document, images: dict[int, Entry], masks: bool) -> Entry:
    entry = dict(annotation)
    image = images[annotation["image_id"]]
    entry["iscrowd"] = int(bool(annotation.get("iscrowd", 0)))
    if masks or "bbox" not in entry or "area" not in entry:
        if not annotation.get("segmentation"):
            raise StudioError(f"ground truth: annotation {annotation['id']} has no outline; draw one or take it out")
        entry["segmentation"] = encode(annotation["segmentation"], image["height"], image["width"])
        entry.setdefault("area", float(coco_mask.area(entry["segmentation"])))
        entry.setdefault("bbox", coco_mask.toBbox(entry["segmentation"]).tolist())
    return entry


def _detection(detection: Document, position: int, images: dict[int, Entry], masks: bool) -> Entry:
    entry = dict(detection, position=position, iscrowd=0)
    image = images[detection["image_id"]]
    if not masks:
        entry["area"] = float(entry["bbox"][2] * entry["bbox"][3])
        return entry
    entry["segmentation"] = encode(detection["segmentation"], image["height"], image["width"])
    if list(entry["segmentation"]["size"]) != [image["height"], image["width"]]:
        height, width = entry["segmentation"]["size"]
        raise StudioError(
            f"detections: the mask of entry {position} is {width} x {height}, but picture {image['file_name']} is "
            f"{image['width']} x {image['height']}; predict again on these pictures"
        )
    # The area of the mask, not of the box: pycocotools' loadRes would take the box where a result has both, and that
    # moves unmatched detections between the small, medium and large ranges.
    entry["area"] = float(coco_mask.area(entry["segmentation"]))
    entry.setdefault("bbox", coco_mask.toBbox(entry["segmentation"]).tolist())
    return entry


def _check(detection: Document, position: int, image_ids: set[int]) -> None:
    for field in ("image_id", "category_id", "score"):
        if field not in detection:
            raise StudioError(f'detections: entry {position} has no "{field}"; write them in the COCO results format')
    if "segmentation" not in detection and "bbox" not in detection:
        raise StudioError(f'detections: entry {position} has neither "segmentation" nor "bbox"; predict again')
    if detection["image_id"] not in image_ids:
        raise StudioError(
            f"detections: entry {position} is for image_id {detection['image_id']}, which the ground truth does not "
            "have; give the labels that these detections were made on"
        )
