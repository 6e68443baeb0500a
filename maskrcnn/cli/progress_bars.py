"""Progress bars with the time that is left. Nothing is shown where the output is not a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from maskrcnn.annotations.trainable import Watch
from maskrcnn.evaluation.bootstrap import Progress


def watch(unit: str) -> Watch:
    """A `Watch` that shows a bar of the items that have passed, called `unit`."""

    def shown(items: Iterable[Any], doing: str, count: int) -> Iterable[Any]:
        return tqdm(items, total=count, unit=f" {unit}", disable=None)

    return shown


@contextmanager
def progress_bar(unit: str) -> Iterator[Progress]:
    """A callback (done, total) that shows a bar; the bar appears with its first call."""
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
