"""labelme files: one JSON document for each picture.

| in the file | in the studio |
|---|---|
| polygon (also oriented_rectangle, rotation) | Polygon |
| several polygons with one label and one `group_id` | one MultiPolygon, as in labelme's own converters |
| rectangle (two opposite corners) | Rect, or Polygon if it has four corners that do not form an upright rectangle |
| circle (its centre and a point on it) | Circle |
| line, linestrip; point | Polyline; Point |
| points | the shape Keypoints, all visible |
| mask (two opposite pixels and the mask between them, as a PNG) | RLE |
| `label` | `Region.class_name`; an empty one is no class |
| `group_id`, `flags`, `description`, further fields and our `attributes` | `Region.attributes` |
| `flags` and further fields of the document | `ImageRecord.attributes` |

labelme keeps fields that it does not know. So other information is written as further fields: `attributes`, `iscrowd`,
`source` and `score` of a model's suggestions, `keypoints` (`[x, y, visibility]` each), and a picture's `split`.

A region that was not edited is written exactly as it was read: its entries are in `Region.extras["labelme"]`. The
picture inside a labelme file (`imageData`) is kept too, as long as those of a dataset have less than
`reading.MOST_IMAGE_DATA` characters together. If it is missing, labelme opens the picture file.
"""

from __future__ import annotations

from pathlib import Path

from maskrcnn.annotations.formats.format_interface import DocumentReader, LabelFormat, Writer
from maskrcnn.annotations.formats.labelme.reading import is_labelme, parse
from maskrcnn.annotations.formats.labelme.writing import encode

__all__ = ["FORMAT", "encode", "is_labelme", "parse"]

FORMAT = LabelFormat(
    writers={"labelme": Writer("labelme", None, encode)},
    document=DocumentReader(
        is_labelme,
        lambda document, source, class_attribute: parse({Path(source).name: document}, source),
        parse_all=parse,
    ),
)
