"""An exclusive lock between processes, for operations that SQLite cannot lock, such as replacing `jobs.db`."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_held = threading.local()


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the exclusive lock of the file `path` during the block; wait until it is available.

    The operating system releases the lock if the process dies. A thread that holds the lock may enter the block again.
    """
    if path in getattr(_held, "paths", ()):
        yield
        return
    with path.open("ab") as file:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        _held.paths = {*getattr(_held, "paths", ()), path}
        try:
            yield
        finally:
            _held.paths -= {path}
