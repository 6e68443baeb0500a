"""What is exported split by split, put beside the original photographs and imported again: nothing is missing."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.annotations.store import Project
from tests.sweeps import sweep

Settled = Callable[[Any], None]

WIDTH, HEIGHT = 160, 120
PLACES = {"train": ["1.png", "2.png", "10.png"], "val": ["1.png", "2.png"]}


def photographs(root: Path) -> dict[bytes, Polygon]:
    """Pictures of equal names in two folders; their bytes and what is drawn on each."""
    drawn = {}
    for number, (split, name) in enumerate((split, name) for split, names in PLACES.items() for name in names):
        (root / split).mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / split / name)
        x = 10.0 + 5 * number
        drawn[(root / split / name).read_bytes()] = Polygon(((x, 20.0), (x + 40, 20.0), (x + 40, 80.0), (x, 80.0)))
    return drawn


def regions_of(project: Project) -> dict[bytes, Any]:
    return {
        record.path.read_bytes(): [(region.shape, region.class_name) for region in record.regions]
        for record in project.dataset().images
        if record.path is not None
    }


@sweep
def test_exports_fit_the_original_photographs(
    page: Any, server: Any, settled: Settled, tmp_path: Path, monkeypatch: Any
) -> None:
    drawn = photographs(tmp_path / "birds")
    first, second = Project.create(server.workspace / "first"), Project.create(server.workspace / "second")
    with zipfile.ZipFile(tmp_path / "birds.zip", "w") as archive:
        for split, names in PLACES.items():
            files = [tmp_path / "birds" / split / name for name in names]
            records = [ImageRecord(file.name, (Region(drawn[file.read_bytes()], "owl"),)) for file in files]
            (labels,) = writing.encode(Dataset(tuple(records), ("owl",)), "via2").files.values()
            archive.writestr(f"birds/{split}/via_region_data.json", labels)
            for file in files:
                archive.write(file, f"birds/{split}/{file.name}")

    page.goto(f"{server.url}/dataset?project=first&view=import")
    settled(page)
    with page.expect_file_chooser() as chooser:
        page.get_by_text("Upload", exact=True).click()
    chooser.value.set_files(tmp_path / "birds.zip")
    page.get_by_text("birds.zip").first.wait_for()
    page.get_by_role("button", name="Show what is in it").click()
    page.get_by_role("button", name="Import 5 pictures").click()
    page.get_by_text("5 pictures added").wait_for()
    assert [image.file_name for image in first.images("val")] == ["1 (2).png", "2 (2).png"]

    for split, label in (("train", "Training (3)"), ("val", "Validation (2)")):
        page.goto(f"{server.url}/dataset?project=first&view=export")
        settled(page)
        page.get_by_role("button", name=label).or_(page.get_by_role("radio", name=label)).first.click()
        settled(page)
        page.get_by_role("button", name="Prepare the file").click()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download").click()
        download.value.save_as(tmp_path / "birds" / split / download.value.suggested_filename)

    page.goto(f"{server.url}/dataset?project=second&view=import")
    settled(page)
    page.get_by_label("or a path on this computer").fill(str(tmp_path / "birds"))
    page.get_by_label("or a path on this computer").press("Tab")
    settled(page)
    page.get_by_role("button", name="Show what is in it").click()
    page.get_by_role("button", name="Import 5 pictures").wait_for()
    settled(page)
    page.locator('[data-testid="stMetric"]').first.wait_for()  # the browser loads the code of metrics on first use
    figures = [figure.split() for figure in page.locator('[data-testid="stMetric"]').all_inner_texts()]
    assert ["Pictures", "missing", "0"] in figures
    assert ["Regions", "5"] in figures
    page.get_by_role("button", name="Import 5 pictures").click()
    page.get_by_text("5 pictures added").wait_for()
    assert regions_of(second) == regions_of(first) == {content: [(shape, "owl")] for content, shape in drawn.items()}
    assert page.locator('[data-testid="stException"]').count() == 0
