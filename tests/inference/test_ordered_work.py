"""Work in several threads: the order, the bound of what is in flight, and the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from maskrcnn.inference.ordered_work import in_order


def test_results_come_in_the_order_of_the_items_though_the_first_takes_longest() -> None:
    def work(number: int) -> int:
        time.sleep(0.02 * (5 - number))
        return number

    assert list(in_order(range(5), work, workers=3, ahead=5)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("ahead", "most", "taken"), [(3, 0, 3), (8, 10, 2), (8, 4, 1), (8, 15, 3)])
def test_no_more_items_are_taken_than_there_is_room_for(ahead: int, most: int, taken: int) -> None:
    """Each item weighs 5; one that weighs more than `most` comes alone. One more waits until there is room."""
    asked: list[int] = []

    def items() -> Iterator[int]:
        for number in range(20):
            asked.append(number)
            yield number

    results = in_order(items(), lambda number: number, 2, ahead, lambda number: 5, most)
    assert next(results) == 0
    assert len(asked) in ((taken, taken + 1) if most else (taken,))
    results.close()  # type: ignore[attr-defined]


def test_what_is_in_work_is_finished_after_a_stop_and_nothing_else_is_begun() -> None:
    stop = threading.Event()
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 2:
            stop.set()
        return number

    found = list(in_order(range(100), work, workers=1, ahead=3, stopped=stop.is_set))
    assert found == begun
    assert 3 <= len(found) <= 6


def test_an_error_comes_in_the_place_of_its_result() -> None:
    def work(number: int) -> int:
        if number == 2:
            raise ValueError("two")
        return number

    results = in_order(range(5), work, workers=2, ahead=4)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)
    assert threading.active_count() == 1 or not any("in_order" in thread.name for thread in threading.enumerate())
