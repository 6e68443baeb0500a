"""Every kind of chart that the studio draws is valid Vega-Lite, by Altair's copy of its schema.

The studio itself builds its charts without Altair, which would check them in each run of a page.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import altair as alt
import jsonschema
import numpy as np
import pytest

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.statistics import statistics
from maskrcnn.evaluation.analysis.ap_of_parts import PartAp
from maskrcnn.evaluation.analysis.precision_recall import Curve
from maskrcnn.inference.model_cards.card_parts import ClassCount
from maskrcnn.lessons import roi_pooling
from maskrcnn.studio.compare import difference_charts
from maskrcnn.studio.compare.difference_charts import Difference
from maskrcnn.studio.components.chart import Chart, table
from maskrcnn.studio.components.chart_points import DrawnRun, RunPoints
from maskrcnn.studio.components.chart_tooltips import Tooltip
from maskrcnn.studio.components.line_charts import Kind, Line, line_chart
from maskrcnn.studio.dataset import statistics_charts
from maskrcnn.studio.evaluation.analyses import analysis_charts
from maskrcnn.studio.inspect.filter_survivors import FilterStep, survivors_chart
from maskrcnn.studio.learn import pooled_grids, roi_maps
from maskrcnn.studio.runs import model_card_charts
from maskrcnn.studio.try_it import histograms
from tests.sweeps import one_in

ROOT = Path(__file__).parents[3]


def line_charts() -> Iterator[Chart]:
    x = np.array([1.0, 2.0])
    runs = [DrawnRun(), DrawnRun("a", "#123456", "circle", 12.5)]
    kinds: tuple[Kind, ...] = ("steps", "smoothed", "training", "validation")
    lines = [Line("loss", kind, "#123456", has_tooltips=kind != "smoothed") for kind in kinds]
    named = Line("ap", "validation", "#123456", name="mask AP")
    for run in runs:
        parts = [RunPoints(run, is_epochs, x, x, x, x, {"loss": x / 10, "ap": x / 10}) for is_epochs in (False, True)]
        for axis in ("epochs", "passes", "steps", "minutes"):
            for height in (150, 220):
                yield line_chart(parts, lines, [Tooltip("loss", "loss", "ap")], height, axis, 20)
                yield line_chart(parts, [*lines, named], [], height, axis, 1, log=True)
    yield line_chart([], [], [], 150)


def statistics_of_few() -> Iterator[Chart]:
    images = [
        ImageRecord(f"{number}.png", (Region(Rect(5, 5, 20, 10), "cell"),) * number, width=60, height=60)
        for number in range(3)
    ]
    for found in (statistics(Dataset(images, ())), statistics(Dataset(images[1:2], ()))):
        yield statistics_charts.classes(found, {"cell": "#123456"})
        yield statistics_charts.sizes(found)
        yield statistics_charts.per_picture(found, 230)
        yield statistics_charts.aspects(found, 230)
        yield statistics_charts.areas(found, 230)
        yield statistics_charts.coverage(found.coverage(True), 330)


def roi_charts() -> Iterator[Chart]:
    feature_map = np.arange(400, dtype=np.float32).reshape(20, 20)
    box, cells = (40.0, 44.0, 120.0, 100.0), (5.0, 5.5, 15.0, 12.5)
    bins = roi_pooling.roi_pool_bins(box, 1 / 8, 3, feature_map.shape)
    view = roi_maps.map_window(cells, bins.cells)
    yield roi_maps.pool_chart(feature_map, cells, bins, view, 250)
    shifts, pooled, other = [0.0, 1.0, 2.0], np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.5, 1.0])
    for method in roi_pooling.METHODS:
        yield pooled_grids.nudge_chart(shifts, pooled, other, method, 200)
        if method != "pool":
            samples = roi_pooling.samples_of(method, box, 1 / 8, 3)
            yield roi_maps.samples_chart(feature_map, cells, samples, method, view, 250)
    for size in (3, 7):
        yield pooled_grids.grid_chart(np.eye(size), "blues", 190)
        yield pooled_grids.grid_chart(np.eye(size), "blueorange", 190, largest=1.0)


def comparison_charts() -> Iterator[Chart]:
    colours = ("#123456", "#654321")
    rows = [
        Difference("mask AP", 0.2, 0.3, 0.1, (0.05, 0.15), "away from 0"),
        Difference("box AP", 0.2, 0.1, -0.1, None, "no interval"),
    ]
    yield difference_charts.difference_chart(rows, colours)
    pictures = [{"file": "a.png", "a": 0.5, "b": 0.75, "difference": 0.25}]
    yield difference_charts.scatter_chart(pictures, "mask", colours, "a.png")


def evaluation_charts() -> Iterator[Chart]:
    curve = Curve(*np.full((4, 2), 0.5), np.array([True, False]), np.array([0, 1]), 1, 0.5)
    yield analysis_charts.confusion_chart(np.array([[3, 1], [2, 0]]), ["cup"])
    yield analysis_charts.curve_chart({"cup": curve}, {"cup": "#123456"})
    yield analysis_charts.bars(["small"], [0.5], ["0.500"], "AP")
    yield analysis_charts.iou_histogram(
        {"mask IoU": np.array([0.5, 1.0]), "boundary IoU": np.array([0.2, np.nan])}, 0.5
    )
    yield analysis_charts.count_chart(np.array([1, 2]), np.array([1, 4]))
    yield analysis_charts.ranking_chart([True, False])


def card_charts() -> Iterator[Chart]:
    parts = [PartAp("cell", 3, 2, 0.5, (0.25, 0.75)), PartAp("dust", 0, 0, None)]
    yield model_card_charts.parts_chart(parts, ["cell", "dust"], "AP")
    rows = [ClassCount("cell", 3, 2), ClassCount("dust", 0, 0)]
    yield model_card_charts.counts_chart({"training": rows, "validation": rows})
    yield model_card_charts.counts_chart({"validation": rows})


CHARTS = [
    *one_in(4, [(chart,) for chart in line_charts()]),  # a chart is a tuple, and one value
    *statistics_of_few(),
    *roi_charts(),
    survivors_chart([FilterStep("a", 9, 1), FilterStep("b", 3, 0)]),
    *comparison_charts(),
    *evaluation_charts(),
    *card_charts(),
    histograms.scores(np.array([0.5, 1.0]), "#123456"),
    histograms.areas(np.array([4.0, 900.0]), "mm²", "#123456"),
    histograms.areas(np.array([0.0]), "px", "#123456"),
]


@pytest.mark.parametrize("chart", CHARTS)
def test_a_chart_is_valid_and_its_tables_have_what_it_draws(chart: Chart) -> None:
    alt.LayerChart.from_dict({**chart.spec, "datasets": {name: [] for name in chart.tables}}, validate=True)
    for layer in chart.spec["layer"]:
        name = layer.get("data", chart.spec.get("data"))["name"]
        steps = [*chart.spec.get("transform", ()), *layer.get("transform", ())]
        made = {name for step in steps if "as" in step for name in np.atleast_1d(step["as"])}
        assert (
            fields({**chart.spec["encoding"], **layer.get("encoding", {})}) <= {*chart.tables[name].column_names} | made
        )
    assert fields(chart.spec["encoding"]) or any(fields(layer.get("encoding", {})) for layer in chart.spec["layer"])


def fields(part: Any) -> set[str]:
    """Every field that a part of a specification names."""
    if isinstance(part, dict):
        own = {part["field"]} if "field" in part else set()
        return own.union(*map(fields, part.values()))
    return set().union(*map(fields, part)) if isinstance(part, list) else set()


def test_a_wrong_specification_is_refused() -> None:
    chart = line_chart([], [], [], 150)
    with pytest.raises(jsonschema.ValidationError):
        alt.LayerChart.from_dict({**chart.spec, "layer": [{"mark": {"type": "lines"}}]}, validate=True)


def test_the_studio_imports_no_altair() -> None:
    """It would check every chart against its schema in each run of a page, which is half of what a page costs."""
    for file in [*ROOT.glob("maskrcnn/**/*.py"), *ROOT.glob("pages/**/*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "altair" for name in names), file


def test_numbers_that_are_drawn_are_short() -> None:
    columns = table({"x": np.array([0.5, 1.5]), "n": np.array([1, 2])})
    assert [str(kind) for kind in columns.schema.types] == ["float", "int64"]
    assert columns.to_pydict() == {"x": [0.5, 1.5], "n": [1, 2]}
