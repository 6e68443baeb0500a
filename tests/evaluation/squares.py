"""Documents of squares: labels and detections small enough to measure by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

SIDE = 200


def square(x: float, y: float, side: float) -> list[list[float]]:
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


def code(x: int, y: int, side: int) -> dict[str, Any]:
    bitmap = np.zeros((SIDE, SIDE), np.uint8, order="F")
    bitmap[y : y + side, x : x + side] = 1
    found = coco_mask.encode(bitmap)
    return {"size": [SIDE, SIDE], "counts": found["counts"].decode()}


def truth(*objects: tuple[int, int, int, int, int], images: int = 1, classes: int = 2) -> dict[str, Any]:
    """A document from (image_id, category_id, x, y, side) of squares."""
    return {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": SIDE, "height": SIDE} for n in range(images)],
        "categories": [{"id": n, "name": f"class {n}"} for n in range(1, classes + 1)],
        "annotations": [
            {
                "id": number,
                "image_id": image_id,
                "category_id": category,
                "iscrowd": 0,
                "bbox": [x, y, side, side],
                "area": side * side,
                "segmentation": square(x, y, side),
            }
            for number, (image_id, category, x, y, side) in enumerate(objects)
        ],
    }


def found(image_id: int, category: int, x: int, y: int, side: int, score: float) -> dict[str, Any]:
    return {
        "image_id": image_id,
        "category_id": category,
        "bbox": [x, y, side, side],
        "score": score,
        "segmentation": code(x, y, side),
    }


# Two objects of class 1, at (10, 10) and (100, 100), 40 pixels wide.
TWO = truth((0, 1, 10, 10, 40), (0, 1, 100, 100, 40))
FIRST, SECOND, NOWHERE = (10, 10, 40), (100, 100, 40), (10, 100, 40)
