"""What the picture of the Try it page sends to the browser, and what it takes back."""

from __future__ import annotations

import base64
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maskrcnn.errors import StudioError
from maskrcnn.model.candidates import Candidates, Selection
from maskrcnn.studio.try_it import candidate_routes, tried_picture
from maskrcnn.studio.try_it.tried_picture import KnownLength, Shown, TriedPicture

OWN = Selection(min_score=0.5, nms_iou=0.3, proposals=300, most=7)
LENGTH = KnownLength((0, 0, 30, 40), 10.0, "mm")
DATA = TriedPicture(
    {"address": "/x"},
    "/studio/try_it/abc",
    [("cell", "#e69f00"), ("leaf", "#56b4e9")],
    OWN,
    OWN,
    "a.png",
    length=LENGTH,
)
SELECTION = {
    "min_score": 0.25, "nms_iou": 0.3, "mask_threshold": 0.4, "proposals": 100.0, "most": 7, "classes": [2],
}  # fmt: skip
LINE = {"line": [0, 0, 3, 4], "value": 2, "unit": "cm", "shared": False}
ODD: list[Any] = [None, True, -1, 1e999, math.nan, "1", [], {}, "x" * 5000, [[0]], 10**400]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`shown(selection=..., length=..., selected=...)`: what is made of what the browser sent."""

    def read(data: TriedPicture = DATA, **state: Any) -> Shown:
        monkeypatch.setattr(st, "session_state", {"tried": state})
        return tried_picture.shown_in("tried", data)

    return read


def about(value: Any, picture: str = DATA.candidates_url) -> dict[str, Any]:
    return {"picture": picture, "value": value}


def test_the_browser_gets_the_steps_with_the_networks_own_values_among_them() -> None:
    sent = tried_picture.component_data(DATA)
    assert sent["stops"]["proposals"] == [1, 2, 5, 10, 20, 50, 100, 200, 300]
    assert sent["stops"]["most"] == [1, 2, 5, 7, 10, 20, 50, 100, 200, 400]
    assert sent["stops"]["nms_iou"] == pytest.approx([0.1 + 0.05 * step for step in range(15)])
    assert sent["own"]["classes"] is None
    assert sent["length"] == {"line": [0, 0, 30, 40], "value": 10.0, "unit": "mm", "shared": True}


def test_nothing_sent_is_what_the_page_has(shown: Any) -> None:
    assert shown() == Shown(OWN, LENGTH, None)


def test_what_is_sent_is_taken(shown: Any) -> None:
    found = shown(selection=SELECTION, length=about(LINE), selected=about(3))
    assert found.selection == Selection(0.25, 0.3, 0.4, 100, 7, frozenset([2]))
    assert found.length == KnownLength((0, 0, 3, 4), 2, "cm", shared=False)
    assert found.length.per_pixel == 0.4  # 2 cm are 5 px
    assert found.selected == 3
    assert shown(length=about(None)).length is None
    assert shown(selection=SELECTION | {"classes": []}).selection.classes == frozenset()


def test_lines_and_objects_of_another_picture_are_left_alone(shown: Any) -> None:
    assert shown(length=about(LINE, "/other"), selected=about(3, "/other")) == Shown(OWN, LENGTH, None)


@pytest.mark.parametrize("name", SELECTION)
def test_an_odd_selection_is_left_alone(shown: Any, name: str) -> None:
    for odd in ODD:
        if name == "classes" and odd in (None, []):
            continue
        assert shown(selection=SELECTION | {name: odd}).selection == OWN, odd
    for odd in [1.5, [0], [3], [1, 2, 2], [1.5]] if name == "classes" else [2e9]:
        assert shown(selection=SELECTION | {name: odd}).selection == OWN, odd


@pytest.mark.parametrize("name", LINE)
def test_an_odd_length_is_left_alone(shown: Any, name: str) -> None:
    for odd in [*ODD, 0, [0, 0, 0.1, 0], [0, 0, 1], ["0", 0, 9, 9], "parsec"]:
        if name == "shared" and odd is True:
            continue
        assert shown(length=about(LINE | {name: odd})).length == LENGTH, odd


def test_other_odd_things_are_left_alone(shown: Any) -> None:
    for odd in ODD:
        assert shown(selection=odd, length=odd, selected=odd) == Shown(OWN, LENGTH, None)
        assert shown(selected=about(odd)).selected is None
    assert shown(selected=about(1.5)).selected is None


# The route


def test_candidates_are_served_by_their_key_only(tmp_path: Path) -> None:
    boxes, one = np.array([[1, 2, 3.5, 4]], np.float32), np.ones(1, np.int64)
    mask = np.array([[[0, 0.5], [0.25, 1]]], np.float16)
    Candidates(6, 8, boxes, one, np.array([0.3], np.float32), one, mask).save(tmp_path / "a.npz")
    http = TestClient(Starlette(routes=candidate_routes.routes()))
    address = candidate_routes.candidates_url(tmp_path / "a.npz")
    sent = http.get(address).json()
    assert (sent["width"], sent["height"], sent["boxes"]) == (8, 6, [[1, 2, 3.5, 4]])
    assert np.float32(sent["scores"][0]) == np.float32(0.3)
    assert list(base64.b64decode(sent["masks"])) == [0, 128, 64, 255]  # of 255; halves to the even number
    assert sent["keypoints"] is None
    assert http.get("/studio/try_it/a.npz").status_code == 404


def test_a_missing_or_damaged_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=r"a\.npz: is not there any more"):
        candidate_routes.candidates_url(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes(b"PK\x03\x04 no zip")
    answer = TestClient(Starlette(routes=candidate_routes.routes())).get(
        candidate_routes.candidates_url(tmp_path / "b.npz")
    )
    assert answer.status_code == 422
    assert answer.text.startswith("b.npz: ")
    assert answer.text.count("\n") == 1
