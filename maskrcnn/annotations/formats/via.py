"""VGG Image Annotator files: VIA 1.x, VIA 2.x lists and VIA 2.x projects.

| flavour | the document | regions | closing vertex |
|---|---|---|---|
| via1 | `{key: image}` | a dict by number | the first vertex is repeated at the end |
| via2 | `{key: image}` | a list | not repeated |
| via-project | `{"_via_settings", "_via_img_metadata": {key: image}, "_via_attributes", ...}` | a list | not repeated |

The key of an image is never taken apart: file name and size stand in the image itself. Which region attribute is the
class is decided in `via_classes`; read its first lines. All other attributes stay as they are, and numbers are written
back as they were read.

A crowd of COCO's becomes a region with the attribute `iscrowd`, and one with that attribute a crowd.

What Region and Dataset have no field for is kept in `Dataset.extras`: `flavour`, `via_settings`, `via_attributes`
(both as in the file), `via_other` (further `_via_...` parts), `class_values` (class name -> value as it stood in the
file, where that is not the name itself) and `image_fields` (file name -> fields such as VIA 1.x's `fileref`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from maskrcnn.annotations import raster
from maskrcnn.annotations.formats import via_classes
from maskrcnn.annotations.formats.encoded import Encoded, json_bytes
from maskrcnn.annotations.formats.json_values import Complaint, Json, brief, length, mapping, number, numbers, text
from maskrcnn.annotations.formats.outlines import joined
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Dataset,
    Ellipse,
    ImageRecord,
    MultiPolygon,
    Point,
    Points,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
)

FLAVOURS: tuple[str, ...] = ("via1", "via2", "via-project")

CROWD = via_classes.CROWD

_MEND = "mend it in VIA, or take it out of the file"
_PARTS = ("_via_settings", "_via_img_metadata", "_via_attributes", "_via_data_format_version", "_via_image_id_list")
_IMAGE_FIELDS = ("filename", "size", "regions", "file_attributes")


def is_via(document: Any) -> bool:
    """Whether a parsed JSON document is a VIA file of any flavour."""
    if not isinstance(document, dict):
        return False
    if "_via_img_metadata" in document:
        return True
    return any(isinstance(image, dict) and "filename" in image for image in document.values())


def parse(document: Json, source: Path | str) -> Dataset:
    """The dataset that a VIA document holds; `source` is its file, for messages.

    Raises `StudioError` naming the picture and region for anything that cannot be what VIA wrote.
    """
    complain = Complaint(str(source), "the file", _MEND)
    images, extras = _images_of(document, complain)
    attributes = mapping(extras.get("via_attributes", {}), '"_via_attributes"', complain)
    definitions = mapping(attributes.get("region", {}), 'the region part of "_via_attributes"', complain)

    read = [_image(key, image, complain) for key, image in images.items()]
    everyone = [attributes for _, drawn in read for _, attributes in drawn]
    chosen = via_classes.class_attribute(everyone, definitions)
    nothing_said = chosen is None and not any(via_classes.says_something(attributes) for attributes in everyone)

    values: Json = {}
    records = []
    for record, drawn in read:
        regions = []
        for shape, carried in drawn:
            is_crowd = carried.get(CROWD) in (1, "1")
            class_name = via_classes.class_of(carried.get(chosen)) if chosen is not None else None
            if chosen is None or class_name is None:
                only_class = via_classes.THE_ONLY_CLASS if nothing_said else None
                regions.append(Region(shape, only_class, carried, is_crowd))
                continue
            text(class_name, f'"{chosen}"', complain.at(f'a region of "{record.file_name}"'))
            if carried[chosen] != class_name:
                values.setdefault(class_name, carried[chosen])
            regions.append(Region(shape, class_name, {k: v for k, v in carried.items() if k != chosen}, is_crowd))
        records.append(
            ImageRecord(record.file_name, tuple(regions), file_size=record.file_size, attributes=record.attributes)
        )
    if values:
        extras["class_values"] = values

    used = {region.class_name for record in records for region in record.regions if region.class_name}
    declared = via_classes.options(definitions.get(chosen)) if chosen else ()
    classes = (*declared, *sorted(used - set(declared)))
    return Dataset(tuple(records), classes, chosen, Path(source), extras)


def document(dataset: Dataset, flavour: str) -> Json:
    """The dataset as a VIA document of that flavour (see `FLAVOURS`).

    VIA knows one outline for each region: an object in several parts or with holes is written as one polygon whose
    outlines are joined by a line of no width, which rasterises to the same mask; a mask is written as its outline.
    """
    name = class_attribute_for(dataset)
    keyed: Json = {}
    fields = dataset.extras.get("image_fields", {})
    for record in dataset.images:
        size = _size_of(record)
        key = _unused(f"{record.file_name}{size}", keyed)
        regions = [_region_document(region, name, dataset.extras, flavour) for region in record.regions]
        image: Json = {**fields.get(record.file_name, {}), "filename": record.file_name, "size": size}
        if flavour == "via1":
            image = {"fileref": "", "base64_img_data": "", **image}
        image["regions"] = {str(i): region for i, region in enumerate(regions)} if flavour == "via1" else regions
        image["file_attributes"] = dict(record.attributes)
        keyed[key] = image
    return _project(dataset, keyed, name) if flavour == "via-project" else keyed


def encode(dataset: Dataset, flavour: str) -> Encoded:
    """`document(...)` as a file, and a warning for regions that became one outline."""
    source = dataset.source or "the dataset"
    warnings: tuple[str, ...] = ()
    if joined := joined_regions(dataset):
        warnings = (
            f"{source}: {joined} region{'s' if joined > 1 else ''} in several parts or drawn as masks became one "
            "outline each, as VIA has no other",
        )
    return Encoded({f"{flavour}.json": json_bytes(document(dataset, flavour), source)}, warnings)


def class_attribute_for(dataset: Dataset) -> str | None:
    """The region attribute that will hold the class when the dataset is written.

    None where no class needs saying: nobody named an attribute, and every region is of the one class "object".
    """
    if dataset.class_attribute is not None:
        return dataset.class_attribute
    regions = [region for record in dataset.images for region in record.regions]
    used = {region.class_name for region in regions} - {None}
    if not used or (
        used == {via_classes.THE_ONLY_CLASS}
        and not any(via_classes.says_something(region.attributes) for region in regions)
    ):
        return None
    taken = {name for region in regions for name in region.attributes}
    return next(name for name in (*via_classes.USUAL_NAMES, "maskrcnn_class") if name not in taken)


def joined_regions(dataset: Dataset) -> int:
    """How many regions VIA cannot hold as they are: `document` joins their parts, or traces their mask."""
    return sum(isinstance(region.shape, MultiPolygon | RLE) for record in dataset.images for region in record.regions)


# Reading


def _images_of(document: Json, complain: Complaint) -> tuple[Json, Json]:
    """The images by key in their order, and the extras."""
    if "_via_img_metadata" not in document:
        a_dict = any(isinstance(image, dict) and isinstance(image.get("regions"), dict) for image in document.values())
        one_x = a_dict or any(isinstance(image, dict) and "base64_img_data" in image for image in document.values())
        return document, {"flavour": "via1" if one_x else "via2"} | _fields_of(document)
    images = mapping(document["_via_img_metadata"], '"_via_img_metadata"', complain)
    listed = document.get("_via_image_id_list", [])
    if isinstance(listed, list):
        first = [key for key in dict.fromkeys(key for key in listed if isinstance(key, str)) if key in images]
        images = {key: images[key] for key in first} | images
    extras: Json = {"flavour": "via-project"} | _fields_of(images)
    for part, kept in (("_via_settings", "via_settings"), ("_via_attributes", "via_attributes")):
        if part in document:
            extras[kept] = mapping(document[part], f'"{part}"', complain)
    if other := {key: value for key, value in document.items() if key not in _PARTS}:
        extras["via_other"] = other
    return images, extras


def _fields_of(images: Json) -> Json:
    """Fields of images that an ImageRecord has no place for, where they say anything."""
    kept = {}
    for image in images.values():
        if isinstance(image, dict) and (
            other := {k: v for k, v in image.items() if k not in _IMAGE_FIELDS and v != ""}
        ):
            kept[str(image.get("filename"))] = other
    return {"image_fields": kept} if kept else {}


def _image(key: str, image: Any, complain: Complaint) -> tuple[ImageRecord, list[tuple[Shape, Json]]]:
    at_key = complain.at(f"picture {brief(key)}")
    image = mapping(image, "its entry", at_key)
    file_name = text(image.get("filename"), '"filename"', at_key)
    if not file_name.strip():
        raise at_key('has an empty "filename"')
    here = complain.at(f'picture "{file_name}"')
    regions = image.get("regions", [])
    if isinstance(regions, dict):
        regions = list(regions.values())
    elif not isinstance(regions, list):
        raise here(f'has {brief(regions)} as "regions", neither a list nor a group')
    drawn = [_region(region, complain.at(f'region {n} of "{file_name}"')) for n, region in enumerate(regions, start=1)]
    attributes = mapping(image.get("file_attributes", {}), '"file_attributes"', here)
    return ImageRecord(file_name, file_size=_file_size(image.get("size"), here), attributes=attributes), drawn


def _file_size(value: Any, complain: Complaint) -> int | None:
    """Bytes of the picture's file; VIA's converters also write them as text."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        return int(value)
    except (ValueError, OverflowError):
        raise complain(f'has {brief(value)} as "size", not a number of bytes') from None


