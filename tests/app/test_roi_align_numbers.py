"""Each number of the RoIPool and RoIAlign page by another way: the map by numpy on the picture's own pixels, the grids
by torchvision, distances by hand."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest
from torchvision import ops

from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.store import Project

PAGE = "pages/learn/roi_align.py"
BOX = (37.0, 21.5, 101.0, 90.0)
STRIDE = 16


@pytest.fixture
def pixels(workspace: Path) -> np.ndarray:
    """uint8 (96, 128, 3): the picture of a project in which one box is drawn."""
    made = Project.create(workspace / "plants")
    values = np.random.default_rng(3).integers(0, 255, (6, 8, 3)).repeat(16, axis=0).repeat(16, axis=1).astype(np.uint8)
    values[::3] //= 2
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    made.add_pictures([("a.png", file.getvalue())], "train")
    x1, y1, x2, y2 = BOX
    made.save(made.images()[0].id, [Region(Rect(x1, y1, x2 - x1, y2 - y1), "cell")], made.images()[0].revision)
    return values


@pytest.fixture
def page(root: Path, pixels: np.ndarray) -> AppTest:
    """With the map "brightness": the mean of the grey values of each cell, 1 for white."""
    app = AppTest.from_file(str(root / "app.py"), default_timeout=60).switch_page(PAGE).run()
    next(element for element in app.selectbox if element.label == "Channel").set_value(3).run()
    assert not app.exception
    return app


def brightness(pixels: np.ndarray) -> np.ndarray:
    """(6, 8): the means over 16 x 16 pixels of 0.299 R + 0.587 G + 0.114 B, by ITU-R BT.601."""
    grey = pixels @ np.array([0.299, 0.587, 0.114]) / 255
    cells = [[grey[16 * r : 16 * r + 16, 16 * c : 16 * c + 16].mean() for c in range(8)] for r in range(6)]
    return np.array(cells, np.float32)


def frames(chart: Any) -> list[dict[str, list[Any]]]:
    """The tables behind a chart."""
    return [pa.ipc.open_stream(dataset.data.data).read_all().to_pydict() for dataset in chart.proto.datasets]


def charts(app: AppTest) -> list[Any]:
    return list(app.get("arrow_vega_lite_chart") or app.get("vega_lite_chart"))


def as_torch(feature_map: np.ndarray, shift: float = 0) -> tuple[torch.Tensor, torch.Tensor]:
    x1, y1, x2, y2 = BOX
    return torch.from_numpy(feature_map)[None, None], torch.tensor([[0, x1 + shift, y1, x2 + shift, y2]])


def expected_grids(feature_map: np.ndarray) -> dict[str, np.ndarray]:
    values, roi = as_torch(feature_map)
    # (37, 21.5, 101, 90) / 16 = (2.31, 1.34, 6.31, 5.63): cells 2..6 and 1..6, of which 6 is not there.
    rounded = torch.tensor([[0, 2.0, 1.0, 7.0, 7.0]])
    return {
        "pool": ops.roi_pool(values, roi, 3, 1 / STRIDE)[0, 0].numpy(),
        "warp": ops.roi_align(values, rounded, 3, 1, 2, aligned=True)[0, 0].numpy(),
        "align-legacy": ops.roi_align(values, roi, 3, 1 / STRIDE, 2, aligned=False)[0, 0].numpy(),
        "align": ops.roi_align(values, roi, 3, 1 / STRIDE, 2, aligned=True)[0, 0].numpy(),
    }


def grid(frame: dict[str, list[Any]]) -> np.ndarray:
    found = np.zeros((3, 3))
    for row, column, value in zip(frame["row"], frame["column"], frame["value"], strict=True):
        found[row - 1, column - 1] = value
    return found


def test_what_is_shown_at_first(page: AppTest, pixels: np.ndarray) -> None:
    feature_map = brightness(pixels)
    pool_map, align_map, *grids, nudge = charts(page)

    # The map; grey values are whole numbers of 255 there.
    cells = frames(pool_map)[0]
    shown = {(y, x): value for x, y, value in zip(cells["x"], cells["y"], cells["value"], strict=True)}
    assert all(value == pytest.approx(feature_map[place], abs=1 / 255) for place, value in shown.items())

    # The four grids.
    for chart, expected in zip(grids, expected_grids(feature_map).values(), strict=True):
        np.testing.assert_allclose(grid(frames(chart)[0]), expected, atol=1 / 255)

    # Rounded: cells 2..6 by 1..6, of which the map has 1..5: (32, 16, 112, 96). 5 and 5.5 px before, 11 and 6 after:
    # 64 * 68.5 = 4384 of 80 * 80 = 6400.
    said = [element for element in page.main.markdown if element.value.startswith("Off by")]
    assert said[0].value == "Off by up to **11.0 px**, IoU **0.685**"
    assert said[0].help.startswith("Left -5.0, top -5.5, right +11.0, bottom +6.0 picture pixels: ")
    assert said[1].value == "Off by **0 px**, IoU **1**"

    # The side of a square of that area is sqrt(64 * 68.5) = 66 px: floor(4 + log2(66 / 224)) = 2.
    (line,) = [element.value for element in page.main.markdown if "picture pixels wide" in element.value]
    assert "One cell of P4 is 16.0 picture pixels wide. For a box of this size Mask R-CNN takes P2." in line

    for spec in (pool_map.proto.spec, align_map.proto.spec):
        assert '"title": "cells across"' in spec
        assert '"title": "cells down"' in spec
    assert '"title": "box moved right (picture px)"' in nudge.proto.spec
    assert '"title": "change (map values)"' in nudge.proto.spec


def segments(app: AppTest, label: str) -> Any:
    return next(element for element in app.segmented_control if element.label == label)


def test_differences_and_the_nudged_box(page: AppTest, pixels: np.ndarray) -> None:
    feature_map = brightness(pixels)
    expected = expected_grids(feature_map)
    segments(page, "The grid of each").set_value("differences")
    for followed in ("mean", "middle bin"):
        segments(page, "Nudge the box and follow").set_value(followed)
        page.run()
        _, _, *grids, nudge = charts(page)
        for name, chart in zip(("pool", "warp", "align-legacy"), grids, strict=False):
            np.testing.assert_allclose(grid(frames(chart)[0]), expected[name] - expected["align"], atol=2 / 255)

        # From 0 to two cells, pixel by pixel: the change since the first place.
        lines = {frame["method"][0]: frame for frame in frames(nudge) if len(frame["shift"]) > 1}
        for name in ("RoIPool", "RoIAlign"):
            values = []
            for shift in range(2 * STRIDE + 1):
                roi = as_torch(feature_map, shift)
                if name == "RoIPool":
                    found = ops.roi_pool(*roi, 3, 1 / STRIDE)[0, 0]
                else:
                    found = ops.roi_align(*roi, 3, 1 / STRIDE, 2, aligned=True)[0, 0]
                values.append(found.mean().item() if followed == "mean" else found[1, 1].item())
            assert lines[name]["shift"] == list(range(33))
            np.testing.assert_allclose(lines[name]["change"], np.subtract(values, values[0]), atol=2 / 255)
