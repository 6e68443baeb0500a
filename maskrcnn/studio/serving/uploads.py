"""Limits for uploads. Streamlit limits the size of one file (`server.maxUploadSize`), but not the number of files.

It keeps all uploaded files in memory until the visit ends.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import cast

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit import config, runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.url_util import make_url_path

MEGABYTE = 1024 * 1024

VISIT_BYTES = 500 * MEGABYTE
"""Maximum bytes of one visit's uploads at a time; the same as the limit of one file (`server.maxUploadSize`).

Larger data can be imported by the path of a folder on this computer, without a copy in memory.
"""

TOTAL_BYTES = 1500 * MEGABYTE
"""Maximum bytes of all visits' uploads together, enough for three full visits; for a computer with 8 GB that trains."""

FILE_BYTES = 1024
"""Bytes counted for each file in addition to its content, so that very many empty files also reach the limit."""

_arriving: Counter[str] = Counter()
"""Visit -> bytes of its uploads that are being received."""

_refused: dict[str, str] = {}
"""Visit -> reason of a refused upload that its page has not shown yet."""


class UploadLimit:
    """ASGI middleware that answers 413 to an upload that exceeds a limit, and makes the page show the reason.

    Space is reserved by the `Content-Length` of a request before its body is read. A request without a length is
    refused (411); browsers always send it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        visit = _visit(scope)
        if visit is None:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 16) or "transfer-encoding" in headers:
            await PlainTextResponse("An upload has to announce its length.\n", 411)(scope, receive, send)
            return
        size = int(length) + FILE_BYTES
        reason = _refusal(visit, size)
        if reason is not None:
            await _discard(receive, int(length))
            await PlainTextResponse(f"{reason}\n", 413)(scope, receive, send)
            _rerun_page(visit, reason)
            return
        _arriving[visit] += size
        try:
            await self.app(scope, receive, send)
        finally:
            _arriving[visit] -= size
            if not _arriving[visit]:
                del _arriving[visit]


def show_refusal() -> None:
    """Show the reason of a refused upload in the current visit's page, once."""
    context = get_script_run_ctx()
    reason = _refused.pop(context.session_id, None) if context is not None else None
    if reason is not None:
        st.toast(reason, icon=":material/error:", duration="infinite")


def discard_uploads() -> None:
    """Remove the uploaded files of the current visit from memory. Call this after they were copied elsewhere.

    Streamlit would keep them until the visit ends. Give the file uploader a new key afterwards.
    """
    context = get_script_run_ctx()
    if context is not None and runtime.exists():
        runtime.get_instance().uploaded_file_mgr.remove_session_files(context.session_id)


def forget(visit: str) -> None:
    """Remove the data that this module stores for a visit."""
    _refused.pop(visit, None)


def _visit(scope: Scope) -> str | None:
    """Return the visit for which a request uploads a file; None for other requests."""
    if scope["type"] != "http" or scope["method"] != "PUT":
        return None
    base = make_url_path(config.get_option("server.baseUrlPath"), "_stcore/upload_file") + "/"
    path: str = scope["path"]
    return path.removeprefix(base).split("/")[0] if path.startswith(base) else None


def _refusal(visit: str, size: int) -> str | None:
    """Return the reason if an upload of `size` bytes exceeds a limit, else None."""
    manager = cast(MemoryUploadedFileManager, runtime.get_instance().uploaded_file_mgr)
    held = {
        name: sum(len(file.data) + len(file.name) + FILE_BYTES for file in list(files.values()))
        for name, files in list(manager.file_storage.items())
    }
    # The texts are short because a toast shows only three lines.
    if held.get(visit, 0) + _arriving[visit] + size > VISIT_BYTES:
        most = VISIT_BYTES // MEGABYTE
        return f"Upload refused: over {most} MB together. Import those first, give a zip or a folder's path."
    if sum(held.values()) + _arriving.total() + size > TOTAL_BYTES:
        most = TOTAL_BYTES // MEGABYTE
        return f"Upload refused: all windows hold {most} MB. Import what they hold, or give a folder's path."
    return None


async def _discard(receive: Receive, length: int) -> None:
    """Read the body of a refused upload and discard it.

    Otherwise the browser, interrupted while sending, would show "connection reset" instead of the answer. A body larger
    than the limit of one file is not read.
    """
    if length > config.get_option("server.maxUploadSize") * MEGABYTE:
        return
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return


def _rerun_page(visit: str, reason: str) -> None:
    """Store the reason and rerun the page of the visit, so that `show_refusal` shows it.

    If a reason is already stored, nothing happens. Streamlit has no public function for this. As Streamlit's own file
    watcher does, this requests a rerun with the last widget values. It first waits for a current script run to end,
    because that run has newer values.
    """
    if visit in _refused:
        return
    session = runtime.get_instance().get_app_session(visit)
    if session is None:
        return
    _refused[visit] = reason

    async def request_rerun() -> None:
        while session._scriptrunner is not None:
            await asyncio.sleep(0.1)
        session.request_rerun(session._client_state)

    task = asyncio.get_running_loop().create_task(request_rerun())
    _rerun_tasks.add(task)
    task.add_done_callback(_rerun_tasks.discard)


_rerun_tasks: set[asyncio.Task[None]] = set()
"""References to the running tasks, because asyncio keeps only weak ones."""
