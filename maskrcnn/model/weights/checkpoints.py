"""Our own checkpoints, written and read.

A checkpoint is a safetensors file whose metadata hold `format`, the `config` and the `epoch`, so the network can
be built from the file alone. The format holds tensors and text, and no code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from maskrcnn.atomic_files import replacing
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model.build import StudioRCNN
from maskrcnn.runs.checkpoint_header import FORMAT, read_header, unreadable

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
            raise unreadable(self.path, error) from None


def save(model: StudioRCNN, path: Path, epoch: int) -> None:
    """Write a checkpoint, whole or not at all."""
    metadata = {"format": FORMAT, "config": model.config.model_dump_json(), "epoch": str(epoch)}
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    path.parent.mkdir(exist_ok=True)  # of a run that was deleted meanwhile, nothing is to come back
    with replacing(path) as temporary:
        save_file(state, temporary, metadata=metadata)


def open_checkpoint(path: Path) -> Checkpoint:
    """A `.safetensors` file by what it says of itself; its tensors stay on the disk until `state()`. Raises as
    `read_header`."""
    config, epoch = read_header(path)
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
