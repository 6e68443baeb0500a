"""Full collections are made while no page runs, and what is frozen is not kept for ever."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from maskrcnn.studio.serving import garbage_collection
from maskrcnn.studio.serving.garbage_collection import (
    PATIENCE_SECONDS,
    REST_SECONDS,
    GarbageCollectionSchedule,
    PageRuns,
)

LATER = REST_SECONDS


def runs(*finished: int, now: bool = False) -> PageRuns:
    return PageRuns(now, {f"visit {number}": count for number, count in enumerate(finished)})


@pytest.mark.parametrize(
    ("looks", "due"),
    [
        ([(LATER, runs(1)), (LATER, runs(1))], [False, True]),  # a run ended before the first look
        ([(LATER, runs(0)), (LATER, runs(0))], [False, False]),  # nothing ran
        ([(LATER, runs(0, now=True)), (LATER, runs(1)), (LATER, runs(1))], [False, False, True]),
        ([(LATER, runs(1)), (LATER, runs(2)), (LATER, runs(3))], [False, False, False]),  # one between any two looks
        ([(1.0, runs(1)), (2.0, runs(1)), (LATER, runs(1))], [False, False, True]),  # too early after the last one
        ([(LATER, runs(1)), (LATER, runs(1)), (LATER + 1, runs(1)), (2 * LATER, runs(1))], [False, True, False, False]),
        (
            [(PATIENCE_SECONDS - 1, runs(1)), (PATIENCE_SECONDS, runs(2)), (PATIENCE_SECONDS + 1, runs(2))],
            [False, True, False],
        ),
        ([(PATIENCE_SECONDS, runs(1, now=True)), (PATIENCE_SECONDS, runs(2))], [False, True]),
        ([(LATER, runs(0, 0)), (LATER, runs(0, 0))], [False, True]),  # a visit came
    ],
)
def test_it_is_collected_once_when_no_page_runs(looks: list[tuple[float, PageRuns]], due: list[bool]) -> None:
    schedule = GarbageCollectionSchedule(runs(0), 0.0)
    assert [schedule.is_due(seen, now) for now, seen in looks] == due


def test_after_the_end_of_a_visit_it_is_collected_at_once_but_not_while_a_page_runs() -> None:
    schedule = GarbageCollectionSchedule(runs(3), 0.0)
    schedule.request()
    assert not schedule.is_due(runs(3, now=True), 1.0)
    assert not schedule.is_due(runs(4), 1.5)
    assert schedule.is_due(runs(4), 2.0)
    assert not schedule.is_due(runs(4), 2.5)


@pytest.fixture
def unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()


class Circle:
    def __init__(self) -> None:
        self.me = self


@pytest.mark.usefixtures("unfrozen")
def test_what_was_frozen_and_is_used_no_more_goes_with_the_next_collection() -> None:
    circle = Circle()
    seen = weakref.ref(circle)
    garbage_collection.collect()
    assert gc.get_freeze_count() > 1000
    del circle
    gc.collect()
    assert seen() is not None  # frozen: the collections of Python itself pass it over, and are short
    garbage_collection.collect()
    assert seen() is None
