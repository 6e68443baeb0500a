"""A chart: a Vega-Lite specification, written out as a dict, and the tables that it draws.

Specifications are plain dicts because Altair checks each part of a chart against its schema of 30,000 lines, whenever
the chart is built: five to ninety milliseconds in each run of a page. Here a test checks every kind of chart once
(tests/studio/components/test_chart.py), and at run time a chart costs what its JSON and its Arrow tables cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

Spec = dict[str, Any]
"""A Vega-Lite specification, or a part of one."""

INK = "currentColor"
"""The colour of text on an axis: that of the text around it. Streamlit's own grey is too faint for a projector."""


class Chart(NamedTuple):
    """A Vega-Lite specification and its tables by the names that it gives them (`"data": {"name": ...}`).

    They are kept apart so that the browser puts new points into the chart that it has. Neither is changed once made:
    charts are shared between visits.
    """

    spec: Spec
    tables: Mapping[str, pa.Table]


def draw(chart: Chart, place: DeltaGenerator | None = None, *, alt: str | None = None, width: Any = "stretch") -> None:
    """Put a chart on the page, or into `place`. `alt` says what it is to who cannot see it."""
    (place or st).vega_lite_chart({**chart.spec, "datasets": dict(chart.tables)}, alt=alt, width=width)


def table(columns: Mapping[str, Any]) -> pa.Table:
    """Columns as an Arrow table; numbers that are drawn are kept in single precision.

    >>> table({"x": np.array([1.0, 2.0]), "name": ["a", "b"]}).schema.types
    [DataType(float), DataType(string)]
    """
    return pa.table({name: _array(values) for name, values in columns.items()})


def encoded(values: Iterable[str], counts: Iterable[int]) -> pa.Array:
    """A column that has each of `values` so many times, one after the other; few different ones. One byte a row.

    >>> encoded(["red", "blue", "red"], [2, 1, 1]).to_pylist()
    ['red', 'red', 'blue', 'red']
    """
    texts = list(values)
    different = list(dict.fromkeys(texts))
    indices = np.repeat([different.index(text) for text in texts], list(counts)).astype(np.int8)
    return pa.DictionaryArray.from_arrays(pa.array(indices), pa.array(different, pa.string()))


def field(name: str, kind: str = "quantitative", **about: Any) -> Spec:
    """One channel of an encoding: a column of the table and its type."""
    return {"field": name, "type": kind, **about}


def datum(value: Any) -> Spec:
    """One channel of an encoding that has the same value everywhere."""
    return {"value": value}


def _array(values: Any) -> Any:
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        values = values.astype(np.float32)
    return values
