"""Epochs and passes of a run: their definitions, their number of steps, and passes as text. Does not import torch.

The pages, the log and the trainer use these functions, so that they all use the same definitions.
"""

from __future__ import annotations

import math

from maskrcnn.config import Config
from maskrcnn.runs.folder import CONFIG, RunFolder

EPOCHS_IN_A_BUDGET = 20
"""The intended number of epochs of a run whose length is set in minutes, so that its curves have enough points."""

EPOCH_MEANING = (
    "An epoch is the training between two validations. In a run of a number of epochs it is once through the training "
    "pictures, rounded up to whole steps. A run by minutes goes through them once or more in an epoch, so that about "
    f"{EPOCHS_IN_A_BUDGET} fit into its time; of few pictures the first one, in which the pace is measured, may be "
    "longer, and the last one ends with the time. steps_per_epoch sets any other length."
)
PASS_MEANING = (
    "Passes: how many times each training picture was seen, steps x batch size / training pictures; a batch has no "
    "more pictures than there are."
)


def pictures_per_step(batch_size: int, pictures: int) -> int:
    """The number of pictures in a step: the batch size, or the number of all pictures if that is smaller.

    >>> pictures_per_step(batch_size=8, pictures=5)
    5
    """
    return min(batch_size, pictures)


def steps_per_pass(batch_size: int, pictures: int) -> int:
    """The number of steps for one pass through all pictures, rounded up.

    >>> steps_per_pass(2, 61)
    31
    """
    return math.ceil(pictures / batch_size)


def mean_pass_steps(run: RunFolder, pictures: int) -> float | None:
    """The mean number of steps per pass of a run through its `pictures` (see `passes`); None if it is unknown.

    It is no integer if the number of pictures is no multiple of the batch size.
    """
    batch = (run.read_json(CONFIG) or {}).get("batch_size")
    return pictures / pictures_per_step(batch, pictures) if batch and pictures else None


def first_epoch_steps(run: RunFolder, pictures: int) -> int | None:
    """The number of steps in the first epoch of a run with so many `pictures`, as far as it is known before its end.

    It is `steps_per_epoch` of its config, else one pass; None if there are no pictures.
    """
    config = run.read_json(CONFIG) or {}
    if config.get("steps_per_epoch"):
        return int(config["steps_per_epoch"])
    return steps_per_pass(config.get("batch_size", 1), pictures) or None


def passes(steps: float, batch_size: int, pictures: int) -> float:
    """The mean number of times that each training picture was used in `steps` steps.

    >>> passes(31, 2, 62)
    1.0
    """
    return steps * pictures_per_step(batch_size, pictures) / pictures


def passes_in_words(passes: float) -> str:
    """A number of passes as text: with one decimal, or with two significant digits if it is below 0.1.

    >>> passes_in_words(12.84), passes_in_words(0.0169)
    ('12.8', '0.017')
    """
    return f"{passes:.2g}" if 0 < passes < 0.0995 else f"{passes:.1f}"


def times_through(passes: float) -> str:
    """A number of passes as text: `once through the pictures`, `4 times through the pictures`, `0.017 times ...`

    A number close to an integer is rounded, because an epoch has whole steps. A small number keeps two digits.
    """
    if 0 < passes < 0.1:
        return f"{passes:.2g} times through the pictures"
    times = f"{passes:.0f}" if passes >= 9.95 or abs(passes - round(passes)) < 0.05 else f"{passes:.1f}"
    return "once through the pictures" if times in ("1", "1.0") else f"{times} times through the pictures"


def steps_per_epoch(config: Config, pass_steps: int, seconds_per_step: float) -> int:
    """The number of steps in an epoch, from the number of steps of a pass (`EPOCH_MEANING`).

    It is `config.steps_per_epoch`, if set. For a run by epochs it is one pass. For a run by minutes it is one or more
    whole passes, so that about `EPOCHS_IN_A_BUDGET` epochs fit into the time.
    """
    if config.steps_per_epoch is not None:
        return config.steps_per_epoch
    if config.minutes is None:
        return pass_steps
    fitting = 60 * config.minutes / EPOCHS_IN_A_BUDGET / seconds_per_step
    return pass_steps * max(1, round(fitting / pass_steps))
