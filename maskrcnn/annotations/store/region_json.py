"""Regions as JSON, exactly: what the project store keeps. Label files have formats of their own (`via`, `coco`)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
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


def dumps(regions: Iterable[Region]) -> str:
    """Regions as one JSON text; `loads` gives equal regions back."""
    return json.dumps([region_document(region) for region in regions], allow_nan=False)


def loads(text: str) -> tuple[Region, ...]:
    return tuple(region_from(document) for document in json.loads(text))


def region_document(region: Region) -> dict[str, Any]:
    """A region as plain JSON values; `keypoints` and `extras` only where there are any."""
    further: dict[str, Any] = {}
    if region.keypoints is not None:
        further["keypoints"] = region.keypoints.points
    if region.extras:
        further["extras"] = dict(region.extras)
    return {
        "id": region.id,
        "shape": {"kind": _NAMES[type(region.shape)], **asdict(region.shape)},
        "class_name": region.class_name,
        "attributes": dict(region.attributes),
        "iscrowd": region.iscrowd,
        "source": region.source,
        "score": region.score,
        **further,
    }


def region_from(document: dict[str, Any]) -> Region:
    """The region of a `region_document`."""
    keypoints = document.get("keypoints")
    return Region(
        **{
            **document,
            "shape": _shape_from(document["shape"]),
            "keypoints": Keypoints(_places(keypoints)) if keypoints is not None else None,
        }
    )


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
    return tuple((x, y) for x, y in values)


def _places(values: Any) -> tuple[tuple[float, float, int], ...]:
    return tuple((x, y, visibility) for x, y, visibility in values)
