"""The epochs of a run whose network was kept, read from file names and headers, without torch."""

from __future__ import annotations

import json
import struct
from functools import lru_cache
from pathlib import Path

from maskrcnn.runs.folder import RunFolder

_LONGEST_HEADER = 20_000_000
"""Bytes; the header of a ResNet-50 has 40,000."""


def kept(run: RunFolder) -> dict[int, Path]:
    """Epoch -> the checkpoint with the network as it was after that epoch, in order of epoch.

    These are the numbered checkpoints, and `best.safetensors` for the epoch in its header.
    """
    found = run.checkpoints()
    if run.best.is_file():
        about = run.best.stat()
        epoch = _epoch_in_header(run.best, about.st_mtime_ns, about.st_size)
        if epoch is not None:
            found.setdefault(epoch, run.best)
    return dict(sorted(found.items()))


@lru_cache(maxsize=200)
def _epoch_in_header(checkpoint: Path, modified: int, size: int) -> int | None:
    """The epoch in the header of a safetensors file, which is JSON after its length; None where none can be read.

    A file with another modification time or size is read again.
    """
    try:
        with open(checkpoint, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > _LONGEST_HEADER:
                return None
            return int(json.loads(file.read(length))["__metadata__"]["epoch"])
    except (OSError, struct.error, ValueError, KeyError, TypeError, RecursionError):
        return None
