"""The Config fields that a training takes over from the network of its initial weights. Does not import torch.

Initial weights (of a run, a checkpoint, a shipped model or torchvision's COCO detectors) belong to a network with
certain fields. A training that starts from them uses the same fields, except those that the user chose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from maskrcnn.config import DEFAULT_PRESET, Config, fields_with
from maskrcnn.runs import shipped_models
from maskrcnn.runs.checkpoint_header import TORCH_FILES, read_header, weights_file
from maskrcnn.runs.coco_detectors import detector_fields, nearest_detector
from maskrcnn.runs.initial_weights import network_fields

TorchFile = Callable[[Path], Config | str]
"""A function that reads a `.pth` file with torch (`model.weights.torch_file_network`). Returns the Config of a
detector, or the name of the body ("resnet18") if the file contains only a body."""

SMALLEST_EPS = 1e-5
"""Minimum `norm_eps` of a trained norm, because the variance within a small batch may be 0."""


def source_fields(
    source: str, changed: Mapping[str, Any], preset: str | None, torch_file: TorchFile | None
) -> dict[str, Any]:
    """The Config fields of the network of the initial weights `source` (a value of `--init`).

    For "coco", the nearest of torchvision's COCO networks is chosen, from the `preset` and the fields that the user has
    `changed`. Classes and keypoints are not included, because they depend on the labels; nor is `layers`. For a run,
    training fields such as seed, length and learning rate are not included, because they were chosen for other
    pictures. For a shipped model, only the network's fields are included, because all others were chosen for a toy
    world. For a file with only a body, the result is its `backbone`.

    Raises `ArgumentError` if the file does not exist, `StudioError` if it cannot be read, and `ValueError` for a `.pth`
    file without `torch_file`.

    >>> source_fields("coco", {}, "torchvision", None)["norm_eps"]
    0.0
    >>> source_fields("coco", {}, "torchvision-v2", None)["norm_eps"]
    1e-05
    """
    left_out = {*fields_with(role="labels"), "layers"}
    if source == "none":
        return {}
    if shipped_models.folder(source):
        chosen = {name: changed[name] for name in ("tasks",) if name in changed}
        config = read_header(weights_file(source))[0]
        return network_fields(config, Config.preset(preset or DEFAULT_PRESET, **chosen).tasks)
    if source == "coco":
        config = _coco_network(changed, preset)
    elif (path := weights_file(source)).suffix in TORCH_FILES:
        if torch_file is None:
            raise ValueError(f"{path}: only torch can look into it; pass torch_file")
        held = torch_file(path)
        if isinstance(held, str):
            return {"backbone": f"{held}_fpn"}
        config = held  # the training fields of a torchvision detector are those of its preset, so they are included
    else:
        config, _ = read_header(path)
        left_out |= set(fields_with(role="training"))
    fields = config.model_dump(exclude=left_out)
    if changed.get("norm", config.norm) != "frozen":
        fields["norm_eps"] = max(config.norm_eps, SMALLEST_EPS)
    return fields


def _coco_network(changed: Mapping[str, Any], preset: str | None) -> Config:
    """The network of the COCO weights that are most similar to the preset and the changed fields."""
    light = changed.get("backbone") == "mobilenet_v3_large_fpn32"
    usual = "torchvision-mobilenet" if light else "torchvision"
    theirs, fields = detector_fields(nearest_detector(Config.preset(preset or usual, **changed)))
    return Config.preset(theirs, **fields)
