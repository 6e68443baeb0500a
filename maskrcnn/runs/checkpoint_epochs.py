"""Find the epochs of a run that have a checkpoint, from file names and headers, without torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from maskrcnn.errors import StudioError
from maskrcnn.runs.checkpoint_header import read_header
from maskrcnn.runs.folder import RunFolder


def kept(run: RunFolder) -> dict[int, Path]:
    """Map each epoch that has a checkpoint to its file, in order of epoch.

    Includes the numbered checkpoints, and `best.safetensors` for the epoch in its header.
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
    """The epoch in the header of a checkpoint; None if it cannot be read.

    `modified` (ns) and `size` (bytes) are part of the cache key, so that a changed file is read again.
    """
    try:
        return read_header(checkpoint)[1]
    except (StudioError, OSError):
        return None
