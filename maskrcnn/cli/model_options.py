"""The options of the commands that run a trained network, and loading of that network."""

from __future__ import annotations

import argparse
from typing import get_args

from maskrcnn.cli.device_option import add_device, choose_device
from maskrcnn.config import Precision
from maskrcnn.inference import load
from maskrcnn.model.build import StudioRCNN
from maskrcnn.model.weights import Checkpoint, find_checkpoint
from maskrcnn.runs import shipped_models

_MOST_CLASSES = 8
"""Maximum number of class names in the printed line about the loaded network."""


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
    device = choose_device(args.device)
    checkpoint = find_checkpoint(args.model)
    model = load(checkpoint, device, args.precision, args.compile)
    print(f"model: {network_line(args.model, checkpoint)}")
    return model


def network_line(model: object, checkpoint: Checkpoint) -> str:
    """A line such as `toy, ships with the studio, written after epoch 18: mobilenet_v2_fpn, finds circle, square`.

    `model` is the argument of the user.
    """
    config = checkpoint.config
    hidden = len(config.names) - _MOST_CLASSES
    found = ", ".join(config.names[:_MOST_CLASSES]) + (f" and {hidden} more" if hidden > 0 else "")
    called = model if shipped_models.folder(model) else checkpoint.path
    return f"{called}, {checkpoint.origin}: {config.backbone}, finds {found}"
