"""What a training computes on: the devices that are there, and their names in words."""

from __future__ import annotations

import os
import platform
import random
from pathlib import Path

import cv2
import numpy as np
import psutil
import torch

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError
from maskrcnn.model.backbone_compilation import compile_backbone
from maskrcnn.model.build import StudioRCNN


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


def seed_everything(seed: int) -> None:
    """Seed the random numbers of Python, numpy and torch, and keep OpenCV to one thread."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    cv2.setNumThreads(1)  # its pictures are small, and its threads would compete with torch's


def loader_threads(config: Config, device: torch.device) -> int:
    """`loader_threads`, or as many as help: with a graphics card nearly all cores are free for it."""
    if config.loader_threads is not None:
        return config.loader_threads
    cores = os.cpu_count() or 1
    return max(1, min(8, cores - 1)) if device.type == "cuda" else max(1, min(4, cores // 4))


def moved_to_device(model: StudioRCNN, device: torch.device) -> StudioRCNN:
    """`model` moved to `device`, its weights channels last, its backbone compiled if its config says so.

    Raises `StudioError` where it is to be compiled and this machine has no compiler.
    """
    if model.config.compile:
        compile_backbone(model.to(device))
    # Convolutions of small pictures run up to twice as fast channels last.
    return model.to(device, memory_format=torch.channels_last)


def training_memory_mb(device: torch.device) -> float:
    """Memory that the training has taken until now: of the graphics card where one computes, else of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device) / 2**20
    return psutil.Process().memory_info().rss / 2**20
