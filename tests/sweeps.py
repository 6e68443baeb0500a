"""What `make test` keeps small and `make fuzz` does in full: the same tests, with more members and new examples.

`make fuzz` runs every property (hypothesis), and every test that is marked `sweep` or `wider`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

FUZZ = bool(os.environ.get("MASKRCNN_FUZZ"))

sweep = pytest.mark.sweep
"""A test, or a member of a parametrised one, that `make fuzz` alone runs."""

wider = pytest.mark.wider
"""A test that asks `FUZZ` how many members it tries."""


def one_in(step: int, members: Iterable[Any]) -> list[Any]:
    """Members for `parametrize`, of which `make test` tries the first of every `step`, and `make fuzz` all. A tuple is
    one value for each of several names."""
    marks = ([], [sweep])
    return [pytest.param(*_values(member), marks=marks[number % step > 0]) for number, member in enumerate(members)]


def _values(member: Any) -> tuple[Any, ...]:
    return member if isinstance(member, tuple) else (member,)


def examples(number: int) -> int:
    """How many examples a property is tried on: `number`, or twenty times as many in `make fuzz`."""
    return number * 20 if FUZZ else number
