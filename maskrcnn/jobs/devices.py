"""The devices of this machine, found without loading torch.

A device has the name that torch gives it: `cuda:0`, `cuda:1`, ..., `mps` or `cpu`. Two trainings on one device would be
slow and might run out of memory, so the queue gives a device to one job at a time.
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
"""The device of a job that takes the first one that is free."""


@functools.cache
def available() -> tuple[str, ...]:
    """The devices that "any" means: every CUDA card, else `mps` on Apple silicon, else `cpu`."""
    cards = tuple(_cards())
    if cards:
        return cards
    return ("mps",) if sys.platform == "darwin" and platform.machine() == "arm64" else ("cpu",)


def candidates(wanted: str) -> tuple[str, ...]:
    """The devices on which a job that asks for `wanted` can run; none where the machine does not have it (any more).

    >>> candidates("cpu")
    ('cpu',)
    """
    if wanted == ANY:
        return available()
    return (wanted,) if wanted in (*available(), "cpu") else ()


def require(wanted: str) -> None:
    """`ArgumentError` where this machine has no such device."""
    if not candidates(wanted):
        known = ", ".join(dict.fromkeys([ANY, *available(), "cpu"]))
        raise ArgumentError(f'device "{wanted}": this machine has none; choose one of {known}')


def environment(device: str) -> dict[str, str]:
    """The environment variables with which a process sees that device and no other card.

    >>> environment("cpu")
    {'CUDA_VISIBLE_DEVICES': ''}
    """
    if device.startswith("cuda:"):
        return {"CUDA_VISIBLE_DEVICES": _cards().get(device, device.removeprefix("cuda:"))}
    return {"CUDA_VISIBLE_DEVICES": ""}


def options(device: str) -> list[str]:
    """The options that make `train` use that device, where it would choose another by itself."""
    return ["--device", "cpu"] if device == "cpu" and "mps" in available() else []


@functools.cache
def _cards() -> dict[str, str]:
    """Name of each CUDA card -> its id for CUDA_VISIBLE_DEVICES; of those alone that the studio itself may see.

    The id, because CUDA counts cards in another order than nvidia-smi unless it is told not to.
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
    except (OSError, subprocess.SubprocessError):  # a driver without a card, or none that answers
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
