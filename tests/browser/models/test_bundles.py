"""A model leaves the studio and comes back in a real Chromium: downloaded from one project, given to another."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maskrcnn.annotations.store import Project
from maskrcnn.runs.folder import RunFolder
from maskrcnn.runs.opened_bundle import open_bundle

DATA = Path(__file__).resolve().parents[3] / "data"


def test_a_bundle_is_downloaded_and_opened_in_another_project(
    page: Any, server: Any, settled: Callable[..., None], tmp_path: Path
) -> None:
    sending = Project.create(server.workspace / "bundle-sender")
    shutil.copytree(DATA / "weights" / "toy-c5-align", sending.runs_folder / "toy")
    receiving = Project.create(server.workspace / "bundle-receiver")
    first = DATA / "shapes" / "val" / "toy2-001.jpg"
    receiving.add_pictures([(first.name, first.read_bytes())], "val")

    # Out: made in the background, then downloaded, with the menu open all the time.
    page.goto(f"{server.url}/runs?project=bundle-sender&run=toy")
    page.get_by_role("button", name="Download", exact=True).click()
    page.get_by_role("button", name="Model bundle", exact=True).click()
    ready = page.get_by_role("button", name="Model bundle · 7 MB")
    ready.wait_for(timeout=60_000)
    with page.expect_download() as download:
        ready.click()
    assert download.value.suggested_filename == "toy.zip"
    bundle = tmp_path / "toy.zip"
    download.value.save_as(bundle)
    assert open_bundle(bundle, tmp_path / "runs").config().names[0] == "circle"

    # In: what is no bundle is one line, and the next file counts.
    page.goto(f"{server.url}/runs?project=bundle-receiver")
    settled(page)
    chooser = page.locator("input[type=file]")
    evil = tmp_path / "evil.zip"
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("<img src=x onerror=alert(1)>.py", "import os")
    chooser.set_input_files(evil)
    page.get_by_text("evil.zip: holds code or a pickle (<img src=x onerror=alert(1)>.py)").wait_for()
    assert list(receiving.runs_folder.iterdir()) == []
    settled(page)
    chooser.set_input_files(bundle)
    page.get_by_text("toy is a run of this project now").wait_for(timeout=60_000)
    page.get_by_text("Of its 12 labelled pictures one is in this project").wait_for()
    assert "run=toy" in page.url

    # It is a run like any other: its predictions are shown on the picture that is here too.
    run = RunFolder.open(receiving.runs_folder / "toy")
    assert run.picture_path(run.shown()["images"][0]).parent == receiving.images_folder
    page.get_by_role("link", name="Predictions").first.click()
    page.locator('.picture-surface[data-ready="true"]').first.wait_for()
