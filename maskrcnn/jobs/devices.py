"""The devices of this machine (GPUs, CPU), found without loading torch.

A device has its name in torch: `cuda:0`, `cuda:1`, ..., `mps` or `cpu`. Two trainings on one device would be slow and
might run out of memory, so the queue gives a device to one job at a time.
"""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
import sys

from maskrcnn.errors import ArgumentError

ANY = "any"
"""The device name of a job that runs on the first free device."""


@functools.cache
def available() -> tuple[str, ...]:
    """The devices for "any": all CUDA GPUs; without one, `mps` on Apple silicon; otherwise `cpu`."""
    cards = tuple(_cards())
    if cards:
        return cards
    return ("mps",) if sys.platform == "darwin" and platform.machine() == "arm64" else ("cpu",)


def candidates(wanted: str) -> tuple[str, ...]:
    """The devices of this machine on which a job with the device `wanted` can run; empty if the device does not exist.

    >>> candidates("cpu")
    ('cpu',)
    """
    if wanted == ANY:
        return available()
    return (wanted,) if wanted in (*available(), "cpu") else ()


def require(wanted: str) -> None:
    """Raise `ArgumentError` if this machine does not have the device `wanted`."""
    if not candidates(wanted):
        known = ", ".join(dict.fromkeys([ANY, *available(), "cpu"]))
        raise ArgumentError(f'device "{wanted}": this machine has none; choose one of {known}')


def environment(device: str) -> dict[str, str]:
    """The environment variables that make `device` the only GPU that a process can use (no GPU for "cpu").

    >>> environment("cpu")
    {'CUDA_VISIBLE_DEVICES': ''}
    """
    if device.startswith("cuda:"):
        return {"CUDA_VISIBLE_DEVICES": _cards().get(device, device.removeprefix("cuda:"))}
    return {"CUDA_VISIBLE_DEVICES": ""}


def options(device: str) -> list[str]:
    """The options of `train` that select `device`; empty if `train` selects this device by default."""
    return ["--device", "cpu"] if device == "cpu" and "mps" in available() else []


@functools.cache
def _cards() -> dict[str, str]:
    """Map the name of each CUDA GPU to its UUID for CUDA_VISIBLE_DEVICES; only the GPUs that are visible to the studio.

    The UUID is used instead of the number, because CUDA and nvidia-smi number GPUs in different orders by default.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return {}
    try:
        listing = subprocess.run(
            [program, "--query-gpu=index,uuid", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):  # the driver finds no GPU, or does not respond
        return {}
    rows = [[part.strip() for part in line.split(",")] for line in listing.splitlines() if line.count(",") == 1]
    cards = {f"cuda:{index}": uuid for index, uuid in rows}
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return cards
    asked = [part.strip() for part in visible.split(",") if part.strip()]
    return {
        card: uuid
        for card, uuid in cards.items()
        if any(card == f"cuda:{one}" or (one.startswith("GPU-") and uuid.startswith(one)) for one in asked)
    }


def device_kind(device: str) -> str:
    """The kind of a device: its name without the number.

    >>> device_kind("cuda:1"), device_kind("cpu")
    ('cuda', 'cpu')
    """
    return device.partition(":")[0]
