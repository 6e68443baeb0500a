"""The grid of thumbnails with a real mouse: ticks, shift, the action on them, and a click that opens a picture."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations.store import Project
from tests.browser.conftest import Server

Settled = Callable[[Any], None]


@pytest.fixture
def project(server: Server, tmp_path: Path) -> Project:
    """Six pictures; the name of one is HTML, and comes first."""
    made = Project.create(server.workspace / "ticked")
    for number, name in enumerate(("a", "b", "c", "d", "e", "<img src=x onerror=document.title='hacked'>")):
        Image.fromarray(np.full((60, 80, 3), 40 * number, np.uint8)).save(tmp_path / "picture.png")
        made.add_pictures([(f"{name}.png", (tmp_path / "picture.png").read_bytes())], "train")
    return made


def test_ticked_pictures_are_removed_and_a_click_opens_one(
    server: Server, page: Any, settled: Settled, project: Project
) -> None:
    page.goto(f"{server.url}/dataset?project=ticked&view=pictures")
    tiles = page.locator(".tile")
    tiles.nth(5).wait_for()
    assert page.title() == "Mask R-CNN Studio"

    # A tick, and with Shift all up to another one.
    page.locator(".tick input").nth(1).click()
    settled(page)
    page.locator(".tick input").nth(3).click(modifiers=["Shift"])
    page.get_by_text("3 pictures ticked").wait_for()
    assert page.locator(".ticked").count() == 3
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("removed (3)").wait_for()
    settled(page)
    assert [image.file_name for image in project.removed()] == ["a.png", "b.png", "c.png"]
    assert tiles.count() == 3
    assert page.locator(".ticked").count() == 0

    page.locator(".tile .open").nth(1).click()
    page.get_by_role("button", name="Previous picture").wait_for()
    settled(page)
    assert re.search(r"[?&]project=ticked", page.url)
    assert re.search(r"[?&]image=d\.png", page.url)
