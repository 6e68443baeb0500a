"""Our own checkpoints, out and in.

A checkpoint is a safetensors file whose metadata hold `format`, the `config` and the `epoch`, so a file is enough to
build the network again. The format can hold tensors and text, and no code.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from maskrcnn.atomic_files import replacing
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.model.build import StudioRCNN
from maskrcnn.runs.folder import RunFolder

FORMAT = "mask-rcnn-studio/1"

State = dict[str, Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """A file that holds a whole network.

    `path`: where it is; `config`: what it was built from; `epoch`: after which one of ours it was written, None for a
    network that was trained elsewhere; `origin`: where it comes from, in a few words.
    """

    path: Path
    config: Config
    epoch: int | None
    origin: str
    read: State | None = field(default=None, repr=False, compare=False)

    def state(self) -> State:
        """Its tensors, by the names of the network's state dict."""
        if self.read is not None:
            return self.read
        try:
            with safe_open(self.path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        except (SafetensorError, OSError) as error:
            raise _unreadable(self.path, error) from None


def save(model: StudioRCNN, path: Path, epoch: int) -> None:
    """Write a checkpoint, whole or not at all."""
    metadata = {"format": FORMAT, "config": model.config.model_dump_json(), "epoch": str(epoch)}
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    path.parent.mkdir(exist_ok=True)  # of a run that was deleted meanwhile, nothing is to come back
    with replacing(path) as temporary:
        save_file(state, temporary, metadata=metadata)


def checkpoint_of_run(folder: Path) -> Path:
    """The best checkpoint of a run folder, else the latest. Raises `ArgumentError` for no run, `StudioError` for none
    yet."""
    run = RunFolder.open(folder)
    written = [run.best, *reversed(run.checkpoints().values())]
    for path in written:
        if path.is_file():
            return path
    raise StudioError(f"{run.path} has no checkpoint yet; one is written after the first epoch")


def open_checkpoint(path: Path) -> Checkpoint:
    """Read what a `.safetensors` file says of itself; its tensors stay on the disk until `state()`.

    Raises `StudioError` where it is not ours, was cut short, or has a configuration that we cannot read.
    """
    if not path.stat().st_size:
        raise StudioError(f"{path} is empty; give another checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None
    written_as = metadata.get("format", "")
    if written_as.startswith(FORMAT.partition("/")[0]) and written_as != FORMAT:
        raise StudioError(f"{path} is a checkpoint of another version ({written_as}); update Mask R-CNN Studio")
    if written_as != FORMAT:
        raise StudioError(
            f"{path} is a safetensors file of another program; give a run folder, the .safetensors file of one, or a "
            ".pth file of torchvision"
        )
    config, epoch = _described(path, metadata)
    return Checkpoint(path, config, epoch, f"written after epoch {epoch}")


def refuse_not_finite(tensors: Iterable[tuple[str, Tensor]], source: object) -> None:
    """`StudioError` naming the first tensor of `source` with a value that is NaN or infinite."""
    for name, tensor in tensors:
        # A sum is thirty times faster to take and finite only if all of it is; huge values may overflow it.
        if tensor.is_floating_point() and not math.isfinite(tensor.sum()) and not torch.isfinite(tensor).all():
            raise StudioError(
                f'{source} is of no use: its tensor "{name}" has values that are NaN or infinite; give another '
                "(of a training that diverged, an earlier checkpoint)"
            )


def _described(path: Path, metadata: Mapping[str, str]) -> tuple[Config, int]:
    """Config and epoch in the metadata of a checkpoint."""
    damaged = "; the file was damaged, give another"
    try:
        fields, epoch = json.loads(metadata["config"]), int(metadata["epoch"])
    except (KeyError, ValueError, RecursionError) as error:
        raise StudioError(f"{path}: its configuration is not readable ({type(error).__name__}){damaged}") from None
    if not isinstance(fields, dict):
        raise StudioError(f"{path}: its configuration holds no fields{damaged}")
    # `mask_shape` was a field once; `Config.parse` knows.
    if unknown := [name for name in fields if name not in {*Config.model_fields, "mask_shape"}]:
        raise StudioError(
            f'{path}: its configuration has a field "{unknown[0]}" that this version does not know; update Mask R-CNN '
            "Studio"
        )
    try:
        return Config.parse(fields), epoch
    except ArgumentError as error:
        raise StudioError(f"{path}: its configuration does not hold ({error}){damaged}") from None


def _unreadable(path: Path, error: Exception) -> StudioError:
    reason = str(error).removeprefix("Error while deserializing header: ")
    return StudioError(
        f"{path} cannot be read as a checkpoint of ours ({reason}): it was cut short, or is no safetensors file; give "
        "another"
    )
