"""Trained networks that pages look into. Torch is loaded when the first one is asked for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn import shipped
from maskrcnn.studio.plain_text import plain
from maskrcnn.training.run_folder import RunFolder

_SHIPS = "ships with the studio"


def on_offer(runs: Iterable[RunFolder]) -> dict[str, RunFolder]:
    """The runs of a project by name, then the models that ship, but those of which it has a copy.

    A run whose folder is called as if it shipped is named as what it is.
    """
    own = {}
    copied = set()
    for run in runs:
        own[f"{run.name} (a run of this project)" if _claims_to_ship(run.name) else run.name] = run
        if card := shipped.card_in(run.path):
            copied.add(card["name"])
    others = [name for name in shipped.names() if name not in copied]
    return own | {f"{name} ({_SHIPS})": RunFolder(shipped.FOLDER / name) for name in others}


def _claims_to_ship(name: str) -> bool:
    """Whether a name reads like that of a model that ships: letters of other widths and cases, and signs between them,
    make no difference."""
    letters = (sign for sign in unicodedata.normalize("NFKD", name).casefold() if sign.isalnum())
    return _SHIPS.replace(" ", "") in "".join(letters)


def show_card(run: RunFolder) -> None:
    """Of a model that ships a badge and a line: what it learned from and what it is worth; on hover what it cannot do.
    Of any other run nothing, whatever its name and its files say (see `shipped.card_in`)."""
    if card := shipped.card_in(run.path):
        badge = f":violet-badge[:material/inventory_2: {_SHIPS}]"
        st.markdown(f"{badge} :small[{shipped.in_short(card)}]", help=plain(f"{card['what']} {card['limits']}"))


@st.cache_resource(max_entries=1, show_spinner="Loading the network")
def network(checkpoint: str, changed: int) -> Any:
    """The network of a checkpoint, ready for inference. One is kept for all pages. `changed` is the file's `stamp`."""
    from maskrcnn.model import load

    return load(checkpoint)


def stamp(file: Path) -> int:
    """What tells a file that was written again from the one before; 0 where there is none."""
    return file.stat().st_mtime_ns if file.is_file() else 0
