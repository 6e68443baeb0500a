"""Loading of a trained network for inference."""

from __future__ import annotations

from pathlib import Path

import torch

from maskrcnn.config import Precision
from maskrcnn.inference.trained_network import TrainedNetwork, as_trained
from maskrcnn.model import prepare
from maskrcnn.model.weights import Checkpoint, find_checkpoint, network_of
from maskrcnn.training.hardware import device_or_fastest


def load(
    model: Path | str | Checkpoint,
    device: torch.device | str | None = None,
    precision: Precision = "auto",
    compile: bool = False,
) -> TrainedNetwork:
    """Load a trained network in eval mode, for its `predict`, and for `evaluate` and `model.detect`; it cannot be
    trained further.

    `model` is a run folder (its best checkpoint), a checkpoint file, a `.pth` file of a torchvision detector, the name
    of a model that ships with the studio ("toy"), or a result of `find_checkpoint`. `device` is a torch device; None
    selects the fastest available one. `precision` is the precision of the convolutions; "auto" uses bfloat16 if the
    hardware supports it. `compile` compiles the backbone, which takes a minute or more for each picture size.

    Raises `ArgumentError` if there is no such model, and `StudioError` if it is damaged or cannot be compiled.

    >>> load("toy", device="cpu").config.class_names
    ('circle', 'cross', 'ellipse', 'square', 'star', 'triangle')
    """
    torch_device = device_or_fastest(device)
    checkpoint = model if isinstance(model, Checkpoint) else find_checkpoint(model)
    return as_trained(prepare(network_of(checkpoint, torch_device), torch_device, precision, compile))
