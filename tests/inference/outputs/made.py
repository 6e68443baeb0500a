"""Pictures with detections whose masks are drawn by hand, and their pixels as pycocotools decodes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from maskrcnn.config import Config
from maskrcnn.inference.outputs import FoundPicture

HEIGHT, WIDTH = 48, 64

CONFIG = Config.preset("classroom", class_names=("nut", "../bolt_1"), num_classes=3)
"""The second class has a name that leads out of a folder."""

POSES = Config.preset(
    "classroom",
    tasks=("box", "mask", "keypoints"),
    class_names=("kite",),
    num_classes=2,
    num_keypoints=2,
    keypoint_names=("head", "tail"),
    keypoint_edges=((0, 1),),
)


def blob(*boxes: tuple[int, int, int, int], without: Sequence[tuple[int, int, int, int]] = ()) -> np.ndarray:
    """A mask, bool `(HEIGHT, WIDTH)`: rectangles (left, top, right, bottom), without others."""
    pixels = np.zeros((HEIGHT, WIDTH), bool)
    for boxes_, value in ((boxes, True), (without, False)):
        for left, top, right, bottom in boxes_:
            pixels[top:bottom, left:right] = value
    return pixels


MASKS = (
    blob((4, 6, 24, 26)),  # 400 pixels
    blob((16, 16, 40, 36), without=[(22, 22, 30, 30)]),  # overlaps the first, and has a hole: 480 - 64 = 416 pixels
    blob((44, 0, 64, 14), (46, 30, 64, 48)),  # two parts, to the edges: 280 + 324 = 604 pixels
    blob(),  # no pixel
    blob((6, 8, 12, 12)),  # lies whole under the first: 24 pixels
)
AREAS = (400, 416, 604, 0, 24)


def detection(mask: np.ndarray, category: int, score: float, **more: Any) -> dict[str, Any]:
    """A COCO result; its box is half a pixel larger on each side than its mask."""
    code = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    x, y, width, height = coco_mask.toBbox(code).tolist()
    box = [x - 0.5, y - 0.5, width + 1, height + 1]
    segmentation = {"size": [*mask.shape], "counts": code["counts"].decode()}
    return {"category_id": category, "bbox": box, "score": score, "segmentation": segmentation, **more}


def detections() -> tuple[dict[str, Any], ...]:
    """A detection for each of `MASKS`, of the classes 1 and 2 in turn."""
    return tuple(detection(mask, 1 + number % 2, 0.95 - number / 10) for number, mask in enumerate(MASKS))


def pixels(seed: int = 0) -> np.ndarray:
    """A picture in which nearly every pixel has another colour."""
    return np.random.default_rng(seed).integers(1, 255, (HEIGHT, WIDTH, 3), np.uint8)


def found_pictures(folder: Path) -> list[FoundPicture]:
    """Three pictures with files: one with all `MASKS`, one without an object, one in a folder with a single object."""
    found = []
    for name, objects in (("a.png", detections()), ("b.png", ()), ("sub/a.png", detections()[2:3])):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels(len(found))).save(path)
        found.append(FoundPicture(name, WIDTH, HEIGHT, objects, path))
    return found
