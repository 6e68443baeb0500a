"""Convert one annotation of a COCO file to a region: shape, keypoints, and the fields that are written back
unchanged."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.formats.coco.categories import UNKNOWN, Category
from maskrcnn.annotations.formats.coco.ids import id_of
from maskrcnn.annotations.formats.coco.run_lengths import run_lengths
from maskrcnn.annotations.formats.dropped_info import DroppedInfo
from maskrcnn.annotations.formats.json_values import (
    FARTHEST,
    LARGEST_SIDE,
    Complaint,
    Json,
    as_number,
    brief,
    checked_depth,
    coordinate,
    numbers,
)
from maskrcnn.annotations.formats.via.class_values import is_crowd_value, is_no_crowd_value
from maskrcnn.annotations.regions import Keypoints, MultiPolygon, Point, Points, Polygon, Rect, Region, Shape, Skeleton
from maskrcnn.errors import StudioError
from maskrcnn.words import counted

ANNOTATION_FIELDS = (
    *("id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd", "attributes"),
    *("keypoints", "num_keypoints"),
)


def region_of(
    annotation: Json, category: Category, record: ImageRecord, complain: Complaint, dropped: DroppedInfo
) -> Region:
    """Return the region of an annotation on the picture `record`. Raises `StudioError` if its shape is invalid."""
    keypoints = _annotation_keypoints(annotation, category.skeleton, complain)
    box = _annotation_box(annotation.get("bbox"))
    shape = _annotation_shape(annotation, keypoints, box, category.skeleton, record, complain)
    if shape is keypoints or (category.skeleton and keypoints and not any(v for _, _, v in keypoints.points)):
        keypoints = None

    kept: Json = {}
    if annotation.get("id") is not None:
        try:
            kept["id"] = id_of(annotation, "id", complain)
        except StudioError:  # no other entry refers to an annotation's id
            dropped.add("the id of {regions} left out because it is neither a whole number nor a text")
    if (area := _annotation_area(annotation.get("area"))) is not None:
        kept["area"] = area
    elif annotation.get("area") not in UNKNOWN:
        dropped.add("the area of {regions} left out because it is no number of pixels; it is measured instead")
    if box is not None:
        kept["bbox"] = box
    elif annotation.get("bbox") not in UNKNOWN:
        dropped.add("the box of {regions} left out because it is not x, y, width, height; it is measured instead")
    if isinstance(shape, Rect | Keypoints):
        written = annotation.get("segmentation")
        is_box = isinstance(shape, Rect) and isinstance(written, list) and any(written)
        kept["segmentation"] = [] if is_box else written
    if isinstance(shape, Point):
        kept |= {"segmentation": annotation.get("segmentation"), "keypoints": annotation["keypoints"]}
        keypoints = None

    further = {key: value for key, value in annotation.items() if key not in ANNOTATION_FIELDS}
    is_ours = further.get("source") == "model"
    score = further.get("score") if is_ours else None
    if is_ours:
        del further["source"]
        if isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1:
            del further["score"]
        else:
            score = None
    nested = annotation.get("attributes") or {}
    if not isinstance(nested, dict):
        dropped.add("the attributes of {regions} left out because they are not names and values")
        nested = {}
    if further:
        # None: the value is in the region's attributes. It is kept here only if a nested attribute has the same name,
        # because the region then has the nested value.
        kept["fields"] = {key: value if key in nested else None for key, value in further.items()}
    return Region(
        shape,
        category.name,
        checked_depth(further | nested, "attributes", complain),
        _is_crowd(annotation.get("iscrowd"), dropped),
        "model" if is_ours else "human",
        score,
        keypoints,
        {"coco": kept} if kept else {},
    )


def _is_crowd(value: Any, dropped: DroppedInfo) -> bool:
    """Whether `iscrowd` is true in any spelling. Unknown values count as false, with a warning."""
    if is_crowd_value(value):
        return True
    if value not in UNKNOWN and not is_no_crowd_value(value):
        dropped.add("{regions} read as no crowd because iscrowd is neither 0 nor 1 there")
    return False


def _annotation_area(value: Any) -> float | None:
    """Return the area if it is a finite, non-negative number of pixels; None for any other value."""
    area = as_number(value)
    if isinstance(area, bool) or not isinstance(area, int | float) or not 0 <= area <= LARGEST_SIDE**2:
        return None
    return area


def _annotation_box(value: Any) -> list[float] | None:
    """Return the box as x, y, width, height; None for any other value."""
    box = list(map(as_number, value)) if isinstance(value, list) and len(value) == 4 else []
    if not all(type(side) in (int, float) and -FARTHEST <= side <= FARTHEST for side in box):
        return None
    return box if box and box[2] >= 0 and box[3] >= 0 else None


def _annotation_keypoints(annotation: Json, skeleton: Skeleton | None, complain: Complaint) -> Keypoints | None:
    """Return the keypoints of an annotation; None if it has none. Raises `StudioError` if they are invalid."""
    if not annotation.get("keypoints"):
        return None
    flat = numbers({**annotation, "keypoints": _coco_numbers(annotation["keypoints"])}, "keypoints", complain)
    if len(flat) % 3:
        raise complain('has "keypoints" that are not x, y, visibility, ...')
    if skeleton is not None and len(flat) != 3 * len(skeleton.names):
        raise complain(f"has {counted(len(flat) // 3, 'keypoint')}, but its category has {len(skeleton.names)}")
    if wrong := [visibility for visibility in flat[2::3] if visibility not in (0, 1, 2)]:
        raise complain(f"has a keypoint of visibility {brief(wrong[0])}, not 0, 1 or 2")
    return Keypoints(
        tuple((x, y, int(visibility)) for x, y, visibility in zip(flat[0::3], flat[1::3], flat[2::3], strict=True))
    )


def _coco_numbers(values: Any) -> Any:
    """Return a list of a COCO annotation with numeric strings converted to numbers. Any other value is returned
    unchanged."""
    return list(map(as_number, values)) if isinstance(values, list) and str in map(type, values) else values


def _annotation_shape(
    annotation: Json,
    keypoints: Keypoints | None,
    around: list[float] | None,
    skeleton: Skeleton | None,
    record: ImageRecord,
    complain: Complaint,
) -> Shape:
    """Return the shape of an annotation: its outlines or mask; else its labelled keypoints, unless its box `around` has
    an area and is not just their bounding box; else this box."""
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, list) and len(segmentation) == 1 and isinstance(segmentation[0], dict):
        segmentation = segmentation[0]
    if segmentation and isinstance(segmentation, dict):
        return run_lengths(segmentation, record, complain)
    if segmentation not in UNKNOWN and not isinstance(segmentation, list):
        raise complain(f'has {brief(segmentation)} as "segmentation"')
    outlines = _outlines(segmentation or [], complain)
    if outlines and not _is_the_box(outlines, around):
        return Polygon(outlines[0]) if len(outlines) == 1 else MultiPolygon(tuple((outline,) for outline in outlines))
    box = Rect(*around) if around is not None else None
    if keypoints is not None and any(visibility for _, _, visibility in keypoints.points):
        box_has_area = box is not None and box.width and box.height
        if (
            box is None
            or not box_has_area
            or np.allclose(raster.bounds(box), raster.bounds(keypoints), rtol=0, atol=1e-6)
        ):
            is_point = skeleton is None and len(keypoints.points) == 1  # how VIA exports a point
            return Point(*keypoints.points[0][:2]) if is_point else keypoints
    if box is not None:
        return box
    if annotation.get("bbox") not in UNKNOWN:
        raise complain('has no outline, and a "bbox" that is not x, y, width, height')
    raise complain('has neither "segmentation" nor "bbox"')


def _is_the_box(outlines: list[Points], around: list[float] | None) -> bool:
    """Whether `segmentation` only repeats the four numbers of the annotation's box (x, y, width, height), as some
    converters write it. False if x and y are 0: the numbers may then be a line from (0, 0) to (width, height)."""
    if around is None or len(outlines) != 1 or len(outlines[0]) != 2:
        return False
    return [value for point in outlines[0] for value in point] == around and around[:2] != [0, 0]


def _outlines(segmentation: list[Any], complain: Complaint) -> list[Points]:
    """Return the outlines of a `segmentation`: lists of x, y, x, y, ... Also accepts one list that is not nested,
    and lists of [x, y]."""
    first = segmentation[0] if segmentation else None
    if not isinstance(first, list | dict) and first is not None:
        return [_outline(segmentation, complain)]
    if len(segmentation) > 2 and all(map(_is_vertex_pair, segmentation)):  # vertices, not outlines of one vertex
        return [_outline([value for pair in segmentation for value in pair], complain)]
    parts = [
        [value for pair in part for value in pair]
        if isinstance(part, list) and part and all(map(_is_vertex_pair, part))
        else part
        for part in segmentation
        if part not in ([], None)
    ]
    # Parts that cannot enclose a pixel are skipped, unless there are no others.
    whole = [part for part in parts if not (isinstance(part, list) and len(part) < 6 and len(part) % 2)]
    return [_outline(part, complain) for part in whole or parts]


def _is_vertex_pair(value: Any) -> bool:
    """Whether a part of a COCO `segmentation` is one vertex: a list of x and y."""
    return isinstance(value, list) and len(value) == 2 and not isinstance(value[0], list | dict)


def _outline(values: Any, complain: Complaint) -> Points:
    """Return the vertices of one list x, y, x, y, ... Raises `StudioError` if it is invalid."""
    if not isinstance(values, list) or len(values) % 2 or not values:
        raise complain('has a "segmentation" outline that is not a list of x, y, x, y, ...')
    flat = [coordinate(value, "segmentation", complain) for value in _coco_numbers(values)]
    return tuple(zip(flat[0::2], flat[1::2], strict=True))
