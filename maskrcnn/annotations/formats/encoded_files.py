"""The result of every format's `encode`: label files in memory, ready to be written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from maskrcnn.errors import StudioError


@dataclass(frozen=True)
class Encoded:
    """Label files by name, relative to where they go, and a warning line for whatever the format cannot hold.

    A format of one file has exactly one entry; who writes it may give it another name. `pictures` says where each
    picture belongs for the files to be of use, also relative, where the format wants it elsewhere than beside its
    label file under its own name. `within` is the folder that no picture may lead out of (None: whoever read the labels
    saw to that), and `left_out` is a line about the pictures that cannot be given along.

    `n_regions` is how many regions whoever reads the files finds in them, which may be fewer than the dataset has:
    `warnings` say why. `notes` are lines about what was written otherwise than one may expect, with nothing lost.
    """

    files: Mapping[str, bytes]
    n_regions: int
    warnings: tuple[str, ...] = ()
    pictures: Mapping[str, Path] = field(default_factory=dict)
    within: Path | None = None
    left_out: str | None = None
    notes: tuple[str, ...] = ()


def inside(file_name: str) -> str:
    """A picture's name as a relative path that stays inside its folder.

    >>> inside("../a.jpg"), inside("C:\\\\x\\\\a.jpg")
    ('a.jpg', 'C_/x/a.jpg')
    """
    parts = [part for part in re.split(r"[\\/]+", file_name) if part not in ("", ".", "..")]
    return "/".join(re.sub(r"[:\x00-\x1f]", "_", part) for part in parts) or "picture"


def label_file_of(picture: str, suffix: str) -> str:
    """The name of a picture's own label file: that of the picture with another suffix, inside the folder.

    >>> label_file_of("../sub/a.jpg", ".txt")
    'sub/a.txt'
    """
    path = PurePosixPath(inside(picture))
    return str(path.with_name(f"{path.stem}{suffix}"))


def json_bytes(document: Any, source: object) -> bytes:
    """A JSON document as the content of a file; `StudioError` naming `source` for what JSON cannot hold."""
    try:
        return json.dumps(document, allow_nan=False).encode() + b"\n"
    except (ValueError, TypeError, RecursionError):
        raise StudioError(f"{source}: an attribute holds what JSON cannot; remove it") from None
