"""Which weights are exported: the file, and the run that it belongs to. No torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.runs import shipped_models
from maskrcnn.runs.checkpoint_files import checkpoint_file, checkpoints_by_epoch
from maskrcnn.runs.folder import RunFolder

Step = Callable[[float, str], object]
"""A callback `step(share, words)`: the share in [0, 1] of an export that is done, and what is done next."""


def no_step(_share: float, _words: str) -> None:
    """A `Step` that shows nothing."""


@dataclass(frozen=True)
class ExportSource:
    """The weights `file` to export and its `run`, None if the file was named alone. `name` is for file names."""

    file: Path
    run: RunFolder | None
    name: str


def export_source(model: Path | str, epoch: int | None = None) -> ExportSource:
    """The weights to export of `model`: a run folder, a model that ships with the studio, or a file with weights.

    Of a run it is the checkpoint of `epoch`, by default the best one. Raises `ArgumentError` if there is no such model
    or epoch, and `StudioError` if the best checkpoint is gone; both name the epochs that are left.

    >>> export_source("toy").file.name
    'best.safetensors'
    """
    folder = shipped_models.folder(model) or (Path(model) if Path(model).is_dir() else None)
    if folder is None:
        file = checkpoint_file(model)
        if epoch is not None:
            raise ArgumentError(f"--epoch {epoch}: {file} is one file of weights; give the run folder, or no --epoch")
        return ExportSource(file, None, file.stem)
    run = RunFolder.open(folder)
    return ExportSource(weights_of_epoch(run, epoch), run, run.name)


def weights_of_epoch(run: RunFolder, epoch: int | None = None) -> Path:
    """The weights file of a run after `epoch`; with None, of its best epoch. Raises as `export_source` does."""
    left = checkpoints_by_epoch(run)
    if epoch is None and run.has(run.best.name):
        return run.best
    if epoch is not None and epoch in left:
        return left[epoch]
    if not left:
        raise StudioError(f"{run.path} has no checkpoint; one is written after the first epoch of a training")
    words = f"epoch{'s' * (len(left) > 1)} {', '.join(map(str, left))} {'are' if len(left) > 1 else 'is'} left"
    if epoch is None:
        raise StudioError(f"{run.path}: its best checkpoint is gone; {words}, choose with --epoch {max(left)}")
    raise ArgumentError(f"--epoch {epoch}: {run.path} has no checkpoint of it; {words}")
