"""What a person draws is stored exactly once, whatever happens to the connection, the answers, the tab and the server.

The modules of the editor run on an empty page of a small server in this process, which has the studio's real routes. So
a test can lose an answer after the store has the change, or start the server again with other addresses.
"""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.store import Project
from maskrcnn.studio.annotate import editor_routes
from maskrcnn.studio.serving import addresses, browser_code
from tests.browser.editor_driver import until
from tests.sweeps import one_in

try:
    from playwright.sync_api import Error
except ImportError:  # then all of these tests are skipped
    Error = OSError  # type: ignore[misc, assignment]

EDITOR = Path(editor_routes.__file__).parent / "editor"

SETUP = """async ([modules, server, project]) => {
  const [documents, requests, drafts, edits] = await Promise.all(modules.map((place) => import(place)));
  window.studio = { ...documents, ...requests, ...drafts, ...edits, project };
  studio.server = new studio.Server(server);
  studio.open = async (id) => {
    window.doc = await studio.RegionsDocument.open(studio.server, project, id);
    return doc.regions;
  };
  studio.rect = (id, x, name = "cat") => ({
    id, shape: { kind: "rect", x, y: 1, width: 5, height: 5 }, class_name: name,
  });
}"""


@dataclass
class Studio:
    """A server with the routes of the studio and an empty page, and one project with two pictures."""

    project: Project
    port: int = 0
    server: uvicorn.Server | None = None
    thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def prefix(self) -> str:
        return editor_routes.editor_url(self.project)

    def start(self) -> None:
        page = Route("/", lambda request: HTMLResponse("<!doctype html><title>empty</title>"))
        app = Starlette(routes=[page, *browser_code.routes(), *editor_routes.routes()])
        self.server = uvicorn.Server(
            uvicorn.Config(app, port=self.port, log_level="error", timeout_graceful_shutdown=1, lifespan="off")
        )
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]

    def stop(self) -> None:
        assert self.server is not None
        assert self.thread is not None
        self.server.should_exit = True
        self.thread.join(10)

    def forget_addresses(self) -> None:
        """What a new start of the studio does to the keys that pages have."""
        addresses._things.clear()
        addresses._SECRET = random.randbytes(32)

    def regions(self, picture: int = 1) -> list[dict[str, Any]]:
        regions, _ = self.project.regions(picture)
        return [json.loads(json.dumps(editor_routes.for_browser(region))) for region in regions]

    def ids(self, picture: int = 1) -> list[str]:
        return [region["id"] for region in self.regions(picture)]

    def history(self, picture: int = 1) -> list[tuple[int | None, list[Any]]]:
        """Each stored state as (place of the state before it, [(id, x, class)] of its regions)."""
        with closing(sqlite3.connect(self.project.folder / "project.db")) as db:
            rows = db.execute("SELECT id, parent, regions FROM history WHERE image_id = ? ORDER BY id", [picture])
            places: dict[int, int] = {}
            found: list[tuple[int | None, list[Any]]] = []
            for number, parent, text in rows:
                places[number] = len(found)
                found.append((places.get(parent), [summary(region) for region in json.loads(text)]))
        return found


def summary(region: dict[str, Any]) -> tuple[str, float, str | None]:
    return region["id"], region["shape"]["x"], region.get("class_name")


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(new_project(tmp_path / "pets"))
    made.start()
    yield made
    made.stop()


def new_project(folder: Path, pictures: int = 2) -> Project:
    project = Project.create(folder)
    names = [f"{folder.name}-{number}.png" for number in range(pictures)]
    files = [folder.parent / name for name in names]
    for number, file in enumerate(files):
        Image.fromarray(np.full((8, 8, 3), number, np.uint8)).save(file)
    project.add_pictures(files, "train")
    return project


