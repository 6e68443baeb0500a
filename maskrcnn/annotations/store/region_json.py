"""Convert regions to JSON and back without loss, for the project store. (Label files have their own formats.)

A text may come from an untrusted source, so `loads` validates every value. `dumps` makes the same checks, so that
everything that is saved can be read again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from maskrcnn.annotations.formats.json_values import FARTHEST, brief
from maskrcnn.annotations.picture_files.pixel_budget import MOST_PIXELS
from maskrcnn.annotations.regions import (
    MOST_REGIONS,
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
from maskrcnn.annotations.store import json_columns
from maskrcnn.errors import StudioError
from maskrcnn.run_length_codes import pixels_of

__all__ = [
    "MOST_REGIONS",
    "dumps",
    "identities",
    "loads",
    "region_from_json",
    "region_to_json",
    "regions_from_untrusted",
]

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

Complain = Callable[[str], StudioError]


def dumps(regions: Iterable[Region]) -> str:
    """Convert regions to one JSON text, from which `loads` makes equal regions.

    Raises `StudioError` for values that JSON cannot represent, for coordinates out of range, and for more than
    `MOST_REGIONS` regions.
    """
    documents = [region_to_json(region) for region in regions]
    _require_few_regions(documents, lambda wrong: StudioError(f"{wrong}; leave some out, or split the picture"))
    for document in documents:
        _check_region(document, lambda wrong: StudioError(f"a region {wrong}; draw it again"))
    try:
        return _encode(documents)
    except ValueError:
        raise StudioError("a region has a coordinate or value that is not a finite number; draw it again") from None


def loads(text: object, name: str = "a picture") -> tuple[Region, ...]:
    """Convert a text of `dumps` to regions. Raises `StudioError` with the picture's `name` if the text is invalid."""
    return tuple(region_from_json(document) for document in _valid_documents(text, name))


def regions_from_untrusted(documents: object) -> tuple[Region, ...]:
    """Convert parsed JSON that a browser sent, a list of `region_to_json`, to regions with different ids.

    Raises `StudioError` that names the first region that is invalid, or for a repeated id.
    """
    if not isinstance(documents, list):
        raise StudioError("the regions are no list; load the page again")
    _require_few_regions(documents, lambda wrong: StudioError(f"{wrong}; leave some out, or split the picture"))
    for number, document in enumerate(documents, 1):
        _check_region(document, lambda wrong, number=number: StudioError(f"region {number} {wrong}; draw it again"))  # type: ignore[misc]
    ids = {document["id"] for document in documents}
    if len(ids) < len(documents):
        raise StudioError("two regions have the same id; load the page again")
    return tuple(map(region_from_json, documents))


def identities(text: object, name: str = "a picture") -> tuple[tuple[str, str | None], ...]:
    """Return (id, class) of each region in a text of `dumps`. Raises as `loads` does."""
    return tuple((document["id"], document.get("class_name")) for document in _valid_documents(text, name))


def region_to_json(region: Region) -> dict[str, Any]:
    """Convert a region to JSON values. Fields with their default values are left out."""
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


def region_from_json(document: dict[str, Any]) -> Region:
    """Convert a valid `region_to_json` to a region. The document is not checked."""
    fields = {**document, "shape": _shape_from_json(document["shape"])}
    if (keypoints := document.get("keypoints")) is not None:
        fields["keypoints"] = Keypoints(_keypoints_from(keypoints))
    return Region(**fields)


def _shape_from_json(document: dict[str, Any]) -> Shape:
    """Convert the JSON values of a region's shape to the shape."""
    fields = dict(document)
    kind = _KINDS[fields.pop("kind")]
    if kind in (Polygon, Polyline):
        return kind(_points_from(fields["points"]))
    if kind is Keypoints:
        return Keypoints(_keypoints_from(fields["points"]))
    if kind is MultiPolygon:
        return MultiPolygon(tuple(tuple(_points_from(ring) for ring in part) for part in fields["parts"]))
    if kind is RLE:
        return RLE(tuple(fields["size"]), fields["counts"])
    return kind(**fields)


def _points_from(values: Any) -> Points:
    """Convert lists of x and y in JSON to points."""
    return tuple(map(tuple, values))


