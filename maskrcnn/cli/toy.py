"""`python -m maskrcnn toy`: draw pictures of a toy world with their labels into a folder."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from tqdm import tqdm

from maskrcnn.toys.worlds import WORLDS, generate
from maskrcnn.words import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `toy`."""
    parser.add_argument("world", choices=WORLDS, help="what is drawn: " + ", ".join(WORLDS))
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new folder for pictures and labels")
    parser.add_argument("--pictures", type=int, default=40, metavar="N", help="how many (40)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed draws the same pictures (1)")


def run(args: argparse.Namespace) -> None:
    """Draw the pictures of a toy world into a folder and print what was drawn."""
    world, watch = WORLDS[args.world], partial(tqdm, unit=" pictures", disable=None)
    dataset = generate(world, args.folder, args.pictures, args.seed, watch=watch)
    labels = args.folder / world.labels
    print(
        f"{labels}: {counted(len(dataset.images), 'picture')}, {counted(dataset.n_regions, 'object')} "
        f"({', '.join(dataset.classes)})"
    )
