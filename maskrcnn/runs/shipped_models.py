"""The models that come with the studio: where they lie, what they are, what a page may know of them without torch.

`data/weights/NAME` is a run folder (see `runs/folder.py`) whose weights are in half precision, with a model
card beside them: `card.json`. `maskrcnn.toys.weights` makes them, and says what is in a card. Their
`dataset.json` names no training picture; its `drawn` says of which toy world they were, so that they can be drawn
again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NotRequired

from annotated_types import Len
from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict

from maskrcnn import foreign
from maskrcnn.config import MEASURES
from maskrcnn.errors import StudioError
from maskrcnn.install_folders import DATA
from maskrcnn.words import counted

FOLDER = DATA / "weights"
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

WEIGHTS = "best.safetensors"

Card = dict[str, Any]


class _Drawn(TypedDict):
    world: str
    pictures: int
    seed: int


@with_config(ConfigDict(extra="allow"))
class _Card(TypedDict):
    """What every card says; `finest` looks for what was measured. It may say more."""

    name: str
    what: str
    train: _Drawn
    test: _Drawn
    limits: str
    ap: NotRequired[dict[str, dict[str, float | None] | None]]
    intervals: NotRequired[dict[str, dict[str, Annotated[list[float], Len(2, 2)]] | None] | None]


_CARD: TypeAdapter[Any] = TypeAdapter(_Card)


def names() -> tuple[str, ...]:
    """The words that mean a model that ships, as MODEL and as `--init`; the default first."""
    found = sorted(path.parent.name for path in FOLDER.glob(f"*/{CARD}"))
    return tuple(sorted(found, key=lambda name: name != DEFAULT))


def folder(model: object) -> Path | None:
    """The run folder of a model that ships; None for whatever is no such word. A `Path` is none: it names a folder."""
    return FOLDER / model if isinstance(model, str) and model in names() else None


def card(model: object) -> Card | None:
    """The model card of a model that ships; None for whatever is no such word, and where the card is none."""
    found = folder(model)
    if found is None:
        return None
    try:
        return foreign.read_json(found / CARD, _CARD, found)
    except (StudioError, OSError):
        return None


def card_in(run: Path) -> Card | None:
    """The card of the model whose weights a run folder holds: one that ships, or a copy of it. None for all others.

    Any run can have a `card.json` and any name, so neither counts: the weights must be those that ship, byte for byte,
    and the words are those that ship.
    """
    weights = _file_in(run, WEIGHTS)
    if weights is None:
        return None
    for name in names():
        own = _file_in(FOLDER / name, WEIGHTS)
        # The size first: few other runs have it, so hardly a file is read.
        if own is not None and own.size == weights.size and own.hash() == weights.hash():
            return card(name)
    return None


class _File(NamedTuple):
    """A file as it is now; another content has another `changed`, `size` or `inode`."""

    path: Path
    size: int
    changed: int
    inode: int

    def hash(self) -> str | None:
        """SHA-256 of the content; None where it cannot be read."""
        return _hash(self)


def _file_in(folder: Path, name: str) -> _File | None:
    """A file of a folder; None where there is none, or where it is a link that leads out of the folder."""
    path = folder / name
    try:
        if not path.is_file() or not foreign.is_confined(path, [folder]):
            return None
        about = path.stat()
    except (OSError, ValueError):
        return None
    return _File(path, about.st_size, about.st_mtime_ns, about.st_ino)


@lru_cache(maxsize=256)
def _hash(file: _File) -> str | None:
    try:
        with file.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return None


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
    """`10,000 pictures of the toy world shapes, seed 1000`

    >>> world_words({"pictures": 10_000, "world": "shapes", "seed": 1000})
    '10,000 pictures of the toy world shapes, seed 1000'
    """
    return f"{counted(drawn['pictures'], 'picture')} of the toy world {drawn['world']}, seed {drawn['seed']}"


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