def _keypoints_from(values: Any) -> tuple[tuple[float, float, int], ...]:
    """Convert lists of x, y and visibility in JSON to keypoints."""
    return tuple(map(tuple, values))


# Validation


def _valid_documents(text: object, name: str) -> list[dict[str, Any]]:
    """Parse a JSON text and validate each region document. Raises `StudioError`."""

    def complain(wrong: str) -> StudioError:
        return StudioError(f"project.db: the regions of {name} are damaged: {wrong}; restore the project from a copy")

    if not isinstance(text, str):
        raise complain("they are no text")
    try:
        documents = json.loads(text)
    except RecursionError:
        raise complain("they are nested too deep") from None
    except ValueError as error:
        raise complain(f"they are not readable JSON ({str(error)[:80]})") from None
    if not isinstance(documents, list):
        raise complain("they are no list")
    _require_few_regions(documents, complain)
    for place, document in enumerate(documents):
        _check_region(document, lambda wrong, place=place: complain(f"region {place} {wrong}"))  # type: ignore[misc]
    return documents


def _require_few_regions(documents: list[Any], complain: Complain) -> None:
    """Raise the error of `complain` for more than `MOST_REGIONS` regions on one picture."""
    if len(documents) > MOST_REGIONS:
        raise complain(f"{len(documents)} regions on one picture are more than {MOST_REGIONS}")


_FIELDS = frozenset(
    ("id", "shape", "class_name", "attributes", "iscrowd", "source", "score", "keypoints", "extras")
)  # of `Region`


def _check_region(document: Any, complain: Complain) -> None:
    """Raise the error that `complain(message)` returns unless `document` is a valid region; tuples count as lists."""
    if not isinstance(document, dict):
        raise complain("is not a group of named values")
    if not document.keys() <= _FIELDS:
        raise complain(f"has an unknown field {brief(next(iter(document.keys() - _FIELDS)))}")
    if not _is_utf8_text(document.get("id")):
        raise complain("has no id")
    class_name = document.get("class_name")
    if class_name is not None and not (_is_utf8_text(class_name) and class_name.strip()):
        raise complain(f"has {brief(class_name)} as its class, not a name")
    if not isinstance(document.get("iscrowd", False), bool):
        raise complain(f'has {brief(document["iscrowd"])} as "iscrowd", not true or false')
    if document.get("source", "human") not in ("human", "model"):
        raise complain(f'has {brief(document["source"])} as its source, not "human" or "model"')
    score = document.get("score")
    if score is not None:
        _check_number(score, "score", complain)
    if document.get("keypoints") is not None:
        _check_keypoints(document["keypoints"], "keypoints", complain)
    for name in ("attributes", "extras"):
        if name in document:
            _check_values(document[name], name, complain)
    _check_shape(document.get("shape"), complain)


def _check_values(values: Any, name: str, complain: Complain) -> None:
    """Raise the error of `complain` unless a region's attributes or extras are a valid dict."""
    if not isinstance(values, dict):
        raise complain(f"has {brief(values)} as its {name}, not a group of named values")
    if json_columns.is_deep(values):
        raise complain(f"has {name} that are nested too deep")
    if name == "extras":
        try:
            json_columns.require_extras(values, "what its label file said of it")
        except StudioError as error:
            raise complain(f"is damaged ({str(error).split(';')[0]})") from None


def _is_utf8_text(value: Any) -> bool:
    """Whether a value of a region's JSON is a string that can be encoded as UTF-8."""
    if not isinstance(value, str):
        return False
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:  # a lone surrogate
        return False


_NUMBER_FIELDS: dict[str, tuple[str, ...]] = {
    "rect": ("x", "y", "width", "height"),
    "circle": ("cx", "cy", "r"),
    "ellipse": ("cx", "cy", "rx", "ry", "theta"),
    "point": ("cx", "cy"),
}
"""Kind of shape that has only numbers -> all its fields."""

_LIST_FIELDS: dict[str, frozenset[str]] = {
    "polygon": frozenset(("points",)),
    "polyline": frozenset(("points",)),
    "keypoints": frozenset(("points",)),
    "multipolygon": frozenset(("parts",)),
    "rle": frozenset(("size", "counts")),
}


