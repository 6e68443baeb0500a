"""VGG Image Annotator (VIA) files: VIA 1.x, VIA 2.x lists and VIA 2.x projects. `csv_reading` has VIA's CSV.

| flavour | the document | regions | closing vertex |
|---|---|---|---|
| via1 | `{key: image}` | a dict by number | the first vertex is repeated at the end |
| via2 | `{key: image}` | a list | not repeated |
| via-project | `{"_via_settings", "_via_img_metadata": {key: image}, "_via_attributes", ...}` | a list | not repeated |

The key of an image is never parsed: the image's entry itself has the file name and size. `class_attributes` decides
which region attribute is the class; its module docstring has the rule. All other attributes are kept, and numbers are
written back as they were read.

A file that is read and written in its own flavour is unchanged. Information without a field in Region, ImageRecord and
Dataset is kept in their `extras` as plain JSON values:

- `Dataset.extras`: `flavour`; `via_settings` and `via_attributes` as in the file; `via_other` (other parts of a
  project); `class_values` (class -> its value in the file, if that differs from the name); `class_from` (the attributes
  that each name a class, if the user chose several); `via: {"project": {...}}` (missing parts, an order of pictures
  that differs from the file's, classes that are used but not among the options).
- `ImageRecord.extras["via"]`: `fields` that the studio does not know (`fileref`, `base64_img_data`). Also, valid only
  for a file of its own `flavour`, and only if they differ from what the flavour usually has: `key`, `size`, `regions`,
  `empty` (how an empty part is written) and `without` (missing fields).
- `Region.extras["via"]`: unknown fields (`region`, `shape`), `class_value`, and for its own `flavour`: `number`,
  `closed`, `empty`, `without`. They are dropped when the region is redrawn.

Information that VIA cannot hold is written as region attributes, which are read back: `iscrowd`; `keypoints`, as the
text `[[x, y, visibility], ...]` (an object with only keypoints is shown as a line through the labelled ones);
`maskrcnn_score` and `maskrcnn_source` for a model's suggestions. If a region has an attribute of its own with one of
these names, it is written as `keypoints_` and so on, with a warning. Names and bones of keypoints are a separate part
of a project file. `encode` returns a warning for everything that is lost.
"""

from __future__ import annotations

from maskrcnn.annotations.formats.format_interface import DocumentReader, LabelFormat, TextReader, Writer
from maskrcnn.annotations.formats.via.attribute_definitions import is_attribute_definitions
from maskrcnn.annotations.formats.via.csv_reading import is_csv
from maskrcnn.annotations.formats.via.csv_reading import parse as parse_csv
from maskrcnn.annotations.formats.via.csv_writing import encode as encode_csv
from maskrcnn.annotations.formats.via.json_file import FLAVOURS, document, encode, is_via, parse
from maskrcnn.annotations.formats.via.large_files import parse as parse_large
from maskrcnn.annotations.formats.via.project_parts import IMAGES

__all__ = ["FLAVOURS", "FORMAT", "IMAGES", "document", "encode", "parse"]

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
