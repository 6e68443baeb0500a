"""A report as the Predictions page writes it: the table of pictures, the figures of the whole set, and their words."""

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
"""Field of a report's row -> title of its column; keypoint AP only where the network finds keypoints."""

MATCHED_BY: dict[str, str] = {"segm": "mask", "bbox": "box"}
"""What is compared to tell right from wrong, in a word."""


def table(found: Report) -> pd.DataFrame:
    """One line for each picture, in the order of the report, with the columns of `COLUMNS`."""
    fields = [field for field in COLUMNS if field != "keypoints_ap" or found.keypoints]
    rows = [[getattr(row, field) for field in fields] for row in found.per_image]
    frame = pd.DataFrame(rows, columns=fields)
    return frame.astype({field: "Float64" for field in fields if "ap" in field}).rename(columns=COLUMNS)


def headline(found: Report) -> list[tuple[str, float | None, str]]:
    """The figures of the whole validation set: title, value and meaning, the finest of masks and boxes first."""
    kind, says = found.matched_by, found.definitions
    what, finest = MATCHED_BY[kind], found.summary(kind) or {}
    figures = [(f"{what} {name}", finest[name], f"{says[name]} {says[kind]}") for name in ("AP", "AP50", "AP75")]
    if found.keypoints:
        figures += [
            (f"keypoint {name}", found.keypoints[name], f"{says[name]} {says['keypoints']}") for name in ("AP", "AP50")
        ]
    pooled = f"{says['mean_ap50_pooled']} {says['ap50_pooled']}"
    return [*figures, ("mean AP50 pooled", found.mean_ap50_pooled, pooled)]


def column_config(definitions: Mapping[str, str]) -> dict[str, Any]:
    """How the table writes its numbers, each with its definition on hover."""
    config: dict[str, Any] = {"picture": st.column_config.TextColumn(width=160)}
    for field, title in COLUMNS.items():
        if "ap" in field:
            config[title] = st.column_config.NumberColumn(format="%.3f", help=definitions[field], width="small")
        elif field != "file":
            config[title] = st.column_config.NumberColumn(help=definitions[field], width="small")
    return config


def score_below(score: float, limit: float) -> str:
    """A score that is less than `limit`, with two decimals, or with as many as it takes to read as less.

    >>> score_below(0.31, 0.5), score_below(0.4996, 0.5)
    ('0.31', '0.4996')
    """
    said = (f"{score:.{digits}f}" for digits in range(2, 17))
    return next((words for words in said if float(words) < limit), f"{score:g}")


def figure(value: float | None) -> str:
    """An AP to three decimals, a dash where it is not defined."""
    return "–" if value is None else f"{value:.3f}"
