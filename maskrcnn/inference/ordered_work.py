"""Work on many items in several threads, with the results in the order of the items and bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_LOOK = 0.2
"""Seconds after which a waiting main thread runs Python code again. On Windows, Ctrl-C needs this."""


def in_order(
    items: Iterable[Item],
    work: Callable[[Item], Result],
    workers: int,
    ahead: int,
    weigh: Callable[[Item], int] = lambda item: 0,
    most: int = 0,
    stopped: Callable[[], bool] = bool,
) -> Iterator[Result]:
    """The results `work(item)` in the order of `items`, computed by `workers` threads.

    At most `ahead` items are worked on, or finished and not yet taken; their weights add up to at most `most` (an item
    that weighs more comes alone). Items are taken from `items` in the calling thread, when there is room for one more.
    After `stopped()` has become true no further item is taken, and the results of those that were taken still come.
    An exception of `work` is raised in place of its result.

    >>> list(in_order(range(5), lambda number: number * number, workers=2, ahead=3))
    [0, 1, 4, 9, 16]
    """
    source = iter(items)
    flight: deque[tuple[Future[Result], int]] = deque()
    waiting: list[tuple[Item, int]] = []  # the next item, if it was too heavy to be added
    weight, is_over = 0, False
    pool = ThreadPoolExecutor(workers, thread_name_prefix="in_order")
    try:
        while True:
            while len(flight) < ahead and not stopped():
                if not waiting and not is_over:
                    try:
                        item = next(source)
                    except StopIteration:
                        is_over = True
                    else:
                        waiting.append((item, weigh(item)))
                if not waiting or (flight and weight + waiting[0][1] > most > 0):
                    break
                item, own = waiting.pop()
                weight += own
                flight.append((pool.submit(work, item), own))
                del item
            if not flight:
                return
            future, own = flight.popleft()
            while not wait([future], _LOOK).done:
                pass
            weight -= own
            result = future.result()
            del future  # or it would keep the result until the next one has come
            yield result
            del result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
