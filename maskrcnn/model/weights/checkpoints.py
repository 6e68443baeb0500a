"""Our own checkpoints, written and read.

A checkpoint is a safetensors file whose metadata hold `format`, the `config` and the `epoch`, so the network can
be built from the file alone. The format holds tensors and text, and no code.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from maskrcnn.atomic_files import replacing
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.weights.tensor_checks import StateDict
from maskrcnn.model.weights.torchvision_files import (
    body_name,
    body_tensors,
    identify_detector,
    is_detector,
    read_state,
)
from maskrcnn.runs import shipped_models
from maskrcnn.runs.checkpoint_header import FORMAT, TORCH_FILES, read_header, unreadable, weights_file


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
    read: StateDict | None = field(default=None, repr=False, compare=False)

    def state(self) -> StateDict:
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


def find_checkpoint(model: Path | str) -> Checkpoint:
    """The checkpoint that MODEL means: a model that ships, by its name ("toy"; a folder of that name is "./toy"), a
    file, or the best (else the latest) one of a run folder.

    A file is `.safetensors`, one of ours, or `.pth`, a detector of torchvision. Raises `ArgumentError` where there is
    none, `StudioError` where the file holds no whole network that we know.

    >>> find_checkpoint("toy").config.tasks
    ('box', 'mask')
    """
    path = weights_file(model)
    if path.suffix not in TORCH_FILES:
        found = open_checkpoint(path)
        ships = shipped_models.folder(model) is not None
        return replace(found, origin=f"ships with the studio, {found.origin}") if ships else found
    state = read_state(path)
    if not is_detector(state):
        body = body_name(body_tensors(state))
        raise StudioError(
            f"{path} holds a {body} without a detector; train one from it with --backbone-weights {path}"
            if body
            else f"{path} holds no detector of torchvision; give a run folder, a checkpoint or such a detector"
        )
    config, origin = identify_detector(state, path)
    return Checkpoint(path, config, None, origin, state)
