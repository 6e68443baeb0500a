"""Without a server: its gate, the end of a visit, and files that are not what they are called."""

from __future__ import annotations

import ast
import asyncio
import io
import json
import socket
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.types import Message
from streamlit import config

from maskrcnn.annotations import intake
from maskrcnn.errors import StudioError
from maskrcnn.studio.serving import access_control, visits


@pytest.fixture
def set_option() -> Iterator[Callable[[str, Any], None]]:
    """`set_option(name, value)` as the command line would; undone afterwards."""
    config.get_option("server.port")
    before = {name: config._config_options[name] for name in config._config_options}
    yield lambda name, value: config.set_option(name, value, "command-line argument or environment variable")
    for name, option in before.items():
        config._config_options[name] = option
    config.get_config_options(force_reparse=True)


def status(path: str, host: str | None, origin: str | None = None, kind: str = "http") -> int:
    """What the gate answers; 200 where it lets the request pass, 403 for a websocket that it closes."""
    sent: list[Message] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    headers = [(b"host", host.encode("latin-1"))] if host is not None else []
    headers += [(b"origin", origin.encode("latin-1"))] if origin is not None else []
    scope = {"type": kind, "method": "GET", "path": path, "headers": headers}
    asyncio.run(access_control.AccessControl(app)(scope, receive, send))
    return 403 if sent[0]["type"] == "websocket.close" else sent[0]["status"]


@pytest.fixture
def own(set_option: Callable[[str, Any], None]) -> None:
    set_option("server.allowedHosts", access_control.own_names())


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "host",
    [
        None,
        "",
        " ",
        "evil.example",
        "localhost.",  # the root's dot is the same name, and passes below
        "evil.example.",
        "localhost.evil.example",
        "xn--lcalhost-5fb",
        "127.0.0.1.nip.io",
        "127.1",
        "2130706433",
        "0x7f000001",
        "127.0.0.01",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:0:0:2]",
        "user@localhost",
        "localhost@evil.example",
        "localhost/evil.example",
        "localhost?evil.example",
        "localhost#evil.example",
        "localhost:80:80",
        "localhost:99999",
        "localhost:port",
        "localhost, evil.example",
        "localhost\\@evil.example",
        "[::1",
    ],
)
def test_only_the_studios_own_names_pass(host: str | None, kind: str) -> None:
    assert status("/", host, kind=kind) == (200 if host == "localhost." else 403)


@pytest.mark.usefixtures("own")
def test_two_host_headers_are_one_too_many() -> None:
    headers = access_control.Headers(raw=[(b"host", b"localhost"), (b"host", b"evil.example")])
    assert access_control._refusal(headers, "/") is not None


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("http://127.0.0.1:8501", "127.0.0.1:8501", 200),
        ("http://localhost:8501", "127.0.0.1:8501", 200),
        ("http://[::1]:9000", "[::1]:9000", 200),
        ("https://localhost", "localhost", 200),
        (None, "localhost", 200),
        ("http://localhost:8502", "localhost:8501", 403),
        ("http://localhost", "localhost:8501", 403),
        ("ftp://localhost:8501", "localhost:8501", 403),
        ("localhost:8501", "localhost:8501", 403),
        ("http://localhost:8501/", "localhost:8501", 403),
        ("http://localhost:8501@evil.example", "localhost:8501", 403),
        ("http://evil.example#localhost:8501", "localhost:8501", 403),
        ("http://localhost:eight", "localhost:8501", 403),
        ("null", "localhost:8501", 403),
        ("", "localhost:8501", 403),
    ],
)
def test_only_the_studios_own_pages_pass(origin: str | None, host: str, expected: int, kind: str) -> None:
    assert status("/_stcore/stream", host, origin, kind) == expected


