"""Use the splits that a dataset defines: in its label files (YOLO, Roboflow), or in its names of folders and files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from maskrcnn.annotations import file_names
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.words import counted

FOR_TEST: Mapping[str, Any] = {"yolo": {"split": "test"}}
"""`ImageRecord.extras` of a picture in a test split, for all label formats."""


_SPLIT_WORDS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "eval": "val",
    "test": "test",
    "testing": "test",
}
"""Words in names of folders and files, and the splits that they mean."""


def by_own_split(dataset: Dataset) -> tuple[Dataset, Dataset | None, str | None]:
    """Divide a dataset by its predefined split. Return (training, validation or None, summary line or None).

    Pictures of a test split are in neither part. If the labels define no training split, all pictures are for training
    and the other two results are None.
    """
    training = tuple(record for record in dataset.images if record.split != "val" and not is_for_test(record))
    if len(training) == len(dataset.images) or not any(record.split == "train" for record in training):
        return dataset, None, None
    validation = tuple(record for record in dataset.images if record.split == "val")
    tested = len(dataset.images) - len(training) - len(validation)
    parts = [f"{counted(len(training), 'picture')} to learn from"]
    parts += [f"{len(validation):,} to validate on"] if validation else []
    parts += [f"{tested:,} of the test split left out"] if tested else []
    line = f"{dataset.source}: has a split of its own: {', '.join(parts)}"
    held_back = replace(dataset, images=validation, warnings=()) if validation else None
    return replace(dataset, images=training), held_back, line


def is_for_test(record: ImageRecord) -> bool:
    """Whether the label file puts the picture into a test split. (The studio itself has no test split.)"""
    notes = record.extras.get("yolo")
    return record.split is None and isinstance(notes, dict) and notes.get("split") == "test"


def split_word(name: str) -> str | None:
    """Return the predefined split (`train`, `val` or `test`) that a path names, or None. The innermost name wins.

    >>> split_word("val2017/a"), split_word("x_train"), split_word("pictures/a")
    ('val', 'train', None)
    """
    for part in reversed(file_names.parts(name)):
        for word in reversed(re.findall(r"[^\W\d_]+", part.lower())):
            if word in _SPLIT_WORDS:
                return _SPLIT_WORDS[word]
    return None
