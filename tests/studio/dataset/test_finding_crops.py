"""Crops around the findings of the doctor."""

from __future__ import annotations

from maskrcnn.annotations.regions import Polygon
from maskrcnn.studio.dataset.finding_crops import box_around_fix


def test_the_difference_is_around_the_vertices_that_change() -> None:
    before = Polygon(((0, 0), (100, 0), (100, 100), (0, 100)))
    # One corner moves from (100, 0) to (90, 10); at least 15 % of the side, 15 px, around (95, 5).
    assert box_around_fix(before, Polygon(((0, 0), (90, 10), (100, 100), (0, 100)))) == (87.5, -2.5, 102.5, 12.5)
    assert box_around_fix(before, before) is None
