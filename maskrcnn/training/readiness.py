"""What somebody should know of the labels before the first step. Knows no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from maskrcnn.annotations.skeletons import mirrored
from maskrcnn.config import Config
from maskrcnn.errors import StudioError

FEW = 5
"""With fewer objects than this a class is hardly learned."""


def require_ready(documents: dict[str, Any]) -> None:
    """`StudioError` where there is nothing at all to learn from in `{"train": COCO document, "val": ... or None}`."""
    train = documents["train"]
    if not train["images"]:
        raise StudioError("there is no picture to learn from; label some, or give another --data")
    if not any(not annotation.get("iscrowd") for annotation in train["annotations"]):
        raise StudioError(
            f"there is no object on any of the {len(train['images'])} pictures to learn from; label some, or give "
            "another --data"
        )


def remarks(config: Config, documents: dict[str, Any]) -> Iterator[str]:
    """What may surprise somebody who trains on `documents` with `config`, each in a line."""
    train, val = documents["train"], documents["val"]
    names = {category["id"]: category["name"] for category in train["categories"]}
    objects = Counter(annotation["category_id"] for annotation in train["annotations"] if not annotation.get("iscrowd"))
    if len(train["images"]) == 1:
        yield "there is one picture only: it will be learned by heart, and others will hardly be understood; label more"
    for number, name in names.items():
        if not objects[number]:
            yield f'class "{name}" has no object to learn from; it will never be found'
        elif objects[number] < FEW and len(train["images"]) > 1:
            yield f'class "{name}" has {objects[number]} objects to learn from; label more, it will hardly be learned'
    if not val or not val["images"]:
        yield "there is no validation set: no AP and no validation losses, and the last epoch counts as the best"
    else:
        held_back = Counter(annotation["category_id"] for annotation in val["annotations"])
        if not held_back:
            yield "the validation pictures have no object on them, so there will be no AP"
        for number, name in names.items():
            if held_back and objects[number] and not held_back[number]:
                yield f'class "{name}" is on no validation picture, so the AP says nothing of it'
    if config.patience is not None and not (val and val["images"]):
        yield "patience needs a validation set, so the run goes to its end"
    if config.copy_paste and "mask" not in config.tasks:
        yield "copy_paste needs the mask task; no objects are pasted"
    if "keypoints" in config.tasks:
        if config.flip and mirrored(config.keypoint_names, config.num_keypoints) is None:
            yield (
                "pictures are not mirrored, because the names of the keypoints do not say which is left and which is "
                "right; call them left_eye, right_eye and so on"
            )
    elif any(annotation.get("num_keypoints") for annotation in train["annotations"]):
        yield f"the labels have keypoints too; --tasks {','.join([*config.tasks, 'keypoints'])} learns them"
