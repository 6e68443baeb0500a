"""A real server and a real Chromium.

`server` is started once for all browser tests of a session, on a free port and on a workspace of its own; a test that
needs a server that nobody has visited yet, or that it may stop, starts one with `new_server`. `page` is a fresh window;
when its test fails, what it and the windows opened beside it showed is printed, and kept in `test-results/`.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations.regions import Region
from maskrcnn.workspace import Workspace
from tests.browser.editor_driver import EditorDriver, labelled_project

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "test-results"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Server:
    """A running studio: `url` to open, `workspace` it works in, `log` of what it said."""

    url: str
    workspace: Path
    log: Path
    process: subprocess.Popen[bytes]

    def interrupt(self) -> None:
        """Stop it as Ctrl-C in its terminal does: SIGINT to its whole process group."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def start_server(
    workspace: Path,
    port: int | None = None,
    python: Sequence[str] = ("-m", "maskrcnn.studio"),
    environment: Mapping[str, str] | None = None,
) -> Server:
    """Start the studio and return as soon as it answers. `python` is what Python is given to run, by default what
    `make run` gives it; `environment` is added to its own."""
    if port is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    workspace.mkdir(parents=True, exist_ok=True)
    log = workspace.parent / f"{workspace.name}-server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                *python,
                "--server.port",
                str(port),
                "--server.headless",
                "true",
            ],
            cwd=ROOT,
            env={**os.environ, "MASKRCNN_WORKSPACE": str(workspace), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(f"http://127.0.0.1:{port}", workspace, log, process)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=2):
                return server
        except OSError:
            time.sleep(0.1)
    server.interrupt()
    raise RuntimeError(f"the studio did not start; it said:\n{log.read_text(errors='replace')[-4000:]}")


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """`new_server(workspace=None, port=None)` starts a studio of the test's own; all are stopped afterwards."""
    started: list[Server] = []

    def start(workspace: Path | None = None, port: int | None = None) -> Server:
        started.append(start_server(workspace or tmp_path / f"workspace-{len(started)}", port))
        return started[-1]

    yield start
    for server in started:
        server.interrupt()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The studio that browser tests share; its workspace has the sample, and what each of them puts there."""
    workspace = tmp_path_factory.mktemp("browser") / "workspace"
    workspace.mkdir()
    assert [path.name for path in Workspace(workspace).projects()] == ["shapes"]
    running = start_server(workspace)
    yield running
    running.interrupt()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for the session. Without one: skip, or fail where CI is set."""
    problem = ""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        problem = "Playwright is not installed; run `make test`, or pip install -r requirements-test.txt"
    else:
        executable = os.environ.get("MASKRCNN_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
        with sync_playwright() as playwright:
            try:
                chromium = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            except Error as error:
                problem = f"no Chromium starts ({error.message.splitlines()[0]}); run `make test`, which looks for one"
            else:
                yield chromium
                chromium.close()
                return
    if os.environ.get("CI"):
        pytest.fail(problem)
    pytest.skip(problem)


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A Playwright page of 1400 x 900 in a context of its own."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, accept_downloads=True)
    window = context.new_page()
    window.set_default_timeout(20_000)
    yield window
    _keep_all_if_failed(context, request)
    context.close()


@pytest.fixture(scope="module")
def new_editor(browser: Any, server: Server) -> Iterator[Callable[..., EditorDriver]]:
    """`new_editor(regions=(), pictures=3, size=(900, 600), **context)` opens a project of its own in a new window.

    Each picture has copies of `regions`. The window stays open until the tests of the module have ended.
    """
    contexts = []

    def start(
        regions: Sequence[Region] = (), pictures: int = 3, size: tuple[int, int] = (900, 600), **options: Any
    ) -> EditorDriver:
        folder = server.workspace / f"editor{len(list(server.workspace.glob('editor*')))}"
        project = labelled_project(folder, pictures, size, regions)
        contexts.append(browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options}))
        window = contexts[-1].new_page()
        window.set_default_timeout(15_000)
        driver = EditorDriver(window, server.url, project)
        driver.open(project.images()[0].file_name)
        return driver

    yield start
    for context in contexts:
        context.close()


@pytest.fixture
def kept_if_failed(request: pytest.FixtureRequest) -> Iterator[Callable[[Any], None]]:
    """`kept_if_failed(context)`: its windows are printed and kept when this test fails."""
    contexts: list[Any] = []
    yield contexts.append
    for context in contexts:
        _keep_all_if_failed(context, request)


def _keep_all_if_failed(context: Any, request: pytest.FixtureRequest) -> None:
    if not getattr(request.node, "failed_call", False):
        return
    SCREENSHOTS.mkdir(exist_ok=True)
    name = re.sub(r"[^\w.-]+", "-", request.node.name)
    for number, shown in enumerate(context.pages):
        try:
            _keep(shown, SCREENSHOTS / f"{name}{number or ''}.png")
        except Exception as error:  # a crashed page must not hide why the test failed
            print(f"no screenshot of {name}, window {number}: {error}")


def _keep(window: Any, path: Path) -> None:
    """Keep a picture of it; and print what it says, for those who see only what the tests printed."""
    window.screenshot(path=path)
    app = window.locator('[data-testid="stApp"]')
    state = app.get_attribute("data-test-script-state", timeout=1000)
    says = re.sub(r"\n+", " | ", app.inner_text(timeout=1000))
    print(f"--- {path.name}: {window.url}, script {state}\n{says[:1500]}")


@pytest.fixture(scope="session")
def settled() -> Callable[[Any], None]:
    """`settled(page)` waits until the page's script has run to its end."""

    def wait(page: Any, timeout: float = 30_000) -> None:
        # A click reaches the server a moment after it returns here; without this the state is still the old one.
        page.wait_for_timeout(150)
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=timeout)

    return wait


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call":
        item.failed_call = report.failed  # type: ignore[attr-defined]
    return report
