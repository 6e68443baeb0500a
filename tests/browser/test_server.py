"""What the server lets in, what it tells, what it fetches, and what is left of a visit: on a real server."""

from __future__ import annotations

import contextlib
import http.client
import re
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.browser.conftest import ROOT, Server, start_server
from tests.jobs.fakes import until
from tests.sweeps import sweep

Settled = Callable[[Any], None]

PAGES = ("", "dataset", "label_next", "launch", "runs", "try_it", "predictions", "roi_align")

AUDIT = """
import os, sys
def note(event, args):
    if event.startswith(("socket.connect", "socket.getaddr", "socket.gethostby", "socket.sendto", "subprocess.Popen")):
        with open(os.environ["AUDIT"], "a") as log:
            log.write(f"{event} {args[1:] if event.startswith(('socket.connect', 'socket.sendto')) else args}\\n")
sys.addaudithook(note)
"""
"""A sitecustomize: writes down whom the process calls and what it starts."""

MB = 1024 * 1024


def studio_with(workspace: Path, code: str, *options: str) -> Server:
    """A studio in whose process `code` has run before it starts."""
    start = f"import runpy\n{code}\nrunpy.run_module('maskrcnn.studio', run_name='__main__')"
    return start_server(workspace, python=("-c", start, *options))


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A studio, and the file that says whom its process called."""
    folder = tmp_path_factory.mktemp("audited")
    (folder / "sitecustomize.py").write_text(AUDIT)
    log = folder / "audit.log"
    log.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        patch.setenv("AUDIT", str(log))
        server = start_server(folder / "workspace")
    yield server, log
    server.interrupt()


def calls_abroad(log: Path) -> list[str]:
    """What went beyond this machine, and programs that were started; Python itself looks for libraries by ldconfig."""
    here = re.compile(r"127\.0\.0\.1|localhost|'::1'|/sbin/ldconfig")
    return [line for line in log.read_text().splitlines() if not here.search(line)]


def ask(
    server: Server, path: str, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes, http.client.HTTPMessage]:
    """A request with these headers and no others: status, body and headers of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(server.url).port or 0, timeout=30)
    given = {"Host": urlsplit(server.url).netloc, **(headers or {})}
    if body is not None:
        given.setdefault("Content-Length", str(len(body)))
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in given.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    with connection.getresponse() as answer:
        result = answer.status, answer.read(), answer.headers
    connection.close()
    return result


class Visit:
    """A browser tab that is a few lines of Python: it opens the websocket, runs the page, and can upload."""

    def __init__(self, server: Server, host: str = "", origin: str | None = None) -> None:
        self.server = server
        opening = connect(
            f"ws://{host or urlsplit(server.url).netloc}/_stcore/stream",
            sock=socket.create_connection(("127.0.0.1", urlsplit(server.url).port or 0)),  # whatever `host` names
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers={} if origin is None else {"Origin": origin},
            max_size=None,
            open_timeout=30,
        )
        self.socket = contextlib.ExitStack().enter_context(opening)
        self.received: list[bytes] = []
        self.id = ""
        self.drawn = False
        threading.Thread(target=self._listen, daemon=True).start()
        self.draw()
        cookie = ask(server, "/_stcore/health")[2]["Set-Cookie"]
        self.token = cookie.split(";")[0].partition("=")[2]

    def draw(self) -> None:
        """Have the page drawn, and wait for it."""
        self.drawn = False
        message = BackMsg()
        message.rerun_script.query_string = ""
        self.socket.send(message.SerializeToString())
        assert until(lambda: self.drawn, 30)

    def _listen(self) -> None:
        for message in self.messages():
            assert isinstance(message, bytes)
            self.received.append(message)
            parsed = ForwardMsg.FromString(message)
            if parsed.WhichOneof("type") == "new_session":
                self.id = parsed.new_session.initialize.session_id
            # A run that ends early is followed by another, which `draw` waits for too.
            ended = parsed.WhichOneof("type") == "script_finished"
            self.drawn |= ended and parsed.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY

    def messages(self) -> Iterator[str | bytes]:
        with contextlib.suppress(ConnectionClosed):  # the server stops
            yield from self.socket

    def said(self, words: str) -> bool:
        return any(words.encode() in message for message in self.received)

    def upload(self, content: bytes, name: str = "a.bin", visit: str = "") -> int:
        """Put a file straight to the address for uploads; gives the status."""
        head = f'--limit\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'
        return ask(
            self.server,
            f"/_stcore/upload_file/{visit or self.id}/{uuid.uuid4()}",
            "PUT",
            head.encode() + content + b"\r\n--limit--\r\n",
            {
                "Content-Type": "multipart/form-data; boundary=limit",
                "Cookie": f"_streamlit_xsrf={self.token}",
                "X-Xsrftoken": self.token,
            },
        )[0]