class Tab:
    """A tab with the modules of the editor loaded, in which `picture` is open."""

    def __init__(self, studio: Studio, page: Any, picture: int | None = 1) -> None:
        self.studio, self.page = studio, page
        self.load()
        if picture is not None:
            self.open(picture)

    def load(self) -> None:
        self.page.goto(self.studio.url)
        names = ("regions_document.js", "server.js", "draft_store.js", "regions_edit.js")
        modules = [browser_code.module_url(EDITOR / name) for name in names]
        identity = editor_routes.project_identity(self.studio.project)
        self.page.evaluate(SETUP, [modules, self.studio.prefix, identity])

    def open(self, picture: int = 1) -> None:
        self.page.evaluate("async (id) => { await studio.open(id); }", picture)

    def reload(self, picture: int = 1) -> None:
        self.load()
        self.open(picture)

    def put(self, name: str, x: float = 0, class_name: str = "cat") -> None:
        self.page.evaluate("([id, x, name]) => doc.change({put: [studio.rect(id, x, name)]})", [name, x, class_name])

    def do(self, script: str) -> Any:
        return self.page.evaluate(f"() => {script}")

    @property
    def ids(self) -> list[str]:
        return self.do("doc.regions.map((region) => region.id)")

    @property
    def state(self) -> str:
        return self.do("doc.status.state")

    def wait(self, state: str = "saved") -> None:
        try:
            self.page.wait_for_function("(state) => doc.status.state === state", arg=state, timeout=15_000)
        except Error as error:
            raise AssertionError(f"not {state}: {self.do('JSON.stringify(doc.status)')}") from error

    # The connection

    def cut(self) -> None:
        self.page.route("**/studio/annotate/**", lambda route: route.abort())

    def lose_answers(self, most: int = 1000) -> None:
        """The server gets each change, but the browser never hears of it."""
        left = [most]

        def lose(route: Any) -> None:
            if route.request.method == "POST" and left[0] > 0:
                left[0] -= 1
                with contextlib.suppress(Error):  # the tab was closed, or the connection is restored
                    route.fetch()
                    route.abort()
            else:
                route.continue_()

        self.page.route("**/studio/annotate/**", lose)

    def restore(self) -> None:
        self.page.unroute("**/studio/annotate/**")
        self.do("dispatchEvent(new Event('online'))")


@pytest.fixture
def tab(studio: Studio, page: Any) -> Tab:
    return Tab(studio, page)


# One tab


def test_changes_are_saved_in_order_and_answer_at_once(studio: Studio, tab: Tab) -> None:
    seen = tab.do(
        """{
          const states = [];
          doc.addEventListener("status", () => states.push(doc.status.state));
          window.states = states;
          doc.change({put: [studio.rect("a", 1)]}, "draw");
          doc.change({put: [studio.rect("b", 2)]}, "draw");
          doc.change({put: [studio.rect("a", 3)], order: ["b", "a"]}, "move");
          doc.change({remove: ["b"]}, "delete");
          doc.undo();
          return doc.regions.map((region) => region.id);
        }"""
    )
    assert seen == ["b", "a"]
    tab.wait()
    assert studio.ids() == ["b", "a"]
    assert len(studio.history()) == 5
    assert tab.do("[doc.canUndo, doc.canRedo]") == [True, True]
    assert tab.do("states.at(-1)") == "saved"
    assert tab.do("doc.status.at") > 1e12


def test_a_change_of_the_order_sends_only_what_moves(studio: Studio, tab: Tab) -> None:
    tab.do(
        """{
          const all = Array.from({ length: 300 }, (_, n) => studio.rect(String(n).padStart(32, "0"), n));
          doc.change({put: all}, "draw");
        }"""
    )
    tab.wait()
    before = studio.ids()
    bodies: list[str] = []
    tab.page.on("request", lambda request: bodies.append(request.post_data or ""))
    for script in (
        "[...ids.slice(0, 150), ...ids.slice(153), ...ids.slice(150, 153)]",  # to the front
        "[...ids.slice(297), ...ids.slice(0, 297)]",  # and to the back
        "[ids[3], ...ids.slice(0, 3), ...ids.slice(5, 40), ids[4], ...ids.slice(40)]",  # here and there
    ):
        order = tab.do(f"((ids) => {script})(doc.regions.map((region) => region.id))")
        tab.page.evaluate("(order) => doc.change({ order }, 'order')", order)
        assert tab.ids == order
        tab.wait()
        assert studio.ids() == order
        assert 0 < len(bodies.pop()) < 500
    for _ in range(3):
        tab.do("doc.undo()")
    tab.wait()
    assert tab.ids == studio.ids() == before


