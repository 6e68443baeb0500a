"""`python -m maskrcnn info`: describe a preset, a checkpoint or a run: its config, origin and parameters; or print the
model card of a run."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from maskrcnn.cli.ap_figures import TASKS, ap_text, interval_text
from maskrcnn.cli.progress_bars import progress_bar
from maskrcnn.config import PRESETS
from maskrcnn.config.config_table import Line, table_lines
from maskrcnn.durations import clock
from maskrcnn.errors import ArgumentError
from maskrcnn.inference.model_card import model_card
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder
from maskrcnn.words import byte_size, counted

if TYPE_CHECKING:
    from maskrcnn.inference.model_description import ModelDescription


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `info`."""
    parser.add_argument(
        "model",
        metavar="MODEL|RUN|PRESET",
        help="a run folder, a checkpoint, a model that ships with the studio "
        f"({', '.join(shipped_models.names()) or 'none is here'}), or a preset: {', '.join(PRESETS)} (a folder of "
        "such a name: ./NAME)",
    )
    parser.add_argument("--why", action="store_true", help="say of every value what it is for")
    parser.add_argument(
        "--card",
        action="store_true",
        help="print the model card of a run as Markdown: what it learned from, how good it is, where it fails; with "
        "--json as JSON",
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", help="see a preset with this field changed"
    )


def run(args: argparse.Namespace) -> None:
    """Print the description of a preset, a checkpoint or a run, as a table or as JSON; or the model card of a run."""
    if args.card:
        return print_card(args)
    from maskrcnn.inference import describe  # here, because it imports torch

    found = describe(args.model, args.set)
    if args.json:
        print(json.dumps(found.to_json(), indent=1))
        return
    if found.card:
        print("\n".join(card_lines(found.card)), end="\n\n")
    print(f"{origin_line(found)}\n")
    print("\n".join(printed_config(table_lines(found.config), why=args.why)))
    print()
    for part, count in found.parameters.items():
        print(f"{part:14} {count:12,d} parameters")


def print_card(args: argparse.Namespace) -> None:
    """Print the model card of a run, as Markdown or as JSON. Imports no torch.

    Raises `ArgumentError` for a preset or a checkpoint, which no labels and detections belong to.
    """
    for option, given in (("--set", args.set), ("--why", args.why)):
        if given:
            raise ArgumentError(f"{option}: a card is of a run as it was trained; leave it out")
    ships = shipped_models.folder(args.model)
    if not ships and (args.model in PRESETS or Path(args.model).is_file()):
        raise ArgumentError(f"{args.model}: only a run has a card; give a run folder")
    found_run = RunFolder(ships) if ships else RunFolder.open(args.model)
    with progress_bar("parts") as progress:
        card = model_card(found_run, progress)
    print(json.dumps(card.to_json(), indent=1) if args.json else card.markdown(), end="\n" if args.json else "")


def card_lines(card: shipped_models.Card) -> list[str]:
    """The model card of a shipped model as lines: description, training data, figures, limits."""
    epochs = f"{counted(card['epochs'], 'epoch')}, seed {card['seed']}"
    lines = [
        ("", card["what"]),
        ("classes", ", ".join(card["classes"])),
        ("learned from", shipped_models.toy_pictures_words(card["train"])),
        ("trained for", f"{epochs}, {clock(card['seconds'])} on {card['machine']}"),
        ("made by", card["command"]),
        *_figures(card),
        ("size", f"{byte_size(card['bytes'])} in half precision"),
        ("limits", card["limits"]),
        ("licence", card["licence"]),
    ]
    width, printed = 15, []
    for name, text in lines:
        printed += textwrap.wrap(
            text, 105, initial_indent=f"{name or card['name']:{width}}", subsequent_indent=" " * width
        )
    return printed


def _figures(card: shipped_models.Card) -> Iterator[tuple[str, str]]:
    """The test set and the figures of a model card, as pairs (title, text); none if nothing was measured."""
    if shipped_models.card_ap(card) is None:
        return
    pictures = shipped_models.toy_pictures_words(card["test"])
    yield "measured on", f"{pictures}; in brackets the 95 % interval of {card['resamples']} resamples"
    for measure, words in TASKS.items():
        if figures := card["ap"].get(measure):
            edges = (card.get("intervals") or {}).get(measure) or {}
            texts = [
                f"{name} {ap_text(value)} {interval_text(edges.get(name))}".rstrip() for name, value in figures.items()
            ]
            yield f"  {words}", ",  ".join(texts)


def printed_config(entries: Iterable[Line], why: bool) -> list[str]:
    """The config as `info` prints it: names and values in aligned columns; with `--why`, the purpose below each."""
    found = list(entries)
    width = max(len(line.name) for line in found) + 2
    printed = []
    for line in found:
        printed.append(f"{line.name:{width}}{line.value}")
        if why:
            printed += textwrap.wrap(line.why, 100, initial_indent=" " * width, subsequent_indent=" " * width)
    return printed


def origin_line(found: ModelDescription) -> str:
    """The printed line about the origin of a network: a preset with its changes, or a file."""
    if found.preset is not None:
        return " ".join([f"preset {found.preset}", *(f"with {change}" for change in found.changed)])
    return f"{found.file}: {found.origin}"
