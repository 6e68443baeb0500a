"""The hardware of a training: available kinds of devices, their names and memory. Also the seeds of random numbers."""

from __future__ import annotations

import os
import platform
import random
from pathlib import Path

import cv2
import numpy as np
import psutil
import torch
import torchvision

from maskrcnn.install_folders import VERSION


def available_hardware() -> tuple[str, ...]:
    """The kinds of hardware that torch can use here, fastest first: "cuda" and "mps" if available, and "cpu"."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return tuple(kind for kind, is_there in there.items() if is_there)


def device_or_fastest(device: torch.device | str | None) -> torch.device:
    """`device` as a torch device; None selects the fastest available one."""
    return torch.device(device or available_hardware()[0])


def machine(device: torch.device) -> str:
    """The name of a device with its processor: "NVIDIA H200", "mps of Apple M2" or "1 of 2 cores of AMD EPYC"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type != "cpu":
        return f"{device.type} of {processor()}"
    cores = os.cpu_count() or 1
    return f"{min(torch.get_num_threads(), cores)} of {cores} cores of {processor()}"


def machines(before: str | None, now: str) -> str:
    """The machines of a resumed training, in order: "1 of 2 cores of AMD EPYC, then NVIDIA H200".

    `before` is the text in the result of the earlier attempts (None: there is none), `now` the machine of this process.

    >>> machines("Apple M2", "NVIDIA H200")
    'Apple M2, then NVIDIA H200'
    """
    if before is None or before == now or before.endswith(f", then {now}"):
        return before or now
    return f"{before}, then {now}"


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The name of the processor, from the file `cpuinfo` if it exists, otherwise from Python's `platform`."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def program_versions() -> dict[str, str]:
    """The versions of this program, torch, torchvision and Python, for the documents of a run."""
    return {
        "mask-rcnn-studio": VERSION,
        "torch": str(torch.__version__),
        "torchvision": str(torchvision.__version__),
        "python": platform.python_version(),
    }


def seed_everything(seed: int) -> None:
    """Seed the random numbers of Python, NumPy and torch, and limit OpenCV to one thread."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    cv2.setNumThreads(1)  # pictures are small, and more threads would compete with those of torch


def training_memory_mb(device: torch.device) -> float:
    """The memory of this training so far, in 2**20 bytes: of the GPU if one is used, otherwise of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device) / 2**20
    return psutil.Process().memory_info().rss / 2**20
