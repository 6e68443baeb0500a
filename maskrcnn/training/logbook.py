"""The log of a run: lines for whoever watches, and the run's `log.txt`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import TracebackType

from maskrcnn.runs.folder import LOG, RunFolder


class Logbook:
    """Call it with a line: `say` gets it, and it is written into `log.txt`, unless `say` prints to a standard output
    that goes there already.

    A `quiet` one says and writes nothing.
    """

    def __init__(self, run: RunFolder, say: Callable[[str], None] | None = None, quiet: bool = False) -> None:
        self._say = None if quiet else say
        self._path = run.path / LOG
        written = quiet or (say is not None and self._is_stdout())
        self._file = None if written else self._path.open("a", encoding="utf-8")

    def _is_stdout(self) -> bool:
        try:
            return os.path.samestat(os.fstat(sys.stdout.fileno()), self._path.stat())
        except OSError:  # no such file yet, or standard output is not a file at all
            return False

    def __call__(self, line: str) -> None:
        if self._say:
            self._say(line)
        if self._file:
            self._file.write(line + "\n")
            self._file.flush()

    def __enter__(self) -> Logbook:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()
