"""From Label next into the editor, by real events: kept suggestions are there at once and without a network, what was
decided does not come back, and "next" goes through the list.

The looks of the network and its suggestions are put into the project, so what is suggested where is known.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.store import KeptLook, NextPicture, Project
from maskrcnn.config import Config
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.annotate.hints import networks
from tests import tiny
from tests.browser.conftest import Server
from tests.browser.editor_driver import EditorDriver, labelled_project, until
from tests.sweeps import sweep

SIZE = (900, 600)
SURE, OTHER, UNSURE = Rect(100, 100, 200, 150), Rect(500, 300, 200, 150), Rect(600, 60, 120, 90)
HOSTILE = "<img src=x onerror=document.title='taken'> *x* `y`"


@pytest.fixture
def editor(page: Any, server: Server) -> EditorDriver:
    """Four pictures, the first with a label, and a run that has looked at all of them; nothing is opened yet."""
    name = f"label-next-{len(list(server.workspace.glob('label-next-*')))}"
    project = labelled_project(server.workspace / name, 4, SIZE)
    first = project.images()[0]
    project.save(first.id, [Region(Rect(10, 10, 60, 60), "cell")], first.revision)
    run_of(project)
    network = networks.network(project, "run/first")
    for place, image in enumerate(project.images()):
        look = KeptLook(np.array([place, -place], "f4"), np.array([0.9, 0.6, 0.3], "f4"))
        suggested = [
            Region(shape, "cell", source="model", score=score)
            for shape, score in ((SURE, 0.9), (OTHER, 0.6), (UNSURE, 0.3))
        ]
        project.keep_look(image.id, network.key, network.state, look, suggested if place else None)
    return EditorDriver(page, server.url, project)


def run_of(project: Project) -> None:
    """A run whose network is never loaded."""
    from maskrcnn.model import build
    from maskrcnn.model.weights import save

    config = Config.preset("classroom", **tiny.CONFIG | {"num_classes": 2, "class_names": ("cell",)})
    run = RunFolder.create(project.runs_folder / "first")
    run.write_json("config.json", config.model_dump(mode="json"))
    save(build(config), run.best, 1)


def hint(editor: EditorDriver, name: str) -> Any:
    return editor.page.locator(f'[data-hint="{name}"]')


def says(editor: EditorDriver, name: str, words: str) -> None:
    """Wait until a line of the panel of suggestions has exactly these words."""
    line = hint(editor, name)
    until(editor.page, lambda: line.text_content() == words, 15, lambda: f"{name}: {line.text_content()!r}")


def place_in_list(editor: EditorDriver, words: str) -> None:
    editor.page.locator('[data-queue="count"]').filter(has_text=words).wait_for()


def test_from_the_list_to_labels_and_what_is_decided_does_not_come_back(editor: EditorDriver) -> None:
    page, project = editor.page, editor.project
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{editor.url}/label_next?project={project.folder.name}")
    begin = page.get_by_role("button", name="Label these 3 pictures")
    begin.wait_for()
    names = page.locator(".tile .name")
    names.first.wait_for()
    order = names.all_text_contents()
    assert sorted(order) == ["p001.jpg", "p002.jpg", "p003.jpg"]
    assert all("the network" in words for words in page.locator(".says").all_text_contents())

    begin.click()
    editor.wait_for_picture(order[0])
    place_in_list(editor, "1 / 3")
    says(editor, "count", "2 suggested (+1)")
    assert "By first, " in (hint(editor, "source").text_content() or "")
    assert not [url for url in asked if "/hints/suggestions/" in url]  # no network was asked

    # One is accepted, another one thrown away: neither comes back after a reload.
    editor.move((200.0, 175.0))
    editor.press("a")
    (region,) = editor.stored(lambda regions: len(regions) == 1)
    assert (region.shape, region.class_name, region.source, region.score) == (SURE, "cell", "model", 0.9)
    says(editor, "count", "1 suggested (+1)")
    editor.press("Shift+X")
    says(editor, "count", "0 suggested (+1)")
    number = editor.image(order[0]).id

    def undecided() -> list[float | None]:
        kept = project.kept_suggestions(number)
        return [region.score for region in kept.regions] if kept else []

    until(page, lambda: undecided() == [0.3], 15, lambda: str(undecided()))
    editor.wait_until_saved()
    page.reload()
    editor.wait_for_picture(order[0])
    says(editor, "count", "0 suggested (+1)")
    assert editor.regions(order[0]) == (region,)
    hint(editor, "again").click()  # what was accepted lies there already
    says(editor, "count", "1 suggested (+1)")

    # "Next" goes through the list in its order, also when the ranking would be another one now.
    project.save(editor.image(order[2]).id, [Region(Rect(1, 1, 9, 9), "cell")], 1)
    place_in_list(editor, "1 / 3")
    for place, name in ((2, order[1]), (3, order[2])):
        editor.press("PageDown")
        editor.wait_for_picture(name)
        place_in_list(editor, f"{place} / 3")
        says(editor, "count", "2 suggested (+1)")
    editor.press("PageDown")
    page.get_by_text("This is the last picture of the list.").wait_for()
    editor.press("PageUp")
    editor.wait_for_picture(order[1])
    page.locator('[data-queue="leave"]').click()
    page.get_by_text("/ 4", exact=False).first.wait_for()

    # A person who switched them off does not get them back by a reload.
    hint(editor, "network").select_option("")
    says(editor, "count", "")
    page.reload()
    editor.wait_for_picture(order[1])
    assert hint(editor, "network").input_value() == ""
    hint(editor, "network").select_option("kept")
    says(editor, "count", "2 suggested (+1)")


@sweep
def test_hostile_names_are_shown_as_they_are(editor: EditorDriver) -> None:
    page, project = editor.page, editor.project
    second = project.images()[1]
    project.keep_suggestions(HOSTILE, {second.id: [Region(SURE, "cell", source="model", score=0.8)]})
    project.set_next_pictures([NextPicture(second.id, HOSTILE)])
    editor.open(second.file_name, queue="next")
    says(editor, "count", "1 suggested")
    assert (hint(editor, "source").text_content() or "").startswith(f"By {HOSTILE}, ")
    words = page.locator('[data-queue="words"]')
    until(page, lambda: words.text_content() == f"{HOSTILE}.", 15, lambda: str(words.text_content()))
    page.get_by_text(f"1 suggested by {HOSTILE}", exact=False).wait_for()
    assert page.title() != "taken"

    # In a picture that is done nothing is left to label, so nothing shows by itself.
    third = project.images()[2]
    project.set_done(third.id, True)
    with page.expect_request("**/hints/networks"):
        editor.open(third.file_name)
    says(editor, "count", "")
    project.set_done(third.id, False)
    editor.open(third.file_name)
    says(editor, "count", "2 suggested (+1)")

    # A list that no project keeps, and one that does not exist.
    project.set_next_pictures([])
    editor.open(second.file_name, queue="next")
    page.get_by_text("The list is empty.", exact=False).wait_for()
    editor.open(second.file_name, queue="<b>other</b>")
    says(editor, "count", "1 suggested")
    assert page.locator('[data-queue="words"]').is_hidden()
