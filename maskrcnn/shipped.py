"""The models that come with the studio: where they lie, what they are, what a page may know of them without torch.

`data/weights/NAME` is a run folder (see `training/run_folder.py`) whose weights are in half precision, with a model
card beside them: `card.json`. `maskrcnn.toys.weights` makes them, and says what is in a card.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "data" / "weights"
CARD = "card.json"
DEFAULT = "toy"
"""What a network knows at the start where nobody chose, and what a page shows where nobody has trained."""


def names() -> tuple[str, ...]:
    """The words that mean a model that ships, as MODEL and as `--init`; the default first."""
    found = sorted(path.parent.name for path in FOLDER.glob(f"*/{CARD}"))
    return tuple(sorted(found, key=lambda name: name != DEFAULT))


def folder(model: object) -> Path | None:
    """The run folder of a model that ships; None for whatever is no such word."""
    name = str(model)
    return FOLDER / name if name in names() else None


def card(model: object) -> dict[str, Any] | None:
    """The model card of a model that ships; None for whatever is no such word."""
    found = folder(model)
    return json.loads((found / CARD).read_text(encoding="utf-8")) if found else None