# Nothing from outside


@sweep
def test_no_page_asks_for_anything_outside_this_machine(
    audited: tuple[Server, Path], browser: Any, settled: Settled
) -> None:
    server, log = audited
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    outside: list[str] = []

    def route(asked: Any) -> None:
        if asked.request.url.startswith((f"{server.url}/", "data:", "blob:")):
            asked.continue_()
        else:
            outside.append(asked.request.url)
            asked.abort()

    context.route("**/*", route)
    page = context.new_page()
    sockets: list[str] = []
    page.on("websocket", lambda opened: sockets.append(opened.url))
    for name in PAGES:
        page.goto(f"{server.url}/{name}")
        page.locator('[data-testid="stSidebar"]').get_by_text("pictures done").wait_for()
        settled(page)
        icon = page.locator("link[rel~=icon]").get_attribute("href")
        assert icon.startswith("data:image/svg+xml"), icon
        for opener in page.locator('[data-testid="stPopover"] button:visible').all():
            opener.click()
            page.wait_for_timeout(300)
            page.keyboard.press("Escape")
        for box in page.locator('[data-testid="stExpander"] summary:visible').all():
            box.click()
        settled(page)
        assert page.locator('[data-testid="stException"]').count() == 0
    page.locator('[data-testid="stMainMenu"] button').click()
    page.wait_for_timeout(500)
    context.close()

    assert outside == []
    assert {urlsplit(address).netloc for address in sockets} == {urlsplit(server.url).netloc}
    assert calls_abroad(log) == []


@pytest.mark.parametrize(
    "address",
    [
        "?staticAppId=evil",
        pytest.param("?embed=true&embed_options=show_toolbar", marks=sweep),
        pytest.param("launch?staticAppId=../../evil", marks=sweep),
    ],
)
def test_no_address_of_the_studio_makes_the_browser_fetch_from_elsewhere(
    audited: tuple[Server, Path], browser: Any, address: str
) -> None:
    """Streamlit's frontend draws a page that lies at data.streamlit.io when its address says `staticAppId`."""
    server, _ = audited
    context = browser.new_context()
    reached: list[str] = []
    context.route(
        re.compile(f"^(?!{re.escape(server.url)}|data:|blob:)"),
        lambda asked: (reached.append(asked.request.url), asked.fulfill(status=200, body="{}")),
    )
    page = context.new_page()
    page.goto(f"{server.url}/{address}")
    page.wait_for_timeout(3000)
    context.close()
    assert reached == []


def test_a_page_shows_nothing_from_elsewhere_even_where_its_words_do(audited: tuple[Server, Path], page: Any) -> None:
    server, _ = audited
    reached: list[str] = []
    page.route("http://evil.example/**", lambda asked: (reached.append(asked.request.url), asked.abort()))
    page.goto(server.url)
    page.locator('[data-testid="stSidebar"]').get_by_text("pictures done").wait_for()
    page.evaluate(
        """() => {
            for (const kind of ["img", "script", "iframe", "audio"]) {
                const element = document.createElement(kind);
                element.src = "http://evil.example/" + kind;
                document.body.append(element);
            }
            fetch("http://evil.example/fetch").catch(() => {});
        }"""
    )
    page.wait_for_timeout(1000)
    assert reached == []


# Foreign names and origins

ROUTES = (
    *("/", "/index.html", "/launch", "/static/js/none.js", "/favicon.png", "/media/0123.png", "/component/a/b.js"),
    *("/_stcore/health", "/_stcore/host-config", "/_stcore/metrics", "/_stcore/stream", "/nothing/such"),
    *("/_stcore/bidi-components/a/b.js", "/_stcore/upload_file/a/b"),
)

