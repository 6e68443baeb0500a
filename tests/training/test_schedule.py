"""The clock of a run, with time in the test's hands."""

from typing import Any

import pytest

from maskrcnn.config import Config
from maskrcnn.training.schedule import Clock


@pytest.fixture
def now() -> list[float]:
    """What the clock on the wall shows."""
    return [100.0]


def clock_of(now: list[float], steps_per_pass: int, **fields: Any) -> Clock:
    return Clock(Config.preset("classroom", **fields), steps_per_pass, lambda: now[0])


def steps(clock: Clock, now: list[float], seconds: float) -> list[int]:
    """Run to the end at that many seconds a step; how many steps each epoch took."""
    taken = []
    while clock.progress < 1:
        clock.next_epoch()
        while not clock.epoch_is_over:
            now[0] += seconds
            clock.tick()
        taken.append(clock.step_of_epoch)
    return taken


def test_epochs_are_passes_through_the_pictures(now: list[float]) -> None:
    clock = clock_of(now, 5, epochs=3)
    assert steps(clock, now, 1.0) == [5, 5, 5]


def test_steps_per_epoch_may_be_set(now: list[float]) -> None:
    clock = clock_of(now, 5, epochs=2, steps_per_epoch=7)
    assert steps(clock, now, 1.0) == [7, 7]


def test_minutes_end_on_time_in_about_twenty_epochs(now: list[float]) -> None:
    # 120 s at 0.5 s a step: 240 steps; a twentieth of them is 12.
    clock = clock_of(now, 3, minutes=2)
    taken = steps(clock, now, 0.5)
    assert sum(taken) == 240
    assert len(taken) == 20
    assert now[0] == 100 + 120


def test_a_slow_machine_still_sees_every_picture_in_an_epoch(now: list[float]) -> None:
    # 60 s at 2 s a step: 30 steps. A pass takes 8; what would be left after the third (6 > 4) is an epoch of its own.
    clock = clock_of(now, 8, minutes=1)
    assert steps(clock, now, 2.0) == [8, 8, 8, 6]


def test_an_end_too_short_for_an_epoch_belongs_to_the_one_before(now: list[float]) -> None:
    # 60 s at 2 s a step: 30 steps in epochs of 9: the last 3 are less than half of one.
    clock = clock_of(now, 9, minutes=1)
    assert steps(clock, now, 2.0) == [9, 9, 12]


def test_eta_is_measured(now: list[float]) -> None:
    clock = clock_of(now, 10, epochs=2)
    assert clock.eta is None
    for _ in range(5):
        now[0] += 3.0
        clock.tick()
    assert clock.eta == pytest.approx(45.0)  # a quarter took 15 s


def test_learning_rate_rises_then_falls_along_a_cosine(now: list[float]) -> None:
    clock = clock_of(now, 100, epochs=1, learning_rate=1.0, warmup_steps=4)
    rates = []
    while clock.progress < 1:
        rates.append(clock.learning_rate)
        clock.tick()
    assert rates[0] == pytest.approx(0.2)
    assert rates[:5] == sorted(rates[:5])
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[50] == pytest.approx(0.5)  # cos(pi / 2) = 0
    assert rates[-1] < 0.001
