"""Reading one picture of a VIA document; see `via` for the flavours and for what is kept in `extras`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from maskrcnn.annotations.formats.json_values import (
    FARTHEST,
    Complaint,
    Json,
    brief,
    length,
    mapping,
    number,
    numbers,
    plain,
    require_few_regions,
    text,
)
from maskrcnn.annotations.formats.via import attribute_tally
from maskrcnn.annotations.formats.via.attribute_tally import is_yes
from maskrcnn.annotations.regions import (
    Circle,
    Ellipse,
    ImageRecord,
    Keypoints,
    Point,
    Points,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
    new_id,
)

CLOSES: dict[str, bool] = {"via1": True, "via2": False, "via-project": False, "via-csv": False}
"""Whether a polygon of that flavour repeats its first vertex at the end."""

MEND = "mend it in VIA, or take it out of the file"

KEYPOINTS = "keypoints"
SOURCE = "maskrcnn_source"
SCORE = "maskrcnn_score"
"""Region attributes in which the studio writes what VIA has no place for."""

_OURS = frozenset((KEYPOINTS, SOURCE, SCORE))
_REGION_FIELDS = {"shape_attributes", "region_attributes"}
_IMAGE_FIELDS = {"filename", "size", "regions", "file_attributes"}
_LARGEST_FILE = 2**53
_LONGEST_KEYPOINTS = 100_000
_LONGEST_NAME = 80
_MOST_REPEATED = 50


@dataclass(frozen=True)
class Reader:
    """Makes records of the pictures of one file: regions have no class yet, it stands among their attributes.

    Region ids begin with `token` and go on with the numbers of picture and region, so that reading the same place twice
    gives the same region. `unlisted` are the keys of pictures that a project's own list leaves out. `is_checked` says
    that these very entries were read before without a complaint, so vertices need not be looked at again.
    """

    complain: Complaint
    flavour: str
    unlisted: frozenset[str] = frozenset()
    is_checked: bool = False
    token: str = field(default_factory=lambda: new_id()[:16])

    def record(
        self, index: int, key: str, image: Any, place: str | None = None, region_places: Sequence[str] | None = None
    ) -> ImageRecord:
        """Picture number `index` of the file, which stands there under `key`; the places are for messages.

        Raises `StudioError` naming the picture and region for anything that cannot be what VIA wrote.
        """
        at_key = self.complain.at(place or f"picture {brief(key, _LONGEST_NAME)}")
        image = mapping(image, "its entry", at_key)
        file_name = text(image.get("filename"), '"filename"', at_key)
        if not file_name.strip():
            raise at_key('has an empty "filename"')
        named = brief(file_name, _LONGEST_NAME)
        here = self.complain.at(place or f"picture {named}")

        drawn = [] if (drawn := image.get("regions")) in _NOTHING else drawn
        if not isinstance(drawn, dict | list):
            raise here(f'has {brief(drawn)} as "regions", neither a list nor a group')
        require_few_regions(len(drawn), here)
        numbered = drawn.items() if isinstance(drawn, dict) else ((None, region) for region in drawn)
        regions = []
        for position, (region_number, region) in enumerate(numbered):
            region_place = region_places[position] if region_places else f"region {position + 1} of {named}"
            region_id = f"{self.token}{index:08x}{position:08x}"
            regions.append(self._region(region, region_number, position, region_id, self.complain.at(region_place)))

        attributes = _group(image, "file_attributes", here)
        _require_plain(attributes, "file attributes", here)
        file_size = size_of(image.get("size"))
        extras = self._extras_of(key, image, file_name, file_size)
        _require_plain(extras, "fields", here)
        return ImageRecord(file_name, tuple(regions), file_size=file_size, attributes=attributes, extras=extras)

    def _extras_of(self, key: str, image: Json, file_name: str, file_size: int | None) -> Json:
        """What a picture's entry says beyond its record, or unlike this flavour would."""
        is_one_x = self.flavour == "via1"
        expected = {*_IMAGE_FIELDS, "fileref", "base64_img_data"} if is_one_x else _IMAGE_FIELDS
        own: Json = {}
        if without := sorted(expected - image.keys()):
            own["without"] = without
        if "size" in image and (file_size is None or file_size < 0 or type(image["size"]) is not int):
            own["size"] = image["size"]
        if key != key_of(file_name, image.get("size")):
            own["key"] = key
        if key in self.unlisted:
            own["unlisted"] = True
        if "regions" in image and isinstance(image["regions"], dict) != is_one_x:
            own["regions"] = "group" if isinstance(image["regions"], dict) else "list"
        if empty := _empty(image, ("regions", "file_attributes")):
            own["empty"] = empty
        fields = {
            name: value
            for name, value in image.items()
            if name not in _IMAGE_FIELDS and not (is_one_x and name in expected and value == "")
        }
        return noted({}, self.flavour, own, {"fields": fields} if fields else {})

    def _region(
        self, region: Any, region_number: str | None, position: int, region_id: str, complain: Complaint
    ) -> Region:
        region = mapping(region, "its entry", complain)
        drawn = mapping(region.get("shape_attributes"), '"shape_attributes"', complain)
        attributes = _group(region, "region_attributes", complain)
        _require_plain(attributes, "attributes", complain)

        own: Json = {}
        kept: Json = {}
        shape = self._shape(drawn, own, kept, complain)
        if region_number is not None and region_number != str(position):
            own["number"] = region_number
        if region.keys() != _REGION_FIELDS:
            if "region_attributes" not in region:
                own.setdefault("without", []).append("region_attributes")
            if further := {name: value for name, value in region.items() if name not in _REGION_FIELDS}:
                kept["region"] = further
        if empty := _empty(region, ("region_attributes",)):
            own["empty"] = empty
        is_crowd = is_yes(attributes.get(attribute_tally.CROWD))
        ours = _Ours(attributes, shape)
        if not _OURS.isdisjoint(attributes):
            ours = _taken_out(attributes, shape, kept)
        extras = noted({}, self.flavour, own, kept) if own or kept else {}
        if kept:
            _require_plain(kept, "fields", complain)
        return Region(
            ours.shape, None, ours.attributes, is_crowd, ours.source, ours.score, ours.keypoints, extras, region_id
        )

    def _shape(self, drawn: Json, own: Json, kept: Json, complain: Complaint) -> Shape:
        shape: Shape
        match drawn.get("name"):
            case "polygon":
                known, points = _VERTICES, self._points(drawn, complain)
                repeated = 0
                while len(points) > 1 and points[0] == points[-1]:
                    points, repeated = points[:-1], repeated + 1
                    if repeated > _MOST_REPEATED:
                        raise complain(f"has its first vertex more than {_MOST_REPEATED} times at the end")
                if repeated != CLOSES[self.flavour]:
                    own["closed"] = repeated
                shape = Polygon(points)
            case "polyline":
                known, shape = _VERTICES, Polyline(self._points(drawn, complain))
            case "rect":
                known, (x, y) = _RECT, (number(drawn, "x", complain), number(drawn, "y", complain))
                shape = Rect(x, y, length(drawn, "width", complain), length(drawn, "height", complain))
            case "circle":
                known, centre = _CIRCLE, _centre(drawn, complain)
                shape = Circle(*centre, length(drawn, "r", complain))
            case "ellipse":
                known, centre = _ELLIPSE, _centre(drawn, complain)
                axes = length(drawn, "rx", complain), length(drawn, "ry", complain)
                theta = number(drawn, "theta", complain) if "theta" in drawn else 0.0
                shape = Ellipse(*centre, *axes, theta)
                if "theta" not in drawn and self.flavour != "via1":
                    own["without"] = ["theta"]
                if "theta" in drawn and theta == 0 and self.flavour == "via1":
                    kept["shape"] = {"theta": theta}
            case "point":
                known, shape = _POINT, Point(*_centre(drawn, complain))
            case other:
                raise complain(
                    f"has the shape {brief(other)}; VIA's shapes are rect, circle, ellipse, polygon, polyline and point"
                )
        if not drawn.keys() <= known:
            further = {name: value for name, value in drawn.items() if name not in known}
            kept["shape"] = {**kept.get("shape", {}), **further}
        return shape

    def _points(self, drawn: Json, complain: Complaint) -> Points:
        if self.is_checked:
            return tuple(zip(drawn["all_points_x"], drawn["all_points_y"], strict=True))
        xs, ys = numbers(drawn, "all_points_x", complain), numbers(drawn, "all_points_y", complain)
        if len(xs) != len(ys):
            raise complain(f'has {len(xs)} "all_points_x" but {len(ys)} "all_points_y"')
        if not xs:
            raise complain('has no vertex in "all_points_x"')
        return tuple(zip(xs, ys, strict=True))


