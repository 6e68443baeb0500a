"""The command line of a training, made anew from checked choices each time one is started.

The table of jobs keeps what was chosen, as options of `python -m maskrcnn train`; never a command. So whatever a file
says, all that a job can start is the trainer, into the folder of its own run, with options that are known here.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from maskrcnn.config import BACKBONES, POOLINGS, PRESETS, parse_settings
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.runs.trainer_process import TRAINER as WORDS

PROGRAM = "MASKRCNN_TRAINER"
"""The environment variable with another command that trains, for example `torchrun --nproc-per-node 2 -m maskrcnn
train`. It must end in `-m maskrcnn train`, by which a trainer is known again."""

_LONGEST = 10_000
_MOST = 500


def trainer() -> list[str]:
    """The command that trains; `--out RUN` and the options follow it. `StudioError` for a PROGRAM that is none."""
    program = shlex.split(os.environ.get(PROGRAM, "")) or [sys.executable, *WORDS]
    if tuple(program[-len(WORDS) :]) != WORDS:
        raise StudioError(f"{PROGRAM}: does not end in {' '.join(WORDS)}; write it so, or leave it out")
    return program


def command(run: Path, options: Sequence[str], resume: bool) -> list[str]:
    """The whole command that trains into `run`. Raises as `checked` and `trainer` do."""
    return [*trainer(), "--out", str(run), *["--resume"] * resume, *checked(options)]


def checked(options: Sequence[str]) -> list[str]:
    """The options, if each is one of the trainer's with a value of its kind. `ArgumentError` names the first that is
    not."""
    options = list(options)
    if len(options) % 2 or len(options) > _MOST:
        raise ArgumentError("the options of a training come in pairs of a name and a value; choose them anew")
    for name, value in zip(options[::2], options[1::2], strict=True):
        check = _VALUES.get(name) if isinstance(name, str) else None
        if check is None or not isinstance(value, str) or len(value) > _LONGEST or "\0" in value:
            raise ArgumentError(f"{str(name)[:40]}: is no choice of a training; choose it anew")
        try:
            check(value)
        except ValueError:
            raise ArgumentError(f'{name}: "{value[:40]}" is no value for it; choose it anew') from None
    return options


def _one_of(*words: str) -> Callable[[str], object]:
    return words.index


def _setting(value: str) -> object:
    return parse_settings([value])


def _named(value: str) -> object:
    """A path or a word: nothing that the trainer would take for its next option."""
    if not value or value.startswith("-"):
        raise ValueError(value)
    return value


_VALUES: dict[str, Callable[[str], object]] = {
    "--data": _named,
    "--val": _named,
    "--images": _named,
    "--preset": _one_of(*PRESETS),
    "--epochs": int,
    "--minutes": float,
    "--backbone": _one_of(*BACKBONES),
    "--backbone-weights": _named,
    "--init": _named,
    "--tasks": _named,
    "--pooling": _one_of(*POOLINGS),
    "--layers": _named,
    "--seed": int,
    "--set": _setting,
}
"""Option of `train` that a job may carry -> what raises `ValueError` for a value that is none."""
