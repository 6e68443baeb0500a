"""How the figures of a report are written on a terminal: an AP, its interval, and what each means. Loads no torch."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from maskrcnn.evaluation.coco_ap import IouType
from maskrcnn.evaluation.report_building import definitions

TASKS: dict[IouType, str] = {"bbox": "boxes", "segm": "masks", "keypoints": "keypoints"}
"""COCO's name of a measure -> what is measured, in a word."""

FEW_PICTURES = 20
"""With fewer pictures, 95 % intervals contain the true value less often than they should (`evaluation.bootstrap`)."""


def glossary(names: Sequence[str]) -> str:
    """The end of `--help`: what the figures of these names mean, by the `definitions` of a report."""
    says = definitions()
    width = max(map(len, names)) + 2
    lines = ["what the numbers mean (a report holds this, too, under `definitions`):"]
    for name in names:
        [first, *others] = textwrap.wrap(says[name], 96 - width)
        lines += [f"  {name:{width}}{first}", *(" " * (width + 2) + other for other in others)]
    return "\n".join(lines)


def few_pictures_warning(pictures: int) -> list[str]:
    """A line that warns of intervals from few pictures; no line where there are enough."""
    few = 1 < pictures < FEW_PICTURES
    return [f"caution: intervals of so few pictures ({pictures}) come out too narrow; measure on more"] * few


def ap_text(value: float | None) -> str:
    """An AP with three decimals; a dash where it is not defined.

    >>> ap_text(0.7128), ap_text(None)
    ('0.713', '    -')
    """
    return "    -" if value is None else f"{value:.3f}"


def difference_text(value: float | None) -> str:
    """The difference of two APs, with its sign.

    >>> difference_text(0.105)
    '+0.105'
    """
    return "     -" if value is None else f"{value:+.3f}"


def interval_text(edges: Sequence[float] | None, sign: str = "") -> str:
    """An interval [low, high]; empty where there is none. `sign` "+" writes the sign of both.

    >>> interval_text([0.69, 0.735]), interval_text([-0.1, 0.2], "+"), interval_text(None)
    ('[0.690, 0.735]', '[-0.100, +0.200]', '')
    """
    return "" if edges is None else "[" + ", ".join(f"{edge:{sign}.3f}" for edge in edges) + "]"