_VERTICES = {"name", "all_points_x", "all_points_y"}
_RECT = {"name", "x", "y", "width", "height"}
_CIRCLE = {"name", "cx", "cy", "r"}
_ELLIPSE = {"name", "cx", "cy", "rx", "ry", "theta"}
_POINT = {"name", "cx", "cy"}


def _centre(drawn: Json, complain: Complaint) -> tuple[float, float]:
    return number(drawn, "cx", complain), number(drawn, "cy", complain)


def _group(holder: Json, name: str, complain: Complaint) -> Json:
    """A group of attributes; other programs write one of none as null, "" or []."""
    value = holder.get(name)
    return {} if value in _NOTHING else mapping(value, f'"{name}"', complain)


def _empty(holder: Json, names: Sequence[str]) -> Json:
    """How empty parts stand in the file, where not as VIA writes them."""
    return {
        name: holder[name]
        for name in names
        if name in holder
        and holder[name] in _NOTHING
        and holder[name] != {}
        and (name, holder[name]) != ("regions", [])
    }


_NOTHING: tuple[Any, ...] = (None, "", [], {})


def size_of(value: Any) -> int | None:
    """Bytes of the picture's file; VIA's converters also write them as text. None for what is no number: the size only
    tells pictures of one name apart, and is written back as it was read."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        size = int(float(value)) if isinstance(value, str) and "." in value else int(value)
    except (ValueError, OverflowError):
        return None
    return size if abs(size) <= _LARGEST_FILE else None


def key_of(file_name: str, size: Any) -> str:
    """The key under which VIA keeps a picture."""
    return f"{file_name}{-1 if size is None or size == '' else size}"


def noted(extras: Mapping[str, Any], flavour: str, own: Json, kept: Json) -> Json:
    """The extras with notes under "via": `own` are valid for a file of that flavour only, `kept` for any."""
    if not own and not kept:
        return dict(extras)
    further = {"flavour": flavour, **own} if own else {}
    return {**extras, "via": {**extras.get("via", {}), **further, **kept}}


def notes(extras: Mapping[str, Any], flavour: str) -> Mapping[str, Any]:
    """The notes that `noted` stored and that are valid for a file of that flavour."""
    kept_notes = extras.get("via", {})
    if kept_notes.get("flavour", flavour) == flavour:
        return kept_notes
    return {name: kept_notes[name] for name in _FOR_ALL_FLAVOURS if name in kept_notes}


_FOR_ALL_FLAVOURS = ("fields", "region", "shape", "class_value", KEYPOINTS)


def _require_plain(values: Json, what: str, complain: Complaint) -> None:
    for value in values.values():
        if isinstance(value, dict | list):
            plain(value, what, complain)


# What VIA has no place for


class _Ours(NamedTuple):
    attributes: Json
    shape: Shape
    keypoints: Keypoints | None = None
    source: Literal["human", "model"] = "human"
    score: float | None = None


def _taken_out(attributes: Json, shape: Shape, kept: Json) -> _Ours:
    """The region without the attributes that the studio wrote, and what they say."""
    attributes = dict(attributes)
    source: Literal["human", "model"] = "human"
    if attributes.get(SOURCE) == "model":
        source = "model"
        del attributes[SOURCE]
    score = score_from(attributes.get(SCORE))
    if score is not None:
        del attributes[SCORE]
    keypoints = keypoints_from(attributes.get(KEYPOINTS))
    if keypoints is not None:
        kept_notes = attributes.pop(KEYPOINTS)
        if kept_notes != keypoints_text(keypoints):
            kept[KEYPOINTS] = kept_notes
        if shape == outline_of_keypoints(keypoints):
            shape, keypoints = keypoints, None
    return _Ours(attributes, shape, keypoints, source, score)


def score_from(value: Any) -> float | None:
    """The score that an attribute says; None where it says none."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST
    return value if is_number else None


def keypoints_text(keypoints: Keypoints) -> str:
    """Keypoints as the text of an attribute: `[[x, y, visibility], ...]`."""
    return json.dumps(keypoints.points, allow_nan=False)


def keypoints_from(value: Any) -> Keypoints | None:
    """The keypoints that an attribute's text says; None where it says none."""
    if not isinstance(value, str) or not value.startswith("[") or len(value) > _LONGEST_KEYPOINTS:
        return None
    try:
        places = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return Keypoints(tuple(tuple(place) for place in places)) if all(map(_is_keypoint, places)) else None


def _is_keypoint(place: Any) -> bool:
    return (
        isinstance(place, list)
        and len(place) == 3
        and all(type(value) in (int, float) and abs(value) <= FARTHEST for value in place)
        and type(place[2]) is int
        and place[2] in (0, 1, 2)
    )


def outline_of_keypoints(keypoints: Keypoints) -> Shape:
    """What VIA shows of an object of which only keypoints were drawn: a line through those that are labelled."""
    labelled = tuple((x, y) for x, y, visibility in keypoints.points if visibility)
    if len(labelled) > 1:
        return Polyline(labelled)
    return Point(*labelled[0]) if labelled else Point(0, 0)
