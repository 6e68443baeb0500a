"""Measure the costs of a training in a separate process: start the measurement, poll its state, cancel it.

The process runs `train --estimate`. Its folder is in the store and is named after the key of the training
(`known_costs.timing_key`), so each tab with the same settings finds it, even after a restart of the server. The
first `poll` after the end of the process saves the costs in the store.
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
from maskrcnn.jobs import devices, known_costs, processes
from maskrcnn.runs.cost_estimate import Costs
from maskrcnn.runs.folder import LOG, PROCESS, RunFolder
from maskrcnn.runs.trainer_process import TRAINER, trainer_with_pid

MEASURER: tuple[str, ...] = (sys.executable, *TRAINER)
"""The start of the measuring command; `--estimate` and the options are appended to it."""


@dataclass(frozen=True)
class Measurement:
    """A measurement that is running or has failed. `line` is the last line it printed, or its error; None if it printed
    nothing. `seconds` is the time since its start."""

    state: Literal["running", "failed"]
    line: str | None
    seconds: float


def start(key: str, options: Sequence[str], store: Path, device: str, beside_training: bool) -> None:
    """Start to measure the training with these `options` on `device` ("any": the first device). Returns at once.

    `beside_training` says whether another training is running at the same time; it is saved with the costs. A running
    measurement for the same key continues. Measurements for other keys are killed, because two measurements at once
    would both be too slow. Raises `StudioError` if the process cannot be started.
    """
    if (found := poll(key, options, store)) and found.state == "running":
        return
    folder = _measurement_folder(store, key)
    for other in store.glob(_measurement_folder(store, "*").name):
        _remove_measurement(other)
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
    """The running or failed measurement for `key`, or None.

    If the measurement has succeeded, its costs are saved in the store and None is returned. A measurement that failed
    with other `options` of the same key is ignored (None).
    """
    folder = _measurement_folder(store, key)
    process_info = _measurement_process(folder)
    if process_info is None:
        return None
    # Check the process before reading its log: if the process has ended, the log is complete.
    alive = trainer_with_pid(folder / "run", process_info.get("pid")) is not None
    printed = RunFolder(folder).log_tail(20).strip().splitlines()
    last = printed[-1] if printed else ""
    seconds = time.time() - process_info.get("started", time.time())
    if alive:
        return Measurement("running", last if last and not last.startswith("{") else None, seconds)
    try:
        costs = Costs.parse(json.loads(last)["costs"])
    except (ValueError, KeyError, TypeError, StudioError):
        errors = [line.removeprefix("error: ") for line in printed if line.startswith("error: ")]
        if process_info.get("options") != list(options):
            return None
        return Measurement("failed", errors[-1] if errors else last or None, seconds)
    known_costs.save_measured_costs(costs, key, store, time.time(), process_info.get("beside", False))
    shutil.rmtree(folder, ignore_errors=True)
    return None


def cancel(key: str, store: Path) -> None:
    """Kill a running measurement, or delete the folder of a failed one."""
    _remove_measurement(_measurement_folder(store, key))


def _remove_measurement(folder: Path) -> None:
    """Kill the process of a measurement folder, if it is alive, and delete the folder."""
    process_info = _measurement_process(folder)
    if process_info and (process := trainer_with_pid(folder / "run", process_info.get("pid"))):
        processes.kill_tree(process)
    shutil.rmtree(folder, ignore_errors=True)


def _measurement_process(folder: Path) -> dict[str, Any] | None:
    """The content of process.json in the folder of a measurement; None if it is missing or damaged."""
    with contextlib.suppress(StudioError):
        return RunFolder(folder).read_json(PROCESS)
    return None


def _measurement_folder(store: Path, key: str) -> Path:
    """The folder of the measurement with this key."""
    return store / f"measuring-{key}"
