"""Checks and normalises the two COCO documents of an evaluation: ground truth and detections.

Ground truth is a COCO document (`images`, `annotations`, `categories`). Detections are COCO results: a list of
`{image_id, category_id, score, bbox [x, y, w, h], segmentation, keypoints [x, y, v, x, y, v, ...], pose_score}`. The
last three fields exist only if the network predicts them; `pose_score` replaces `score` in the ranking of keypoints.
Every mask is converted to a compressed run-length code (RLE). Nothing in this package decodes a full mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pycocotools import mask as coco_mask

from maskrcnn.errors import StudioError
from maskrcnn.words import counted

Document = Mapping[str, Any]
Entry = dict[str, Any]
MatchedBy = Literal["segm", "bbox"]
"""Which IoU decides whether a detection found an object: that of masks, or that of boxes."""
Id = int | str
"""An id of an image or a category: an integer in COCO's files, a text in the files of some other programs."""


def coco_id_order(number: Id) -> tuple[bool, Id]:
    """The sorting key of an image or category id, as pycocotools needs it: numbers by value first, then texts.

    >>> sorted(["10", 10, 9, "9"], key=coco_id_order)
    [9, 10, '10', '9']
    """
    return isinstance(number, str), number


@dataclass(frozen=True)
class CocoDocuments:
    """Normalised ground truth and detections, by image id.

    Every entry has `image_id`, `category_id` and `bbox` [x, y, w, h]. Annotations also have `area` and `iscrowd` (0 or
    1). Detections have `score` and `position`, their index in the given list. (The area of a detection depends on the
    measure: see `MeasuredSet`.) With `masks`, every entry has a `segmentation` (compressed RLE). With `num_keypoints`,
    every entry has that number of `keypoints`, and annotations have their own `num_keypoints`, the number of labelled
    ones. If `num_keypoints` is None, keypoints are not evaluated.
    """

    images: dict[Id, Entry]
    categories: dict[Id, Entry]
    annotations: dict[Id, list[Entry]]
    detections: dict[Id, list[Entry]]
    masks: bool = True
    num_keypoints: int | None = None

    @property
    def matched_by(self) -> MatchedBy:
        """The IoU that is used for matching: that of masks, or that of boxes if the network predicts no masks."""
        return "segm" if self.masks else "bbox"


def tasks_of(ground_truth: Document, detections: Iterable[Document]) -> tuple[str, ...]:
    """The tasks (as in `Config.tasks`) for which these detections can be evaluated.

    "box" is always one; "mask" if all detections have a mask; "keypoints" if any detection has keypoints. If there are
    no detections, "mask" is one if all annotations have a mask.

    >>> tasks_of({"annotations": []}, [{"bbox": [0, 0, 1, 1], "keypoints": [5, 5, 2]}])
    ('box', 'keypoints')
    """
    found = list(detections)
    masks = all(entry.get("segmentation") for entry in (found or ground_truth["annotations"]))
    keypoints = any(entry.get("keypoints") for entry in found)
    return ("box", *["mask"] * masks, *["keypoints"] * keypoints)


def parse(
    ground_truth: Document,
    detections: Iterable[Document],
    only_image: Id | None = None,
    tasks: Sequence[str] = ("box", "mask"),
) -> CocoDocuments:
    """Check and normalise both documents for the given tasks; with `only_image`, only that picture.

    Raises `StudioError` if a detection has an image id that the ground truth does not have, lacks a field, or has a
    mask of another size than its picture, if entries have different numbers of keypoints, or if there is no picture
    `only_image`.
    """
    detections, masks = list(detections), "mask" in tasks
    images = {image["id"]: dict(image) for image in ground_truth["images"] if only_image in (None, image["id"])}
    if only_image is not None and not images:
        raise StudioError(f"ground truth: there is no picture with id {only_image}; choose one of its pictures")
    found = CocoDocuments(
        images=images,
        categories={category["id"]: dict(category) for category in ground_truth["categories"]},
        annotations={image_id: [] for image_id in images},
        detections={image_id: [] for image_id in images},
        masks=masks,
        num_keypoints=_num_keypoints(ground_truth, detections) if "keypoints" in tasks else None,
    )
    for annotation in ground_truth["annotations"]:
        if annotation["image_id"] in images:
            found.annotations[annotation["image_id"]].append(_normalised_annotation(annotation, images, found))
    known = {image["id"] for image in ground_truth["images"]}
    for position, detection in enumerate(detections):
        _check_detection(detection, position, known)
        # COCO does not evaluate classes without objects. In the tables of pictures, such a detection is wrong.
        category = detection["category_id"]
        found.categories.setdefault(category, {"id": category, "name": f"class {category}"})
        if "keypoints" in tasks and ("pose_score" in detection) != ("pose_score" in detections[0]):
            raise StudioError(
                f'detections: entry {position} {"has a" if "pose_score" in detection else "lacks the"} "pose_score" '
                f"that entry 0 {'lacks' if 'pose_score' in detection else 'has'}; predict all pictures with one model"
            )
        if detection["image_id"] in images:
            found.detections[detection["image_id"]].append(_normalised_detection(detection, position, images, found))
    return found


