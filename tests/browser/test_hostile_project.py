"""A hostile project in the workspace, and one opened from a folder, visited page by page in a real browser.

No process is started or ended, no file outside is read or changed, nothing is asked of anybody, and every page of every
other project works.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from PIL import Image

from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.annotations.store import Project
from maskrcnn.runs.folder import DATASET, LOG, PROCESS, QUEUED, RESULT, RunFolder
from tests.browser.conftest import ROOT, Server, start_server
from tests.sweeps import sweep

PAGES = ("", "dataset", "label_next", "launch", "runs", "try_it", "predictions", "roi_align")
AUDIT = """
import os, sys
handle = os.open(os.environ["AUDIT"], os.O_WRONLY | os.O_APPEND)
WATCHED = ("open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.kill", "os.killpg",
           "os.exec", "os.fork", "os.posix_spawn", "os.system", "subprocess.Popen", "shutil.rmtree", "sqlite3.connect",
           "socket.connect", "socket.getaddrinfo")
def note(event, given):
    if event in WATCHED:
        os.write(handle, f"{event} {given[:2]!r}\\n".encode("utf-8", "replace"))
sys.addaudithook(note)
"""
"""A sitecustomize: writes down which files the server opens, what it starts and whom it calls."""


class Ear:
    """A socket that takes down whoever calls it."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.heard: list[bytes] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(1)
                self.heard.append(caller.recv(200))


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.socket.close()


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], stdin=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


def square(name: str | None = None) -> Region:
    return Region(Polygon(((5, 5), (60, 8), (40, 50))), name)


def sound(folder: Path) -> Project:
    project = Project.create(folder)
    pictures = []
    for number in (1, 2, 3):
        path = folder.parent / f"{folder.name}-{number}.png"
        Image.new("RGB", (96, 72), (40 * number, 80, 120)).save(path)
        pictures.append(path)
    project.add_pictures(pictures[:2], "train")
    project.add_pictures(pictures[2:], "val")
    for path in pictures:
        path.unlink()
    for image in project.images():
        project.save(image.id, [square("leaf")], image.revision)
    return project


def hostile(folder: Path, secret: Path, ear: Ear, stranger: subprocess.Popen[bytes], marker: Path) -> None:
    """Everything at once that a stranger may put into a project: it is still good enough to be opened."""
    image = f"![x](http://127.0.0.1:{ear.port}/name.png)"
    project = sound(folder)
    first = project.images()[0]
    project.save(first.id, [square(image), square("=cmd|'/c calc'!A0"), square("<script>x</script>")], first.revision)
    with closing(sqlite3.connect(folder / "project.db")) as db:
        db.execute("UPDATE meta SET value = ? WHERE key = 'name'", (json.dumps(f"{image} $x$"),))
        db.execute(
            "UPDATE image SET file_name = ? WHERE id = 2", (os.path.relpath(secret / "photo.png", folder / "images"),)
        )
        db.commit()
    third = project.images_folder / project.images()[2].file_name
    third.unlink()
    third.symlink_to(secret / "photo.png")
    (folder / "thumbnails").symlink_to(secret)
    (folder / "images" / ".incoming").symlink_to(secret)
    runs = folder / "runs"
    argv = [
        sys.executable,
        "-c",
        f"open({str(marker)!r}, 'w')",
        "-m",
        "maskrcnn",
        "train",
        "--out",
        str(runs / "waits"),
    ]
    note = {"argv": argv, "device": "any", "created": 1.0, "workspace": str(folder), "resume": False}
    for name in ("waits", "waits-on", "claimed"):
        (runs / name).mkdir()
        (runs / name / QUEUED).write_text(json.dumps(note if name != "claimed" else {**note, "claimed": time.time()}))
    for name in ("cancel", "broken", "linked", "looks"):
        shutil.copytree(ROOT / "data" / "weights" / "toy", runs / name)
    process = psutil.Process(stranger.pid)
    named = {"pid": process.pid, "create_time": process.create_time(), "argv": argv, "started": time.time()}
    (runs / "cancel" / RESULT).unlink()
    (runs / "cancel" / PROCESS).write_text(json.dumps({**named, "cancel_asked": time.time() - 60, "device": "cpu"}))
    (runs / "broken" / PROCESS).write_text('{"pid": -1, "create_time": 1}')
    (runs / "linked" / LOG).unlink()
    (runs / "linked" / LOG).symlink_to(secret / "words.txt")
    labels = json.loads((runs / "looks" / DATASET).read_text())
    for entry in labels["val"]["images"]:
        entry["path"] = str(secret / "photo.png")
    (runs / "looks" / DATASET).write_text(json.dumps(labels))
    card = json.loads((runs / "looks" / "card.json").read_text())
    (runs / "looks" / "card.json").write_text(
        json.dumps({**card, "what": image, "limits": f"[a](http://127.0.0.1:{ear.port})"})
    )
    with (runs / "looks" / "best.safetensors").open("ab") as file:
        file.write(b"\0")
    (runs / f"![r](http:127.0.0.1:{ear.port}) $y$").mkdir()
    (folder / "jobs.db").write_bytes(b"no database")


