"""`python -m maskrcnn train`: fine-tune a network and write a run folder."""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import psutil

from maskrcnn.cli.model_options import add_device, device_of_option
from maskrcnn.cli.progress_bars import preparation_bars, print_line, training_bar
from maskrcnn.model.build import StudioRCNN
from maskrcnn.runs.cost_estimate import estimate_in_words
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.request_options import add_options
from maskrcnn.training.distributed import join
from maskrcnn.training.labelled_samples import LabelledSamples
from maskrcnn.training.training_run import train
from maskrcnn.training.training_start import rehearse
from maskrcnn.training.trial_steps import estimate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `train`."""
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="the run folder to make")
    add_options(parser)
    parser.add_argument(
        "--resume",
        action="store_true",
        help="continue the stopped run in --out as if it had not been stopped; --epochs or --minutes are added to the "
        "planned length",
    )
    parser.add_argument(
        "--estimate", action="store_true", help="only measure how long it would take here; writes nothing into --out"
    )
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Train a network, or with `--estimate` only measure its cost. Returns the exit status: 0 if all is done."""
    request, is_cancelled = TrainingRequest.from_options(vars(args)), stop_on_signals()
    team, device = join(device_of_option(args.device))
    watch = preparation_bars(is_cancelled)
    if args.estimate:
        return estimate_command(*rehearse(request, args.out, device, watch))
    with ExitStack() as stack:
        result = train(
            request,
            args.out,
            device=device,
            resume=args.resume,
            team=team,
            report=training_bar(stack, shown=team.leads),
            say=print_line,
            cancelled=is_cancelled,
            watch=watch,
        )
    team.leave()
    return 0 if result["state"] == "done" else 1


def stop_on_signals() -> Callable[[], bool]:
    """Make the command `train` handle SIGTERM and Ctrl-C, so that the training can save its state and stop.

    Returns a function that tells whether a signal was received. A second signal raises `KeyboardInterrupt` at once.
    """
    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        if received:  # the second signal
            raise KeyboardInterrupt
        received.append(number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return lambda: bool(received)


def estimate_command(model: StudioRCNN, training: LabelledSamples, validation: LabelledSamples | None) -> int:
    """The command `train --estimate`: measure the cost of a training and print it. Returns the exit status 0.

    Prints a line for each measured part, then a summary for users, and last a JSON object (see `Estimate.as_json`). The
    start-up time counts from the start of this process.
    """

    def report(line: str) -> None:
        print(line, flush=True)

    seconds_to_start = time.time() - psutil.Process().create_time()
    found = estimate(model, training, validation, report, seconds_to_start)
    report(estimate_in_words(found, model.config))
    report(json.dumps(found.as_json()))
    return 0
