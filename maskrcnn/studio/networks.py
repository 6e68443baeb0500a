"""Trained networks that pages look into. Torch is loaded when the first one is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st


@st.cache_resource(max_entries=1, show_spinner="Loading the network")
def network(checkpoint: str, changed: int) -> Any:
    """The network of a checkpoint, ready for inference. One is kept for all pages. `changed` is the file's `stamp`."""
    from maskrcnn.model import load

    return load(checkpoint)


def stamp(file: Path) -> int:
    """What tells a file that was written again from the one before; 0 where there is none."""
    return file.stat().st_mtime_ns if file.is_file() else 0
