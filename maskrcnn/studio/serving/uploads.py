"""How much may be uploaded. Streamlit limits one file (`server.maxUploadSize`), but takes any number of them, and keeps
them all in memory until the visit ends."""

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
"""What one visit may have uploaded at a time: as much as its largest file may have (`server.maxUploadSize`). What is
larger is on this computer already, as a folder whose path can be given, which needs no copy in memory."""

TOTAL_BYTES = 1500 * MEGABYTE
"""What all visits may have uploaded together: three of the largest, on a computer with 8 GB that also trains."""

FILE_BYTES = 1024
"""Counted for each file beside its content: its name and its entry, which a million of empty files have too."""

_arriving: Counter[str] = Counter()
"""Bytes of the uploads that are on their way, by visit."""

_refused: dict[str, str] = {}
"""What a visit has not been told yet."""


class UploadLimit:
    """ASGI middleware that answers 413 to an upload for which there is no room, and sees to it that the page says so.

    Room is set aside by the length that a request announces, before any of it is read. One that announces none is
    refused (411): browsers always do.
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
        reason = _no_room(visit, size)
        if reason is not None:
            await _discard(receive, int(length))
            await PlainTextResponse(f"{reason}\n", 413)(scope, receive, send)
            _tell(visit, reason)
            return
        _arriving[visit] += size
        try:
            await self.app(scope, receive, send)
        finally:
            _arriving[visit] -= size
            if not _arriving[visit]:
                del _arriving[visit]


def show_refusal() -> None:
    """Tell the visit whose page is being drawn that an upload was refused, once."""
    context = get_script_run_ctx()
    reason = _refused.pop(context.session_id, None) if context is not None else None
    if reason is not None:
        st.toast(reason, icon=":material/error:", duration="infinite")


def free_uploads() -> None:
    """Forget the files that this visit has uploaded. For when they have been copied to where they are needed: Streamlit
    would keep them in memory until the visit ends. The file uploader that they came from has to get a new key."""
    context = get_script_run_ctx()
    if context is not None and runtime.exists():
        runtime.get_instance().uploaded_file_mgr.remove_session_files(context.session_id)


def forget(visit: str) -> None:
    """Forget what this module keeps of a visit."""
    _refused.pop(visit, None)


def _visit(scope: Scope) -> str | None:
    """The visit that a request uploads a file for; None where it is another kind of request."""
    if scope["type"] != "http" or scope["method"] != "PUT":
        return None
    base = make_url_path(config.get_option("server.baseUrlPath"), "_stcore/upload_file") + "/"
    path: str = scope["path"]
    return path.removeprefix(base).split("/")[0] if path.startswith(base) else None


def _no_room(visit: str, size: int) -> str | None:
    """Why an upload of so many bytes cannot be taken, if so."""
    manager = cast(MemoryUploadedFileManager, runtime.get_instance().uploaded_file_mgr)
    held = {
        name: sum(len(file.data) + len(file.name) + FILE_BYTES for file in list(files.values()))
        for name, files in list(manager.file_storage.items())
    }
    # Short, for a toast hides what does not fit into three lines.
    if held.get(visit, 0) + _arriving[visit] + size > VISIT_BYTES:
        most = VISIT_BYTES // MEGABYTE
        return f"Upload refused: over {most} MB together. Import those first, give a zip or a folder's path."
    if sum(held.values()) + _arriving.total() + size > TOTAL_BYTES:
        most = TOTAL_BYTES // MEGABYTE
        return f"Upload refused: all windows hold {most} MB. Import what they hold, or give a folder's path."
    return None


async def _discard(receive: Receive, length: int) -> None:
    """Read a body that is not wanted, without keeping it: a browser that is interrupted in the middle of sending shows
    "connection reset" instead of the answer. One that is larger than any file may be is not read."""
    if length > config.get_option("server.maxUploadSize") * MEGABYTE:
        return
    while True:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body"):
            return


def _tell(visit: str, reason: str) -> None:
    """Let the page of a visit run once more, so that `show_refusal` is reached. Several refusals at once are told once.

    Streamlit has no way to do this from outside a page. Like its own watcher of source files, this asks for a run with
    the values that the widgets had last, and waits for a run that is going on, which has newer ones.
    """
    if visit in _refused:
        return
    session = runtime.get_instance().get_app_session(visit)
    if session is None:
        return
    _refused[visit] = reason

    async def ask() -> None:
        while session._scriptrunner is not None:
            await asyncio.sleep(0.1)
        session.request_rerun(session._client_state)

    task = asyncio.get_running_loop().create_task(ask())
    _asking.add(task)
    task.add_done_callback(_asking.discard)


_asking: set[asyncio.Task[None]] = set()
"""asyncio itself keeps no task alive."""
