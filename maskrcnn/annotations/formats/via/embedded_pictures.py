"""Decode pictures that are stored inside a VIA 1.x file, as base64."""

from __future__ import annotations

import base64
import binascii

from maskrcnn.annotations.formats.json_values import brief
from maskrcnn.annotations.regions import ImageRecord
from maskrcnn.errors import StudioError
from maskrcnn.words import byte_size

LARGEST_EMBEDDED = 100 * 10**6
"""Bytes. A larger picture inside a label file is not decoded."""


def embedded_picture(record: ImageRecord) -> bytes | None:
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
