"""A measurement of the costs of a training, in a process of its own: start it, ask how it stands, cancel it.

`train --estimate` runs in a folder of the store that is named after the key of the training
(`measured_costs.timing_key`). So any tab with the same choices finds it, also after the server was restarted. The first
`poll` after its end puts the costs into the store.
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
from maskrcnn.runs.trainer_process import TRAINER, living_trainer

MEASURER: tuple[str, ...] = (sys.executable, *TRAINER)
"""The command that measures; `--estimate` and the options follow it."""


@dataclass(frozen=True)
class Measurement:
    """A measurement that runs, or that failed. `line` is the last line that it printed, or the error; None where it
    printed none. `seconds`: how long ago it was started."""

    state: Literal["running", "failed"]
    line: str | None
    seconds: float


def start(key: str, options: Sequence[str], store: Path, device: str, beside_training: bool) -> None:
    """Measure the training that `options` describe, on that device ("any": the first one). Returns at once.

    `beside_training`: whether another training runs at the same time, which is noted with the costs. A measurement that
    runs already for this key goes on; those for other keys are killed, because two at once would both be too slow.
    Raises `StudioError` where the process cannot be started.
    """
    if (found := poll(key, options, store)) and found.state == "running":
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
    RunFolder(folder).write_json(PROCESS, {**about, "beside": beside_training, "options": list(options)})


def poll(key: str, options: Sequence[str], store: Path) -> Measurement | None:
    """How the measurement for that key stands; None where there is none. One that has ended well is put into the store,
    and there is none any more. One that failed with other `options` of the same key does not count."""
    folder = _folder(store, key)
    noted = _noted(folder)
    if noted is None:
        return None
    # In this order: a process that ends between the two questions has then printed all its lines.
    alive = living_trainer(folder / "run", noted.get("pid")) is not None
    printed = RunFolder(folder).log_tail(20).strip().splitlines()
    last = printed[-1] if printed else ""
    seconds = time.time() - noted.get("started", time.time())
    if alive:
        return Measurement("running", last if last and not last.startswith("{") else None, seconds)
    try:
        costs = Costs.parse(json.loads(last)["costs"])
    except (ValueError, KeyError, TypeError, StudioError):
        errors = [line.removeprefix("error: ") for line in printed if line.startswith("error: ")]
        if noted.get("options") != list(options):
            return None
        return Measurement("failed", errors[-1] if errors else last or None, seconds)
    measured_costs.keep(costs, key, store, time.time(), noted.get("beside", False))
    shutil.rmtree(folder, ignore_errors=True)
    return None


def cancel(key: str, store: Path) -> None:
    """Kill a measurement that runs, or forget one that failed."""
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
