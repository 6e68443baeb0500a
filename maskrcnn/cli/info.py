"""`python -m maskrcnn info`: what a preset, a checkpoint or a run is made of."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterable, Iterator

from maskrcnn.cli.figure_words import TASKS, ap_text, interval_text
from maskrcnn.config import PRESETS
from maskrcnn.config.table import Line, lines
from maskrcnn.durations import clock
from maskrcnn.inference import ModelDescription, describe
from maskrcnn.runs import shipped_models
from maskrcnn.words import byte_size, counted


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
    found = describe(args.model, args.set)
    if args.json:
        print(json.dumps(found.to_json(), indent=1))
        return
    if found.card:
        print("\n".join(card_lines(found.card)), end="\n\n")
    print(f"{origin(found)}\n")
    print("\n".join(table(lines(found.config), why=args.why)))
    print()
    for part, count in found.parameters.items():
        print(f"{part:14} {count:12,d} parameters")


def origin(found: ModelDescription) -> str:
    """Where a network comes from, in a line."""
    if found.preset is not None:
        return " ".join([f"preset {found.preset}", *(f"with {change}" for change in found.changed)])
    return f"{found.file}: {found.origin}"


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
            said = [
                f"{name} {ap_text(value)} {interval_text(edges.get(name))}".rstrip() for name, value in figures.items()
            ]
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
