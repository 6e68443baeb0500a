"""Everything that can be taken away from predictions, each kind in the folder or file that its name says.

| kind | written |
|---|---|
| overlays | `NAME.png`: the picture with its objects drawn on it |
| cutouts | `cutouts/NAME_001_CLASS.png`: one object, cropped; `cutouts/cutouts.csv`: their places |
| masks | `masks/NAME.png`: each pixel is the number of its object; `masks/legend.csv`: what the numbers are |
| coco, via, labelme, yolo | data sets that annotation programs and trainers read (`label_files`) |
| csv | `detections.csv`: one row for each object |

`write_picture_files` writes what needs the pixels, as soon as a picture is predicted; `write_set_files` what tells of
all pictures, at the end; `take_away` writes both into one zip. Objects have the same number in all files. No module
here loads torch.
"""

from maskrcnn.inference.outputs.file_stems import output_stems
from maskrcnn.inference.outputs.found_dataset import as_dataset
from maskrcnn.inference.outputs.found_picture import KINDS, PICTURE_KINDS, SET_KINDS, FoundPicture, require_kinds
from maskrcnn.inference.outputs.object_table import Scale, table_header, table_rows
from maskrcnn.inference.outputs.picture_files import overlay, write_picture_files
from maskrcnn.inference.outputs.set_files import PLACES, write_set_files
from maskrcnn.inference.outputs.take_away import TakeAwayStopped, take_away

__all__ = [
    "KINDS",
    "PICTURE_KINDS",
    "PLACES",
    "SET_KINDS",
    "FoundPicture",
    "Scale",
    "TakeAwayStopped",
    "as_dataset",
    "output_stems",
    "overlay",
    "require_kinds",
    "table_header",
    "table_rows",
    "take_away",
    "write_picture_files",
    "write_set_files",
]
