"""The models that come with the studio: where they lie, what they are, what a page may know of them without torch.

`data/weights/NAME` is a run folder (see `training/run_folder.py`) whose weights are in half precision, with a model
card beside them: `card.json`. `maskrcnn.toys.weights` makes them, and says what is in a card. Their `dataset.json`
names no training picture; its `drawn` says of which toy world they were, so that they can be drawn again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskrcnn.config import MEASURES

FOLDER = Path(__file__).resolve().parent.parent / "data" / "weights"
CARD = "card.json"
DATASET = "dataset.json"
DEFAULT = "toy"
"""What a network knows at the start where nobody chose, and what a page shows where nobody has trained."""

DEFAULT_WITH_KEYPOINTS = "toy-people"
"""The same for a network that finds keypoints."""

FINE_TUNE: dict[str, Any] = {"norm": "frozen", "layers": "all"}
"""Fields of the Config of a training that starts from a model that ships, where a person did not choose them.

On photographs of balloons (46 to learn from, 15 others, four minutes) BatchNorm that learns was no better: best mask AP
0.47, frozen 0.46. Frozen it is, which does not depend on the size of a batch."""

_NEEDED = {"name", "what", "train", "test", "limits"}
"""Without these a `card.json` is somebody else's."""

Card = dict[str, Any]


def names() -> tuple[str, ...]:
    """The words that mean a model that ships, as MODEL and as `--init`; the default first."""
    found = sorted(path.parent.name for path in FOLDER.glob(f"*/{CARD}"))
    return tuple(sorted(found, key=lambda name: name != DEFAULT))


def folder(model: object) -> Path | None:
    """The run folder of a model that ships; None for whatever is no such word. A `Path` is none: it names a folder."""
    return FOLDER / model if isinstance(model, str) and model in names() else None


def card(model: object) -> Card | None:
    """The model card of a model that ships; None for whatever is no such word."""
    found = folder(model)
    return card_in(found) if found else None


def card_in(run: Path) -> Card | None:
    """The card in a run folder that ships, or was copied from one; None for a run that somebody trained here."""
    try:
        found = json.loads((run / CARD).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) and found.keys() >= _NEEDED else None


def copy_into(runs: Path, model: str, pictures: Mapping[str, Path]) -> Path:
    """Copy a model that ships into the folder of a project's runs, as one of them; its new folder.

    `pictures` are the project's own by file name. Validation pictures that are among them are named by a path relative
    to the run, so that the project can be moved as a whole; others stay where they ship. Raises `KeyError` where no
    model of that name ships.
    """
    source = folder(model)
    if source is None:
        raise KeyError(model)
    target = runs / model
    shutil.copytree(source, target)
    labels = json.loads((source / DATASET).read_text(encoding="utf-8"))
    for image in (labels["val"] or {"images": ()})["images"]:
        own = pictures.get(image["file_name"])
        image["path"] = os.path.relpath(own, target) if own else str((source / image["path"]).resolve())
    (target / DATASET).write_text(json.dumps(labels), encoding="utf-8")
    return target


# Words


def world_words(drawn: Mapping[str, Any]) -> str:
    """`10,000 pictures of the toy world shapes, seed 1000`"""
    return f"{drawn['pictures']:,} pictures of the toy world {drawn['world']}, seed {drawn['seed']}"


def finest(about: Card) -> tuple[str, float, tuple[float, float] | None] | None:
    """What the finest measure of a card is called ("mask AP"), its AP, and the 95 % interval of it where there is one;
    None where nothing was measured."""
    for measure, word in MEASURES.items():
        value = (about.get("ap", {}).get(measure) or {}).get("AP")
        if value is not None:
            edges = ((about.get("intervals") or {}).get(measure) or {}).get("AP")
            return f"{word} AP", value, tuple(edges) if edges else None
    return None


def ap_words(about: Card) -> str:
    """`mask AP 0.713 [0.690, 0.735] on 500 others`, empty where nothing was measured."""
    found = finest(about)
    if found is None:
        return ""
    word, value, edges = found
    interval = f" [{edges[0]:.3f}, {edges[1]:.3f}]" if edges else ""
    return f"{word} {value:.3f}{interval} on {about['test']['pictures']:,} others"


def in_short(about: Card) -> str:
    """`10,000 pictures of the toy world shapes, seed 1000  ·  mask AP 0.713 [0.690, 0.735] on 500 others`"""
    return "  ·  ".join(filter(None, [world_words(about["train"]), ap_words(about)]))
