"""The table of objects: its numbers, worked by hand, and its texts, which no spreadsheet runs."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError
from maskrcnn.inference.outputs import FoundPicture, Scale, write_set_files
from tests.inference.outputs import made


def table(found: list[FoundPicture], config: Config, folder: Path, scale: Scale | None = None) -> list[list[str]]:
    (place,) = write_set_files(["csv"], found, config, folder, scale=scale)
    with place.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_a_row_for_each_object(tmp_path: Path) -> None:
    header, *rows = table(made.found_pictures(tmp_path), made.CONFIG, tmp_path)
    assert header == ["picture", "object", "class", "score", "x", "y", "width", "height", "area_px"]
    # The boxes are half a pixel larger than the masks on each side; the one without a pixel is a row, too.
    assert rows == [
        ["a.png", "1", "nut", "0.95", "3.5", "5.5", "21.0", "21.0", "400"],
        ["a.png", "2", "../bolt_1", "0.85", "15.5", "15.5", "25.0", "21.0", "416"],
        ["a.png", "3", "nut", "0.75", "43.5", "-0.5", "21.0", "49.0", "604"],
        ["a.png", "4", "../bolt_1", "0.65", "-0.5", "-0.5", "1.0", "1.0", "0"],
        ["a.png", "5", "nut", "0.55", "5.5", "7.5", "7.0", "5.0", "24"],
        ["sub/a.png", "1", "nut", "0.75", "43.5", "-0.5", "21.0", "49.0", "604"],
    ]


def test_sizes_in_a_unit(tmp_path: Path) -> None:
    found = [FoundPicture("a.png", made.WIDTH, made.HEIGHT, made.detections()[:1])]
    header, row = table(found, made.CONFIG, tmp_path, Scale(0.25, "mm"))
    assert header[-3:] == ["width_mm", "height_mm", "area_mm2"]
    assert row[-3:] == ["5.25", "5.25", "25.0"]  # 21 x 0.25, and 400 x 0.25 x 0.25


@pytest.mark.parametrize("per_pixel", [0, -1, float("nan"), float("inf")])
def test_a_scale_is_a_number_above_0(per_pixel: float) -> None:
    with pytest.raises(ArgumentError, match="mm per pixel is no scale; give a number above 0"):
        Scale(per_pixel, "mm")


def test_poses_have_their_own_score(tmp_path: Path) -> None:
    pose = {"keypoints": [1.0, 1.0, 2, 2.0, 2.0, 2], "pose_score": 0.43210}
    objects = (made.detection(made.MASKS[0], 1, 0.9, **pose), made.detection(made.MASKS[1], 1, 0.9))
    header, *rows = table([FoundPicture("a.png", made.WIDTH, made.HEIGHT, objects)], made.POSES, tmp_path)
    assert header[-1] == "pose_score"
    assert [row[-1] for row in rows] == ["0.4321", ""]  # a network that decodes with argmax has none


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    config = Config.preset("classroom", class_names=('=HYPERLINK("http://a.org")',), num_classes=2)
    found = [FoundPicture("=1+1.png", made.WIDTH, made.HEIGHT, made.detections()[:1])]
    header, row = table(found, config, tmp_path, Scale(1, "=2+3"))
    assert row[0] == "'=1+1.png"
    assert row[2] == """'=HYPERLINK("http://a.org")"""
    assert header[-3] == "width_=2+3"  # begins with a word, so it is none


def test_no_objects_leave_the_header(tmp_path: Path) -> None:
    assert len(table([FoundPicture("a.png", 4, 4)], made.CONFIG, tmp_path)) == 1
    assert len(table([], made.CONFIG, tmp_path)) == 1
