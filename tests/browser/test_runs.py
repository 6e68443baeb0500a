"""Curves and pictures of runs under a real mouse: hover, several runs at once, the slider over epochs, a download."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.runs.folder import CONFIG, DATASET, PROCESS, RESULT, RunFolder
from tests.jobs.fakes import this_process
from tests.sweeps import sweep

EPOCHS, STEPS = 4, 6
BOX = [10.0, 10.0, 40.0, 40.0]


def make_run(
    project: Project, name: str, seed: int, *, pictures: int = 1, step_seconds: float = 2.0, is_complete: bool = True
) -> RunFolder:
    """A finished run of four epochs of six steps; the last two epochs find the square of its first picture.

    `is_complete`: False leaves out the validation losses, and the times of the first epoch.
    """
    run = RunFolder(project.runs_folder / name)
    run.path.mkdir()
    config = Config.preset("classroom", epochs=EPOCHS, tasks=("box",), seed=seed, batch_size=4)
    run.write_json(CONFIG, config.model_dump())
    run.write_json(PROCESS, this_process(create_time=1.0, started=0.0))
    picture = run.path / "a.png"
    Image.new("RGB", (80, 60)).save(picture)
    square = {"id": 1, "image_id": 1, "category_id": 1, "bbox": BOX, "area": 1600.0, "iscrowd": 0}
    square |= {"segmentation": [[10, 10, 50, 10, 50, 50, 10, 50]]}
    image = {"id": 1, "file_name": "a.png", "width": 80, "height": 60, "path": str(picture)}
    document = {"images": [image], "annotations": [square], "categories": [{"id": 1, "name": "square"}]}
    others = [{**image, "id": number, "file_name": f"{number}.png"} for number in range(2, pictures + 1)]
    run.write_json(DATASET, {"train": {**document, "images": [image, *others]}, "val": document})
    for step in range(1, EPOCHS * STEPS + 1):
        epoch = -(-step // STEPS)
        row = {"epoch": epoch, "step": step, "progress": step / STEPS / EPOCHS, "eta": 0.0}
        row["elapsed"] = step_seconds * step if is_complete or epoch > 1 else None
        row |= dict.fromkeys(("loss", *config.losses), 1 / step)
        run.append_metrics({"event": "step", **row})
        if step % STEPS == 0:
            validation = {f"val_{loss}": 2 / step for loss in ("loss", *config.losses) if is_complete}
            run.append_metrics({"event": "epoch", **row, **validation, "bbox_ap": 0.1 * epoch, "bbox_ap50": 0.5})
            found = [{"image_id": 1, "category_id": 1, "bbox": BOX, "score": 0.9}] if epoch > 2 else []
            run.write_detections(epoch, found)
    run.write_json(RESULT, {"state": "done", "epochs": EPOCHS, "best_epoch": EPOCHS, "seconds": 48.0})
    return run


@pytest.fixture(scope="module")
def project(server: Any) -> Project:
    project = Project.create(server.workspace / "looked-at")
    for seed, name in enumerate(("looked-at-0001", "looked-at-0002")):
        make_run(project, name, seed)
    make_run(project, "looked-at-0003", 2, pictures=400, step_seconds=162.5, is_complete=False)
    return project


def open_runs(page: Any, server: Any, settled: Callable[[Any], None], query: str) -> None:
    page.goto(f"{server.url}/runs?project=looked-at&{query}")
    page.get_by_text("The same pictures after each epoch").wait_for()
    page.locator('[data-testid="stVegaLiteChart"] svg.marks').nth(5).wait_for()
    settled(page)


def points_of_losses(page: Any) -> Any:
    """The points of epochs in the chart of the total loss."""
    return page.locator('[data-testid="stVegaLiteChart"]').first.locator("path[aria-roledescription='point']")


def tooltip_at(page: Any, point: int) -> str:
    """What is said over a point of the total loss."""
    spot = points_of_losses(page).nth(point).bounding_box()
    page.mouse.move(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2)
    tip = page.locator("#vg-tooltip-element")
    tip.get_by_text("rpn bbox").wait_for()
    return " ".join(tip.inner_text().split())


def test_hovering_tells_every_loss_of_a_point_and_the_run_it_is_of(
    server: Any, page: Any, settled: Callable[[Any], None], project: Project
) -> None:
    open_runs(page, server, settled, "run=looked-at-0001&with=looked-at-0002")
    assert points_of_losses(page).count() == 2 * 2 * EPOCHS
    said = tooltip_at(page, 2 * EPOCHS)  # the first of validation
    assert f"at epoch 1, step {STEPS}, {STEPS}.0 passes time 0:12 since the start" in said
    assert "run looked-at-000" in said
    assert "rpn bbox 0.1667 · val 0.3333" in said


def test_hovering_tells_hours_and_few_passes_and_nothing_of_what_was_not_recorded(
    server: Any, page: Any, settled: Callable[[Any], None], project: Project
) -> None:
    open_runs(page, server, settled, "run=looked-at-0003")
    assert points_of_losses(page).count() == EPOCHS
    # A pass over 400 pictures in batches of 4 is 100 steps; step 24 of 162.5 s ends after 3,900 s.
    first, last = tooltip_at(page, 0), tooltip_at(page, EPOCHS - 1)
    assert first.startswith("at epoch 1, step 6, 0.06 passes time – since the start")
    assert last.startswith("at epoch 4, step 24, 0.2 passes time 1:05:00 since the start")
    assert "rpn bbox 0.0417" in last
    assert "val" not in first + last
    assert "run" not in first + last


@sweep
def test_the_slider_goes_back_to_what_an_epoch_found(
    server: Any, page: Any, settled: Callable[[Any], None], project: Project
) -> None:
    open_runs(page, server, settled, "run=looked-at-0001")
    page.get_by_text("1 found").wait_for()
    picture = page.get_by_alt_text("a.png with what looked-at-0001 found after epoch 4")
    last = picture.get_attribute("src")
    slider = page.get_by_role("slider", name="Epoch")
    slider.focus()
    slider.press("ArrowLeft")
    slider.press("ArrowLeft")
    page.get_by_text("0 found").wait_for()
    assert page.get_by_alt_text("found after epoch 2").get_attribute("src") != last
    page.get_by_role("link", name="a.png").click()
    page.wait_for_url("**/predictions?**epoch=2**")


def test_the_exact_labels_can_be_taken_home(
    server: Any, page: Any, settled: Callable[[Any], None], project: Project
) -> None:
    open_runs(page, server, settled, "run=looked-at-0001")
    page.get_by_role("button", name="Download", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Labels: training").click()
    assert download.value.suggested_filename == "looked-at-0001-train.json"
    document = json.loads(download.value.path().read_text())
    assert [entry["bbox"] for entry in document["annotations"]] == [BOX]
