"""Compare several runs: the data of their curves, their colours, and the table of their differences."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from maskrcnn.config import LOSSES, Config
from maskrcnn.drawing.swatches import disc
from maskrcnn.durations import clock
from maskrcnn.errors import StudioError
from maskrcnn.runs import metric_rows, shipped_models
from maskrcnn.runs.best_epoch import best_epoch
from maskrcnn.runs.epochs_and_passes import pictures_per_step, steps_per_pass
from maskrcnn.runs.folder import CONFIG, DATASET, RunFolder
from maskrcnn.studio.components.chart_axes import COMPARED_AXES, X_AXES, XAxis
from maskrcnn.studio.runs.curve_lines import Curves
from maskrcnn.studio.runs.curve_points import most_steps
from maskrcnn.studio.runs.curve_words import RUN_COLOURS, RUN_SHAPES
from maskrcnn.studio.runs.initial_weights_words import start_of
from maskrcnn.studio.shell import session

MOST_RUNS = len(RUN_COLOURS)
"""Maximum number of runs in a chart: the number of distinguishable colours."""


@st.cache_data(max_entries=64, show_spinner=False)
def _labels(dataset: str, stamp: int) -> dict[str, Any]:
    """The result of `labels` for the run folder `dataset`; `stamp` is only a part of the cache key."""
    document = RunFolder(dataset).dataset()
    names = [image["file_name"] for image in (document["val"] or {}).get("images", [])]
    drawn = document.get("drawn")
    learned = drawn["pictures"] if drawn else len(document["train"]["images"])
    return {"train": learned, "val": sorted(names), "drawn": drawn}


def labels(run: RunFolder) -> dict[str, Any]:
    """The pictures of a run: the number of training pictures (`train`), the file names of the validation pictures
    (`val`), and the toy world of training pictures that are not stored (`drawn`, None if they are stored)."""
    path = run.path / DATASET
    return _labels(str(run.path), path.stat().st_mtime_ns) if path.is_file() else {"train": 0, "val": [], "drawn": None}


def first_epoch_steps(run: RunFolder) -> int | None:
    """The number of steps in the first epoch of a run; None if it is unknown before the epoch has ended."""
    config = run.read_json(CONFIG) or {}
    if config.get("steps_per_epoch"):
        return int(config["steps_per_epoch"])
    return steps_per_pass(config.get("batch_size", 1), labels(run)["train"]) or None


def pass_steps(run: RunFolder) -> float | None:
    """The mean number of steps per pass through the training pictures (see `epochs.passes`); None if unknown.

    It is no integer if the number of pictures is no multiple of the batch size.
    """
    batch, pictures = (run.read_json(CONFIG) or {}).get("batch_size"), labels(run)["train"]
    return pictures / pictures_per_step(batch, pictures) if batch and pictures else None


def axes(runs: Sequence[RunFolder]) -> tuple[XAxis, ...]:
    """The x axes that can be used for these runs, the default first. "passes" needs the number of training pictures."""
    offered = X_AXES if len(runs) == 1 else COMPARED_AXES
    return offered if all(map(pass_steps, runs)) else tuple(axis for axis in offered if axis != "passes")


def curves(runs: Sequence[RunFolder]) -> list[Curves]:
    """The `Curves` of each run. Several runs get different colours and point shapes."""
    if len(runs) == 1:
        return [Curves(metric_rows.read(runs[0]), first_epoch_steps(runs[0]), pass_steps=pass_steps(runs[0]))]
    return [
        Curves(
            metric_rows.read(run),
            first_epoch_steps(run),
            run.name,
            RUN_COLOURS[number],
            RUN_SHAPES[number],
            pass_steps(run),
            most_steps(len(runs)),
        )
        for number, run in enumerate(runs)
    ]


def settings_of(run: RunFolder) -> dict[str, Any]:
    """All settings of a run by name: its Config, its initial weights, and its numbers of pictures.

    Fields that are missing in the config of an older version have their defaults. If the config is invalid, its raw
    values are returned.
    """
    written = run.read_json(CONFIG) or {}
    try:
        config = Config.parse(written).model_dump() if written else {}
    except StudioError:
        # Only known fields, because each name becomes a column of the table and must not replace another column.
        config = {name: written[name] for name in Config.model_fields if name in written}
    weights = config.pop("loss_weights", None) or {}
    settings = config | {f"weight of {name}": weights[name] for name in LOSSES if name in weights}
    known = labels(run)
    learned = shipped_models.toy_pictures_words(known["drawn"]) if known["drawn"] else known["train"]
    return settings | start_of(run) | {"training pictures": learned, "validation pictures": len(known["val"])}


def differences(settings: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """The settings that differ between the runs: name -> one text per run, a dash if the run has no value."""
    names = dict.fromkeys(name for one in settings for name in one)
    texts = {name: [_text(one.get(name)) for one in settings] for name in names}
    return {name: values for name, values in texts.items() if len(set(values)) > 1}


def comparison(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """The table of the compared runs, one row per run: colour, state, best AP with its epoch, initial weights, steps,
    passes and time so far, and the settings that differ."""
    lines = []
    for number, run in enumerate(runs):
        rows = metric_rows.read(run)
        best, whole = best_epoch(rows.epochs), pass_steps(run)
        step = rows.last["step"] if rows.last else 0
        lines.append(
            {
                " ": disc(RUN_COLOURS[number]),
                "run": run.name,
                "state": session.backend().state(run),
                "best AP": best.score if best else None,
                "AP of": best.judged_by if best else None,
                "best epoch": best.epoch if best else None,
                "start": start_of(run).get("start", "–"),
                "steps": step,
                "passes": step / whole if whole else None,
                "time": clock(session.backend().progress(run).elapsed),
            }
        )
    return pd.DataFrame(lines).assign(**differences([settings_of(run) for run in runs]))


def judged_alike(runs: Sequence[RunFolder]) -> bool:
    """Whether all runs have validation pictures with the same names, so that their AP can be compared."""
    return len({tuple(labels(run)["val"]) for run in runs}) == 1


def _text(value: Any) -> str:
    """A setting as text for a table cell."""
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(_text(part) for part in value) or "–"
    return value if isinstance(value, str) else json.dumps(value)
