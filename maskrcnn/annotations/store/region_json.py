"""Regions as JSON, exactly: what the project store keeps. Label files have formats of their own (`via`, `coco`)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Ellipse,
    Keypoints,
    MultiPolygon,
    Point,
    Points,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
)
from maskrcnn.errors import StudioError

_KINDS: dict[str, type[Shape]] = {
    "polygon": Polygon,
    "multipolygon": MultiPolygon,
    "rect": Rect,
    "circle": Circle,
    "ellipse": Ellipse,
    "polyline": Polyline,
    "point": Point,
    "keypoints": Keypoints,
    "rle": RLE,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}

_encode = json.JSONEncoder(allow_nan=False, check_circular=False, separators=(",", ":")).encode


def dumps(regions: Iterable[Region]) -> str:
    """Regions as one JSON text; `loads` gives equal regions back. `StudioError` for values that JSON has not."""
    try:
        return _encode([region_document(region) for region in regions])
    except ValueError:
        raise StudioError("a region has a coordinate or value that is not a finite number; draw it again") from None
    except RecursionError:
        raise StudioError("a region has attributes that are nested too deep to be kept; take them out") from None


def loads(text: str) -> tuple[Region, ...]:
    return tuple(region_from(document) for document in json.loads(text))


def region_document(region: Region) -> dict[str, Any]:
    """A region as plain JSON values; what is as in a fresh `Region` is left out."""
    # Not dataclasses.asdict, which copies every vertex; an import of 10,000 pictures has millions.
    shape = region.shape
    document: dict[str, Any] = {"id": region.id, "shape": {"kind": _NAMES[type(shape)], **vars(shape)}}
    if region.class_name is not None:
        document["class_name"] = region.class_name
    if region.attributes:
        document["attributes"] = dict(region.attributes)
    if region.iscrowd:
        document["iscrowd"] = True
    if region.source != "human":
        document["source"] = region.source
    if region.score is not None:
        document["score"] = region.score
    if region.keypoints is not None:
        document["keypoints"] = region.keypoints.points
    if region.extras:
        document["extras"] = dict(region.extras)
    return document


def region_from(document: dict[str, Any]) -> Region:
    """The region of a `region_document`."""
    fields = {**document, "shape": _shape_from(document["shape"])}
    if (keypoints := document.get("keypoints")) is not None:
        fields["keypoints"] = Keypoints(_places(keypoints))
    return Region(**fields)


def _shape_from(document: dict[str, Any]) -> Shape:
    fields = dict(document)
    kind = _KINDS[fields.pop("kind")]
    if kind in (Polygon, Polyline):
        return kind(_points(fields["points"]))
    if kind is Keypoints:
        return Keypoints(_places(fields["points"]))
    if kind is MultiPolygon:
        return MultiPolygon(tuple(tuple(_points(ring) for ring in part) for part in fields["parts"]))
    if kind is RLE:
        return RLE(tuple(fields["size"]), fields["counts"])
    return kind(**fields)


def _points(values: Any) -> Points:
    return tuple(map(tuple, values))


def _places(values: Any) -> tuple[tuple[float, float, int], ...]:
    return tuple(map(tuple, values))
