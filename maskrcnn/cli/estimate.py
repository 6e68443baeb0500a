"""What `train --estimate` does: say how long the training would take, and write nothing."""

from __future__ import annotations

import json
import time

import psutil

from maskrcnn.config import Config
from maskrcnn.model.build import StudioRCNN
from maskrcnn.training.duration import Estimate
from maskrcnn.training.estimate import estimate
from maskrcnn.training.samples import LabelledPictures


def estimate_command(
    model: StudioRCNN, training: LabelledPictures, validation: LabelledPictures | None, config: Config
) -> int:
    """Measure what the training costs, and print it: a line for each part while it goes on, one for a person, and last
    a JSON object (see `Estimate.as_json`). Times count from the start of this process."""

    def report(line: str) -> None:
        print(line, flush=True)

    seconds_to_start = time.time() - psutil.Process().create_time()
    found = estimate(model, training, validation, config, report, seconds_to_start)
    report(in_words(found, config))
    report(json.dumps(found.as_json()))
    return 0


def in_words(found: Estimate, config: Config) -> str:
    """`about 12 minutes: 0.9 s a step, 16 steps an epoch, 20 epochs, 3 s of validation each, 1900 MB`"""
    return f"{whole(found.seconds)}: " + ", ".join(
        [
            f"{found.seconds_per_step:.2g} s a step",
            f"{found.steps_per_epoch} steps an epoch",
            f"{found.epochs} epochs",
            f"{found.validation_seconds:.2g} s of validation each",
            f"{found.memory_mb:.0f} MB",
        ]
    )


def whole(seconds: float) -> str:
    """`about 40 seconds`, `about 12 minutes`, `about 3.5 hours`"""
    if seconds < 90:
        return f"about {round(seconds)} seconds"
    return f"about {round(seconds / 60)} minutes" if seconds < 2 * 3600 else f"about {seconds / 3600:.1f} hours"
