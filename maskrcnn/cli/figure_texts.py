"""Formatting of the figures of a report as text: APs, intervals, and the glossary of `--help`. Imports no torch."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from maskrcnn.evaluation.coco_ap import IouType
from maskrcnn.evaluation.figure_definitions import report_definitions

TASKS: dict[IouType, str] = {"bbox": "boxes", "segm": "masks", "keypoints": "keypoints"}
"""COCO's name of a measure -> a word for what is measured."""

FEW_PICTURES = 20
"""With fewer pictures, 95 % intervals contain the true value less often than they should (`evaluation.bootstrap`)."""


def glossary(names: Sequence[str]) -> str:
    """The glossary at the end of `--help`: the `definitions` of the figures `names`."""
    meanings = report_definitions()
    width = max(map(len, names)) + 2
    lines = ["what the numbers mean (a report holds this, too, under `definitions`):"]
    for name in names:
        [first, *others] = textwrap.wrap(meanings[name], 96 - width)
        lines += [f"  {name:{width}}{first}", *(" " * (width + 2) + other for other in others)]
    return "\n".join(lines)


def few_pictures_warning(pictures: int) -> list[str]:
    """A list with a warning about intervals from few pictures; empty if there are enough pictures."""
    few = 1 < pictures < FEW_PICTURES
    return [f"caution: intervals of so few pictures ({pictures}) come out too narrow; measure on more"] * few


def ap_text(value: float | None) -> str:
    """An AP with three decimals; a dash if it is not defined.

    >>> ap_text(0.7128), ap_text(None)
    ('0.713', '    -')
    """
    return "    -" if value is None else f"{value:.3f}"


def difference_text(value: float | None) -> str:
    """The difference of two APs with three decimals and its sign; a dash if it is not defined.

    >>> difference_text(0.105)
    '+0.105'
    """
    return "     -" if value is None else f"{value:+.3f}"


def interval_text(edges: Sequence[float] | None, sign: str = "") -> str:
    """An interval as `[low, high]`; an empty text if there is none. With `sign` "+", positive numbers get a sign.

    >>> interval_text([0.69, 0.735]), interval_text([-0.1, 0.2], "+"), interval_text(None)
    ('[0.690, 0.735]', '[-0.100, +0.200]', '')
    """
    return "" if edges is None else "[" + ", ".join(f"{edge:{sign}.3f}" for edge in edges) + "]"
