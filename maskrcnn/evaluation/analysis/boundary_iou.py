"""The boundary IoU of masks: the IoU of their edges, which shows what mask IoU hides in large objects.

Bowen Cheng, Ross Girshick, Piotr Dollar, Alexander C. Berg, Alexander Kirillov: "Boundary IoU: Improving Object-Centric
Image Segmentation Evaluation", CVPR 2021, section 4.
"""

from __future__ import annotations

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from maskrcnn.evaluation.coco_documents import Entry
from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.set_matches import TP, SetMatches

DILATION_RATIO = 0.02
"""Width of the boundary, as a fraction of the diagonal of the picture: the paper's value for COCO."""

_KERNEL = np.ones((3, 3), dtype=np.uint8)


def boundary_ious(measured: MeasuredSet, matches: SetMatches, ratio: float = DILATION_RATIO) -> np.ndarray:
    """The boundary IoU of each true positive of `matches` with its object: (D,) float64, NaN for other detections.

    All are NaN if the set has no masks.
    """
    result = np.full(len(measured.detections), np.nan)
    if "segm" not in measured.kinds:
        return result
    for detection in np.flatnonzero(matches.detection_status == TP).tolist():
        width, height = measured.sizes[measured.detections.picture[detection]].tolist()
        mask, box = _cut_out(measured.detection_entries[detection])
        other, other_box = _cut_out(measured.object_entries[matches.detection_partner[detection]])
        left, top = np.minimum(box[:2], other_box[:2])
        right, bottom = np.maximum(box[2:], other_box[2:])
        both = []
        for cut, (x1, y1, x2, y2) in ((mask, box), (other, other_box)):
            whole = np.zeros((right - left, bottom - top), dtype=np.uint8)
            whole[x1 - left : x2 - left, y1 - top : y2 - top] = boundary(cut, boundary_width(width, height, ratio))
            both.append(whole.view(bool))
        shared = np.count_nonzero(both[0] & both[1])
        result[detection] = shared / np.count_nonzero(both[0] | both[1])
    return result


def boundary_width(width: int, height: int, ratio: float = DILATION_RATIO) -> int:
    """The width of the boundary in a picture, in pixels, at least 1.

    >>> boundary_width(640, 480), boundary_width(30, 40)  # the diagonals are 800 and 50 pixels
    (16, 1)
    """
    return max(1, round(ratio * float(np.hypot(width, height))))


def boundary(mask: np.ndarray, width: int) -> np.ndarray:
    """The pixels of a mask that are at most `width` pixels from its edge: the same shape and type, uint8.

    The distance is that of a king on a chess board. Pixels outside the array are background, so that the edge of the
    picture is an edge of the mask, as in the authors' program.

    >>> boundary(np.ones((4, 5), np.uint8), 1)
    array([[1, 1, 1, 1, 1],
           [1, 0, 0, 0, 1],
           [1, 0, 0, 0, 1],
           [1, 1, 1, 1, 1]], dtype=uint8)
    """
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return mask - cv2.erode(padded, _KERNEL, iterations=width)[1:-1, 1:-1]


def _cut_out(entry: Entry) -> tuple[np.ndarray, np.ndarray]:
    """The mask within its box, transposed (columns first), and the box [x1, y1, x2, y2] int64."""
    x, y, width, height = coco_mask.toBbox(entry["segmentation"]).astype(np.int64)
    bitmap = coco_mask.decode(entry["segmentation"]).T
    return bitmap[x : x + width, y : y + height], np.array([x, y, x + width, y + height])
