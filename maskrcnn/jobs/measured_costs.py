"""What a training costs on this machine, as far as that is known: from runs that were made here, and measurements.

Costs are those of one step and of one picture (`training.duration.Costs`), so they stay true when the run is to be
longer or there are more pictures. They are looked up by `speed_key`: a hash of every choice that a step's time depends
on, the project, and the kind of device.
"""

from __future__ import annotations

import hashlib
import json
import math
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path

from maskrcnn.atomic_files import write_atomic
from maskrcnn.config import Config, fields_with
from maskrcnn.errors import StudioError
from maskrcnn.runs.costs import Costs, shares_of
from maskrcnn.runs.folder import CONFIG, METRICS, PROCESS, Row, RunFolder

RUNS_LOOKED_AT = 30
"""How many of the newest runs are looked through for one with the same choices."""

WARM_UP_STEPS = 2
"""Steps of a run that are not counted: the first ones are slow."""

_USUAL_START = 10.0  # seconds, where nobody knows


@dataclass(frozen=True)
class Known:
    """Costs that are known, and from where: the name of a run (`None` for a measurement), when it was made (seconds
    since 1970), and whether another training ran beside the measurement."""

    costs: Costs
    run: str | None
    when: float
    beside: bool = False


def speed_key(config: Config, project: Path, device: str) -> str:
    """What the costs are known by. Two trainings with the same key take as long for a step and for a picture."""
    felt = config.model_dump(mode="json", exclude=set(fields_with(step_time=False)))
    said = json.dumps([felt, str(project), kind_of(device)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def kind_of(device: str) -> str:
    """`cuda:1` -> cuda: cards of one machine are taken to be equal."""
    return device.partition(":")[0]


def known(config: Config, project: Path, device: str, runs: Iterable[RunFolder], store: Path) -> Known | None:
    """The newest costs that are known of `config`: of one of the project's `runs`, or measured and put into `store`."""
    found = [
        entry for entry in (of_runs(config, project, device, runs), measured(config, project, device, store)) if entry
    ]
    return max(found, key=lambda entry: entry.when, default=None)


def measured(config: Config, project: Path, device: str, store: Path) -> Known | None:
    """What was measured and kept with `keep`; None where nothing was, or not for all layers that are to learn."""
    try:
        document = json.loads(_file(store, speed_key(config, project, device)).read_text(encoding="utf-8"))
        entry = Known(Costs.parse(document["costs"]), None, float(document["when"]), bool(document.get("beside")))
    except (OSError, ValueError, KeyError, TypeError, StudioError):
        return None
    return entry if set(shares_of(config)) <= set(entry.costs.step) else None


def keep(costs: Costs, key: str, store: Path, when: float, beside: bool) -> None:
    """Put a measurement into `store`, beside what was measured there for other layers."""
    path = _file(store, key)
    try:
        before = Costs.parse(json.loads(path.read_text(encoding="utf-8"))["costs"]).step
    except (OSError, ValueError, KeyError, TypeError, StudioError):
        before = {}
    merged = replace(costs, step={**before, **costs.step})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps({"costs": asdict(merged), "when": when, "beside": beside}))


def of_runs(config: Config, project: Path, device: str, runs: Iterable[RunFolder]) -> Known | None:
    """The costs of the newest run with the same key that has come far enough to tell; `runs` are newest first."""
    key, words = speed_key(config, project, device), set(shares_of(config))
    for run in islice(runs, RUNS_LOOKED_AT):
        try:
            process, made_with = run.read_json(PROCESS), run.config()
            # A run without a process may have been made anywhere.
            if not process or speed_key(made_with, project, device) != key:
                continue
            written = (run.path / METRICS).stat()
            # Metrics of a long run take a moment to read: anew only when they have grown by a tenth.
            costs, usual_device = _read(run.path, round(8 * math.log2(1 + written.st_size)), process.get("started"))
            if kind_of(device) != kind_of(process.get("device") or usual_device):
                continue
        except (StudioError, OSError, KeyError, TypeError, ValueError, AttributeError):
            continue  # damaged, or of another time
        if costs is not None and words <= set(costs.step):
            return Known(costs, run.name, written.st_mtime)
    return None


@lru_cache(maxsize=64)
def _read(run: Path, size: int, started: float | None) -> tuple[Costs | None, str]:
    """The costs of a run and the kind of device it was most likely made on. `size` and `started` tell its metrics from
    those that were there before."""
    folder = RunFolder(run)
    rows = folder.metrics()
    # Only a graphics card says how busy it was.
    return costs_of(folder, folder.config(), rows), "cuda" if any("gpu_percent" in row for row in rows) else "cpu"


def costs_of(run: RunFolder, config: Config, rows: list[Row]) -> Costs | None:
    """What the parts of a run cost, by its rows; None where they are too few to tell."""
    paces: dict[str, list[float]] = {}
    for row in rows:
        if row["event"] == "step" and row["step"] > WARM_UP_STEPS and row["images_per_second"] > 0:
            paces.setdefault(row.get("layers", config.layers), []).append(row["images_per_second"])
    if not paces:
        return None
    validations = [row["validation_seconds"] for row in rows if row.get("validation_seconds")]
    validated = len((run.dataset()["val"] or {"images": ()})["images"]) if validations else 0
    return Costs(
        step={word: config.batch_size / statistics.median(found) for word, found in paces.items()},
        first_read=0.0,  # the median step is one whose pictures are in memory
        validation=statistics.median(validations) / validated if validated else 0.0,
        epoch=0.0,  # nobody wrote down how long the checkpoints took
        start=_seconds_to_start(run),
        memory_mb=max((row["memory_mb"] for row in rows if row.get("memory_mb")), default=0.0),
    )


def _seconds_to_start(run: RunFolder) -> float:
    """From the start of the process until the Config was written, which is last before the steps."""
    started = (run.read_json(PROCESS) or {}).get("started")
    took = (run.path / CONFIG).stat().st_mtime - started if started else -1.0
    return took if 0 < took < 600 else _USUAL_START  # a resumed run started after that


def _file(store: Path, key: str) -> Path:
    return store / f"{key}.json"
