"""Charts of the Compare page: the differences in AP with their intervals, and both APs of every picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maskrcnn.evaluation.comparison import Comparison
from maskrcnn.evaluation.measures import IouType
from maskrcnn.studio.components.chart import CLICKED, INK, Chart, Spec, field, table

MEASURE_WORDS: Mapping[IouType, str] = {"segm": "mask", "keypoints": "keypoint", "bbox": "box"}
"""Measures in the order in which they are shown -> words."""

_ROW, _AXIS = 34, 52  # CSS pixels of a difference with its gap, and of the axis below all
_GREY = "#7b8494"


@dataclass(frozen=True)
class Difference:
    """One figure of both sides: its name ("mask AP50"), its values, B minus A, its interval and the verdict about it.

    Values are None if there is nothing to find; the interval is None if there are too few pictures.
    """

    name: str
    a: float | None
    b: float | None
    difference: float | None
    interval: tuple[float, float] | None
    verdict: str

    @property
    def text(self) -> str:
        """The difference and its interval as text.

        >>> Difference("mask AP", 0.2, 0.3, 0.1, (0.05, 0.15), "away from 0").text
        '+0.100 [+0.050, +0.150]'
        """
        if self.difference is None:
            return "–"
        edges = "" if self.interval is None else " [{:+.3f}, {:+.3f}]".format(*self.interval)
        return f"{self.difference:+.3f}{edges}"


def differences(found: Comparison) -> list[Difference]:
    """The figures of a comparison, masks first."""
    return [
        Difference(
            f"{words} {name}",
            row["a"],
            row["b"],
            row["difference"],
            tuple(row["difference_interval"]) if row["difference_interval"] else None,
            row["verdict"],
        )
        for kind, words in MEASURE_WORDS.items()
        for name, row in (found[kind] or {}).items()
    ]


def difference_chart(rows: Sequence[Difference], colours: tuple[str, str]) -> Chart:
    """A row for each figure: B minus A as a point, its interval as a bar, and both as text. Its table is `rows`.

    The colour is that of the better side, grey if the interval contains 0. `rows` have a difference.
    """
    reach = [abs(value) for row in rows for value in (row.difference, *(row.interval or ())) if value is not None]
    most = max([*reach, 0.02]) * 1.1
    columns = {
        "figure": [row.name for row in rows],
        "difference": [row.difference for row in rows],
        "low": [row.interval and row.interval[0] for row in rows],
        "high": [row.interval and row.interval[1] for row in rows],
        "text": [row.text for row in rows],
        "colour": [_colour(row, colours) for row in rows],
    }
    x: Spec = {"scale": {"domain": [-most, most], "nice": False}}
    axis = {"title": "← A is better   ·   B − A   ·   B is better →", "format": "+.2f", "tickCount": 5}
    y = field(
        "figure",
        "nominal",
        title=None,
        sort=columns["figure"],
        axis={"ticks": False, "domain": False, "labelColor": INK, "labelFontSize": 13},
    )
    colour = {"field": "colour", "type": "nominal", "scale": None}
    tooltip = {"tooltip": [field("figure", "nominal"), field("text", "nominal", title="B − A [95 % interval]")]}
    layers: list[Spec] = [
        {"mark": {"type": "rule", "color": INK, "strokeDash": [4, 3]}, "encoding": {"x": {"datum": 0, **x}}},
        {
            "mark": {"type": "rule", "strokeWidth": 5, "opacity": 0.55},
            "encoding": {
                "x": field("low", axis={**axis, "labelColor": INK, "titleColor": INK}, **x),
                "x2": {"field": "high"},
                "y": y,
                "color": colour,
                **tooltip,
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
            "encoding": {"x": field("difference", **x), "y": y, "color": colour, **tooltip},
        },
    ]
    spec = {"height": _ROW * len(rows) + _AXIS, "data": {"name": "rows"}, "encoding": {}, "layer": layers}
    return Chart({**spec, "config": {"view": {"stroke": None}}}, {"rows": table(columns)})


def scatter_chart(
    pictures: Sequence[Mapping[str, object]], measure: str, colours: tuple[str, str], chosen: str, height: int = 320
) -> Chart:
    """A point for each picture: its AP of A against that of B, and the diagonal. Its table is `pictures`.

    `pictures` have "file", "a", "b" and "difference", all of them defined; the picture `chosen` has a ring. A point
    can be clicked (`chart.draw_clickable`); its field is "file".
    """
    better = [_side(float(str(entry["difference"])), colours) for entry in pictures]
    columns = {
        "file": [str(entry["file"]) for entry in pictures],
        "a": [entry["a"] for entry in pictures],
        "b": [entry["b"] for entry in pictures],
        "difference": [entry["difference"] for entry in pictures],
        "colour": better,
        "chosen": [entry["file"] == chosen for entry in pictures],
    }
    axis = {"labelColor": INK, "titleColor": INK, "tickCount": 5, "format": ".1f"}
    scale = {"domain": [0, 1]}
    x = field("a", scale=scale, axis={**axis, "title": f"{measure} AP of A"})
    y = field("b", scale=scale, axis={**axis, "title": f"{measure} AP of B"})
    tooltip = [
        field("file", "nominal", title="picture"),
        field("a", format=".3f", title="A"),
        field("b", format=".3f", title="B"),
        field("difference", format="+.3f", title="B − A"),
    ]
    diagonal = {"x": {"datum": 0}, "y": {"datum": 0}, "x2": {"datum": 1}, "y2": {"datum": 1}}
    points: Spec = {
        "params": [{"name": CLICKED, "select": {"type": "point", "fields": ["file"]}}],
        "mark": {"type": "point", "filled": True, "size": 130, "cursor": "pointer", "opacity": 0.8},
        "encoding": {
            "x": x,
            "y": y,
            "color": {"field": "colour", "type": "nominal", "scale": None},
            "stroke": {"condition": {"test": "datum.chosen", "value": INK}, "value": "transparent"},
            "strokeWidth": {"value": 3},
            "tooltip": tooltip,
        },
    }
    layers = [{"mark": {"type": "rule", "color": INK, "strokeDash": [4, 3]}, "encoding": diagonal}, points]
    spec = {"height": height, "data": {"name": "pictures"}, "encoding": {}, "layer": layers}
    return Chart(spec, {"pictures": table(columns)})


def _colour(row: Difference, colours: tuple[str, str]) -> str:
    """The colour of a difference: that of the better side, grey if it may be chance."""
    return _side(row.difference or 0.0, colours) if row.verdict == "away from 0" else _GREY


def _side(difference: float, colours: tuple[str, str]) -> str:
    """The colour of the better side; grey if they are equal."""
    return _GREY if difference == 0 else colours[difference > 0]
