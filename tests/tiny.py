"""The smallest things that can be trained: networks of a few thousand weights, pictures of a few thousand pixels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

CONFIG: dict[str, Any] = {
    "backbone": "resnet18_fpn",
    "fpn_channels": 8,
    "box_head_width": 16,
    "mask_head_width": 8,
    "mask_head_depth": 1,
    "image_min_dim": 64,
    "image_max_dim": 96,
    "pre_nms_limit": 50,
    "post_nms_rois_training": 50,
    "post_nms_rois_inference": 20,
    "train_rois_per_image": 8,
    "batch_size": 2,
    "norm": "batch",
}
"""Fields that shrink the classroom preset."""

SETTINGS: list[str] = [
    word for name, value in CONFIG.items() if name not in ("backbone", "norm") for word in ("--set", f"{name}={value}")
]
"""The same for the command line."""


def squares(folder: Path, pictures: int = 3, seed: int = 0, class_name: str | None = "square") -> Path:
    """Write grey pictures of 96 x 64 px with one bright square each and their VIA 2.x labels; return the label file."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    document = {}
    for number in range(pictures):
        side = int(random.integers(20, 36))
        x, y = int(random.integers(2, 94 - side)), int(random.integers(2, 62 - side))
        picture = random.integers(60, 90, (64, 96, 3), np.uint8)
        picture[y : y + side, x : x + side] = (220, 180, 40)
        name = f"square{number}.png"
        Image.fromarray(picture).save(folder / name)
        outline = {
            "name": "polygon",
            "all_points_x": [x, x + side, x + side, x],
            "all_points_y": [y, y, y + side, y + side],
        }
        attributes = {"kind": class_name} if class_name else {}
        document[name] = {
            "filename": name,
            "size": (folder / name).stat().st_size,
            "regions": [{"shape_attributes": outline, "region_attributes": attributes}],
            "file_attributes": {},
        }
    labels = folder / "via.json"
    labels.write_text(json.dumps(document))
    return labels


KEYPOINTS = ("top", "left", "right", "bottom", "middle")
"""The five keypoints of a kite: its corners and its middle."""


def kites(folder: Path, pictures: int = 3, seed: int = 0, outlines: bool = True, empty: int = 0) -> Path:
    """Write grey pictures of 96 x 64 px with one bright kite each and COCO labels with its `KEYPOINTS`; return the
    label file.

    Without `outlines`, the labels hold boxes and keypoints only. The first `empty` pictures have nothing on them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    images, annotations = [], []
    for number in range(pictures):
        x, y, reach = int(random.integers(24, 72)), int(random.integers(22, 42)), int(random.integers(14, 20))
        pixels = random.integers(60, 90, (64, 96, 3), np.uint8)
        images.append({"id": number + 1, "file_name": f"kite{number}.png", "width": 96, "height": 64})
        if number >= empty:
            down, right = np.mgrid[:64, :96] + 0.5
            pixels[abs(down - y) + abs(right - x) < reach] = (220, 180, 40)
            corners = [(x, y - reach), (x - reach, y), (x + reach, y), (x, y + reach), (x, y)]
            outline = [value for corner in (0, 2, 3, 1) for value in corners[corner]]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number + 1,
                    "category_id": 1,
                    "iscrowd": 0,
                    "bbox": [x - reach, y - reach, 2 * reach, 2 * reach],
                    "area": 2 * reach * reach,
                    "keypoints": [value for corner in corners for value in (*corner, 2)],
                    "num_keypoints": len(corners),
                    **({"segmentation": [outline]} if outlines else {}),
                }
            )
        Image.fromarray(pixels).save(folder / images[-1]["file_name"])
    kite = {"id": 1, "name": "kite", "keypoints": list(KEYPOINTS), "skeleton": [[1, 5], [2, 5], [3, 5], [4, 5]]}
    labels = folder / "coco.json"
    labels.write_text(json.dumps({"images": images, "annotations": annotations, "categories": [kite]}))
    return labels
