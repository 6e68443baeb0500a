"""Read the entry of one picture of a VIA document, with its regions; see `via` for the flavours and for what is kept
in `extras`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.formats.json_values import (
    Complaint,
    Json,
    brief,
    checked_depth,
    length,
    mapping,
    number,
    numbers,
    require_few_regions,
    text,
)
from maskrcnn.annotations.formats.via import class_values
from maskrcnn.annotations.formats.via.class_values import is_crowd_value
from maskrcnn.annotations.formats.via.keypoint_and_score_attributes import (
    STUDIO_ATTRIBUTES,
    StudioAttributes,
    take_studio_attributes,
)
from maskrcnn.annotations.formats.via.write_back_notes import EMPTY_PARTS, unusual_empty_parts, with_via_notes
from maskrcnn.annotations.regions import Circle, Ellipse, Point, Points, Polygon, Polyline, Rect, Region, Shape, new_id

CLOSES: dict[str, bool] = {"via1": True, "via2": False, "via-project": False, "via-csv": False}
"""Whether a polygon of the flavour repeats its first vertex at the end."""

MEND = "mend it in VIA, or take it out of the file"
_REGION_FIELDS = {"shape_attributes", "region_attributes"}
_IMAGE_FIELDS = {"filename", "size", "regions", "file_attributes"}
_LARGEST_FILE = 2**53
_LONGEST_NAME = 80
_MOST_REPEATED = 50


@dataclass(frozen=True)
class ViaReader:
    """Creates the records of the pictures of one file. Regions have no class yet; it is still among their attributes.

    Region ids consist of `token` and the numbers of picture and region, so reading the same place twice gives the same
    region. `unlisted` are the keys of pictures that are missing in a project's own list. `is_checked` is true if these
    entries were read before without an error, so the vertices need no second check.
    """

    complain: Complaint
    flavour: str
    unlisted: frozenset[str] = frozenset()
    is_checked: bool = False
    token: str = field(default_factory=lambda: new_id()[:16])

    def record(
        self, index: int, key: str, image: Any, place: str | None = None, region_places: Sequence[str] | None = None
    ) -> ImageRecord:
        """Return picture number `index` of the file, which has the key `key`. The places are for messages.

        Raises `StudioError` that names the picture and region if the entry is invalid.
        """
        at_key = self.complain.at(place or f"picture {brief(key, _LONGEST_NAME)}")
        image = mapping(image, "its entry", at_key)
        file_name = text(image.get("filename"), '"filename"', at_key)
        if not file_name.strip():
            raise at_key('has an empty "filename"')
        named = brief(file_name, _LONGEST_NAME)
        here = self.complain.at(place or f"picture {named}")

        entries = image.get("regions")
        if entries in EMPTY_PARTS:
            entries = []
        if not isinstance(entries, dict | list):
            raise here(f'has {brief(entries)} as "regions", neither a list nor a group')
        require_few_regions(len(entries), here)
        numbered = entries.items() if isinstance(entries, dict) else ((None, region) for region in entries)
        regions = []
        for position, (region_number, region) in enumerate(numbered):
            region_place = region_places[position] if region_places else f"region {position + 1} of {named}"
            region_id = f"{self.token}{index:08x}{position:08x}"
            regions.append(self._region(region, region_number, position, region_id, self.complain.at(region_place)))

        attributes = _attribute_group(image, "file_attributes", here)
        _require_depth_of_values(attributes, "file attributes", here)
        file_size = picture_file_size(image.get("size"))
        extras = self._extras_of(key, image, file_name, file_size)
        _require_depth_of_values(extras, "fields", here)
        return ImageRecord(file_name, tuple(regions), file_size=file_size, attributes=attributes, extras=extras)

    def _extras_of(self, key: str, image: Json, file_name: str, file_size: int | None) -> Json:
        """Return the `extras` of the entry of a picture, for writing it back: the fields that the record has no place
        for, and notes where the entry differs from how this flavour is usually written (`write_back_notes`).

        The notes are: the fields that are missing (`without`), a `size` that is no usual number, a `key` that is not
        made of name and size, a picture that the project does not list (`unlisted`), `regions` if they are a list in
        VIA 1.x or a group (JSON object) in another flavour, and `empty` parts that are written as null or "", say.
        """
        is_via1 = self.flavour == "via1"
        expected = {*_IMAGE_FIELDS, "fileref", "base64_img_data"} if is_via1 else _IMAGE_FIELDS
        flavour_notes: Json = {}
        if without := sorted(expected - image.keys()):
            flavour_notes["without"] = without
        if "size" in image and (file_size is None or file_size < 0 or type(image["size"]) is not int):
            flavour_notes["size"] = image["size"]
        if key != picture_key(file_name, image.get("size")):
            flavour_notes["key"] = key
        if key in self.unlisted:
            flavour_notes["unlisted"] = True
        is_group = isinstance(image.get("regions"), dict)
        should_be_group = is_via1
        if "regions" in image and is_group != should_be_group:
            flavour_notes["regions"] = "group" if is_group else "list"
        if empty := unusual_empty_parts(image, ("regions", "file_attributes")):
            flavour_notes["empty"] = empty
        fields = {
            name: value
            for name, value in image.items()
            if name not in _IMAGE_FIELDS and not (is_via1 and name in expected and value == "")
        }
        return with_via_notes({}, self.flavour, flavour_notes, {"fields": fields} if fields else {})

    def _region(
        self, region: Any, region_number: str | None, position: int, region_id: str, complain: Complaint
    ) -> Region:
        """Return the region of an entry, without its class.

        Its `extras` have notes for writing the entry back: `notes` for a file of any flavour (unknown fields),
        `flavour_notes` only for one of the same flavour.
        """
        region = mapping(region, "its entry", complain)
        drawn = mapping(region.get("shape_attributes"), '"shape_attributes"', complain)
        attributes = _attribute_group(region, "region_attributes", complain)
        _require_depth_of_values(attributes, "attributes", complain)

        flavour_notes: Json = {}
        notes: Json = {}
        shape = self._shape(drawn, flavour_notes, notes, complain)
        if region_number is not None and region_number != str(position):
            flavour_notes["number"] = region_number
        if region.keys() != _REGION_FIELDS:
            if "region_attributes" not in region:
                flavour_notes.setdefault("without", []).append("region_attributes")
            if further := {name: value for name, value in region.items() if name not in _REGION_FIELDS}:
                notes["region"] = further
        if empty := unusual_empty_parts(region, ("region_attributes",)):
            flavour_notes["empty"] = empty
        is_crowd = is_crowd_value(attributes.get(class_values.CROWD))
        ours = StudioAttributes(attributes, shape)
        if not STUDIO_ATTRIBUTES.isdisjoint(attributes):
            ours = take_studio_attributes(attributes, shape, notes)
        extras = with_via_notes({}, self.flavour, flavour_notes, notes) if flavour_notes or notes else {}
        if notes:
            _require_depth_of_values(notes, "fields", complain)
        return Region(
            ours.shape, None, ours.attributes, is_crowd, ours.source, ours.score, ours.keypoints, extras, region_id
        )

    def _shape(self, drawn: Json, flavour_notes: Json, notes: Json, complain: Complaint) -> Shape:
        """Return the shape of the `shape_attributes` `drawn`, and add notes for writing it back to two dictionaries.

        `notes`, for a file of any flavour, get `shape`: the fields that the shape has no place for. `flavour_notes`,
        for one of the same flavour, get `closed` (how often the first vertex is repeated at the end, if that is unusual
        for the flavour, see `CLOSES`) and `without` (the angle, if an ellipse has none).
        """
        shape: Shape
        match drawn.get("name"):
            case "polygon":
                known, points = _VERTICES, self._points(drawn, complain)
                repeated = 0
                while len(points) > 1 and points[0] == points[-1]:
                    points, repeated = points[:-1], repeated + 1
                    if repeated > _MOST_REPEATED:
                        raise complain(f"has its first vertex more than {_MOST_REPEATED} times at the end")
                if repeated != int(CLOSES[self.flavour]):
                    flavour_notes["closed"] = repeated
                shape = Polygon(points)
            case "polyline":
                known, shape = _VERTICES, Polyline(self._points(drawn, complain))
            case "rect":
                known, (x, y) = _RECT, (number(drawn, "x", complain), number(drawn, "y", complain))
                shape = Rect(x, y, length(drawn, "width", complain), length(drawn, "height", complain))
            case "circle":
                known, centre = _CIRCLE, _shape_centre(drawn, complain)
                shape = Circle(*centre, length(drawn, "r", complain))
            case "ellipse":
                known, centre = _ELLIPSE, _shape_centre(drawn, complain)
                axes = length(drawn, "rx", complain), length(drawn, "ry", complain)
                theta = number(drawn, "theta", complain) if "theta" in drawn else 0.0
                shape = Ellipse(*centre, *axes, theta)
                if "theta" not in drawn and self.flavour != "via1":
                    flavour_notes["without"] = ["theta"]
                if "theta" in drawn and theta == 0 and self.flavour == "via1":
                    notes["shape"] = {"theta": theta}
            case "point":
                known, shape = _POINT, Point(*_shape_centre(drawn, complain))
            case other:
                raise complain(
                    f"has the shape {brief(other)}; VIA's shapes are rect, circle, ellipse, polygon, polyline and point"
                )
        if not drawn.keys() <= known:
            further = {name: value for name, value in drawn.items() if name not in known}
            notes["shape"] = {**notes.get("shape", {}), **further}
        return shape

    def _points(self, drawn: Json, complain: Complaint) -> Points:
        """Return the vertices of a polygon or polyline."""
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


def _shape_centre(drawn: Json, complain: Complaint) -> tuple[float, float]:
    """Return the centre of a circle, an ellipse or a point in VIA's `shape_attributes`."""
    return number(drawn, "cx", complain), number(drawn, "cy", complain)


def _attribute_group(holder: Json, name: str, complain: Complaint) -> Json:
    """Return an object of attributes. Other programs write an empty one as null, "" or []."""
    value = holder.get(name)
    return {} if value in EMPTY_PARTS else mapping(value, f'"{name}"', complain)


def picture_file_size(value: Any) -> int | None:
    """Read the field `size` of the entry of a picture: the size of its file in bytes, which VIA's converters also write
    as text. None if it is no number: the size only distinguishes pictures of one name, and is written back as it was
    read."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        size = int(float(value)) if isinstance(value, str) and "." in value else int(value)
    except (ValueError, OverflowError):
        return None
    return size if abs(size) <= _LARGEST_FILE else None


def picture_key(file_name: str, size: Any) -> str:
    """Return the key that the entry of a picture usually has in a VIA document, to compare the key that was read with
    it: file name and size."""
    return f"{file_name}{-1 if size is None or size == '' else size}"


def _require_depth_of_values(values: Json, what: str, complain: Complaint) -> None:
    """Raise `StudioError` if a value is nested too deeply to be stored (see `json_values.checked_depth`)."""
    for value in values.values():
        if isinstance(value, dict | list):
            checked_depth(value, what, complain)
