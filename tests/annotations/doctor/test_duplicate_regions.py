"""Regions drawn twice: which of the two goes, and when neither does."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor import apply, examine
from maskrcnn.annotations.regions import Keypoints, Point, Polyline, Rect, Region
from tests.annotations.doctor import made_up

A = Rect(20, 20, 60, 60)
NEARLY = Rect(20, 20, 60, 62)  # IoU 60 / 62 = 0.968
SHORTER = Rect(20, 20, 60, 64)  # IoU 60 / 64 = 0.938


def found(tmp_path: Path, *regions: Region) -> tuple[list[tuple], list[int]]:
    """The duplicates as (number, whether it is surely dropped), and the numbers of the regions that are left."""
    dataset = made_up.dataset(made_up.record(tmp_path, "a.png", *regions))
    findings = [finding for finding in examine(dataset) if finding.check == "duplicate"]
    left = {region.id for region in apply(dataset, findings).images[0].regions}
    return (
        [(finding.region_number, finding.fix is not None) for finding in findings],
        [number for number, region in enumerate(regions, start=1) if region.id in left],
    )


@pytest.mark.parametrize(
    ("regions", "duplicates", "left"),
    [
        ([(A, "dent"), (NEARLY, "dent")], [(2, False)], [1, 2]),  # two things may well lie exactly on each other
        ([(A, "dent"), (SHORTER, "dent")], [], [1, 2]),
        ([(A, "dent"), (A, "dent"), (A, "dent")], [(2, True), (3, True)], [1]),
        # The third is like the second and not like the first: when the second is gone, nothing is twice.
        ([(A, "dent"), (NEARLY, "dent"), (SHORTER, "dent")], [(2, False)], [1, 2, 3]),
        ([(A, "dent"), (A, "scratch")], [(2, False)], [1, 2]),
        ([(A, "dent"), (A, "scratch"), (A, "dent")], [(2, False), (3, True)], [1, 2]),
        ([(A, None), (A, "dent")], [(1, True)], [2]),
        ([(A, "dent"), (A, "Dent"), (Rect(120, 20, 40, 40), "dent")], [(2, False)], [1, 2, 3]),
        ([(A, "dent"), (A, " dent"), (Rect(120, 20, 40, 40), "dent")], [(2, True)], [1, 3]),
        ([(Point(3, 3), "dent"), (Point(3, 3), "dent"), (Point(3, 4), "dent")], [(2, True)], [1, 3]),
        ([(Polyline(((3, 3), (9, 9))), None), (Polyline(((3, 3), (9, 9))), None)], [(2, True)], [1]),
    ],
)
def test_which_goes(regions, duplicates, left, tmp_path: Path) -> None:
    assert found(tmp_path, *(Region(*region) for region in regions)) == (duplicates, left)


def test_a_mask_and_the_outline_of_it_are_one(tmp_path: Path) -> None:
    mask = raster.from_mask(raster.mask(A, made_up.HEIGHT, made_up.WIDTH))
    assert found(tmp_path, Region(A, "dent"), Region(mask, "dent")) == ([(2, True)], [1])


def test_an_object_in_a_crowd_is_none(tmp_path: Path) -> None:
    one, crowd = Region(A, "dent"), Region(A, "dent", iscrowd=True)
    assert found(tmp_path, one, crowd) == ([], [1, 2])
    assert found(tmp_path, crowd, Region(NEARLY, "dent", iscrowd=True)) == ([(2, False)], [1, 2])


def test_the_same_keypoints_twice(tmp_path: Path) -> None:
    pose = Keypoints(((30, 30, 2), (50, 50, 2)))
    assert found(tmp_path, Region(pose, "person"), Region(pose, "person")) == ([(2, True)], [1])