def quoted(name: str) -> str:
    return quote(name, safe="")


def visit(page: Any, settled: Callable[[Any], None], server: Server, project: str) -> list[str]:
    """The pages of a project, with their boxes opened; what they say in red."""
    said: list[str] = []
    for name in PAGES:
        page.goto(f"{server.url}/{name}?project={quoted(project)}")
        page.locator('[data-testid="stSidebar"]').get_by_text("pictures done").wait_for()
        settled(page)
        boxes = page.locator('[data-testid="stMain"] [data-testid="stExpander"] summary:visible').all()
        for box in boxes:
            box.evaluate("box => box.click()")  # no waiting until what runs below has drawn itself
        if boxes:
            settled(page)
        assert page.locator('[data-testid="stException"]').count() == 0, (project, name)
        said += page.locator('[data-testid="stAlertContentError"]').all_inner_texts()
    return said


@sweep
def test_a_hostile_project_does_nothing_and_stops_nobody(
    tmp_path: Path,
    page: Any,
    settled: Callable[[Any], None],
    ear: Ear,
    stranger: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace, secret, marker = tmp_path / "workspace", tmp_path / "secret", tmp_path / "owned"
    (secret / "mine").mkdir(parents=True)
    Image.new("RGB", (96, 72), "red").save(secret / "photo.png")
    for path in (secret / "words.txt", secret / "mine" / "thesis.txt"):
        path.write_text("the secret word")
    workspace.mkdir()
    good = sound(workspace / "good")
    hostile(workspace / "evil", secret, ear, stranger, marker)
    elsewhere = tmp_path / "their place"
    hostile(elsewhere, secret, ear, stranger, marker)
    before = {path: path.read_bytes() for path in secret.rglob("*") if path.is_file()}

    (tmp_path / "sitecustomize.py").write_text(AUDIT)
    log = tmp_path / "audit.log"
    log.touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("AUDIT", str(log))
    server = start_server(workspace)
    try:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{server.url}/?project=good")
        page.locator('[data-testid="stSidebar"]').get_by_text("pictures done").wait_for()
        processes = {process.pid for process in psutil.Process(server.process.pid).children(recursive=True)}

        visit(page, settled, server, "evil")
        page.locator('[data-testid="stSidebar"] [data-testid="stPopover"] button').click()
        page.get_by_role("textbox", name="Open from this computer").fill(str(elsewhere))
        page.keyboard.press("Enter")
        page.wait_for_url("**project=their*")
        settled(page)
        visit(page, settled, server, elsewhere.name)
        every = [(run, name) for run in ("cancel", "waits", "claimed", "looks") for name in ("runs", "predictions")]
        for run, name in every:
            page.goto(f"{server.url}/{name}?project=evil&run={run}")
            page.locator('[data-testid="stSidebar"]').get_by_text("pictures done").wait_for()
            settled(page)
            assert page.locator('[data-testid="stException"]').count() == 0
        page.goto(f"{server.url}/runs?project=evil&run=looks")
        page.get_by_text("cannot be read; the others go on").wait_for()
        assert page.get_by_text("ships with the studio").count() == 0
        assert visit(page, settled, server, "good") == []
        assert {process.pid for process in psutil.Process(server.process.pid).children(recursive=True)} <= processes
    finally:
        server.interrupt()

    assert not marker.exists()
    assert stranger.poll() is None
    assert ear.heard == []
    assert not [
        url
        for url in asked
        if not url.startswith((f"{server.url}/", server.url.replace("http", "ws"), "data:", "blob:"))
    ]
    assert {path: path.read_bytes() for path in secret.rglob("*") if path.is_file()} == before
    told = log.read_text().splitlines()
    assert [line for line in told if str(secret) in line and not line.startswith(("os.scandir", "os.listdir"))] == []
    assert [line for line in told if "jobs.db" in line and ("evil" in line or "their place" in line)] == []
    started = [line for line in told if line.startswith(("subprocess", "os.exec", "os.posix", "os.system", "os.kill"))]
    assert [line for line in started if "ldconfig" not in line] == []
    here = re.compile(r"127\.0\.0\.1|localhost|'::1'")
    called = [line for line in told if line.startswith("socket")]
    assert [line for line in called if not here.search(line) or str(ear.port) in line] == []
    assert good.counts().pictures == 3
    assert RunFolder(workspace / "evil" / "runs" / "waits").path.is_dir()
