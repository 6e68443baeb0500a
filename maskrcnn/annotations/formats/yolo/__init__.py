"""YOLO data sets for segmentation: `data.yaml`, `images/<split>/` and `labels/<split>/` with a text file a picture.

| in the file | in the studio |
|---|---|
| a row `class x1 y1 x2 y2 x3 y3 ...`, fractions of width and height | Polygon |
| a row `class cx cy width height` | Rect |
| a picture without a file, or with an empty one | a picture without objects |
| `train`, `val` | `ImageRecord.split`; `test` has none there, and is kept in `ImageRecord.extras["yolo"]` |
| `names`, a list or numbered | the classes, in their order |

Where `data.yaml` has a `kpt_shape`, a row is a box and keypoints, `class cx cy width height x y [visibility] ...`.

A split is a folder, a list of pictures (`train.txt`), or several of either. The labels of a picture lie where its path
has `labels` in the place of the last `images`, or beside it. What `data.yaml` names is looked for inside the data set
only: `../train/images` and `/home/me/set/train/images` are `train/images` there, but `images/train` is never `train`.
A split that is named and missing becomes a warning. Pictures are named relative to the folder of their split. Sets
without `data.yaml` are read where something else names the classes (`settings`).

What is written: rows with ten decimals, and the pictures under `images/<split>/`, `train` for those without a split.
YOLO knows one outline for each object, inside the picture: parts, holes and masks become one outline, joined by lines
of no width (`single_outline`), and what lies outside the picture is cut off. Objects without area, crowds, attributes,
keypoints and what a model suggested have no place in YOLO; each loss is a warning.
"""

from __future__ import annotations

from maskrcnn.annotations.formats.label_format import FolderReader, LabelFormat, Writer
from maskrcnn.annotations.formats.yolo.reading import is_yolo, read_folder, without_names
from maskrcnn.annotations.formats.yolo.writing import encode

__all__ = ["FORMAT", "encode", "is_yolo", "read_folder", "without_names"]

FORMAT = LabelFormat(
    writers={"yolo": Writer("YOLO segmentation", None, encode, own_folders=True)},
    folder=FolderReader(is_yolo, read_folder),
)
