"""Recognise, read and write a JSON file of VIA, of every flavour."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats.dropped_info import DroppedInfo
from maskrcnn.annotations.formats.format_interface import Encoded
from maskrcnn.annotations.formats.json_values import (
    Complaint,
    Json,
    json_bytes,
    mapping,
)
from maskrcnn.annotations.formats.via import (
    attribute_tally,
    class_attributes,
    dataset_building,
    picture_entry_reading,
    picture_entry_writing,
    project_parts,
)
from maskrcnn.annotations.formats.via.attribute_definitions import is_attribute_definitions, only_definitions_error
from maskrcnn.annotations.formats.via.project_parts import IMAGES, is_project

FLAVOURS: tuple[str, ...] = ("via1", "via2", "via-project")


def is_via(document: Any) -> bool:
    """Whether a parsed JSON document is a JSON file of VIA, of any flavour: a saved project, or an object of
    pictures."""
    if not isinstance(document, dict):
        return False
    if is_project(document):
        return True
    return any(isinstance(image, dict) and "filename" in image for image in document.values())


def parse(document: Json, source: Path | str, class_attribute: str | None = None) -> Dataset:
    """Return the dataset of a VIA document. `source` is its file, for messages.

    `class_attribute` names the region attribute that is the class; None: by the rule of `class_attributes`. Raises
    `StudioError` that names the picture and region if the document is invalid, and `ArgumentError` if the class
    attribute is neither on a region nor defined.
    """
    if not is_via(document) and is_attribute_definitions(document):
        raise only_definitions_error(source)
    complain = Complaint(str(source), "the file", picture_entry_reading.MEND)
    parts = {name: part for name, part in document.items() if name != IMAGES} if IMAGES in document else None
    images = document if parts is None else mapping(document[IMAGES], f'"{IMAGES}"', complain)
    keys = project_parts.ordered_picture_keys(images, parts)
    reader = picture_entry_reading.ViaReader(
        complain, json_flavour(parts, images.values()), project_parts.unlisted_picture_keys(keys, parts)
    )
    records = [reader.record(index, key, images[key]) for index, key in enumerate(keys)]

    def classified(choice: class_attributes.ClassChoice) -> tuple[ImageRecord, ...]:
        return tuple(choice.applied(record) for record in records)

    return dataset_building.built_dataset(
        reader, keys, parts, attribute_tally.tally_of_records(records), class_attribute, classified
    )


def document(dataset: Dataset, flavour: str) -> Json:
    """Return the dataset as a VIA document of that flavour (see `FLAVOURS`).

    VIA has one outline for each region. An object in several parts or with holes is written as one polygon, whose
    outlines are joined by a line of zero width; it rasterises to the same mask. A mask is written as its outline.
    """
    found = picture_entry_writing.survey_regions(dataset, flavour, DroppedInfo(dataset.source))
    images = dict(picture_entry_writing.picture_entries(dataset, flavour, found))
    return (
        {IMAGES: images, **project_parts.parts_to_write(dataset, found, [*images])}
        if flavour == "via-project"
        else images
    )


def encode(dataset: Dataset, flavour: str) -> Encoded:
    """Return `document(...)` as a file, with a warning for each kind of information that VIA cannot hold.

    The file is encoded picture by picture, so that a large dataset is not in memory twice.
    """
    dropped = DroppedInfo(dataset.source)
    found = picture_entry_writing.survey_regions(dataset, flavour, dropped)
    keys: list[str] = []
    source = dataset.source or "the dataset"
    pieces = []
    n_regions = 0
    for key, image in picture_entry_writing.picture_entries(dataset, flavour, found):
        keys.append(key)
        n_regions += len(image.get("regions") or ())
        pieces.append(b"%s: %s" % (json.dumps(key).encode(), json_bytes(image, source).rstrip()))
    content = b"{%s}" % b", ".join(pieces)
    if flavour == "via-project":
        further = json_bytes(project_parts.parts_to_write(dataset, found, keys), source).rstrip()[1:]
        content = b'{"%s": %s%s%s' % (IMAGES.encode(), content, b"" if further == b"}" else b", ", further)
    return Encoded({f"{flavour}.json": content + b"\n"}, n_regions, dropped.warnings())


def json_flavour(parts: Json | None, images: Iterable[Any]) -> str:
    """Return the flavour of a file. `parts` are the parts of a project except its pictures, or None for other files."""
    if parts is not None:
        return "via-project"
    return "via1" if any(is_via1_entry(image) for image in images) else "via2"


def is_via1_entry(image: Any) -> bool:
    """Whether the entry of a picture in a JSON file is of the flavour VIA 1.x."""
    return isinstance(image, dict) and ("base64_img_data" in image or isinstance(image.get("regions"), dict))
