"""Read the metrics of a run incrementally: only new lines of `metrics.jsonl` are read, so that a page can update a run
of 100,000 steps every two seconds.

Step rows are stored as one array per field, epoch rows as dictionaries. When a run is resumed, its last rows may be
replaced by others; then the whole file is read again.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskrcnn import untrusted_files
from maskrcnn.runs.folder import METRICS, MOST_METRICS, Row, RunFolder, validated_metrics_row

_MOST = 8
"""Maximum number of runs whose rows are kept in memory; 100,000 steps take about 20 MB."""

_MOST_FIELDS = 200
"""Maximum number of fields of the step rows; each field has an array with one number per step."""

_TAIL = 256
"""Number of bytes before the read position that are compared, to detect that the file was rewritten."""


@dataclass(frozen=True)
class MetricRows:
    """The metrics rows of a run so far.

    `steps` maps each field of the step rows to a float64 array (N,), NaN for a row without the field. `epochs` are the
    epoch rows. `last` is the last row of the file, None if there is none. Rows are in the order of the file.
    """

    steps: Mapping[str, np.ndarray]
    epochs: tuple[Row, ...]
    last: Row | None

    def __len__(self) -> int:
        return len(self.steps.get("step", ()))

    def column(self, field: str) -> np.ndarray:
        """A field of the step rows, (N,) float64; all NaN if no row has it."""
        return self.steps[field] if field in self.steps else np.full(len(self), np.nan)

    def has(self, field: str) -> bool:
        """Whether any row has a number in `field`."""
        return bool(np.isfinite(self.column(field)).any()) or any(row.get(field) is not None for row in self.epochs)


def read(run: RunFolder) -> MetricRows:
    """All complete rows of a run. Invalid and incomplete lines are skipped. Empty for a run without metrics."""
    path = run.path / METRICS
    with _lock:
        reader = _readers.setdefault(path, _Reader(path))
        _readers.move_to_end(path)
        while len(_readers) > _MOST:
            _readers.popitem(last=False)
        return reader.read()


class _Reader:
    """Reads one metrics file incrementally and keeps its rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._restart()

    def _restart(self) -> None:
        """Forget all rows, so that the file is read from its start."""
        self.offset = 0
        self.tail = b""  # the last bytes before `offset`
        self.columns: dict[str, array[float]] = {}
        self.count = 0
        self.epochs: list[Row] = []
        self.last: Row | None = None

    def read(self) -> MetricRows:
        """Read the new lines of the file, and return all rows.

        If the bytes that were read last are not the same any more, the file was rewritten, and is read from its start.
        """
        try:
            with untrusted_files.opened(self.path, self.path.parent) as file:
                file.seek(max(0, self.offset - _TAIL))
                if file.read(min(_TAIL, self.offset)) != self.tail:
                    self._restart()
                    file.seek(0)
                new = file.read(MOST_METRICS)
        except FileNotFoundError:
            self._restart()
            new = b""
        complete = new[: new.rfind(b"\n") + 1]
        for line in complete.splitlines():
            self._add_row(line)
        self.offset += len(complete)
        self.tail = (self.tail + complete)[-_TAIL:]
        steps = {name: np.array(column) for name, column in self.columns.items()}
        return MetricRows(steps, tuple(self.epochs), self.last)

    def _add_row(self, line: bytes) -> None:
        """Parse a line, and add its numbers to the columns, or the row to the epochs."""
        row = validated_metrics_row(line)
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
