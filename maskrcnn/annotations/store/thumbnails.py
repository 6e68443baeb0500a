"""Thumbnails of pictures, made once and stored in the project."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path

from PIL import Image

from maskrcnn import untrusted_files
from maskrcnn.annotations import pictures
from maskrcnn.atomic_files import write_atomic

LARGEST = 1024
"""Maximum longer side of a thumbnail in pixels."""

_MOST_BYTES = 5_000_000


def thumbnail(folder: Path, picture: Path, sha256: str, side: int) -> bytes:
    """Return a JPEG of a picture as displayed, with a longer side of at most `side` px. It is cached in `folder`.

    Raises `StudioError` as `pictures.load` does.
    """
    side = max(1, min(side, LARGEST))
    kept = folder / f"{sha256}-{side}.jpg"
    if (content := _stored_thumbnail(kept, side)) is not None:
        return content
    with io.BytesIO() as buffer:
        Image.fromarray(pictures.reduced(picture, side)).save(buffer, "JPEG", quality=85)
        content = buffer.getvalue()
    # If the disk is full or read-only, or the folder is a link, the thumbnail is made again each time.
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        if untrusted_files.is_real_folder(folder):
            write_atomic(kept, content, durable=False)  # a lost file is made again
    return content


def _stored_thumbnail(path: Path, side: int) -> bytes | None:
    """Return a stored thumbnail; None if it is missing or not a small JPEG.

    A project may come from an untrusted source, and the content of this file is sent to the browser unchanged.
    """
    if not untrusted_files.is_real_folder(path.parent) or not untrusted_files.is_real_file(path):
        return None
    try:
        content = untrusted_files.read_bytes(path, path.parent, _MOST_BYTES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=("JPEG",)) as opened:
                return content if max(opened.size) <= side else None
    except Exception:  # Pillow raises almost any exception for a damaged file; then make a new thumbnail
        return None
