"""The description of a network: its Config, its origin (preset, checkpoint or run) and its number of parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from maskrcnn.config import PRESETS, Config, parse_settings
from maskrcnn.config.derived_shapes import anchor_count, backbone_shapes
from maskrcnn.errors import ArgumentError
from maskrcnn.model.build import build, parameter_counts
from maskrcnn.model.weights import Checkpoint, find_checkpoint
from maskrcnn.runs import shipped_models
from maskrcnn.words import first_names


@dataclass(frozen=True)
class ModelDescription:
    """The `config` of a network, its origin and its number of `parameters` by part.

    The origin is a `preset` with `changed` settings, or the `file` of a checkpoint written after `epoch`. `card` is the
    model card if the model ships with the studio.
    """

    config: Config
    parameters: dict[str, int]
    preset: str | None = None
    changed: tuple[str, ...] = ()
    file: Path | None = None
    epoch: int | None = None
    origin: str = ""
    card: shipped_models.Card | None = None

    def to_json(self) -> dict[str, Any]:
        """The description as the JSON document of `info --json`."""
        about: dict[str, Any] = {"preset": self.preset, "changed": list(self.changed)}
        if self.file is not None:
            about = {"file": str(self.file), "epoch": self.epoch, "origin": self.origin}
        if self.card is not None:
            about["card"] = self.card
        derived = {"backbone_shapes": backbone_shapes(self.config), "anchors": anchor_count(self.config)}
        return about | derived | {"parameters": self.parameters, "config": self.config.model_dump()}


def describe(model: str, settings: Sequence[str] = ()) -> ModelDescription:
    """The description of `model`: a preset, changed by `settings` ("FIELD=VALUE"), or any model that `load` accepts.

    Raises `ArgumentError` if it is neither, or if `settings` are given for a trained network.

    >>> describe("torchvision").parameters["total"]  # the number in the documentation of torchvision
    44401393
    """
    if model in PRESETS:
        config = Config.preset(model, **parse_settings(list(settings)))
        return ModelDescription(config, _parameter_counts(config), preset=model, changed=tuple(settings))
    checkpoint = find_checkpoint(model)
    if settings:
        raise ArgumentError(f"--set {settings[0]}: {checkpoint.path} was trained as it is; --set is for presets")
    return ModelDescription(
        checkpoint.config,
        _parameter_counts(checkpoint.config),
        file=checkpoint.path,
        epoch=checkpoint.epoch,
        origin=checkpoint.origin,
        card=shipped_models.card(model),
    )


def _parameter_counts(config: Config) -> dict[str, int]:
    """The number of parameters of a network by part, computed from its Config alone."""
    with torch.device("meta"):  # no memory is allocated for the parameters
        return parameter_counts(build(config))


def network_line(model: object, checkpoint: Checkpoint) -> str:
    """A line such as `toy, ships with the studio, written after epoch 18: mobilenet_v2_fpn, finds circle, square`.

    `model` is the argument of the user.
    """
    config = checkpoint.config
    called = model if shipped_models.folder(model) else checkpoint.path
    return f"{called}, {checkpoint.origin}: {config.backbone}, finds {first_names(config.names)}"
