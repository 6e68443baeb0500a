"""A studio server and visitors of it, without browsers: what `visitors.py` and `pages.py` share.

`Server` starts `python -m maskrcnn.studio`, as `make run` does, on a temporary workspace, which the studio fills with
its sample project. `Visit` is one browser tab: a websocket to `/_stcore/stream` that speaks Streamlit's protocol
(`BackMsg` to the server, `ForwardMsg` back). As Streamlit's frontend does, it

- names the page of its first run by its path and the following ones by their hash, as clicks in the navigation do;
- keeps large messages for two runs and announces their hashes, so that the server sends a reference instead;
- downloads each image once, by its `/media/` address, after the run that shows it;
- reruns the fragments that ask for it (`run_every`) between two views.

It draws nothing: it sends no values of widgets, and custom components report no sizes, which in a browser can cause
one more run of a page. Nothing is imported from `maskrcnn`, so that any checkout can be measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

VIEW_SECONDS = 120.0
"""A page that is not finished by then counts as failed."""

DATASET_VIEWS = ("pictures", "statistics", "doctor", "split", "import", "export", "classes")
"""Values of `view` in the address of the page `dataset`."""

_IMAGE = re.compile(rb"/media/[0-9a-f]+\.(?:png|jpe?g|webp|gif|svg)")


class Server:
    """A studio of `checkout` on an empty workspace in `folder`, from entering the block to leaving it."""

    def __init__(self, checkout: Path, folder: Path) -> None:
        self.checkout, self.folder = checkout.resolve(), folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"

    def __enter__(self) -> Server:
        command = [sys.executable, "-m", "maskrcnn.studio", "--server.address", "127.0.0.1"]
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                [*command, "--server.port", str(self.port)],
                cwd=self.checkout,
                env={**os.environ, "MASKRCNN_WORKSPACE": str(self.folder / "workspace")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.process = psutil.Process(self._child.pid)
        try:
            self._wait_for_health()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGINT)
        try:
            self._child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def cpu_seconds(self) -> float:
        """Processor time of the server and its children, also of those that have exited."""
        total = 0.0
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += sum(process.cpu_times()[:4])  # user, system, and both of children that have exited
        return total

    def resident_mb(self) -> float:
        """Resident memory of the server and its children, in MB (10^6 bytes)."""
        total = 0
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total / 1e6

    def last_lines(self, count: int = 30) -> str:
        """The end of what the server printed, to explain a failure."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def _wait_for_health(self) -> None:
        end = time.monotonic() + VIEW_SECONDS
        while time.monotonic() < end and self._child.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"the server did not start:\n{self.last_lines()}")


@dataclass(frozen=True)
class Page:
    """Where a visitor goes. The start page has an empty `path`; `hash` is Streamlit's name for it, empty if unknown."""

    name: str
    path: str = ""
    hash: str = ""
    query: str = ""


START = Page("start page")
"""As a visitor asks for it that knows no other; its view has the name from the navigation."""


@dataclass
class View:
    """One run of a page, from the request to `script_finished`, and what it sent."""

    page: Page
    seconds: float = 0.0
    sent: int = 0
    """Bytes of the websocket's messages, before compression."""
    by_type: Counter[str] = field(default_factory=Counter)
    """The same, by the type of message or element."""
    media: int = 0
    """Bytes of the images that were downloaded for it."""
    errors: int = 0
    """Error boxes (`st.error`), which may be what the page is meant to say."""
    failures: list[str] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)


