"""The model card of the Runs page in a real Chromium: computed when it is opened, drawn, and downloaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from maskrcnn.inference.model_card import model_card
from tests.made_runs import begin_run, document, end_run, new_project_of_server, noise, rectangle
from tests.sweeps import sweep

NAME = "<img src=x onerror=alert(1)>"


@sweep
def test_a_card_is_opened_and_downloaded(page: Any, server: Any, settled: Callable[..., None], tmp_path: Path) -> None:
    project = new_project_of_server(server, "model-card", ["a", "b"], noise())
    objects = [rectangle(1, 1, (5, 5, 20, 20)), rectangle(2, 2, (5, 5, 20, 20))]
    run = begin_run(project, document(["a", "b"], objects, ["cell", NAME]))
    end_run(run, {1: [rectangle(1, 1, (5, 5, 20, 20), score=0.9)]}, {1: 0.5})

    page.goto(f"{server.url}/runs?project=model-card&run=first")
    settled(page)
    page.locator('[data-testid="stExpander"] summary').filter(has_text="Model card").click()
    page.get_by_text("How it was trained").wait_for(timeout=60_000)
    settled(page)
    section = page.locator('[data-testid="stExpander"]').filter(has_text="Model card")
    section.locator('[data-testid="stVegaLiteChart"] .marks').nth(2).wait_for()  # counts, AP by size, AP by class
    assert section.locator('[data-testid="stMetric"]').first.inner_text().split()[:3] == ["mask", "AP", "0.500"]
    assert section.locator("img").count() == 0  # the name of the class is text
    section.get_by_text(f"“{NAME}”").or_(section.get_by_text(f'"{NAME}"')).first.wait_for()

    with page.expect_download() as download:
        section.get_by_role("button", name="Markdown").click()
    assert download.value.suggested_filename == "first-card.md"
    download.value.save_as(tmp_path / "card.md")
    assert (tmp_path / "card.md").read_text(encoding="utf-8") == model_card(run).markdown()
    with page.expect_download() as download:
        section.get_by_role("button", name="JSON").click()
    download.value.save_as(tmp_path / "card.json")
    assert json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))["network"]["classes"] == ["cell", NAME]

    # A picture in which something is wrong leads to its predictions.
    section.get_by_role("link", name="b.png").click()
    page.locator('.picture-surface[data-ready="true"]').first.wait_for()
    assert "image=b.png" in page.url
