"""The rows of a run as they come: `metrics.jsonl` is read on from where it was left, so that a page can ask every two
seconds for a run of 100,000 steps.

Steps are kept as one array of numbers for each field, epochs as they were written. A run that was resumed has its last
rows cut off and others written in their place; then the file is read anew.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskrcnn import foreign
from maskrcnn.runs.folder import METRICS, MOST_METRICS, Row, RunFolder, row_of

_MOST = 8
"""Runs whose rows are remembered; 100,000 steps take about 20 MB."""

_MOST_FIELDS = 200
"""Numbers of a step row; each has an array as long as the run."""

_TAIL = 256
"""Bytes before the place where reading goes on that must still be what they were."""


@dataclass(frozen=True)
class RunRows:
    """What a run has recorded so far.

    `steps` holds for each field of the step rows a float64 array (N,), NaN where a row has no such number; `epochs` are
    the epoch rows; `last` is the last row of all, None before the first. Both are in the order of the file.
    """

    steps: Mapping[str, np.ndarray]
    epochs: tuple[Row, ...]
    last: Row | None

    def __len__(self) -> int:
        return len(self.steps.get("step", ()))

    def column(self, field: str) -> np.ndarray:
        """(N,) float64: a field of the step rows, all NaN where none has it."""
        return self.steps[field] if field in self.steps else np.full(len(self), np.nan)

    def has(self, field: str) -> bool:
        """Whether any row holds a number of that name."""
        return bool(np.isfinite(self.column(field)).any()) or any(row.get(field) is not None for row in self.epochs)


def read(run: RunFolder) -> RunRows:
    """All complete rows of a run. What is torn or no row is passed over; a run without metrics has none."""
    path = run.path / METRICS
    with _lock:
        reader = _readers.setdefault(path, _Reader(path))
        _readers.move_to_end(path)
        while len(_readers) > _MOST:
            _readers.popitem(last=False)
        return reader.read()


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._forget()

    def _forget(self) -> None:
        self.offset = 0
        self.tail = b""
        self.columns: dict[str, array[float]] = {}
        self.count = 0
        self.epochs: list[Row] = []
        self.last: Row | None = None

    def read(self) -> RunRows:
        try:
            with foreign.opened(self.path, self.path.parent) as file:
                file.seek(max(0, self.offset - _TAIL))
                if file.read(min(_TAIL, self.offset)) != self.tail:
                    self._forget()
                    file.seek(0)
                new = file.read(MOST_METRICS)
        except FileNotFoundError:
            self._forget()
            new = b""
        whole = new[: new.rfind(b"\n") + 1]
        for line in whole.splitlines():
            self._take(line)
        self.offset += len(whole)
        self.tail = (self.tail + whole)[-_TAIL:]
        steps = {name: np.array(column) for name, column in self.columns.items()}
        return RunRows(steps, tuple(self.epochs), self.last)

    def _take(self, line: bytes) -> None:
        row = row_of(line)
        if row is None:
            return
        self.last = row
        if row["event"] == "epoch":
            self.epochs.append(row)
        else:
            numbers = {name: value for name, value in row.items() if isinstance(value, int | float)}
            for name in list(numbers.keys() - self.columns.keys())[: _MOST_FIELDS - len(self.columns)]:
                self.columns[name] = array("d", [np.nan]) * self.count
            for name, column in self.columns.items():
                column.append(numbers.get(name, np.nan))
            self.count += 1


_readers: OrderedDict[Path, _Reader] = OrderedDict()
_lock = threading.Lock()
