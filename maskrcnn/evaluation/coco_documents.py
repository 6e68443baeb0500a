"""Checks and normalises the two COCO documents of an evaluation: ground truth and detections.

Ground truth is a COCO document (`images`, `annotations`, `categories`). Detections are COCO results: a list of
`{image_id, category_id, score, bbox [x, y, w, h], segmentation, keypoints [x, y, v, x, y, v, ...], pose_score}`. The
last three fields exist only if the network predicts them; `pose_score` replaces `score` in the ranking of keypoints.
Every mask is converted to a compressed run-length code (RLE). Nothing in this package decodes a full mask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from maskrcnn.errors import StudioError
from maskrcnn.evaluation.document_checks import (
    LARGEST_SIDE,
    Document,
    Entries,
    Id,
    categories_by_id,
    images_by_id,
    is_given,
    label_lists,
    result_entries,
    result_list,
)
from maskrcnn.evaluation.mask_codes import mask_areas, mask_boxes, mask_codes, wrong_numbers
from maskrcnn.words import brief, counted

Entry = dict[str, Any]
MatchedBy = Literal["segm", "bbox"]
"""Which IoU decides whether a detection found an object: that of masks, or that of boxes."""

MOST_UNKNOWN_CLASSES = 5000
"""Maximum number of classes that only detections have: each is a row of every table."""


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
    no detections, "mask" is one if all annotations have a mask. Raises `StudioError` if a document is no list of
    objects.

    >>> tasks_of({"images": [], "annotations": [], "categories": []}, [{"bbox": [0, 0, 1, 1], "keypoints": [5, 5, 2]}])
    ('box', 'keypoints')
    """
    found = result_list(detections)
    masks = all(entry.get("segmentation") for entry in (found or label_lists(ground_truth)[1].entries))
    keypoints = any(is_given(entry.get("keypoints")) for entry in found)
    return ("box", *["mask"] * masks, *["keypoints"] * keypoints)


def parse(
    ground_truth: Document,
    detections: Iterable[Document],
    only_image: Id | None = None,
    tasks: Sequence[str] = ("box", "mask"),
) -> CocoDocuments:
    """Check and normalise both documents for the given tasks; with `only_image`, only that picture.

    Ids are found in either spelling ("12" is 12). A class that only detections have becomes a category without objects:
    COCO does not evaluate it, and in the tables of pictures such a detection is wrong.

    Raises `StudioError` for the first thing that cannot be measured: a document of another form, an id that the ground
    truth does not have, a score that is no number from 0 to 1, a field that is missing or damaged, a mask of another
    size than its picture, entries with different numbers of keypoints, or if there is no picture `only_image`.
    """
    given_images, labels, classes = label_lists(ground_truth)
    images, categories = images_by_id(given_images), categories_by_id(classes)
    if only_image is not None and only_image not in images:
        raise StudioError(f"ground truth: there is no picture with id {only_image}; choose one of its pictures")
    results = result_entries(detections)
    label_images = labels.known_ids("image_id", images, _raise_unknown(labels, "images", "image_id"))
    label_classes = labels.known_ids("category_id", categories, _raise_unknown(labels, "categories", "category_id"))
    _check_results(results)
    result_images = results.known_ids("image_id", images, lambda index, value: _raise_other_data(results, index, value))
    result_classes = _classes_of_results(results, categories)
    found = CocoDocuments(
        images=images if only_image is None else {only_image: images[only_image]},
        categories=categories,
        annotations={},
        detections={},
        masks="mask" in tasks,
        num_keypoints=_num_keypoints(labels, results) if "keypoints" in tasks else None,
    )
    for entries, ids, kinds, normalised, groups in (
        (labels, label_images, label_classes, _normalised_labels, found.annotations),
        (results, result_images, result_classes, _normalised_results, found.detections),
    ):
        groups.update((image_id, []) for image_id in found.images)
        rows = [row for row, image_id in enumerate(ids) if image_id in groups]
        own = [images[ids[row]] for row in rows]
        for row, entry in zip(rows, normalised(entries, rows, own, found), strict=True):
            entry["image_id"], entry["category_id"] = ids[row], kinds[row]
            groups[ids[row]].append(entry)
    return found


