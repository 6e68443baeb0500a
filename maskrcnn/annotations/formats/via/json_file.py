"""Recognise, read and write VIA's JSON of every flavour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from maskrcnn.annotations.formats.dropped_info import DroppedInfo
from maskrcnn.annotations.formats.encoded_files import Encoded, json_bytes
from maskrcnn.annotations.formats.json_values import Complaint, Json, mapping
from maskrcnn.annotations.formats.via import assembling, reading, writing
from maskrcnn.annotations.formats.via.assembling import IMAGES
from maskrcnn.annotations.regions import Dataset, ImageRecord
from maskrcnn.errors import StudioError

FLAVOURS: tuple[str, ...] = ("via1", "via2", "via-project")


def is_via(document: Any) -> bool:
    """Whether a parsed JSON document is a VIA file of any flavour."""
    if not isinstance(document, dict):
        return False
    if is_project(document):
        return True
    return any(isinstance(image, dict) and "filename" in image for image in document.values())


def is_project(document: Any) -> bool:
    """Whether a parsed JSON document is a saved project of VIA 2.x."""
    return isinstance(document, dict) and IMAGES in document


def is_attribute_definitions(document: Any) -> bool:
    """Whether a parsed JSON document is VIA's export of attributes: definitions, and no pictures."""
    return (
        isinstance(document, dict)
        and set(document) == {"region", "file"}
        and all(isinstance(part, dict) and "filename" not in part for part in document.values())
    )


def only_definitions(source: Path | str) -> StudioError:
    """Return the error for a file of attribute definitions that is read as a dataset."""
    return StudioError(
        f"{source}: this holds VIA's definitions of attributes, no pictures and no regions; give the file that VIA "
        "writes with Annotation > Export, or its saved project"
    )


def parse(document: Json, source: Path | str, class_attribute: str | None = None) -> Dataset:
    """Return the dataset of a VIA document. `source` is its file, for messages.

    `class_attribute` names the region attribute that is the class; None: by the rule of `class_rule`. Raises
    `StudioError` that names the picture and region if the document is invalid, and `ArgumentError` if the class
    attribute is neither on a region nor defined.
    """
    if not is_via(document) and is_attribute_definitions(document):
        raise only_definitions(source)
    complain = Complaint(str(source), "the file", reading.MEND)
    parts = {name: part for name, part in document.items() if name != IMAGES} if IMAGES in document else None
    images = document if parts is None else mapping(document[IMAGES], f'"{IMAGES}"', complain)
    keys = assembling.ordered(images, parts)
    reader = reading.Reader(complain, assembling.flavour(parts, images.values()), assembling.unlisted(keys, parts))
    records = [reader.record(index, key, images[key]) for index, key in enumerate(keys)]

    def classified(choice: assembling.Choice) -> tuple[ImageRecord, ...]:
        return tuple(choice.applied(record) for record in records)

    return assembling.assembled(reader, keys, parts, assembling.counted(records), class_attribute, classified)


def document(dataset: Dataset, flavour: str) -> Json:
    """Return the dataset as a VIA document of that flavour (see `FLAVOURS`).

    VIA has one outline for each region. An object in several parts or with holes is written as one polygon, whose
    outlines are joined by a line of zero width; it rasterises to the same mask. A mask is written as its outline.
    """
    found = writing.survey(dataset, flavour, DroppedInfo(dataset.source))
    images = dict(writing.images(dataset, flavour, found))
    return {IMAGES: images, **writing.project_parts(dataset, found, [*images])} if flavour == "via-project" else images


def encode(dataset: Dataset, flavour: str) -> Encoded:
    """Return `document(...)` as a file, with a warning for each kind of information that VIA cannot hold.

    The file is encoded picture by picture, so that a large dataset is not in memory twice.
    """
    dropped = DroppedInfo(dataset.source)
    found = writing.survey(dataset, flavour, dropped)
    keys: list[str] = []
    source = dataset.source or "the dataset"
    pieces = []
    n_regions = 0
    for key, image in writing.images(dataset, flavour, found):
        keys.append(key)
        n_regions += len(image.get("regions") or ())
        pieces.append(b"%s: %s" % (json.dumps(key).encode(), json_bytes(image, source).rstrip()))
    content = b"{%s}" % b", ".join(pieces)
    if flavour == "via-project":
        further = json_bytes(writing.project_parts(dataset, found, keys), source).rstrip()[1:]
        content = b'{"%s": %s%s%s' % (IMAGES.encode(), content, b"" if further == b"}" else b", ", further)
    return Encoded({f"{flavour}.json": content + b"\n"}, n_regions, dropped.warnings())
