"""The options of the commands that run a trained network, and the network that they ask for."""

from __future__ import annotations

import argparse
from typing import get_args

from maskrcnn.cli.device import add_device, choose_device
from maskrcnn.config import Precision
from maskrcnn.model import load, prepare
from maskrcnn.model.build import StudioRCNN


def add_inference(parser: argparse.ArgumentParser) -> None:
    """--device, --precision and --compile."""
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
    """The network of `args.model`, ready to `detect` as the options say."""
    device = choose_device(args.device)
    return prepare(load(args.model), device, args.precision, args.compile)