def test_the_address_and_the_names_that_were_given_pass(set_option: Callable[[str, Any], None]) -> None:
    set_option("server.address", "10.1.2.3")
    set_option("server.allowedHosts", ["*.school.example"])
    assert access_control.own_names() == ["*.school.example", "10.1.2.3", "127.0.0.1", "::1", "localhost"]
    set_option("server.allowedHosts", access_control.own_names())
    assert [status("/", host) for host in ("10.1.2.3:7", "a.school.example", "localhost:1")] == [200, 200, 200]
    assert [status("/", host) for host in ("10.1.2.4", "school.example.evil", "aschool.example")] == [403, 403, 403]
    # One name of a pattern is not another: pages of a.school.example are none of the studio's at b.school.example.
    assert status("/", "b.school.example", "http://a.school.example") == 403


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_on_every_address_the_machines_own_pass(set_option: Callable[[str, Any], None], address: str) -> None:
    set_option("server.address", address)
    names = access_control.own_names()
    assert {"127.0.0.1", "::1", "localhost", socket.gethostname()} <= set(names)
    assert "*" not in names
    set_option("server.allowedHosts", names)
    assert status("/", "evil.example") == 403


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("base", ["", "studio", "/studio/"])
def test_closed_routes_are_closed_under_a_base_path_too(set_option: Callable[[str, Any], None], base: str) -> None:
    set_option("server.baseUrlPath", base)
    prefix = f"/{base.strip('/')}" if base else ""
    closed = ("metrics", "agent/mcp", "script-health-check", "healthy", "streams", "upload_file", "")
    assert {status(f"{prefix}/_stcore/{route}", "localhost") for route in closed} == {404}
    opened = ("health", "host-config", "stream", "upload_file/a/b", "bidi-components/a/b.js")
    assert {status(f"{prefix}/_stcore/{route}", "localhost") for route in opened} == {200}


# The end of a visit


def test_at_the_end_each_callback_is_called_and_one_that_fails_keeps_none() -> None:
    called: list[str] = []

    def fails() -> None:
        raise OSError("the disk is full")

    visits._callbacks["a"] = {"broken": fails, "folder": lambda: called.append("a")}
    visits._callbacks["b"] = {"folder": lambda: called.append("b")}
    visits.end_all()
    visits.end_all()
    assert called == ["a", "b"]
    assert visits._callbacks == {}


def test_a_callback_of_the_same_name_takes_the_place_of_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    class Context:
        session_id = "tab"

    called: list[int] = []
    monkeypatch.setattr(visits, "get_script_run_ctx", Context)
    for number in (1, 2):
        visits.on_visit_end("folder", lambda number=number: called.append(number))
    visits.on_visit_end("other", lambda: called.append(3))
    visits.on_visit_end("dropped", lambda: called.append(4))
    visits.on_visit_end("dropped", None)
    visits.end_all()
    assert called == [2, 3]


# Files that are not what they are called: what a browser offers to choose is no check (CVE-2025-1684)


def _png() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "PNG")
    return stream.getvalue()


VIA = json.dumps(
    {
        "a.png1": {
            "filename": "a.png",
            "size": 1,
            "regions": [
                {
                    "shape_attributes": {"name": "polygon", "all_points_x": [1, 5, 1], "all_points_y": [1, 1, 5]},
                    "region_attributes": {"class": "leaf"},
                }
            ],
            "file_attributes": {},
        }
    }
).encode()


def _zip() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("labels.json", VIA)
        archive.writestr("a.png", _png())
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.json", _png()),
        ("a.png", VIA),
        ("a.png", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
        ("a.png", b"\x7fELF" + bytes(100)),
        ("a.json", b"<html><script>alert(1)</script></html>"),
        ("a.zip", _png()),
        ("a.pkl", b"cos\nsystem\n(S'id'\ntR."),
        ("a.html", _png()),
        ("a.exe", VIA),
    ],
)
def test_a_file_that_is_not_what_its_name_says_gets_one_line(name: str, content: bytes, tmp_path: Path) -> None:
    with pytest.raises(StudioError) as refused:
        intake.stage_uploads([(name, content)], beside=tmp_path / "images")
    assert name in str(refused.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["a.png", "a.exe"])
def test_a_zip_is_a_zip_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    with intake.stage_uploads([(name, _zip())], beside=tmp_path / "images") as staged:
        assert [(record.file_name, len(record.regions)) for record in staged.dataset.images] == [("a.png", 1)]


def test_no_uploader_leaves_the_choice_of_files_to_the_browser(root: Path) -> None:
    """An uploader with `type` looks as if it checked; intake does, by content, so none has one."""
    for file in [*(root / "pages").rglob("*.py"), *(root / "maskrcnn" / "studio").rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "file_uploader"
            ):
                assert "type" not in {keyword.arg for keyword in node.keywords}, file