class Visit:
    """One browser tab. `pages` is known after the first view: every page of the navigation, the dataset by view."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.pages: list[Page] = []
        self._seen: set[str] = set()
        self._kept: dict[str, int] = {}
        self._run = 0
        self._timers: dict[str, float] = {}
        self._view = View(START)
        self._finished = asyncio.Event()

    async def __aenter__(self) -> Visit:
        self._socket: ClientConnection = await connect(
            f"ws://127.0.0.1:{self.server.port}/_stcore/stream",
            origin=self.server.url,  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            open_timeout=VIEW_SECONDS,
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        self._reader.cancel()

    async def open(self, page: Page) -> View:
        """Run a page, wait for it, download its images."""
        self._timers.clear()
        self._finished.clear()
        view = self._view = View(page)
        start = time.perf_counter()
        try:
            await self._rerun(page)
            async with asyncio.timeout(VIEW_SECONDS):
                await self._finished.wait()
        except TimeoutError:
            view.failures.append(f"not finished after {VIEW_SECONDS:.0f} s")
        except ConnectionClosed:
            view.failures.append("connection closed")
        view.seconds = time.perf_counter() - start
        if page is START and self.pages:
            view.page = self.pages[0]
        self._view = View(page, failures=view.failures)  # of the fragments until the next view, only failures count
        new, self._seen = view.addresses - self._seen, self._seen | view.addresses
        view.media = await asyncio.to_thread(self._download, new)
        return view

    async def stay(self, seconds: float) -> None:
        """Look at the page, whose fragments with an interval are run meanwhile."""
        end = time.monotonic() + seconds
        due = {fragment: time.monotonic() + interval for fragment, interval in self._timers.items()}
        while due and min(due.values()) < end:
            fragment = min(due, key=due.__getitem__)
            await asyncio.sleep(max(0.0, due[fragment] - time.monotonic()))
            if fragment not in self._timers:
                del due[fragment]
                continue
            due[fragment] = time.monotonic() + self._timers[fragment]
            await self._rerun(self._view.page, fragment)
        await asyncio.sleep(max(0.0, end - time.monotonic()))

    async def _rerun(self, page: Page, fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash, state.fragment_id = page.query, page.hash, fragment
        state.page_name = "" if page.hash else page.path
        state.is_auto_rerun = bool(fragment)
        state.cached_message_hashes.extend(self._kept)
        state.context_info.url = f"{self.server.url}/{page.path}"
        state.context_info.color_scheme = "light"
        await self._socket.send(message.SerializeToString())

    async def _read(self) -> None:
        try:
            async for data in self._socket:
                self._take(data if isinstance(data, bytes) else data.encode())
        except ConnectionClosed:
            pass
        self._fail("connection closed")

    def _take(self, data: bytes) -> None:
        message, view = ForwardMsg.FromString(data), self._view
        kind: str = message.WhichOneof("type") or "?"
        if message.metadata.cacheable:
            self._kept[message.hash] = self._run
        if kind == "delta":
            kind = self._take_delta(message, data)
        elif kind == "ref_hash":
            if message.ref_hash not in self._kept:
                self._fail("a reference to a message that was never sent")
            self._kept[message.ref_hash] = self._run
        elif kind == "navigation":
            self.pages = _pages(message)
        elif kind == "page_not_found":
            view.failures.append("page not found")
        elif kind == "auto_rerun":
            self._timers[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._timers.pop(fragment, None)
        view.sent += len(data)
        view.by_type[kind] += len(data)
        if kind == "script_finished":
            if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                self._fail("the script does not compile")
            elif message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                self._run += 1
                self._kept = {key: run for key, run in self._kept.items() if self._run - run <= 2}
                self._finished.set()

    def _take_delta(self, message: ForwardMsg, data: bytes) -> str:
        """The type of what a delta adds."""
        view, element = self._view, message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            view.failures.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert":
            view.errors += element.alert.format == Alert.ERROR
        elif kind != "download_button":
            view.addresses.update(address.decode() for address in _IMAGE.findall(data))
        return kind or message.delta.WhichOneof("type") or "?"

    def _fail(self, reason: str) -> None:
        if not self._finished.is_set():
            self._view.failures.append(reason)
            self._finished.set()

    def _download(self, addresses: set[str]) -> int:
        total = 0
        for address in sorted(addresses):
            try:
                with urllib.request.urlopen(self.server.url + address, timeout=VIEW_SECONDS) as answer:
                    total += len(answer.read())
            except OSError as error:
                self._view.failures.append(f"{address}: {error}")
        return total


def _pages(message: ForwardMsg) -> list[Page]:
    """The pages of a navigation, one for each title (the start page can have a second address)."""
    found: dict[str, Page] = {}
    for entry in sorted(message.navigation.app_pages, key=lambda entry: not entry.is_default):
        path = "" if entry.is_default else entry.url_pathname
        found.setdefault(entry.page_name, Page(entry.page_name, path, entry.page_script_hash))
    return [
        replace(page, name=f"{page.name}: {view}" if view else page.name, query=f"view={view}" if view else "")
        for page in found.values()
        for view in (DATASET_VIEWS if page.path == "dataset" else ("",))
    ]


def machine() -> str:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores{load}, Python {sys.version.split()[0]}"
