"""PNG instance masks: a folder with a grey PNG for each picture, whose values say which object a pixel belongs to.

With a `classes.json` (what we write):

    {"divisor": 1000, "classes": {"1": "car", "2": "dog"},
     "pictures": {"a.png": {"file_name": "a.jpg", "split": "train"}}}

a pixel's value is `class * divisor + number`, as in Cityscapes' instance files: 0 is background, 2003 the third dog,
and 2000 or 2 a crowd of dogs. The divisor is 1000 for up to 64 classes and smaller for more, since 16 bits end at
65535. `pictures` gives each mask its picture; a mask not listed there belongs to the picture of the same name.

Without it, reading takes a `classes.txt` (one class a line, the first is 1) for `classes` and 1000 for the divisor; or
Roboflow's `_classes.csv`; without that, values below 1000 are objects of the one class "object" (Penn-Fudan, Pascal
VOC), and those above belong to "class 24" and so on (Cityscapes). In 8 bits, 255 beside other values is a border that
belongs to nobody (VOC; `voc_masks` has folders of objects and classes). A mask `FudanPed00001_mask.png` belongs to a
picture `FudanPed00001` as well.

A folder counts as one of masks if it has a `classes.json` of this kind, or if all its PNGs are grey or have a palette,
and are flat: in a mask at least nine of ten neighbouring pixels are equal, in a photo they are not.

What is written: every object as its pixels, and the pictures under `images/`; the mask of a picture `a.png` is
`a_mask.png`. A pixel has one owner: where objects overlap, the later one has it.
"""

from __future__ import annotations

from maskrcnn.annotations.formats.label_format import FolderReader, LabelFormat, Writer
from maskrcnn.annotations.formats.masks.mask_files import has_class_list, has_masks, is_mask_folder
from maskrcnn.annotations.formats.masks.reading import read_folder
from maskrcnn.annotations.formats.masks.writing import encode

__all__ = ["FORMAT", "encode", "is_mask_folder", "read_folder"]

FORMAT = LabelFormat(
    writers={"masks": Writer("PNG masks", None, encode)},
    folder=FolderReader(has_class_list, read_folder, looks_like_one=has_masks),
)
