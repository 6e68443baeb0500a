"""The panel of the Predictions page that says why an object was missed, on a run with a tiny untrained network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.config import Config
from maskrcnn.runs.folder import RunFolder
from maskrcnn.studio.inspect import filter_survivors, match_sliders
from maskrcnn.studio.inspect.filter_survivors import FilterStep
from tests import made_runs, tiny
from tests.app.sent_pictures import choose_score, sent
from tests.made_runs import rectangle
from tests.sweeps import one_in

OBJECTS = [rectangle(1, 1, (10, 10, 20, 20)), rectangle(1, 2, (60, 10, 20, 20))]
CLICK = "why_missed_start"


def document() -> dict[str, Any]:
    return made_runs.document("a", OBJECTS, ("cell", "leaf"))


@pytest.fixture
def run(workspace: Path) -> RunFolder:
    """After epoch 2, whose network was kept, the first object is found and the second is not."""
    from maskrcnn.model import build
    from maskrcnn.model.weights import save

    project = made_runs.new_project(workspace / "plants", "a", made_runs.noise())
    made = made_runs.begin_run(project, document(), **tiny.CONFIG)
    for epoch in (1, 2):
        made.write_detections(epoch, [OBJECTS[0] | {"score": 0.9}])
    (made.path / "checkpoints").mkdir()
    save(build(made.config()), made.checkpoint(2), 2)
    return made


def open_page(root: Path, **choices: str) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    for name, value in choices.items():
        app.query_params[name] = value
    app.switch_page("pages/inspect/predictions.py").run()
    assert not app.exception
    return app


def panel(app: AppTest) -> Any:
    (found,) = [entry for entry in app.main.expander if entry.label == "Why was an object missed?"]
    return found


def words(app: AppTest) -> str:
    return " ".join(element.value for element in panel(app).markdown)


def test_a_click_tells_the_story_of_the_missed_object_alone(root: Path, run: RunFolder) -> None:
    app = open_page(root)
    assert "see where each missed object was lost" in words(app)
    panel(app).button(CLICK).click().run()
    assert not app.exception
    assert "One object was missed" in words(app)
    assert "**leaf** :small[at (60, 10), 20 × 20 px]" in words(app)
    assert "**cell**" not in words(app)
    assert len(panel(app).get("vega_lite_chart")) == 1
    assert "IoU" in words(app) or "anchor" in words(app)


def test_what_the_network_told_stands_in_the_pictures_too_and_follows_both_sliders(root: Path, run: RunFolder) -> None:
    app = open_page(root)
    assert sent(app)["verdicts"] == {}
    panel(app).button(CLICK).click().run()
    told = sent(app)["verdicts"]
    assert list(told) == ["2"]
    assert told["2"] in words(app)
    app.session_state[match_sliders.state_key("iou")] = 0.05  # now a box that hardly overlaps it belongs to it
    app.run()
    assert not app.exception
    assert "at least IoU 0.05" in next(element for element in panel(app).markdown if "Boxes" in element.value).help
    assert sent(app)["verdicts"].get("2", "found") != told["2"]


def test_the_file_of_the_picture_may_have_any_name(root: Path, run: RunFolder) -> None:
    """A link to a file whose name is not UTF-8: the path is part of the keys of caches."""
    picture = run.picture_path(document()["images"][0])
    picture.symlink_to(picture.rename(picture.with_name(os.fsdecode(b"odd\xff.png"))))
    app = open_page(root)
    panel(app).button(CLICK).click().run()
    assert not app.exception
    assert "One object was missed" in words(app)
    app.switch_page("pages/train/runs.py").run()
    assert not app.exception
    assert not app.error


def test_a_picture_that_is_replaced_by_one_of_another_size_is_told(root: Path, run: RunFolder) -> None:
    app = open_page(root)
    panel(app).button(CLICK).click().run()
    assert not panel(app).error
    cv2.imwrite(str(run.picture_path(document()["images"][0])), np.zeros((20, 30, 3), np.uint8))
    app.run()
    (error,) = panel(app).error
    assert error.value == "a.png: is 30 x 20 px, but was 100 x 70 px when the network was trained; put that file back"


def test_it_stays_open_and_follows_the_slider(root: Path, run: RunFolder) -> None:
    app = open_page(root)
    panel(app).button(CLICK).click().run()
    choose_score(app, 0.95)  # now the first object's detection is not shown either
    assert not app.exception
    assert "2 objects were missed" in words(app)
    assert "**cell**" in words(app)


@pytest.mark.parametrize(
    ("checkpoints", "best", "words"),
    one_in(
        2,
        [
            ([2], None, "Kept is that of epoch 2: choose one above"),
            ([], 2, "Kept is that of epoch 2: choose one above"),
            ([2, 3], None, "Kept are those of epochs 2, 3: choose one above"),
            ([3, 4], 2, "Kept are those of epochs 2, 3, 4: choose one above"),
            ([2], 2, "Kept is that of epoch 2: choose one above"),
        ],
    ),
)
def test_an_epoch_whose_network_was_not_kept_is_not_followed(
    root: Path, run: RunFolder, checkpoints: list[int], best: int | None, words: str
) -> None:
    content = run.checkpoint(2).read_bytes()
    run.checkpoint(2).unlink()
    for epoch in checkpoints:
        run.checkpoint(epoch).write_bytes(content)
    if best:
        run.best.write_bytes(content)
    app = open_page(root, epoch="1")
    assert not [button for button in panel(app).button if button.key == CLICK]
    assert "the one of epoch 1 was not kept" in panel(app).markdown[0].value
    assert words in panel(app).markdown[0].value


def test_the_best_network_counts_for_its_epoch(root: Path, run: RunFolder) -> None:
    run.checkpoint(2).rename(run.best)
    app = open_page(root, epoch="2")
    panel(app).button(CLICK).click().run()
    assert not app.exception
    assert "One object was missed" in words(app)


def test_a_run_without_a_network_has_no_panel(root: Path, run: RunFolder) -> None:
    run.checkpoint(2).unlink()
    assert not [entry for entry in open_page(root).main.expander if "missed" in entry.label]


def test_a_damaged_network_is_one_red_box_and_the_page_goes_on(root: Path, run: RunFolder) -> None:
    run.checkpoint(2).write_bytes(b"nothing")
    app = open_page(root)
    panel(app).button(CLICK).click().run()
    (error,) = app.error
    assert "epoch_0002.safetensors" in error.value
    assert "AP of this picture" in [element.label for element in app.metric]


def test_the_page_loads_no_torch_before_the_click(root: Path, run: RunFolder, workspace: Path) -> None:
    program = f"""
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file({str(root / "app.py")!r}, default_timeout=60).run()
app.switch_page("pages/inspect/predictions.py").run()
assert not app.exception, app.exception
assert [entry for entry in app.main.expander if "missed" in entry.label]
assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]


