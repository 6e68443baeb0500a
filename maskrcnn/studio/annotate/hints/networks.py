"""The networks that give hints for a project: its runs, and the models that ship with the studio.

A network is loaded when it is first used, and one request at a time uses it. torch is imported only then.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from maskrcnn.runs import shipped_models
from maskrcnn.runs.checkpoint_files import best_checkpoint_file, checkpoint_file_header
from maskrcnn.runs.project_runs import runs_in
from maskrcnn.studio.annotate.hints.jobs import Job

if TYPE_CHECKING:
    from maskrcnn.inference.prompted_masks import PictureMaps
    from maskrcnn.model.build import StudioRCNN

_LOADED = 2
"""Maximum number of networks in memory. The least recently used one is dropped."""

_MAPS_BYTES = 200_000_000
"""Maximum bytes of the maps that a network keeps, in addition to those of the last picture."""


@dataclass(frozen=True)
class Network:
    """A network that can give hints.

    `key` names it in requests: "run/NAME" or "shipped/NAME". `file` is its checkpoint, in the state of `stamp`.
    """

    key: str
    name: str
    kind: Literal["run", "shipped"]
    classes: tuple[str, ...]
    finds_masks: bool
    file: Path
    stamp: tuple[int, int]

    @property
    def state(self) -> str:
        """The stamp as a text, by which the project knows whose suggestions it keeps."""
        return f"{self.stamp[0]}-{self.stamp[1]}"


def networks_of(project: Project) -> list[Network]:
    """Return the networks that a project can use, the best choice first.

    First its own runs, the newest first; a copy of a shipped model is none. Then the models that ship. A network
    without a checkpoint, or with one that cannot be read, is left out.
    """
    found = []
    for run in runs_in(project.runs_folder):
        if shipped_models.card_in(run.path) is None and (own := _network(run.path, run.name, "run")) is not None:
            found.append(own)
    for name in shipped_models.names():
        if (shipped := _network(shipped_models.FOLDER / name, name, "shipped")) is not None:
            found.append(shipped)
    return found


def network(project: Project, key: str) -> Network:
    """Return the network with a key. Raises `StudioError` if the project has no such network (any more)."""
    for found in networks_of(project):
        if found.key == key:
            return found
    raise StudioError("this network is gone or has no checkpoint yet; choose another one")


def title_of(key: str) -> str:
    """Return how a network is called on pages, from its key; a name that is no key stays.

    >>> title_of("run/balloon-0012"), title_of("shipped/toy"), title_of("my network")
    ('balloon-0012', 'toy (ships with the studio)', 'my network')
    """
    kind, _, name = key.partition("/")
    if name and kind == "shipped":
        return f"{name} (ships with the studio)"
    return name if name and kind == "run" else key


def _network(folder: Path, name: str, kind: Literal["run", "shipped"]) -> Network | None:
    with suppress(StudioError, OSError):
        file = best_checkpoint_file(folder)
        config, _ = checkpoint_file_header(file)
        about = file.stat()
        stamp = about.st_mtime_ns, about.st_size
        return Network(f"{kind}/{name}", name, kind, config.names, "mask" in config.tasks, file, stamp)
    return None


class LoadedNetwork:
    """A network in memory, with the maps of the last pictures."""

    def __init__(self, model: StudioRCNN) -> None:
        self.model = model
        self._maps: OrderedDict[object, PictureMaps] = OrderedDict()

    def maps(self, identity: object, picture: np.ndarray) -> PictureMaps:
        """Return the maps of a picture, computed once. `identity` names the picture and its state."""
        from maskrcnn.inference.prompted_masks import picture_maps

        if identity not in self._maps:
            self._maps[identity] = picture_maps(self.model, picture)
            while len(self._maps) > 1 and sum(kept.nbytes for kept in self._maps.values()) > _MAPS_BYTES:
                self._maps.popitem(last=False)
        self._maps.move_to_end(identity)
        return self._maps[identity]


_loaded: OrderedDict[tuple[Path, tuple[int, int]], LoadedNetwork] = OrderedDict()
_locks: dict[Path, threading.Lock] = {}
_guard = threading.Lock()


@contextmanager
def in_use(chosen: Network, job: Job) -> Iterator[LoadedNetwork]:
    """Load a network if needed, and keep it for one job at a time.

    Raises `HintStopped` if the job is stopped while it waits, and `StudioError` if the network cannot be loaded.
    """
    with _guard:
        lock = _locks.setdefault(chosen.file, threading.Lock())
    job.begin("waiting for the network")
    while not lock.acquire(timeout=0.1):
        job.begin("waiting for the network")
    try:
        identity = chosen.file, chosen.stamp
        with _guard:
            network = _loaded.get(identity)
        if network is None:
            job.begin(f"loading {chosen.name}")
            network = _load(chosen)
            with _guard:
                for other in [other for other in _loaded if other[0] == chosen.file]:  # of an earlier epoch
                    del _loaded[other]
                _loaded[identity] = network
                while len(_loaded) > _LOADED:
                    _loaded.popitem(last=False)
        with _guard:
            if identity in _loaded:
                _loaded.move_to_end(identity)
        yield network
    finally:
        lock.release()


def _load(chosen: Network) -> LoadedNetwork:
    """Load a network for inference, on the CPU: a training may be using the graphics card."""
    from maskrcnn.inference import load

    return LoadedNetwork(load(chosen.file, device="cpu"))
