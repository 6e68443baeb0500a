"""Initial weights of a network: which are the default, and the Config fields that a training takes over from their
network.

Initial weights are those of a run, a checkpoint, a shipped model, or torchvision (COCO detectors, ImageNet bodies).
They belong to a network with certain fields. A training that starts from them uses the same fields, except those that
the user chose. The command line, the Launch page and the Python interface use the same rules. This module does not
import torch; `model.weights` loads the tensors. `weights_misfit` says whether weights fit a network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskrcnn.config import DEFAULT_PRESET, TASKS, Config, fields_with
from maskrcnn.errors import ArgumentError
from maskrcnn.runs import shipped_models
from maskrcnn.runs.checkpoint_files import TORCH_FILES, checkpoint_file, checkpoint_file_header
from maskrcnn.runs.shipped_models import shipped_config
from maskrcnn.runs.torchvision_catalogue import (
    coco_network_fields,
    is_weights_file_downloaded,
    nearest_coco_detector,
    start_of_coco_file,
    start_of_imagenet_file,
)
from maskrcnn.runs.weights_misfit import coco_weights_misfit, shipped_weights_misfit

TorchFile = Callable[[Path], Config | str]
"""A function that reads a `.pth` file with torch (`model.weights.torch_file_network`). Returns the Config of a
detector, or the name of the body ("resnet18") if the file contains only a body."""

SMALLEST_EPS = 1e-5
"""Minimum `norm_eps` of a trained norm, because the variance within a small batch may be 0."""


@dataclass(frozen=True)
class InitialWeights:
    """The initial weights of a network: `weights` of the body, as in `--backbone-weights`, and `init` of the whole
    network, as in `--init`. "none" means random weights. `why` explains a default; empty if the user chose."""

    weights: str = "none"
    init: str = "none"
    why: str = ""


def usual_weights(config: Config, chosen: Mapping[str, Any] | None = None) -> InitialWeights:
    """The default initial weights for the network `config`: the best weights that need no download.

    The order is: COCO weights, then ImageNet weights, if torchvision has downloaded them already; then a shipped model;
    then random weights. So a first training also works offline.

    `chosen` are the Config fields that the user set, None if a preset was given. With `chosen`, the network may still
    change: a shipped model then fits if its own network with these fields is valid and can use its weights.
    """
    if coco_weights_misfit(config) is None and is_weights_file_downloaded(start_of_coco_file(config)):
        return InitialWeights(init="coco", why="COCO weights: they are on this machine")
    if is_weights_file_downloaded(start_of_imagenet_file(config)):
        return InitialWeights(weights="imagenet", why="ImageNet weights of the body: they are on this machine")
    names = [shipped_models.DEFAULT]
    if "keypoints" in config.tasks:
        names.insert(0, shipped_models.DEFAULT_WITH_KEYPOINTS)
    for name in names:
        if name in shipped_models.names() and _shipped_weights_fit(name, config, chosen):
            return InitialWeights(
                init=name, why=f"{name}, which ships with the studio: no weights of photographs are at hand"
            )
    return InitialWeights(why="nothing: no weights that fit this network are at hand")


def _shipped_weights_fit(name: str, config: Config, chosen: Mapping[str, Any] | None) -> bool:
    """Whether the weights of the shipped model `name` fit the network `config`, or another one that keeps `chosen`.

    With `chosen` (the Config fields that the user set), the training takes over the network of the shipped model, so
    the weights need to fit that network with these fields.
    """
    if chosen is not None:
        try:
            config = Config.preset(
                DEFAULT_PRESET, **fields_of_network(shipped_config(name), config.tasks) | dict(chosen)
            )
        except ArgumentError:  # the chosen fields contradict that network
            return False
    return shipped_weights_misfit(name, config) is None


def usual_fields(start: InitialWeights, norm: str) -> dict[str, Any]:
    """The Config fields whose default depends on the initial weights. `norm` is the norm of the preset.

    With random weights, BatchNorm and all layers are trained. With weights from photographs, the first stages (edges,
    colours) fit any picture and stay frozen. For a shipped model, the best values were measured.

    >>> usual_fields(InitialWeights(), "frozen")
    {'norm': 'batch', 'layers': 'all'}
    >>> usual_fields(InitialWeights(weights="imagenet"), "frozen")
    {'norm': 'frozen', 'layers': '3+'}
    """
    if start.weights == start.init == "none":
        return {"norm": "batch", "layers": "all"}
    if shipped_models.folder(start.init) or shipped_models.folder(start.weights):
        return dict(shipped_models.FINE_TUNE)
    return {"norm": norm, "layers": "3+"}


# Fields from the network of the weights


def fields_from_weights(
    source: str, changed: Mapping[str, Any], preset: str | None, torch_file: TorchFile | None
) -> dict[str, Any]:
    """The Config fields of the network of the initial weights `source` (a value of `--init`).

    Classes, keypoints (they depend on the labels) and `layers` are never included. What else is included depends on the
    source:

    - "none": nothing;
    - "coco": the fields of the nearest COCO detector of torchvision, for the `preset` and the fields that the user has
      `changed`;
    - a shipped model: only the fields of the network (`fields_of_network`), because the others suit a toy world;
    - a run or a checkpoint: all fields except those of the role "training" (seed, length, learning rate), which were
      chosen for other pictures;
    - a `.pth` file of a detector: all fields of its preset; of a body alone: its `backbone`.

    `norm_eps` is at least `SMALLEST_EPS`, unless the norms stay frozen.

    Raises `ArgumentError` if the file does not exist, `StudioError` if it cannot be read, and `ValueError` for a `.pth`
    file without `torch_file`.

    >>> fields_from_weights("coco", {}, "torchvision", None)["norm_eps"]
    0.0
    >>> fields_from_weights("coco", {}, "torchvision-v2", None)["norm_eps"]
    1e-05
    """
    left_out = {*fields_with(role="labels"), "layers"}
    if source == "none":
        return {}
    if shipped_models.folder(source):
        chosen = {name: changed[name] for name in ("tasks",) if name in changed}
        config = checkpoint_file_header(checkpoint_file(source))[0]
        return fields_of_network(config, Config.preset(preset or DEFAULT_PRESET, **chosen).tasks)
    if source == "coco":
        config = _network_of_coco_weights(changed, preset)
    elif (path := checkpoint_file(source)).suffix in TORCH_FILES:
        if torch_file is None:
            raise ValueError(f"{path}: only torch can look into it; pass torch_file")
        held = torch_file(path)
        if isinstance(held, str):
            return {"backbone": f"{held}_fpn"}
        config = held  # the training fields of a torchvision detector are those of its preset, so they are included
    else:
        config, _ = checkpoint_file_header(path)
        left_out |= set(fields_with(role="training"))
    fields = config.model_dump(exclude=left_out)
    if changed.get("norm", config.norm) != "frozen":
        fields["norm_eps"] = max(config.norm_eps, SMALLEST_EPS)
    return fields


def _network_of_coco_weights(changed: Mapping[str, Any], preset: str | None) -> Config:
    """The Config of the initial weights "coco": of torchvision's detector that is nearest to `preset` and `changed`."""
    is_mobilenet = changed.get("backbone") == "mobilenet_v3_large_fpn32"
    default_preset = "torchvision-mobilenet" if is_mobilenet else "torchvision"
    wanted = Config.preset(preset or default_preset, **changed)
    preset_of_detector, fields = coco_network_fields(nearest_coco_detector(wanted))
    return Config.preset(preset_of_detector, **fields)


def fields_of_network(source: Config, tasks: tuple[str, ...]) -> dict[str, Any]:
    """The fields of `source` that a network with `tasks` must have to use its weights.

    These are the fields that determine the shapes of tensors of common tasks, and those of the role "reading". `norm`
    is not included, because it depends on the training (see `usual_fields`).
    """
    shared = [task for task in TASKS if task in source.tasks and task in tasks]
    fields = [*fields_with(role="reading"), *(field for task in shared for field in fields_with(task=task))]
    return {field: getattr(source, field) for field in fields if field != "norm"}
