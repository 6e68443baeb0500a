"""The `--device` option: adding it to a parser, and the torch device that it names."""

from __future__ import annotations

import argparse

import torch

from maskrcnn.errors import ArgumentError
from maskrcnn.training.hardware import available_devices


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add `--device` to a parser."""
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")


def choose_device(name: str) -> torch.device:
    """The torch device `name`; "auto" is the fastest available one. Raises `ArgumentError` if it is not available."""
    available = available_devices()
    if name == "auto":
        name = available[0]
    if name not in available:
        raise ArgumentError(f"--device {name}: this machine has none; leave it out or take cpu")
    return torch.device(name)
