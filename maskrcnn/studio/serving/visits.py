"""Clean-up after visits: uploads, session state and unpacked files are removed minutes after a tab was closed.

A visit is one browser tab (in Streamlit: a session). After a disconnect Streamlit keeps a session for
`server.disconnectedSessionTTL` seconds (120), in case the tab reconnects. But it removes expired sessions only when
another session disconnects, so the last session of a day would keep its memory until the next day.
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
"""Maximum seconds between two calls of `sweep`."""

_SHARE_OF_TIMEOUT = 0.8
"""A disconnected visit is closed after this share of Streamlit's own timeout; `sweep` needs less than 1."""

_callbacks: dict[str, dict[str, Callable[[], object]]] = {}
"""Visit -> name -> callback for the end of the visit."""
_lock = threading.Lock()


def on_visit_end(name: str, callback: Callable[[], object] | None) -> None:
    """Register a function that is called when the current visit ends or the server stops, in a separate thread.

    It replaces the visit's callback with the same `name`; None removes that callback. Outside a page script, nothing is
    registered.
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
    """Close disconnected visits and clean up after them, as long as the server runs.

    It looks every 5 seconds; more often if the timeout of Streamlit is shorter than 50 seconds (in tests).
    """
    left: dict[str, float] = {}
    while True:
        timeout = config.get_option("server.disconnectedSessionTTL")  # seconds
        await asyncio.sleep(min(_SWEEP_SECONDS, timeout / 10))
        try:
            ended = sweep(runtime, left, _SHARE_OF_TIMEOUT * timeout)
            if ended:
                await asyncio.to_thread(_clear_up, ended)
        except Exception:  # an error with one visit must not stop the clean-up of others
            _LOG.exception("A visit that is over could not be cleared up")


def sweep(runtime: Runtime, left: dict[str, float], patience: float) -> list[str]:
    """Close the visits that were disconnected for `patience` seconds, and return the ids of all visits that ended.

    `left` (visit -> time when it was first found disconnected) is updated. `patience` must be less than Streamlit's own
    timeout: after that timeout, a session cannot be closed any more, but it is still in memory.
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
        # The visits in the file storage are included, because an upload that arrives while its visit ends is stored.
        over = ({*known, *left, *_callbacks, *list(manager.file_storage)}) - still
    for visit in over:
        left.pop(visit, None)
        manager.remove_session_files(visit)
        uploads.forget(visit)
    return sorted(over)


def end_all() -> None:
    """Call the callbacks of all visits, because the server stops."""
    with _lock:
        visits = list(_callbacks)
    _call(visits)


def _clear_up(visits: list[str]) -> None:
    """Call the callbacks of ended visits and request a garbage collection. It is slow, so it runs in a thread."""
    _call(visits)
    garbage_collection.request_collection()


def _call(visits: list[str]) -> None:
    """Call and remove the callbacks of these visits. Exceptions are logged."""
    for visit in visits:
        with _lock:
            callbacks = _callbacks.pop(visit, {})
        for name, callback in callbacks.items():
            try:
                callback()
            except Exception:
                _LOG.exception("%s could not be cleared up after a visit", name)
