"""The options of commands that run a network (`--device`, `--precision`, `--compile`), and loading of the network.

torch is imported when a network is loaded: `evaluate` also measures saved detections, for which it is not needed.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from maskrcnn.config import Precision
from maskrcnn.errors import ArgumentError

if TYPE_CHECKING:
    import torch

    from maskrcnn.model.build import StudioRCNN


def add_inference(parser: argparse.ArgumentParser) -> None:
    """Add `--device`, `--precision` and `--compile` to a parser."""
    add_device(parser)
    parser.add_argument(
        "--precision",
        choices=get_args(Precision),
        default="auto",
        help="arithmetic of the convolutions; auto: bfloat16 where the processor has it, which takes half the time",
    )
    parser.add_argument(
        "--compile",
        action="store_true",
        help="compile the backbone with torch.compile: a minute or more for each size of picture, which may pay "
        "for many of them; needs a C++ compiler",
    )


def load_for_inference(args: argparse.Namespace) -> StudioRCNN:
    """Load the network `args.model` for inference on the chosen device, and print a line that describes it."""
    from maskrcnn.inference import load
    from maskrcnn.inference.model_description import network_line
    from maskrcnn.model.weights import find_checkpoint

    device = device_of_option(args.device)
    checkpoint = find_checkpoint(args.model)
    model = load(checkpoint, device, args.precision, args.compile)
    print(f"model: {network_line(args.model, checkpoint)}")
    if Path(args.model).is_dir() and checkpoint.path.parent.name == "checkpoints":
        print(f"{args.model} has no best checkpoint (best.safetensors); this is its latest")
    return model


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add `--device` to a parser."""
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")


def device_of_option(name: str) -> torch.device:
    """The torch device that `--device` names; "auto" is the fastest available one.

    Raises `ArgumentError` if it is not available.
    """
    import torch

    from maskrcnn.training.hardware import available_hardware

    available = available_hardware()
    if name == "auto":
        name = available[0]
    if name not in available:
        raise ArgumentError(f"--device {name}: this machine has none; leave it out or take cpu")
    return torch.device(name)
