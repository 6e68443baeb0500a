"""The type of progress callbacks of long tasks."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], object]
"""A callback `progress(done, total)`, called repeatedly with the number of finished pictures and of all pictures."""


def progress_counter(progress: Progress | None, total: int) -> Callable[[], None]:
    """Return a function to call after each picture. It calls `progress` about 100 times in total."""
    done = 0

    def one_more() -> None:
        nonlocal done
        done += 1
        if progress is not None and (done == total or done % max(1, total // 100) == 0):
            progress(done, total)

    return one_more
