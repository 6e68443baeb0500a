"""Write VIA documents; see `via` for the flavours and for what is restored from `extras`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from maskrcnn.annotations import raster
from maskrcnn.annotations.formats.dropped_info import DroppedInfo, count_dataset_info
from maskrcnn.annotations.formats.json_values import Json, brief
from maskrcnn.annotations.formats.single_outline import single
from maskrcnn.annotations.formats.via import attribute_definitions, attribute_tally, class_rule, class_values
from maskrcnn.annotations.formats.via.assembling import SKELETONS, VERSION, skeletons_document
from maskrcnn.annotations.formats.via.attribute_tally import is_yes
from maskrcnn.annotations.formats.via.reading import (
    CLOSES,
    KEYPOINTS,
    SCORE,
    SOURCE,
    key_of,
    keypoints_from,
    keypoints_text,
    notes,
    outline_of_keypoints,
    score_from,
    size_of,
)
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Dataset,
    Ellipse,
    ImageRecord,
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


def survey(dataset: Dataset, flavour: str, dropped: DroppedInfo) -> Survey:
    """Return the attributes and classes in use, from one pass over all regions. Counts in `dropped` what the flavour
    cannot hold."""
    found = Survey()
    something = False
    splits = set()
    taken: set[str] = set()
    for record in dataset.images:
        splits.add(record.split)
        _collect(found.file_attributes, record.attributes)
        noted = notes(record.extras, flavour)
        if "key" in noted:
            found.keys.add(noted["key"])
        fields = noted.get("fields")
        if flavour == "via-csv" and fields and any(value != "" for value in fields.values()):
            dropped.add(
                "further fields of {pictures} (an embedded picture, say) left out, as VIA CSV has no place for them"
            )
        for region in record.regions:
            if not _has_outline(region.shape):
                dropped.add(
                    "{regions} left out because nothing is drawn: a mask without a pixel, an outline without a vertex"
                )
                continue
            if region.class_name is not None:
                found.used.add(region.class_name)
            something = something or class_rule.says_something(region.attributes)
            attributes = region_attributes(region, None, {}, {})
            taken.update(attributes)
            _collect(found.region_attributes, attributes)
            for name, other in renamed(region, dataset.class_attribute).items():
                dropped.add(
                    f"{{regions}} with an attribute {brief(name)} have it as {brief(other)}, "
                    "as that name is needed there"
                )
            if _needs_joining(region.shape):
                dropped.add(
                    "{regions} in several parts, with holes or drawn as masks became one outline each, as VIA has no "
                    "other"
                )
            if flavour == "via-csv" and "region" in notes(region.extras, flavour):
                dropped.add("further fields of {regions} left out, as VIA CSV has no place for them")
    found.class_attribute = dataset.class_attribute
    if found.class_attribute is None:
        found.class_attribute = class_rule.unnamed_class_attribute({*found.used}, taken, something)
    if len(splits) > 1:
        dropped.add(f"which pictures are for training and which for validation is not said, as {WORDS[flavour]} cannot")
    if flavour != "via-project":
        count_dataset_info(dataset, dropped, WORDS[flavour], keypoint_names=True, unused_classes=True)
    return found


def with_outlines(record: ImageRecord) -> ImageRecord:
    """Return the record without regions that have nothing to draw, because VIA's readers refuse them."""
    kept = tuple(region for region in record.regions if _has_outline(region.shape))
    return record if len(kept) == len(record.regions) else replace(record, regions=kept)


def _has_outline(shape: Shape) -> bool:
    """Whether the shape has at least one vertex, or one pixel if it is a mask."""
    match shape:
        case RLE():
            return raster.area(shape, *shape.size) > 0
        case MultiPolygon():
            return any(ring for part in shape.parts for ring in part)
        case Polygon() | Polyline():
            return bool(shape.points)
    return True


def _needs_joining(shape: Shape) -> bool:
    """Whether a shape is not exactly one outline: it has several, or is a mask."""
    return isinstance(shape, RLE) or (isinstance(shape, MultiPolygon) and sum(map(len, shape.parts)) > 1)


def _collect(definitions: dict[str, Json], attributes: Mapping[str, Any]) -> None:
    """Add VIA definitions of these attributes: text, or checkbox if the options are on or off."""
    for name, value in attributes.items():
        if not isinstance(value, dict):
            definitions.setdefault(name, {"type": "text", "description": "", "default_value": ""})
        elif value and all(isinstance(is_on, bool) for is_on in value.values()):
            fresh = {"type": "checkbox", "description": "", "options": {}, "default_options": {}}
            definition = definitions.setdefault(name, fresh)
            if definition["type"] == "checkbox":
                definition["options"].update({option: option for option in value})


# Pictures


