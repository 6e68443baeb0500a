"""PNG instance masks: a folder with a greyscale PNG for each picture, whose pixel values are the object's number.

With a `classes.json` (this is written):

    {"divisor": 1000, "classes": {"1": "car", "2": "dog"},
     "pictures": {"a.png": {"file_name": "a.jpg", "split": "train"}}}

a pixel's value is `class * divisor + number`, as in Cityscapes' instance files: 0 is background, 2003 is the third dog,
and 2000 or 2 is a crowd of dogs. The divisor is 1000 for up to 64 classes and smaller for more, because 16 bits end at
65535. `pictures` maps each mask to its picture. A mask that is not listed belongs to the picture with the same name.

Without `classes.json`, the classes are read from `classes.txt` (one class per line, the first is 1; divisor 1000) or
from Roboflow's `_classes.csv`. Without these, values below 1000 are objects of the one class "object" (Penn-Fudan,
Pascal VOC), and values above belong to "class 24" and so on (Cityscapes). In 8 bits, 255 together with other values is
a border that belongs to no object (VOC; `mask_pairs` reads folders of objects and classes). A mask
`FudanPed00001_mask.png` belongs to a picture `FudanPed00001` too.

A folder is a mask folder if it has such a `classes.json`, or if all its PNGs are greyscale or have a palette, and are
flat: in a mask, at least nine of ten neighbouring pixels are equal, unlike in a photo.

Written are the pixels of every object, and the pictures under `images/`. The mask of a picture `a.png` is `a_mask.png`.
Each pixel belongs to one object: where objects overlap, to the later one.
"""

from __future__ import annotations

from maskrcnn.annotations.formats.format_interface import FolderReader, LabelFormat, Writer
from maskrcnn.annotations.formats.masks.mask_files import has_own_masks, is_mask_folder, is_mask_folder_with_classes
from maskrcnn.annotations.formats.masks.reading import read_folder
from maskrcnn.annotations.formats.masks.writing import encode

__all__ = ["FORMAT", "encode", "is_mask_folder", "read_folder"]

FORMAT = LabelFormat(
    writers={"masks": Writer("PNG masks", None, encode)},
    folder=FolderReader(is_mask_folder_with_classes, read_folder, looks_like_one=has_own_masks),
)
