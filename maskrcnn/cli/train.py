"""`python -m maskrcnn train`: fine-tune a network and write a run folder."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskrcnn.annotations.trainable_check import Watch
from maskrcnn.cli.device_option import add_device, choose_device
from maskrcnn.cli.estimate import estimate_command
from maskrcnn.durations import clock
from maskrcnn.runs.folder import Row
from maskrcnn.runs.request import TrainingRequest
from maskrcnn.runs.request_options import add_options
from maskrcnn.training.distributed import join
from maskrcnn.training.start import rehearse
from maskrcnn.training.training_run import train


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
    team, device = join(choose_device(args.device))
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


def training_bar(stack: ExitStack, *, shown: bool) -> Callable[[Row], None]:
    """A callback for the rows of a training that shows them as a progress bar on the terminal.

    The bar appears with the first row and is closed with `stack`. It is never shown if `shown` is False.
    """
    bar: tqdm[Any] | None = None

    def report(row: Row) -> None:
        nonlocal bar
        if bar is None:
            disable = None if shown else True  # None: tqdm shows a bar only on a terminal
            bar = stack.enter_context(tqdm(total=1.0, disable=disable, bar_format="{l_bar}{bar}| {elapsed}{postfix}"))
        bar.update(row["progress"] - bar.n)
        bar.set_postfix_str(f"epoch {row['epoch']}, loss {row['loss']:.3f}, ETA {clock(row['eta'])}")

    return report


def print_line(line: str) -> None:
    """Print a line above the progress bar."""
    tqdm.write(line)
    sys.stdout.flush()


def preparation_bars(is_cancelled: Callable[[], bool]) -> Watch:
    """A `Watch` that shows a progress bar for each long preparation before the first training step.

    Raises `KeyboardInterrupt` at the next item when `is_cancelled()` is true.
    """

    def watch(items: Iterable[Any], doing: str, count: int) -> Iterator[Any]:
        for item in tqdm(items, doing, count, disable=None, leave=False):
            if is_cancelled():
                raise KeyboardInterrupt
            yield item

    return watch


def stop_on_signals() -> Callable[[], bool]:
    """Handle SIGTERM and Ctrl-C so that the training can save its state and stop.

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
