"""Write the entries of pictures and regions of a VIA document; see `via` for the flavours and for what is restored from
`extras`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats.dropped_info import DroppedInfo, count_dataset_info
from maskrcnn.annotations.formats.exported_outline import needs_single_outline, single_outline
from maskrcnn.annotations.formats.json_values import Json, brief
from maskrcnn.annotations.formats.via import class_attributes, class_values
from maskrcnn.annotations.formats.via.attribute_definitions import add_definitions
from maskrcnn.annotations.formats.via.keypoint_and_score_attributes import (
    attributes_to_write,
    line_through_keypoints,
    renamed_attributes,
)
from maskrcnn.annotations.formats.via.picture_entry_reading import CLOSES, picture_file_size, picture_key
from maskrcnn.annotations.formats.via.write_back_notes import EMPTY_PARTS, via_notes
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
from maskrcnn.annotations.unused_names import UnusedNames

WORDS = {"via1": "VIA 1.x", "via2": "VIA 2.x", "via-project": "VIA 2.x projects", "via-csv": "VIA CSV"}


@dataclass
class Survey:
    """Facts about all regions that are needed before the first region is written."""

    class_attribute: str | None = None
    used: set[str] = field(default_factory=set)
    region_attributes: dict[str, Json] = field(default_factory=dict)
    file_attributes: dict[str, Json] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    """Original keys of pictures, if they are not made of file name and size."""


def survey_regions(dataset: Dataset, flavour: str, dropped: DroppedInfo) -> Survey:
    """Return the attributes and classes in use, from one pass over all regions before their entries are written. Counts
    in `dropped` what the flavour cannot hold."""
    found = Survey()
    have_class_like_values = False
    splits = set()
    taken: set[str] = set()
    for record in dataset.images:
        splits.add(record.split)
        add_definitions(found.file_attributes, record.attributes)
        noted = via_notes(record.extras, flavour)
        if "key" in noted:
            found.keys.add(noted["key"])
        fields = noted.get("fields")
        if flavour == "via-csv" and fields and any(value != "" for value in fields.values()):
            dropped.add(
                "further fields of {pictures} (an embedded picture, say) left out, as VIA CSV has no place for them"
            )
        for region in record.regions:
            if not _has_anything_drawn(region.shape):
                dropped.add(
                    "{regions} left out because nothing is drawn: a mask without a pixel, an outline without a vertex"
                )
                continue
            if region.class_name is not None:
                found.used.add(region.class_name)
            have_class_like_values = have_class_like_values or class_values.has_class_like_value(region.attributes)
            attributes = attributes_to_write(region, None, {}, {})
            taken.update(attributes)
            add_definitions(found.region_attributes, attributes)
            for name, other in renamed_attributes(region, dataset.class_attribute).items():
                dropped.add(
                    f"{{regions}} with an attribute {brief(name)} have it as {brief(other)}, "
                    "as that name is needed there"
                )
            if needs_single_outline(region.shape):
                dropped.add(
                    "{regions} in several parts, with holes or drawn as masks became one outline each, as VIA has no "
                    "other"
                )
            if flavour == "via-csv" and "region" in via_notes(region.extras, flavour):
                dropped.add("further fields of {regions} left out, as VIA CSV has no place for them")
    found.class_attribute = dataset.class_attribute
    if found.class_attribute is None:
        found.class_attribute = class_attributes.new_class_attribute({*found.used}, taken, have_class_like_values)
    if len(splits) > 1:
        dropped.add(f"which pictures are for training and which for validation is not said, as {WORDS[flavour]} cannot")
    if flavour != "via-project":
        count_dataset_info(dataset, dropped, WORDS[flavour], keypoint_names=True, unused_classes=True)
    return found


def without_empty_shapes(record: ImageRecord) -> ImageRecord:
    """Return the record without regions that have nothing to draw, because VIA's readers refuse them."""
    kept = tuple(region for region in record.regions if _has_anything_drawn(region.shape))
    return record if len(kept) == len(record.regions) else replace(record, regions=kept)


def _has_anything_drawn(shape: Shape) -> bool:
    """Whether VIA can show a shape: it has at least one vertex, or one pixel if it is a mask."""
    match shape:
        case RLE():
            return raster.area(shape, *shape.size) > 0
        case MultiPolygon():
            return any(ring for part in shape.parts for ring in part)
        case Polygon() | Polyline():
            return bool(shape.points)
    return True


# Pictures


def picture_entries(dataset: Dataset, flavour: str, found: Survey) -> Iterator[tuple[str, Json]]:
    """Yield the key and entry of each picture of a VIA document, in order. All keys are different.

    The key is the one noted when the picture was read. A picture without such a note gets the usual key, and if that
    key or the noted one is used already, an unused one made from it.
    """
    given: set[str] = set()
    unused = UnusedNames(found.keys, "{name}_{number}", first=1, key=str)
    for record in map(without_empty_shapes, dataset.images):
        noted = via_notes(record.extras, flavour)
        size = file_size_to_write(record, noted)
        key = noted.get("key")
        if key is None or key in given:
            key = unused.take(picture_key(record.file_name, size) if key is None else key)
        given.add(key)
        yield key, _picture_entry(record, size, dataset.extras, flavour, found.class_attribute)