def images(dataset: Dataset, flavour: str, found: Survey) -> Iterator[tuple[str, Json]]:
    """Yield the key and entry of each picture, in order. All keys are different."""
    given: set[str] = set()
    unused = UnusedNames(found.keys, "{name}_{number}", first=1, key=str)
    for record in map(with_outlines, dataset.images):
        noted = notes(record.extras, flavour)
        size = written_size(record, noted)
        key = noted["key"] if "key" in noted else key_of(record.file_name, size)
        if key in given or "key" not in noted:
            key = unused.take(key)
        given.add(key)
        yield key, _image(record, size, dataset.extras, flavour, found.class_attribute)


def _image(
    record: ImageRecord, size: Any, extras: Mapping[str, Any], flavour: str, class_attribute: str | None
) -> Json:
    """Return the entry of a picture with its regions."""
    noted = notes(record.extras, flavour)
    image: Json = {"fileref": "", "base64_img_data": ""} if flavour == "via1" else {}
    image |= {**noted.get("fields", {}), "filename": record.file_name, "size": size}
    regions = [region_document(region, class_attribute, extras, flavour) for region in record.regions]
    as_group = noted.get("regions", "group" if flavour == "via1" else "list") == "group"
    image["regions"] = _numbered(record, regions, flavour) if as_group else regions
    image["file_attributes"] = dict(record.attributes)
    for name in noted.get("without", ()):
        if image.get(name) in (None, "", [], {}):
            image.pop(name, None)
    return image | {name: value for name, value in noted.get("empty", {}).items() if not image.get(name)}


def _numbered(record: ImageRecord, regions: list[Json], flavour: str) -> Json:
    """Return the regions as an object by number, as in VIA 1.x: with their numbers in the file, and unused numbers
    for new regions."""
    stated = [notes(region.extras, flavour).get("number") for region in record.regions]
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


def written_size(record: ImageRecord, noted: Mapping[str, Any]) -> Any:
    """Return the size of the picture's file to write: as in the label file, else that of the file on disk, else VIA's
    -1.

    None if the label file had no size (`without`) and none was set since. A known size replaces an unknown one.
    """
    if "size" in noted and size_of(noted["size"]) == record.file_size:
        return noted["size"]
    if record.file_size is not None and record.file_size >= 0:
        return record.file_size
    if "size" in noted.get("without", ()):
        return None
    return record.path.stat().st_size if record.path is not None and record.path.is_file() else -1


# Regions


def region_document(region: Region, class_attribute: str | None, extras: Mapping[str, Any], flavour: str) -> Json:
    """Return a region as VIA writes it. `extras` are those of its dataset."""
    noted = notes(region.extras, flavour)
    without = noted.get("without", ())
    drawn = _shape_document(region.shape, flavour, noted)
    if "theta" in without and drawn.get("theta") == 0:
        del drawn["theta"]
    document = {**noted.get("region", {}), "shape_attributes": {**noted.get("shape", {}), **drawn}}
    attributes = region_attributes(region, class_attribute, extras, noted)
    if attributes or "region_attributes" not in without:
        document["region_attributes"] = attributes or noted.get("empty", {}).get("region_attributes", attributes)
    return document


def region_attributes(
    region: Region, class_attribute: str | None, extras: Mapping[str, Any], noted: Mapping[str, Any]
) -> Json:
    """Return the region's attributes with its class, and with the information that VIA cannot hold otherwise."""
    attributes = dict(region.attributes)
    is_marked = is_yes(attributes.get(attribute_tally.CROWD))
    if region.iscrowd and not is_marked:
        attributes[attribute_tally.CROWD] = 1
    elif is_marked and not region.iscrowd:
        del attributes[attribute_tally.CROWD]
    for name, other in renamed(region, class_attribute).items():
        attributes[other] = attributes.pop(name)
    if (keypoints := _stored_keypoints(region)) is not None:
        written = noted.get(KEYPOINTS)
        attributes[KEYPOINTS] = written if keypoints_from(written) == keypoints else keypoints_text(keypoints)
    if region.source != "human":
        attributes[SOURCE] = region.source
    if region.score is not None:
        attributes[SCORE] = region.score
    if class_attribute is not None and region.class_name is not None:
        attributes[class_attribute] = class_values.class_value(region, class_attribute, extras)
    return attributes


def renamed(region: Region, class_attribute: str | None) -> dict[str, str]:
    """Return attribute -> new name, for a region's own attributes whose name is needed for something else or would
    be read back as something else: the `keypoints` of another program, for example, or an attribute with the name of
    the class attribute."""
    attributes = region.attributes
    needed = {
        KEYPOINTS: _stored_keypoints(region) is not None or keypoints_from(attributes.get(KEYPOINTS)) is not None,
        SOURCE: region.source != "human" or attributes.get(SOURCE) == "model",
        SCORE: region.score is not None or score_from(attributes.get(SCORE)) is not None,
    }
    if class_attribute is not None and region.class_name is not None:
        needed[class_attribute] = True
    others: dict[str, str] = {}
    for name in (name for name, is_needed in needed.items() if is_needed and name in attributes):
        other = f"{name}_"
        while other in attributes or other in needed:
            other += "_"
        others[name] = other
    return others


