"""One process at a time, for the moments in which `jobs.db` is made or replaced and cannot guard itself."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_held = threading.local()


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until nobody else is in this block with the same file; the system lets go of it when a process dies.

    Whoever is in it already may enter again.
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
