"""Trained networks that pages look into. Torch is loaded when the first one is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import streamlit as st

from maskrcnn import shipped
from maskrcnn.studio.plain_text import plain
from maskrcnn.training.run_folder import RunFolder


def on_offer(runs: Iterable[RunFolder]) -> dict[str, RunFolder]:
    """The runs of a project by name, then the models that ship, but those of which it has a copy."""
    own = {run.name: run for run in runs}
    copied = {name for name, run in own.items() if shipped.card_in(run.path)}
    others = [name for name in shipped.names() if name not in copied]
    return own | {f"{name} (ships with the studio)": RunFolder(shipped.FOLDER / name) for name in others}


def show_card(run: RunFolder) -> None:
    """Of a model that ships a badge and a line: what it learned from and what it is worth; on hover what it cannot do.
    Of a run that somebody trained here, nothing."""
    if card := shipped.card_in(run.path):
        badge = ":violet-badge[:material/inventory_2: ships with the studio]"
        st.markdown(f"{badge} :small[{shipped.in_short(card)}]", help=plain(f"{card['what']} {card['limits']}"))


@st.cache_resource(max_entries=1, show_spinner="Loading the network")
def network(checkpoint: str, changed: int) -> Any:
    """The network of a checkpoint, ready for inference. One is kept for all pages. `changed` is the file's `stamp`."""
    from maskrcnn.model import load

    return load(checkpoint)


def stamp(file: Path) -> int:
    """What tells a file that was written again from the one before; 0 where there is none."""
    return file.stat().st_mtime_ns if file.is_file() else 0
