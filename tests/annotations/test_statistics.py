"""Statistics against numbers worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.regions import RLE, Circle, MultiPolygon, Point, Polygon, Polyline, Rect, Region, Shape
from maskrcnn.annotations.statistics import GRID, statistics


def record(
    name: str, *regions: Region, width: int | None = 128, height: int | None = 64, **more: object
) -> ImageRecord:
    return ImageRecord(name, regions, None, width, height, **more)  # type: ignore[arg-type]


def one(shape: Shape, width: int = 128, height: int = 64) -> Dataset:
    return Dataset((record("a.png", Region(shape, "cell"), width=width, height=height),), ("cell",))


@pytest.fixture
def dataset() -> Dataset:
    """Four pictures of 128 x 64 px; "leaf" is drawn but not among the dataset's classes, "stem" is never drawn."""
    return Dataset(
        (
            record("a.png", Region(Rect(0, 0, 8, 4), "cell"), Region(Rect(0, 0, 64, 32), "cell"), split="train"),
            record("b.png", Region(Rect(0, 0, 128, 64), "leaf"), Region(Rect(96, 32, 64, 64)), split="train"),
            record("c.png", Region(Rect(0, 0, 20, 40), "cell"), Region(Point(3, 4), "cell"), split="val"),
            record("d.png", split="val"),
        ),
        ("cell", "stem"),
    )


def test_objects_are_counted_by_class_and_by_picture(dataset: Dataset) -> None:
    found = statistics(dataset)
    assert found.classes == ("cell", "stem", "leaf")
    assert (found.n_pictures, found.n_objects) == (4, 4)
    assert found.per_picture().tolist() == [2, 1, 1, 0]
    rows = {row.name: row for row in found.table()}
    assert list(rows) == ["cell", "stem", "leaf", None]
    assert (rows["cell"].pictures, rows["cell"].objects, rows["cell"].left) == (2, 3, 1)
    assert (rows["stem"].pictures, rows["stem"].objects) == (0, 0)
    assert (rows["leaf"].pictures, rows["leaf"].objects) == (1, 1)
    assert (rows[None].pictures, rows[None].objects, rows[None].left) == (0, 0, 1)
    assert found.left() == {"point": 1, "no-class": 1}


def test_areas_boxes_and_medians(dataset: Dataset) -> None:
    found = statistics(dataset)
    np.testing.assert_array_equal(found.area, [32, 2048, 8192, 800])
    np.testing.assert_array_equal(found.width, [8, 64, 128, 20])
    np.testing.assert_array_equal(found.height, [4, 32, 64, 40])
    np.testing.assert_array_equal(found.aspect(), [2, 2, 2, 0.5])
    cell = found.table()[0]
    assert cell.median_area == 800  # of 32, 800, 2048
    assert cell.median_aspect == 2  # of 0.5, 2, 2
    assert (cell.small, cell.medium, cell.large, cell.left) == (2, 1, 0, 1)


def test_only_what_lies_inside_the_picture_is_measured() -> None:
    # Half outside to the right and to the bottom: 32 x 32 px of it are in the picture.
    found = statistics(one(Rect(96, 32, 64, 64)))
    assert (found.area.tolist(), found.width.tolist(), found.height.tolist()) == ([1024], [32], [32])


def test_one_split_alone(dataset: Dataset) -> None:
    train, val = statistics(dataset).of("train"), statistics(dataset).of("val")
    assert (train.n_pictures, train.n_objects, val.n_pictures, val.n_objects) == (2, 3, 2, 1)
    assert val.per_picture().tolist() == [1, 0]
    assert train.per_picture().tolist() == [2, 1]
    assert [row.objects for row in val.table()] == [1, 0, 0]
    assert (train.left(), val.left()) == ({"no-class": 1}, {"point": 1})
    np.testing.assert_array_equal(val.area, [800])


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [(31, 33, "small"), (32, 32, "medium"), (95, 97, "medium"), (96, 96, "large"), (200, 100, "large")],
)
def test_size_classes_have_the_bounds_of_coco(width: int, height: int, size: str) -> None:
    # 31 x 33 = 1023 and 95 x 97 = 9215 lie one pixel below the bounds 32 x 32 = 1024 and 96 x 96 = 9216.
    (row,) = statistics(one(Rect(0, 0, width, height), 300, 300)).table()
    assert (row.small, row.medium, row.large) == tuple(int(size == name) for name in ("small", "medium", "large"))


@pytest.mark.parametrize(
    "shape",
    [Point(3, 4), Polyline(((0, 0), (9, 9))), Polygon(((0, 0), (9, 0))), Rect(200, 0, 9, 9)],
    ids=["point", "line", "two corners", "outside"],
)
def test_a_region_without_a_pixel_is_no_object(shape: Shape) -> None:
    found = statistics(one(shape))
    (row,) = found.table()
    assert (row.objects, row.pictures, row.left, row.small) == (0, 0, 1, 0)
    assert math.isnan(row.median_area)
    assert math.isnan(row.median_aspect)
    assert not found.covered.any()


