"""Selections with a real mouse: a box dragged over a picture, a row clicked in a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations.store import Project
from maskrcnn.config import Config
from maskrcnn.runs.folder import RunFolder
from tests.browser.conftest import Server
from tests.sweeps import sweep

WIDTH, HEIGHT = 320, 240
SQUARE = [[40, 40, 140, 40, 140, 140, 40, 140]]

Settled = Callable[[Any], None]


@pytest.fixture
def project(server: Server, tmp_path: Path) -> Project:
    """Two validation pictures with a square each, and a run that found the one on b.png only."""
    made = Project.create(server.workspace / f"cards of {tmp_path.name}")
    for name, shade in (("a.png", 80), ("b.png", 120)):
        Image.fromarray(np.full((HEIGHT, WIDTH, 3), shade, np.uint8)).save(tmp_path / name)
        made.add_pictures([tmp_path / name], "val")
    truth: dict[str, Any] = {
        "images": [
            {"id": n, "file_name": name, "width": WIDTH, "height": HEIGHT, "path": f"../../images/{name}"}
            for n, name in enumerate(("a.png", "b.png"), 1)
        ],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "iscrowd": 0, "area": 10_000, "bbox": [40, 40, 100, 100]}
            | {"segmentation": SQUARE}
            for n in (1, 2)
        ],
        "categories": [{"id": 1, "name": "card"}],
    }
    run = RunFolder.create(made.runs_folder / "first")
    run.write_json("config.json", Config.preset("classroom", class_names=("card",)).model_dump())
    run.write_json("dataset.json", {"train": truth, "val": truth})
    found = {"image_id": 2, "category_id": 1, "score": 0.9, "bbox": [40, 40, 100, 100], "segmentation": SQUARE}
    run.write_detections(1, [found])
    run.append_metrics({"event": "epoch", "epoch": 1, "step": 1, "progress": 1.0, "elapsed": 1.0, "eta": 0.0})
    run.write_json("result.json", {"state": "done", "best_epoch": 1, "seconds": 1.0})
    return made


def test_a_click_on_a_row_leads_to_the_predictions_of_its_picture(
    server: Server, page: Any, settled: Settled, project: Project
) -> None:
    page.goto(f"{server.url}/evaluation?project={project.folder.name}&run=first")
    page.locator(".pictures tr[data-place]", has_text="b.png").click()
    page.wait_for_url("**image=b.png*")
    settled(page)
    page.locator('[data-testid="stPageLink"] a', has_text="Open in Predictions").click()
    page.wait_for_url("**/predictions?**image=b.png*")
    page.get_by_label("b.png with its labelled objects").wait_for()
    ap = page.locator('[data-testid="stMetric"]').filter(has_text="AP of this picture")
    ap.wait_for()
    settled(page)
    assert "1.000" in ap.inner_text()


def test_another_run_opens_at_its_own_best_epoch(server: Server, page: Any, settled: Settled, project: Project) -> None:
    """Of `second`, epochs 2 and 3 are equally good and 2 is the first; `first` has epoch 1 alone."""
    first, second = (RunFolder(project.runs_folder / name) for name in ("first", "second"))
    second.path.mkdir()
    for name in ("config.json", "dataset.json", "result.json"):
        (second.path / name).write_text((first.path / name).read_text())
    for epoch, ap in ((1, 0.1), (2, 0.602), (3, 0.602), (4, 0.476)):
        row = {"event": "epoch", "epoch": epoch, "step": epoch, "progress": epoch / 4, "elapsed": 1.0, "eta": 0.0}
        second.append_metrics(row | {"segm_ap": ap})
        second.write_detections(epoch, first.detections(1) if epoch in (2, 3) else [])
    page.goto(f"{server.url}/predictions?project={project.folder.name}&run=second&epoch=4&image=b.png")
    ap = page.locator('[data-testid="stMetric"]').filter(has_text="AP of this picture")
    ap.wait_for()
    settled(page)
    assert "0.000" in ap.inner_text()  # a link means the epoch that it names

    def choose(run: str) -> None:
        page.get_by_role("combobox", name=re.compile("Run")).click()
        page.get_by_role("option", name=re.compile(run)).click()
        page.wait_for_url(f"**run={run}*")
        settled(page)

    choose("first")
    assert "epoch=" not in page.url
    assert "1.000" in ap.inner_text()
    choose("second")
    epoch = page.get_by_role("combobox", name=re.compile("Epoch"))
    assert epoch.input_value() == "2 (best mask AP)"
    assert "1.000" in ap.inner_text()
    assert "image=b.png" in page.url
    assert page.get_by_label("b.png with what second found").count() == 1


@sweep
def test_a_dragged_box_is_pooled_anew(server: Server, page: Any, settled: Settled, project: Project) -> None:
    page.goto(f"{server.url}/roi_align?project={project.folder.name}")
    page.locator("canvas.upper-canvas").wait_for()
    page.wait_for_timeout(1500)
    settled(page)
    error = page.get_by_text(re.compile(r"Off by up to"))

    # On P4 of the hand-made filters a cell is 16 pixels. A box at whole cells is rounded by nothing; RoIPool counts the
    # last cell in, so the box of 5 cells from 64 to 144 ends one cell later, at 160.
    drag(page, settled, (64, 64), (144, 144))
    page.get_by_text(re.compile(r"Off by up to (15|16|17)\.?\d* px")).wait_for()
    before = error.inner_text()
    drag(page, settled, (200, 20), (300, 96))
    page.wait_for_function("text => !document.body.innerText.includes(text)", arg=before)
    assert page.locator('[data-testid="stException"]').count() == 0


def drag(page: Any, settled: Settled, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag over the picture, from one point to another in its pixels."""
    box = page.locator("canvas.upper-canvas").bounding_box()
    (x0, y0), (x1, y1) = (
        (box["x"] + x * box["width"] / WIDTH, box["y"] + y * box["height"] / HEIGHT) for x, y in (start, end)
    )
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2)
    page.mouse.move(x1, y1)
    page.mouse.up()
    page.wait_for_timeout(2000)  # the canvas is mounted anew with the box
    settled(page)
