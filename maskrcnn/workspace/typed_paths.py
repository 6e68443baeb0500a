"""Check a path that the user typed."""

from __future__ import annotations

import os
from pathlib import Path

from maskrcnn.errors import ArgumentError

_LONGEST = 4096


def typed_path(text: str) -> Path:
    """The path of the existing file or folder that the user typed. Raises `ArgumentError` if there is none."""
    text = text.strip().strip("\"'")
    shown = text if len(text) <= 100 else f"{text[:99]}…"
    try:
        if not text or "\0" in text or len(text) > _LONGEST:
            raise ValueError
        path = Path(text).expanduser()
        os.stat(path)
    except FileNotFoundError:
        raise ArgumentError(f"{shown}: does not exist on this computer; check the path") from None
    except OSError as error:
        raise ArgumentError(f"{shown}: cannot be opened ({error.strerror}); check the path") from None
    except (ValueError, RuntimeError):  # RuntimeError: `~name` of an unknown user
        raise ArgumentError(
            f'"{shown}" is no path on this computer; type that of a folder, a label file or a zip'
        ) from None
    if not (path.is_dir() or path.is_file()):
        raise ArgumentError(f"{shown}: is neither a file nor a folder; type the path of one")
    return path
