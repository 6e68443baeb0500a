"""A zip goes in through the real file chooser and comes out as a COCO file that pycocotools reads; names are text."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from maskrcnn.annotations.regions import Polygon, Region
from maskrcnn.annotations.store import Project, ProjectClass
from maskrcnn.config import Config
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.shell import session
from tests.sweeps import sweep

Settled = Callable[[Any], None]

WIDTH, HEIGHT = 160, 120
HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(2)">',
    "**bold** _it_ [link](javascript:alert(3))",
    ":red[colour] $x^2$ `code`",
    "Robert'); DROP TABLE region;--",
    "a \"quoted\" 'name' & co",
    "кошка 猫 قط",
]
SHOWN_TEXT = """main => {
  const below = (root) => [...root.querySelectorAll("*")].filter((one) => one.shadowRoot).flatMap(({ shadowRoot }) =>
    [...[...shadowRoot.children].map((one) => one.innerText ?? ""), ...below(shadowRoot)]);
  return [main.innerText, ...below(main)].join("\\n");
}"""
"""The text that the page shows, with that of the components, which `innerText` leaves out."""
FILES = [f"{name.replace('/', '-')}.png" for name in HOSTILE]


def picture(shade: int) -> bytes:
    return cv2.imencode(".png", np.full((HEIGHT, WIDTH, 3), shade, np.uint8))[1].tobytes()


def archive() -> bytes:
    """Three pictures in a folder of a zip; VIA labels with a polygon on the first and a rectangle on the second."""
    polygon = {"name": "polygon", "all_points_x": [10, 110, 10], "all_points_y": [20, 20, 100]}
    rectangle = {"name": "rect", "x": 30, "y": 40, "width": 50, "height": 20}
    document = {
        name: {
            "filename": name,
            "size": -1,
            "file_attributes": {},
            "regions": [{"shape_attributes": shape, "region_attributes": {"species": species}}],
        }
        for name, shape, species in (("first.png", polygon, "owl"), ("second.png", rectangle, "hawk"))
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("birds/labels.json", json.dumps(document))
        for shade, name in enumerate(("first.png", "second.png", "third.png")):
            made.writestr(f"birds/{name}", picture(80 + 40 * shade))
    return buffer.getvalue()


@pytest.fixture
def safe(page: Any) -> Any:
    """The page; the test fails if any script opens a dialog on it."""
    dialogs: list[str] = []

    def note(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    yield page
    assert dialogs == []


@pytest.fixture
def workspace_of_server(server: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MASKRCNN_WORKSPACE", str(server.workspace))
    # The sample is made only where there is no project; other tests of this server want it.
    session.this_workspace().projects()
    return server.workspace


def test_a_zip_is_looked_at_imported_and_exported(
    safe: Any, server: Any, workspace_of_server: Path, settled: Settled, tmp_path: Path
) -> None:
    project = Project.create(workspace_of_server / "birds")
    (tmp_path / "birds.zip").write_bytes(archive())
    safe.goto(f"{server.url}/dataset?project=birds&view=import")
    settled(safe)

    with safe.expect_file_chooser() as chooser:
        safe.get_by_text("Upload", exact=True).click()
    chooser.value.set_files(tmp_path / "birds.zip")
    safe.get_by_text("birds.zip").first.wait_for()
    safe.get_by_role("button", name="Show what is in it").click()
    safe.get_by_role("button", name="Import 3 pictures").wait_for()
    # Nothing says which attribute is the class, as no value comes twice: the person does.
    safe.get_by_role("combobox", name="Which attribute is the class").click()
    safe.get_by_role("option", name="species: 2 values in 2 regions").click()
    safe.locator('[data-testid="stMetric"]', has_text="Classes").get_by_text("2", exact=True).wait_for()
    settled(safe)
    safe.locator('[data-testid="stMetric"]').first.wait_for()
    figures = safe.locator('[data-testid="stMetric"]').all_inner_texts()
    assert [figure.split() for figure in figures] == [
        ["Pictures", "found", "3"],
        ["Pictures", "missing", "0"],
        ["Without", "labels", "1"],
        ["Regions", "2"],
        ["Classes", "2"],
    ]
    assert safe.get_by_alt_text("first.png").count() == 1
    assert project.counts().pictures == 0

    safe.get_by_role("button", name="Import 3 pictures").click()
    safe.get_by_text("3 pictures added").wait_for()
    assert project.counts().regions == 2
    safe.goto(f"{server.url}/dataset?project=birds&view=pictures")
    safe.get_by_alt_text("third.png").wait_for()
    first = safe.get_by_alt_text("first.png")
    assert first.evaluate("async (picture) => { await picture.decode(); return picture.naturalWidth; }") == WIDTH

    safe.goto(f"{server.url}/dataset?project=birds&view=export")
    safe.get_by_role("combobox", name="Format").click()
    safe.get_by_role("option", name="COCO").click()
    settled(safe)
    safe.get_by_role("button", name="Prepare the file").click()
    with safe.expect_download() as download:
        safe.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "birds-coco.json"
    coco = COCO(download.value.path())
    assert len(coco.getImgIds()) == 3
    assert sorted(category["name"] for category in coco.loadCats(coco.getCatIds())) == ["hawk", "owl"]
    areas = {coco.loadCats(one["category_id"])[0]["name"]: one["area"] for one in coco.anns.values()}
    # 50 x 20, and half of 100 x 80 give or take the pixels on the slanted edge.
    assert areas["hawk"] == 1000
    assert areas["owl"] == pytest.approx(4000, abs=60)
    assert all(coco.annToMask(one).sum() == one["area"] for one in coco.anns.values())
    assert safe.locator('[data-testid="stException"]').count() == 0


@sweep
def test_names_are_text_on_every_page(safe: Any, server: Any, workspace_of_server: Path, settled: Settled) -> None:
    project = hostile_project(workspace_of_server / "names")
    for address in (
        "?image=",
        "dataset?view=pictures",
        "dataset?view=statistics",
        "dataset?view=doctor",
        "dataset?view=split",
        "dataset?view=export",
        "dataset?view=classes",
        "launch?",
        "runs?run=first",
        "predictions?run=first",
        "evaluation?run=first",
        "compare?a=first&b=first",
        "roi_align?",
    ):
        safe.goto(f"{server.url}/{address}&project={project.folder.name}")
        safe.get_by_text("pictures done").wait_for()
        settled(safe)
        if address in ("?image=", "launch?"):
            safe.get_by_text(HOSTILE[-1]).first.wait_for()
        safe.wait_for_timeout(300)
        assert safe.locator('[data-testid="stException"]').count() == 0, address
        assert safe.locator("main script, main img[src='x'], main a[href^='javascript']").count() == 0, address
        shown = safe.locator('[data-testid="stMain"]').evaluate(SHOWN_TEXT)
        # A page that shows a part of a name shows it as it is written: Markdown would have eaten the signs around it.
        for part, whole in (
            ("bold", "**bold** _it_ [link]("),
            ("colour", ":red[colour] $x^2$ `code`"),
            ("alert(1)", "<script>alert(1)<"),
        ):
            # Alternative texts and values of boxes are no text of the page; what is left is what Markdown made.
            for line in shown.splitlines():
                assert part not in line or whole in line, (address, line)
        if address in ("?image=", "launch?"):
            for name in HOSTILE:
                assert name in shown.replace("\n", " "), (address, name)


def hostile_project(folder: Path) -> Project:
    """Pictures and classes with every name of `HOSTILE`, and a run that was trained on them."""
    project = Project.create(folder)
    project.add_pictures([(name, picture(20 + 25 * number)) for number, name in enumerate(FILES)], "train")
    project.set_classes([ProjectClass(name, f"#8899{number:02x}") for number, name in enumerate(HOSTILE)])
    square = Polygon(((20.0, 20.0), (80.0, 20.0), (80.0, 80.0), (20.0, 80.0)))
    for image, name in zip(project.images(), HOSTILE, strict=True):
        project.save(image.id, [Region(square, name, {"**note**": "<b>x</b>"})], image.revision)
    truth: dict[str, Any] = {
        "images": [
            {"id": n, "file_name": image.file_name, "width": WIDTH, "height": HEIGHT}
            | {"path": f"../../images/{image.file_name}"}
            for n, image in enumerate(project.images(), 1)
        ],
        "annotations": [
            {"id": n, "image_id": n, "category_id": n, "iscrowd": 0, "area": 3600, "bbox": [20, 20, 60, 60]}
            | {"segmentation": [[20, 20, 80, 20, 80, 80, 20, 80]]}
            for n, _ in enumerate(HOSTILE, 1)
        ],
        "categories": [{"id": n, "name": name} for n, name in enumerate(HOSTILE, 1)],
    }
    run = RunFolder.create(project.runs_folder / "first")
    run.write_json("config.json", Config.preset("classroom", class_names=tuple(HOSTILE)).model_dump())
    run.write_json("dataset.json", {"train": truth, "val": truth})
    found = {"image_id": 1, "category_id": 1, "score": 0.9, "bbox": [20, 20, 60, 60]}
    run.write_detections(1, [found | {"segmentation": [[20, 20, 80, 20, 80, 80, 20, 80]]}])
    run.append_metrics({"event": "epoch", "epoch": 1, "step": 1, "progress": 1.0, "elapsed": 1.0, "eta": 0.0})
    run.write_json("result.json", {"state": "done", "best_epoch": 1, "seconds": 1.0})
    return project
