"""Progress bars with the remaining time. They are shown only on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

from maskrcnn.annotations.trainable_check import Watch
from maskrcnn.evaluation.ranking_ap import Progress


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
