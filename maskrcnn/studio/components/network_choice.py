"""The trained networks that a user can choose on a page: runs of the project and models that ship with the studio.

It also caches one loaded network. PyTorch is imported when the first network is loaded.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

import streamlit as st

from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.shell.markdown_escape import plain

_SHIPS = "ships with the studio"


def on_offer(runs: Iterable[RunFolder]) -> dict[str, RunFolder]:
    """Return label -> run for a choice of networks: the runs of a project, then the models that ship with the studio.

    A shipped model is skipped if one of the runs is a copy of it. If the name of a run looks like that of a shipped
    model, its label says that it is a run of the project.
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
    """Whether a run's name looks like the label of a shipped model.

    Case, character width, and characters other than letters and digits are ignored.
    """
    letters = (sign for sign in unicodedata.normalize("NFKD", name).casefold() if sign.isalnum())
    return _SHIPS.replace(" ", "") in "".join(letters)


def show_shipped_model_card(run: RunFolder) -> None:
    """Draw a badge and a line (training data and AP) if the chosen network is a shipped model; limits in the tooltip.

    For any other run nothing is drawn, whatever its name and files contain (see `shipped_models.card_in`).
    """
    if card := shipped_models.card_in(run.path):
        badge = f":violet-badge[:material/inventory_2: {_SHIPS}]"
        st.markdown(
            f"{badge} :small[{shipped_models.card_in_short(card)}]", help=plain(f"{card['what']} {card['limits']}")
        )


@st.cache_resource(max_entries=1, show_spinner="Loading the network")
def network(checkpoint: str, changed: int) -> Any:
    """Return the network of a checkpoint, ready for inference. One network is cached for all pages.

    `changed` is the file's `stamp`. It is part of the cache key, so a checkpoint that was rewritten is loaded again.
    """
    from maskrcnn.model import load

    return load(checkpoint)
