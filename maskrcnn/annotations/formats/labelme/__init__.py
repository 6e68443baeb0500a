"""labelme files: one JSON document for each picture.

| in the file | in the studio |
|---|---|
| polygon (also oriented_rectangle, rotation) | Polygon |
| several polygons with one label and one `group_id` | one MultiPolygon, as labelme's own converters have it |
| rectangle (two opposite corners) | Rect, or Polygon if it has four corners that are not one |
| circle (its centre and a place on its rim) | Circle |
| line, linestrip; point | Polyline; Point |
| points | the shape Keypoints, all visible |
| mask (two opposite pixels and the mask between, as a PNG) | RLE |
| `label` | `Region.class_name`; an empty one is no class |
| `group_id`, `flags`, `description`, further fields and our `attributes` | `Region.attributes` |
| `flags` and further fields of the document | `ImageRecord.attributes` |

labelme keeps fields that it does not know, so what it has no field for is written as one: `attributes`, `iscrowd`,
`source` and `score` of what a model suggested, `keypoints` (`[x, y, visibility]` each), and a picture's `split`.

A region that nobody edited is written as it was read, to the digit: its entries are in `Region.extras["labelme"]`. The
picture inside a labelme file (`imageData`) is kept, too, as long as those of a set are smaller than
`reading.MOST_IMAGE_DATA` characters together; labelme opens the picture itself where there is none.
"""

from __future__ import annotations

from pathlib import Path

from maskrcnn.annotations.formats.label_format import DocumentReader, LabelFormat, Writer
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
