"""What `make test` keeps small and `make fuzz` does in full: the same tests, with more members and new examples.

`make fuzz` runs every property (hypothesis), and every test that is marked `sweep` or `wider`.
"""

from __future__ import annotations

import os

import pytest

FUZZ = bool(os.environ.get("MASKRCNN_FUZZ"))

sweep = pytest.mark.sweep
"""A test, or a member of a parametrised one, that `make fuzz` alone runs."""

wider = pytest.mark.wider
"""A test that asks `FUZZ` how many members it tries."""


def examples(number: int) -> int:
    """How many examples a property is tried on: `number`, or twenty times as many in `make fuzz`."""
    return number * 20 if FUZZ else number
