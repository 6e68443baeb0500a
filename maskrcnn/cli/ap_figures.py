"""AP figures in the terminal: options of the resampling, and APs and their 95 % intervals as text, for all commands.

Imports no torch.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from maskrcnn.errors import ArgumentError
from maskrcnn.evaluation.bootstrap import coverage_note
from maskrcnn.evaluation.figure_definitions import report_definitions
from maskrcnn.evaluation.measures import IouType

TASKS: dict[IouType, str] = {"bbox": "boxes", "segm": "masks", "keypoints": "keypoints"}
"""COCO's name of a measure -> a word for what is measured."""

FEWEST = 100
"""Minimum number of resamples: with fewer, one or two of them decide the ends of a 95 % interval."""


def add_resampling(parser: argparse.ArgumentParser, default: int, help: str) -> None:
    """Add `--resamples` and `--seed`, for the intervals of AP, to a parser; `help` is the help of `--resamples`."""
    parser.add_argument("--resamples", type=int, default=default, metavar="N", help=f"{help} ({default})")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which pictures the resamples draw (0)")


def check_resampling(args: argparse.Namespace, zero_allowed: bool = False) -> None:
    """Raise `ArgumentError` for too few resamples or a negative seed. `zero_allowed` allows 0: no intervals."""
    if args.resamples < FEWEST and not (zero_allowed and args.resamples == 0):
        leave_out = ", or 0 to leave the intervals out" if zero_allowed else ""
        raise ArgumentError(f"--resamples {args.resamples}: give at least {FEWEST}{leave_out}")
    if args.seed < 0:
        raise ArgumentError(f"--seed {args.seed}: give 0 or more")


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
    """A list with a warning about intervals of AP from few pictures; empty if there are enough pictures."""
    note = coverage_note(pictures)
    return [f"caution: {note}; measure on more"] if note else []


def ap_text(value: float | None) -> str:
    """An AP figure as the commands print it, with three decimals; a dash if it is not defined.

    >>> ap_text(0.7128), ap_text(None)
    ('0.713', '    -')
    """
    return "    -" if value is None else f"{value:.3f}"


def interval_text(edges: Sequence[float] | None, sign: str = "") -> str:
    """The interval of an AP figure as the commands print it, `[low, high]`; an empty text if there is none.

    With `sign` "+", positive numbers get a sign.

    >>> interval_text([0.69, 0.735]), interval_text([-0.1, 0.2], "+"), interval_text(None)
    ('[0.690, 0.735]', '[-0.100, +0.200]', '')
    """
    return "" if edges is None else "[" + ", ".join(f"{edge:{sign}.3f}" for edge in edges) + "]"


def difference_text(value: float | None) -> str:
    """The difference of two AP figures as the commands print it, with its sign; a dash if it is not defined.

    >>> difference_text(0.105)
    '+0.105'
    """
    return "     -" if value is None else f"{value:+.3f}"