def encode_rle(segmentation: Any, height: int, width: int) -> Entry:
    """A COCO segmentation (polygons, plain or compressed RLE) as a compressed RLE of the given picture size.

    Raises `StudioError` if it is damaged or has another size.

    >>> encode_rle([[0, 0, 2, 0, 2, 1, 0, 1]], height=2, width=4)["size"]
    [2, 4]
    """

    def fault(_: int, wrong: str) -> StudioError:
        return StudioError(f"a mask is damaged: it {wrong}; predict again, or mend the labels")

    return mask_codes([segmentation], [(height, width)], fault)[0]


def _raise_unknown(labels: Entries, field: str, key: str) -> Callable[[int, Id], Id]:
    """A function that raises the error about an annotation whose picture or class the labels do not have."""

    def raise_it(index: int, value: Id) -> Id:
        raise labels.fault(index, f'has {key} {brief(value)}, which "{field}" does not have')

    return raise_it


def _raise_other_data(results: Entries, index: int, value: Id) -> Id:
    """Raise the error about a detection on a picture that the labels do not have."""
    raise StudioError(
        f"detections: entry {index} is for image_id {brief(value)}, which the ground truth does not have; give the "
        "labels that these detections were made on"
    )


def _classes_of_results(results: Entries, categories: dict[Id, Entry]) -> list[Id]:
    """The class of each detection, as `categories` has it. Those that it does not have are added to it."""
    labelled = len(categories)

    def add(index: int, value: Id) -> Id:
        categories.setdefault(value, {"id": value, "name": f"class {value}"})
        if len(categories) > labelled + MOST_UNKNOWN_CLASSES:
            raise StudioError(
                f"detections: they are of more than {MOST_UNKNOWN_CLASSES} classes that the ground truth does not "
                "have; give the labels that these detections were made on"
            )
        return value

    return results.known_ids("category_id", tuple(categories), add)


def _check_results(results: Entries) -> None:
    """Raise `StudioError` if a detection lacks a field, has no number as its score, or nothing that can be matched."""
    for field in ("image_id", "category_id"):
        results.column(field)
    results.scores("score")
    for index, entry in enumerate(results.entries):
        has_shape = entry.get("bbox") is not None or entry.get("segmentation") or is_given(entry.get("keypoints"))
        if not has_shape:
            raise results.fault(index, 'has neither "segmentation" nor "bbox"', "predict again")


def _num_keypoints(labels: Entries, results: Entries) -> int:
    """The number of keypoints of every entry, 0 if there are none. Raises `StudioError` if the numbers differ."""
    counts: dict[int, str] = {}
    for given in (labels, results):
        given.keypoints()
        for index, entry in enumerate(given.entries):
            number = len(entry["keypoints"]) // 3 if is_given(entry.get("keypoints")) else 0
            if number and number not in counts:
                counts[number] = given.named(index)
    if len(counts) > 1:
        (one, first), (other, second) = list(counts.items())[:2]
        raise StudioError(
            f"{second} has {counted(other, 'keypoint')}, but {first.replace(': ', ', ')} has {one}; measure a model on "
            "labels with the keypoints that it has learned"
        )
    return next(iter(counts), 0)


