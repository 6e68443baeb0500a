"""COCO files: instances (polygons, several parts, run-length codes, crowds) and keypoints.

| in the file | in the studio |
|---|---|
| `segmentation`: one polygon, several, a run-length code of either kind | Polygon, MultiPolygon, RLE |
| no `segmentation` (absent, `[]`, `[[]]`), but a `bbox` | Rect, with `keypoints` if there are any |
| neither, or only the `bbox` around its `keypoints` | the shape Keypoints |
| `keypoints` in addition to an outline or a box | `Region.keypoints`; None if unlabelled and the class has a skeleton |
| `keypoints` and `skeleton` (from 1) of a category | `Dataset.skeletons` (from 0) |
| only a single keypoint, of a class without keypoint names: VIA exports a point so | Point |
| `iscrowd` | `Region.iscrowd` |
| `attributes` and further fields of an annotation | `Region.attributes` |
| further fields of an image; its `split` if train or val | `ImageRecord.attributes`; `ImageRecord.split` |
| `"source": "model"` and `score` | `Region.source`, `Region.score` |

The classes are all categories of the file, in order of their ids. `Region.extras["coco"]` has the file's fields for a
shape (`id`, `area`, `bbox`, which fields were not in `attributes`); they are dropped when the shape is edited. An
image's own id, number or text, is in `ImageRecord.extras["coco"]["id"]`, a category's in
`Dataset.extras["coco_categories"][class_name]["id"]`; a project keeps both. `Dataset.extras["coco"]` has `info`,
`licenses` and other top-level fields. `Dataset.warnings` name everything that could not be read as it is written.

`encode` writes ids as they were read if they are whole numbers and unique, else new ids above them. It writes `area`
and `bbox` as they were read; otherwise the number of pixels of the mask that pycocotools decodes from the
`segmentation`, and the box around those pixels. A mask with holes is written as a compressed run-length code. A region
that had no `segmentation` gets none. With `classes`, `document` writes the training data instead: ids from 1, every
area and box computed, every annotation with a mask (with `outlines=False` also those with only keypoints).
`ground_truth` selects the same annotations for an evaluation, but keeps ids, areas and boxes of the file. Keypoints and
skeletons are always written.
"""

from __future__ import annotations

from maskrcnn.annotations.formats.coco.reading import is_coco, parse
from maskrcnn.annotations.formats.coco.writing import document, encode, ground_truth
from maskrcnn.annotations.formats.format_interface import DocumentReader, LabelFormat, Writer

__all__ = ["FORMAT", "document", "encode", "ground_truth", "is_coco", "parse"]

FORMAT = LabelFormat(
    writers={"coco": Writer("COCO", ".json", encode)},
    document=DocumentReader(is_coco, lambda document, source, class_attribute: parse(document, source)),
)
