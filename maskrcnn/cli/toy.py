"""`python -m maskrcnn toy`: draw a toy world, pictures and labels, into a folder."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskrcnn.toys.worlds import WORLDS, generate, world


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("world", choices=WORLDS, help="what is drawn: " + ", ".join(WORLDS))
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new folder for pictures and labels")
    parser.add_argument("--pictures", type=int, default=40, metavar="N", help="how many (40)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same seed draws the same pictures (1)")


def run(args: argparse.Namespace) -> None:
    dataset = generate(world(args.world), args.folder, args.pictures, args.seed, watch=_watch)
    labels = args.folder / world(args.world).labels
    print(f"{labels}: {len(dataset.images)} pictures, {dataset.n_regions} objects ({', '.join(dataset.classes)})")


def _watch(items: Iterable[Any], doing: str, count: int) -> Iterator[Any]:
    yield from tqdm(items, doing, count, unit=" pictures", disable=None)
