"""What was found in a whole set: a table of its classes, histograms of scores and areas, and a CSV of all objects."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from maskrcnn.annotations.formats.spreadsheet import csv_of
from maskrcnn.studio.components import chart
from maskrcnn.studio.shell import url_state
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.studio.try_it import histograms
from maskrcnn.studio.try_it.opened_set import PAGE, OpenedSet
from maskrcnn.studio.try_it.picture_view import Choice
from maskrcnn.studio.try_it.sets.figures import ClassFigures, SetFigures
from maskrcnn.words import counted

if TYPE_CHECKING:
    from maskrcnn.inference.outputs import Scale

ALL = "all classes"


def show(opened: OpenedSet, figures: SetFigures, choice: Choice) -> None:
    """Draw the table, the histograms and the button of the CSV."""
    with_objects = sum(len(picture.scores) > 0 for picture in figures.pictures)
    st.subheader(
        "What was found",
        help="All figures follow the controls of the picture. An area is the number of pixels of the mask, or of the "
        "box for a network without masks; draw a line of known length in a picture to have it in a unit.",
    )
    classes = figures.classes()
    pictures = counted(len(figures.pictures), "picture")
    if not classes:
        st.info(
            f"Nothing was found in {pictures} with these settings. Lower the minimum score beside the picture.",
            icon=":material/search_off:",
        )
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(f"{counted(figures.objects, 'object')} in {with_objects} of {pictures}")
        st.dataframe(class_table(opened, classes, choice.scale), hide_index=True, column_config=_columns())
        st.download_button(
            "All objects (CSV)",
            partial(objects_csv, opened, figures, choice.scale),
            file_name="objects.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="A row for each object: picture, class, score, box and area.",
        )
    with right:
        _histograms(opened, classes, choice.scale)


def class_table(opened: OpenedSet, classes: list[ClassFigures], scale: tuple[float, str] | None) -> pd.DataFrame:
    """The table of classes, the most common first. With a scale, areas are in its unit squared."""
    names = opened.tried.config.names
    each, unit = _area_unit(scale)
    rows = [
        {
            "class": names[row.label - 1],
            "objects": len(row.scores),
            "pictures": row.pictures,
            "mean score": float(row.scores.mean()),
            "lowest": float(row.scores.min()),
            "highest": float(row.scores.max()),
            f"mean area, {unit}": float(f"{row.areas.mean() * each:.4g}"),
            "smallest": float(row.areas.min()) * each,
            "largest": float(row.areas.max()) * each,
        }
        for row in classes
    ]
    frame = pd.DataFrame(rows)
    for name in (f"mean area, {unit}", "smallest", "largest"):
        frame[name] = [_digits(value) for value in frame[name]]
    return frame


def objects_csv(opened: OpenedSet, figures: SetFigures, scale: tuple[float, str] | None) -> bytes:
    """A CSV with a row for each object, with the columns of the table that `take_away` writes."""
    from maskrcnn.inference.outputs import Scale, table_header

    known: Scale | None = None if scale is None else Scale(*scale)
    header = [name for name in table_header(opened.tried.config, known) if name != "pose_score"]
    names, rows = opened.tried.config.names, []
    for picture in figures.pictures:
        file = opened.tried.pictures[picture.position].name
        for number, (label, score, area, box) in enumerate(
            zip(picture.labels.tolist(), picture.scores.tolist(), picture.areas.tolist(), picture.boxes, strict=True), 1
        ):
            x1, y1, x2, y2 = (float(side) for side in box)
            sides = [x1, y1, x2 - x1, y2 - y1]
            row: list[object] = [file, number, names[label - 1], round(score, 4)]
            row += [*(round(side, 2) for side in sides), int(area) if area == int(area) else round(area, 2)]
            if known is not None:
                each = known.per_pixel
                row += [_digits(sides[2] * each), _digits(sides[3] * each), _digits(area * each * each)]
            rows.append(row)
    return csv_of(pd.DataFrame(rows, columns=header)).encode("utf-8", "replace")


def _histograms(opened: OpenedSet, classes: list[ClassFigures], scale: tuple[float, str] | None) -> None:
    """Draw the choice of the class, and the histograms of its scores and areas."""
    names = opened.tried.config.names
    labels = {names[row.label - 1]: row for row in classes}
    options = [ALL, *labels] if len(labels) > 1 else list(labels)
    if len(options) > 1:
        options = list(dict.fromkeys(options))
        chosen = url_state.select(
            "Class", "class", options, options[0], page=PAGE, owner=opened.tried.id, label_visibility="collapsed"
        )
    else:
        chosen = options[0]
    row = labels.get(chosen)
    rows = classes if row is None else [row]
    colour = histograms.PLAIN if row is None else opened.colours[row.label - 1]
    each, unit = _area_unit(scale)
    scores = np.concatenate([row.scores for row in rows])
    areas = np.concatenate([row.areas for row in rows]) * each
    chart.draw(histograms.scores(scores, colour), alt=f"Histogram of the scores: {plain(chosen)}")
    chart.draw(histograms.areas(areas, unit, colour), alt=f"Histogram of the areas: {plain(chosen)}")


def _area_unit(scale: tuple[float, str] | None) -> tuple[float, str]:
    """The area of a pixel, and its unit."""
    return (1.0, "px") if scale is None else (scale[0] ** 2, f"{scale[1]}²")


def _digits(value: float) -> float:
    """A length or an area to 6 significant digits."""
    return float(f"{value:.6g}")


def _columns() -> dict[str, Any]:
    """How the columns of the table are written."""
    number = st.column_config.NumberColumn
    return {name: number(format="%.2f") for name in ("mean score", "lowest", "highest")}
