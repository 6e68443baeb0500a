"""The known costs of a training on this machine, from earlier runs and from measurements.

Costs are seconds per step and per picture (`runs.cost_estimate.Costs`), so they also apply to longer runs and to more
pictures. They are looked up by `timing_key`: a hash of the project, the kind of device (all GPUs of a machine are
assumed to be equally fast), and the Config fields that change the time of a step. Measurements are stored in a folder,
the store, as one JSON file per key.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

from maskrcnn.atomic_files import write_atomic
from maskrcnn.config import Config, fields_with
from maskrcnn.config.layer_schedule import layer_shares
from maskrcnn.errors import StudioError
from maskrcnn.jobs.devices import device_kind
from maskrcnn.runs.cost_estimate import Costs, costs_of_run
from maskrcnn.runs.folder import METRICS, PROCESS, RunFolder

MOST_RUNS = 30
"""Maximum number of runs, newest first, that are searched for a run with the same key."""


@dataclass(frozen=True)
class KnownCosts:
    """Costs and their source: the name of the run (None for a measurement), the time of the run or measurement (seconds
    since 1970), and whether another training was running during the measurement."""

    costs: Costs
    run: str | None
    when: float
    beside_training: bool = False


def timing_key(config: Config, project: Path, device: str) -> str:
    """The key of a training's costs, 16 hexadecimal digits. Trainings with the same key have the same time per step and
    per picture."""
    fields = config.model_dump(mode="json", exclude=set(fields_with(step_time=False)))
    text = json.dumps([fields, str(project), device_kind(device)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def newest_known_costs(
    config: Config, project: Path, device: str, runs: Iterable[RunFolder], store: Path
) -> KnownCosts | None:
    """The newest known costs for `config`, from one of the project's `runs` or from a measurement in `store`.

    None if no run and no measurement covers all groups of layers that `config` trains.
    """
    found = (costs_from_runs(config, project, device, runs), costs_from_store(config, project, device, store))
    return max((costs for costs in found if costs), key=lambda costs: costs.when, default=None)


def costs_from_store(config: Config, project: Path, device: str, store: Path) -> KnownCosts | None:
    """The measurement for `config` that `save_measured_costs` saved in `store`.

    None if no measurement covers all groups of layers that `config` trains.
    """
    try:
        document = json.loads(_measurement_file(store, timing_key(config, project, device)).read_text(encoding="utf-8"))
        entry = KnownCosts(Costs.parse(document["costs"]), None, float(document["when"]), bool(document.get("beside")))
    except (OSError, ValueError, KeyError, TypeError, StudioError):
        return None
    return entry if set(layer_shares(config.stages)) <= set(entry.costs.step) else None


def save_measured_costs(costs: Costs, key: str, store: Path, when: float, beside_training: bool) -> None:
    """Save a measurement in `store`. Step times of other groups of layers, measured earlier for this key, are kept."""
    path = _measurement_file(store, key)
    try:
        before = Costs.parse(json.loads(path.read_text(encoding="utf-8"))["costs"]).step
    except (OSError, ValueError, KeyError, TypeError, StudioError):
        before = {}
    merged = replace(costs, step={**before, **costs.step})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps({"costs": asdict(merged), "when": when, "beside": beside_training}))


def costs_from_runs(config: Config, project: Path, device: str, runs: Iterable[RunFolder]) -> KnownCosts | None:
    """The costs from the newest run that has the same key and enough steps; `runs` are sorted, newest first.

    None if no run covers all groups of layers that `config` trains.
    """
    key, layers = timing_key(config, project, device), set(layer_shares(config.stages))
    for run in islice(runs, MOST_RUNS):
        try:
            process, made_with = run.read_json(PROCESS), run.config()
            # Skip a run without process.json: it may come from another machine.
            if not process or timing_key(made_with, project, device) != key:
                continue
            written = (run.path / METRICS).stat()
            # Long metrics are slow to parse, so the cache key changes only when the file has grown by about a tenth.
            costs, usual_device = _cached_run_costs(
                run.path, round(8 * math.log2(1 + written.st_size)), process.get("started")
            )
            if device_kind(device) != device_kind(process.get("device") or usual_device):
                continue
        except (StudioError, OSError, KeyError, TypeError, ValueError, AttributeError):
            continue  # the run is damaged, or was written by an older version of the studio
        if costs is not None and layers <= set(costs.step):
            return KnownCosts(costs, run.name, written.st_mtime)
    return None


@lru_cache(maxsize=64)
def _cached_run_costs(run: Path, size: int, started: float | None) -> tuple[Costs | None, str]:
    """The costs of an earlier run, from its metrics, and the device on which it most likely ran.

    `size` and `started` are only part of the cache key: a run whose metrics have grown is read again.
    """
    folder = RunFolder(run)
    rows = folder.metrics()
    # Only trainings on a CUDA GPU log `gpu_percent`.
    return costs_of_run(folder, folder.config(), rows), "cuda" if any("gpu_percent" in row for row in rows) else "cpu"


def _measurement_file(store: Path, key: str) -> Path:
    """The JSON file of the measurement with this key."""
    return store / f"{key}.json"
