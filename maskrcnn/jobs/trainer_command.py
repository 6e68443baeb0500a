"""Build the command line of a training from checked options, each time a training is started.

The queue stores the options of a request (`runs.request.TrainingRequest`), never a whole command. So, even if a file
was manipulated, a job can start only the trainer, with valid options, in its own run folder.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from maskrcnn.errors import StudioError
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.trainer_process import TRAINER

PROGRAM = "MASKRCNN_TRAINER"
"""The environment variable for a different training command, for example `torchrun --nproc-per-node 2 -m maskrcnn
train`. It must end in `-m maskrcnn train`, because a trainer process is identified by these words."""


def trainer() -> list[str]:
    """The start of the training command; `--out RUN` and the options are appended to it.

    Raises `StudioError` if the environment variable `PROGRAM` does not end in `-m maskrcnn train`.
    """
    program = shlex.split(os.environ.get(PROGRAM, "")) or [sys.executable, *TRAINER]
    if tuple(program[-len(TRAINER) :]) != TRAINER:
        raise StudioError(f"{PROGRAM}: does not end in {' '.join(TRAINER)}; write it so, or leave it out")
    return program


def command(run: Path, options: Sequence[str], resume: bool) -> list[str]:
    """The whole command of a training into the folder `run`. Raises like `checked` and `trainer`."""
    return [*trainer(), "--out", str(run), *["--resume"] * resume, *checked(options)]


def checked(options: Sequence[str]) -> list[str]:
    """Check the options: parse them as a `TrainingRequest` and return the options of that request.

    Raises `ArgumentError` for the first option that does not exist or has an invalid value
    (`runs.request_options.options_from_argv`).
    """
    return TrainingRequest.from_argv(options).to_argv()