def test_moves_and_their_opposite_are_exact_in_any_order(tab: Tab) -> None:
    wrong = tab.page.evaluate(
        """async (url) => {
          const { applied, editBetween } = await import(url);
          const wrong = [];
          let state = 7;
          const chance = (most) => (state = (state * 48271) % 2147483647) % most;
          for (let run = 0; run < 500; run++) {
            const before = Array.from({ length: 1 + chance(12) }, (_, n) => studio.rect(`r${n}`, n));
            const after = before.slice(), edits = chance(4);
            for (let n = 0; n < edits; n++) {
              const [moved] = after.splice(chance(after.length), 1);
              after.splice(chance(after.length + 1), 0, moved);
            }
            const ids = (regions) => regions.map((region) => region.id).join();
            const edit = editBetween(before, after), back = editBetween(after, before);
            const isSmall = Object.keys(edit.order ?? {}).length <= edits;
            const isExact = ids(applied(before, edit)) === ids(after) && ids(applied(after, back)) === ids(before);
            if (!isSmall || !isExact) wrong.push([ids(before), ids(after), edit.order]);
          }
          return wrong;
        }""",
        browser_code.module_url(EDITOR / "regions_edit.js"),
    )
    assert wrong == []


def test_a_journal_that_lists_all_ids_is_still_understood(studio: Studio, tab: Tab) -> None:
    """As the studio kept the order before it sent places only."""
    for name in "abc":
        tab.put(name)
    tab.wait()
    tab.cut()
    tab.do("doc.change({order: ['c', 'a', 'b']}, 'order')")
    tab.do(
        """{
          for (const key of Object.keys(localStorage)) {
            const change = JSON.parse(localStorage.getItem(key));
            if (!change?.edit?.order) continue;
            change.edit.order = ["c", "a", "b"];
            change.inverse.order = ["a", "b", "c"];
            localStorage.setItem(key, JSON.stringify(change));
            window.isChanged = true;
          }
        }"""
    )
    assert tab.do("isChanged")
    tab.page.close()
    other = Tab(studio, tab.page.context.new_page())
    other.wait()
    assert other.ids == studio.ids() == ["c", "a", "b"]
    other.do("doc.undo()")
    other.wait()
    assert other.ids == studio.ids() == ["a", "b", "c"]


def test_an_empty_change_is_no_step(studio: Studio, tab: Tab) -> None:
    tab.put("a", 1)
    assert tab.do("doc.change({put: [studio.rect('a', 1)], remove: ['x']})") is False
    assert tab.do("doc.change({put: [{...studio.rect('a', 1), iscrowd: false, attributes: {}, score: null}]})") is False
    tab.wait()
    assert len(studio.history()) == 2


def test_a_number_that_is_none_never_gets_in(studio: Studio, tab: Tab) -> None:
    assert tab.do("{ try { doc.change({put: [studio.rect('a', NaN)]}); } catch (error) { return error.name; } }") == (
        "TypeError"
    )
    assert (tab.state, tab.ids) == ("saved", [])


def test_undo_reaches_over_a_reload_to_the_beginning(studio: Studio, tab: Tab) -> None:
    for number in range(3):
        tab.put(str(number))
    tab.wait()
    tab.reload()
    assert tab.ids == ["0", "1", "2"]
    for left in (2, 1, 0):
        assert tab.do("doc.undo()") is True
        tab.wait()
        assert len(tab.ids) == len(studio.ids()) == left
    assert tab.do("doc.undo()") is False
    assert tab.do("doc.canUndo") is False
    tab.do("{ doc.redo(); doc.redo(); doc.redo(); }")
    assert tab.ids == ["0", "1", "2"]  # known in this session, so at once
    tab.wait()
    assert studio.ids() == ["0", "1", "2"]
    assert tab.do("doc.redo()") is False


def test_fast_undo_and_drawing_after_a_reload(studio: Studio, tab: Tab) -> None:
    """The browser does not know yet what the undo brings when the next region is drawn."""
    for number in range(3):
        tab.put(str(number))
    tab.wait()
    tab.reload()
    tab.do("{ doc.undo(); doc.undo(); doc.change({put: [studio.rect('new', 5)]}); }")
    tab.wait()
    assert tab.ids == studio.ids() == ["0", "new"]
    tab.do("doc.undo()")
    assert tab.ids == ["0"]
    tab.wait()
    tab.do("{ doc.undo(); doc.redo(); doc.redo(); }")
    tab.wait()
    assert tab.ids == studio.ids() == ["0", "new"]


