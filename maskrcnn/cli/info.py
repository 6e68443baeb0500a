"""`python -m maskrcnn info`: what a checkpoint or a run is made of."""

from __future__ import annotations

import argparse
import json

from maskrcnn.config import Config
from maskrcnn.model.build import build, parameter_counts
from maskrcnn.model.weights import find_checkpoint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL|RUN", help="a run folder or a checkpoint")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(args: argparse.Namespace) -> None:
    checkpoint = find_checkpoint(args.model)
    counts = parameter_counts(build(checkpoint.config))
    if args.json:
        about = {"file": str(checkpoint.path), "epoch": checkpoint.epoch, "parameters": counts}
        print(json.dumps(about | {"config": checkpoint.config.model_dump()}, indent=1))
        return
    print(f"{checkpoint.path}: written after epoch {checkpoint.epoch}\n")
    for name, field in Config.model_fields.items():
        print(f"{name.upper():28} {shown(getattr(checkpoint.config, name)):36} {field.description}")
    print()
    for part, count in counts.items():
        print(f"{part:12} {count:12,d} parameters")


def shown(value: object) -> str:
    """A value of the config in a table's cell."""
    if isinstance(value, tuple):
        return "(" + ", ".join(str(item) for item in value) + ")"
    if isinstance(value, dict):
        return (
            ", ".join(f"{item:g}" for item in value.values())
            if len(set(value.values())) > 1
            else f"all {next(iter(value.values())):g}"
        )
    return "-" if value is None else str(value)
