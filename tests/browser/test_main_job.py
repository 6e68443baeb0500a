"""The whole job with a real mouse: draw, train, watch, look. And the studio stopped in the middle of a training."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.config import Config
from maskrcnn.evaluation import evaluate
from maskrcnn.jobs import run_state
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.project_runs import runs_in
from tests.browser.editor_driver import EditorDriver
from tests.sweeps import sweep

WIDTH, HEIGHT = 320, 240
TRIANGLE = ((180, 40), (290, 60), (240, 200))
SQUARE = Polygon(((30.0, 60.0), (130.0, 60.0), (130.0, 160.0), (30.0, 160.0)))

Settled = Callable[[Any], None]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project in a workspace of the test's own; whatever trains on it ends with the test."""
    made = make_project(tmp_path / "workspace" / "cards")
    yield made
    for run in runs_in(made.runs_folder):
        with contextlib.suppress(psutil.Error, KeyError, TypeError):
            psutil.Process(run.read_json("process.json")["pid"]).kill()


def make_project(folder: Path) -> Project:
    """Two training pictures and one for validation, a square on each; the mouse adds a triangle."""
    pixels = np.random.default_rng(0).integers(60, 90, (HEIGHT, WIDTH, 3), np.uint8)
    pixels[60:160, 30:130] = (220, 180, 40)
    folder.parent.mkdir(parents=True, exist_ok=True)
    project = Project.create(folder)
    for name, split in (("a.png", "train"), ("b.png", "train"), ("c.png", "val")):
        Image.fromarray(pixels).save(folder.parent / name)
        project.add_pictures([folder.parent / name], split)
    project.set_classes([ProjectClass("square", "#e69f00")])
    for image in project.images():
        project.save(image.id, [Region(SQUARE, "square")], image.revision)
    return project


def wait_until(happened: Callable[[], Any], seconds: float, what: str) -> Any:
    deadline = time.monotonic() + seconds
    while not (result := happened()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.2)
    return result


def launch(page: Any, settled: Settled, epochs: int) -> None:
    """Start a training of the classroom preset on small pictures, on the Launch page that is shown."""
    page.get_by_text("Initial weights", exact=True).wait_for()
    settled(page)
    for field, value in (("Epochs", epochs), ("image_min_dim", 128), ("image_max_dim", 128)):
        box = page.get_by_role("spinbutton", name=field)
        if field == "image_min_dim":
            page.get_by_text("More choices").click()
        box.fill(str(value))
        box.press("Enter")
        settled(page)
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/runs?*")


def badge(page: Any, state: str) -> Any:
    """The badge of the run that is shown."""
    return page.locator(".stMarkdownBadge").filter(has_text=state).first


def points_of(chart: Any) -> int:
    """How many points a chart shows: training and validation together."""
    return chart.locator("path[aria-roledescription='point']").count()


def test_draw_train_watch_and_inspect(
    new_server: Callable[..., Any], page: Any, settled: Settled, project: Project
) -> None:
    server = new_server(project.folder.parent)

    # Draw a polygon on the first picture, look at the next one, come back.
    editor = EditorDriver(page, server.url, project)
    editor.open("a.png")
    editor.tool("p")
    editor.polygon(TRIANGLE)
    editor.turn_to("b.png")
    editor.turn_to("a.png", "PageUp")
    square, triangle = editor.stored(lambda regions: len(regions) == 2)
    assert square.shape == SQUARE
    assert np.array(triangle.shape.points) == pytest.approx(np.array(TRIANGLE), abs=0.5)
    editor.wait_until_saved()

    # Two epochs, from nothing.
    page.get_by_role("link", name="Launch").click()
    launch(page, settled, epochs=2)

    # The curves grow by themselves, without a click or a reload.
    charts = page.locator('[data-testid="stVegaLiteChart"]')
    run = RunFolder(project.runs_folder / "cards-0001")
    wait_until(lambda: run.result() or len(run.epochs()) == 2, 120, "the end of the training")
    assert run.result() is None or run.result()["state"] == "done", run.log_tail()
    badge(page, "done").wait_for(timeout=30_000)
    losses = len(Config.preset("classroom").losses)
    wait_until(lambda: charts.count() == 2 + losses, 20, "seven charts")
    for number in range(2, 2 + losses):
        curve = partial(points_of, charts.nth(number))
        wait_until(lambda curve=curve: curve() == 2 * 2, 10, f"two points on curve {number - 1}")

    # A prediction and its AP, the one that the evaluation gives.
    page.get_by_role("link", name="Predictions").first.click()
    page.get_by_text("AP of this picture").wait_for()
    settled(page)
    ap = page.locator('[data-testid="stMetric"]').filter(has_text="AP of this picture")
    best = run.result()["best_epoch"]
    (expected,) = evaluate(run.dataset()["val"], run.detections(best)).per_image
    assert f"{expected.ap:.3f}" in ap.inner_text()
    page.get_by_label("c.png with").nth(1).wait_for()
    assert page.get_by_label("c.png with").count() == 2
    assert page.locator('[data-testid="stException"]').count() == 0


@sweep
def test_a_training_goes_on_without_the_studio_and_is_found_again(
    new_server: Callable[..., Any], page: Any, settled: Settled, project: Project
) -> None:
    server = new_server(project.folder.parent)
    page.goto(f"{server.url}/launch?project=cards")
    launch(page, settled, epochs=500)
    run = RunFolder(project.runs_folder / "cards-0001")
    wait_until(run.metrics, 120, "the first step")

    server.interrupt()  # Ctrl-C
    steps = len(run.metrics())
    wait_until(lambda: len(run.metrics()) > steps, 60, "a step after the studio has gone")
    assert run_state.state(run) == "running"

    again = new_server(project.folder.parent)
    page.goto(f"{again.url}/runs?project=cards")
    badge(page, "running").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Cancel this training").click()
    badge(page, "cancelled").wait_for(timeout=60_000)
    assert run.result()["state"] == "cancelled"
