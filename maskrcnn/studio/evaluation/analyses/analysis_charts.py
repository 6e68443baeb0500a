"""The charts of the Evaluation page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from maskrcnn.drawing.overlays import MATCH_COLOURS
from maskrcnn.evaluation.analysis.precision_recall import Curve
from maskrcnn.studio.components.chart import CLICKED, INK, Chart, Spec, constant, field, table

_PLAIN = "#4f8fd6"
_AXIS: Spec = {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "titlePadding": 8}
_LEGEND: Spec = {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "labelLimit": 170}
_UNIT: Spec = {"domain": [0, 1], "nice": False}
MOST_POINTS = 300
"""Maximum number of points of one precision-recall curve that are drawn."""

_CELL = 46  # CSS px of a row of the confusion matrix
_ROW, _AXES = 30, 62  # CSS px of a bar with its gap, and of the axis below


def confusion_chart(counts: np.ndarray, names: Sequence[str]) -> Chart:
    """The confusion matrix as a heat map with numbers. Its table is `cells`; a cell can be clicked.

    `counts` (K + 1, K + 1): rows are labelled classes and then "nothing labelled", columns found classes and then
    "missed". Colours are shares of the row. The cell without meaning is left out.
    """
    side = len(names)
    rows, columns = (places.ravel() for places in np.indices(counts.shape))
    kept = ~((rows == side) & (columns == side))
    rows, columns = rows[kept], columns[kept]
    values = counts[rows, columns]
    share = values / np.maximum(counts.sum(axis=1), 1)[rows]
    is_right = (rows == columns) & (rows < side)
    labelled, found = distinct([*names, "(nothing labelled)"]), distinct([*names, "(missed)"])
    data = {
        "row": rows.astype(np.uint16),
        "column": columns.astype(np.uint16),
        "labelled": [labelled[row] for row in rows.tolist()],
        "found": [found[column] for column in columns.tolist()],
        "count": values,
        "share": np.where(is_right, share, -share),
    }
    axis = {"labelLimit": 130, "ticks": False, "domain": False, **_AXIS}
    encoding = {
        "x": field("found", "nominal", title="found as", sort=found, axis={"orient": "top", "labelAngle": -35, **axis}),
        "y": field("labelled", "nominal", title="labelled", sort=labelled, axis=axis),
        "tooltip": [field("labelled", "nominal"), field("found", "nominal"), field("count", title="instances")],
    }
    colour = {
        "domain": [-1, 0, 1],
        "range": [MATCH_COLOURS["fp"], "#f4f4f6", MATCH_COLOURS["tp"]],
        "interpolate": "rgb",
    }
    layers: list[Spec] = [
        {
            "mark": {"type": "rect", "stroke": "#8888", "cursor": "pointer"},
            "params": [_click("row", "column")],
            "encoding": {"color": field("share", scale=colour, legend=None)},
        },
        {
            "mark": {"type": "text", "fontSize": 14, "color": "black", "cursor": "pointer"},
            "encoding": {"text": field("count")},
        },
    ]
    height = _CELL * (side + 1) + 2 * _AXES
    return _chart("cells", data, encoding, layers, height)


def curve_chart(curves: Mapping[str, Curve], colours: Mapping[str, str], height: int = 440) -> Chart:
    """Precision-recall curves with a point for each detection, which can be clicked.

    `curves` and `colours` are by name. The table `points` has the detections. `lines` has the envelope, of which the
    area is taken: it begins at recall 0, and each hit ends a step.
    """
    parts = [(number, curve, kept_points(curve)) for number, curve in enumerate(curves.values())]
    none = np.empty(0)
    names = distinct([f"{name}: area {format_area(curve.area)}" for name, curve in curves.items()])

    def column(name: str) -> np.ndarray:
        return np.concatenate([none, *(getattr(curve, name)[kept] for _, curve, kept in parts)])

    data: dict[str, Any] = {
        "curve": [names[number] for number, _, kept in parts for _ in kept],
        "recall": column("recall"),
        "precision": column("precision"),
        "score": column("score"),
        "hit": column("hit").astype(bool),
        "detection": column("detection").astype(np.int32),
    }
    steps = [(number, *_envelope_line(curve, kept)) for number, curve, kept in parts]
    lines: dict[str, Any] = {
        "curve": [names[number] for number, recall, _ in steps for _ in recall],
        "recall": np.concatenate([none, *(recall for _, recall, _ in steps)]),
        "envelope": np.concatenate([none, *(envelope for _, _, envelope in steps)]),
    }
    scale = {"domain": names, "range": list(colours.values())}
    legend = {"title": None, "orient": "top", "columns": 3, "symbolType": "stroke", **_LEGEND}
    encoding = {
        "x": field(
            "recall", title="recall: part of the objects that is found", scale=_UNIT, axis={"tickCount": 10, **_AXIS}
        ),
        "color": field("curve", "nominal", scale=scale, legend=legend),
    }
    tooltip = [
        field("curve", "nominal", title="class"),
        field("score", format=".3f", title="score from"),
        field("precision", format=".3f"),
        field("recall", format=".3f"),
        field("hit", "nominal", title="this detection is right"),
    ]
    y: Spec = {
        "title": "precision: part of the found that is right",
        "scale": {"domain": [0, 1.02], "nice": False},
        "axis": _AXIS,
    }
    layers: list[Spec] = [
        {
            "data": {"name": "lines"},
            "mark": {"type": "line", "interpolate": "step-before", "strokeWidth": 2},
            "encoding": {"y": field("envelope", **y), "order": field("recall")},
        },
        {
            "mark": {"type": "point", "size": 50, "strokeWidth": 1.5, "cursor": "pointer", "opacity": 1},
            "params": [_click("detection")],
            "encoding": {
                "y": field("precision", **y),
                "shape": field(
                    "hit", "nominal", scale={"domain": [True, False], "range": ["circle", "cross"]}, legend=None
                ),
                "tooltip": tooltip,
            },
        },
    ]
    chart = _chart("points", data, encoding, layers, height)
    return Chart(chart.spec, {**chart.tables, "lines": table(lines)})


def bars(
    names: Sequence[str],
    values: Sequence[float | None],
    words: Sequence[str],
    title: str,
    colours: Sequence[str] | None = None,
    most: float = 1.0,
) -> Chart:
    """A horizontal bar for each name, with `words` beside it. Its table is `bars`. None has no bar."""
    data = {
        "name": list(names),
        "value": [0.0 if value is None else value for value in values],
        "words": list(words),
        "colour": list(colours or [_PLAIN] * len(names)),
    }
    ticks: Spec = {"values": [0, 0.2, 0.4, 0.6, 0.8, 1]} if most == 1 else {"tickCount": 5}  # room for words beside 1
    encoding = {
        "x": field("value", title=title, scale={"domain": [0, most * 1.3], "nice": False}, axis={**ticks, **_AXIS}),
        "y": field("name", "nominal", title=None, sort=list(names), axis={"labelLimit": 170, **_AXIS}),
        "tooltip": [field("name", "nominal"), field("words", "nominal")],
    }
    layers: list[Spec] = [
        {"mark": {"type": "bar"}, "encoding": {"color": field("colour", "nominal", scale=None)}},
        {
            "mark": {"type": "text", "align": "left", "dx": 5, "color": INK},
            "encoding": {"text": field("words", "nominal")},
        },
    ]
    return _chart("bars", data, encoding, layers, _ROW * max(1, len(names)) + _AXES)


def iou_histogram(series: Mapping[str, np.ndarray], threshold: float, height: int = 230) -> Chart:
    """How many matched pairs have which IoU, a line for each measure. Its table is `bins`.

    `series` are IoUs by name; NaN are left out. The line of the first is solid, the others dashed.
    """
    steps = np.linspace(0, 1, 21)
    data: dict[str, list[Any]] = {"from": [], "to": [], "pairs": [], "measure": []}
    for name, values in series.items():
        counts, _ = np.histogram(values[~np.isnan(values)], steps)
        data["from"] += steps[:-1].tolist()
        data["to"] += steps[1:].tolist()
        data["pairs"] += counts.tolist()
        data["measure"] += [name] * len(counts)
    names = list(series)
    scale = {"domain": names, "range": [_PLAIN, "#c77d0a"][: len(names)]}
    encoding = {
        "x": field("from", bin="binned", title="IoU", scale=_UNIT, axis=_AXIS),
        "x2": {"field": "to"},
        "y": field("pairs", title="matched pairs", stack=None, axis={"tickMinStep": 1, **_AXIS}),
        "color": field("measure", "nominal", scale=scale, legend={"title": None, "orient": "top", **_LEGEND}),
        "tooltip": [field("measure", "nominal"), field("from", title="IoU from"), field("pairs")],
    }
    layers: list[Spec] = [
        {"mark": {"type": "bar", "opacity": 0.65, "binSpacing": 1}},
        {
            "data": {"name": "limit"},
            "mark": {"type": "rule", "strokeDash": [5, 4], "color": INK},
            "encoding": {
                "x": field("iou", scale=_UNIT),
                "y": constant(0),
                "y2": constant("height"),
                "tooltip": [field("iou", title="IoU of the slider")],
            },
        },
    ]
    layers[0]["encoding"] = encoding
    chart = _chart("bins", data, {}, layers, height)
    return chart._replace(tables={**chart.tables, "limit": table({"iou": np.array([threshold])})})


def count_chart(objects: np.ndarray, found: np.ndarray, height: int = 300) -> Chart:
    """Objects against detections of each picture, (P,) int64 each; the larger the point, the more pictures.

    Its table is `counts`; a point can be clicked.
    """
    pairs, pictures = np.unique(np.stack([objects, found], axis=1), axis=0, return_counts=True)
    most = max(1, int(pairs.max(initial=0)))
    data = {"objects": pairs[:, 0], "found": pairs[:, 1], "pictures": pictures}
    axis = {"format": "d", "tickMinStep": 1, **_AXIS}
    scale = {"domain": [-0.5, most + 0.5], "nice": False}
    encoding = {
        "x": field("objects", title="labelled objects in the picture", scale=scale, axis=axis),
        "y": field("found", title="detections", scale=scale, axis=axis),
    }
    layers: list[Spec] = [
        {
            "data": {"name": "equal"},
            "mark": {"type": "line", "strokeDash": [5, 4], "color": INK},
            "encoding": {"x": field("objects", scale=scale), "y": field("found", scale=scale)},
        },
        {
            "mark": {"type": "point", "filled": True, "opacity": 0.8, "color": _PLAIN, "cursor": "pointer"},
            "params": [_click("objects", "found")],
            "encoding": {
                "size": field("pictures", scale={"range": [60, 500], "zero": False}, legend=None),
                "tooltip": [field("objects"), field("found", title="detections"), field("pictures")],
            },
        },
    ]
    chart = _chart("counts", data, encoding, layers, height)
    line = table({"objects": np.array([-0.5, most + 0.5]), "found": np.array([-0.5, most + 0.5])})
    return chart._replace(tables={**chart.tables, "equal": line})


def ranking_chart(hits: Sequence[bool]) -> Chart:
    """A ranking as a row of squares, best score on the left: green is right, red-orange wrong. Its table is `ranks`."""
    data = {
        "rank": np.arange(1, len(hits) + 1),
        "what": ["right" if hit else "wrong" for hit in hits],
        "sign": ["✓" if hit else "✗" for hit in hits],
    }
    scale = {"domain": ["right", "wrong"], "range": [MATCH_COLOURS["tp"], MATCH_COLOURS["fp"]]}
    axis = {"labelAngle": 0, "labelOverlap": True, **_AXIS}
    encoding = {
        "x": field("rank", "ordinal", title="rank by score, the highest on the left", axis=axis),
        "tooltip": [field("rank"), field("what", "nominal")],
    }
    layers: list[Spec] = [
        {
            "mark": {"type": "rect", "stroke": "white", "strokeWidth": 2, "cornerRadius": 3},
            "encoding": {"color": field("what", "nominal", scale=scale, legend=None)},
        },
        {
            "mark": {"type": "text", "color": "white", "fontSize": 14},
            "encoding": {"text": field("sign", "nominal")},
        },
    ]
    return _chart("ranks", data, encoding, layers, _ROW + _AXES)


def kept_points(curve: Curve) -> np.ndarray:
    """The points of a curve that are drawn: all, or about `MOST_POINTS` at even distances, with the first and last."""
    return np.unique(np.linspace(0, len(curve.score) - 1, min(MOST_POINTS, len(curve.score))).round().astype(np.int64))


def _envelope_line(curve: Curve, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The recalls and heights of the envelope, from recall 0 on; `kept` are the points of the curve that are drawn."""
    hits = kept[curve.hit[kept].astype(bool)]
    ends = np.append(hits[:1], hits)
    recall = curve.recall[ends]
    recall[:1] = 0
    return recall, curve.envelope[ends]


def format_area(area: float | None) -> str:
    """An area as text.

    >>> format_area(0.5), format_area(None)
    ('0.500', '–')
    """
    return "–" if area is None else f"{area:.3f}"


def distinct(names: Sequence[str]) -> list[str]:
    """The names, equal ones with a number: two classes of one name stay two rows.

    >>> distinct(["cup", "cup", "ball"])
    ['cup', 'cup (2)', 'ball']
    """
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return found


def _click(*fields: str) -> Spec:
    """The point selection of `chart.draw_clickable`."""
    return {"name": CLICKED, "select": {"type": "point", "fields": list(fields), "toggle": False}}


def _chart(name: str, columns: Mapping[str, Any], encoding: Spec, layers: list[Spec], height: int) -> Chart:
    """Return a chart whose main table is `name`."""
    spec = {"height": height, "data": {"name": name}, "encoding": encoding, "layer": layers}
    return Chart({**spec, "config": {"view": {"stroke": None}}}, {name: table(columns)})
