"""Measuring what a training costs, in a process of its own: started, looked after, ended.

`train --estimate` runs in a folder of the store, named after the key of the choices (`measured_costs.speed_key`), so
that any tab with these choices finds it again, also after the page was left or the server started anew. When it has
ended, whoever looks first puts what it found into the store.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from maskrcnn.errors import StudioError
from maskrcnn.jobs import devices, measured_costs, processes
from maskrcnn.runs.costs import Costs
from maskrcnn.runs.folder import LOG, PROCESS, RunFolder
from maskrcnn.runs.trainer_process import living_trainer

MEASURER: tuple[str, ...] = (sys.executable, "-m", "maskrcnn", "train")
"""The command that measures; `--estimate` and the options follow it."""


@dataclass(frozen=True)
class Measuring:
    """A measurement that is being made, or that failed. `line` is the last one that it printed, or the error;
    `seconds` is how long it has been at it."""

    state: Literal["running", "failed"]
    line: str
    seconds: float


def start(key: str, options: Sequence[str], store: Path, device: str, beside: bool) -> None:
    """Begin to measure the training that `options` describe, on that device ("any" takes the first one).

    `beside` notes that another training runs meanwhile. One that runs already for this key is left alone; those for
    other choices are ended, because two at once would both come out too slow. Raises `StudioError` where the process
    cannot be started.
    """
    if (found := look(key, options, store)) and found.state == "running":
        return
    folder = _folder(store, key)
    for other in store.glob(_folder(store, "*").name):
        _end(other)
    where = devices.candidates(device)[0]
    argv = [*MEASURER, "--estimate", *options, "--out", str(folder / "run"), *devices.options(where)]
    try:
        folder.mkdir(parents=True)
        process = processes.start_apart(argv, folder / LOG, devices.environment(where))
    except OSError as error:
        raise StudioError(f"{argv[0]}: cannot be started ({error.strerror}); install the studio again") from None
    about = {"pid": process.pid, "create_time": processes.create_time(process.pid), "started": time.time()}
    RunFolder(folder).write_json(PROCESS, {**about, "beside": beside, "options": list(options)})


def look(key: str, options: Sequence[str], store: Path) -> Measuring | None:
    """How the measurement for that key stands; None where none is being made. One that has ended well is put into the
    store by this. One that failed with other `options` of the same key says nothing of these."""
    folder = _folder(store, key)
    noted = _noted(folder)
    if noted is None:
        return None
    # In this order: a process that ends between the two questions has then printed all that it had to say.
    alive = living_trainer(folder / "run", noted.get("pid")) is not None
    said = RunFolder(folder).log_tail(20).strip().splitlines()
    last = said[-1] if said else ""
    seconds = time.time() - noted.get("started", time.time())
    if alive:
        return Measuring("running", last if last and not last.startswith("{") else "loading its packages", seconds)
    try:
        costs = Costs.parse(json.loads(last)["costs"])
    except (ValueError, KeyError, TypeError, StudioError):
        errors = [line.removeprefix("error: ") for line in said if line.startswith("error: ")]
        if noted.get("options") != list(options):
            return None
        line = errors[-1] if errors else last or "its process was ended and left no word"
        return Measuring("failed", line, seconds)
    measured_costs.keep(costs, key, store, time.time(), noted.get("beside", False))
    shutil.rmtree(folder, ignore_errors=True)
    return None


def cancel(key: str, store: Path) -> None:
    """End a measurement that is being made, or forget one that failed. Nothing is lost by it, so nobody is asked to
    finish."""
    _end(_folder(store, key))


def _end(folder: Path) -> None:
    noted = _noted(folder)
    if noted and (process := living_trainer(folder / "run", noted.get("pid"))):
        processes.kill_tree(process)
    shutil.rmtree(folder, ignore_errors=True)


def _noted(folder: Path) -> dict[str, Any] | None:
    with contextlib.suppress(StudioError):
        return RunFolder(folder).read_json(PROCESS)
    return None


def _folder(store: Path, key: str) -> Path:
    return store / f"measuring-{key}"
