"""COCO files: instances (polygons, several parts, run-length codes, crowds) and keypoints.

| in the file | in the studio |
|---|---|
| `segmentation`: one polygon, several, a run-length code of either kind | Polygon, MultiPolygon, RLE |
| no `segmentation` (absent, `[]`, `[[]]`), but a `bbox` | Rect, with `keypoints` where there are any |
| neither, or only the `bbox` around its `keypoints` | the shape Keypoints |
| `keypoints` beside an outline or a box | `Region.keypoints`; None for unlabelled ones of a class with a skeleton |
| `keypoints` and `skeleton` (from 1) of a category | `Dataset.skeletons` (from 0) |
| a single keypoint of a class without names for them, and nothing else: how VIA exports a point | Point |
| `iscrowd` | `Region.iscrowd` |
| `attributes` and further fields of an annotation | `Region.attributes` |
| further fields of an image; its `split` if train or val | `ImageRecord.attributes`; `ImageRecord.split` |
| `"source": "model"` and `score` | `Region.source`, `Region.score` |

Categories are all that the file declares, in order of their ids. What the file says of a drawn shape (`id`, `area`,
`bbox`, which fields were not in `attributes`) is in `Region.extras["coco"]`, so it is gone once the shape is edited. An
image's own id, number or text, is `ImageRecord.extras["coco"]["id"]`, a category's is
`Dataset.extras["coco_categories"][class_name]["id"]`; a project keeps both. `info`, `licenses` and what else stands
there are in `Dataset.extras["coco"]`. What could not be taken as it stands is told in `Dataset.warnings`.

What is written, by `encode`: ids as they were read, where they are whole numbers and no two alike, else fresh ones
above them; `area` and `bbox` as they were read, else the number of pixels of the mask that pycocotools decodes from the
`segmentation` beside them, and the box around those pixels. A mask with holes is written as a compressed run-length
code. A region that had no `segmentation` gets none. With `classes` given, `document` writes what a training learns from
instead: ids from 1, every area and box computed, every annotation with a mask (with `outlines=False` also those that
have only keypoints). `ground_truth` makes the same choice of annotations for an evaluation, but leaves ids, areas and
boxes as the file has them. Keypoints and skeletons are written either way.
"""

from __future__ import annotations

from maskrcnn.annotations.formats.coco.reading import is_coco, parse
from maskrcnn.annotations.formats.coco.writing import document, encode, ground_truth
from maskrcnn.annotations.formats.label_format import DocumentReader, LabelFormat, Writer

__all__ = ["FORMAT", "document", "encode", "ground_truth", "is_coco", "parse"]

FORMAT = LabelFormat(
    writers={"coco": Writer("COCO", ".json", encode)},
    document=DocumentReader(is_coco, lambda document, source, class_attribute: parse(document, source)),
)
