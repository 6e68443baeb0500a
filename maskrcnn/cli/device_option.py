"""The --device option."""

from __future__ import annotations

import argparse

import torch

from maskrcnn.errors import ArgumentError
from maskrcnn.training.hardware import available_devices


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" takes the fastest that is there. `ArgumentError` if it is not."""
    available = available_devices()
    if name == "auto":
        name = available[0]
    if name not in available:
        raise ArgumentError(f"--device {name}: this machine has none; leave it out or take cpu")
    return torch.device(name)