def encode_rle(segmentation: Any, height: int, width: int) -> Entry:
    """A COCO segmentation (polygons, plain or compressed RLE) as a compressed RLE of the given picture size.

    >>> encode_rle([[0, 0, 2, 0, 2, 1, 0, 1]], height=2, width=4)["size"]
    [2, 4]
    """
    if isinstance(segmentation, list):
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    if isinstance(segmentation["counts"], list):
        return coco_mask.frPyObjects(segmentation, height, width)
    return dict(segmentation)


def _num_keypoints(ground_truth: Document, detections: Sequence[Document]) -> int:
    """The number of keypoints of every entry, 0 if there are none. Raises `StudioError` if the numbers differ."""
    counts: dict[int, str] = {}
    entries = [(f"ground truth: annotation {entry['id']}", entry) for entry in ground_truth["annotations"]]
    entries += [(f"detections: entry {position}", entry) for position, entry in enumerate(detections)]
    for name, entry in entries:
        if given := entry.get("keypoints"):
            counts.setdefault(len(given) // 3, name)
    if len(counts) > 1:
        (one, first), (other, second) = list(counts.items())[:2]
        raise StudioError(
            f"{second} has {counted(other, 'keypoint')}, but {first.replace(': ', ', ')} has {one}; measure a model on "
            "labels with the keypoints that it has learned"
        )
    return next(iter(counts), 0)


def _normalised_annotation(annotation: Document, images: dict[Id, Entry], found: CocoDocuments) -> Entry:
    """A normalised copy of an annotation (see `CocoDocuments`)."""
    entry = dict(annotation)
    image = images[annotation["image_id"]]
    entry["iscrowd"] = int(bool(annotation.get("iscrowd", 0)))
    if found.num_keypoints is not None:
        entry["keypoints"] = annotation.get("keypoints") or [0] * (3 * found.num_keypoints)
        entry["num_keypoints"] = sum(visibility > 0 for visibility in entry["keypoints"][2::3])
    if found.masks or "bbox" not in entry or "area" not in entry:
        if not annotation.get("segmentation"):
            raise StudioError(f"ground truth: annotation {annotation['id']} has no outline; draw one or take it out")
        entry["segmentation"] = encode_rle(annotation["segmentation"], image["height"], image["width"])
        entry.setdefault("area", float(coco_mask.area(entry["segmentation"])))
        entry.setdefault("bbox", coco_mask.toBbox(entry["segmentation"]).tolist())
    return entry


def _normalised_detection(detection: Document, position: int, images: dict[Id, Entry], found: CocoDocuments) -> Entry:
    """A normalised copy of a detection (see `CocoDocuments`)."""
    entry = dict(detection, position=position, iscrowd=0)
    image = images[detection["image_id"]]
    if found.num_keypoints is not None and not detection.get("keypoints"):
        raise StudioError(f'detections: entry {position} has no "keypoints"; predict again with a model that has them')
    if "bbox" not in entry and "segmentation" not in entry:  # keypoint results in COCO's format have neither
        xs, ys = entry["keypoints"][0::3], entry["keypoints"][1::3]
        entry["bbox"] = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
    if not found.masks and "bbox" in entry:
        return entry
    if "segmentation" not in entry:
        raise StudioError(f'detections: entry {position} has no "segmentation"; predict again with a model of masks')
    entry["segmentation"] = encode_rle(detection["segmentation"], image["height"], image["width"])
    if list(entry["segmentation"]["size"]) != [image["height"], image["width"]]:
        height, width = entry["segmentation"]["size"]
        raise StudioError(
            f"detections: the mask of entry {position} is {width} x {height}, but picture {image['file_name']} is "
            f"{image['width']} x {image['height']}; predict again on these pictures"
        )
    entry.setdefault("bbox", coco_mask.toBbox(entry["segmentation"]).tolist())
    return entry


def _check_detection(detection: Document, position: int, image_ids: set[Id]) -> None:
    """Raise `StudioError` if a detection lacks a field or has an unknown image id."""
    for field in ("image_id", "category_id", "score"):
        if field not in detection:
            raise StudioError(f'detections: entry {position} has no "{field}"; write them in the COCO results format')
    if not any(detection.get(field) for field in ("segmentation", "bbox", "keypoints")):
        raise StudioError(f'detections: entry {position} has neither "segmentation" nor "bbox"; predict again')
    if detection["image_id"] not in image_ids:
        raise StudioError(
            f"detections: entry {position} is for image_id {detection['image_id']}, which the ground truth does not "
            "have; give the labels that these detections were made on"
        )


def consecutive_ids(ids: Iterable[Id]) -> dict[Id, int]:
    """Id of a COCO document -> a number from 1, in the order of the ids.

    COCOeval fails on text ids mixed with numbers, and on numbers of more than 64 bits.
    """
    return {key: number for number, key in enumerate(sorted(ids, key=coco_id_order), start=1)}
