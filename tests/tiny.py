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