def test_a_cut_connection_loses_nothing(studio: Studio, tab: Tab) -> None:
    tab.cut()
    tab.put("a")
    tab.put("b")
    tab.wait("unsaved")
    assert tab.do("doc.status.message") == "no connection to the studio"
    tab.do("doc.undo()")
    assert tab.ids == ["a"]
    assert studio.ids() == []
    tab.restore()
    tab.wait()
    assert studio.ids() == ["a"]
    assert tab.do("doc.redo()") is True
    tab.wait()
    assert studio.ids() == ["a", "b"]


def test_a_stopped_server_with_other_addresses(studio: Studio, tab: Tab) -> None:
    studio.stop()
    tab.put("a")
    tab.wait("unsaved")
    studio.forget_addresses()
    studio.start()
    tab.page.wait_for_function("() => doc.status.message?.includes('started again')", timeout=15_000)
    tab.page.evaluate("(address) => { studio.server.address = address; }", studio.prefix)
    tab.wait()
    assert studio.ids() == ["a"]


@pytest.mark.parametrize("what", one_in(3, ["edit", "undo", "redo", "undo after a reload"]))
def test_a_lost_answer_does_not_repeat_the_change(studio: Studio, tab: Tab, what: str) -> None:
    tab.put("a")
    tab.put("b")
    if what == "redo":
        tab.do("doc.undo()")
    tab.wait()
    if "reload" in what:
        tab.reload()
    before = len(studio.history())
    tab.lose_answers(1)
    if what == "edit":
        tab.put("c")
    else:
        tab.do(f"doc.{what.split()[0]}()")
    tab.wait()
    expected = {"edit": ["a", "b", "c"], "redo": ["a", "b"]}.get(what, ["a"])
    assert tab.ids == studio.ids() == expected
    assert len(studio.history()) == before + (what == "edit")


def test_all_answers_lost_and_the_tab_killed(studio: Studio, tab: Tab) -> None:
    tab.lose_answers()
    for number in range(4):
        tab.put(str(number))
    tab.page.wait_for_timeout(500)
    context = tab.page.context
    tab.page.close()
    other = Tab(studio, context.new_page())
    assert other.ids == ["0", "1", "2", "3"]
    other.wait()
    assert studio.ids() == ["0", "1", "2", "3"]
    assert len(studio.history()) == 5
    assert other.do("Object.keys(localStorage).filter((key) => key.startsWith('maskrcnn-unsent'))") == []


def test_a_killed_tab_is_saved_by_the_next_page_of_the_project(studio: Studio, tab: Tab) -> None:
    tab.cut()
    tab.put("a")
    tab.do("doc.undo()")
    tab.put("b")
    tab.wait("unsaved")
    context = tab.page.context
    tab.page.close()
    other = Tab(studio, context.new_page(), picture=2)
    other.do("studio.RegionsDocument.recover(studio.server, studio.project)")
    deadline = time.monotonic() + 10
    while studio.ids() != ["b"] and time.monotonic() < deadline:
        other.page.wait_for_timeout(50)
    assert [regions for _, regions in studio.history()] == [[], [("a", 0, "cat")], [("b", 0, "cat")]]
    assert [parent for parent, _ in studio.history()] == [None, 0, 0]


def test_unsent_edits_of_a_removed_picture_are_told_and_sent_when_it_is_restored(studio: Studio, tab: Tab) -> None:
    tab.cut()
    tab.put("a")
    tab.wait("unsaved")
    context = tab.page.context
    tab.page.close()
    studio.project.set_removed(1, True)
    other = Tab(studio, context.new_page(), picture=2)
    told = """new Promise((resolve) => {
      studio.allSaving.addEventListener("removed", ({ detail }) => resolve([detail.id, detail.words]));
      studio.RegionsDocument.recover(studio.server, studio.project);
    })"""
    number, words = other.do(told)
    assert number == 1
    assert words.endswith("Its edits that were not sent are kept in this browser until then.")
    studio.project.set_removed(1, False)
    other.do("studio.RegionsDocument.recover(studio.server, studio.project)")
    until(other.page, lambda: studio.ids() == ["a"])


