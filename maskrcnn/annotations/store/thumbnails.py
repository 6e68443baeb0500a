"""Small versions of pictures, made once and kept beside them."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

from PIL import Image

from maskrcnn.annotations import pictures
from maskrcnn.annotations.regions import new_id

LARGEST = 1024
"""Pixels of the longer side; beyond that it is no thumbnail."""


def thumbnail(folder: Path, picture: Path, sha256: str, side: int) -> bytes:
    """The picture as JPEG, its longer side `side` pixels at most, as displayed; from `folder` where it is there.

    Raises `StudioError` as `pictures.load` does.
    """
    side = max(1, min(side, LARGEST))
    kept = folder / f"{sha256}-{side}.jpg"
    with contextlib.suppress(OSError):
        return kept.read_bytes()
    with io.BytesIO() as buffer:
        Image.fromarray(pictures.reduced(picture, side)).save(buffer, "JPEG", quality=85)
        content = buffer.getvalue()
    arriving = folder / f".{new_id()}.tmp"
    # Two pages may make the same one at once; each writes a file of its own, and the last to be renamed stays. On a
    # disk that is full or read-only a thumbnail is made each time.
    with contextlib.suppress(OSError):
        try:
            folder.mkdir(exist_ok=True)
            arriving.write_bytes(content)
            os.replace(arriving, kept)
        finally:
            arriving.unlink(missing_ok=True)
    return content