def test_bars_of_a_traced_picture() -> None:
    from maskrcnn.model import build, explain, trace

    fields = {**tiny.CONFIG, "class_names": ("cell", "leaf"), "rpn_min_score": 0.01}
    model = build(Config.preset("classroom", **fields))
    targets = {"boxes": [[10, 10, 90, 60]], "labels": [2]}
    traced = trace(model, np.random.default_rng(0).integers(0, 255, (70, 100, 3), np.uint8), targets)
    stories = explain(traced, 0.5)
    steps = filter_survivors.survivor_steps(traced, stories, 0.5)
    proposals = traced.rpn.filters[-1].count
    assert [step.name for step in steps] == [
        "anchors, moved by the RPN",
        "best 50 of each level",
        "objectness from 0.01",
        "NMS at IoU 0.7",
        "best 20: the proposals",
        "as each of 2 classes",
        "score above 0.05",
        "NMS at IoU 0.5, per class",
        "best 100: the detections",
        "shown: score from 0.5",
    ]
    # Working size 64 x 91, padded to 96: three anchors at each cell of strides 4 to 64.
    assert steps[0].boxes == 3 * (16 * 24 + 8 * 12 + 4 * 6 + 2 * 3 + 1 * 2)
    assert [step.boxes for step in steps[4:6]] == [proposals, 2 * proposals]
    assert steps[0].on_missed == stories[0].proposals[0].left > 0
    assert steps[-1].boxes == 0


@pytest.mark.parametrize(
    ("anchors", "objects", "blue"),
    [
        # Shifted by 4 of 20 px, two boxes have an IoU of 16 / 24 = 0.67.
        ([[10, 10, 30, 30]], [[10, 10, 30, 30], [14, 10, 34, 30]], 1),
        ([[10, 10, 30, 30], [14, 10, 34, 30]], [[10, 10, 30, 30], [14, 10, 34, 30]], 2),
        ([[12, 10, 32, 30]], [[10, 10, 30, 30], [14, 10, 34, 30], [12, 12, 32, 32]], 1),
        # By 10, 1/3: each lies on its own.
        ([[10, 10, 30, 30], [20, 10, 40, 30]], [[10, 10, 30, 30], [20, 10, 40, 30]], 2),
        ([[10, 10, 30, 30], [40, 40, 60, 60]], [[10, 10, 30, 30], [12, 10, 32, 30]], 1),
        ([[40, 40, 60, 60]], [[10, 10, 30, 30], [12, 10, 32, 30]], 0),
    ],
)
def test_a_box_on_two_missed_objects_is_one_box(anchors: list[list[int]], objects: list[list[int]], blue: int) -> None:
    """Nothing is shown from 0.9 on, so all objects are missed; no step before drops anything."""
    from maskrcnn.model import explain, trace
    from tests.model.tracing.test_trace_verdicts import CAT, SURE_CAT, network

    keep = {"rpn_nms_threshold": 0.95, "detection_nms_threshold": 0.95}
    model = network(anchors, [0.9] * len(anchors), [SURE_CAT] * len(anchors), **keep)
    targets = {"boxes": objects, "labels": [CAT] * len(objects)}
    traced = trace(model, np.zeros((64, 64, 3), np.uint8), targets)
    steps = filter_survivors.survivor_steps(traced, explain(traced, 0.9), 0.9)
    assert [step.on_missed for step in steps] == [blue] * (len(steps) - 1) + [0]


def test_numbers_beside_a_bar() -> None:
    assert filter_survivors.bar_label(FilterStep("anchors", 49000, 12)) == "49,000 · 12"
    assert filter_survivors.bar_label(FilterStep("best", 20, 0)) == "20"
