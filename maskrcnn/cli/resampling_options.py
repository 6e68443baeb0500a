"""`--resamples` and `--seed`, the options of the commands that compute bootstrap intervals."""

from __future__ import annotations

import argparse

from maskrcnn.errors import ArgumentError

FEWEST = 100
"""Minimum number of resamples: with fewer, one or two of them decide the ends of a 95 % interval."""


def add_resampling(parser: argparse.ArgumentParser, default: int, help: str) -> None:
    """Add both options to a parser; `help` is the help text of `--resamples`."""
    parser.add_argument("--resamples", type=int, default=default, metavar="N", help=f"{help} ({default})")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which pictures the resamples draw (0)")


def check_resampling(args: argparse.Namespace, zero_allowed: bool = False) -> None:
    """Raise `ArgumentError` for too few resamples or a negative seed. `zero_allowed` allows 0: no intervals."""
    if args.resamples < FEWEST and not (zero_allowed and args.resamples == 0):
        leave_out = ", or 0 to leave the intervals out" if zero_allowed else ""
        raise ArgumentError(f"--resamples {args.resamples}: give at least {FEWEST}{leave_out}")
    if args.seed < 0:
        raise ArgumentError(f"--seed {args.seed}: give 0 or more")