def _stored_keypoints(region: Region) -> Keypoints | None:
    """Return the keypoints of a region, even if none of them is labelled."""
    return region.shape if isinstance(region.shape, Keypoints) else region.keypoints


def _shape_document(shape: Shape, flavour: str, noted: Mapping[str, Any]) -> Json:
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
            return {"name": "polyline", **_vertices(shape.points)}
        case Keypoints():
            return _shape_document(outline_of_keypoints(shape), flavour, noted)
        case Polygon():
            points = shape.points
        case MultiPolygon() | RLE():
            points = single(shape)
    closed = noted.get("closed", CLOSES[flavour])
    return {"name": "polygon", **_vertices((*points, *points[:1] * closed))}


def _vertices(points: Points) -> Json:
    return {"all_points_x": [x for x, _ in points], "all_points_y": [y for _, y in points]}


# Projects


def project_parts(dataset: Dataset, found: Survey, keys: list[str]) -> Json:
    """Return the parts of a project file except the pictures. `keys` are the keys of the pictures."""
    extras = dataset.extras
    noted = extras.get("via", {}).get("project", {})
    parts: Json = {
        "_via_settings": extras["via_settings"] if "via_settings" in extras else _settings(dataset, found),
        "_via_attributes": _attributes(dataset, found, noted),
        "_via_data_format_version": VERSION,
        "_via_image_id_list": _id_list(dataset, noted, keys),
        **({SKELETONS: skeletons_document(dataset.skeletons)} if dataset.skeletons else {}),
        **extras.get("via_other", {}),
    }
    return {name: part for name, part in parts.items() if name not in noted.get("without", ()) or name[1:] in extras}


def _attributes(dataset: Dataset, found: Survey, noted: Mapping[str, Any]) -> Json:
    """Return the attribute definitions: as in the file, with options added for all current classes."""
    name, attributes = found.class_attribute, dataset.extras.get("via_attributes")
    if attributes is None:
        fresh = {other: definition for other, definition in found.region_attributes.items() if other != name}
        attributes = {"region": fresh, "file": found.file_attributes}
    region = attributes.get("region", {})
    if name is not None:
        undefined = noted.get("undefined", {}).get(name, ())  # used in the file without being defined
        classes = (*dataset.classes, *sorted(found.used - set(dataset.classes)))
        new = [class_name for class_name in classes if class_name not in undefined]
        if new or not undefined:
            is_checkbox = any(isinstance(value, Mapping) for value in dataset.extras.get("class_values", {}).values())
            kind = "checkbox" if is_checkbox else "dropdown"
            region = attribute_definitions.with_options(region, name, new if name in region else classes, kind)
    whole = {"file": {}, **attributes, "region": region}
    return {part: value for part, value in whole.items() if value or part not in noted.get("without_attributes", ())}


def _id_list(dataset: Dataset, noted: Mapping[str, Any], keys: list[str]) -> Any:
    """Return the order of the pictures: as in the file, without removed pictures and with new ones."""
    listed = noted.get("image_id_list", keys)
    if not isinstance(listed, list) or listed is keys:
        return listed
    expected = {*keys, *noted.get("dangling", ())}
    kept = [key for key in listed if not isinstance(key, str) or key in expected]
    known = {key for key in kept if isinstance(key, str)}
    for key, record in zip(keys, dataset.images, strict=True):
        if notes(record.extras, "via-project").get("unlisted"):
            known.add(key)
    return [*kept, *(key for key in keys if key not in known)]


def _settings(dataset: Dataset, found: Survey) -> Json:
    """Return settings that VIA 2.0.10 can open. VIA then shows each region's class, if there is one."""
    return {
        "ui": {
            "annotation_editor_height": 25,
            "annotation_editor_fontsize": 0.8,
            "leftsidebar_width": 18,
            "image_grid": {
                "img_height": 80,
                "rshape_fill": "none",
                "rshape_fill_opacity": 0.3,
                "rshape_stroke": "yellow",
                "rshape_stroke_width": 2,
                "show_region_shape": True,
                "show_image_policy": "all",
            },
            "image": {
                "region_label": found.class_attribute or "__via_region_id__",
                "region_color": "__via_default_region_color__",
                "region_label_font": "10px Sans",
                "on_image_annotation_editor_placement": "NEAR_REGION",
            },
        },
        "core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""},
        "project": {"name": dataset.source.stem if dataset.source else "project"},
    }
