"""YOLO datasets for segmentation: `data.yaml`, `images/<split>/` and `labels/<split>/` with a text file for each
picture.

| in the file | in the studio |
|---|---|
| a row `class x1 y1 x2 y2 x3 y3 ...`, fractions of width and height | Polygon |
| a row `class cx cy width height` | Rect |
| a picture without a label file, or with an empty one | a picture without objects |
| `train`, `val` | `ImageRecord.split`; `test` is kept in `ImageRecord.extras["yolo"]` |
| `names`, a list or numbered | the classes, in their order |

If `data.yaml` has a `kpt_shape`, a row is a box and keypoints, `class cx cy width height x y [visibility] ...`.

A split is a folder, a list of pictures (`train.txt`), or several of these. The label file of a picture is at the same
path with the last `images` replaced by `labels`, or beside the picture. The paths in `data.yaml` are searched only
inside the dataset: `../train/images` and `/home/me/set/train/images` mean `train/images`, but `images/train` never
means `train`. A missing split gives a warning. Picture names are relative to the folder of their split. Datasets
without `data.yaml` are read if another file names the classes (`settings`).

Written are rows with ten decimals, and the pictures under `images/<split>/`; pictures without a split go to `train`.
YOLO has one outline for each object, inside the picture. So parts, holes and masks become one outline, joined by lines
of zero width (`exported_outline`), and the outline is clipped to the picture. YOLO has no objects without area, no
crowds, attributes and keypoints, and no marks for a model's suggestions; each loss gives a warning.
"""

from __future__ import annotations

from maskrcnn.annotations.formats.format_interface import FolderReader, LabelFormat, Writer
from maskrcnn.annotations.formats.yolo.reading import is_yolo, read_folder
from maskrcnn.annotations.formats.yolo.writing import encode

__all__ = ["FORMAT", "encode", "is_yolo", "read_folder"]

FORMAT = LabelFormat(
    writers={"yolo": Writer("YOLO segmentation", None, encode, split_folders=True)},
    folder=FolderReader(is_yolo, read_folder),
)
