"""The log of a run: its lines are printed and written to `log.txt`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from types import TracebackType

from maskrcnn.config import LOSSES
from maskrcnn.durations import clock
from maskrcnn.errors import StudioError
from maskrcnn.runs.best_epoch import Best
from maskrcnn.runs.epochs_and_passes import passes_in_words
from maskrcnn.runs.folder import LOG, Row, RunFolder


class RunLog:
    """The log of a run. Call it with a line: it calls `say` and writes the line to `log.txt`.

    The line is not written if `say` prints to a standard output that is redirected to `log.txt` already. With `quiet`,
    nothing is printed or written.
    """

    def __init__(self, run: RunFolder, say: Callable[[str], None] | None = None, quiet: bool = False) -> None:
        self._say = None if quiet else say
        self._path = run.path / LOG
        written = quiet or (say is not None and self._is_stdout())
        self._file = None if written else self._path.open("a", encoding="utf-8")

    def _is_stdout(self) -> bool:
        """Whether standard output is redirected to the log file."""
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

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()


def best_epoch_log_words(best: Best | None) -> str:
    """What the last line of the log says of the best epoch: `best epoch 3 (mask AP 0.602)`."""
    if best is None:
        return "no epoch finished"
    if best.score is None:
        return f"best epoch {best.epoch}, the last one, as there was nothing to measure on"
    return f"best epoch {best.epoch} ({best.judged_by} {best.score:.3f})"


def epoch_log_line(row: Row, seen: float) -> str:
    """The line of the log about an epoch. `seen` is the number of times that each training picture was used so far."""
    parts = [f"epoch {row['epoch']:3d}  step {row['step']}  passes {passes_in_words(seen)}  loss {row['loss']:.3f}"]
    if "val_loss" in row:
        parts.append(f"val {row['val_loss']:.3f}")
    parts += [f"{name.removesuffix('_loss')} {row[name]:.3f}" for name in LOSSES if name in row]
    shown = ("segm_ap", "segm_ap50", "keypoints_ap", "keypoints_ap50", "bbox_ap")
    parts += [f"{name} {row[name]:.3f}" for name in shown if row.get(name) is not None]
    return "  ".join([*parts, f"{clock(row['elapsed'])} so far", f"ETA {clock(row['eta'])}"])


def error_log_line(error: Exception) -> str:
    """The line of the log about an error; it starts with the type of the error, except for a `StudioError`."""
    text = " ".join(str(error).split())
    return text if isinstance(error, StudioError) else f"{type(error).__name__}: {text}"
