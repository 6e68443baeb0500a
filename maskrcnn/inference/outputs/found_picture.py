"""A picture with what a network found in it, and the kinds of files that are made of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskrcnn.errors import ArgumentError

PICTURE_KINDS = ("overlays", "cutouts", "masks")
"""Kinds of files that are pictures, written as soon as a picture is predicted."""

SET_KINDS = ("coco", "via", "labelme", "yolo", "csv")
"""Kinds of files that tell of all pictures together, written at the end."""

KINDS = (*PICTURE_KINDS, *SET_KINDS)
"""Every kind of output, by its command-line name."""


@dataclass(frozen=True)
class FoundPicture:
    """A picture and the detections in it that are written; whoever makes it leaves out those with a low score.

    `name` is the name of the picture as it was given, perhaps with folders and `/`. `width` and `height` are those of
    the picture as displayed. `detections` are COCO results (`model.detect`), best first: the first is object number 1
    in every file. `path` is the picture's file, None if there is none (a frame of a video).
    """

    name: str
    width: int
    height: int
    detections: tuple[dict[str, Any], ...] = ()
    path: Path | None = None


def require_kinds(kinds: Collection[str]) -> None:
    """Raise `ArgumentError` if one of the kinds of output is none of `KINDS`.

    >>> require_kinds(["overlays", "csv"])
    """
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise ArgumentError(f'there is no output "{unknown[0]}"; choose from {", ".join(KINDS)}')


def class_name(detection: dict[str, Any], classes: Sequence[str]) -> str:
    """The class name of a detection; `classes` are the names of the category ids 1, 2, ..."""
    return classes[detection["category_id"] - 1]
