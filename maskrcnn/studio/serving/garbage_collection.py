"""When Python looks for objects that refer to each other in circles: after the start, and while no page is being run.

A full collection looks at every object that could be part of a circle. With torch loaded these are 440,000, which takes
a quarter of a second, and as Python runs one thread at a time, no page of any visit goes on meanwhile. Streamlit makes
one after each run of a page (`runner.postScriptGC`, off in `.streamlit/config.toml`).

Here what is there after the start, modules above all, is frozen: the collections that Python makes by itself while
pages run pass it over. A full one is made when no page has run for a moment, and what is left then is frozen in turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import time
from collections.abc import Mapping
from typing import NamedTuple

from streamlit.runtime import Runtime

LOOK_SECONDS = 0.5
"""No page has run for a moment: two looks, so far apart, have found none running and none between them."""

REST_SECONDS = 30.0
"""Between two collections, unless a visit has ended: a page that renews itself leaves a moment every two seconds."""

PATIENCE_SECONDS = 120.0
"""After so long without a moment, with many visits at once, an instant in which no page is being run is taken."""


class Runs(NamedTuple):
    """What the visits are doing: whether a page is being run for any of them, and how many were, by visit."""

    any_now: bool
    finished: Mapping[str, int]


class Schedule:
    """Says when to collect."""

    def __init__(self, runs: Runs, now: float) -> None:
        self._seen, self._collected_after, self._last, self._wanted = runs, runs.finished, now, False

    def want(self) -> None:
        """Do not wait for `REST_SECONDS`: a visit has ended, whose state goes round in circles."""
        self._wanted = True

    def is_due(self, runs: Runs, now: float) -> bool:
        """Whether to collect now. To be asked every `LOOK_SECONDS`; takes it that a True is heeded."""
        is_late = now - self._last >= PATIENCE_SECONDS
        idle = not runs.any_now and (is_late or runs == self._seen)
        self._seen = runs
        changed = runs.finished != self._collected_after and now - self._last >= REST_SECONDS
        if not idle or not (self._wanted or changed):
            return False
        self._collected_after, self._last, self._wanted = runs.finished, now, False
        return True


_schedule: Schedule | None = None


def soon() -> None:
    """Collect in the next moment in which no page is being run."""
    if _schedule is not None:
        _schedule.want()


async def watch(runtime: Runtime) -> None:
    """Collect in the moments between runs, for as long as the server runs. Runs are begun by the same event loop, so
    none begins during a collection."""
    global _schedule
    gc.freeze()
    _schedule = Schedule(runs_of(runtime), time.monotonic())
    _schedule.want()  # what the imports have left
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if _schedule.is_due(runs_of(runtime), time.monotonic()):
            collect()


def runs_of(runtime: Runtime) -> Runs:
    """What the visits of the server are doing."""
    visits = runtime._session_mgr.list_sessions()
    running = any(visit.session._scriptrunner is not None for visit in visits)
    return Runs(running, {visit.session.id: visit.script_run_count for visit in visits})


def collect() -> None:
    """A full collection. What is left after it is passed over by others until the next full one."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError, AttributeError):
        # glibc keeps what was freed for itself. Other systems have no such function.
        ctypes.CDLL(None).malloc_trim(0)