def _normalised_labels(
    labels: Entries, rows: Sequence[int], images: Sequence[Entry], found: CocoDocuments
) -> list[Entry]:
    """Normalised copies of the annotations `rows` (see `CocoDocuments`); `images` are their pictures."""
    labels.own_ids()
    crowds = labels.flags("iscrowd")
    copies = [{**labels.entries[row], "iscrowd": crowds[row]} for row in rows]
    sized = [place for place, entry in enumerate(copies) if entry.get("area") is not None]
    for place in wrong_numbers([copies[place]["area"] for place in sized], 0, LARGEST_SIDE**2)[:1]:
        wrong = copies[sized[place]]["area"]
        raise labels.fault(rows[sized[place]], f'has {brief(wrong)} as "area", which is no number of pixels')
    if found.num_keypoints is not None:
        for entry in copies:
            if not is_given(entry.get("keypoints")):
                entry["keypoints"] = [0] * (3 * found.num_keypoints)
            entry["num_keypoints"] = sum(visibility > 0 for visibility in entry["keypoints"][2::3])
    outlined = [
        place
        for place, entry in enumerate(copies)
        if found.masks or entry.get("bbox") is None or entry.get("area") is None
    ]
    for place in outlined:
        if not copies[place].get("segmentation"):
            raise labels.fault(rows[place], "has no outline", "draw one or take it out")
    _encode_masks(labels, rows, images, copies, outlined)
    return copies


def _normalised_results(
    results: Entries, rows: Sequence[int], images: Sequence[Entry], found: CocoDocuments
) -> list[Entry]:
    """Normalised copies of the detections `rows` (see `CocoDocuments`); `images` are their pictures."""
    if found.num_keypoints is not None:
        _check_poses(results)
    copies = [{**results.entries[row], "position": row, "iscrowd": 0} for row in rows]
    outlined = []
    for place, entry in enumerate(copies):
        if entry.get("bbox") is None and not entry.get("segmentation") and found.num_keypoints is not None:
            xs, ys = entry["keypoints"][0::3], entry["keypoints"][1::3]  # COCO's keypoint results have nothing else
            entry["bbox"] = [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]
        if found.masks or entry.get("bbox") is None:
            if not entry.get("segmentation"):
                raise results.fault(rows[place], 'has no "segmentation"', "predict again with a model of masks")
            outlined.append(place)
    _encode_masks(results, rows, images, copies, outlined)
    return copies


def _check_poses(results: Entries) -> None:
    """Raise `StudioError` if a detection has no keypoints, or no number as its `pose_score` where others have one."""
    for index, entry in enumerate(results.entries):
        if not is_given(entry.get("keypoints")):
            raise results.fault(index, 'has no "keypoints"', "predict again with a model that has them")
        if ("pose_score" in entry) != ("pose_score" in results.entries[0]):
            raise results.fault(
                index,
                f'{"has a" if "pose_score" in entry else "lacks the"} "pose_score" that entry 0 '
                f"{'lacks' if 'pose_score' in entry else 'has'}",
                "predict all pictures with one model",
            )
    if results.entries and "pose_score" in results.entries[0]:
        results.scores("pose_score")


def _encode_masks(
    given: Entries, rows: Sequence[int], images: Sequence[Entry], copies: Sequence[Entry], outlined: Sequence[int]
) -> None:
    """Replace the masks of the copies at the places `outlined` by codes, and take those of the others out.

    A box or an area that is missing becomes that of the mask. Raises `StudioError` for a box or mask that is damaged.
    """

    def fault(index: int, wrong: str) -> StudioError:
        place = outlined[index]
        return given.fault(rows[place], f"({images[place]['file_name']}) {wrong}", given.mask_mend)

    given.boxes(rows, copies)
    sizes = [(images[place]["height"], images[place]["width"]) for place in outlined]
    codes = mask_codes([copies[place]["segmentation"] for place in outlined], sizes, fault)
    if len(outlined) < len(copies):
        for entry in copies:
            entry.pop("segmentation", None)  # what was not checked must not get to pycocotools
    for place, code in zip(outlined, codes, strict=True):
        copies[place]["segmentation"] = code
    for field, measured in (("area", mask_areas), ("bbox", mask_boxes)):
        without = [place for place in outlined if copies[place].get(field) is None]
        for place, value in zip(without, measured([copies[place]["segmentation"] for place in without]), strict=True):
            copies[place][field] = value


def consecutive_ids(ids: Iterable[Id]) -> dict[Id, int]:
    """Id of a COCO document -> a number from 1, in the order of the ids.

    COCOeval fails on text ids mixed with numbers, and on numbers of more than 64 bits.
    """
    return {key: number for number, key in enumerate(sorted(ids, key=coco_id_order), start=1)}
