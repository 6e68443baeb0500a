"""The panel of the Predictions page with the soft mask of a detection, on a run with a tiny untrained network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations import pictures
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.inspect import soft_mask_panel
from maskrcnn.studio.inspect.soft_mask_panel import FoundAgain, again_in_words, closest_detection
from tests import made_runs, tiny
from tests.made_runs import rectangle


def document() -> dict[str, Any]:
    return made_runs.document("a", [rectangle(1, 1, (10, 10, 20, 20))], ("cell", "leaf"))


@pytest.fixture
def run(workspace: Path) -> RunFolder:
    """A network that was saved untrained, and the detections that it makes."""
    import torch

    from maskrcnn.model import build, detect
    from maskrcnn.model.weights import save

    project = made_runs.new_project(workspace / "plants", "a", made_runs.noise())
    made = made_runs.begin_run(project, document(), **tiny.CONFIG)
    (made.path / "checkpoints").mkdir()
    torch.manual_seed(0)
    model = build(made.config())
    save(model, made.checkpoint(1), 1)
    model.eval()
    made.write_detections(1, detect(model, pictures.load(made.picture_path(document()["images"][0])), 1))
    return made


def open_page(root: Path, run: RunFolder, position: int | None = None) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    if position is not None:
        app.session_state[soft_mask_panel._WANTED] = (str(run.path), 1, 1, position)
    app = app.switch_page("pages/inspect/predictions.py").run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    return " ".join(element.value for element in app.main.markdown)


def test_the_saved_detection_is_found_again_with_its_soft_mask(root: Path, run: RunFolder) -> None:
    assert run.detections(1)
    app = open_page(root, run, position=0)
    assert "The mask head finds 28 × 28 cells for every box" in words(app)
    saved = run.detections(1)[0]
    width, height = saved["bbox"][2:]
    assert (
        f"This box has {width:.0f} × {height:.0f} px, so a cell covers {width / 28:.1f} × {height / 28:.1f} px"
        in words(app)
    )
    assert "It is the saved detection: box IoU 1.00, mask IoU 1.00." in words(app)
    assert [image.proto.imgs[0].caption for image in app.main.get("image")] == [
        "Soft mask, as the mask head finds it",
        "Pasted mask: where it is at least 0.5",
    ]
    app.button(key="soft_mask_close").click().run()
    assert not app.main.get("image")


def test_another_network_is_told(root: Path, run: RunFolder) -> None:
    changed = run.detections(1)
    x, y, width, height = changed[0]["bbox"]
    changed[0] |= {"bbox": [x, y, width / 2, height], "score": 0.99}
    run.write_detections(1, changed)
    assert "It is not quite the saved detection (box IoU 0." in words(open_page(root, run, position=0))


def test_a_detection_that_is_gone_is_one_red_box(root: Path, run: RunFolder) -> None:
    app = open_page(root, run, position=10_000)
    (error,) = app.error
    assert error.value == "first: the detections of epoch 1 were changed just now; select one again"
    run.checkpoint(1).write_bytes(b"nothing")
    (error,) = open_page(root, run, position=0).error
    assert "epoch_0001.safetensors" in error.value


def test_of_its_class_the_closest_detection_is_taken(run: RunFolder) -> None:
    """Boxes are 20 px wide and moved by 10 and 5 px: IoU 10 / 30 and 15 / 25. That of the other class lies exactly."""
    from dataclasses import replace

    from maskrcnn.model import build, trace

    found = trace(build(run.config()), np.zeros((64, 64, 3), np.uint8))
    sx, sy = found.scale
    boxes = np.array([[20, 10, 40, 30], [15, 10, 35, 30], [10, 10, 30, 30]], np.float32) * [sx, sy, sx, sy]
    detections = replace(
        found.detections, boxes=boxes.astype(np.float32), labels=np.array([1, 1, 2]), scores=np.array([0.9, 0.8, 0.7])
    )
    found = replace(found, detections=detections)
    again = closest_detection(found, {"category_id": 1, "bbox": [10, 10, 20, 20]})
    assert again is not None
    assert (again.number, again.score) == (1, 0.8)
    assert again.iou == pytest.approx(15 / 25, abs=1e-4)
    assert closest_detection(found, {"category_id": 3, "bbox": [10, 10, 20, 20]}) is None
    words = again_in_words(FoundAgain(1, 0.99, 0.8), 0.85, None)
    assert words.startswith("It is not quite the saved detection (box IoU 0.99, score 0.80 instead of 0.85)")
