"""The runs of a project: the folders below its `runs/`, those that can be worked with and those with a fault."""

from __future__ import annotations

import os
from pathlib import Path

from maskrcnn import foreign
from maskrcnn.runs.folder import CONFIG, PROCESS, QUEUED, RunFolder


def runs_in(folder: Path) -> list[RunFolder]:
    """The runs below a project's `runs/` that can be worked with, newest first; see `faulty_runs_in` for the others."""
    return [run for run in _all_runs(folder) if run.fault() is None]


def faulty_runs_in(folder: Path) -> dict[str, str]:
    """The runs below a project's `runs/` that have a fault: name -> what is wrong, in a line."""
    return {run.name: wrong for run in _all_runs(folder) if (wrong := run.fault()) is not None}


def is_run(folder: Path) -> bool:
    """Whether a folder in `runs/` is a run, with a fault or without, and not something else that somebody put there."""
    return any(os.path.lexists(folder / mark) for mark in (CONFIG, PROCESS, QUEUED))


def _all_runs(folder: Path) -> list[RunFolder]:
    try:
        if not foreign.is_confined(folder, [folder.parent]):
            return []
        paths = [path for path in folder.iterdir() if is_run(path)]
    except OSError:
        return []
    found = [(path.lstat().st_ctime, path) for path in paths if os.path.lexists(path)]
    return [RunFolder(path) for _, path in sorted(found, reverse=True)]
