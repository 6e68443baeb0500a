"""Pictures with a person's regions on them, on black pictures where everything else was drawn."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from maskrcnn.annotations.regions import Keypoints, MultiPolygon, Rect, Region, Skeleton
from maskrcnn.drawing.labelled_picture import draw_numbered, preview
from maskrcnn.drawing.region_painting import paint_keypoints, paint_shape

GREEN, BLUE = (0, 255, 0), (0, 0, 255)
COLOURS = {None: "#a0a0a0", "leaf": "#00ff00", "stem": "#0000ff"}


def black(height: int = 200, width: int = 200) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_a_hole_stays_open() -> None:
    """The ring of 10..90 with a hole of 30..70, at twice the size: (40, 100) lies on it, (100, 100) in the hole."""
    picture = black()
    ring = (((10, 10), (90, 10), (90, 90), (10, 90)), ((30, 30), (70, 30), (70, 70), (30, 70)))
    paint_shape(picture, MultiPolygon((ring,)), 2, 1, GREEN, opacity=0.4)
    assert picture[100, 40].tolist() == [0, 102, 0]  # 0.4 * 255
    assert picture[100, 100].tolist() == [0, 0, 0]


def test_an_occluded_keypoint_is_a_ring_and_one_without_a_label_is_not_there() -> None:
    picture = black()
    points = Keypoints(((40, 40, 2), (80, 40, 1), (120, 40, 0)))
    paint_keypoints(picture, points, None, 1, 4, GREEN)
    middles = [picture[40, x].tolist() for x in (40, 80, 120)]
    assert middles == [[0, 255, 0], [0, 0, 0], [0, 0, 0]]
    assert picture[30:50, 70:90].any()
    assert not picture[30:50, 110:130].any()


def test_a_bone_joins_two_labelled_keypoints_only() -> None:
    picture = black()
    points = Keypoints(((40, 40.5, 2), (80, 40.5, 2), (80, 160, 0)))  # 40.5: the middle of a row of pixels
    paint_keypoints(picture, points, Skeleton(("a", "b", "c"), ((0, 1), (1, 2))), 1, 1, GREEN)
    assert picture[40, 60, 1] > 200
    assert not picture[80:160].any()


def test_shapes_are_drawn_where_they_are_asked_for_and_the_selected_number_is_largest() -> None:
    regions = [Region(Rect(20, 60, 60, 60), "leaf"), Region(Rect(120, 60, 60, 60), "stem")]
    sizes = []
    for selected in (None, 1):
        picture = black()
        draw_numbered(picture, 1, 1, regions, {regions[0].id}, COLOURS, {}, selected)
        assert picture[100, 50].tolist() == [0, 76, 0]  # 0.3 * 255
        assert not picture[90:130, 110:190].any()  # the other one is an object of the canvas
        sizes.append(int(picture[:90, 110:].any(axis=2).sum()))
    assert sizes[1] > 2 * sizes[0]


def test_a_preview_is_small_and_fills_the_regions(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), black(400, 800))
    content = preview(tmp_path / "a.png", [Region(Rect(100, 100, 200, 200), "stem")], COLOURS, side=200)
    shown = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert shown.shape == (100, 200, 3)
    assert abs(int(shown[50, 50, 0]) - 102) < 12  # 0.4 * 255 of blue
    assert shown[50, 150].max() < 12
