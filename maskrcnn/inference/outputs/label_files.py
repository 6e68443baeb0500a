"""Label files of what was found, by the writers of `annotations.formats`: COCO, VIA, labelme and YOLO.

| kind | file | objects |
|---|---|---|
| coco | `coco.json` | the exact masks as run-length codes, with `score`, areas and boxes around the masks |
| via | `via.json`, a VIA 2.x project | outlines |
| labelme | `labelme/NAME.json` and a copy of each picture, which labelme needs beside it | outlines |
| yolo | `yolo/data.yaml`, `yolo/labels/train/NAME.txt`, and a copy of each picture | outlines, joined into one |
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.formats.writing import encode, write_encoded
from maskrcnn.output_files import writing

LABEL_FILES = {"coco": "coco.json", "via": "via.json", "labelme": "labelme", "yolo": "yolo"}
"""Kind -> its file or folder."""

_FORMATS = {"coco": "coco", "via": "via-project", "labelme": "labelme", "yolo": "yolo"}


def write_label_file(kind: str, dataset: Dataset, folder: Path, notice: Callable[[str], object]) -> Path:
    """Write the label file or folder of a kind (see `LABEL_FILES`) into the folder, whole or not at all.

    An existing one is replaced. `notice(line)` is called with each thing that the format cannot hold. Raises
    `ArgumentError` if it cannot be written.
    """
    place = folder / LABEL_FILES[kind]
    encoded = encode(replace(dataset, source=place), _FORMATS[kind])  # warnings begin with the name of the file
    with writing(place):
        folder.mkdir(parents=True, exist_ok=True)
        if not place.is_dir():
            lines = write_encoded(encoded, place, _FORMATS[kind])
        else:  # written beside it, and exchanged
            new, old = (folder / f".{kind}.{uuid.uuid4().hex}.tmp" for _ in range(2))
            try:
                lines = write_encoded(encoded, new, _FORMATS[kind])
                place.rename(old)
                new.rename(place)
            finally:
                for rest in (new, old):
                    shutil.rmtree(rest, ignore_errors=True)
    for line in lines:
        notice(line)
    return place
