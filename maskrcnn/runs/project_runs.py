"""List the runs of a project: the folders in its `runs/`, usable runs and runs with a fault."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

from maskrcnn import untrusted_files
from maskrcnn.name_order import natural_key
from maskrcnn.runs.folder import CONFIG, PROCESS, QUEUED, RUNS, RunFolder
from maskrcnn.untrusted_files import is_utf8

_NOT_UTF8 = "{}: the name of this folder is not UTF-8, so no address can name the run; rename it"


def runs_in(folder: Path) -> list[RunFolder]:
    """The usable runs in a project's `runs/` folder, newest first."""
    return runs_and_faults_in(folder)[0]


def runs_and_faults_in(folder: Path) -> tuple[list[RunFolder], dict[str, str]]:
    """The usable runs in a project's `runs/` folder, newest first, and the others: name -> fault, one line."""
    usable, faults = [], {}
    for run in _all_runs(folder):
        wrong = _NOT_UTF8.format(run.path) if not is_utf8(run.name) else run.fault()
        if wrong is None:
            usable.append(run)
        else:
            faults[run.name] = wrong
    return usable, faults


def is_project_run(folder: Path) -> bool:
    """Whether a folder in a project's `runs/` is a run (with or without a fault), and not some other folder.

    A hidden folder does not count: its run is being deleted.
    """
    return not folder.name.startswith(".") and any(os.path.lexists(folder / mark) for mark in (CONFIG, PROCESS, QUEUED))


def _all_runs(folder: Path) -> list[RunFolder]:
    """All runs in a project's `runs/` folder, with or without a fault, newest first."""
    try:
        if not untrusted_files.is_confined(folder, [folder.parent]):
            return []
        paths = [path for path in folder.iterdir() if is_project_run(path)]
    except OSError:
        return []
    found = [(path.lstat().st_ctime, path) for path in paths if os.path.lexists(path)]
    return [RunFolder(path) for _, path in sorted(found, reverse=True)]


def free_run_name(runs_folder: Path, project: str) -> str:
    """An unused name for a new run: `project-0001`, `project-0002`, ..."""
    base = re.sub(r"[^\w-]+", "-", project).strip("-").lower() or "run"
    taken = [path.name for path in runs_folder.iterdir()] if runs_folder.is_dir() else []
    numbers = [int(match[1]) for name in taken if (match := re.fullmatch(rf"{re.escape(base)}-(\d+)", name))]
    return f"{base}-{max(numbers, default=0) + 1:04d}"


def run_folder_names(project: Path) -> list[str]:
    """The names of the folders in the project's `runs/`, sorted, without links and hidden folders."""
    folder = project / RUNS
    with suppress(OSError):
        if untrusted_files.is_real_folder(folder):
            found = (
                entry.name
                for entry in os.scandir(folder)
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            )
            return sorted(found, key=natural_key)
    return []