def test_a_picture_of_unknown_size_is_counted() -> None:
    found = statistics(Dataset((record("a.png", Region(Rect(0, 0, 9, 9), "cell"), width=None, height=None),)))
    (row,) = found.table()
    assert (row.objects, row.small, row.medium, row.large) == (1, 0, 0, 0)


def test_crowds_are_counted_apart() -> None:
    found = statistics(Dataset((record("a.png", Region(Rect(0, 0, 9, 9), "cell", iscrowd=True)),), ("cell",)))
    assert (found.left(), found.n_objects) == ({"crowd": 1}, 0)
    assert not found.covered.any()


# Where in the picture. 128 x 64 px on 32 x 32 cells: a cell is 4 px wide and 2 px high, looked at in 2 x 2 places.


@pytest.mark.parametrize(
    "shape",
    [
        Rect(64, 0, 64, 32),
        Polygon(((64, 0), (128, 0), (128, 32), (64, 32))),
        MultiPolygon(((((64, 0), (128, 0), (128, 32), (64, 32)),),)),
        raster.from_mask(np.pad(np.ones((32, 64), bool), ((0, 32), (64, 0)))),
    ],
    ids=["rect", "polygon", "multipolygon", "rle"],
)
def test_the_quarter_that_is_covered(shape: Shape) -> None:
    expected = np.zeros((GRID, GRID))
    expected[:16, 16:] = 1
    found = statistics(one(shape))
    np.testing.assert_array_equal(found.coverage("cell"), expected)
    np.testing.assert_array_equal(found.coverage(), expected)


def test_a_cell_can_be_covered_in_part_and_holes_are_not_covered() -> None:
    # 2 px of the first column's 4, all the way down; the hole takes out the upper half.
    outer = ((0.0, 0.0), (2.0, 0.0), (2.0, 64.0), (0.0, 64.0))
    hole = ((0.0, 0.0), (2.0, 0.0), (2.0, 32.0), (0.0, 32.0))
    expected = np.zeros((GRID, GRID))
    expected[16:, 0] = 0.5
    np.testing.assert_array_equal(statistics(one(MultiPolygon(((outer, hole),)))).coverage(), expected)


def test_coverage_is_the_mean_over_pictures_and_overlaps_count_once() -> None:
    left, all_of_it = Rect(0, 0, 64, 64), Rect(0, 0, 128, 64)
    both = Dataset(
        (
            record("a.png", Region(all_of_it, "leaf"), Region(left, "cell"), Region(left, "cell"), split="train"),
            record("b.png", Region(left, "leaf"), split="val"),
        )
    )
    found = statistics(both)
    # cell: the left half of one picture of two; leaf: the left half of both, the right half of one.
    assert found.coverage("cell")[5].tolist() == [0.5] * 16 + [0.0] * 16
    assert found.coverage("leaf")[5].tolist() == [1.0] * 16 + [0.5] * 16
    assert found.coverage()[5].tolist() == [1.0] * 16 + [0.5] * 16
    assert found.of("val").coverage("leaf")[5].tolist() == [1.0] * 16 + [0.0] * 16
    assert not found.of("val").coverage("cell").any()


def test_a_circle_covers_its_share_of_the_picture() -> None:
    # A circle of radius 16 in 128 x 64 px: pi * 256 / 8192 of the picture, up to the places that the edge cuts.
    found = statistics(one(Circle(64, 32, 16)))
    assert found.coverage().mean() == pytest.approx(math.pi * 256 / 8192, rel=0.02)
    assert found.area[0] == pytest.approx(math.pi * 256, rel=0.02)
    assert found.aspect()[0] == 1


def test_a_mask_of_another_size_than_its_picture_is_measured_in_its_own() -> None:
    found = statistics(one(RLE(*_whole(10, 20)), 200, 100))
    assert found.area[0] == 200
    assert found.coverage().min() == 1


def test_an_empty_dataset_has_numbers_too() -> None:
    found = statistics(Dataset(()))
    assert (found.n_pictures, found.n_objects, found.table()) == (0, 0, [])
    assert found.coverage().shape == (GRID, GRID)
    assert found.of("val").per_picture().tolist() == []


def test_progress_is_told_for_each_picture(dataset: Dataset) -> None:
    told: list[tuple[int, int]] = []
    statistics(dataset, lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def _whole(height: int, width: int) -> tuple[tuple[int, int], str]:
    whole = raster.from_mask(np.ones((height, width), bool))
    return whole.size, whole.counts
