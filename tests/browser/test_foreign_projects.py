"""Projects of odd names, with odd classes, and one that is moved away while a window shows it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Error

from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.annotations.store import Project
from maskrcnn.studio.shell.markdown_escape import WORD_JOINER
from tests.app.test_frame import make_project
from tests.browser.conftest import Server
from tests.sweeps import sweep

CLASSES = (
    "datum.x",
    "a.b[0]",
    "'];alert(1)//",
    "<img src=x onerror=alert(1)>",
    "![a](http://pictures.example/a.png)",
    "$x^2$ :red[x] :material/home:",
    "http://links.example/a.png",
    "www.links.example",
)
NAME = "![b](http:pictures.example) $y$ & #1?"


@sweep
def test_foreign_words_are_text_and_nothing_is_fetched(
    server: Server, page: Any, settled: Callable[[Any], None]
) -> None:
    project = make_project(server.workspace / NAME)
    image = project.images()[1]
    outline = Polygon(((5, 5), (40, 8), (20, 40)))
    project.save(image.id, [Region(outline, name) for name in CLASSES], image.revision)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog: {dialog.message}"))
    page.goto(f"{server.url}/dataset?project={quoted(NAME)}&view=statistics")
    page.locator("canvas, svg.marks").first.wait_for()
    settled(page)
    page.goto(f"{server.url}/dataset?project={quoted(NAME)}&view=classes")
    page.get_by_text("Snapshots").first.wait_for()
    settled(page)
    page.goto(f"{server.url}/?project={quoted(NAME)}&image=2.png&canvas=simple")
    buttons = page.locator('[data-testid="stMain"]').get_by_role("button").filter(has_text="⬤")
    buttons.nth(len(CLASSES)).wait_for()  # these, and "cell"
    said = [text.replace(WORD_JOINER, "").partition("\n")[0] for text in buttons.all_inner_texts()]
    assert said == [f"⬤ {name} {key}" for key, name in enumerate(("cell", *CLASSES), start=1)]
    made_of_it = page.locator('[data-testid="stMain"]').locator('.katex, a[href*=example]:not([href*="project="])')
    assert made_of_it.count() == 0
    assert not [url for url in asked if not url.startswith((server.url, "data:", "blob:"))]
    assert page.locator('[data-testid="stException"]').count() == 0


@sweep
def test_a_project_that_is_moved_away_is_told_and_comes_back(
    server: Server, page: Any, settled: Callable[[Any], None]
) -> None:
    make_project(server.workspace / "moved", 3)
    make_project(server.workspace / "stays", 1)
    page.goto(f"{server.url}/?project=moved")
    page.get_by_text("0 of 3 pictures done").wait_for()
    settled(page)
    away = server.workspace.parent / "away"
    (server.workspace / "moved").rename(away)
    with suppress(Error):  # the page may have noticed by itself, and taken the button away
        page.get_by_role("button", name="Next").click(timeout=3000)
    settled(page)
    page.reload()
    page.get_by_text('project "moved" is not there').wait_for()
    settled(page)
    assert "project=moved" in page.url
    assert not (server.workspace / "moved").exists()
    page.get_by_role("button", name="Projects").click()
    page.locator("label").filter(has_text="stays").click()
    page.get_by_text("0 of 1 picture done").wait_for()
    away.rename(server.workspace / "moved")
    page.goto(f"{server.url}/?project=moved")
    page.get_by_text("0 of 3 pictures done").wait_for()
    assert Project.open(server.workspace / "moved").counts().pictures == 3


def quoted(name: str) -> str:
    return quote(name, safe="")
