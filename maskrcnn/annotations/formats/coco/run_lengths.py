"""Check COCO run-length codes from unknown programs, because pycocotools does not check its input."""

from __future__ import annotations

import re
from typing import Any

from pycocotools import mask as coco_mask

from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.formats.json_values import LARGEST_SIDE, Complaint, Json, as_number, as_whole_number, brief
from maskrcnn.annotations.regions import RLE
from maskrcnn.run_length_codes import pixels_of

_BYTES = re.compile(r"b['\"](.*)['\"]")


def run_lengths(segmentation: Json, record: ImageRecord, complain: Complaint) -> RLE:
    """Return the compressed mask of `{"size": [height, width], "counts": string or list}`.

    Numbers may have other spellings (30.0, "30"), and a code may be the text of Python bytes (`"b'...'"`), as written
    by json.dumps(str(...)). Raises `StudioError` if the code is damaged, or if the mask does not have the picture's
    size.
    """
    size, counts = _whole_run_lengths(segmentation.get("size")), _whole_run_lengths(segmentation.get("counts"))
    if isinstance(counts, str) and (found := _BYTES.fullmatch(counts)):
        counts = found[1].replace("\\\\", "\\")
    if not isinstance(size, list) or len(size) != 2 or not all(type(s) is int and 0 < s < LARGEST_SIDE for s in size):
        raise complain(f"has a mask of size {brief(size)}, not height and width")
    height, width = size
    if (record.height, record.width) != (None, None) and (record.height, record.width) != (height, width):
        raise complain(
            f'has a mask of {width} x {height} px, but "{record.file_name}" is {record.width} x {record.height} px'
        )
    if isinstance(counts, list):
        if not all(type(count) is int and count >= 0 for count in counts) or sum(counts) != height * width:
            raise complain("has run lengths that do not add up to its size")
        counts = coco_mask.frPyObjects({"size": size, "counts": counts}, height, width)["counts"].decode("ascii")
    elif not isinstance(counts, str) or pixels_of(counts) != height * width:
        raise complain("has a mask whose run-length code is damaged")
    return RLE((height, width), counts)


def _whole_run_lengths(values: Any) -> Any:
    """Return a list with whole numbers in any spelling converted to int. Any other value is returned unchanged."""
    if not isinstance(values, list) or {int}.issuperset(map(type, values)):
        return values
    return [as_whole_number(as_number(value)) for value in values]


def mask_box(code: dict[str, Any]) -> list[float]:
    """Return the bounding box of COCO's run-length code in COCO's form `[x, y, width, height]`, in whole pixels."""
    return [float(value) for value in coco_mask.toBbox({**code, "counts": code["counts"].encode("ascii")})]
