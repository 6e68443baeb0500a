"""`python -m maskrcnn info`: what a preset, a checkpoint or a run is made of."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterable
from typing import Any

import torch

from maskrcnn.config import PRESETS, Config, parse_settings
from maskrcnn.config_table import Line, anchor_count, backbone_shapes, lines
from maskrcnn.errors import ArgumentError
from maskrcnn.model.build import build, parameter_counts
from maskrcnn.model.weights import find_checkpoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        metavar="MODEL|RUN|PRESET",
        help=f"a run folder, a checkpoint, or a preset: {', '.join(PRESETS)} (a folder of such a name: ./NAME)",
    )
    parser.add_argument("--why", action="store_true", help="say of every value what it is for")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="see a preset with this field changed"
    )


def run(args: argparse.Namespace) -> None:
    config, about = described(args.model, args.set)
    with torch.device("meta"):  # parameters are counted, not made
        counts = parameter_counts(build(config))
    if args.json:
        derived = {"backbone_shapes": backbone_shapes(config), "anchors": anchor_count(config)}
        document = about | derived | {"parameters": counts, "config": config.model_dump()}
        print(json.dumps(document, indent=1))
        return
    print(f"{origin(about)}\n")
    print("\n".join(table(lines(config), why=args.why)))
    print()
    for part, count in counts.items():
        print(f"{part:14} {count:12,d} parameters")


def described(model: str, settings: list[str]) -> tuple[Config, dict[str, Any]]:
    """The Config that is asked for, and where it comes from: a preset, or a file and the epoch after which it was
    written.

    Raises `ArgumentError` where `model` is neither, and for changes of a network that exists already.
    """
    if model in PRESETS:
        return Config.preset(model, **parse_settings(settings)), {"preset": model, "changed": settings}
    checkpoint = find_checkpoint(model)
    if settings:
        raise ArgumentError(f"--set {settings[0]}: {checkpoint.path} was trained as it is; --set is for presets")
    about = {"file": str(checkpoint.path), "epoch": checkpoint.epoch, "origin": checkpoint.origin}
    return checkpoint.config, about


def origin(about: dict[str, Any]) -> str:
    """Where a Config comes from, in a line."""
    if "preset" in about:
        return " ".join([f"preset {about['preset']}", *(f"with {change}" for change in about["changed"])])
    return f"{about['file']}: {about['origin']}"


def table(entries: Iterable[Line], why: bool) -> list[str]:
    """The lines to print: names and values aligned, and where asked for below each what it is for."""
    found = list(entries)
    width = max(len(line.name) for line in found) + 2
    printed = []
    for line in found:
        printed.append(f"{line.name:{width}}{line.value}")
        if why:
            printed += textwrap.wrap(line.why, 100, initial_indent=" " * width, subsequent_indent=" " * width)
    return printed
