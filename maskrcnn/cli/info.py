"""`python -m maskrcnn info`: what a preset, a checkpoint or a run is made of."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import torch

from maskrcnn.cli.interval_words import TASKS, bracket, figure
from maskrcnn.config import PRESETS, Config, parse_settings
from maskrcnn.config.table import Line, anchor_count, backbone_shapes, lines
from maskrcnn.errors import ArgumentError
from maskrcnn.model.build import build, parameter_counts
from maskrcnn.model.weights import find_checkpoint
from maskrcnn.runs import shipped_models
from maskrcnn.words import byte_size, clock, counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        metavar="MODEL|RUN|PRESET",
        help="a run folder, a checkpoint, a model that ships with the studio "
        f"({', '.join(shipped_models.names()) or 'none is here'}), or a preset: {', '.join(PRESETS)} (a folder of "
        "such a name: ./NAME)",
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
    if "card" in about:
        print("\n".join(card_lines(about["card"])), end="\n\n")
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
    about: dict[str, Any] = {"file": str(checkpoint.path), "epoch": checkpoint.epoch, "origin": checkpoint.origin}
    if card := shipped_models.card(model):
        about["card"] = card
    return checkpoint.config, about


def origin(about: dict[str, Any]) -> str:
    """Where a Config comes from, in a line."""
    if "preset" in about:
        return " ".join([f"preset {about['preset']}", *(f"with {change}" for change in about["changed"])])
    return f"{about['file']}: {about['origin']}"


def card_lines(card: shipped_models.Card) -> list[str]:
    """The model card of a model that ships, for a terminal: what it is, what it learned from, what it is worth."""
    epochs = f"{counted(card['epochs'], 'epoch')}, seed {card['seed']}"
    lines = [
        ("", card["what"]),
        ("classes", ", ".join(card["classes"])),
        ("learned from", shipped_models.world_words(card["train"])),
        ("trained for", f"{epochs}, {clock(card['seconds'])} on {card['machine']}"),
        ("made by", card["command"]),
        *_measured(card),
        ("size", f"{byte_size(card['bytes'])} in half precision"),
        ("limits", card["limits"]),
        ("licence", card["licence"]),
    ]
    width, printed = 15, []
    for name, said in lines:
        printed += textwrap.wrap(
            said, 105, initial_indent=f"{name or card['name']:{width}}", subsequent_indent=" " * width
        )
    return printed


def _measured(card: shipped_models.Card) -> Iterator[tuple[str, str]]:
    """What was measured and on what, a line each; none where nothing was."""
    if shipped_models.finest(card) is None:
        return
    yield (
        "measured on",
        f"{shipped_models.world_words(card['test'])}; in brackets the 95 % interval of {card['resamples']} resamples",
    )
    for measure, words in TASKS.items():
        if figures := card["ap"].get(measure):
            edges = (card.get("intervals") or {}).get(measure) or {}
            said = [f"{name} {figure(value)} {bracket(edges.get(name))}".rstrip() for name, value in figures.items()]
            yield f"  {words}", ",  ".join(said)


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
