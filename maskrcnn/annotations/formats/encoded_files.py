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
    """Label files in memory, by their name relative to the target folder, with the warnings of `encode`.

    - `files`: name -> content. A single-file format has exactly one entry; the caller may write it under another name.
    - `n_regions`: the number of regions in the files. It may be smaller than in the dataset; `warnings` say why.
    - `warnings`: one line for each kind of information that the format cannot hold.
    - `pictures`: name relative to the target folder -> picture file. Empty if the pictures belong beside their label
      files under their own names.
    - `within`: the folder that no picture may lie outside of. None if the reader of the labels has checked this.
    - `left_out`: a line about the pictures that cannot be written.
    - `notes`: lines about unexpected changes that lose no information.
    """

    files: Mapping[str, bytes]
    n_regions: int
    warnings: tuple[str, ...] = ()
    pictures: Mapping[str, Path] = field(default_factory=dict)
    within: Path | None = None
    left_out: str | None = None
    notes: tuple[str, ...] = ()


def inside(file_name: str) -> str:
    r"""Return a picture's name as a relative path that stays inside its folder.

    >>> inside("../a.jpg"), inside("C:\\x\\a.jpg")
    ('a.jpg', 'C_/x/a.jpg')
    """
    parts = [part for part in re.split(r"[\\/]+", file_name) if part not in ("", ".", "..")]
    return "/".join(re.sub(r"[:\x00-\x1f]", "_", part) for part in parts) or "picture"


def label_file_of(picture: str, suffix: str) -> str:
    """Return the name of a picture's own label file: the picture's path inside the folder, with another suffix.

    >>> label_file_of("../sub/a.jpg", ".txt")
    'sub/a.txt'
    """
    path = PurePosixPath(inside(picture))
    return str(path.with_name(f"{path.stem}{suffix}"))


def json_bytes(document: Any, source: object) -> bytes:
    """Return a JSON document as bytes. Raises `StudioError` that names `source` if JSON cannot hold the document."""
    try:
        return json.dumps(document, allow_nan=False).encode() + b"\n"
    except (ValueError, TypeError, RecursionError):
        raise StudioError(f"{source}: an attribute holds what JSON cannot; remove it") from None
