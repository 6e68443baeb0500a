"""The --device option."""

from __future__ import annotations

import argparse

import torch

from maskrcnn.errors import ArgumentError


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")


def choose_device(name: str) -> torch.device:
    """The device of that name; "auto" takes the fastest that is there. `ArgumentError` if it is not."""
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, there in available.items() if there)
    if not available[name]:
        raise ArgumentError(f"--device {name}: this machine has none; leave it out or take cpu")
    return torch.device(name)
