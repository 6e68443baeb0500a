"""The costs of a training on this machine, where they are known: from runs that were made here, and from measurements.

Costs are those of one step and of one picture (`runs.costs.Costs`), so they hold for a longer run and for more pictures
too. They are looked up by `timing_key`: a hash of the fields of the Config that change the time of a step, the project,
and the kind of device. Measurements are kept in a folder, the store, as one JSON file for each key.
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
from maskrcnn.errors import StudioError
from maskrcnn.runs.costs import Costs, costs_of_run, shares_of
from maskrcnn.runs.folder import METRICS, PROCESS, RunFolder

MOST_RUNS = 30
"""How many of the newest runs are searched for one with the same key."""


@dataclass(frozen=True)
class KnownCosts:
    """Costs, and their source: the name of a run (`None` for a measurement), the time at which it was made (seconds
    since 1970), and whether another training ran during the measurement."""

    costs: Costs
    run: str | None
    when: float
    beside_training: bool = False


def timing_key(config: Config, project: Path, device: str) -> str:
    """16 hexadecimal digits. Two trainings with the same key take the same time for a step and for a picture."""
    fields = config.model_dump(mode="json", exclude=set(fields_with(step_time=False)))
    text = json.dumps([fields, str(project), device_kind(device)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def device_kind(device: str) -> str:
    """The kind of a device; all cards of one machine are taken to be equally fast.

    >>> device_kind("cuda:1"), device_kind("cpu")
    ('cuda', 'cpu')
    """
    return device.partition(":")[0]


def known(config: Config, project: Path, device: str, runs: Iterable[RunFolder], store: Path) -> KnownCosts | None:
    """The newest costs that are known for `config`: of one of the project's `runs`, or a measurement in `store`. None
    where there are none for all layers that are to be trained."""
    found = (from_runs(config, project, device, runs), from_store(config, project, device, store))
    return max((costs for costs in found if costs), key=lambda costs: costs.when, default=None)


def from_store(config: Config, project: Path, device: str, store: Path) -> KnownCosts | None:
    """The measurement that was put into `store` with `keep`; None where there is none for all layers to be trained."""
    try:
        document = json.loads(_file(store, timing_key(config, project, device)).read_text(encoding="utf-8"))
        entry = KnownCosts(Costs.parse(document["costs"]), None, float(document["when"]), bool(document.get("beside")))
    except (OSError, ValueError, KeyError, TypeError, StudioError):
        return None
    return entry if set(shares_of(config)) <= set(entry.costs.step) else None


def keep(costs: Costs, key: str, store: Path, when: float, beside_training: bool) -> None:
    """Put a measurement into `store`; the steps that were measured with other layers of the same key stay."""
    path = _file(store, key)
    try:
        before = Costs.parse(json.loads(path.read_text(encoding="utf-8"))["costs"]).step
    except (OSError, ValueError, KeyError, TypeError, StudioError):
        before = {}
    merged = replace(costs, step={**before, **costs.step})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps({"costs": asdict(merged), "when": when, "beside": beside_training}))


def from_runs(config: Config, project: Path, device: str, runs: Iterable[RunFolder]) -> KnownCosts | None:
    """The costs of the newest run with the same key that has made enough steps; `runs` are newest first."""
    key, words = timing_key(config, project, device), set(shares_of(config))
    for run in islice(runs, MOST_RUNS):
        try:
            process, made_with = run.read_json(PROCESS), run.config()
            # A run without a process may have been made anywhere.
            if not process or timing_key(made_with, project, device) != key:
                continue
            written = (run.path / METRICS).stat()
            # Metrics of a long run take a moment to read: anew only when they have grown by a tenth.
            costs, usual_device = _read(run.path, round(8 * math.log2(1 + written.st_size)), process.get("started"))
            if device_kind(device) != device_kind(process.get("device") or usual_device):
                continue
        except (StudioError, OSError, KeyError, TypeError, ValueError, AttributeError):
            continue  # damaged, or of an older studio
        if costs is not None and words <= set(costs.step):
            return KnownCosts(costs, run.name, written.st_mtime)
    return None


@lru_cache(maxsize=64)
def _read(run: Path, size: int, started: float | None) -> tuple[Costs | None, str]:
    """The costs of a run and the device that it was most likely made on. `size` and `started` belong to the key of the
    cache: a run that has grown is read again."""
    folder = RunFolder(run)
    rows = folder.metrics()
    # Only a graphics card says how busy it was.
    return costs_of_run(folder, folder.config(), rows), "cuda" if any("gpu_percent" in row for row in rows) else "cpu"


def _file(store: Path, key: str) -> Path:
    return store / f"{key}.json"
