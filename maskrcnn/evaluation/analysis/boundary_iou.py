"""The boundary IoU of masks: the IoU of their edges, which shows what mask IoU hides in large objects.

Bowen Cheng, Ross Girshick, Piotr Dollar, Alexander C. Berg, Alexander Kirillov: "Boundary IoU: Improving Object-Centric
Image Segmentation Evaluation", CVPR 2021. With G_d and P_d, the pixels at most d from the contours of the label G and
the prediction P, it is |(G_d n G) n (P_d n P)| / |(G_d n G) u (P_d n P)| (n: and, u: or). Boundaries
are those of the authors' program, boundary_utils.py.
"""

from __future__ import annotations

import cv2
import numpy as np

from maskrcnn.evaluation.analysis.mask_cutouts import Cutout, cut_out
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
    widths = [boundary_width(width, height, ratio) for width, height in measured.sizes.tolist()]
    for detection in np.flatnonzero(matches.detection_status == TP).tolist():
        found = cut_out(measured.detection_entries[detection]["segmentation"])
        labelled = cut_out(measured.object_entries[matches.detection_partner[detection]]["segmentation"])
        result[detection] = boundary_iou(found, labelled, widths[measured.detections.picture[detection]])
    return result


def boundary_iou(one: Cutout, other: Cutout, width: int) -> float:
    """The boundary IoU of two masks of one picture, with boundaries of `width` pixels.

    The pixels outside a cutout are background, so that its boundary is that in the whole picture.

    Example: squares of 3 x 3 pixels, one pixel apart. Their boundaries of 8 pixels each share 4 pixels of 12.

    >>> square = np.ones((3, 3), dtype=np.uint8)
    >>> round(boundary_iou(Cutout(square, 0, 0, 3, 3), Cutout(square, 1, 0, 4, 3), width=1), 3)
    0.333
    """
    edges = [boundary(cutout.pixels, width) for cutout in (one, other)]
    left, right = max(one.left, other.left), min(one.right, other.right)
    top, bottom = max(one.top, other.top), min(one.bottom, other.bottom)
    if left >= right or top >= bottom:
        return 0.0
    first, second = (
        edge[left - cutout.left : right - cutout.left, top - cutout.top : bottom - cutout.top]
        for edge, cutout in zip(edges, (one, other), strict=True)
    )
    shared = cv2.countNonZero(first & second)
    return shared / (cv2.countNonZero(edges[0]) + cv2.countNonZero(edges[1]) - shared)


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
