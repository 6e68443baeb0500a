"""What a training computes on: the devices that are there, and their names in words."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

from maskrcnn.errors import ArgumentError


def available_devices() -> tuple[str, ...]:
    """The kinds of device that torch can compute on here, the fastest first: some of "cuda" and "mps", and "cpu"."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return tuple(kind for kind, is_there in there.items() if is_there)


def device_or_fastest(device: torch.device | str | None) -> torch.device:
    """Return `device` as a torch device; None is the fastest one that is available."""
    return torch.device(device or available_devices()[0])


def machine(device: torch.device) -> str:
    """As "NVIDIA H200", "mps of Apple M2", or "1 of 2 cores of AMD EPYC"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type != "cpu":
        return f"{device.type} of {processor()}"
    cores = os.cpu_count() or 1
    return f"{min(torch.get_num_threads(), cores)} of {cores} cores of {processor()}"


def machines(before: str | None, now: str) -> str:
    """The machines of a training that was resumed, as "1 of 2 cores of AMD EPYC, then NVIDIA H200": `before` is what
    this returned until it was stopped, `now` the machine of this process.

    >>> machines("Apple M2", "NVIDIA H200")
    'Apple M2, then NVIDIA H200'
    """
    if before is None or before == now or before.endswith(f", then {now}"):
        return before or now
    return f"{before}, then {now}"


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def choose_device(name: str) -> torch.device:
    """The torch device `name`; "auto" is the fastest available one. Raises `ArgumentError` if it is not available."""
    available = available_devices()
    if name == "auto":
        name = available[0]
    if name not in available:
        raise ArgumentError(f"--device {name}: this machine has none; leave it out or take cpu")
    return torch.device(name)