FOREIGN_HOSTS = (
    *("evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example:{port}"),
    *("127.0.0.1@evil.example", "localhost:{port}@evil.example", "[::2]:{port}", "8.8.8.8", "0.0.0.0:{port}", "", "*"),
)

FOREIGN_ORIGINS = (
    *("http://evil.example", "https://evil.example", "null", "http://127.0.0.1.evil.example:{port}", "file://"),
    *("http://localhost:1", "http://127.0.0.1", "http://127.0.0.1:{port}@evil.example", "chrome-extension://abc"),
    *("http://192.168.1.7:{port}", "http://8.8.8.8:{port}", "http://[::1", "127.0.0.1:{port}", ""),
)


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_host_is_refused_on_every_route(audited: tuple[Server, Path], host: str) -> None:
    server, log = audited
    host = host.format(port=urlsplit(server.url).port)
    assert {path: ask(server, path, headers={"Host": host})[0] for path in ROUTES} == dict.fromkeys(ROUTES, 403)
    assert ask(server, "/_stcore/upload_file/a/b", "PUT", b"x", {"Host": host})[0] == 403
    assert calls_abroad(log) == []


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_origin_is_refused_and_asks_nobody(audited: tuple[Server, Path], origin: str) -> None:
    server, log = audited
    origin = origin.format(port=urlsplit(server.url).port)
    for path in ("/", "/_stcore/health", "/static/js/none.js", "/media/0123.png"):
        assert ask(server, path, headers={"Origin": origin})[0] == 403, path
    assert ask(server, "/_stcore/upload_file/a/b", "OPTIONS", headers={"Origin": origin})[0] == 403
    with pytest.raises(InvalidStatus) as refused:
        Visit(server, origin=origin)
    assert refused.value.response.status_code == 403
    assert calls_abroad(log) == []


@pytest.mark.parametrize(
    "host", ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}", "localhost:9000", "LOCALHOST"]
)
def test_this_machines_own_names_work_at_any_port(audited: tuple[Server, Path], host: str) -> None:
    """At another port than its own it is reached through one that is forwarded to it."""
    server, _ = audited
    host = host.format(port=urlsplit(server.url).port)
    assert ask(server, "/", headers={"Host": host})[0] == 200
    assert ask(server, "/favicon.png", headers={"Host": host, "Origin": f"http://{host}"})[0] == 200
    visit = Visit(server, host, f"http://{host}")
    visit.socket.close()


@pytest.mark.parametrize(
    ("options", "variables", "named"),
    [
        pytest.param(["--server.allowedHosts", "lecture.example"], {}, "lecture.example:9000", marks=sweep),
        pytest.param([], {"STREAMLIT_SERVER_ALLOWED_HOSTS": "lecture.example"}, "lecture.example", marks=sweep),
        pytest.param(["--browser.serverAddress", "lecture.example"], {}, "lecture.example", marks=sweep),
        (["--server.address", "0.0.0.0"], {}, socket.gethostname()),
        pytest.param([], {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}, f"{socket.gethostname()}:8080", marks=sweep),
    ],
)
def test_a_name_that_the_person_gives_works_too_and_asks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], variables: dict[str, str], named: str
) -> None:
    """Started as `streamlit run app.py`, whose own banner would ask the internet where the address is 0.0.0.0."""
    (tmp_path / "sitecustomize.py").write_text(AUDIT)
    (tmp_path / "audit.log").touch()
    for name, value in {"PYTHONPATH": str(tmp_path), "AUDIT": str(tmp_path / "audit.log"), **variables}.items():
        monkeypatch.setenv(name, value)
    server = start_server(tmp_path / "workspace", python=("-m", "streamlit", "run", "app.py", *options))
    try:
        for host, status in {named: 200, "localhost": 200, "127.0.0.1:1234": 200, "evil.example": 403}.items():
            assert ask(server, "/", headers={"Host": host})[0] == status, host
        Visit(server, named, f"http://{named}").socket.close()
        with pytest.raises(InvalidStatus):
            Visit(server, named, "http://evil.example")
        assert calls_abroad(tmp_path / "audit.log") == []
        assert ask(server, "/_stcore/metrics")[0] == 404
    finally:
        server.interrupt()


