"""The trained networks that pages offer and show: a project's runs and the models that ship, and one in memory.

Torch is loaded when the first network is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

import streamlit as st

from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.shell.plain_text import plain

_SHIPS = "ships with the studio"


def on_offer(runs: Iterable[RunFolder]) -> dict[str, RunFolder]:
    """Label -> run: the runs of a project by name, then the models that ship, except those that it has a copy of.

    A run whose name reads like that of a model that ships is labelled as a run of the project.
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
    """For a model that ships, a badge and a line: what it learned from and its AP; on hover what it cannot do.

    For any other run nothing, whatever its name and its files say (see `shipped_models.card_in`).
    """
    if card := shipped_models.card_in(run.path):
        badge = f":violet-badge[:material/inventory_2: {_SHIPS}]"
        st.markdown(f"{badge} :small[{shipped_models.in_short(card)}]", help=plain(f"{card['what']} {card['limits']}"))


@st.cache_resource(max_entries=1, show_spinner="Loading the network")
def network(checkpoint: str, changed: int) -> Any:
    """The network of a checkpoint, ready for inference; one is kept in memory for all pages.

    `changed` is the file's `stamp`, so that a checkpoint that was written again is loaded again.
    """
    from maskrcnn.model import load

    return load(checkpoint)
