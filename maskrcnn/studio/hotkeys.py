"""The keys that choose a class while somebody draws."""

from __future__ import annotations

import string

from maskrcnn.annotations.store import ProjectClass

KEYS: tuple[str, ...] = tuple(key for key in "1234567890" + string.ascii_lowercase if key not in "cr")
"""Keys that a class can be given here; Streamlit keeps C and R for itself."""


def of(entry: ProjectClass) -> str | None:
    """The key of a class as `st.button` takes it; None where it has none that works in a browser."""
    return entry.hotkey if entry.hotkey in KEYS else None