# What the server tells


@pytest.mark.parametrize(
    "path",
    [
        "/_stcore/metrics",
        "/_stcore/metrics?families=cache_memory_bytes",
        "/%5Fstcore/metrics",
        "/_stcore/script-health-check",
        "/_stcore/agent/openapi.json",
        "/_stcore/agent/interact",
        "/_stcore/agent/mcp",
        "/_stcore/message",
        "/_stcore/allowed-message-origins",
        "/_stcore/",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_routes_that_tell_about_the_machine_are_closed(audited: tuple[Server, Path], path: str, method: str) -> None:
    status, body, _ = ask(audited[0], path, method, b"" if method == "POST" else None)
    assert (status, body.strip()) == (404, b"Not Found")


@pytest.mark.parametrize(
    "shown", [False, pytest.param(True, marks=sweep)], ids=["as it is", "where a developer asks for it"]
)
def test_a_page_that_fails_shows_no_path_and_the_terminal_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: bool
) -> None:
    if shown:
        monkeypatch.setenv("STREAMLIT_CLIENT_SHOW_ERROR_DETAILS", "full")
    server = studio_with(
        tmp_path / "workspace",
        "from maskrcnn.studio.shell import sidebar\n"
        "def broken(pages): raise RuntimeError('what was in /home/somebody/notes')\n"
        "sidebar.show = broken",
    )
    try:
        visit = Visit(server)
        elements = [ForwardMsg.FromString(message).delta.new_element for message in visit.received]
        (message,) = [str(element.exception) for element in elements if element.HasField("exception")]
        secrets = ("somebody", "RuntimeError", "broken", "app.py", "line ", str(ROOT))
        assert [secret in message for secret in secrets] == [shown] * len(secrets), message
        assert "RuntimeError: what was in /home/somebody/notes" in server.log.read_text()
        assert "in broken" in server.log.read_text()
    finally:
        server.interrupt()


def test_no_other_site_may_frame_or_steer_the_page(audited: tuple[Server, Path]) -> None:
    _, _, headers = ask(audited[0], "/")
    assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert b'"allowedOrigins":[]' in ask(audited[0], "/_stcore/host-config")[1]


# Uploads

SMALL = """
from maskrcnn.studio.serving import uploads
uploads.VISIT_BYTES, uploads.TOTAL_BYTES = 30 * uploads.MEGABYTE, 50 * uploads.MEGABYTE
from maskrcnn.studio import serving
from maskrcnn.studio.shell import sidebar
from pathlib import Path
show = sidebar.show
def noted(pages):
    serving.on_visit_end("a folder", lambda: Path({over!r}).write_text("over"))
    show(pages)
    if Path({free!r}).exists():
        serving.discard_uploads()
sidebar.show = noted
"""


def small_studio(folder: Path) -> Iterator[Server]:
    """A studio that takes 30 MB of uploads per visit, 50 MB in all, and gives a visit 5 s to come back."""
    server = studio_with(
        folder / "workspace",
        SMALL.format(over=str(folder / "over"), free=str(folder / "free")),
        "--server.disconnectedSessionTTL",
        "5",
    )
    yield server
    server.interrupt()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Server]:
    yield from small_studio(tmp_path)


@pytest.fixture(scope="module")
def shared_small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """For tests after which next to nothing is left of what they uploaded."""
    yield from small_studio(tmp_path_factory.mktemp("small"))


def memory(server: Server) -> float:
    """Megabytes that the server's process holds."""
    return psutil.Process(server.process.pid).memory_info().rss / MB


@sweep
def test_sixty_uploads_fill_what_a_visit_may_have_and_are_freed_after_it(small: Server, tmp_path: Path) -> None:
    visit = Visit(small)
    before = memory(small)
    # Each is 2 MB and 1 kB, and some bytes of framing: 14 of them fit into 30 MB.
    assert [visit.upload(bytes(2 * MB)) for _ in range(60)] == [204] * 14 + [413] * 46
    assert memory(small) - before < 60
    assert until(lambda: visit.said("Upload refused: over 30 MB together. Import those first, give a zip"), 30)

    # Another visit has the rest of the 50 MB, whatever it asks for.
    other = Visit(small)
    assert [other.upload(bytes(2 * MB)) for _ in range(14)] == [204] * 10 + [413] * 4
    assert until(lambda: other.said("Upload refused: all windows hold 50 MB."), 30)
    other.socket.close()

    full = memory(small)
    visit.socket.close()
    assert until(lambda: (tmp_path / "over").exists(), 60)
    assert until(lambda: memory(small) < full - 20, 30), "nobody visits, and what was uploaded is still there"
    third = Visit(small)
    assert until(lambda: [third.upload(bytes(2 * MB)) for _ in range(14)] == [204] * 14, 1)


