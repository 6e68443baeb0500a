"""Each picture has its own overlay, and no overlay takes the name of a file of somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskrcnn.inference.overlay_files import is_overlay, overlay_names, save_overlay
from tests.inference.pictures import picture


def named(names: list[str], out: Path) -> list[str]:
    return overlay_names(names, [Path("elsewhere") / name for name in names], out)


@pytest.mark.parametrize(
    ("names", "overlays"),
    [
        (["a.jpg", "b.png"], ["a.png", "b.png"]),
        # The second a takes the first number that no picture has.
        (["a-2.png", "a.png", "a.jpg"], ["a-2.png", "a.png", "a-3.png"]),
        (["a.png", "a.jpg", "a-2.png"], ["a.png", "a-3.png", "a-2.png"]),
        (["a.png", "a.jpg", "a.tif", "a-3.png"], ["a.png", "a-2.png", "a-4.png", "a-3.png"]),
        # Two names on a disk that tells case apart, one on others.
        (["A.jpg", "a.jpg"], ["A.png", "a-2.png"]),
        (["Straße.jpg", "STRASSE.jpg"], ["Straße.png", "STRASSE-2.png"]),
        # é as one character and as two.
        (["caf\u00e9.jpg", "cafe\u0301.jpg"], ["caf\u00e9.png", "cafe\u0301-2.png"]),
        # Folders keep apart what they keep apart.
        (["x/a.jpg", "y/a.jpg", "a.jpg"], ["x/a.png", "y/a.png", "a.png"]),
        (["x/a.jpg", "X/A.jpg"], ["x/a.png", "X/A-2.png"]),
        # A folder of this name is needed beside it.
        (["a.jpg", "a.png/b.jpg"], ["a-2.png", "a.png/b.png"]),
        (["a.tar.jpg", "a.jpg"], ["a.tar.png", "a.png"]),
        (["b-2.jpg", "b-2.png", "b.jpg"], ["b-2.png", "b-2-2.png", "b.png"]),
        (["1.jpg"] * 4, ["1.png", "1-2.png", "1-3.png", "1-4.png"]),
    ],
)
def test_no_two_pictures_share_an_overlay(names: list[str], overlays: list[str], tmp_path: Path) -> None:
    assert named(names, tmp_path) == overlays


def somebodys_picture(out: Path) -> None:
    picture(out / "a.png")


def a_text(out: Path) -> None:
    (out / "a.png").write_text("notes")


def a_folder(out: Path) -> None:
    (out / "a.png").mkdir()


def a_link(out: Path) -> None:
    save_overlay(np.zeros((4, 4, 3), np.uint8), out.parent / "elsewhere.png")
    (out / "a.png").symlink_to(out.parent / "elsewhere.png")


def a_dangling_link(out: Path) -> None:
    (out / "a.png").symlink_to(out / "nowhere")


@pytest.mark.parametrize("there", [somebodys_picture, a_text, a_folder, a_link, a_dangling_link])
def test_what_predict_did_not_make_stays(there: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    there(out)
    assert named(["a.jpg"], out) == ["a-2.png"]


def test_an_overlay_of_an_earlier_time_is_replaced_unless_it_is_predicted_itself(tmp_path: Path) -> None:
    save_overlay(np.zeros((4, 4, 3), np.uint8), tmp_path / "a.png")
    assert is_overlay(tmp_path / "a.png")
    assert named(["a.jpg"], tmp_path) == ["a.png"]
    assert overlay_names(["a.png"], [tmp_path / "a.png"], tmp_path) == ["a-2.png"]
