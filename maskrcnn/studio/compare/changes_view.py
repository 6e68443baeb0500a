"""Picture by picture on the Compare page: both APs of each, those that changed most, and the objects won and lost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from maskrcnn.annotations.store import Project
from maskrcnn.evaluation.comparison import Comparison
from maskrcnn.evaluation.won_and_lost import ChangedObject, PictureChange, picture_changes, won_and_lost
from maskrcnn.studio.compare import changed_crops
from maskrcnn.studio.compare.compared_runs import PAGE, Side, side_colours
from maskrcnn.studio.compare.compared_sets import ComparedEpochs, ComparedSets
from maskrcnn.studio.compare.difference_charts import MEASURE_WORDS, scatter_chart
from maskrcnn.studio.components.chart import draw_clickable
from maskrcnn.studio.inspect import match_sliders
from maskrcnn.studio.shell import url_state
from maskrcnn.words import counted

TABLE = f"{PAGE}_table"
"""Session state key of the table of pictures."""

SCATTER = f"{PAGE}_scatter"
"""Session state key of the chart of both APs."""

_COLUMNS = {
    "won": (None, 58, "Objects that B finds and A misses."),
    "lost": (None, 58, "Objects that A finds and B misses."),
    "FP A": (None, 62, "Wrong detections of A."),
    "FP B": (None, 62, "Wrong detections of B."),
    "AP A": ("%.3f", 66, "AP of A on this picture alone."),
    "AP B": ("%.3f", 66, "AP of B on this picture alone."),
    "B − A": ("%+.3f", 74, "AP of B minus AP of A on this picture alone."),
}
"""Column of the table of pictures -> format, width in CSS pixels, and meaning."""

_MOST_POINTS = 2000
"""Pictures in the chart of both APs; of more, those with the largest differences."""


def changed_objects(sets: ComparedSets) -> tuple[ChangedObject, ...]:
    """The objects won and lost at the chosen score and IoU."""
    return won_and_lost(sets.measured_a, sets.measured_b, match_sliders.min_score(), match_sliders.iou())


def most_changed(sets: ComparedSets) -> str:
    """The file name of the picture with most objects won and lost; the first among equals."""
    changes = [0] * len(sets.files)
    for entry in changed_objects(sets):
        changes[entry.picture] += 1
    return sets.files[changes.index(max(changes))]


def show(
    project: Project,
    a: Side,
    b: Side,
    epochs: ComparedEpochs,
    sets: ComparedSets,
    found: Comparison,
    position: int,
) -> None:
    """Draw the chart and the table of pictures, and the objects won and lost. `position` is the picture shown above."""
    changed = changed_objects(sets)
    rows = picture_changes(
        sets.measured_a, sets.measured_b, changed, found, match_sliders.min_score(), match_sliders.iou()
    )
    st.subheader("Picture by picture")
    chart, table = st.columns([9, 14], gap="large")
    with chart:
        _show_scatter(a, b, found, sets.files[position])
    with table:
        _show_table(rows, position)
    won, lost = ([entry for entry in changed if entry.is_won is is_won] for is_won in (True, False))
    links = changed_crops.EditorLinks(project, a if epochs.labels == "a" else b, epochs, sets)
    for objects, word, who in ((won, "won", "B finds and A misses"), (lost, "lost", "A finds and B misses")):
        st.subheader(f"{counted(len(objects), 'object')} {word}: {who}")
        changed_crops.show(a, b, sets, objects, word, links)


def _show_scatter(a: Side, b: Side, found: Comparison, chosen: str) -> None:
    """Draw the chart of both APs of each picture. A click on a point opens its picture."""
    pictures = [entry for entry in found["per_image"]["pictures"] if entry["difference"] is not None]
    pictures.sort(key=lambda entry: -abs(entry["difference"]))
    rows = found["per_image"]
    measure = MEASURE_WORDS[rows["kind"]]
    st.markdown(
        f"{measure} AP of each picture: B is better on {rows['b_better']}, A on {rows['a_better']}, equal on "
        f"{rows['equal']}" + (f", without objects {rows['without_objects']}" if rows["without_objects"] else "")
    )
    if pictures:
        draw_clickable(
            scatter_chart(pictures[:_MOST_POINTS], measure, side_colours(a, b), chosen),
            SCATTER,
            lambda point: url_state.choose("image", str(point["file"])),
            alt=f"{measure} AP of A and of B of each picture; the table beside it has the same numbers",
        )
    st.markdown(":small[Above the line B is better. A click on a point opens its picture.]")


def _show_table(rows: Sequence[PictureChange], position: int) -> None:
    """Draw the table of pictures, those that changed most first. The row of the picture shown above is selected."""
    place = next((number for number, row in enumerate(rows) if row.picture == position), None)
    st.session_state[TABLE] = {"selection": {"rows": [] if place is None else [place], "columns": [], "cells": []}}
    st.dataframe(
        changes_table(rows),
        key=TABLE,
        hide_index=True,
        height=376,
        placeholder="–",
        column_config={"picture": st.column_config.TextColumn(width=150)}
        | {
            title: st.column_config.NumberColumn(format=form, width=width, help=about)
            for title, (form, width, about) in _COLUMNS.items()
        },
        on_select=partial(_open_clicked, [row.file for row in rows]),
        selection_mode=["single-row", "single-cell"],
    )
    at = f"score {match_sliders.min_score():.2f} and IoU {match_sliders.iou():.2f}"
    st.markdown(
        f":small[Sorted by objects won and lost at {at} (the sliders above), then by the difference in AP. A click on "
        "a row opens its picture.]"
    )


def changes_table(rows: Sequence[PictureChange]) -> pd.DataFrame:
    """A table with one row for each picture."""
    frame = pd.DataFrame(
        {
            "picture": [row.file for row in rows],
            "won": [row.won for row in rows],
            "lost": [row.lost for row in rows],
            "FP A": [row.fp_a for row in rows],
            "FP B": [row.fp_b for row in rows],
            "AP A": [row.ap_a for row in rows],
            "AP B": [row.ap_b for row in rows],
            "B − A": [row.difference for row in rows],
        }
    )
    return frame.astype({title: "Float64" for title in ("AP A", "AP B", "B − A")})


def _open_clicked(names: Sequence[str]) -> None:
    """Open the picture of the row that was clicked (callback). `names` are the file names of the rows."""
    selection = st.session_state[TABLE]["selection"]
    if clicked := [row for row, _ in selection["cells"]] or selection["rows"]:
        url_state.choose("image", names[clicked[0]])
