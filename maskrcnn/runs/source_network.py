"""Which fields of the configuration come along with initial weights of a whole network. Knows no torch.

A run, a checkpoint, a model that ships and torchvision's COCO weights were each trained as some network; a training
that starts from them takes over that network's fields where nobody chose others.
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
"""Looks into a `.pth` file, for which torch is needed (`model.weights.torch_file_network`): the Config of the detector
that it holds, or the name of a bare body ("resnet18")."""

SMALLEST_EPS = 1e-5
"""`norm_eps` of a norm that learns is not smaller: the variance of a few pictures may be 0."""


def source_fields(
    source: str, changed: Mapping[str, Any], preset: str | None, torch_file: TorchFile | None
) -> dict[str, Any]:
    """The fields of the network that `source` was trained as (`source` as for `--init`); of a bare body, its
    `backbone`.

    Which of torchvision's COCO networks "coco" means follows from the `preset` and the fields that a person `changed`.
    Left out are classes and keypoints, which follow from the labels, and `layers`. A run brings its network, its
    picture size and the limits of its proposals and detections, but not how it was trained: a seed, a length or a
    learning rate was chosen for other pictures. A model that ships brings its network alone, because all else was
    chosen for a toy world.

    Raises `ArgumentError` where there is no such file and `StudioError` for one that cannot be read. A `.pth` file
    without a `torch_file` to look into it raises `ValueError`.

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
        config = held  # a detector of torchvision was trained as the preset of its builder says
    else:
        config, _ = read_header(path)
        left_out |= set(fields_with(role="training"))
    fields = config.model_dump(exclude=left_out)
    if changed.get("norm", config.norm) != "frozen":
        fields["norm_eps"] = max(config.norm_eps, SMALLEST_EPS)
    return fields


def _coco_network(changed: Mapping[str, Any], preset: str | None) -> Config:
    """The network of the COCO weights that are nearest to what was chosen."""
    light = changed.get("backbone") == "mobilenet_v3_large_fpn32"
    usual = "torchvision-mobilenet" if light else "torchvision"
    theirs, fields = detector_fields(nearest_detector(Config.preset(preset or usual, **changed)))
    return Config.preset(theirs, **fields)
