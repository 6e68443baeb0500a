"""Charts as Vega-Lite specifications (plain dicts) with Arrow tables, without Altair.

Altair validates each part of a chart against its schema of 30,000 lines whenever the chart is built. This takes 5 to 90
milliseconds in each script run. Here a test validates every kind of chart once
(tests/studio/components/test_chart.py), so at run time only the JSON and the tables have to be made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

Spec = dict[str, Any]
"""A Vega-Lite specification, or a part of one."""

INK = "currentColor"
"""Colour of text in charts: that of the surrounding text. Streamlit's own grey is too faint for a projector."""

CLICKED = "clicked"
"""Name of the point selection of a chart whose points can be clicked (`draw_clickable`)."""


_AS_SVG: Spec = {"usermeta": {"embedOptions": {"renderer": "svg"}}}


class Chart(NamedTuple):
    """A Vega-Lite specification and its tables, by the names that the specification uses (`"data": {"name": ...}`).

    They are separate so that the browser can put new points into the existing chart. Do not modify either of them,
    because charts are shared between sessions.
    """

    spec: Spec
    tables: Mapping[str, pa.Table]


def draw(
    chart: Chart,
    place: DeltaGenerator | None = None,
    *,
    alt: str | None = None,
    width: Any = "stretch",
    svg: bool = False,
) -> None:
    """Draw a chart on the page, or into the container `place`. `alt` is the alternative text for screen readers.

    With `svg` the browser draws it as SVG, so that `svg_download` can save it; without, on a canvas, which is faster
    for many points.
    """
    spec = {**chart.spec, "datasets": dict(chart.tables), **(_AS_SVG if svg else {})}
    (place or st).vega_lite_chart(spec, alt=alt, width=width)


def draw_clickable(chart: Chart, key: str, on_click: Callable[[Mapping[str, Any]], None], *, alt: str) -> None:
    """Draw a chart whose points can be clicked, as SVG. Its specification has a selection `CLICKED` with `fields`.

    `on_click` (a callback, before the page script) gets the fields of the point that was clicked. `key` is the session
    state key.
    """

    def clicked() -> None:
        if points := st.session_state[key]["selection"].get(CLICKED):
            on_click(points[-1])

    st.vega_lite_chart(
        {**chart.spec, "datasets": dict(chart.tables), **_AS_SVG},
        key=key,
        on_select=clicked,
        selection_mode=[CLICKED],
        width="stretch",
        alt=alt,
    )


def table(columns: Mapping[str, Any]) -> pa.Table:
    """Return the columns as an Arrow table. float64 arrays are converted to float32.

    >>> table({"x": np.array([1.0, 2.0]), "name": ["a", "b"]}).schema.types
    [DataType(float), DataType(string)]
    """
    return pa.table({name: _chart_column(values) for name, values in columns.items()})


def field(name: str, kind: str = "quantitative", **about: Any) -> Spec:
    """Return an encoding channel that reads a column of the table. `about` are further properties of the channel."""
    return {"field": name, "type": kind, **about}


def constant(value: Any) -> Spec:
    """Return an encoding channel with a constant value."""
    return {"value": value}


def _chart_column(values: Any) -> Any:
    """Return a column for the Arrow table of a chart. float32 is exact enough for drawing and half as large to send."""
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        values = values.astype(np.float32)
    return values
