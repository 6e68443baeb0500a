"""Formatting of an evaluation report for the Predictions page: the table of pictures and the headline numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from maskrcnn.evaluation import Report

COLUMNS: dict[str, str] = {
    "file": "picture",
    "ap": "AP",
    "ap50": "AP50",
    "ap50_pooled": "AP50 pooled",
    "keypoints_ap": "keypoint AP",
    "n_gt": "objects",
    "tp": "TP",
    "fp": "FP",
    "fn": "FN",
}
"""Field of a report's row -> column title. Keypoint AP is shown only if the network finds keypoints."""

MATCHED_BY: dict[str, str] = {"segm": "mask", "bbox": "box"}
"""What is compared to decide whether a detection is correct -> its name in texts."""


def table(found: Report) -> pd.DataFrame:
    """Return a table with one row for each picture, in the order of the report, and the columns of `COLUMNS`."""
    fields = [field for field in COLUMNS if field != "keypoints_ap" or found.keypoints]
    rows = [[getattr(row, field) for field in fields] for row in found.per_image]
    frame = pd.DataFrame(rows, columns=fields)
    return frame.astype({field: "Float64" for field in fields if "ap" in field}).rename(columns=COLUMNS)


def headline(found: Report) -> list[tuple[str, float | None, str]]:
    """Return the metrics of the whole validation set, each as title, value and definition.

    They are the AP of masks (or of boxes, if the network finds no masks), the AP of keypoints if there are any, and the
    mean AP50 pooled.
    """
    kind, definitions = found.matched_by, found.definitions
    what, summary = MATCHED_BY[kind], found.summary(kind) or {}
    metrics = [
        (f"{what} {name}", summary[name], f"{definitions[name]} {definitions[kind]}") for name in ("AP", "AP50", "AP75")
    ]
    if found.keypoints:
        metrics += [
            (f"keypoint {name}", found.keypoints[name], f"{definitions[name]} {definitions['keypoints']}")
            for name in ("AP", "AP50")
        ]
    pooled = f"{definitions['mean_ap50_pooled']} {definitions['ap50_pooled']}"
    return [*metrics, ("mean AP50 pooled", found.mean_ap50_pooled, pooled)]


def column_config(definitions: Mapping[str, str]) -> dict[str, Any]:
    """Return the Streamlit column configuration of the table: number formats, and definitions as tooltips."""
    config: dict[str, Any] = {"picture": st.column_config.TextColumn(width=160)}
    for field, title in COLUMNS.items():
        if "ap" in field:
            config[title] = st.column_config.NumberColumn(format="%.3f", help=definitions[field], width="small")
        elif field != "file":
            config[title] = st.column_config.NumberColumn(help=definitions[field], width="small")
    return config


def score_below(score: float, limit: float) -> str:
    """Format a score that is less than `limit`, so that the text is less than `limit` too.

    It has two decimals, or more if rounding to two would reach the limit.

    >>> score_below(0.31, 0.5), score_below(0.4996, 0.5)
    ('0.31', '0.4996')
    """
    candidates = (f"{score:.{digits}f}" for digits in range(2, 17))
    return next((text for text in candidates if float(text) < limit), f"{score:g}")


def format_ap(value: float | None) -> str:
    """Format an AP with three decimals; a dash if it is None (not defined)."""
    return "–" if value is None else f"{value:.3f}"
