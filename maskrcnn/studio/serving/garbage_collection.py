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


class Schedule:
    """Decides when to collect garbage."""

    def __init__(self, runs: PageRuns, now: float) -> None:
        self._seen, self._collected_after, self._last, self._wanted = runs, runs.finished, now, False

    def request(self) -> None:
        """Collect at the next idle time without waiting for `REST_SECONDS`, because a visit left reference cycles."""
        self._wanted = True

    def is_due(self, runs: PageRuns, now: float) -> bool:
        """Whether to collect now. Call this every `LOOK_SECONDS`, and collect if it returns True."""
        is_late = now - self._last >= PATIENCE_SECONDS
        idle = not runs.any_now and (is_late or runs == self._seen)
        self._seen = runs
        changed = runs.finished != self._collected_after and now - self._last >= REST_SECONDS
        if not idle or not (self._wanted or changed):
            return False
        self._collected_after, self._last, self._wanted = runs.finished, now, False
        return True


_schedule: Schedule | None = None


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
    _schedule = Schedule(runs_of(runtime), time.monotonic())
    _schedule.request()  # for the garbage of the imports
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if _schedule.is_due(runs_of(runtime), time.monotonic()):
            collect()


def runs_of(runtime: Runtime) -> PageRuns:
    """Return the current state of the script runs of all visits."""
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
