"""Errors that end a training (loss not finite, memory or disk full), as messages with the cause and advice."""

from __future__ import annotations

import errno
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch

from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model.build import StudioRCNN
from maskrcnn.training.batch_loader import Batch
from maskrcnn.training.distributed import Team
from maskrcnn.training.losses import batch_losses


def not_finite(values: Mapping[str, float]) -> list[str]:
    """The names of the losses that are NaN or infinite.

    >>> not_finite({"mrcnn_mask_loss": float("nan"), "rpn_class_loss": 0.5})
    ['mrcnn_mask_loss']
    """
    return [name for name, value in values.items() if not math.isfinite(value)]


def require_finite(
    values: Mapping[str, float], model: StudioRCNN, batch: Batch, epoch: int, step: int, team: Team
) -> None:
    """Raise `StudioError` with the names of the pictures if a loss or the gradient norm of a step is not finite.

    `values` are the same in all processes of the team, so either all of them raise or none does.
    """
    if not_finite(values):
        at_fault = team.gather(pictures_with_error(model, batch))
        raise diverged(values, epoch, step, team.gather(batch.names), at_fault)


@torch.no_grad()
def pictures_with_error(model: StudioRCNN, batch: Batch) -> list[str]:
    """For the error message: file names of the pictures whose loss is also not finite in a batch of their own."""
    return [
        name
        for sample, seed, name in zip(batch.samples, batch.seeds, batch.names, strict=True)
        if not_finite({part: value.item() for part, value in batch_losses(model, [sample], [seed]).items()})
    ]


def diverged(values: Mapping[str, float], epoch: int, step: int, names: list[str], alone: list[str]) -> StudioError:
    """The error for a step on the pictures `names` with `values` (losses and gradient norm) that are not finite.

    `alone` are the pictures whose loss is also not finite in a batch of their own (`pictures_with_error`).
    """
    bad = not_finite(values)[0]
    pictures = ", ".join(alone or names)
    whose = "picture" if len(alone or names) == 1 else "pictures"
    return StudioError(
        f"{bad} is {values[bad]} at epoch {epoch}, step {step}, {whose} {pictures}; the last good weights are kept. "
        f"Try a learning_rate ten times lower{', and look at the labels of that picture' if len(alone) == 1 else ''}"
    )


@contextmanager
def memory_errors_explained(config: Config) -> Iterator[None]:
    """A context in which an out-of-memory error of torch becomes a `StudioError` that names settings to reduce."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        # torch raises a plain RuntimeError if the memory of the CPU is full.
        known = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not known and not any(words in str(error) for words in ("not enough memory", "can't allocate memory")):
            raise
        if config.batch_size > 1:
            mend = f"batch_size (now {config.batch_size})"
        else:
            mend = f"image_max_dim (now {config.image_max_dim}) and image_min_dim (now {config.image_min_dim})"
        raise StudioError(
            f"there is not enough memory for this training; lower {mend}, then train_rois_per_image (now "
            f"{config.train_rois_per_image}), or take a smaller backbone"
        ) from error


@contextmanager
def disk_errors_explained(run: Path) -> Iterator[None]:
    """A context in which the error of a full disk, or of a deleted run folder, becomes a `StudioError` with advice."""
    try:
        yield
    except Exception as error:
        if isinstance(error, FileNotFoundError) and not run.is_dir():
            raise StudioError(f"{run} was deleted while it trained, so the training ends; start it anew") from error
        if not disk_is_full(error):
            raise
        raise StudioError(
            f"the disk of {run} is full; make room there and go on with: train --resume --out {run}"
        ) from error


def disk_is_full(error: BaseException | None) -> bool:
    """Whether a full disk caused this error. torch and safetensors raise errors of their own types for it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        if "No space left on device" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
