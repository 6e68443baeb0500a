"""Unpack pictures that are stored inside a VIA 1.x or labelme file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.annotations.formats import via
from maskrcnn.annotations.regions import ImageRecord
from maskrcnn.annotations.unused_names import unused_path
from maskrcnn.errors import StudioError

FLAVOURS = ("via1", "via2", "via-project", "labelme")
_SUFFIXES = {b"\x89PNG": ".png", b"GIF8": ".gif", b"RIFF": ".webp", b"BM": ".bmp", b"II*": ".tif", b"MM": ".tif"}


def unpacked(record: ImageRecord, room: Callable[[], Path]) -> Path | None:
    """Write the picture inside the record's label file to a file in the folder that `room` returns, and return its
    path. None if there is no picture inside.

    Raises `StudioError` if it is not base64.
    """
    content = via.embedded_picture(record) or _of_labelme(record)
    if content is None:
        return None
    name = names.storable(record.file_name).rpartition("/")[2]
    if names.suffix(name) not in pictures.SUFFIXES:
        name += next((suffix for begin, suffix in _SUFFIXES.items() if content.startswith(begin)), ".jpg")
    path = unused_path(room() / "embedded" / name)
    path.write_bytes(content)
    return path


def _of_labelme(record: ImageRecord) -> bytes | None:
    """Return the bytes of the picture inside a labelme file; None if there is none."""
    written = record.extras.get("labelme", {}).get("imageData")
    if not isinstance(written, str) or not written:
        return None
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        raise StudioError(
            f"{names.brief(record.file_name)}: the picture inside the label file is not base64; give the picture's file"
        ) from None
