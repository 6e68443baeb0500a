"""A project renamed, deleted and brought back in a real browser, and found again after a restart of the server."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maskrcnn.workspace import Workspace
from tests.app.test_frame import make_project
from tests.browser.conftest import Server
from tests.sweeps import sweep
from tests.workspace.made import shown


def window(page: Any, name: str, settled: Callable[[Any], None]) -> Any:
    """The window of projects, opened from the switcher that says `name`, with all of its rows drawn.

    A row whose buttons are not there yet would be taken for a part of the window that has the buttons of another row.
    """
    page.get_by_test_id("stSidebar").get_by_role("button", name=name, exact=True).click()
    page.get_by_role("button", name="Manage projects").click()
    found = page.get_by_role("dialog", name="Projects")
    found.wait_for()
    settled(page)
    return found


def close(page: Any, settled: Callable[[Any], None]) -> None:
    """Close the window; only when the page has drawn all, for until then it may open it once more.

    The focus is put into the window first: a button that goes with its row takes the focus with it, and then the
    first Escape sometimes only brings it back.
    """
    settled(page)
    page.get_by_role("dialog").press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    settled(page)


def row(found: Any, name: str) -> Any:
    """The row of a project: the innermost box that holds its name and its buttons."""
    named = found.page.get_by_text(name, exact=True)
    return found.get_by_test_id("stVerticalBlock").filter(has=named).filter(has_text="Duplicate").last


@sweep
def test_renamed_deleted_brought_back_and_found_again_after_a_restart(
    page: Any, new_server: Callable[..., Server], settled: Callable[[Any], None], tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    workspace = tmp_path / "workspace"
    for number, name in enumerate(("cells", "leaves"), 1):
        make_project(workspace / name, number)
    server = new_server(workspace)
    bar = page.get_by_test_id("stSidebar")
    page.goto(f"{server.url}/dataset?project=leaves")
    expect(bar.get_by_text("0 of 2 pictures done")).to_be_visible(timeout=60_000)

    # Renamed: the page goes on, the address says the new name, and another tab with the old one is told.
    other = page.context.new_page()
    other.goto(f"{server.url}/?project=leaves")
    expect(other.get_by_test_id("stSidebar").get_by_text("0 of 2 pictures done")).to_be_visible(timeout=60_000)
    found = window(page, "leaves", settled)
    row(found, "leaves").get_by_role("button", name="Rename").click()
    found.get_by_label("New name").fill("cells")
    found.get_by_test_id("stForm").get_by_role("button", name="Rename").click()
    expect(found.get_by_text('project "cells" exists already')).to_be_visible()
    found.get_by_label("New name").fill("dry leaves 🍂")
    found.get_by_test_id("stForm").get_by_role("button", name="Rename").click()
    expect(page).to_have_url(re.compile(r"project=dry(\+|%20)leaves"))
    close(page, settled)
    expect(bar.get_by_text("0 of 2 pictures done")).to_be_visible()
    other.reload()
    expect(other.get_by_text('project "leaves" was renamed to "dry leaves 🍂"')).to_be_visible(timeout=60_000)
    other.get_by_role("button", name="Open dry leaves").click()
    expect(other.get_by_test_id("stSidebar").get_by_text("0 of 2 pictures done")).to_be_visible()

    # Deleted: the next one opens, the other tab offers to bring it back, Undo does.
    found = window(page, "dry leaves 🍂", settled)
    row(found, "dry leaves 🍂").get_by_role("button", name="Delete").click()
    expect(bar.get_by_text("0 of 1 picture")).to_be_visible()
    assert shown(workspace) == ["cells"]
    other.reload()
    expect(other.get_by_role("button", name="Bring dry leaves")).to_be_visible(timeout=60_000)
    close(page, settled)
    bar.get_by_role("button", name="Undo").click()
    expect(bar.get_by_text("0 of 2 pictures done")).to_be_visible()
    assert shown(workspace) == ["cells", "dry leaves 🍂"]
    assert Workspace(workspace).bin() == []

    # The server is started anew, and a new tab asks for no project.
    other.close()
    page.goto("about:blank")  # a tab that is left open would ask for its server all the while
    server.interrupt()
    again = new_server(workspace)
    fresh = page.context.new_page()
    fresh.goto(again.url)
    expect(fresh.get_by_test_id("stSidebar").get_by_text("0 of 2 pictures done")).to_be_visible(timeout=60_000)
    expect(fresh).to_have_url(re.compile(r"project=dry(\+|%20)leaves"))
    assert "Traceback" not in server.log.read_text(errors="replace")


@sweep
def test_a_project_that_was_just_created_stays_open_at_the_next_click_on_its_page(
    page: Any, new_server: Callable[..., Server], settled: Callable[[Any], None], tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    workspace = tmp_path / "workspace"
    make_project(workspace / "cells", 1)
    server = new_server(workspace)
    bar = page.get_by_test_id("stSidebar")
    page.goto(f"{server.url}/?project=cells")
    bar.get_by_role("button", name="cells", exact=True).click()
    page.get_by_label("New project").fill("leaves")
    page.get_by_role("button", name="Create project").click()
    expect(bar.get_by_text("0 of 0 pictures done")).to_be_visible()
    settled(page)
    page.locator("input[type=file]").first.set_input_files(next((workspace / "cells" / "images").iterdir()))
    expect(page.get_by_role("button", name="Show what is in it")).to_be_enabled()
    settled(page)
    expect(page).to_have_url(re.compile("project=leaves"))