def _picture_entry(
    record: ImageRecord, size: Any, extras: Mapping[str, Any], flavour: str, class_attribute: str | None
) -> Json:
    """Return the entry of a picture: its fields and the entries of its regions.

    Notes from reading the picture restore its original form. Fields that were missing (`without`) are left out again if
    they are still empty, and fields that are still empty get their original empty value (`empty`), such as null.
    """
    noted = via_notes(record.extras, flavour)
    image: Json = {"fileref": "", "base64_img_data": ""} if flavour == "via1" else {}
    image |= {**noted.get("fields", {}), "filename": record.file_name, "size": size}
    regions = [region_entry(region, class_attribute, extras, flavour) for region in record.regions]
    as_group = noted.get("regions", "group" if flavour == "via1" else "list") == "group"
    image["regions"] = _regions_by_number(record, regions, flavour) if as_group else regions
    image["file_attributes"] = dict(record.attributes)
    for name in noted.get("without", ()):
        if image.get(name) in EMPTY_PARTS:
            image.pop(name, None)
    return image | {name: value for name, value in noted.get("empty", {}).items() if not image.get(name)}


def _regions_by_number(record: ImageRecord, regions: list[Json], flavour: str) -> Json:
    """Return the regions as an object by number, as in VIA 1.x: with their numbers in the file, and unused numbers
    for new regions."""
    stated = [via_notes(region.extras, flavour).get("number") for region in record.regions]
    taken = set(stated) - {None}
    result: Json = {}
    following = len(regions)
    for position, (number, region) in enumerate(zip(stated, regions, strict=True)):
        if number is None or number in result:
            number = str(position)
            while number in taken or number in result:
                number = str(following)
                following += 1
        result[number] = region
    return result


def file_size_to_write(record: ImageRecord, noted: Mapping[str, Any]) -> Any:
    """Return the size of the picture's file to write: as in the label file, else that of the file on disk, else VIA's
    -1.

    None if the label file had no size (`without`) and none was set since. A known size replaces an unknown one.
    """
    if "size" in noted and picture_file_size(noted["size"]) == record.file_size:
        return noted["size"]
    if record.file_size is not None and record.file_size >= 0:
        return record.file_size
    if "size" in noted.get("without", ()):
        return None
    return record.path.stat().st_size if record.path is not None and record.path.is_file() else -1


# Regions


def region_entry(region: Region, class_attribute: str | None, extras: Mapping[str, Any], flavour: str) -> Json:
    """Return a region as VIA writes it. `extras` are those of its dataset."""
    noted = via_notes(region.extras, flavour)
    without = noted.get("without", ())
    drawn = _shape_attributes(region.shape, flavour, noted)
    if "theta" in without and drawn.get("theta") == 0:
        del drawn["theta"]
    document = {**noted.get("region", {}), "shape_attributes": {**noted.get("shape", {}), **drawn}}
    attributes = attributes_to_write(region, class_attribute, extras, noted)
    if attributes:
        document["region_attributes"] = attributes
    elif "region_attributes" not in without:  # empty, written as in the file it was read from
        document["region_attributes"] = noted.get("empty", {}).get("region_attributes", {})
    return document


def _shape_attributes(shape: Shape, flavour: str, noted: Mapping[str, Any]) -> Json:
    """Return the `shape_attributes` of a shape."""
    points: Points
    match shape:
        case Rect():
            return {"name": "rect", "x": shape.x, "y": shape.y, "width": shape.width, "height": shape.height}
        case Circle():
            return {"name": "circle", "cx": shape.cx, "cy": shape.cy, "r": shape.r}
        case Ellipse():
            ellipse = {"name": "ellipse", "cx": shape.cx, "cy": shape.cy, "rx": shape.rx, "ry": shape.ry}
            # VIA 1.x has no rotated ellipses, but an ellipse with an angle must not lose it.
            return ellipse if flavour == "via1" and shape.theta == 0 else {**ellipse, "theta": shape.theta}
        case Point():
            return {"name": "point", "cx": shape.cx, "cy": shape.cy}
        case Polyline():
            return {"name": "polyline", **_vertex_lists(shape.points)}
        case Keypoints():
            return _shape_attributes(line_through_keypoints(shape), flavour, noted)
        case Polygon():
            points = shape.points
        case MultiPolygon() | RLE():
            points = single_outline(shape)
    n_repeats = noted.get("closed", int(CLOSES[flavour]))  # how often the first vertex is repeated at the end
    return {"name": "polygon", **_vertex_lists((*points, *(points[:1] * n_repeats)))}


def _vertex_lists(points: Points) -> Json:
    """Return the vertices of a polygon or polyline as VIA writes them: all x, and all y."""
    return {"all_points_x": [x for x, _ in points], "all_points_y": [y for _, y in points]}
