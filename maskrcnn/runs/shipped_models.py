"""The models that ship with the studio: their folders, their model cards and texts about them. Does not import torch.

`data/weights/NAME` is a run folder (see `runs/folder.py`) with weights in half precision and a model card, `card.json`.
`maskrcnn.toys.weights` creates these folders and defines the content of a card. `dataset.json` does not contain the
training pictures; its `drawn` gives their toy world and seed, so that they can be drawn again.
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

from maskrcnn import untrusted_files
from maskrcnn.config import MEASURES, Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.install_folders import DATA
from maskrcnn.runs.folder import BEST, CONFIG, DATASET
from maskrcnn.words import counted

FOLDER = DATA / "weights"
CARD = "card.json"
DEFAULT = "toy"
"""The shipped model whose weights are the default initial weights, and which pages show if there is no trained run."""

DEFAULT_WITH_KEYPOINTS = "toy-people"
"""The default model for a network that predicts keypoints."""

FINE_TUNE: dict[str, Any] = {"norm": "frozen", "layers": "all"}
"""Default Config fields of a training that starts from a shipped model.

On photographs of balloons (46 for training, 15 for validation, four minutes) trained BatchNorm was not better: best
mask AP 0.47, with frozen BatchNorm 0.46. Frozen is the default, because it does not depend on the batch size."""

Card = dict[str, Any]


class _Drawn(TypedDict):
    world: str
    pictures: int
    seed: int


@with_config(ConfigDict(extra="allow"))
class _Card(TypedDict):
    """The fields of a model card; other fields are allowed. See `card_ap` for `ap` and `intervals`."""

    name: str
    what: str
    train: _Drawn
    test: _Drawn
    limits: str
    ap: NotRequired[dict[str, dict[str, float | None] | None]]
    intervals: NotRequired[dict[str, dict[str, Annotated[list[float], Len(2, 2)]] | None] | None]


_CARD: TypeAdapter[Any] = TypeAdapter(_Card)


def names() -> tuple[str, ...]:
    """The names of the shipped models, the default first."""
    found = sorted(path.parent.name for path in FOLDER.glob(f"*/{CARD}"))
    return tuple(sorted(found, key=lambda name: name != DEFAULT))


def folder(model: object) -> Path | None:
    """The run folder of the shipped model with the name `model`; None for any other value, also for a `Path`."""
    return FOLDER / model if isinstance(model, str) and model in names() else None


def card(model: object) -> Card | None:
    """The card of the shipped model with the name `model`; None for any other value, or if the card is invalid."""
    found = folder(model)
    if found is None:
        return None
    try:
        return untrusted_files.read_json(found / CARD, _CARD, found)
    except (StudioError, OSError):
        return None


def card_in(run: Path) -> Card | None:
    """The card of the shipped model whose weights are in the run folder `run`; None if it has other weights.

    The name and `card.json` of the run are not trusted. The weights are compared byte for byte with those of the
    shipped models, and the card is that of the shipped model.
    """
    weights = _weights_file(run)
    if weights is None:
        return None
    for name in names():
        own = _weights_file(FOLDER / name)
        # Compare the size first, so that few files must be hashed.
        if own is not None and own.size == weights.size and _weights_hash(own) == _weights_hash(weights):
            return card(name)
    return None


class _WeightsFile(NamedTuple):
    """The weights file of a run with its stat values; one of them changes (`changed` is in ns) if its content does."""

    path: Path
    size: int
    changed: int
    inode: int


def _weights_file(run: Path) -> _WeightsFile | None:
    """The weights file of a run, to be compared with those of the shipped models; None if it is missing or a link that
    leads out of the run folder."""
    path = run / BEST
    try:
        if not path.is_file() or not untrusted_files.is_confined(path, [run]):
            return None
        about = path.stat()
    except (OSError, ValueError):
        return None
    return _WeightsFile(path, about.st_size, about.st_mtime_ns, about.st_ino)


@lru_cache(maxsize=256)
def _weights_hash(file: _WeightsFile) -> str | None:
    """The SHA-256 of a weights file, to compare it with those of the shipped models; None if it cannot be read."""
    try:
        with file.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return None


def copy_into(runs: Path, model: str, pictures: Mapping[str, Path]) -> Path:
    """Copy a shipped model into a project's `runs` folder as a run. Returns the new run folder.

    `pictures` maps the file names of the project's pictures to their paths. For validation pictures among them, the
    copy stores a path relative to the run, so that the project can be moved; for others, the path of the shipped
    picture. Raises `KeyError` if there is no shipped model with this name.
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


# Texts


def toy_pictures_words(drawn: Mapping[str, Any]) -> str:
    """The toy pictures of a shipped model as text, from its card: their number, their world and their seed.

    >>> toy_pictures_words({"pictures": 10_000, "world": "shapes", "seed": 1000})
    '10,000 pictures of the toy world shapes, seed 1000'
    """
    return f"{counted(drawn['pictures'], 'picture')} of the toy world {drawn['world']}, seed {drawn['seed']}"


def card_ap(about: Card) -> tuple[str, float, tuple[float, float] | None] | None:
    """The most detailed AP of a card: its name ("mask AP"), its value and its 95 % interval (None if unknown).

    Masks come before keypoints before boxes. None if no AP was measured.
    """
    for measure, word in MEASURES.items():
        value = (about.get("ap", {}).get(measure) or {}).get("AP")
        if value is not None:
            edges = ((about.get("intervals") or {}).get(measure) or {}).get("AP")
            return f"{word} AP", value, tuple(edges) if edges else None
    return None


def card_ap_words(about: Card) -> str:
    """The `card_ap` AP as text: `mask AP 0.713 [0.690, 0.735] on 500 others`; empty if no AP was measured.

    "Others" are the test pictures, which the model was not trained on.
    """
    found = card_ap(about)
    if found is None:
        return ""
    word, value, edges = found
    interval = f" [{edges[0]:.3f}, {edges[1]:.3f}]" if edges else ""
    return f"{word} {value:.3f}{interval} on {about['test']['pictures']:,} others"


def card_in_short(about: Card) -> str:
    """A summary of a model in one line, from its card: its training pictures and its AP.

    `10,000 pictures of the toy world shapes, seed 1000  ·  mask AP 0.713 [0.690, 0.735] on 500 others`
    """
    return "  ·  ".join(filter(None, [toy_pictures_words(about["train"]), card_ap_words(about)]))


# Shipped models


def shipped_config(name: str) -> Config:
    """The Config of a shipped model. Raises `ArgumentError` if there is no shipped model of that name."""
    found = folder(name)
    if found is None:
        raise ArgumentError(f'no model "{name}" ships with the studio; there is {", ".join(names()) or "none"}')
    path = found / CONFIG
    return _shipped_config(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _shipped_config(path: Path, stamp: int) -> Config:
    """The Config of a shipped model, cached; `stamp`, the modification time, is part of the cache key."""
    return Config.parse(json.loads(path.read_text(encoding="utf-8")))
