"""The tables of the Runs page: epochs of a run, all runs of the project, compared runs; and their sections.

Sections are collapsed at first. The content of a section is read when it is opened.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from maskrcnn.config import LOSSES, Config
from maskrcnn.drawing.swatches import disc
from maskrcnn.durations import clock
from maskrcnn.errors import StudioError
from maskrcnn.jobs.run_state import JobState
from maskrcnn.runs import metric_rows, shipped_models
from maskrcnn.runs.best_epoch import Best, best_epoch
from maskrcnn.runs.epochs_and_passes import EPOCH_MEANING, PASS_MEANING, mean_pass_steps
from maskrcnn.runs.folder import CONFIG, METRICS, Row, RunFolder
from maskrcnn.runs.initial_weights_words import start_of
from maskrcnn.studio.runs.curve_words import (
    AP_MEANING,
    AP_NAMES,
    LOSS_MEANINGS,
    LOSS_TITLES,
    RUN_COLOURS,
)
from maskrcnn.studio.runs.labels_and_detections import pictures_of_run
from maskrcnn.studio.runs.run_words import BEST_MEANING, TIME_MEANING
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.file_stamps import stamp

EPOCHS, LOG, RUNS = "runs-epochs", "runs-log-lines", "runs-all"
"""Session keys of the sections: whether they are open."""


def show(run: RunFolder) -> None:
    """Draw the sections with the epochs and the log of a run."""
    with session.fail_softly():
        epochs = metric_rows.read(run).epochs
        if epochs:
            with st.expander("Epochs", icon=":material/table:", key=EPOCHS, on_change="rerun") as box:
                if box.open:
                    frame = epoch_table(epochs, mean_pass_steps(run, pictures_of_run(run).train))
                    height = min(38 + 35 * len(frame), 320)
                    st.dataframe(frame, hide_index=True, height=height, column_config=epoch_columns(frame))
        failed = session.backend().state(run) == JobState.FAILED
        # The log of a failed run is open by default. It has a key of its own, so that closing it affects no other runs.
        key = f"{LOG}-failed" if failed else LOG
        with st.expander("Log", expanded=failed, icon=":material/article:", key=key, on_change="rerun") as box:
            if box.open:
                st.code(run.log_tail(60) or "It has said nothing yet.", language=None, height=260)


@st.fragment
def show_all(runs: Iterable[RunFolder]) -> None:
    """Draw the section with the table of all runs of the project."""
    with (
        st.expander("All runs of this project", icon=":material/list:", key=RUNS, on_change="rerun") as box,
        session.fail_softly(),
    ):
        if box.open:
            st.dataframe(runs_table(runs), hide_index=True, column_config=run_columns())


def epoch_table(rows: Iterable[Row], pass_steps: float | None = None) -> pd.DataFrame:
    """The metrics of a run as a table with one row per epoch.

    Columns are the epoch; steps, passes and seconds (`seconds_since_start`) from the start of the run to the end of the
    epoch; the seconds of the epoch with its validation (`seconds_of_epoch`); the total loss, AP and each loss. Empty
    columns are left out.
    """
    parts = [prefix + loss for loss in LOSSES for prefix in ("", "val_")]
    lines, before = [], {"epoch": 0, "elapsed": 0.0}
    for row in rows:
        known = before["epoch"] == row["epoch"] - 1 and None not in (row.get("elapsed"), before.get("elapsed"))
        lines.append(
            {"epoch": row["epoch"], "step": row["step"], "passes": row["step"] / pass_steps if pass_steps else None}
            | {name: row.get(name) for name in ("loss", "val_loss", *AP_NAMES)}
            | {"seconds_of_epoch": row["elapsed"] - before["elapsed"] if known else None}
            | {"seconds_since_start": row.get("elapsed")}
            | {name: row.get(name) for name in parts}
        )
        before = row
    return pd.DataFrame(lines).dropna(axis="columns", how="all")


def runs_table(runs: Iterable[RunFolder]) -> pd.DataFrame:
    """The table of runs, one row per run: state, epoch, best AP and its measure, time, and main settings."""
    backend = session.backend()
    lines: list[dict[str, Any]] = []
    for run in runs:
        try:
            now = backend.progress(run)
            config = run.read_json(CONFIG) or {}
        except StudioError:
            lines.append({"run": run.name, "state": "damaged"})
            continue
        best = _best_epoch_of_run(str(run.path), stamp(run.path / METRICS))
        lines.append(
            {
                "run": run.name,
                "state": now.state,
                "epoch": now.epoch,
                "best AP": best.score if best else None,
                "AP of": best.judged_by if best else None,
                "best epoch": best.epoch if best else None,
                "time": clock(now.elapsed),
                "backbone": config.get("backbone"),
                "pooling": config.get("pooling"),
                "layers": config.get("layers"),
            }
        )
    return pd.DataFrame(lines)


@st.cache_data(max_entries=256, show_spinner=False)
def _best_epoch_of_run(run_path: str, changed: int) -> Best | None:
    """The best epoch of a run for the table of runs; `changed` is the stamp of its metrics, a part of the cache key."""
    return best_epoch(RunFolder(run_path).epochs())


def run_columns() -> dict[str, Any]:
    """The column configuration of `runs_table` and `comparison_table`."""
    column = st.column_config
    return {
        "epoch": column.NumberColumn(help=f"The last one that has begun. {EPOCH_MEANING}", width="small"),
        "best AP": column.NumberColumn(format="%.3f", help=BEST_MEANING, width="small"),
        "AP of": column.TextColumn("of", help="What the best AP is measured on.", width="small"),
        "best epoch": column.NumberColumn(help=BEST_MEANING, width="small"),
        "steps": column.NumberColumn(help="Steps so far: batches learned from.", width="small"),
        "passes": column.NumberColumn(format="%.2f", help=PASS_MEANING, width="small"),
        "time": column.TextColumn(help=TIME_MEANING, width="small"),
        "start": column.TextColumn(help="What the network knew before its first step; resuming does not change it."),
    }


def epoch_columns(frame: pd.DataFrame) -> dict[str, Any]:
    """The column configuration of `epoch_table`."""
    column = st.column_config
    written: dict[str, Any] = {
        "epoch": column.NumberColumn(help=EPOCH_MEANING),
        "step": column.NumberColumn(help="Steps of the run until the end of this epoch."),
        "passes": column.NumberColumn(format="%.2f", help=f"{PASS_MEANING} Until the end of this epoch."),
        "seconds_since_start": column.NumberColumn(
            "since start, s", format="%.0f", help=f"Seconds of the run until the end of this epoch. {TIME_MEANING}"
        ),
        "seconds_of_epoch": column.NumberColumn(
            "this epoch, s", format="%.0f", help="Seconds of this epoch alone, its validation included."
        ),
        "loss": column.NumberColumn(format="%.3f", help="Each loss times its weight, summed: what is minimised."),
        "val_loss": column.NumberColumn(format="%.3f", help="The same sum on the validation pictures."),
    }
    for loss in LOSSES:
        written[loss] = column.NumberColumn(LOSS_TITLES[loss], format="%.3f", help=LOSS_MEANINGS[loss])
        written[f"val_{loss}"] = column.NumberColumn(
            f"val {LOSS_TITLES[loss]}", format="%.3f", help=f"On the validation pictures: {LOSS_MEANINGS[loss]}"
        )
    for field, title in AP_NAMES.items():
        written[field] = column.NumberColumn(title, format="%.3f", help=AP_MEANING)
    return {name: about for name, about in written.items() if name in frame.columns}


def compared_settings(run: RunFolder) -> dict[str, Any]:
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
    known = pictures_of_run(run)
    learned = shipped_models.toy_pictures_words(known.toy_world) if known.toy_world else known.train
    return settings | start_of(run) | {"training pictures": learned, "validation pictures": len(known.val)}


def different_settings(settings: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    """The settings that differ between the runs: name -> one text per run, a dash if the run has no value."""
    names = dict.fromkeys(name for one in settings for name in one)
    texts = {name: [_setting_text(one.get(name)) for one in settings] for name in names}
    return {name: values for name, values in texts.items() if len(set(values)) > 1}


def comparison_table(runs: Sequence[RunFolder]) -> pd.DataFrame:
    """The table of the compared runs, one row per run: colour, state, best AP with its epoch, initial weights, steps,
    passes and time so far, and the settings that differ."""
    backend = session.backend()
    lines = []
    for number, run in enumerate(runs):
        now, rows = backend.progress(run), metric_rows.read(run)
        best, pass_steps = best_epoch(rows.epochs), mean_pass_steps(run, pictures_of_run(run).train)
        step = rows.last["step"] if rows.last else 0
        lines.append(
            {
                " ": disc(RUN_COLOURS[number]),
                "run": run.name,
                "state": now.state,
                "best AP": best.score if best else None,
                "AP of": best.judged_by if best else None,
                "best epoch": best.epoch if best else None,
                "start": start_of(run).get("start", "–"),
                "steps": step,
                "passes": step / pass_steps if pass_steps else None,
                "time": clock(now.elapsed),
            }
        )
    return pd.DataFrame(lines).assign(**different_settings([compared_settings(run) for run in runs]))


def _setting_text(value: Any) -> str:
    """A setting as text for a table cell."""
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(_setting_text(part) for part in value) or "–"
    return value if isinstance(value, str) else json.dumps(value)


def show_comparison(runs: Sequence[RunFolder]) -> None:
    """Draw the comparison table of these runs, and a warning if their validation pictures differ."""
    st.dataframe(
        comparison_table(runs),
        hide_index=True,
        column_config={" ": st.column_config.ImageColumn(width=40), **run_columns()},
    )
    st.markdown(":small[Of the settings, the start and those that differ.]")
    if not same_validation_pictures(runs):
        st.warning("These runs were validated on different pictures, so their AP cannot be compared.")


def same_validation_pictures(runs: Sequence[RunFolder]) -> bool:
    """Whether the runs of a comparison table have validation pictures of the same names, so that AP is comparable."""
    return len({pictures_of_run(run).val for run in runs}) == 1