def _check_shape(shape: Any, complain: Complain) -> None:
    """Raise the error of `complain` unless a region's shape has a known kind and valid fields."""
    if not isinstance(shape, dict):
        raise complain(f"has {brief(shape)} as its shape, not a group of named values")
    kind = shape.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise complain(f"has a shape of the unknown kind {brief(kind)}")
    fields = frozenset(_NUMBER_FIELDS[kind]) if kind in _NUMBER_FIELDS else _LIST_FIELDS[kind]
    if shape.keys() - {"kind"} != fields:
        raise complain(f"has a {kind} without, or with more than, {', '.join(sorted(fields))}")
    if kind in _NUMBER_FIELDS:
        for name in _NUMBER_FIELDS[kind]:
            _check_number(shape[name], name, complain)
    elif kind == "keypoints":
        _check_keypoints(shape["points"], "keypoints", complain)
    elif kind == "multipolygon":
        for part in _require_list(shape["parts"], "parts", complain):
            for ring in _require_list(part, "part", complain):
                _check_points(ring, complain)
    elif kind == "rle":
        _check_mask(shape["size"], shape["counts"], complain)
    else:
        _check_points(shape["points"], complain)


def _require_list(value: Any, name: str, complain: Complain) -> list[Any] | tuple[Any, ...]:
    """Return a value of a region's JSON if it is a list, else raise the error of `complain`."""
    if not isinstance(value, list | tuple):
        raise complain(f"has {brief(value)} as its {name}, not a list")
    return value


def _check_number(value: Any, name: str, complain: Complain) -> None:
    """Raise the error of `complain` unless a value of a region's JSON is a finite number in range."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise complain(f"has {brief(value)} as its {name}, not a number")
    if value != value or value in (math.inf, -math.inf):
        raise complain(f"has {brief(value)} as its {name}, which is not a finite number")
    if not -FARTHEST <= value <= FARTHEST:
        raise complain(f"has {brief(value)} as its {name}, which is no place in a picture")


def _check_points(points: Any, complain: Complain) -> None:
    """Raise the error of `complain` unless an outline of a region's JSON is pairs of valid numbers."""
    if not _are_lists_of_length(2, _require_list(points, "outline", complain)):
        raise complain("has an outline that is not pairs of numbers")
    _check_region_numbers(points, "outline", complain)


def _check_keypoints(points: Any, name: str, complain: Complain) -> None:
    """Raise the error of `complain` unless keypoints of a region's JSON are (x, y, visibility)."""
    if not _are_lists_of_length(3, _require_list(points, name, complain)):
        raise complain(f"has {name} that are not x, y and visibility")
    _check_region_numbers(points, name, complain)
    if not all(visibility in (0, 1, 2) for _, _, visibility in points):
        raise complain(f"has {name} whose visibility is not 0, 1 or 2")


def _are_lists_of_length(length: int, values: list[Any] | tuple[Any, ...]) -> bool:
    """Whether all values of a region's JSON are lists (or tuples) of this length."""
    # `map` is fast; an import may have millions of vertices.
    return {list, tuple}.issuperset(map(type, values)) and {length}.issuperset(map(len, values))


def _check_region_numbers(points: Any, name: str, complain: Complain) -> None:
    """Raise the error of `complain` unless all coordinates in lists of a region's JSON are valid numbers."""
    values = list(chain.from_iterable(points))
    if not values or (
        {int, float}.issuperset(map(type, values))
        # `min` and `max` may miss a NaN, but the sum is then NaN.
        and min(values) >= -FARTHEST
        and max(values) <= FARTHEST
        and (total := sum(values)) == total
    ):
        return
    for value in values:  # finds the first invalid number for the message; NumPy numbers are accepted
        _check_number(value, name, complain)


def _check_mask(size: Any, counts: Any, complain: Complain) -> None:
    """Raise the error of `complain` unless a run-length mask of a region's JSON is valid."""
    # pycocotools does not check its input: a code that is longer than the mask makes it write outside its memory.
    if not isinstance(size, list | tuple) or len(size) != 2 or not all(type(s) is int and s > 0 for s in size):
        raise complain(f"has a mask of size {brief(size)}, not height and width")
    height, width = size
    if height * width > MOST_PIXELS:
        raise complain(f"has a mask of {brief(width)} x {brief(height)} px, more than any picture")
    if not isinstance(counts, str) or pixels_of(counts) != height * width:
        raise complain("has a mask whose run-length code is damaged")