def test_an_upload_must_say_how_long_it_is(shared_small: Server) -> None:
    visit = Visit(shared_small)
    address = f"/_stcore/upload_file/{visit.id}/{uuid.uuid4()}"
    headers = {"Cookie": f"_streamlit_xsrf={visit.token}", "X-Xsrftoken": visit.token}
    chunked = {**headers, "Transfer-Encoding": "chunked", "Content-Type": "multipart/form-data; boundary=limit"}
    assert ask(shared_small, address, "PUT", b"1\r\nx\r\n0\r\n\r\n", {**chunked, "Content-Length": ""})[0] in (400, 411)
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(shared_small.url).port or 0, timeout=30)
    connection.request("PUT", address, iter([b"x"]), chunked, encode_chunked=True)
    assert connection.getresponse().status == 411
    assert visit.upload(bytes(31 * MB)) == 413
    assert visit.upload(b"x", visit="nobody") == 400


@sweep
def test_what_is_on_its_way_counts_by_what_it_announced(small: Server) -> None:
    """Else as many as are sent at once would all be let in."""
    visit = Visit(small)
    with socket.create_connection(("127.0.0.1", urlsplit(small.url).port or 0)) as slow:
        slow.sendall(
            f"PUT /_stcore/upload_file/{visit.id}/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: {29 * MB}\r\n"
            f"Content-Type: multipart/form-data; boundary=limit\r\nCookie: _streamlit_xsrf={visit.token}\r\n"
            f"X-Xsrftoken: {visit.token}\r\n\r\n--limit\r\n".encode()
        )
        assert until(lambda: visit.upload(bytes(2 * MB)) == 413, 10)
    assert until(lambda: visit.upload(bytes(2 * MB)) == 204, 10)


def test_what_was_copied_to_where_it_is_needed_makes_room(small: Server, tmp_path: Path) -> None:
    visit = Visit(small)
    assert [visit.upload(bytes(20 * MB)) for _ in range(2)] == [204, 413]
    (tmp_path / "free").touch()
    visit.draw()
    assert [visit.upload(bytes(20 * MB)) for _ in range(2)] == [204, 413]


@sweep
def test_many_empty_files_count_too(small: Server) -> None:
    """Each is worth a kilobyte and its name, twice: once as it is stored, and announced as some bytes of framing."""
    visit = Visit(small)
    assert visit.upload(bytes(30 * MB - 40_000)) == 204
    statuses = [visit.upload(b"", "a" * 1000) for _ in range(40)]
    # 40,000 bytes less 1,029 for the large one; 2,024 for each that is there and some 2,120 for the one that arrives.
    assert statuses == [204] * 19 + [413] * 21


def test_the_page_says_that_an_upload_was_refused_and_what_to_do(
    shared_small: Server, page: Any, settled: Settled, tmp_path: Path
) -> None:
    page.goto(f"{shared_small.url}/dataset?view=import")
    chooser = page.locator('input[type="file"]')
    chooser.wait_for(state="attached")
    settled(page)
    (tmp_path / "much.zip").write_bytes(bytes(31 * MB))
    chooser.set_input_files(tmp_path / "much.zip")
    told = page.locator('[data-testid="stToast"]')
    told.wait_for()
    assert (
        "Upload refused: over 30 MB together. Import those first, give a zip or a folder's path." in told.inner_text()
    )
    assert "view more" not in told.inner_text()  # all of it is seen
    settled(page)
    chooser.set_input_files([{"name": "little.zip", "mimeType": "application/zip", "buffer": b"no zip"}])
    page.get_by_role("button", name="Show what is in it").click()
    page.locator('[data-testid="stAlert"]').get_by_text("little.zip").wait_for()
