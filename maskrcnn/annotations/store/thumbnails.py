"""Thumbnails of pictures, made once and stored in the project."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path

from PIL import Image

from maskrcnn import untrusted_files
from maskrcnn.annotations import pictures
from maskrcnn.annotations.store import path_confinement
from maskrcnn.atomic_files import write_atomic

LARGEST = 1024
"""Pixels of the longer side; beyond that it is no thumbnail."""

_MOST_BYTES = 5_000_000


def thumbnail(folder: Path, picture: Path, sha256: str, side: int) -> bytes:
    """The picture as JPEG, its longer side `side` pixels at most, as displayed; from `folder` where it is there.

    Raises `StudioError` as `pictures.load` does.
    """
    side = max(1, min(side, LARGEST))
    kept = folder / f"{sha256}-{side}.jpg"
    if (content := _kept(kept, side)) is not None:
        return content
    with io.BytesIO() as buffer:
        Image.fromarray(pictures.reduced(picture, side)).save(buffer, "JPEG", quality=85)
        content = buffer.getvalue()
    # On a disk that is full or read-only, or where the folder is a link, a thumbnail is made each time.
    with contextlib.suppress(OSError):
        folder.mkdir(exist_ok=True)
        if path_confinement.is_folder(folder):
            write_atomic(kept, content, durable=False)  # one that is lost is made again
    return content


def _kept(path: Path, side: int) -> bytes | None:
    """A thumbnail that was kept; None where there is none, or where it is anything else than a small JPEG: a project
    may come from a stranger, and what is in this file goes to the browser as it is."""
    if not path_confinement.is_folder(path.parent) or not path_confinement.is_file(path):
        return None
    try:
        content = untrusted_files.read_bytes(path, path.parent, _MOST_BYTES)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=("JPEG",)) as opened:
                return content if max(opened.size) <= side else None
    except Exception:  # Pillow reports damage with almost any exception; another one is made
        return None