def test_the_journal_of_a_living_tab_is_left_to_it(studio: Studio, tab: Tab) -> None:
    tab.cut()
    tab.put("a")
    tab.wait("unsaved")
    other = Tab(studio, tab.page.context.new_page())
    assert other.ids == []
    tab.restore()
    tab.wait()
    other.page.wait_for_function("() => doc.regions.length === 1")
    assert (studio.ids(), len(studio.history())) == (["a"], 2)


def test_without_storage_it_still_saves_and_says_so(studio: Studio, page: Any) -> None:
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };")
    tab = Tab(studio, page)
    tab.put("a")
    tab.wait()
    tab.cut()
    tab.put("b")
    tab.wait("unsaved")
    assert "has no room" in tab.do("doc.status.message")
    tab.restore()
    tab.wait()
    assert studio.ids() == ["a", "b"]
    assert tab.do("doc.status.message") is None


def test_a_full_disk_is_told_and_tried_again(studio: Studio, tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    from maskrcnn.annotations.store import ProjectBusy

    def full(*_: object) -> int:
        raise ProjectBusy("the disk is full; free some space")

    with monkeypatch.context() as patch:
        patch.setattr(Project, "save", full)
        tab.put("a")
        tab.wait("unsaved")
        assert tab.do("doc.status.message") == "the disk is full; free some space"
    tab.do("dispatchEvent(new Event('online'))")
    tab.wait()
    assert studio.ids() == ["a"]


def test_a_change_that_the_server_refuses_stops_nothing_for_ever(studio: Studio, tab: Tab) -> None:
    tab.put("a", class_name=" ")
    tab.wait("unsaved")
    assert "class" in tab.do("doc.status.message")
    tab.put("b")
    assert studio.ids() == []
    tab.put("a", class_name="dog")
    tab.wait()
    assert studio.ids() == ["a", "b"]
    tab.put("c", class_name=" ")
    tab.wait("unsaved")
    tab.do("doc.undo()")
    tab.wait()
    assert tab.ids == studio.ids() == ["a", "b"]


def test_another_picture_is_opened_while_one_is_unsaved(studio: Studio, tab: Tab) -> None:
    tab.cut()
    tab.put("a")
    tab.wait("unsaved")
    tab.do("{ window.first = doc; }")
    tab.restore()
    tab.do("doc.close()")
    tab.open(2)
    tab.put("z")
    tab.wait()
    tab.page.wait_for_function("() => first.status.state === 'saved'")
    assert (studio.ids(1), studio.ids(2)) == (["a"], ["z"])


def test_coming_back_to_an_unsaved_picture_shows_the_unsaved_regions(studio: Studio, tab: Tab) -> None:
    tab.page.route("**/edit", lambda route: route.abort())
    tab.put("a")
    tab.wait("unsaved")
    tab.do("doc.close()")
    tab.open(2)
    tab.open(1)
    assert (tab.ids, tab.state) == (["a"], "unsaved")
    tab.put("b")
    tab.page.unroute("**/edit")
    tab.wait()
    assert studio.ids() == ["a", "b"]


# Several tabs


def test_another_tab_shows_what_was_saved(studio: Studio, tab: Tab) -> None:
    other = Tab(studio, tab.page.context.new_page())
    tab.put("a")
    other.page.wait_for_function("() => doc.regions.length === 1")
    assert other.do("doc.undo()") is True
    other.wait()
    tab.page.wait_for_function("() => doc.regions.length === 0")
    assert studio.ids() == []


def conflicting(studio: Studio, tab: Tab) -> None:
    """Another person moves "a" and draws "theirs"; this tab moves "a" elsewhere and draws "mine"."""
    tab.put("a", 1)
    tab.wait()
    tab.cut()
    tab.put("mine", 7)
    tab.put("a", 2)
    tab.wait("unsaved")
    client = Tab(studio, tab.page.context.browser.new_context().new_page())
    client.do("doc.change({put: [studio.rect('a', 3), studio.rect('theirs', 8)]})")
    client.wait()
    client.page.context.close()
    tab.restore()
    tab.wait("conflict")


KEPT = {
    "both": [("a", 2, "cat"), ("theirs", 8, "cat"), ("mine", 7, "cat")],
    "mine": [("a", 2, "cat"), ("mine", 7, "cat")],
    "theirs": [("a", 3, "cat"), ("theirs", 8, "cat")],
}


@pytest.mark.parametrize(
    ("choice", "expected", "reloaded"),
    # Every other one, which is each choice, some after a reload.
    one_in(2, [(choice, expected, reloaded) for reloaded in (False, True) for choice, expected in KEPT.items()]),
)
def test_a_conflict_keeps_both_versions(studio: Studio, tab: Tab, choice: str, expected: Any, reloaded: bool) -> None:
    conflicting(studio, tab)
    mine, theirs = [("a", 2, "cat"), ("mine", 7, "cat")], [("a", 3, "cat"), ("theirs", 8, "cat")]
    assert list(map(tuple, tab.do("doc.conflict.mine.map((r) => [r.id, r.shape.x, r.class_name])"))) == mine
    tab.page.wait_for_function("() => doc.conflict.recorded")
    if reloaded:
        tab.reload()
        tab.wait("conflict")
        assert tab.ids == ["a", "mine"]
    states = [regions for _, regions in studio.history()]
    assert states[-2:] == [mine, theirs]
    assert len(states) == 5  # recorded once, also after the reload
    assert tab.page.evaluate("(choice) => doc.resolve(choice)", choice) is True
    assert tab.state == "saved"
    assert list(map(tuple, tab.do("doc.regions.map((r) => [r.id, r.shape.x, r.class_name])"))) == expected
    assert [summary(region) for region in studio.regions()] == expected
    tab.put("after")
    tab.wait()
    assert studio.ids()[-1] == "after"


def test_changes_of_other_regions_are_no_conflict_after_a_reload(studio: Studio, tab: Tab) -> None:
    tab.put("a", 1)
    tab.wait()
    tab.cut()
    tab.put("mine", 7)
    tab.wait("unsaved")
    client = Tab(studio, tab.page.context.browser.new_context().new_page())
    client.put("theirs", 8)
    client.wait()
    client.page.context.close()
    tab.page.goto("about:blank")  # the page ends before it can try once more
    tab.page.unroute("**/studio/annotate/**")
    tab.reload()
    tab.wait()
    assert tab.ids == studio.ids() == ["a", "theirs", "mine"]


# Renamed classes


def classes(studio: Studio) -> list[tuple[str, str | None]]:
    """(id, class) of the regions, where the old name is no class of the project again."""
    assert [entry.name for entry in studio.project.classes()] == ["kitten"]
    return [(region["id"], region.get("class_name")) for region in studio.regions()]


@pytest.mark.parametrize("reloaded", [False, True])
def test_a_class_renamed_while_edits_are_unsent_is_no_conflict_and_stays_renamed(
    studio: Studio, tab: Tab, reloaded: bool
) -> None:
    tab.put("a", 1)
    tab.put("b", 1)
    tab.wait()
    tab.cut()
    tab.do("doc.undo()")
    tab.put("a", 2)
    tab.put("c", 3)
    tab.wait("unsaved")
    studio.project.rename_class("cat", "kitten")
    if reloaded:
        tab.page.goto("about:blank")  # the page ends before it can try once more
        tab.page.unroute("**/studio/annotate/**")
        tab.reload()
    else:
        tab.restore()
    tab.wait()
    assert classes(studio) == [("a", "kitten"), ("c", "kitten")]
    assert tab.do("doc.regions.map((region) => [region.id, region.class_name])") == [["a", "kitten"], ["c", "kitten"]]
    tab.do("doc.undo()")
    tab.wait()
    assert classes(studio) == [("a", "kitten")]


def test_both_versions_of_a_conflict_get_the_present_name_of_a_class(studio: Studio, tab: Tab) -> None:
    tab.put("a", 1)
    tab.wait()
    tab.cut()
    tab.put("mine", 7)
    tab.wait("unsaved")
    (stored,), revision = studio.project.regions(1)
    studio.project.save(1, [stored, Region(Rect(1, 2, 3, 4), "cat", id="theirs")], revision)
    studio.project.rename_class("cat", "kitten")
    tab.restore()
    tab.wait("conflict")
    tab.page.wait_for_function("() => doc.conflict.recorded")
    assert tab.page.evaluate("doc.resolve('both')") is True
    assert classes(studio) == [("a", "kitten"), ("theirs", "kitten"), ("mine", "kitten")]


def test_a_region_pasted_with_the_old_name_of_a_class_gets_the_present_one(studio: Studio, tab: Tab) -> None:
    tab.put("a")
    tab.wait()
    tab.do("doc.undo()")
    tab.wait()
    studio.project.rename_class("cat", "kitten")
    tab.put("pasted")
    tab.wait()
    assert classes(studio) == [("pasted", "kitten")]
    assert tab.do("doc.regions[0].class_name") == "kitten"


# Drafts


def test_an_unfinished_outline_survives_a_reload_and_a_closed_tab(studio: Studio, tab: Tab) -> None:
    make = "{ window.drafts = new studio.DraftStore(studio.project); return drafts.ready; }"
    tab.do(make)
    tab.do("drafts.set(1, {tool: 'polygon', points: [[1.25, 2]]})")
    tab.do("drafts.set(2, {tool: 'polygon', points: []})")
    tab.do("drafts.set(2, null)")
    tab.reload()
    tab.do(make)
    assert tab.do("[drafts.get(1), drafts.get(2)]") == [{"tool": "polygon", "points": [[1.25, 2]]}, None]
    other = Tab(studio, tab.page.context.new_page())
    other.do(make)
    assert other.do("drafts.get(1)") is None  # the first tab is still drawing it
    context = tab.page.context
    tab.page.close()
    third = Tab(studio, context.new_page())
    third.do(make)
    assert third.do("drafts.get(1)") == {"tool": "polygon", "points": [[1.25, 2]]}
    third.do("drafts.set(1, null)")
    third.reload()
    third.do(make)
    assert third.do("drafts.get(1)") is None


# A model of the person


@dataclass
class Model:
    """The history of one picture as a tree of states, and which one is shown: what the store must hold."""

    states: list[tuple[int | None, list[Any]]] = field(default_factory=lambda: [(None, [])])
    now: int = 0

    @property
    def regions(self) -> list[Any]:
        return self.states[self.now][1]

    def edit(self, after: list[Any]) -> None:
        if after != self.regions:
            self.states.append((self.now, after))
            self.now = len(self.states) - 1

    def undo(self) -> None:
        parent = self.states[self.now][0]
        self.now = self.now if parent is None else parent

    def redo(self) -> None:
        children = [number for number, (parent, _) in enumerate(self.states) if parent == self.now]
        self.now = max(children, default=self.now)


class Person:
    """Draws, edits, undoes, goes to other pictures and reloads, while the connection comes and goes; from a seed."""

    def __init__(self, studio: Studio, context: Any, seed: int) -> None:
        self.studio, self.context = studio, context
        self.rng = random.Random(seed)
        self.models = {1: Model(), 2: Model()}
        self.picture = 1
        self.tab = Tab(studio, context.new_page())
        self.isolated = False
        self.drawn = 0
        self.log: list[str] = []

    @property
    def model(self) -> Model:
        return self.models[self.picture]

    def act(self) -> None:
        actions: list[tuple[int, Callable[[], None]]] = [
            (6, self.draw), (5, self.move), (2, self.remove), (2, self.reorder), (6, self.undo), (4, self.redo),
            (2, self.switch), (1, self.reload), (1, self.kill), (2, self.cut), (2, self.lose), (3, self.restore),
            (1, self.restart), (2, self.wait),
        ]  # fmt: skip
        (action,) = self.rng.choices([action for _, action in actions], [weight for weight, _ in actions])
        self.log.append(action.__name__)
        action()

    def change(self, after: list[Any]) -> None:
        """Make the model's next state of these regions, in the browser as a small edit."""
        before = {region[0]: region for region in self.model.regions}
        put = [region for region in after if before.get(region[0]) != region]
        remove = [name for name in before if name not in {region[0] for region in after}]
        script = """([put, remove, order]) =>
            doc.change({put: put.map((values) => studio.rect(...values)), remove, order})"""
        kept = [region[0] for region in self.model.regions if region[0] not in remove]
        usual = [*kept, *(region[0] for region in put if region[0] not in kept)]
        order = [region[0] for region in after]
        self.tab.page.evaluate(script, [put, remove, None if order == usual else order])
        self.model.edit(after)

    def knows(self) -> bool:
        """A person edits what is shown; wait until the browser shows the result of an undo after a reload."""
        shown = self.tab.do("doc.regions.map((r) => [r.id, r.shape.x, r.class_name])")
        return list(map(tuple, shown)) == self.model.regions

    def draw(self) -> None:
        self.drawn += 1
        if not self.knows():  # drawing does not depend on what is there
            self.tab.put(f"r{self.drawn}", self.drawn)
            self.model.edit([*self.model.regions, (f"r{self.drawn}", self.drawn, "cat")])
            return
        self.change([*self.model.regions, (f"r{self.drawn}", self.drawn, "cat")])

    def move(self) -> None:
        if self.model.regions and self.knows():
            chosen = self.rng.choice(self.model.regions)
            x = self.rng.choice([chosen[1] + 0.25, chosen[1], 3, 1.0])
            after = [(name, x, c) if name == chosen[0] else (name, old, c) for name, old, c in self.model.regions]
            self.change(after)

    def remove(self) -> None:
        if self.model.regions and self.knows():
            gone = self.rng.sample(self.model.regions, min(2, len(self.model.regions)))
            self.change([region for region in self.model.regions if region not in gone])

    def reorder(self) -> None:
        if self.model.regions and self.knows():
            self.change(self.rng.sample(self.model.regions, len(self.model.regions)))

    def undo(self) -> None:
        for _ in range(self.rng.randint(1, 3)):
            self.tab.do("doc.undo()")
            self.model.undo()

    def redo(self) -> None:
        if self.tab.do("doc.canRedo || doc.saving.queue.length > 0") and not self.tab.do("doc.redo()"):
            # Possible only for the server, which has not answered yet.
            self.settle()
            self.tab.do("doc.redo()")
        self.model.redo()

    def switch(self) -> None:
        self.restore()
        self.tab.do("doc.close()")
        self.picture = 3 - self.picture
        self.tab.open(self.picture)

    def reload(self) -> None:
        self.restore()
        self.tab.reload(self.picture)

    def kill(self) -> None:
        self.tab.page.close()
        self.tab = Tab(self.studio, self.context.new_page(), self.picture)

    def cut(self) -> None:
        self.restore()
        self.tab.cut()

    def lose(self) -> None:
        self.restore()
        self.tab.lose_answers(self.rng.randint(1, 4))

    def restore(self) -> None:
        self.tab.restore()

    def restart(self) -> None:
        self.studio.forget_addresses()
        self.tab.page.evaluate("(address) => { studio.server.address = address; }", self.studio.prefix)

    def wait(self) -> None:
        self.tab.page.wait_for_timeout(self.rng.choice([5, 30, 120]))

    def settle(self) -> None:
        self.restore()
        self.tab.wait()

    def check(self) -> None:
        for picture, model in self.models.items():
            self.picture = picture
            self.tab.restore()
            self.tab.do("doc.close()")
            self.tab.open(self.picture)
            self.settle()
            assert self.knows(), (self.log, self.picture)
            assert [summary(region) for region in self.studio.regions(self.picture)] == model.regions, self.log
            assert self.studio.history(self.picture) == model.states, self.log
        keys = self.tab.do("Object.keys(localStorage).filter((key) => key.startsWith('maskrcnn-unsent'))")
        assert keys == [], self.log


@pytest.mark.parametrize("seed", one_in(50, range(100)))
def test_the_store_holds_exactly_what_the_person_did(studio: Studio, browser: Any, seed: int) -> None:
    context = browser.new_context()
    person = Person(studio, context, seed)
    try:
        for _ in range(30):
            person.act()
        person.check()
    except Exception as error:
        raise AssertionError(f"seed {seed}, {person.log}: {error}") from error
    finally:
        context.close()
