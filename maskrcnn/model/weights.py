"""Weights in and out: our checkpoints, a body trained elsewhere, a whole detector trained elsewhere.

Our checkpoints are safetensors files whose metadata hold `format`, the `config` and the `epoch`, so a file is enough to
build the network again. Files of others are torch state dicts (`.pth`), read with `weights_only=True`, which runs no
code.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torchvision.models import get_model_weights

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.model.backbones import body_of, imagenet_state
from maskrcnn.model.build import StudioMaskRCNN, build
from maskrcnn.training.run_folder import RunFolder

FORMAT = "mask-rcnn-studio/1"

CLASS_LAYERS = (
    "roi_heads.box_predictor.cls_score",
    "roi_heads.box_predictor.bbox_pred",
    "roi_heads.mask_predictor.mask_fcn_logits",
)
"""The last layers, whose size depends on the classes; they start afresh when the classes differ."""

State = dict[str, Tensor]


def save(model: StudioMaskRCNN, path: Path, epoch: int) -> None:
    """Write a checkpoint, whole or not at all."""
    metadata = {"format": FORMAT, "config": model.config.model_dump_json(), "epoch": str(epoch)}
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    save_file(state, temporary, metadata=metadata)
    os.replace(temporary, path)


@dataclass(frozen=True)
class Checkpoint:
    """A file of ours, opened: where it is, what it was built from and after which epoch it was written."""

    path: Path
    config: Config
    epoch: int

    def state(self) -> State:
        with safe_open(self.path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)


def find_checkpoint(model: Path | str) -> Checkpoint:
    """The checkpoint that MODEL means: a file, or the best (else the latest) one of a run folder.

    Raises `ArgumentError` where there is none, `StudioError` where the file is not one of ours.
    """
    path = Path(model)
    if path.is_dir():
        run = RunFolder.open(path)
        written = [run.best, *reversed(run.checkpoints().values())]
        path = next((file for file in written if file.is_file()), run.best)
        if not path.is_file():
            raise StudioError(f"{run.path} has no checkpoint yet; one is written after the first epoch")
    if not path.is_file():
        raise ArgumentError(f"{path} does not exist; give a run folder or a .safetensors checkpoint")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError):
        metadata = {}
    if metadata.get("format") != FORMAT:
        raise StudioError(
            f"{path} is not a checkpoint of Mask R-CNN Studio; give a run folder or the .safetensors file of one"
        )
    return Checkpoint(path, Config.parse(json.loads(metadata["config"])), int(metadata["epoch"]))


def load(model: Path | str, device: str | torch.device = "cpu") -> StudioMaskRCNN:
    """The trained network of a run folder or a checkpoint, in eval mode; its `.config` says how it was built."""
    checkpoint = find_checkpoint(model)
    network = build(checkpoint.config)
    try:
        network.load_state_dict(checkpoint.state())
    except RuntimeError:
        raise StudioError(
            f"{checkpoint.path} does not fit its own configuration; it was damaged, use another"
        ) from None
    return network.to(device).eval()


def load_body(model: StudioMaskRCNN, source: Path | str) -> None:
    """Fill the body from "imagenet" (downloaded by torchvision) or from a state dict file with torchvision's key names.

    Raises `StudioError` where the file does not hold that body.
    """
    backbone = model.config.backbone
    body = body_of(backbone)
    if str(source) == "imagenet":
        state = _downloaded(lambda: imagenet_state(backbone), f"ImageNet weights of {body.network}")
    else:
        state = read_state(Path(source))
    prefix = f"{body.children}." if body.children else ""
    wanted = model.backbone.body.state_dict()
    given = {name: state[prefix + name] for name in wanted if prefix + name in state}
    problems = [
        name
        for name, tensor in wanted.items()
        if not name.endswith("num_batches_tracked") and (name not in given or given[name].shape != tensor.shape)
    ]
    if problems:
        raise StudioError(
            f"{source} does not hold a {body.network} body: {len(problems)} of {len(wanted)} tensors are missing or of "
            f'another shape (first "{prefix}{problems[0]}"); give weights of {body.network} or another --backbone'
        )
    model.backbone.body.load_state_dict({**wanted, **given})


@dataclass(frozen=True)
class Transfer:
    """What `initialise` took over: tensors loaded, and those left at random because the classes differ."""

    loaded: int
    fresh: tuple[str, ...]


def initialise(model: StudioMaskRCNN, source: Path | str) -> Transfer:
    """Fill the whole network from "coco" (torchvision's checkpoint), a checkpoint or run of ours, or a state dict file.

    The last layers start afresh when the classes differ. Everything else must fit: `StudioError` names what does not.
    """
    config = model.config
    if str(source) == "coco":
        weights = get_model_weights("maskrcnn_resnet50_fpn")["COCO_V1"]
        state = _downloaded(lambda: dict(weights.get_state_dict(progress=False, check_hash=True)), "COCO weights")
        same_classes = tuple(weights.meta["categories"][1:]) == config.class_names
    elif Path(source).suffix in (".pth", ".pt"):
        state, same_classes = read_state(Path(source)), False
    else:
        checkpoint = find_checkpoint(source)
        state, same_classes = checkpoint.state(), checkpoint.config.class_names == config.class_names
    wanted = model.state_dict()
    fresh = tuple(name for name in wanted if not same_classes and name.startswith(CLASS_LAYERS))
    needed = [name for name in wanted if name not in fresh and not name.endswith("num_batches_tracked")]
    problems = [name for name in needed if name not in state or state[name].shape != wanted[name].shape]
    if problems:
        raise StudioError(
            f"{source} does not fit this network: {len(problems)} of {len(needed)} tensors are missing or of another "
            f'shape (first "{problems[0]}"); choose the preset and backbone that it was trained with'
        )
    model.load_state_dict({**wanted, **{name: state[name] for name in needed}})
    return Transfer(len(needed), fresh)


def read_state(path: Path) -> State:
    """A state dict file of torch, read without running code. Raises `ArgumentError`, `StudioError`."""
    if not path.is_file():
        raise ArgumentError(f"{path} does not exist; give a weights file, imagenet or none")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a file that is not its own
        raise StudioError(
            f"{path} is not a torch state dict ({type(error).__name__}); give a .pth weights file"
        ) from None
    state = state.get("model", state) if isinstance(state, dict) else None
    if not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise StudioError(f"{path} holds no state dict (names to tensors); give a .pth weights file")
    return state


def _downloaded(fetch, what: str) -> State:  # type: ignore[no-untyped-def]
    try:
        return fetch()
    except (URLError, OSError, RuntimeError) as error:
        raise StudioError(
            f"{what} could not be downloaded ({error}); give a weights file that is already on this machine, or none"
        ) from None
