"""VGG Image Annotator files: VIA 1.x, VIA 2.x lists and VIA 2.x projects (for its CSV see `via_csv`).

| flavour | the document | regions | closing vertex |
|---|---|---|---|
| via1 | `{key: image}` | a dict by number | the first vertex is repeated at the end |
| via2 | `{key: image}` | a list | not repeated |
| via-project | `{"_via_settings", "_via_img_metadata": {key: image}, "_via_attributes", ...}` | a list | not repeated |

The key of an image is never taken apart: file name and size stand in the image itself. Which region attribute is the
class is decided in `class_rule`; read its first lines. All other attributes stay as they are, and numbers are written
back as they were read.

A file that is read and written in its own flavour comes back as it was. What Region, ImageRecord and Dataset have no
field for rides along in their `extras` as plain JSON values:

- `Dataset.extras`: `flavour`; `via_settings` and `via_attributes` as in the file; `via_other` (further parts of a
  project); `class_values` (class -> its value in the file, where that is not the name itself); `class_from` (the
  attributes of which each names a class, where somebody asked for all of them);
  `via: {"project": {...}}` (parts that were missing, an order of pictures that is not that of the file, classes that
  are used but not among the options).
- `ImageRecord.extras["via"]`: `fields` that the studio does not know (`fileref`, `base64_img_data`), and, for a file of
  its own `flavour` only: `key`, `size`, `regions`, `empty` (how a part with nothing in it is written) and `without`
  where they are not what the flavour has.
- `Region.extras["via"]`: unknown fields (`region`, `shape`), `class_value`, and for its own `flavour`: `number`,
  `closed`, `empty`, `without`. They go when the region is drawn anew.

What VIA has no place for is written as region attributes that come back: `iscrowd`; `keypoints`, as the text
`[[x, y, visibility], ...]` (an object with nothing but keypoints is shown as a line through those that are labelled);
`maskrcnn_score` and `maskrcnn_source` for what a model suggested. A region's own attribute that would be taken for one
of these, or whose name is needed, is written as `keypoints_` and so on, with a warning. Names and bones of keypoints
are a part of their own in a project file. What is lost all the same, `encode` names in its warnings.
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any

from maskrcnn.annotations.formats.dropped_info import Losses
from maskrcnn.annotations.formats.encoded_files import Encoded, json_bytes
from maskrcnn.annotations.formats.json_values import Complaint, Json, brief, mapping
from maskrcnn.annotations.formats.via import assembling, attribute_tally, reading, writing
from maskrcnn.annotations.regions import Dataset, ImageRecord
from maskrcnn.errors import StudioError
from maskrcnn.words import byte_size

FLAVOURS: tuple[str, ...] = ("via1", "via2", "via-project")

LARGEST_EMBEDDED = 100 * 10**6
"""Bytes of a picture inside a label file; beyond this it is not decoded."""

CROWD = attribute_tally.CROWD
IMAGES = assembling.IMAGES


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
    """Whether a parsed JSON document is what VIA exports as its attributes: definitions, and no picture."""
    return (
        isinstance(document, dict)
        and set(document) == {"region", "file"}
        and all(isinstance(part, dict) and "filename" not in part for part in document.values())
    )


def only_definitions(source: Path | str) -> StudioError:
    """What to say where such a file is read as a dataset."""
    return StudioError(
        f"{source}: this holds VIA's definitions of attributes, no pictures and no regions; give the file that VIA "
        "writes with Annotation > Export, or its saved project"
    )


def parse(document: Json, source: Path | str, class_attribute: str | None = None) -> Dataset:
    """The dataset that a VIA document holds; `source` is its file, for messages.

    `class_attribute` names the region attribute that is the class; without it the rule of `class_rule` decides.
    Raises `StudioError` naming the picture and region for anything that cannot be what VIA wrote, and `ArgumentError`
    for a class attribute that is neither on a region nor defined.
    """
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
    """The dataset as a VIA document of that flavour (see `FLAVOURS`).

    VIA knows one outline for each region: an object in several parts or with holes is written as one polygon whose
    outlines are joined by a line of no width, which rasterises to the same mask; a mask is written as its outline.
    """
    found = writing.survey(dataset, flavour, Losses(dataset.source))
    images = dict(writing.images(dataset, flavour, found))
    return {IMAGES: images, **writing.project_parts(dataset, found, [*images])} if flavour == "via-project" else images


def encode(dataset: Dataset, flavour: str) -> Encoded:
    """`document(...)` as a file, and a warning for each thing that VIA cannot hold.

    The file is put together picture by picture, so a large dataset is not held twice.
    """
    losses = Losses(dataset.source)
    found = writing.survey(dataset, flavour, losses)
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
    return Encoded({f"{flavour}.json": content + b"\n"}, n_regions, losses.warnings())


def embedded_picture(record: ImageRecord) -> bytes | None:
    """The file of the picture that the label file itself holds (VIA 1.x: `base64_img_data`); None where it holds none.

    A data URL or bare base64. Raises `StudioError` for what is neither, or larger than `LARGEST_EMBEDDED`.
    """
    written = record.extras.get("via", {}).get("fields", {}).get("base64_img_data")
    if written is None or written == "":
        return None
    named = brief(record.file_name, 80)
    mend = "take the picture out of the label file, and give the picture's own file"
    if not isinstance(written, str):
        raise StudioError(f"{named}: the picture inside the label file is not text; {mend}")
    if len(written) * 3 // 4 > LARGEST_EMBEDDED:
        raise StudioError(f"{named}: the picture inside the label file is over {byte_size(LARGEST_EMBEDDED)}; {mend}")
    encoded = written
    if written.startswith("data:"):
        kind, comma, encoded = written.partition(",")
        if not comma or not kind.endswith(";base64"):
            raise StudioError(f"{named}: the picture inside the label file is not base64; {mend}")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise StudioError(f"{named}: the picture inside the label file is not base64; {mend}") from None
