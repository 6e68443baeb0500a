"""The networks of the Try it page: any epoch with a checkpoint of a run of the project, or of a model that ships."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from maskrcnn import untrusted_files
from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.runs import shipped_models
from maskrcnn.runs.checkpoint_files import checkpoint_file_header, checkpoints_by_epoch
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.annotate.hints.networks import Network
from maskrcnn.studio.try_it.sets.tried_set import SetNetwork

_GONE = "is not there any more; give the pictures to another network"


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of a run: epoch -> file, and the epoch of the best one (the last, if none is marked as best)."""

    files: Mapping[int, Path]
    best: int


def checkpoints(run: RunFolder) -> Checkpoints | None:
    """The checkpoints of a run; None if it has none (yet)."""
    files = checkpoints_by_epoch(run)
    if not files:
        return None
    best = max(files)
    if run.best.is_file():
        try:
            best = checkpoint_file_header(run.best)[1]
            files[best] = run.best  # the same weights as in the numbered file; the editor loads this one
        except (StudioError, OSError):
            best = max(files)
    return Checkpoints(dict(sorted(files.items())), best)


def network_at(run: RunFolder, epoch: int) -> tuple[SetNetwork, Config]:
    """The network of a run at an epoch, and its Config.

    Raises `StudioError` if the run has no checkpoint of that epoch, or it cannot be read.
    """
    known = checkpoints(run)
    if known is None:
        raise StudioError(f"{run.name} has no checkpoint yet; one is written after the first epoch")
    if epoch not in known.files:
        raise StudioError(f"{run.name} keeps no checkpoint of epoch {epoch}; choose another epoch")
    file = known.files[epoch]
    try:
        config, _ = checkpoint_file_header(file)
        about = file.stat()
    except OSError:
        raise StudioError(f"{run.name}, epoch {epoch}: {_GONE}") from None
    kind = "shipped" if run.path.parent == shipped_models.FOLDER else "run"
    best = epoch == known.best
    key = f"{kind}/{run.name}"
    return SetNetwork(key, run.name, epoch, about.st_mtime_ns, about.st_size, best), config


def network_of(project: Project | None, asked: SetNetwork) -> Network:
    """The network of a set, to be loaded by `hints.networks.in_use`.

    Raises `StudioError` if its run or its checkpoint is gone, or is another one by now.
    """
    kind, _, name = asked.key.partition("/")
    if kind == "shipped":
        folder = shipped_models.folder(name)
    else:
        sound = project is not None and untrusted_files.is_file_name(name)
        folder = project.runs_folder / name if project is not None and sound else None
    if folder is None or not folder.is_dir():
        raise StudioError(f"{asked.name}: {_GONE}")
    known = checkpoints(RunFolder.open(folder))
    file = None if known is None or asked.epoch is None else known.files.get(asked.epoch)
    if file is None:
        raise StudioError(f"{asked.name}, epoch {asked.epoch}: {_GONE}")
    config, _ = checkpoint_file_header(file)
    about = file.stat()
    chosen: Literal["run", "shipped"] = "shipped" if kind == "shipped" else "run"
    stamp = about.st_mtime_ns, about.st_size
    return Network(suggestion_key(asked), asked.name, chosen, config.names, "mask" in config.tasks, file, stamp)


def suggestion_key(network: SetNetwork) -> str:
    """The name by which the project keeps what a network suggests: that of the editor for a run's best checkpoint."""
    return network.key if network.is_best else f"{network.key}, epoch {network.epoch}"
