"""Which outlines cross themselves, and what they enclose."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor import shape_checks, shape_repairs
from maskrcnn.annotations.formats.exported_outline import joined_rings
from maskrcnn.annotations.regions import Polygon

SQUARE = ((0, 0), (10, 0), (10, 10), (0, 10))
HOLE = ((2, 2), (2, 4), (4, 4), (4, 2))
BESIDE = ((20, 0), (30, 0), (30, 10), (20, 10))

BOW_TIE = ((0, 0), (10, 10), (10, 0), (0, 10))
# Once round the square of 10 px, then on along its inside: a square of 4 px is run around twice.
TWICE_ROUND = ((0, 0), (10, 0), (10, 10), (0, 10), (0, 0), (4, 0), (4, 4), (0, 4))
PENTAGRAM = ((50, 0), (79, 90), (2, 35), (98, 35), (21, 90))
SPIKE = ((0, 0), (10, 0), (10, 10), (5, 10), (5, 30), (5, 10), (0, 10))
BACK_OVER = ((0, 0), (10, 0), (10, 12), (10, 4), (0, 4))


@pytest.mark.parametrize(
    ("points", "fault", "area"),
    [
        (SQUARE, None, 100),
        (SQUARE[::-1], None, 100),
        (BOW_TIE, "crosses itself", 50),  # two triangles of 25
        (TWICE_ROUND, "crosses itself", 84),  # 100 - 16, by the even-odd rule
        (SPIKE, "runs back over itself", 100),
        (BACK_OVER, "runs back over itself", 40),
        # Two triangles that touch in (5, 5), each run around in the same sense: it touches, and does not cross.
        (((0, 0), (5, 5), (10, 0), (10, 10), (5, 5), (0, 10)), None, 50),
        (((0, 0), (10, 0), (10, 10), (5, 0), (0, 10)), None, 50),  # a vertex that touches another edge
        (((0, 0), (10, 0), (10, 0), (10, 10)), None, 50),  # a vertex said twice
        (joined_rings([SQUARE, HOLE]), None, 96),
        (joined_rings([SQUARE, HOLE[::-1]]), None, 96),  # whichever way round the hole is drawn
        (joined_rings([SQUARE, BESIDE]), None, 200),
        (joined_rings([SQUARE, BESIDE[::-1]]), None, 200),
        (joined_rings([SQUARE, BESIDE, HOLE]), None, 196),
        (joined_rings([SQUARE, ((5, 5), (15, 5), (15, 15), (5, 15))]), "crosses itself", 150),  # 200 - 2 x 25
        (joined_rings([SQUARE, tuple((x + 20, y) for x, y in BOW_TIE)]), "crosses itself", 150),
    ],
)
def test_faults_and_areas_worked_by_hand(points, fault: str | None, area: float) -> None:
    assert shape_checks.outline_fault(points) == fault
    filled = shape_repairs.area_in_outline(points)
    assert filled.is_valid
    assert filled.area == pytest.approx(area)


def test_a_pentagram_keeps_its_empty_middle() -> None:
    assert shape_checks.outline_fault(PENTAGRAM) == "crosses itself"
    filled = shape_repairs.area_in_outline(PENTAGRAM)
    assert not filled.contains(shapely.Point(50, 45))
    assert filled.contains(shapely.Point(50, 15))
    assert raster.area(Polygon(PENTAGRAM), 100, 100) == pytest.approx(filled.area, rel=0.03)


def test_an_outline_drawn_twice_keeps_what_it_encloses() -> None:
    """By the even-odd rule nothing would be left, which cannot be what was meant."""
    assert shape_checks.outline_fault((*SQUARE, *SQUARE)) == "crosses itself"
    assert shape_repairs.area_in_outline((*SQUARE, *SQUARE)).area == 100


def test_shapely_agrees_on_what_is_sound(real_data) -> None:
    """On real outlines nothing is called a fault that shapely calls valid, and of the rest only touching is let go."""
    from maskrcnn.annotations import read

    let_go = 0
    for name in ("balloon/train", "car_damage/train/train_multiclass.json", "coco/tinycoco/annotations"):
        path = real_data / name
        for file in [path] if path.name != "annotations" else sorted(path.glob("*.json")):
            for record in read(file).images:
                for region in record.regions:
                    if isinstance(region.shape, Polygon):
                        valid = shapely.Polygon(region.shape.points).is_valid
                        assert not (valid and shape_checks.outline_fault(region.shape.points))
                        let_go += not valid and shape_checks.outline_fault(region.shape.points) is None
    assert let_go == 1  # 000000502136.jpg of COCO comes back to a vertex it had


def test_a_scribble_is_called_one_and_costs_no_time() -> None:
    """2,000 random edges cross in about half a million places; a wobbly outline of 20,000 vertices is none."""
    rng = np.random.default_rng(0)
    scribble = tuple(map(tuple, rng.uniform(0, 1000, (2000, 2)).tolist()))
    assert shape_checks.is_scribble(scribble)
    angles = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    radii = 400 + rng.normal(0, 0.5, 20_000)
    wobbly = [*zip((500 + radii * np.cos(angles)).tolist(), (500 + radii * np.sin(angles)).tolist(), strict=True)]
    assert not shape_checks.is_scribble(tuple(wobbly))
    wobbly[10], wobbly[14] = wobbly[14], wobbly[10]
    assert not shape_checks.is_scribble(tuple(wobbly))
    assert shape_checks.outline_fault(tuple(wobbly)) == "crosses itself"


def test_a_speckled_mask_as_one_outline_is_sound() -> None:
    """Thousands of rings joined into one, as an export to VIA writes them."""
    pixels = np.random.default_rng(0).random((30, 50)) < 0.4
    rings = raster.rings(raster.from_mask(pixels))
    assert len(rings) > 100
    outline = joined_rings(rings)
    assert shape_checks.outline_fault(outline) is None
    assert not shape_checks.is_scribble(outline)
    assert shape_repairs.area_in_outline(outline).area == pytest.approx(pixels.sum())
