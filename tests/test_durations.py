"""How long something takes, in words."""

from __future__ import annotations

import pytest

from maskrcnn.durations import DAY, HOUR, MINUTE, about, clock, short


def counted_out(seconds: float) -> str:
    """A clock that is counted second by second, from half a second on."""
    hours = minutes = whole = 0
    while hours * 3600 + minutes * 60 + whole + 0.5 <= seconds:
        whole += 1
        if whole == 60:
            minutes, whole = minutes + 1, 0
        if minutes == 60:
            hours, minutes = hours + 1, 0
    return f"{hours}:{minutes:02}:{whole:02}" if hours else f"{minutes}:{whole:02}"


@pytest.mark.parametrize(
    "seconds", [0, 0.4, 0.5, 1.5, 2.5, 59.49, 59.5, 60, 249.6, 599.5, 3599.4, 3599.5, 3600, 36_061.2]
)
def test_a_duration_is_rounded_to_the_nearest_second(seconds: float) -> None:
    assert clock(seconds) == counted_out(seconds)


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "–"), (float("nan"), "–"), (float("inf"), "–"), (-3.0, "0:00"), (-0.2, "0:00")]
)
def test_a_duration_that_nobody_knows(seconds: float | None, said: str) -> None:
    assert clock(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "a second"),
        (0.2, "a second"),
        (1.49, "a second"),
        (1.6, "2 seconds"),
        (40, "40 seconds"),
        (89.4, "89 seconds"),
        (90, "2 minutes"),
        (5400, "90 minutes"),
        (5999, "100 minutes"),
        (6000, "1.7 hours"),
        (6500, "1.8 hours"),  # that were "108 minutes" on one page and "1.8 hours" on the other
        (12_600, "3.5 hours"),
        (35 * HOUR, "35 hours"),
        (1.5 * DAY, "1.5 days"),
        (2.5 * DAY, "2.5 days"),
        (9.6 * DAY, "9.6 days"),
        (99.4 * DAY, "99 days"),
        (99.6 * DAY, "100 days"),
        (1400 * DAY, "1,400 days"),
    ],
)
def test_an_estimate_has_a_unit_that_can_be_imagined(seconds: float, said: str) -> None:
    assert about(seconds) == f"about {said}"


def test_an_estimate_is_never_off_by_more_than_half_a_step_of_its_last_digit() -> None:
    """Every value from 2 seconds to 300 days, each 1 % more than the one before."""
    units = {"seconds": 1, "minutes": MINUTE, "hours": HOUR, "days": DAY}
    seconds = 2.0
    while seconds < 300 * DAY:
        _, number, unit = about(seconds).split()
        step = 0.1 if "." in number or (unit in ("hours", "days") and float(number) < 10) else 1
        assert abs(float(number) * units[unit] - seconds) <= step / 2 * units[unit] + 1e-6, about(seconds)
        seconds *= 1.01


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"),
        (0.004, "4 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.1 s"),
        (0.9, "0.9 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (12, "12 s"),
        (412.4, "412 s"),
    ],
)
def test_a_figure_among_others_is_short(seconds: float, said: str) -> None:
    assert short(seconds) == said
