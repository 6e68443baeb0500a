"""What the trainer says, on the terminal and in the run's `log.txt`."""

from __future__ import annotations

import os
import sys
from types import TracebackType

from tqdm import tqdm

from maskrcnn.runs.folder import LOG, RunFolder


class Logbook:
    """Call it with a line: it is printed, and written into `log.txt` unless standard output already goes there.

    A `quiet` one says and writes nothing.
    """

    def __init__(self, run: RunFolder, quiet: bool = False) -> None:
        self._quiet = quiet
        self._path = run.path / LOG
        self._file = None if quiet or self._is_stdout() else self._path.open("a", encoding="utf-8")

    def _is_stdout(self) -> bool:
        try:
            return os.path.samestat(os.fstat(sys.stdout.fileno()), self._path.stat())
        except OSError:  # no such file yet, or standard output is not a file at all
            return False

    def __call__(self, line: str) -> None:
        if self._quiet:
            return
        tqdm.write(line)
        sys.stdout.flush()
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
