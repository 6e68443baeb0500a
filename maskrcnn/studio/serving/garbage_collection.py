"""Schedule of Python's garbage collection (of reference cycles): after the start, and while no page script runs.

A full collection checks every object that can be part of a cycle. With PyTorch loaded these are 440,000 objects, which
takes 0.25 seconds. Python runs one thread at a time, so all pages wait meanwhile. By default Streamlit collects after
each script run (`runner.postScriptGC`, turned off in `.streamlit/config.toml`).

Here the objects that exist after the start (mainly modules) are frozen with `gc.freeze`, so automatic collections skip
them. A full collection is made when no page script has run for a moment, and the remaining objects are frozen again.
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
"""Interval between two checks in seconds. The server is idle if no script ran at both checks and between them."""

REST_SECONDS = 30.0
"""Minimum seconds between two collections, unless a visit ended.

Without it, a page that reruns every two seconds would cause a collection after each rerun.
"""

PATIENCE_SECONDS = 120.0
"""If the last collection was this many seconds ago, one check without a running script is enough (many visits)."""


class PageRuns(NamedTuple):
    """Script runs of all visits: whether any script is running now, and visit id -> number of its script runs."""

    any_now: bool
    finished: Mapping[str, int]


class GarbageCollectionSchedule:
    """Decides when to collect garbage. All times are seconds of one clock.

    `now` is the time of the start, which counts as a collection; `runs` are the script runs at that time.
    """

    def __init__(self, runs: PageRuns, now: float) -> None:
        self._runs_at_last_check = runs
        self._finished_at_last_collection = runs.finished
        self._last_collection = now
        self._is_requested = False

    def request(self) -> None:
        """Collect at the next idle time without waiting for `REST_SECONDS`, because a visit left reference cycles."""
        self._is_requested = True

    def is_due(self, runs: PageRuns, now: float) -> bool:
        """Whether to collect now. Call this every `LOOK_SECONDS`, and collect if it returns True.

        It is time to collect if the server is idle and there may be garbage.

        Idle: no script is running, and none has run since the last check. If the last collection was at least
        `PATIENCE_SECONDS` ago, scripts may have run since the last check.

        Garbage: a collection was requested, or scripts have run since the last collection, and that was at least
        `REST_SECONDS` ago.
        """
        seconds = now - self._last_collection
        is_idle = not runs.any_now and (runs == self._runs_at_last_check or seconds >= PATIENCE_SECONDS)
        self._runs_at_last_check = runs
        has_garbage = runs.finished != self._finished_at_last_collection and seconds >= REST_SECONDS
        if is_idle and (self._is_requested or has_garbage):
            self._finished_at_last_collection, self._last_collection, self._is_requested = runs.finished, now, False
            return True
        return False


_schedule: GarbageCollectionSchedule | None = None


def request_collection() -> None:
    """Collect garbage at the next time when no page script runs. Does nothing if the server is not running."""
    if _schedule is not None:
        _schedule.request()


async def watch(runtime: Runtime) -> None:
    """Collect garbage between script runs, as long as the server runs.

    The same event loop starts the script runs, so no script run starts during a collection.
    """
    global _schedule
    gc.freeze()
    _schedule = GarbageCollectionSchedule(_page_runs(runtime), time.monotonic())
    _schedule.request()  # for the garbage of the imports
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if _schedule.is_due(_page_runs(runtime), time.monotonic()):
            collect()


def _page_runs(runtime: Runtime) -> PageRuns:
    """For the schedule of the garbage collection: the script runs of all visits until now."""
    visits = runtime._session_mgr.list_sessions()
    running = any(visit.session._scriptrunner is not None for visit in visits)
    return PageRuns(running, {visit.session.id: visit.script_run_count for visit in visits})


def collect() -> None:
    """Make a full collection, then freeze the remaining objects, so that automatic collections skip them."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with contextlib.suppress(OSError, AttributeError):
        # glibc keeps freed memory; `malloc_trim` returns it to the system. Other C libraries have no such function.
        ctypes.CDLL(None).malloc_trim(0)
