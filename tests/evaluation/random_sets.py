"""Random ground truths with detections that are right, loose and wrong, for tests against slow twins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

HEIGHT, WIDTH = 120, 160


def random_set(seed: int, images: int, objects: int, extra: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Random rectangles of three classes, a crowd here and there, and jittered detections of them among random ones."""
    rng = np.random.default_rng(seed)
    annotations: list[dict[str, Any]] = []
    detections: list[dict[str, Any]] = []
    for image_id in range(images):
        boxes = [rectangle(rng) for _ in range(int(rng.integers(0, objects + 1)))]
        for box in boxes:
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(rng.integers(1, 4)),
                    "iscrowd": int(rng.random() < 0.1),
                    **outline(box),
                }
            )
            for _ in range(int(rng.integers(0, 3))):
                moved = box + rng.integers(-6, 7, 4)
                moved[2:] = np.maximum(moved[2:], moved[:2] + 3)
                category = annotations[-1]["category_id"] if rng.random() < 0.8 else int(rng.integers(1, 4))
                detections.append(detection(rng, image_id, category, moved.clip(0, HEIGHT)))
        for _ in range(extra):
            detections.append(detection(rng, image_id, int(rng.integers(1, 4)), rectangle(rng)))
    document = {
        "images": [{"id": n, "file_name": f"{n}.jpg", "width": WIDTH, "height": HEIGHT} for n in range(images)],
        "categories": [{"id": n, "name": str(n)} for n in (1, 2, 3)],
        "annotations": annotations,
    }
    return document, detections


def rectangle(rng: np.random.Generator) -> np.ndarray:
    x, y = rng.integers(0, 80, 2)
    width, height = rng.integers(8, 40, 2)
    return np.array([x, y, x + width, y + height])


def outline(box: np.ndarray) -> dict[str, Any]:
    bitmap = np.zeros((HEIGHT, WIDTH), np.uint8, order="F")
    x1, y1, x2, y2 = (int(value) for value in box)
    bitmap[y1:y2, x1:x2] = 1
    code = coco_mask.encode(bitmap)
    return {
        "segmentation": {"size": [HEIGHT, WIDTH], "counts": code["counts"].decode()},
        "bbox": [x1, y1, x2 - x1, y2 - y1],
        "area": float(bitmap.sum()),
    }


def detection(rng: np.random.Generator, image_id: int, category: int, box: np.ndarray) -> dict[str, Any]:
    score = float(rng.random())
    fields = outline(box)
    return {"image_id": image_id, "category_id": category, "score": score, **fields}


def random_poses(seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """People of all sizes with 17 keypoints, some unlabelled, some crowds, and jittered detections of them."""
    rng = np.random.default_rng(seed)
    annotations: list[dict[str, Any]] = []
    detections: list[dict[str, Any]] = []
    for image_id in range(1, 6):
        for _ in range(int(rng.integers(1, 6))):
            x, y, width, height = *rng.uniform(0, 200, 2), *rng.uniform(25, 180, 2)
            places = rng.uniform((x, y), (x + width, y + height), (17, 2))
            seen = rng.integers(0, 3, 17) * (rng.random() < 0.85)
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": 1,
                    "iscrowd": int(rng.random() < 0.1),
                    "bbox": [x, y, width, height],
                    "area": width * height * 0.6,
                    "keypoints": np.column_stack([places, seen]).ravel().tolist(),
                    "num_keypoints": int((seen > 0).sum()),
                }
            )
            for _ in range(int(rng.integers(0, 4))):
                off = places + rng.normal(0, 0.06 * rng.random() * math.sqrt(width * height), (17, 2))
                keypoints = np.column_stack([off, np.full(17, 2)]).ravel().tolist()
                detections.append({"image_id": image_id, "category_id": 1, "score": rng.random()})
                detections[-1] |= {"keypoints": keypoints, "bbox": [x + 3, y, width, height + 2]}
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 400, "height": 400} for n in range(1, 6)]
    return {"images": images, "categories": [{"id": 1, "name": "person"}], "annotations": annotations}, detections
