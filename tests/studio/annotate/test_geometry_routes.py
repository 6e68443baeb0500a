"""The routes that compute shapes: what they answer, and that wrong input gets one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maskrcnn.annotations import raster
from maskrcnn.annotations.store import Project
from maskrcnn.studio.annotate import geometry_routes
from maskrcnn.studio.annotate.json_routes import project_key

SQUARE = {"kind": "rect", "x": 10, "y": 10, "width": 20, "height": 20}
RIGHT = {"kind": "rect", "x": 20, "y": 10, "width": 20, "height": 20}
FAR = {"kind": "circle", "cx": 80, "cy": 80, "r": 10}
SMALL = {"kind": "polygon", "points": [[15, 15], [20, 15], [20, 20]]}
BOW_TIE = {"kind": "polygon", "points": [[10, 10], [50, 50], [50, 10], [10, 50]]}

Post = Callable[..., tuple[int, Any]]


@pytest.fixture
def post(tmp_path: Path) -> Post:
    """`post(operation, **body)` returns the status and the JSON of the answer."""
    key = project_key(Project.create(tmp_path / "balloons"))
    client = TestClient(Starlette(routes=geometry_routes.routes()))

    def call(operation: str, key: str = key, **body: Any) -> tuple[int, Any]:
        answer = client.post(f"/studio/annotate/{key}/geometry/{operation}", json=body)
        return answer.status_code, answer.json()

    return call


def area(shape: dict[str, Any] | None) -> float:
    if shape is None:
        return 0.0
    parts = [[shape["points"]]] if shape["kind"] == "polygon" else shape["parts"]
    whole = shapely.MultiPolygon([(part[0], part[1:]) for part in parts])
    assert whole.is_valid
    return whole.area


def test_union_difference_and_intersection(post: Post) -> None:
    status, answer = post("union", shapes=[SQUARE, RIGHT])
    assert status == 200
    assert answer["shape"]["kind"] == "polygon"
    assert area(answer["shape"]) == 600
    assert area(post("union", shapes=[SQUARE, FAR])[1]["shape"]) == pytest.approx(400 + 312, abs=3)
    status, answer = post("difference", shape=SQUARE, others=[RIGHT])
    assert (status, area(answer["shape"]), answer["changed"]) == (200, 200, True)
    assert post("difference", shape=SQUARE, others=[FAR])[1] == {"shape": SQUARE, "changed": False}
    assert post("difference", shape=SMALL, others=[SQUARE])[1]["shape"] is None
    assert area(post("intersection", shapes=[SQUARE, RIGHT])[1]["shape"]) == 200
    assert post("intersection", shapes=[SQUARE, FAR])[1]["shape"] is None


def test_a_hole(post: Post) -> None:
    status, answer = post("hole", shape=SQUARE, hole=SMALL)
    assert status == 200
    assert [len(part) for part in answer["shape"]["parts"]] == [2]
    assert area(answer["shape"]) == 400 - 12.5
    status, answer = post("hole", shape=SQUARE, hole=FAR)
    assert (status, answer["message"]) == (422, "the hole is not inside the region; subtract it instead")


def test_a_cut_through_neighbours_shares_its_vertices(post: Post) -> None:
    left = {"kind": "rect", "x": 0, "y": 0, "width": 10, "height": 10}
    right = {"kind": "rect", "x": 10, "y": 0, "width": 10, "height": 10}
    status, answer = post("split", shapes=[left, right, FAR], line=[[-5, 3], [25, 8.1]])
    assert status == 200
    assert [len(pieces) for pieces in answer["pieces"]] == [2, 2, 1]
    assert answer["pieces"][2] == [FAR]
    for pieces in answer["pieces"][:2]:
        assert sum(area(piece) for piece in pieces) == pytest.approx(100, abs=1e-6)
    rings = [{tuple(point) for piece in pieces for point in piece["points"]} for pieces in answer["pieces"][:2]]
    assert len(rings[0] & rings[1]) == 3  # the corners, and the same place of the cut


def test_simplify(post: Post) -> None:
    angles = np.linspace(0, 2 * np.pi, 300, endpoint=False)
    points = np.stack([50 + 40 * np.cos(angles), 50 + 40 * np.sin(angles)], axis=1).tolist()
    circle = {"kind": "polygon", "points": points}
    for body in ({"tolerance": 1}, {"most_vertices": 20}, {"least_iou": 0.95}):
        status, answer = post("simplify", shape=circle, **body)
        assert status == 200
        assert answer["original"] == 300
        assert answer["vertices"] == len(answer["shape"]["points"]) < 40
        assert answer["iou"] == pytest.approx(area(answer["shape"]) / area(circle), abs=1e-6)
    assert post("simplify", shape=circle, most_vertices=3, least_iou=0.98)[1]["iou"] >= 0.98
    assert post("simplify", shape=circle, tolerance=-1)[0] == 422


def test_brush_and_eraser(post: Post) -> None:
    stroke = {"line": [[50, 50], [70, 50]], "radius": 5, "frame": [100, 100]}
    status, painted = post("brush", shape=None, erase=False, **stroke)
    assert status == 200
    assert area(painted["shape"]) == pytest.approx(200 + 25 * np.pi, rel=0.02)
    rest = post("brush", shape=painted["shape"], erase=True, line=[[60, 40], [60, 60]], radius=2, frame=[100, 100])[1]
    assert rest["changed"]
    assert len(rest["shape"]["parts"]) == 2  # the eraser went right through
    assert area(rest["shape"]) == pytest.approx(area(painted["shape"]) - 40, abs=1)
    assert post("brush", shape=painted["shape"], erase=True, line=[[60, 50]], radius=50, frame=[100, 100])[1] == {
        "shape": None,
        "changed": True,
    }
    far = post("brush", shape=painted["shape"], erase=True, line=[[5, 5]], radius=1, frame=[100, 100])[1]
    assert far == {"shape": painted["shape"], "changed": False}
    outside = post("brush", shape=None, erase=False, line=[[-50, 5]], radius=1, frame=[100, 100])[1]
    assert outside == {"shape": None, "changed": False}
    assert post("brush", shape=None, erase=True, **stroke)[0] == 422


def test_repair(post: Post) -> None:
    status, answer = post("repair", shape=BOW_TIE)
    assert (status, answer["changed"]) == (200, True)
    assert area(answer["shape"]) == 800
    assert post("repair", shape=SMALL)[1] == {"shape": SMALL, "changed": False}


def test_a_mask_becomes_outlines(post: Post) -> None:
    pixels = np.zeros((100, 100), bool)
    pixels[20:40, 20:40] = True
    pixels[25:30, 25:30] = False
    code = raster.from_mask(pixels)
    shape = {"kind": "rle", "size": list(code.size), "counts": code.counts}
    assert area(post("repair", shape=shape)[1]["shape"]) == 375
    noise = raster.from_mask(np.random.default_rng(0).random((500, 500)) < 0.5)
    shape = {"kind": "rle", "size": list(noise.size), "counts": noise.counts}
    status, answer = post("repair", shape=shape)
    assert status == 422
    assert "too ragged" in answer["message"]


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("union", {}),
        ("union", {"shapes": []}),
        ("union", {"shapes": [SQUARE, None]}),
        ("union", {"shapes": [SQUARE, {"kind": "point", "cx": 1, "cy": 1}]}),
        ("union", {"shapes": [SQUARE] * 501}),
        ("union", {"shapes": [{"kind": "polygon", "points": [[x, x * x % 997] for x in range(10_001)]}]}),
        ("union", {"shapes": [{"kind": "polygon", "points": [[0, 0], [1e9, 0], [0, 5]]}]}),
        ("union", {"shapes": [SQUARE], "extra": 1}),
        ("difference", {"shape": SQUARE}),
        ("difference", {"others": [SQUARE]}),
        ("split", {"shapes": [SQUARE], "line": []}),
        ("split", {"shapes": [SQUARE], "line": [[1, 1]]}),
        ("split", {"shapes": [SQUARE], "line": [["1", 1], [2, 2]]}),
        ("split", {"shapes": [SQUARE], "line": "across"}),
        ("simplify", {"shape": SQUARE, "least_iou": 2}),
        ("simplify", {"shape": SQUARE, "tolerance": "much"}),
        ("brush", {"shape": None, "line": [[1, 1]], "radius": 0, "erase": False, "frame": [10, 10]}),
        ("brush", {"shape": None, "line": [[1, 1]], "radius": 3, "erase": 1, "frame": [10, 10]}),
        ("brush", {"shape": None, "line": [[1, 1]], "radius": 3, "erase": False, "frame": [10]}),
        ("brush", {"shape": None, "line": [], "radius": 3, "erase": False, "frame": [10, 10]}),
        ("repair", {"shape": {"kind": "blob"}}),
    ],
)
def test_wrong_input_gets_one_line(post: Post, operation: str, body: dict[str, Any]) -> None:
    status, answer = post(operation, **body)
    assert status == 422
    assert answer["message"]
    assert "\n" not in answer["message"]


def test_an_unknown_key_is_told(post: Post) -> None:
    assert post("union", key="0" * 40, shapes=[SQUARE])[0] == 404
