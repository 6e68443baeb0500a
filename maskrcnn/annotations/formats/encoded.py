"""What every format's `encode` gives: label files that are ready to be written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maskrcnn.errors import StudioError


@dataclass(frozen=True)
class Encoded:
    """Label files by name, relative to where they go, and a warning line for whatever the format cannot hold.

    A format of one file has exactly one entry; who writes it may give it another name.
    """

    files: Mapping[str, bytes]
    warnings: tuple[str, ...] = ()


def json_bytes(document: Any, source: object) -> bytes:
    """A JSON document as the content of a file; `StudioError` naming `source` for what JSON cannot hold."""
    try:
        return json.dumps(document, allow_nan=False).encode() + b"\n"
    except (ValueError, TypeError, RecursionError):
        raise StudioError(f"{source}: an attribute holds what JSON cannot; remove it") from None
