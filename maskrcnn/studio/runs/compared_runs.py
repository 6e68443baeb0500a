"""Several runs drawn over each other: which, in which colour, and what is different about them."""

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
from maskrcnn.jobs import run_state
from maskrcnn.runs import metric_rows, shipped_models
from maskrcnn.runs.epochs import best_epoch, pictures_per_step, steps_per_pass
from maskrcnn.runs.folder import CONFIG, DATASET, RunFolder
from maskrcnn.studio.components.chart_axes import COMPARED_AXES, X_AXES, XAxis
from maskrcnn.studio.runs.curve_lines import Curves
from maskrcnn.studio.runs.curve_words import RUN_COLOURS, RUN_SHAPES
from maskrcnn.studio.runs.initial_weights_words import start_of

MOST_RUNS = len(RUN_COLOURS)
"""How many runs can be told apart in one chart."""


@st.cache_data(max_entries=64, show_spinner=False)
def _labels(dataset: str, stamp: int) -> dict[str, Any]:
    """What `labels` gives, of a `dataset.json`; `stamp` tells a new one from the old."""
    document = RunFolder(dataset).dataset()
    names = [image["file_name"] for image in (document["val"] or {}).get("images", [])]
    drawn = document.get("drawn")
    learned = drawn["pictures"] if drawn else len(document["train"]["images"])
    return {"train": learned, "val": sorted(names), "drawn": drawn}


def labels(run: RunFolder) -> dict[str, Any]:
    """How many pictures a run learns from (`train`), and the file names of those that it is judged on (`val`). `drawn`
    says of which toy world those were that are not kept beside the run, None where they are its own."""
    path = run.path / DATASET
    return _labels(str(run.path), path.stat().st_mtime_ns) if path.is_file() else {"train": 0, "val": [], "drawn": None}


def first_epoch(run: RunFolder) -> int | None:
    """How many steps the first epoch of a run has, None where nobody knows before it is over."""
    config = run.read_json(CONFIG) or {}
    if config.get("steps_per_epoch"):
        return int(config["steps_per_epoch"])
    return steps_per_pass(config.get("batch_size", 1), labels(run)["train"]) or None


def pass_steps(run: RunFolder) -> float | None:
    """After how many steps each training picture was seen once, on average (see `epochs.passes`); None where nobody
    knows. No whole number where the last batch of a pass has pictures of the next."""
    batch, pictures = (run.read_json(CONFIG) or {}).get("batch_size"), labels(run)["train"]
    return pictures / pictures_per_step(batch, pictures) if batch and pictures else None


def axes(runs: Sequence[RunFolder]) -> tuple[XAxis, ...]:
    """What these runs can be drawn over, the usual one first. Passes need the number of training pictures of each."""
    offered = X_AXES if len(runs) == 1 else COMPARED_AXES
    return offered if all(map(pass_steps, runs)) else tuple(axis for axis in offered if axis != "passes")


def curves(runs: Sequence[RunFolder]) -> list[Curves]:
    """What the curves of each run are drawn from; with a colour and a point of their own where they are several."""
    if len(runs) == 1:
        return [Curves(metric_rows.read(runs[0]), first_epoch(runs[0]), pass_steps=pass_steps(runs[0]))]
    return [
        Curves(
            metric_rows.read(run), first_epoch(run), run.name, RUN_COLOURS[number], RUN_SHAPES[number], pass_steps(run)
        )
        for number, run in enumerate(runs)
    ]


def settings_of(run: RunFolder) -> dict[str, Any]:
    """Every setting of a run by name: its config, what it starts from, and how many pictures it has.

    What a config of an older studio does not name has its default; one that cannot be understood is taken as it is.
    """
    written = run.read_json(CONFIG) or {}
    try:
        config = Config.parse(written).model_dump() if written else {}
    except StudioError:
        # No other names: each becomes a column of the table, beside those that have a meaning of their own.
        config = {name: written[name] for name in Config.model_fields if name in written}
    weights = config.pop("loss_weights", None) or {}
    settings = config | {f"weight of {name}": weights[name] for name in LOSSES if name in weights}
    known = labels(run)
    learned = shipped_models.world_words(known["drawn"]) if known["drawn"] else known["train"]
    return settings | start_of(run) | {"training pictures": learned, "validation pictures": len(known["val"])}


def differences(settings: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """The settings in which the runs are not all the same: name -> one text for each run, a dash where it has none."""
    names = dict.fromkeys(name for one in settings for name in one)
    texts = {name: [_text(one.get(name)) for one in settings] for name in names}
    return {name: values for name, values in texts.items() if len(set(values)) > 1}


def comparison(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """One line for each run: its colour, state, best AP with its epoch, steps, passes and time so far, what it started
    from, and what differs."""
    lines = []
    for number, run in enumerate(runs):
        rows = metric_rows.read(run)
        best, whole = best_epoch(rows.epochs), pass_steps(run)
        step = rows.last["step"] if rows.last else 0
        lines.append(
            {
                " ": disc(RUN_COLOURS[number]),
                "run": run.name,
                "state": run_state.state(run),
                "best AP": best.score if best else None,
                "AP of": best.judged_by if best else None,
                "best epoch": best.epoch if best else None,
                "start": start_of(run).get("start", "–"),
                "steps": step,
                "passes": step / whole if whole else None,
                "time": clock(run_state.progress(run).elapsed),
            }
        )
    return pd.DataFrame(lines).assign(**differences([settings_of(run) for run in runs]))


def judged_alike(runs: Sequence[RunFolder]) -> bool:
    """Whether all runs were validated on pictures of the same names, so that their AP can be compared."""
    return len({tuple(labels(run)["val"]) for run in runs}) == 1


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(_text(part) for part in value) or "–"
    return value if isinstance(value, str) else json.dumps(value)
