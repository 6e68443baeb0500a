"""The charts of a model card: objects of each class, and AP of parts of the objects with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from maskrcnn.studio.components.chart import INK, Chart, Spec, constant, field, table
from maskrcnn.studio.evaluation.analyses.analysis_charts import distinct

if TYPE_CHECKING:
    from maskrcnn.evaluation.analysis.ap_of_parts import PartAp
    from maskrcnn.inference.model_cards.card_parts import ClassCount

MOST_ROWS = 20
"""Maximum number of classes in a chart; the documents have all."""

SPLIT_COLOURS = {"training": "#4f8fd6", "validation": "#c77d0a"}

_PLAIN = "#4f8fd6"
_AXIS: Spec = {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "titlePadding": 8}
_LEGEND: Spec = {"title": None, "orient": "top", "labelColor": INK}
_ROW, _THIN_ROW, _AXES = 28, 17, 58  # CSS px of a row, of one of two bars in a row, and of the axis


def parts_chart(parts: Sequence[PartAp], labels: Sequence[str], title: str) -> Chart:
    """AP of each part as a bar, with its 95 % interval as a line. Its table is `parts`. `labels` name the parts.

    Beside each bar stand its AP and the number of objects. A part without an AP has no bar.
    """
    edges = [part.interval or (np.nan, np.nan) for part in parts]
    data = {
        "part": distinct(labels),
        "objects": np.array([part.objects for part in parts]),
        "ap": np.array([np.nan if part.ap is None else part.ap for part in parts], dtype=np.float64),
        "low": np.array([low for low, _ in edges], dtype=np.float64),
        "high": np.array([high for _, high in edges], dtype=np.float64),
        "words": [_part_words(part) for part in parts],
        "interval": ["none" if part.interval is None else "[{:.3f}, {:.3f}]".format(*part.interval) for part in parts],
        "at": np.array([1.02] * len(parts)),
    }
    scale = {"domain": [0, 1.42], "nice": False}
    encoding = {
        "y": field("part", "nominal", title=None, sort=data["part"], axis={"labelLimit": 190, **_AXIS}),
        "tooltip": [
            field("part", "nominal", title="objects"),
            field("ap", format=".3f", title="AP"),
            field("objects", format=",d", title="number"),
            field("interval", "nominal", title="95 % interval"),
        ],
    }
    x: Spec = {"scale": scale, "title": title, "axis": {"values": [0, 0.2, 0.4, 0.6, 0.8, 1], "format": ".1f", **_AXIS}}
    layers: list[Spec] = [
        {"mark": {"type": "bar", "color": _PLAIN, "height": {"band": 0.7}}, "encoding": {"x": field("ap", **x)}},
        {
            "mark": {"type": "rule", "color": INK, "strokeWidth": 2},
            "encoding": {"x": field("low", **x), "x2": {"field": "high"}},
        },
        *(
            {
                "mark": {"type": "tick", "color": INK, "thickness": 2, "size": 10},
                "encoding": {"x": field(edge, **x)},
            }
            for edge in ("low", "high")
        ),
        {
            "mark": {"type": "text", "align": "left", "color": INK},
            "encoding": {"x": field("at", **x), "text": field("words", "nominal")},
        },
    ]
    return _chart("parts", data, encoding, layers, _ROW * max(1, len(parts)))


def counts_chart(splits: Mapping[str, Sequence[ClassCount]]) -> Chart:
    """The objects of each class as a bar for each split ("training", "validation"). Its table is `counts`.

    All splits have the same classes, in the same order.
    """
    names = distinct([row.name for row in next(iter(splits.values()))])
    data: dict[str, Any] = {"class": [], "split": [], "objects": [], "pictures": [], "words": []}
    for split, rows in splits.items():
        for name, row in zip(names, rows, strict=True):
            values = (name, split, row.objects, row.pictures, f"{row.objects:,}")
            for column, value in zip(data.values(), values, strict=True):
                column.append(value)
    most = max([1, *data["objects"]])
    colours = {"domain": list(splits), "range": [SPLIT_COLOURS[split] for split in splits]}
    encoding = {
        "x": field(
            "objects",
            title="labelled objects",
            scale={"domain": [0, most * 1.15], "nice": False},
            axis={"tickMinStep": 1, "tickCount": 5, "format": ",d", **_AXIS},
        ),
        "y": field("class", "nominal", title=None, sort=names, axis={"labelLimit": 190, **_AXIS}),
        "yOffset": field("split", "nominal", sort=list(splits)),
        "tooltip": [
            field("class", "nominal"),
            field("split", "nominal"),
            field("objects", format=",d"),
            field("pictures", format=",d", title="on pictures"),
        ],
    }
    layers: list[Spec] = [
        {
            "mark": {"type": "bar"},
            "encoding": {
                "color": field("split", "nominal", scale=colours, legend=_LEGEND if len(splits) > 1 else None)
            },
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 4, "color": INK, "fontSize": 10},
            "encoding": {"text": field("words", "nominal"), "color": constant(INK)},
        },
    ]
    height = max(_ROW, _THIN_ROW * len(splits)) * max(1, len(names))
    return _chart("counts", data, encoding, layers, height + (28 if len(splits) > 1 else 0))


def _part_words(part: PartAp) -> str:
    """The text beside a bar: AP and the number of objects, `0.665 of 14`."""
    return "no object" if part.ap is None else f"{part.ap:.3f} of {part.objects:,}"


def _chart(name: str, columns: Mapping[str, Any], encoding: Spec, layers: list[Spec], height: int) -> Chart:
    """Return a chart whose main table is `name`; `height` is without the axis."""
    spec = {"height": height + _AXES, "data": {"name": name}, "encoding": encoding, "layer": layers}
    return Chart({**spec, "config": {"view": {"stroke": None}}}, {name: table(columns)})
