"""Checkpoints of networks: writing them, finding the one that a user means, and building its network. With torch.

A checkpoint of the studio is a safetensors file whose metadata contain `format`, `config` and `epoch`, so the network
can be built from the file alone. The format contains tensors and text, and no code. (`runs.checkpoint_files` reads the
metadata without torch; `training.saved_state` has the state from which a training is resumed.)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from maskrcnn.atomic_files import replacing
from maskrcnn.config import Config
from maskrcnn.errors import StudioError
from maskrcnn.model.build import StudioRCNN, build
from maskrcnn.model.weights.tensor_checks import (
    StateDict,
    mismatch_summary,
    refuse_not_finite,
    tensor_mismatches,
)
from maskrcnn.model.weights.torchvision_files import (
    body_name,
    body_tensors,
    identify_detector,
    is_detector,
    read_state,
)
from maskrcnn.runs import shipped_models
from maskrcnn.runs.checkpoint_files import (
    FORMAT,
    TORCH_FILES,
    checkpoint_file,
    checkpoint_file_header,
    unreadable_checkpoint_file,
)


@dataclass(frozen=True)
class Checkpoint:
    """A file that contains a whole network.

    `path`: the file; `config`: the description of the network; `epoch`: the epoch after which the studio wrote it, None
    for a network of torchvision; `origin`: where it comes from, in a few words; `tensors`: those of the file, if it was
    read already, else None.
    """

    path: Path
    config: Config
    epoch: int | None
    origin: str
    tensors: StateDict | None = field(default=None, repr=False, compare=False)

    def state(self) -> StateDict:
        """The tensors, by their names in the state dict of the network. Raises `StudioError` if the file is damaged."""
        if self.tensors is not None:
            return self.tensors
        try:
            with safe_open(self.path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        except (SafetensorError, OSError) as error:
            raise unreadable_checkpoint_file(self.path, error) from None


def save(model: StudioRCNN, path: Path, epoch: int) -> None:
    """Write a checkpoint of a network after `epoch`, completely or not at all."""
    metadata = {"format": FORMAT, "config": model.config.model_dump_json(), "epoch": str(epoch)}
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    path.parent.mkdir(exist_ok=True)  # without `parents`: a run that was deleted meanwhile is not created again
    with replacing(path) as temporary:
        save_file(state, temporary, metadata=metadata)


def open_checkpoint(path: Path) -> Checkpoint:
    """The `Checkpoint` of a network in a `.safetensors` file, whose tensors are not read before `state()`.

    Raises as `checkpoint_file_header` does.
    """
    config, epoch = checkpoint_file_header(path)
    return Checkpoint(path, config, epoch, f"written after epoch {epoch}")


def find_checkpoint(model: Path | str) -> Checkpoint:
    """The `Checkpoint` of the network that a user means by `model`: a shipped model, a file, or a run folder.

    "toy" is a shipped model, "./toy" a folder of that name. Of a run it is the best checkpoint, or else the latest. A
    file is `.safetensors` (written by the studio) or `.pth` (a torchvision detector). Raises `ArgumentError` if there
    is no file, `StudioError` if it contains no whole network that is known.

    >>> find_checkpoint("toy").config.tasks
    ('box', 'mask')
    """
    path = checkpoint_file(model)
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


def load(model: Path | str, device: str | torch.device = "cpu") -> StudioRCNN:
    """The network of the checkpoint that `find_checkpoint` finds for `model`, in eval mode and in float32.

    It can be trained further; `inference.load` loads one for inference only.

    `model`: a shipped model ("toy"), a run folder, a checkpoint, or a `.pth` file of a torchvision detector. The
    `.config` of the network describes it.

    Raises as `find_checkpoint` does, and `StudioError` if the tensors do not fit the config or are not finite.

    >>> load("toy").training
    False
    """
    return network_of(find_checkpoint(model), device)


def network_of(checkpoint: Checkpoint, device: str | torch.device = "cpu") -> StudioRCNN:
    """The network of a checkpoint, in eval mode and in float32.

    Raises `StudioError` if the tensors do not fit the config or are not finite.
    """
    state = checkpoint.state()
    with torch.device("meta"):  # only shapes: the config of a damaged file may need more memory than there is
        expected = {name: tensor.shape for name, tensor in build(checkpoint.config).state_dict().items()}
    needed = {name: shape for name, shape in expected.items() if not name.endswith("num_batches_tracked")}
    extra = [name for name in state if name not in expected and not name.endswith("num_batches_tracked")]
    if problems := tensor_mismatches(needed, state, extra):
        raise StudioError(
            f"{checkpoint.path} does not fit its own description ({checkpoint.origin}): {mismatch_summary(problems)}; "
            "it was damaged or is of another kind, give another"
        )
    refuse_not_finite(state.items(), checkpoint.path)
    network = build(checkpoint.config)
    network.load_state_dict({**network.state_dict(), **{name: state[name] for name in expected if name in state}})
    return network.to(device).eval()
