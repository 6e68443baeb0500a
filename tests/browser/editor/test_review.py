"""From a figure to the object behind it, by real events: links to an object of a run, and the walk through suspected
label errors (those of `studio_with_candidates`).

Four pictures have one label each, 200 x 150 px, 100 px from the left and the top. The run finds: in the first one the
label and another object; in the second one the label as another class; in the third one the object 100 px beside the
label, an IoU of 1/3; in the fourth one nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.annotations.regions import Polygon, Rect, Region
from maskrcnn.config import Config
from maskrcnn.runs.folder import RunFolder
from tests.browser.conftest import Server, start_server
from tests.browser.editor_driver import EditorDriver, labelled_project, until

WIDTH, HEIGHT = 900, 600
LABEL, OTHER, BESIDE = (100, 100, 200, 150), (500, 300, 200, 150), (200, 100, 200, 150)
CAT, DOG = 1, 2


def entry(image: int, category: int, box: tuple[int, int, int, int], **more: Any) -> dict[str, Any]:
    x, y, width, height = box
    outline = [[x, y, x + width, y, x + width, y + height, x, y + height]]
    return {"image_id": image, "category_id": category, "bbox": list(box), "segmentation": outline, **more}


FOUND = [
    entry(1, CAT, LABEL, score=0.95),
    entry(1, DOG, OTHER, score=0.97),
    entry(2, DOG, LABEL, score=0.9),
    entry(3, CAT, BESIDE, score=0.8),
]


@pytest.fixture
def editor(page: Any, server: Server) -> EditorDriver:
    """A project with a run in the shared studio; nothing is opened yet."""
    return reviewed_project(page, server)


@pytest.fixture
def walker(page: Any, tmp_path: Path) -> Iterator[EditorDriver]:
    """The same in a studio that suspects each of the labels."""
    python = ("-m", "tests.browser.editor.studio_with_candidates")
    studio = start_server(tmp_path / "workspace", python=python)
    yield reviewed_project(page, studio)
    studio.interrupt()


def reviewed_project(page: Any, server: Server) -> EditorDriver:
    name = f"reviewed{len(list(server.workspace.glob('reviewed*')))}"
    project = labelled_project(server.workspace / name, 4, (WIDTH, HEIGHT), [Region(Rect(*LABEL), "cat")])
    last = project.images()[3]
    (region,), revision = project.regions(last.id)
    project.save(last.id, [Region(region.shape, "dog", id=region.id)], revision)
    images = [
        {"id": n, "file_name": f"p{n - 1:03}.jpg", "width": WIDTH, "height": HEIGHT}
        | {"path": f"../../images/p{n - 1:03}.jpg"}
        for n in range(1, 5)
    ]
    labels = [entry(n, CAT if n < 4 else DOG, LABEL, id=n, iscrowd=0, area=30_000) for n in range(1, 5)]
    categories = [{"id": CAT, "name": "cat"}, {"id": DOG, "name": "dog"}]
    truth = {"images": images, "annotations": labels, "categories": categories}
    run = RunFolder.create(project.runs_folder / "first")
    run.write_json("config.json", Config.preset("classroom", class_names=("cat", "dog")).model_dump(mode="json"))
    run.write_json("dataset.json", {"train": truth, "val": truth})
    run.write_detections(1, FOUND)
    run.append_metrics({"event": "epoch", "epoch": 1, "step": 1, "progress": 1.0, "elapsed": 1.0, "eta": 0.0})
    run.write_json("result.json", {"state": "done", "best_epoch": 1, "seconds": 1.0})
    return EditorDriver(page, server.url, project)


def says(editor: EditorDriver, *parts: str) -> None:
    """Wait until the panel says all of this."""
    words = editor.page.locator('[data-review="words"]')
    seen: list[str] = []

    def met() -> bool:
        seen[:] = [words.inner_text() if words.count() else ""]
        return all(part in seen[0] for part in parts)

    until(editor.page, met, 20, lambda: f"the panel says {seen}")


def shows(editor: EditorDriver, box: tuple[int, int, int, int]) -> None:
    """Wait until a box is in view, and fills a good part of it: at least a third of its width or height."""

    def met() -> bool:
        editor.wait_until_still()
        camera, view = editor.camera(), editor.view.bounding_box()
        x, y, width, height = box
        left, top = camera.to_window((x, y))
        right, bottom = camera.to_window((x + width, y + height))
        is_inside = left >= view["x"] and top >= view["y"] and right <= view["x"] + view["width"]
        share = max((right - left) / view["width"], (bottom - top) / view["height"])
        return is_inside and bottom <= view["y"] + view["height"] and share >= 1 / 3

    until(editor.page, met, 15, lambda: f"the camera is {editor.camera()}, the view {editor.view.bounding_box()}")


def selected(editor: EditorDriver) -> list[str]:
    rows = editor.page.locator('.region-row[aria-selected="true"]')
    return [row.get_attribute("data-region") for row in rows.all()]


def decided(editor: EditorDriver, *expected: tuple[str, str]) -> None:
    """Wait until these decisions, (kind, decision), are stored."""

    def stored() -> list[tuple[str, str]]:
        return [(entry.kind, entry.decision) for entry in editor.project.label_decisions()]

    until(editor.page, lambda: stored() == list(expected), 10, lambda: f"stored is {stored()}")


def test_a_link_leads_to_a_label_and_back(editor: EditorDriver) -> None:
    editor.open("p002.jpg", object="first:1:truth:3", back="predictions")
    says(editor, "Label “cat” of first, epoch 1")
    shows(editor, LABEL)
    assert selected(editor) == [editor.regions()[0].id]
    editor.press("Shift+J")
    editor.page.wait_for_url("**/predictions?**")
    project = f"project={editor.project.folder.name}"
    for part in ("run=first", "epoch=1", "image=p002.jpg", project, "object=first%3A1%3Atruth%3A3"):
        assert part in editor.page.url
    editor.page.locator('.picture-surface[data-ready="true"]').nth(1).wait_for()
    # A label that is not there any more, and links that lead nowhere.
    image = editor.project.images()[2]
    editor.project.save(image.id, [], image.revision)
    for link, words in (
        ("first:1:truth:3", "is not there any more"),
        ("first:1:found:99", "has no detection 99 in epoch 1"),
        ("first:7:found:0", "has no saved detections of epoch 7"),
        ("<b>x</b>:1:found:0", "“<b>x</b>” is no run of this project".replace("“", '"').replace("”", '"')),
        ("first", "names no object of a run"),
    ):
        editor.open("p002.jpg", object=link)
        says(editor, words)


def test_a_false_positive_becomes_a_label_and_a_wrong_class_is_mended(editor: EditorDriver) -> None:
    editor.open("p000.jpg", object="first:1:found:1", back="predictions")
    says(editor, "Found by first, epoch 1, as dog, score 0.97")
    shows(editor, OTHER)
    editor.press("Enter")
    _, new = editor.stored(lambda regions: len(regions) == 2)
    assert (new.class_name, new.source, new.score) == ("dog", "model", 0.97)
    assert isinstance(new.shape, Polygon)
    assert sorted(new.shape.points) == [(500, 300), (500, 450), (700, 300), (700, 450)]
    assert selected(editor) == [new.id]
    editor.press("Control+z")
    editor.stored(lambda regions: len(regions) == 1)
    says(editor, "Found by first")  # it is offered again

    editor.open("p001.jpg", object="first:1:found:2", back="predictions")
    says(editor, "as dog, score 0.90", "A label “cat” lies below it")
    editor.press("m")
    editor.page.locator('[data-review="class"]').wait_for()
    editor.press("l")
    (mended,) = editor.stored(lambda regions: regions[0].class_name == "dog")
    assert mended.shape == Rect(*LABEL)
    editor.press("Control+z")
    editor.stored(lambda regions: regions[0].class_name == "cat")

    editor.open("p002.jpg", object="first:1:found:3")
    says(editor, "as cat, score 0.80")
    editor.press("m")  # the class is the same, so it is the outline
    (mended,) = editor.stored(lambda regions: isinstance(regions[0].shape, Polygon))
    assert sorted(mended.shape.points) == [(200, 100), (200, 250), (400, 100), (400, 250)]


def test_the_walk_asks_each_candidate_once(walker: EditorDriver, settled: Callable[..., None]) -> None:
    walker.page.goto(f"{walker.url}/?project={walker.project.folder.name}&image=p003.jpg&review=first:1")
    says(walker, "Candidate 1 of 4: found with score 0.97 where nothing is labelled", "As “dog”")
    shows(walker, OTHER)
    assert walker.shown == "p000.jpg"
    walker.press("Enter")
    says(walker, "Candidate 2 of 4", "The label says “cat”")
    walker.wait_for_picture("p001.jpg")
    walker.stored(lambda regions: [region.class_name for region in regions] == ["cat", "dog"], "p000.jpg")
    walker.press("k")
    says(walker, "Candidate 3 of 4")
    decided(walker, ("missing", "add"), ("wrong_class", "keep"))
    walker.wait_for_picture("p002.jpg")
    shows(walker, (100, 100, 300, 150))  # the label and the detection beside it
    walker.press("m")
    says(walker, "Candidate 4 of 4")
    walker.wait_for_picture("p003.jpg")
    walker.stored(lambda regions: isinstance(regions[0].shape, Polygon), "p002.jpg")
    decided(walker, ("missing", "add"), ("wrong_class", "keep"), ("shifted", "mend"))

    # Taken back, it is asked again, and its edit is undone.
    walker.press("Control+z")
    says(walker, "Candidate 3 of 4")
    walker.stored(lambda regions: isinstance(regions[0].shape, Rect), "p002.jpg")
    decided(walker, ("missing", "add"), ("wrong_class", "keep"))
    walker.wait_for_picture("p002.jpg")
    walker.press("m")
    says(walker, "Candidate 4 of 4")
    walker.stored(lambda regions: isinstance(regions[0].shape, Polygon), "p002.jpg")
    decided(walker, ("missing", "add"), ("wrong_class", "keep"), ("shifted", "mend"))

    # A reload goes on where the walk was.
    walker.wait_for_picture("p003.jpg")
    walker.page.reload()
    says(walker, "Candidate 4 of 4")
    walker.wait_for_picture("p003.jpg")
    walker.press("s")
    says(walker, "3 of 4 decided: 1 are right, 2 were changed. 1 skipped.")
    walker.page.locator('[data-review="again"]').click()
    says(walker, "Candidate 4 of 4")
    walker.press("m")
    says(walker, "4 of 4 decided")
    walker.stored(lambda regions: regions == (), "p003.jpg")
    settled(walker.page)
    walker.page.locator('[data-review="train"]').click()
    walker.page.wait_for_url("**/launch?**")