def _region(region: Any, complain: Complaint) -> tuple[Shape, Json]:
    region = mapping(region, "its entry", complain)
    shape = _shape(mapping(region.get("shape_attributes"), '"shape_attributes"', complain), complain)
    return shape, mapping(region.get("region_attributes", {}), '"region_attributes"', complain)


def _shape(drawn: Json, complain: Complaint) -> Shape:
    match drawn.get("name"):
        case "polygon":
            points = _points(drawn, complain)
            return Polygon(points[:-1] if len(points) > 1 and points[0] == points[-1] else points)
        case "polyline":
            return Polyline(_points(drawn, complain))
        case "rect":
            x, y = number(drawn, "x", complain), number(drawn, "y", complain)
            return Rect(x, y, length(drawn, "width", complain), length(drawn, "height", complain))
        case "circle":
            return Circle(number(drawn, "cx", complain), number(drawn, "cy", complain), length(drawn, "r", complain))
        case "ellipse":
            centre = number(drawn, "cx", complain), number(drawn, "cy", complain)
            axes = length(drawn, "rx", complain), length(drawn, "ry", complain)
            return Ellipse(*centre, *axes, number(drawn, "theta", complain) if "theta" in drawn else 0.0)
        case "point":
            return Point(number(drawn, "cx", complain), number(drawn, "cy", complain))
        case other:
            raise complain(
                f"has the shape {brief(other)}; VIA's shapes are rect, circle, ellipse, polygon, polyline and point"
            )


