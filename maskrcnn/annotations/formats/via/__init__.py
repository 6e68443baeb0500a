"""VGG Image Annotator files: VIA 1.x, VIA 2.x lists and VIA 2.x projects (`csv_file` has its CSV).

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

from maskrcnn.annotations.formats.label_format import DocumentReader, LabelFormat, TextReader, Writer
from maskrcnn.annotations.formats.via.assembling import IMAGES
from maskrcnn.annotations.formats.via.attribute_tally import CROWD
from maskrcnn.annotations.formats.via.csv_file import encode as encode_csv
from maskrcnn.annotations.formats.via.csv_file import is_csv
from maskrcnn.annotations.formats.via.csv_file import parse as parse_csv
from maskrcnn.annotations.formats.via.embedded_pictures import LARGEST_EMBEDDED, embedded_picture
from maskrcnn.annotations.formats.via.json_file import (
    FLAVOURS,
    document,
    encode,
    is_attribute_definitions,
    is_project,
    is_via,
    only_definitions,
    parse,
)
from maskrcnn.annotations.formats.via.large_files import parse as parse_large

__all__ = [
    "CROWD",
    "FLAVOURS",
    "FORMAT",
    "IMAGES",
    "LARGEST_EMBEDDED",
    "document",
    "embedded_picture",
    "encode",
    "is_attribute_definitions",
    "is_project",
    "is_via",
    "only_definitions",
    "parse",
]

FORMAT = LabelFormat(
    writers={
        "via2": Writer("VIA 2.x", ".json", lambda dataset: encode(dataset, "via2")),
        "via-project": Writer("VIA 2.x project", ".json", lambda dataset: encode(dataset, "via-project")),
        "via1": Writer("VIA 1.x", ".json", lambda dataset: encode(dataset, "via1")),
        "via-csv": Writer("VIA CSV", ".csv", encode_csv),
    },
    document=DocumentReader(
        lambda document: is_via(document) or is_attribute_definitions(document),
        parse,
        parse_large=parse_large,
    ),
    text=TextReader(is_csv, parse_csv),
)
