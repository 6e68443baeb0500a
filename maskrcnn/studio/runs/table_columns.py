"""The formats of the columns in the tables of runs and epochs, with an explanation of each column on hover."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from maskrcnn.config import LOSSES
from maskrcnn.runs.epochs_and_passes import EPOCH_MEANING, PASS_MEANING
from maskrcnn.studio.runs.curve_words import AP_MEANING, AP_NAMES, LOSS_MEANINGS, LOSS_TITLES
from maskrcnn.studio.runs.run_words import BEST_MEANING, TIME_MEANING


def run_columns() -> dict[str, Any]:
    """The column configuration for the tables `run_words.overview` and `compared_runs.comparison`."""
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
    """The column configuration for the table `curve_lines.table`."""
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
