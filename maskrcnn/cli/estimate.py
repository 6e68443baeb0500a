"""What `train --estimate` does: say how long the training would take, and write nothing."""

from __future__ import annotations

import json
import time

import psutil

from maskrcnn.config import Config
from maskrcnn.durations import about
from maskrcnn.model.build import StudioRCNN
from maskrcnn.runs.costs import Estimate, parts_in_words
from maskrcnn.training.samples import LabelledPictures
from maskrcnn.training.trial_steps import estimate


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
    """`about 12 minutes: 0.9 s a step, 16 steps an epoch (once through the pictures), 20 epochs, ...`, the training
    without its start, which is one of the parts."""
    most = "at most " if config.patience else ""
    return f"{most}{about(found.seconds_of_training)}: {parts_in_words(found, config)}"
