"""The command line of a training, made anew from checked choices each time one is started.

The queue keeps what was chosen (`runs.request.TrainingRequest`), as options of `python -m maskrcnn train`; never a
command. So whatever a file says, all that a job can start is the trainer, into the folder of its own run, with options
of a request.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from maskrcnn.errors import StudioError
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.trainer_process import TRAINER as WORDS

PROGRAM = "MASKRCNN_TRAINER"
"""The environment variable with another command that trains, for example `torchrun --nproc-per-node 2 -m maskrcnn
train`. It must end in `-m maskrcnn train`, by which a trainer is known again."""


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
    """The options, made anew from the request that they mean. `ArgumentError` names the first that is no option of a
    training, or has no value of its kind (`runs.request_options.read_pairs`)."""
    return TrainingRequest.from_argv(options).to_argv()
