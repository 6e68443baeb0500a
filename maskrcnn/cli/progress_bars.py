"""Progress bars of the commands, with the remaining time, and lines above them. Bars are shown only on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TextIO

from tqdm import tqdm

from maskrcnn.annotations.trainable_check import Watch
from maskrcnn.durations import clock
from maskrcnn.evaluation.ranking_ap import Progress
from maskrcnn.runs.folder import Row


def watch(unit: str) -> Watch:
    """A `Watch` that shows a progress bar; `unit` is the word for the items, such as "pictures"."""

    def shown(items: Iterable[Any], doing: str, count: int) -> Iterable[Any]:
        return tqdm(items, total=count, unit=f" {unit}", disable=None)

    return shown


@contextmanager
def progress_bar(unit: str) -> Iterator[Progress]:
    """A context with a callback (done, total) that shows a progress bar; the bar appears with the first call."""
    bar: tqdm[Any] | None = None

    def progress(done: int, total: int) -> None:
        nonlocal bar
        bar = bar if bar is not None else tqdm(total=total, unit=f" {unit}", disable=None, leave=False)
        bar.total = total
        bar.update(done - bar.n)

    try:
        yield progress
    finally:
        if bar is not None:
            bar.close()


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


def print_line(line: str, file: TextIO | None = None) -> None:
    """Print a line on standard output, or another file, above the progress bar."""
    file = file or sys.stdout
    tqdm.write(line, file=file)
    file.flush()


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
