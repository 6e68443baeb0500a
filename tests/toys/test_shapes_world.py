"""The sample data: seeded, within its budget, and labelled as it is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from maskrcnn.annotations import pictures, raster, read
from maskrcnn.annotations.regions import Circle, Ellipse, Polygon, Rect
from maskrcnn.annotations.trainable_check import require_trainable
from maskrcnn.toys import shapes_world
from maskrcnn.toys.shape_painting import shape_coverage
from tests.toys.test_people_world import rim


def test_the_same_seed_draws_the_same() -> None:
    for index in range(3):
        assert (shapes_world.draw(5, index)[0] == shapes_world.draw(5, index)[0]).all()
    assert shapes_world.draw(5, 0)[1] != shapes_world.draw(6, 0)[1]
    assert shapes_world.draw(5, 0)[1].regions != shapes_world.draw(5, 1)[1].regions


@pytest.mark.parametrize(("split", "count", "seed"), [("train", 40, 1), ("val", 12, 2)])
def test_the_shipped_labels_are_the_generators(root: Path, split: str, count: int, seed: int) -> None:
    dataset = require_trainable(read(root / "data/shapes" / split))
    assert (len(dataset.images), dataset.class_attribute, dataset.classes) == (count, "shape", shapes_world.CLASSES)
    for index in (0, count - 1):
        drawn, record = shapes_world.draw(seed, index)
        stored = dataset.images[index]
        assert stored.path is not None
        assert [(r.shape, r.class_name) for r in stored.regions] == [(r.shape, r.class_name) for r in record.regions]
        assert np.abs(pictures.load(stored.path).astype(float) - drawn).mean() < 8  # JPEG, of a noisy picture


def test_the_shipped_sample_fits_its_budget_and_shows_everything(root: Path) -> None:
    folder = root / "data/shapes"
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) <= 3_000_000
    train = require_trainable(read(folder / "train"))
    regions = [(region, raster.area(region.shape, i.height, i.width)) for i in train.images for region in i.regions]
    for class_name in shapes_world.CLASSES:
        assert sum(region.class_name == class_name for region, _ in regions) >= 30
    assert {type(region.shape) for region, _ in regions} == {Polygon, Circle, Ellipse, Rect}
    small, large = sum(area < 32**2 for _, area in regions), sum(area >= 96**2 for _, area in regions)
    assert min(small, large, len(regions) - small - large) >= 10  # COCO's three sizes
    assert min(area for _, area in regions) > 50
    names = [i.file_name for i in train.images] + [i.file_name for i in read(folder / "val").images]
    assert len(set(names)) == 52  # both go into one project


@pytest.mark.parametrize("index", range(8))
def test_labels_are_what_is_seen(index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against a map of who is on top in the middle of each pixel, painted anew from the outlines, one over another."""
    placed: list[shapes_world._Placed] = []
    place = shapes_world._place
    monkeypatch.setattr(shapes_world, "_place", lambda *asked: placed.extend(place(*asked)) or placed)
    _, record = shapes_world.draw(11, index)
    y, x = np.mgrid[0 : record.height, 0 : record.width] + 0.5
    owner = np.full(x.shape, -1)
    for number, shape in enumerate(placed):
        owner[shapely.contains_xy(shapely.Polygon(shape.outline), x, y)] = number
    assert len(placed) == len(record.regions)
    too_large = rims = 0
    for number, region in enumerate(record.regions):
        mask, truth = raster.mask(region.shape, record.height, record.width).astype(bool), owner == number
        wrong = mask ^ truth
        assert truth.any()
        assert not (wrong & ~rim(truth)).any()
        assert wrong.sum() < 0.14 * rim(truth).sum()  # the rim is two wide: half a pixel off would be a quarter
        too_large += int(mask.sum()) - int(truth.sum())
        rims += int(rim(truth).sum())
        assert region.class_name == placed[number].class_name
    assert abs(too_large) < 0.04 * rims  # 0.08 px; labels are rounded to 0.1
    for region in record.regions:
        x0, y0, x1, y1 = raster.bounds(region.shape)
        assert -0.05 <= x0 < x1 <= record.width + 0.05
        assert -0.05 <= y0 < y1 <= record.height + 0.05


def box(x: float, y: float, width: float, height: float) -> shapes_world._Placed:
    outline = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], dtype=float)
    return shapes_world._Placed("square", outline, shapely.Polygon(outline), True, (0, 0), 1)


@pytest.mark.parametrize(
    ("top", "allowed"),
    [
        (box(10, 10, 5, 10), True),  # hides half of it
        (box(10, 10, 6, 10), False),  # hides 60 %
        (box(14, 0, 2, 40), False),  # cuts it in two
        (box(14, 14, 2, 2), False),  # makes a hole in it
        (box(30, 30, 5, 5), True),  # beside it
        (box(36, 0, 10, 5), False),  # 40 % of it inside the picture
    ],
)
def test_what_may_be_laid_over_a_shape(top: shapes_world._Placed, allowed: bool) -> None:
    after = shapes_world._with_visible_parts([box(10, 10, 10, 10)], top, shapely.box(0, 0, 40, 40))
    assert (after is not None) is allowed


def test_a_shape_is_painted_where_its_outline_lies() -> None:
    outline = shapes_world.outline_of("star", 12, 0.3) + np.array([20.3, 15.8])
    painted = shape_coverage(outline, 32, 40)
    mask = raster.mask(Polygon(tuple(map(tuple, outline.tolist()))), 32, 40)
    exact = shapely.Polygon(outline)
    assert abs(painted.sum() - exact.area) < 0.15 * exact.length  # OpenCV fills the rim's cells, 1/8 px too far
    ys, xs = np.mgrid[0:32, 0:40] + 0.5
    for axis in (xs, ys):
        assert (axis * painted).sum() / painted.sum() == pytest.approx((axis * mask).sum() / mask.sum(), abs=0.15)
