"""The RoIPool and RoIAlign page without a browser; the box is the one it begins with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.store import Project
from maskrcnn.lessons import roi_pooling
from maskrcnn.studio.learn import feature_map_source, pooled_grids, roi_maps, roi_picture
from tests.sweeps import one_in, sweep

PAGE = "pages/learn/roi_align.py"

OBJECT = Rect(36, 40, 60, 44)
"""(36, 40, 96, 84): in cells of 16 pixels (2.25, 2.5, 6, 5.25), which RoIPool rounds to cells 2..6 and 3..5."""


@pytest.fixture
def project(workspace: Path) -> Project:
    made = Project.create(workspace / "plants")
    rng = np.random.default_rng(0)
    picture = cv2.imencode(".png", rng.integers(0, 255, (128, 160, 3)).astype(np.uint8))[1].tobytes()
    made.add_pictures([("a.png", picture), ("b.png", picture + b" ")], "train")
    first = made.images()[0]
    made.save(first.id, [Region(OBJECT, "cell")], first.revision)
    return made


def open_page(root: Path, **query: str) -> AppTest:
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app = app.switch_page(PAGE).run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    return " ".join(element.value for element in app.main.markdown)


def select(app: AppTest, label: str) -> Any:
    return next(element for element in app.selectbox if element.label == label)


def segments(app: AppTest, label: str) -> Any:
    return next(element for element in app.segmented_control if element.label == label)


def test_there_is_something_to_see_at_once(root: Path, project: Project) -> None:
    app = open_page(root)
    assert len(app.get("arrow_vega_lite_chart") or app.get("vega_lite_chart")) == 7
    # Snapped to (32, 48, 112, 96): 4 px left, 8 down, 16 right, 12 down. Shared (36..96) x (48..84) = 60 * 36 = 2160 of
    # 60 * 44 + 80 * 48 - 2160 = 4320.
    assert "Off by up to **16.0 px**, IoU **0.500**" in text(app)
    assert "One cell of P4 is 16.0 picture pixels wide" in text(app)


def test_it_says_that_no_network_is_in_use(root: Path, project: Project) -> None:
    torch_before = "torch" in sys.modules
    app = open_page(root)
    assert select(app, "Feature map of").value == "hand-made filters"
    assert "not by a network, as this project has no trained run yet" in text(app)
    assert ("torch" in sys.modules) == torch_before


@pytest.mark.parametrize(
    ("size", "samples", "level"),
    [
        pytest.param(*setting, level, marks=[] if (number + place) % 4 == 0 else [sweep])
        for number, setting in enumerate([(2, 1), (7, 4)])
        for place, level in enumerate(feature_map_source.LEVELS)
    ],
)
def test_every_setting_draws(root: Path, project: Project, level: str, size: int, samples: int) -> None:
    app = open_page(root)
    select(app, "Level").set_value(level)
    select(app, "Grid").set_value(size)
    select(app, "Samples").set_value(samples)
    select(app, "Channel").set_value(3)
    app.run()
    assert not app.exception
    assert not app.error


def test_another_picture_has_a_box_of_its_own(root: Path, project: Project) -> None:
    """b.png has no object: the box is (32, 25.6, 120, 89.6), the cells are 2..8 by 2..6, so 24 px at the right."""
    app = open_page(root, image="b.png")
    assert "Off by up to **24.0 px**" in text(app)


def test_a_box_at_the_border_reads_no_cells_that_are_not_there(root: Path, project: Project) -> None:
    """The picture is 160 x 128, its map at stride 16 has 10 x 8 cells.

    (104, 72, 160, 128) in cells is (6.5, 4.5, 10, 8): rounded 7..10 by 5..8, of which 10 and 8 are not there. So
    (112, 80, 160, 128) is read: 8 px off, 48^2 = 2304 of 56^2 = 3136 pixels.
    """
    first = project.images()[0]
    project.save(first.id, [Region(Rect(104, 72, 56, 56), "cell")], first.revision)
    app = open_page(root)
    assert "Off by up to **8.0 px**, IoU **0.735**" in text(app)
    (help,) = [element.help for element in app.main.markdown if element.value.startswith("Off by up to")]
    assert help.startswith("Left +8.0, top +8.0, right +0.0, bottom +0.0 picture pixels: ")
    segments(app, "Beside RoIPool").set_value("warp").run()
    assert text(app).count("Off by up to **8.0 px**, IoU **0.735**") == 2
    segments(app, "Beside RoIPool").set_value("align-legacy").run()
    # Half a cell on, (112, 80, 168, 136), of which (112, 80, 160, 128) is there: the same.
    assert text(app).count("Off by up to **8.0 px**, IoU **0.735**") == 2


def test_the_middle_bin_can_be_followed(root: Path, project: Project) -> None:
    app = open_page(root)
    segments(app, "Nudge the box and follow").set_value("middle bin").run()
    assert not app.exception


@pytest.mark.parametrize(
    ("method", "words"),
    one_in(
        3,
        [
            # RoIWarp's box is RoIPool's; the legacy RoIAlign reads half a cell further, 8 px: 52 * 36 of 2 * 60 * 44
            # less those are shared. RoIAlign's is the drawn one.
            ("warp", ["Off by up to **16.0 px**, IoU **0.500**"] * 2),
            ("align-legacy", ["Off by up to **16.0 px**, IoU **0.500**", "Off by up to **8.0 px**, IoU **0.549**"]),
            ("align", ["Off by up to **16.0 px**, IoU **0.500**", "Off by **0 px**, IoU **1**"]),
        ],
    ),
)
def test_each_method_can_be_put_beside_roi_pool(root: Path, project: Project, method: str, words: list[str]) -> None:
    app = open_page(root)
    segments(app, "Beside RoIPool").set_value(method).run()
    assert not app.exception
    assert [element.value for element in app.main.markdown if element.value.startswith("Off by")] == words


def test_a_link_names_the_method_beside_roi_pool(root: Path, project: Project) -> None:
    app = open_page(root, method="warp")
    assert segments(app, "Beside RoIPool").value == "warp"
    assert "**RoIWarp** rounds the box only" in text(app)


@pytest.mark.parametrize("size", one_in(2, [3, 7]))
def test_the_grids_can_be_shown_as_differences(root: Path, project: Project, size: int) -> None:
    app = open_page(root)
    select(app, "Grid").set_value(size)
    segments(app, "The grid of each").set_value("differences").run()
    assert not app.exception


def test_the_four_methods_in_the_papers_numbers(root: Path, project: Project) -> None:
    assert "| ResNet-50-C4, stride 16 | 26.9 | 27.2 | **30.3** |" in text(open_page(root))


def test_a_project_without_pictures_offers_the_next_step(root: Path, workspace: Path) -> None:
    Project.create(workspace / "empty")
    app = open_page(root, project="empty")
    assert "has none yet" in app.info[0].value


def train(project: Project, name: str, backbone: str) -> str:
    """A run of the project with an untrained network in it."""
    from maskrcnn.config import Config
    from maskrcnn.model import build
    from maskrcnn.model.weights import save
    from maskrcnn.runs.folder import RunFolder

    config = Config.preset("classroom", backbone=backbone, norm="batch", fpn_channels=8, image_max_dim=256,
                           image_min_dim=192, box_head_width=8, mask_head_width=8)  # fmt: skip
    run = RunFolder.create(project.runs_folder / name)
    run.write_json("config.json", config.model_dump(mode="json"))
    save(build(config), run.best, 1)
    return run.name


@pytest.fixture
def trained(project: Project) -> str:
    return train(project, "first", "resnet18_fpn")


def test_a_trained_run_is_used_where_there_is_one(root: Path, trained: str) -> None:
    app = open_page(root)
    assert select(app, "Feature map of").value == trained
    assert f"level P4 of the feature pyramid of {trained}" in text(app)
    # 160 x 128 becomes 240 x 192: a cell of 16 pixels there is 10.7 here.
    assert "One cell of P4 is 10.7 picture pixels wide" in text(app)
    assert len(select(app, "Channel").options) == 1 + 8


def test_a_network_without_a_pyramid_shows_its_only_map(root: Path, project: Project) -> None:
    train(project, "second", "resnet18_c5")
    app = open_page(root)
    assert select(app, "Level").options == ["C5"]
    assert "The map is C5, the only map, of second" in text(app)
    # 160 x 128 becomes 240 x 192: a cell of 32 pixels there is 21.3 here. No other level could be meant.
    assert "One cell of C5 is 21.3 picture pixels wide.]" in text(app)
    app.segmented_control[0].set_value("warp").run()
    assert not app.exception


def test_a_damaged_checkpoint_is_one_red_box(root: Path, project: Project, trained: str) -> None:
    (project.runs_folder / trained / "best.safetensors").write_bytes(b"nothing")
    (error,) = open_page(root).error
    assert "best.safetensors" in error.value


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        ([], (20, 20, 75, 70)),
        ([(0, 0, 90, 90), (20, 20, 40, 40), (30, 30, 35, 35)], (20, 20, 40, 40)),
        ([(-5, 0, 50, 120)], (0, 0, 50, 100)),
    ],
)
def test_the_first_box(objects: list[roi_pooling.Box], expected: roi_pooling.Box) -> None:
    """The largest object off the border; else the largest, clipped; else a part of the picture (100 x 100)."""
    assert roi_picture.initial_box(objects, 100, 100) == expected


def test_the_grid_writes_its_numbers_where_they_fit() -> None:
    small, large = (pooled_grids.grid_chart(np.eye(size), "blues", 190).spec for size in (3, 7))
    assert [layer["mark"]["type"] for layer in small["layer"]] == ["rect", "text"]
    assert [layer["mark"]["type"] for layer in large["layer"]] == ["rect"]


def test_numbers_on_a_grid_follow_the_one_rule_of_text_contrast() -> None:
    """The browser has the colours of the scale, so it compares the contrasts there, as `drawing.text_contrast` does."""
    for largest in (None, 0.5):
        _, text = pooled_grids.grid_chart(np.eye(3), "blues", 190, largest=largest).spec["layer"]
        colour = text["encoding"]["color"]
        on = "scale('color', datum.value)"
        assert colour["condition"]["test"] == f"contrast('white', {on}) > contrast('black', {on})"
        assert (colour["condition"]["value"], colour["value"]) == ("white", "black")


def test_the_maps_show_the_same_square_of_cells() -> None:
    """All charts have the same window, as wide as high, so that a cell looks the same in all."""
    feature_map = np.arange(400, dtype=np.float32).reshape(20, 20)
    box = (40.0, 44.0, 120.0, 100.0)
    bins = roi_pooling.roi_pool_bins(box, 1 / 8, 3, feature_map.shape)
    view = roi_maps.map_window((5, 5.5, 15, 12.5), bins.cells)
    charts = (
        roi_maps.pool_chart(feature_map, (5, 5.5, 15, 12.5), bins, view, 250),
        *(
            roi_maps.samples_chart(
                feature_map, (5, 5.5, 15, 12.5), roi_pooling.samples_of(method, box, 1 / 8, 3), method, view, 250
            )
            for method in ("warp", "align-legacy", "align")
        ),
    )
    for chart in charts:
        axes = chart.spec["encoding"]
        (x1, x2), (y1, y2) = axes["x"]["scale"]["domain"], axes["y"]["scale"]["domain"]
        assert x2 - x1 == pytest.approx(y2 - y1)
        assert (x1, y1, x2 - x1) == pytest.approx(view)
