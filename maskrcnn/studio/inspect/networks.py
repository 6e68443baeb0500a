"""Trained networks that pages look into. Torch is loaded when the first one is asked for."""

from __future__ import annotations

import json
import struct
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.shell.plain_text import plain

_SHIPS = "ships with the studio"

_LONGEST_HEADER = 20_000_000
"""Bytes; that of a ResNet-50 has 40,000."""


def on_offer(runs: Iterable[RunFolder]) -> dict[str, RunFolder]:
    """The runs of a project by name, then the models that ship, but those of which it has a copy.

    A run whose folder is called as if it shipped is named as what it is.
    """
    own = {}
    copied = set()
    for run in runs:
        own[f"{run.name} (a run of this project)" if _claims_to_ship(run.name) else run.name] = run
        if card := shipped_models.card_in(run.path):
            copied.add(card["name"])
    others = [name for name in shipped_models.names() if name not in copied]
    return own | {f"{name} ({_SHIPS})": RunFolder(shipped_models.FOLDER / name) for name in others}


def _claims_to_ship(name: str) -> bool:
    """Whether a name reads like that of a model that ships: letters of other widths and cases, and signs between them,
    make no difference."""
    letters = (sign for sign in unicodedata.normalize("NFKD", name).casefold() if sign.isalnum())
    return _SHIPS.replace(" ", "") in "".join(letters)


def show_card(run: RunFolder) -> None:
    """Of a model that ships a badge and a line: what it learned from and what it is worth; on hover what it cannot do.
    Of any other run nothing, whatever its name and its files say (see `shipped_models.card_in`)."""
    if card := shipped_models.card_in(run.path):
        badge = f":violet-badge[:material/inventory_2: {_SHIPS}]"
        st.markdown(f"{badge} :small[{shipped_models.in_short(card)}]", help=plain(f"{card['what']} {card['limits']}"))


@st.cache_resource(max_entries=1, show_spinner="Loading the network")
def network(checkpoint: str, changed: int) -> Any:
    """The network of a checkpoint, ready for inference. One is kept for all pages. `changed` is the file's `stamp`."""
    from maskrcnn.model import load

    return load(checkpoint)


def of_epoch(run: RunFolder, epoch: int) -> Path | None:
    """The network as it was after that epoch; None where it was not kept. Loads no torch."""
    return kept(run).get(epoch)


def kept(run: RunFolder) -> dict[int, Path]:
    """Epoch -> the checkpoint that holds the network as it was then, in order of epoch. Loads no torch."""
    found = run.checkpoints()
    if run.best.is_file():
        epoch = _written_after(str(run.best), stamp(run.best))
        if epoch is not None:
            found.setdefault(epoch, run.best)
    return dict(sorted(found.items()))


@st.cache_data(max_entries=200, show_spinner=False)
def _written_after(checkpoint: str, changed: int) -> int | None:
    """The epoch that stands in the header of a checkpoint, which is JSON after its length (safetensors' format); None
    where none can be read."""
    try:
        with open(checkpoint, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > _LONGEST_HEADER:
                return None
            return int(json.loads(file.read(length))["__metadata__"]["epoch"])
    except (OSError, struct.error, ValueError, KeyError, TypeError, RecursionError):
        return None


def stamp(file: Path) -> int:
    """What tells a file that was written again from the one before; 0 where there is none."""
    return file.stat().st_mtime_ns if file.is_file() else 0