def _points(drawn: Json, complain: Complaint) -> Points:
    xs, ys = numbers(drawn, "all_points_x", complain), numbers(drawn, "all_points_y", complain)
    if len(xs) != len(ys):
        raise complain(f'has {len(xs)} "all_points_x" but {len(ys)} "all_points_y"')
    if not xs:
        raise complain('has no vertex in "all_points_x"')
    return tuple(zip(xs, ys, strict=True))


# Writing


def _region_document(region: Region, class_attribute: str | None, extras: Mapping[str, Any], flavour: str) -> Json:
    attributes = dict(region.attributes) | ({CROWD: 1} if region.iscrowd and CROWD not in region.attributes else {})
    if class_attribute is not None and region.class_name is not None:
        attributes[class_attribute] = _class_value(region.class_name, class_attribute, extras)
    return {"shape_attributes": _shape_document(region.shape, flavour), "region_attributes": attributes}


def _class_value(class_name: str, class_attribute: str, extras: Mapping[str, Any]) -> Any:
    values = extras.get("class_values", {})
    if class_name in values:
        return values[class_name]
    definition = extras.get("via_attributes", {}).get("region", {}).get(class_attribute)
    is_checkbox = isinstance(definition, Mapping) and definition.get("type") == "checkbox"
    return {class_name: True} if is_checkbox else class_name


def _shape_document(shape: Shape, flavour: str) -> Json:
    match shape:
        case Rect():
            return {"name": "rect", "x": shape.x, "y": shape.y, "width": shape.width, "height": shape.height}
        case Circle():
            return {"name": "circle", "cx": shape.cx, "cy": shape.cy, "r": shape.r}
        case Ellipse():
            ellipse = {"name": "ellipse", "cx": shape.cx, "cy": shape.cy, "rx": shape.rx, "ry": shape.ry}
            # VIA 1.x has no turned ellipses; an ellipse that is turned all the same must not lose its angle.
            return ellipse if flavour == "via1" and shape.theta == 0 else {**ellipse, "theta": shape.theta}
        case Point():
            return {"name": "point", "cx": shape.cx, "cy": shape.cy}
        case Polyline():
            return {"name": "polyline", **_vertices(shape.points)}
        case Polygon():
            points = shape.points
        case MultiPolygon() | RLE():
            points = joined(raster.rings(shape))
    return {"name": "polygon", **_vertices((*points, points[0]) if flavour == "via1" and points else points)}


def _vertices(points: Points) -> Json:
    return {"all_points_x": [x for x, _ in points], "all_points_y": [y for _, y in points]}


def _size_of(record: ImageRecord) -> int:
    """The size of the picture's file: as the label file said, else of the file on disk, else VIA's -1."""
    if record.file_size is not None and record.file_size >= 0:
        return record.file_size
    return record.path.stat().st_size if record.path is not None and record.path.is_file() else -1


def _unused(key: str, taken: Iterable[str]) -> str:
    while key in taken:
        key += "_"
    return key


def _project(dataset: Dataset, images: Json, class_attribute: str | None) -> Json:
    attributes = dataset.extras.get("via_attributes", {"region": {}, "file": {}})
    region = attributes.get("region", {})
    if class_attribute is not None:
        used = {region.class_name for record in dataset.images for region in record.regions if region.class_name}
        region = via_classes.defined(region, class_attribute, (*dataset.classes, *sorted(used - set(dataset.classes))))
    settings = dataset.extras.get("via_settings") or _settings(
        dataset.source.stem if dataset.source else "project", class_attribute
    )
    return {
        "_via_settings": settings,
        "_via_img_metadata": images,
        "_via_attributes": {"file": {}, **attributes, "region": region},
        "_via_data_format_version": "2.0.10",
        "_via_image_id_list": list(images),
        **dataset.extras.get("via_other", {}),
    }


def _settings(name: str, class_attribute: str | None) -> Json:
    """Settings with which VIA 2.0.10 opens a project; it shows each region's class where there is one."""
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
                "region_label": class_attribute or "__via_region_id__",
                "region_color": "__via_default_region_color__",
                "region_label_font": "10px Sans",
                "on_image_annotation_editor_placement": "NEAR_REGION",
            },
        },
        "core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""},
        "project": {"name": name},
    }
