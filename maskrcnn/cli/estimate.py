"""`train --estimate`: measure and print how long a training would take. Writes no files."""

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


def estimate_command(model: StudioRCNN, training: LabelledPictures, validation: LabelledPictures | None) -> int:
    """Measure the cost of a training and print it; return the exit status 0.

    Prints a line for each measured part, then a summary for users, and last a JSON object (see `Estimate.as_json`). The
    start-up time counts from the start of this process.
    """

    def report(line: str) -> None:
        print(line, flush=True)

    seconds_to_start = time.time() - psutil.Process().create_time()
    found = estimate(model, training, validation, report, seconds_to_start)
    report(in_words(found, model.config))
    report(json.dumps(found.as_json()))
    return 0


def in_words(found: Estimate, config: Config) -> str:
    """The summary `about 12 minutes: 0.9 s a step, 16 steps an epoch (once through the pictures), 20 epochs, ...`.

    The total is the time of the training without the start-up time, which is listed as a part.
    """
    most = "at most " if config.patience else ""
    return f"{most}{about(found.seconds_of_training)}: {parts_in_words(found, config)}"
