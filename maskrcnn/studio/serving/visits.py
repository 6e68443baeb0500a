"""What a visit leaves behind: its uploads, its state, the files that were unpacked for it. Gone minutes after it ends.

A visit is one browser tab (Streamlit: a session). Streamlit keeps one whose connection broke for
`server.disconnectedSessionTTL` seconds (120), in case it comes back. Then it is only dropped when the next visit breaks
off: the last visit of a day would hold its memory until the next day.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import cast

from streamlit import config
from streamlit.runtime import Runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from maskrcnn.studio.serving import garbage_collection, uploads

_LOG = logging.getLogger(__name__)
_SWEEP_SECONDS = 5.0

_callbacks: dict[str, dict[str, Callable[[], object]]] = {}
"""What to do at the end of each visit, by visit and name."""
_lock = threading.Lock()


def on_visit_end(name: str, callback: Callable[[], object] | None) -> None:
    """Call `callback` when the visit whose page is being drawn is over, or the server stops; in a thread of its own.

    A callback of the same `name` in the same visit is replaced (by None: dropped), so what is kept for one does not
    pile up. Where no page is being drawn, nothing is kept.
    """
    context = get_script_run_ctx()
    if context is None:
        return
    with _lock:
        mine = _callbacks.setdefault(context.session_id, {})
        mine.pop(name, None)
        if callback is not None:
            mine[name] = callback


async def watch(runtime: Runtime) -> None:
    """End the visits that have been left, for as long as the server runs."""
    left: dict[str, float] = {}
    while True:
        seconds = config.get_option("server.disconnectedSessionTTL")
        await asyncio.sleep(min(_SWEEP_SECONDS, seconds / 10))
        try:
            ended = sweep(runtime, left, 0.8 * seconds)
            if ended:
                await asyncio.to_thread(_clear_up, ended)
        except Exception:  # what went wrong with one visit must not keep the others
            _LOG.exception("A visit that is over could not be cleared up")


def sweep(runtime: Runtime, left: dict[str, float], patience: float) -> list[str]:
    """Close the visits that were left `patience` seconds ago, and give the names of all that are over since the last
    time. `left` says when each was first found without a connection, and is kept up.

    `patience` is below Streamlit's own time: a visit that is past that is out of reach, yet still in memory.
    """
    now = time.monotonic()
    known = {info.session.id for info in runtime._session_mgr.list_sessions()}
    for visit in known:
        if runtime.is_active_session(visit):
            left.pop(visit, None)
        elif now - left.setdefault(visit, now) >= patience:
            runtime.close_session(visit)
    still = {info.session.id for info in runtime._session_mgr.list_sessions()}
    manager = cast(MemoryUploadedFileManager, runtime.uploaded_file_mgr)
    with _lock:
        # An upload that arrives while its visit ends is stored after all.
        over = ({*known, *left, *_callbacks, *list(manager.file_storage)}) - still
    for visit in over:
        left.pop(visit, None)
        manager.remove_session_files(visit)
        uploads.forget(visit)
    return sorted(over)


def end_all() -> None:
    """Do what is to be done at the end of each visit, for all of them: the server stops."""
    with _lock:
        visits = list(_callbacks)
    _call(visits)


def _clear_up(visits: list[str]) -> None:
    """What takes longer than a server that answers others may wait."""
    _call(visits)
    garbage_collection.soon()


def _call(visits: list[str]) -> None:
    for visit in visits:
        with _lock:
            callbacks = _callbacks.pop(visit, {})
        for name, callback in callbacks.items():
            try:
                callback()
            except Exception:
                _LOG.exception("%s could not be cleared up after a visit", name)
