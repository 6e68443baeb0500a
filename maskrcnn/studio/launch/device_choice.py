"""The Launch page: the device of a new training, and its waiting time in the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from maskrcnn.durations import about
from maskrcnn.errors import StudioError
from maskrcnn.jobs import devices, queue
from maskrcnn.studio.shell import session
from maskrcnn.studio.shell.markdown_escape import plain
from maskrcnn.words import first_names


@dataclass(frozen=True)
class DeviceTurn:
    """When a training on the chosen device would start.

    `seconds` is the waiting time until then (0: it starts at once, None: unknown). `ahead` are the names of the runs
    that must end first.
    """

    seconds: float | None
    ahead: tuple[str, ...]

    @property
    def must_wait(self) -> bool:
        """Whether the training would not start at once, or it is unknown when it starts (`seconds` is None)."""
        return self.seconds != 0

    def in_words(self) -> str:
        """A sentence below the start button, as Markdown: what happens when the user starts the training."""
        if not self.must_wait:
            return "It trains on its own: you may close this tab or stop the studio, and find it again under Runs."
        names = first_names(self.ahead, 3, lambda name: f"**{plain(name)}**")
        when = "" if self.seconds is None else f", in {about(self.seconds)}"
        return f"It starts by itself when {names} {'has' if len(self.ahead) == 1 else 'have'} ended{when}."


def turn_on_device(device: str) -> DeviceTurn:
    """When a new training on `device` (or "any") would start.

    If the queue cannot be read, the waiting time is 0; the error is shown when the training is added.
    """
    try:
        return DeviceTurn(*queue.turn(session.workspace(), device))
    except StudioError:
        return DeviceTurn(0.0, ())


def choose_device(machine: Sequence[str]) -> str:
    """Draw the input for the device and return it. With only one device, no input is drawn and "any" is returned."""
    if len(machine) < 2:
        return devices.ANY
    return st.selectbox(
        "Device",
        [devices.ANY, *machine],
        format_func=lambda name: "any that is free" if name == devices.ANY else name,
        help="Each device trains one network at a time; the others wait their turn.",
        key="launch-device",
    )
