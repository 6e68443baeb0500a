"""The RoIPool and RoIAlign page in windows of all widths: what stands side by side fits into the page."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from maskrcnn.studio.components.viewport import ViewportSize
from maskrcnn.studio.learn import roi_layout

# Widths of the page in windows of 820, 1280, 1366, 1400 and 1920 px, with a side bar of 256 px, and odd ones.
ROOMS = [
    ViewportSize(516, 1180),
    ViewportSize(976, 720),
    ViewportSize(1062, 768),
    ViewportSize(1096, 900),
    ViewportSize(1616, 1080),
    ViewportSize(360, 640),
]
ROOMS += [
    ViewportSize(699, 800),
    ViewportSize(700, 800),
    ViewportSize(820, 720),
    ViewportSize(2400, 1300),
    ViewportSize(1200, 400),
]
GAP, AXIS = 16, 44


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_wider_than_its_column(room: ViewportSize) -> None:
    layout = roi_layout.layout_for(room)
    maps, grids = 2 * (layout.map_side + AXIS) + GAP, 4 * layout.grid_side + 3 * GAP
    if layout.narrow:
        assert max(layout.picture_width, maps, 2 * layout.grid_side + GAP) <= room.width
        return
    picture, beside = (room.width - GAP) * 1.04 / 3.09, (room.width - GAP) * 2.05 / 3.09
    assert layout.picture_width <= picture
    assert maps <= beside
    assert grids <= (room.width - GAP) * 4 / 5.75


@pytest.mark.parametrize(("width", "narrow"), [(516, True), (699, True), (700, False), (1616, False)])
def test_narrow_pages_put_them_below_one_another(width: int, narrow: bool) -> None:
    assert roi_layout.layout_for(ViewportSize(width, 800)).narrow == narrow


@pytest.mark.parametrize(("width", "rows"), [(516, [3, 3, 2, 2]), (1062, [6, 4, 2])])
def test_there_is_a_column_for_each_choice_and_each_grid(
    width: int, rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []

    def columns(spec: int | Sequence[float]) -> list[None]:
        made.append(spec if isinstance(spec, int) else len(spec))
        return [None] * made[-1]

    monkeypatch.setattr(roi_layout.st, "columns", columns)
    layout = roi_layout.layout_for(ViewportSize(width, 800))
    assert (len(layout.controls()), len(layout.grids()), len(layout.two_columns(1, 2))) == (6, 4, 2)
    assert made == rows


def test_a_projector_shows_larger_maps_than_a_laptop() -> None:
    laptop, projector = (roi_layout.layout_for(room) for room in (ViewportSize(1062, 768), ViewportSize(1616, 1080)))
    assert projector.map_side > 1.3 * laptop.map_side
    assert projector.picture_width > 1.3 * laptop.picture_width
