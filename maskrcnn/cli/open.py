"""`python -m maskrcnn open`: open a model bundle as a run folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from maskrcnn.errors import ArgumentError
from maskrcnn.runs.opened_bundle import open_bundle
from maskrcnn.words import counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `open`."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the zip that `export --to bundle` has made")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="RUN", help="the run folder to make, for example PROJECT/runs/cells"
    )


def run(args: argparse.Namespace) -> None:
    """Open a bundle, and print the run and its classes."""
    from maskrcnn.inference.export.bundle_weights import check_weights

    if args.out.name in ("", "..") or args.out.exists():
        raise ArgumentError(f"{args.out} is there already; give --out a folder that does not exist yet")
    opened = open_bundle(args.bundle, args.out.parent, name=args.out.name, check_weights=check_weights)
    names = opened.config().names
    print(f"{opened.path}: {counted(len(names), 'class', 'classes')}: {', '.join(names)}")
    print(f"use it: python -m maskrcnn predict {opened.path} PICTURES --out DIR")
