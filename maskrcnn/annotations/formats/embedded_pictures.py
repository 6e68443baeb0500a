"""Pictures that are stored inside label files (VIA 1.x and labelme), as base64: decode and unpack them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.annotations.dataset import ImageRecord
from maskrcnn.annotations.formats.json_values import brief
from maskrcnn.annotations.unused_names import unused_path
from maskrcnn.errors import StudioError
from maskrcnn.words import byte_size

FLAVOURS = ("via1", "via2", "via-project", "labelme")
_SUFFIXES = {b"\x89PNG": ".png", b"GIF8": ".gif", b"RIFF": ".webp", b"BM": ".bmp", b"II*": ".tif", b"MM": ".tif"}
LARGEST_EMBEDDED = 100 * 10**6
"""Bytes. A larger picture inside a VIA file is not decoded. For labelme, see `labelme.reading.MOST_IMAGE_DATA`."""


def unpack_embedded_picture(record: ImageRecord, folder_for_embedded: Callable[[], Path]) -> Path | None:
    """Write the picture inside the record's label file to a file in the folder that `folder_for_embedded` returns,
    and return its path. None if there is no picture inside.

    Raises `StudioError` if it is not base64.
    """
    content = picture_in_via_file(record) or _picture_in_labelme_file(record)
    if content is None:
        return None
    name = names.storable(record.file_name).rpartition("/")[2]
    if names.suffix(name) not in pictures.SUFFIXES:
        name += next((suffix for begin, suffix in _SUFFIXES.items() if content.startswith(begin)), ".jpg")
    path = unused_path(folder_for_embedded() / "embedded" / name)
    path.write_bytes(content)
    return path


def picture_in_via_file(record: ImageRecord) -> bytes | None:
    """Return the content of the picture file inside the label file (VIA 1.x: `base64_img_data`), or None if there is
    none.

    The text is a data URL or bare base64. Raises `StudioError` if it is neither, or larger than `LARGEST_EMBEDDED`.
    """
    written = record.extras.get("via", {}).get("fields", {}).get("base64_img_data")
    if written is None or written == "":
        return None
    named = brief(record.file_name, 80)
    mend = "take the picture out of the label file, and give the picture's own file"
    if not isinstance(written, str):
        raise StudioError(f"{named}: the picture inside the label file is not text; {mend}")
    if len(written) * 3 // 4 > LARGEST_EMBEDDED:
        raise StudioError(f"{named}: the picture inside the label file is over {byte_size(LARGEST_EMBEDDED)}; {mend}")
    encoded = written
    if written.startswith("data:"):
        kind, comma, encoded = written.partition(",")
        if not comma or not kind.endswith(";base64"):
            raise StudioError(f"{named}: the picture inside the label file is not base64; {mend}")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise StudioError(f"{named}: the picture inside the label file is not base64; {mend}") from None


def _picture_in_labelme_file(record: ImageRecord) -> bytes | None:
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
