"""What stops a training, in words that name the cause and the mend."""

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
from maskrcnn.training.distributed import Team
from maskrcnn.training.loader import Batch
from maskrcnn.training.validation import losses


def not_finite(values: Mapping[str, float]) -> list[str]:
    """The names of the losses that are NaN or infinite."""
    return [name for name, value in values.items() if not math.isfinite(value)]


def require_finite(
    values: Mapping[str, float], model: StudioRCNN, batch: Batch, epoch: int, step: int, team: Team
) -> None:
    """Raise `StudioError`, which names the pictures, where a loss or the gradient norm of a step is not finite.

    `values` are equal in all processes of the team, so all of them raise, or none.
    """
    if not_finite(values):
        at_fault = team.gather(pictures_at_fault(model, batch))
        raise diverged(values, epoch, step, team.gather(batch.names), at_fault)


@torch.no_grad()
def pictures_at_fault(model: StudioRCNN, batch: Batch) -> list[str]:
    """Which pictures of the batch, each taken alone, give a loss that is not finite."""
    return [
        name
        for sample, seed, name in zip(batch.samples, batch.seeds, batch.names, strict=True)
        if not_finite({part: value.item() for part, value in losses(model, [sample], [seed]).items()})
    ]


def diverged(values: Mapping[str, float], epoch: int, step: int, names: list[str], alone: list[str]) -> StudioError:
    """The error of a step whose losses or gradient `values` are not finite, learned from the pictures `names`, of which
    `alone` give such a loss by themselves."""
    bad = not_finite(values)[0]
    pictures = ", ".join(alone or names)
    whose = "picture" if len(alone or names) == 1 else "pictures"
    return StudioError(
        f"{bad} is {values[bad]} at epoch {epoch}, step {step}, {whose} {pictures}; the last good weights are kept. "
        f"Try a learning_rate ten times lower{', and look at the labels of that picture' if len(alone) == 1 else ''}"
    )


@contextmanager
def words_for_memory(config: Config) -> Iterator[None]:
    """Turn what torch says where memory is out into which setting to lower."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        # torch has no class of its own for the processor's memory.
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
def words_for_disk(run: Path) -> Iterator[None]:
    """Turn what the system says where a disk is full, or the run folder `run` is gone, into what to do about it."""
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
    """Whether that is what an error came from. torch and safetensors have words of their own for it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            return True
        if "No space left on device" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
