"""The epochs of a run whose network was kept, read from file names and headers, without torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from maskrcnn.errors import StudioError
from maskrcnn.runs.checkpoint_header import read_header
from maskrcnn.runs.folder import RunFolder


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
    """The epoch in the header of a checkpoint; None where it cannot be read.

    A file with another modification time or size is read again.
    """
    try:
        return read_header(checkpoint)[1]
    except (StudioError, OSError):
        return None
