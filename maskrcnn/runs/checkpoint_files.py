"""Checkpoint files: find those of a model or a run, and read the configuration and epoch in their header. No torch.

A checkpoint is a safetensors file whose metadata contain `format`, `config` and `epoch`. `model.weights` reads and
writes its tensors. A `.pth` file of torch has no such header.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from safetensors import SafetensorError, safe_open

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.runs import shipped_models
from maskrcnn.runs.folder import RunFolder

FORMAT = "mask-rcnn-studio/1"

TORCH_FILES = (".pth", ".pt")
"""Suffixes of files that only torch can read."""


def checkpoint_file(model: Path | str) -> Path:
    """The file with the weights of `model`: the name of a shipped model, a file, or a run folder.

    For a run folder it is the best checkpoint, or the latest if there is no best. "toy" is the shipped model; write
    "./toy" for a folder of that name. Raises `ArgumentError` if the file does not exist, `StudioError` for a run that
    has no checkpoint yet.
    """
    if ships := shipped_models.folder(model):
        return best_checkpoint_file(ships)
    path = Path(model)
    if path.is_dir():
        path = best_checkpoint_file(path)
    if not path.is_file():
        words = (
            f", or what ships with the studio: {', '.join(shipped_models.names())}" if shipped_models.names() else ""
        )
        raise ArgumentError(
            f"{path} does not exist; give a run folder, a .safetensors checkpoint or a .pth file{words}"
        )
    if path.suffix == ".zip":
        raise ArgumentError(
            f"{path} is a zip; if it is a model bundle, open it first: python -m maskrcnn open {path} --out RUN"
        )
    return path


def best_checkpoint_file(folder: Path) -> Path:
    """The file of the best checkpoint of a run folder, or of the latest if there is no best.

    Raises `ArgumentError` if the folder is no run, `StudioError` if it has no checkpoint.
    """
    run = RunFolder.open(folder)
    written = [run.best, *reversed(run.checkpoints().values())]
    for path in written:
        if path.is_file():
            return path
    if run.epochs():
        raise StudioError(
            f"{run.path} has no checkpoint any more (best.safetensors and those in checkpoints/ are gone); "
            "put one back, or give another run"
        )
    raise StudioError(f"{run.path} has no checkpoint yet; one is written after the first epoch")


def checkpoint_file_header(path: Path) -> tuple[Config, int]:
    """The configuration and the epoch in the header of a checkpoint file (`.safetensors`); tensors are not read.

    Raises `StudioError` if the file is truncated, is from another program or version, or its configuration is invalid.
    """
    if not path.stat().st_size:
        raise StudioError(f"{path} is empty; give another checkpoint")
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise unreadable_checkpoint_file(path, error) from None
    written_as = metadata.get("format", "")
    if written_as.startswith(FORMAT.partition("/")[0]) and written_as != FORMAT:
        raise StudioError(f"{path} is a checkpoint of another version ({written_as}); update Mask R-CNN Studio")
    if written_as != FORMAT:
        raise StudioError(
            f"{path} is a safetensors file of another program; give a run folder, the .safetensors file of one, or a "
            ".pth file of torchvision"
        )
    return _config_and_epoch_in_header(path, metadata)


def _config_and_epoch_in_header(path: Path, metadata: Mapping[str, str]) -> tuple[Config, int]:
    """The Config and the epoch in the header of a checkpoint file, from its `metadata`.

    Raises `StudioError` if they are invalid.
    """
    damaged = "; the file was damaged, give another"
    try:
        fields, epoch = json.loads(metadata["config"]), int(metadata["epoch"])
    except (KeyError, ValueError, RecursionError) as error:
        raise StudioError(f"{path}: its configuration is not readable ({type(error).__name__}){damaged}") from None
    if not isinstance(fields, dict):
        raise StudioError(f"{path}: its configuration holds no fields{damaged}")
    # `mask_shape` was a field of older versions; `Config.parse` handles it.
    if unknown := [name for name in fields if name not in {*Config.model_fields, "mask_shape"}]:
        raise StudioError(
            f'{path}: its configuration has a field "{unknown[0]}" that this version does not know; update Mask R-CNN '
            "Studio"
        )
    try:
        return Config.parse(fields), epoch
    except ArgumentError as error:
        raise StudioError(f"{path}: its configuration does not hold ({error}){damaged}") from None


def unreadable_checkpoint_file(path: Path, error: Exception) -> StudioError:
    """The `StudioError` for a checkpoint file whose header safetensors cannot read."""
    reason = str(error).removeprefix("Error while deserializing header: ")
    return StudioError(
        f"{path} cannot be read as a checkpoint of ours ({reason}): it was cut short, or is no safetensors file; give "
        "another"
    )


def checkpoints_by_epoch(run: RunFolder) -> dict[int, Path]:
    """Map each epoch that has a checkpoint to its file, in order of epoch.

    Includes the numbered checkpoints, and `best.safetensors` for the epoch in its header.
    """
    found = run.checkpoints()
    if run.best.is_file():
        about = run.best.stat()
        epoch = _epoch_in_header(run.best, about.st_mtime_ns, about.st_size)
        if epoch is not None:
            found.setdefault(epoch, run.best)
    return dict(sorted(found.items()))


@lru_cache(maxsize=200)
def _epoch_in_header(checkpoint: Path, modified: int, size: int) -> int | None:
    """The epoch in the header of a checkpoint; None if it cannot be read.

    `modified` (ns) and `size` (bytes) are part of the cache key, so that a changed file is read again.
    """
    try:
        return checkpoint_file_header(checkpoint)[1]
    except (StudioError, OSError):
        return None
