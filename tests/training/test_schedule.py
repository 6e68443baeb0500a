"""The clock of a run, with time in the test's hands."""

from typing import Any

import pytest

from maskrcnn.config import Config
from maskrcnn.training.schedule import ScheduleClock


@pytest.fixture
def now() -> list[float]:
    """What the clock on the wall shows."""
    return [100.0]


def trial_clock(now: list[float], steps_per_pass: int, **fields: Any) -> ScheduleClock:
    return ScheduleClock(Config.preset("classroom", **fields), steps_per_pass, lambda: now[0])


def steps(clock: ScheduleClock, now: list[float], seconds: float) -> list[int]:
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
    clock = trial_clock(now, 5, epochs=3)
    assert steps(clock, now, 1.0) == [5, 5, 5]


def test_steps_per_epoch_may_be_set(now: list[float]) -> None:
    clock = trial_clock(now, 5, epochs=2, steps_per_epoch=7)
    assert steps(clock, now, 1.0) == [7, 7]


def test_minutes_end_on_time_in_about_twenty_epochs(now: list[float]) -> None:
    # 120 s at 0.5 s a step: 240 steps; a twentieth of them is 12.
    clock = trial_clock(now, 3, minutes=2)
    taken = steps(clock, now, 0.5)
    assert sum(taken) == 240
    assert len(taken) == 20
    assert now[0] == 100 + 120


def test_a_slow_machine_still_sees_every_picture_in_an_epoch(now: list[float]) -> None:
    # 60 s at 2 s a step: 30 steps. A pass takes 8; what would be left after the third (6 > 4) is an epoch of its own.
    clock = trial_clock(now, 8, minutes=1)
    assert steps(clock, now, 2.0) == [8, 8, 8, 6]


def test_an_end_too_short_for_an_epoch_belongs_to_the_one_before(now: list[float]) -> None:
    # 60 s at 2 s a step: 30 steps in epochs of 9: the last 3 are less than half of one.
    clock = trial_clock(now, 9, minutes=1)
    assert steps(clock, now, 2.0) == [9, 9, 12]


def test_eta_is_measured(now: list[float]) -> None:
    clock = trial_clock(now, 10, epochs=2)
    assert clock.eta is None
    for _ in range(5):
        now[0] += 3.0
        clock.tick()
    assert clock.eta == pytest.approx(45.0)  # a quarter took 15 s


def test_learning_rate_rises_then_falls_along_a_cosine(now: list[float]) -> None:
    clock = trial_clock(now, 100, epochs=1, learning_rate=1.0, warmup_steps=4)
    rates = []
    while clock.progress < 1:
        rates.append(clock.learning_rate)
        clock.tick()
    assert rates[0] == pytest.approx(0.2)
    assert rates[:5] == sorted(rates[:5])
    assert rates[5:] == sorted(rates[5:], reverse=True)
    assert rates[50] == pytest.approx(0.5)  # cos(pi / 2) = 0
    assert rates[-1] < 0.001


# Stages


def test_each_stage_has_its_own_warm_up_cosine_and_rate(now: list[float]) -> None:
    """100 steps: the heads for 40 of them, then all at a fifth of the rate; each rises over 4 steps."""
    clock = trial_clock(now, 100, epochs=1, learning_rate=1.0, warmup_steps=4, layers="heads:0.4,all:0.6:0.2")
    rates, layers = [], []
    while clock.progress < 1:
        rates.append(clock.learning_rate)
        layers.append(clock.stage.layers)
        clock.tick()
    assert layers == ["heads"] * 40 + ["all"] * 60
    assert rates[0] == pytest.approx(1 / 5)
    assert rates[20] == pytest.approx(0.5)  # the middle of the first
    assert rates[39] < 0.01
    assert rates[40] == pytest.approx(0.2 / 5)
    assert rates[70] == pytest.approx(0.1)  # the middle of the second
    assert rates[99] < 0.001


def test_stages_of_a_run_of_minutes_follow_the_time(now: list[float]) -> None:
    clock = trial_clock(now, 5, minutes=1, layers="heads:0.25,all:0.75")
    layers = []
    while clock.progress < 1:
        layers.append(clock.stage.layers)
        now[0] += 2
        clock.tick()
    assert layers == ["heads"] * 8 + ["all"] * 22  # 15 s are over after the eighth step of 2 s


