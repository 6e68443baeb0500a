"""What somebody should know of the labels before the first step. Knows no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from maskrcnn.annotations.learned import Learned
from maskrcnn.annotations.skeletons import mirrored
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.words import counted

FEW = 5
"""With fewer objects than this a class is hardly learned."""


def require_ready(documents: dict[str, Any]) -> None:
    """`StudioError` where there is nothing at all to learn from in `{"train": COCO document, "val": ... or None}`."""
    train = documents["train"]
    if not train["images"]:
        raise StudioError("there is no picture to learn from; label some, or give another --data")
    if not objects_of_class(train):
        pictures = len(train["images"])
        where = "the only picture" if pictures == 1 else f"any of the {pictures:,} pictures"
        raise StudioError(f"there is no object on {where} to learn from; label some, or give another --data")


def objects_of_class(document: dict[str, Any]) -> Counter[int]:
    """How many objects of each category id a training document holds; crowds are none.

    >>> document = {"annotations": [{"category_id": 1, "iscrowd": 0}, {"category_id": 1, "iscrowd": 1}]}
    >>> dict(objects_of_class(document))
    {1: 1}
    """
    return Counter(entry["category_id"] for entry in document["annotations"] if not entry.get("iscrowd"))


def remarks(config: Config, documents: dict[str, Any]) -> Iterator[str]:
    """What may surprise somebody who trains on `documents` with `config`, each in a line.

    `documents` are those of `labels.training_documents`; without its `learned` (a run that is resumed) nothing is said
    of the labels that were passed over.
    """
    train, val = documents["train"], documents["val"]
    yield from documents.get("notes", ())
    names = {category["id"]: category["name"] for category in train["categories"]}
    objects = objects_of_class(train)
    halves: dict[str, Learned | None] = documents.get("learned") or {}
    for half, words in (("train", ""), ("val", "of the validation set, ")):
        if learned := halves.get(half):
            for line in learned.remarks():
                yield f"{words}{line}"
    if (learned := halves.get("train")) and (number := learned.vanishing(config.image_min_dim, config.image_max_dim)):
        yield (
            f"{counted(number, 'object is', 'objects are')} narrower than a pixel once pictures are scaled to working "
            f"size, and {'is' if number == 1 else 'are'} not learned; raise image_min_dim ({config.image_min_dim}) and "
            f"image_max_dim ({config.image_max_dim})"
        )
    if len(train["images"]) == 1:
        yield "there is one picture only: it will be learned by heart, and others will hardly be understood; label more"
    for number, name in names.items():
        if not objects[number]:
            yield f'class "{name}" has no object to learn from; it will never be found'
        elif objects[number] < FEW and len(train["images"]) > 1:
            there = counted(objects[number], "object")
            yield f'class "{name}" has {there} to learn from; label more, it will hardly be learned'
    held_empty = halves.get("val")
    if not val or not val["images"]:
        if held_empty and held_empty.pictures:
            why = (
                f"no object on the {counted(held_empty.pictures, 'validation picture')}, so there is no validation set"
            )
        else:
            why = "there is no validation set"
        yield (
            f"{why}: no AP and no validation losses, and the last epoch counts as the best; keep some labelled "
            "pictures back on the Split page of the project, or name others with --val"
        )
    else:
        held_back = objects_of_class(val)
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
