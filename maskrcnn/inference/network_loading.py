"""A trained network, loaded and made ready to find objects."""

from __future__ import annotations

from pathlib import Path

import torch

from maskrcnn.config import Precision
from maskrcnn.model import prepare
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.weights import Checkpoint, find_checkpoint, network_of
from maskrcnn.training.hardware import available_devices


def load(
    model: Path | str | Checkpoint,
    device: torch.device | str | None = None,
    precision: Precision = "auto",
    compile: bool = False,
) -> StudioRCNN:
    """A trained network in eval mode, ready for `predict`, `evaluate` and `model.detect`; it cannot be trained.

    `model` is a run folder (its best checkpoint), a checkpoint, a `.pth` file of torchvision's detectors, a model that
    ships with the studio ("toy"), or what `find_checkpoint` found. `device` is any that torch knows; None takes the
    fastest that is there. `precision` is that of the convolutions; auto takes bfloat16 where the processor has it.
    `compile` compiles the backbone, which takes a minute or more for each size of picture.

    Raises `ArgumentError` where there is no such model, `StudioError` where it is damaged or cannot be compiled.

    >>> load("toy", device="cpu").config.class_names
    ('circle', 'cross', 'ellipse', 'square', 'star', 'triangle')
    """
    where = torch.device(device or available_devices()[0])
    checkpoint = model if isinstance(model, Checkpoint) else find_checkpoint(model)
    return prepare(network_of(checkpoint, where), where, precision, compile)