def test_several_processes_that_are_told_the_same_times_decide_the_same(now: list[float]) -> None:
    other = [50.0]
    mine, theirs = trial_clock(now, 3, minutes=1), trial_clock(other, 3, minutes=1)
    for step in range(40):
        other[0] += 7.3 * (step % 3)  # its own clock says something else
        for clock in (mine, theirs):
            clock.tick(elapsed=1.5 * (step + 1))
        assert mine.state() == theirs.state()
        assert mine.epoch_is_over == theirs.epoch_is_over
        if mine.epoch_is_over:
            mine.next_epoch()
            theirs.next_epoch()


# Going on


def walk(clock: ScheduleClock, now: list[float], steps: int, seconds: float = 1.0) -> list[tuple[float, str]]:
    """The rate and the layers of that many steps, each of which takes so many seconds."""
    seen = []
    for _ in range(steps):
        if clock.epoch_is_over:
            clock.next_epoch()
        seen.append((clock.learning_rate, clock.stage.layers))
        now[0] += seconds
        clock.tick()
    return seen


@pytest.mark.parametrize("stop", [1, 3, 7, 10, 19])
def test_it_goes_on_as_if_it_had_not_stopped(stop: int, now: list[float]) -> None:
    fields = {"epochs": 4, "layers": "heads,all", "warmup_steps": 2}
    whole = walk(trial_clock(now, 5, **fields), now, 20)
    clock = trial_clock(now, 5, **fields)
    first = walk(clock, now, stop)
    again = trial_clock(now, 5, **fields)
    now[0] += 1000  # it lay still for a while
    again.restore(clock.state())
    assert first + walk(again, now, 20 - stop) == whole
    assert again.progress == 1
    assert again.elapsed == 20


def test_a_run_of_minutes_goes_on_with_what_was_left_of_them(now: list[float]) -> None:
    clock = trial_clock(now, 3, minutes=1)
    walk(clock, now, 20)
    again = trial_clock(now, 3, minutes=1)
    now[0] += 500
    again.restore(clock.state())
    assert again.progress == pytest.approx(20 / 60)
    walk(again, now, 40)
    assert again.progress == 1


def test_more_epochs_begin_with_a_warm_restart_of_what_learned_last(now: list[float]) -> None:
    """20 steps, then 20 more: at the middle of those the rate is half of the last stage's, 0.1."""
    fields = {"layers": "heads,all", "warmup_steps": 0, "learning_rate": 1.0}
    clock = trial_clock(now, 5, epochs=4, **fields)
    walk(clock, now, 20)
    longer = trial_clock(now, 5, epochs=8, **fields)
    longer.restore(clock.state())
    assert longer.progress == 0.5
    seen = walk(longer, now, 20)
    assert {layers for _, layers in seen} == {"all"}
    assert seen[0][0] == pytest.approx(0.1)
    assert seen[10][0] == pytest.approx(0.05)
    assert longer.progress == 1

    # And a state of the longer run is one to go on from.
    fields["warmup_steps"] = 0
    again = trial_clock(now, 5, epochs=8, **fields)
    halfway = trial_clock(now, 5, epochs=8, **fields)
    halfway.restore(clock.state())
    walk(halfway, now, 10)
    again.restore(halfway.state())
    assert walk(again, now, 10) == seen[10:]


def test_a_run_that_is_made_longer_in_its_first_stage_still_has_its_second(now: list[float]) -> None:
    """heads for the first 10 steps as planned, then all for what was left of it and what was added."""
    fields = {"layers": "heads,all", "warmup_steps": 0, "learning_rate": 1.0}
    clock = trial_clock(now, 5, epochs=4, **fields)
    first = walk(clock, now, 5)
    longer = trial_clock(now, 5, epochs=6, **fields)
    longer.restore(clock.state())
    rest = walk(longer, now, 25)
    assert [layers for _, layers in first + rest] == ["heads"] * 10 + ["all"] * 20
    assert [rate for rate, _ in first + rest][5] == pytest.approx(0.5)  # the middle of the heads, as it was to be
    assert rest[15][0] == pytest.approx(0.05)  # the middle of all
    assert longer.progress == 1


def test_more_minutes(now: list[float]) -> None:
    clock = trial_clock(now, 3, minutes=1)
    walk(clock, now, 60)
    longer = trial_clock(now, 3, minutes=1.5)
    longer.restore(clock.state())
    assert longer.progress == pytest.approx(60 / 90)
    walk(longer, now, 30)
    assert longer.progress == 1
