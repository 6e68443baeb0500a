"""What `evaluate` and `compare` share: the options of resampling, what the figures mean, and how an AP and its interval
are written on a terminal. Loads no torch."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from maskrcnn.errors import ArgumentError
from maskrcnn.evaluation.coco_ap import IouType
from maskrcnn.evaluation.report_building import definitions

TASKS: dict[IouType, str] = {"bbox": "boxes", "segm": "masks", "keypoints": "keypoints"}
"""COCO's name of a measure -> what is measured, in a word."""

FEW_PICTURES = 20
"""With fewer, 95 % intervals hold the truth less often than they say (see `evaluation.bootstrap`)."""

FEWEST = 100
"""Resamples: with fewer, the edges of a 95 % interval are one or two of them."""


def add_resampling(parser: argparse.ArgumentParser, usual: int, words: str) -> None:
    """--resamples and --seed."""
    parser.add_argument("--resamples", type=int, default=usual, metavar="N", help=f"{words} ({usual})")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which pictures the resamples draw (0)")


def check_resampling(args: argparse.Namespace, may_be_none: bool = False) -> None:
    """`ArgumentError` for too few resamples (0 is right where there `may_be_none`) and for a seed below 0."""
    if args.resamples < FEWEST and not (may_be_none and args.resamples == 0):
        leave_out = ", or 0 to leave the intervals out" if may_be_none else ""
        raise ArgumentError(f"--resamples {args.resamples}: give at least {FEWEST}{leave_out}")
    if args.seed < 0:
        raise ArgumentError(f"--seed {args.seed}: give 0 or more")


def glossary(names: Sequence[str]) -> str:
    """What the numbers mean, for the end of `--help`: a line for each of these `definitions` of a report."""
    says = definitions()
    width = max(map(len, names)) + 2
    lines = ["what the numbers mean (a report holds this, too, under `definitions`):"]
    for name in names:
        [first, *others] = textwrap.wrap(says[name], 96 - width)
        lines += [f"  {name:{width}}{first}", *(" " * (width + 2) + other for other in others)]
    return "\n".join(lines)


def caution(pictures: int) -> list[str]:
    """A line for those who read intervals of few pictures, or none."""
    few = 1 < pictures < FEW_PICTURES
    return [f"caution: intervals of so few pictures ({pictures}) come out too narrow; measure on more"] * few


def figure(value: float | None) -> str:
    """ "0.713" """
    return "    -" if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    """ "+0.105", the difference of two figures."""
    return "     -" if value is None else f"{value:+.3f}"


def bracket(edges: Sequence[float] | None, sign: str = "") -> str:
    """ "[0.690, 0.735]"; nothing where there is no interval. `sign` "+" writes it in front of every number."""
    return "" if edges is None else "[" + ", ".join(f"{edge:{sign}.3f}" for edge in edges) + "]"
