"""The types with which long tasks report their progress: a callback, or a wrapper of what is iterated over."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Progress = Callable[[int, int], object]
"""A callback `progress(done, total)`, called repeatedly with the number of finished pictures and of all pictures."""

Watch = Callable[[Iterable[Any], str, int], Iterable[Any]]
"""A wrapper of an iterable that may show a progress bar: `watch(items, label, number of items)` returns the items."""


def unwatched(items: Iterable[Any], _label: str, _count: int) -> Iterable[Any]:
    """Return the items as they are: a `Watch` without a progress bar, the default where a function takes a `Watch`."""
    return items


def progress_counter(progress: Progress | None, total: int) -> Callable[[], None]:
    """Return a function to call after each picture. It calls `progress` about 100 times in total."""
    done = 0

    def one_more() -> None:
        nonlocal done
        done += 1
        if progress is not None and (done == total or done % max(1, total // 100) == 0):
            progress(done, total)

    return one_more
