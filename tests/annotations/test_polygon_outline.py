"""Outlines: what they cover, against a slow oracle, against torchvision's cut of a bitmap, and by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask
from torchvision.ops import roi_align

from maskrcnn.annotations import raster
from maskrcnn.annotations.polygon_outline import PolygonOutline, stacked_outlines
from maskrcnn.model.roi_heads import StudioRoIHeads


def outline(*rings: Any, parts: bool = False) -> PolygonOutline:
    """One part of those rings, or as many parts."""
    arrays = [np.array(ring, float) for ring in rings]
    return PolygonOutline(tuple((ring,) for ring in arrays) if parts else (tuple(arrays),))


def box(x1: float, y1: float, x2: float, y2: float) -> list[tuple[float, float]]:
    return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]


SQUARE = outline(box(10, 20, 30, 40))
RING = outline(box(10, 20, 30, 40), box(15, 25, 25, 35))
STAR = outline(
    [(50 + r * np.cos(a), 40 + r * np.sin(a)) for a, r in zip(np.arange(10) * 0.628, [30, 12] * 5, strict=True)]
)
TWO = outline(box(5, 5, 25, 45), box(15, 30, 60, 60), parts=True)


def fine(shape: PolygonOutline, place: tuple[float, float, float, float], side: int, each: int = 40) -> np.ndarray:
    """Coverage the slow way: each cell is looked at in `each` x `each` points, by the even-odd rule in each part."""
    x1, y1, x2, y2 = place
    at = (np.arange(side * each) + 0.5) / (side * each)
    x, y = np.meshgrid(x1 + at * (x2 - x1), y1 + at * (y2 - y1))

    def covered(what: PolygonOutline) -> np.ndarray:
        whole = np.zeros(x.shape, bool)
        for part in what.parts:
            inside = np.zeros(x.shape, bool)
            for ring in part:
                for (ax, ay), (bx, by) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
                    if ay != by:
                        inside ^= ((ay > y) != (by > y)) & (x < ax + (y - ay) / (by - ay) * (bx - ax))
            whole |= inside
        for over in what.hidden_by:
            whole &= ~covered(over)
        return whole

    return covered(shape).reshape(side, each, side, each).mean((1, 3))


@pytest.mark.parametrize(
    ("shape", "place"),
    [
        (SQUARE, (10, 20, 30, 40)),
        (SQUARE, (4.3, 11.9, 41.7, 36.2)),
        (RING, (8, 18, 32, 42)),
        (RING, (12.5, 21, 19, 39.5)),
        (STAR, (18, 8, 82, 72)),
        (STAR, (40.2, -10.5, 95, 51)),
        (TWO, (0, 0, 64, 64)),
        (SQUARE.under([outline(box(20, 0, 50, 30))]), (8, 18, 32, 42)),
        (STAR.under([RING.moved((1, 1), (20, 10)), SQUARE.moved((1, 1), (40, 20))]), (18, 8, 82, 72)),
    ],
)
def test_the_share_of_each_cell_that_is_covered(
    shape: PolygonOutline, place: tuple[float, float, float, float]
) -> None:
    found, expected = shape.coverage(place, 14), fine(shape, place, 14)
    assert found.dtype == np.float32
    # A cell is looked at in 4 x 4 points, so an edge through it is known to a quarter of it.
    assert np.abs(found - expected).max() <= 0.25 + 0.05
    assert abs(found.mean() - expected.mean()) < 0.03
    assert 0.05 < found.mean() < 1.01


def test_cells_that_fit_are_exact() -> None:
    """A square over the left half of the box, which is looked at in two cells."""
    assert SQUARE.coverage((10, 20, 50, 40), 2).tolist() == [[1, 0], [1, 0]]
    assert RING.coverage((10, 20, 30, 40), 4).tolist() == [[1] * 4, [1, 0, 0, 1], [1, 0, 0, 1], [1] * 4]
    half = SQUARE.coverage((0, 20, 40, 40), 2)  # its left edge runs through the middle of the first column
    assert half.tolist() == [[0.5, 0.5], [0.5, 0.5]]


@pytest.mark.parametrize("place", [(5, 5, 5, 9), (5, 5, 9, 5), (9, 9, 5, 5), (float("nan"), 0, 1, 1)])
def test_a_box_without_area_is_covered_by_nothing(place: tuple[float, float, float, float]) -> None:
    assert not SQUARE.coverage(place, 28).any()


def test_mirrored_coverage_is_the_mirror_of_it() -> None:
    # The rasteriser reads columns at their middle and rows from theirs on, so the two may differ by a row of points.
    mirrored = STAR.moved((-1, 1), (96, 0))
    found = mirrored.coverage((96 - 82, 8, 96 - 18, 72), 28)
    assert np.abs(found - STAR.coverage((18, 8, 82, 72), 28)[:, ::-1]).mean() < 0.01


def test_pieces_outside_the_picture_are_not_there_in_its_bitmap_but_in_a_box_they_are() -> None:
    shape = outline(box(-10, -10, 5, 5))
    assert shape.bitmap(8, 8).sum() == 25
    assert not outline(box(20, 20, 30, 30)).bitmap(8, 8).any()
    assert shape.coverage((-10, -10, 5, 5), 3).tolist() == [[1, 1, 1]] * 3


@pytest.mark.parametrize("ring", [[], [(3, 3)], [(3, 3), (9, 9)]])
def test_a_ring_of_fewer_than_three_corners_covers_nothing(ring: Any) -> None:
    shape = outline(np.reshape(ring, (-1, 2)))
    assert not shape.bitmap(16, 16).any()
    assert not shape.coverage((0, 0, 16, 16), 7).any()
    assert shape.box(16, 16) is None


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (SQUARE, (10, 20, 30, 40)),
        (RING, (10, 20, 30, 40)),
        (TWO, (5, 5, 60, 48)),  # the picture ends at 48
        (outline(box(-10.5, 3.25, 5.5, 9.75)), (0, 3.25, 5.5, 9.75)),
        (outline(box(70, 3, 90, 9)), None),
        (outline(box(64, 3, 90, 9)), None),  # it touches the edge
        (SQUARE.under([outline(box(0, 0, 20, 48))]), (20, 20, 30, 40)),
        (SQUARE.under([outline(box(0, 0, 20.4, 48))]), (20, 20, 30, 40)),  # to the pixel
        (SQUARE.under([SQUARE]), None),
        (SQUARE.under([RING]), (15, 25, 25, 35)),  # it shows through the hole
    ],
)
def test_the_box_is_around_what_can_be_seen(shape: PolygonOutline, expected: tuple[float, ...] | None) -> None:
    assert shape.box(48, 64) == expected


def test_nothing_is_changed_in_place() -> None:
    before = [ring.copy() for ring in SQUARE.parts[0]]
    over = SQUARE.under([RING])
    over.moved((2, -2), (1, 1))
    over.coverage((0, 0, 9, 9), 7)
    assert SQUARE.hidden_by == ()
    assert all(np.array_equal(a, b) for a, b in zip(before, SQUARE.parts[0], strict=True))
    assert over.moved((2, 2)).hidden_by[0].parts[0][0].max() == 80  # what lies over it moves with it


def test_stacked_bitmaps() -> None:
    assert stacked_outlines([], 8, 9).shape == (0, 8, 9)
    assert stacked_outlines([SQUARE, RING], 48, 64).sum((1, 2)).tolist() == [400, 300]


@pytest.mark.parametrize("kind", ["polygons", "counts", "compressed", "bytes"])
def test_every_way_in_which_coco_writes_a_mask(kind: str) -> None:
    bitmap = np.zeros((128, 192), np.uint8, order="F")
    bitmap[20:60, 40:100] = 1
    segmentation: Any = coco_mask.encode(bitmap)
    if kind == "polygons":
        segmentation = [[40, 20, 70, 20, 70, 60, 40, 60], [70, 20, 100, 20, 100, 60, 70, 60]]
    elif kind == "compressed":
        segmentation["counts"] = segmentation["counts"].decode("ascii")
    elif kind == "counts":
        changes = np.flatnonzero(np.diff(bitmap.ravel(order="F"))) + 1
        segmentation = {"size": [128, 192], "counts": np.diff([0, *changes, bitmap.size]).tolist()}
    small = PolygonOutline.of(segmentation, (128, 192), (64, 96))
    expected = np.zeros((64, 96), np.uint8)
    expected[10:30, 20:50] = 1
    assert np.array_equal(small.bitmap(64, 96), expected)
    assert small.box(64, 96) == (20, 10, 50, 30)


def test_a_run_length_code_with_a_hole_keeps_it() -> None:
    bitmap = np.zeros((64, 96), np.uint8, order="F")
    bitmap[10:50, 20:80] = 1
    bitmap[20:40, 30:60] = 0
    shape = PolygonOutline.of(coco_mask.encode(bitmap), (64, 96), (64, 96))
    assert np.array_equal(shape.bitmap(64, 96), bitmap)
    assert np.array_equal(shape.moved((-1, 1), (96, 0)).bitmap(64, 96), bitmap[:, ::-1])
    empty = PolygonOutline.of(coco_mask.encode(np.zeros((64, 96), np.uint8, order="F")), (64, 96), (32, 48))
    assert empty.box(32, 48) is None


@pytest.mark.parametrize("aligned", [True, False])
def test_real_balloons_are_cut_as_torchvision_cuts_their_bitmaps(real_data: Path, aligned: bool) -> None:
    """The mean over the cells of all RoIs differs by less than 0.02, and thresholded at a half, all but 3 % agree.

    torchvision reads the bitmap at one or more points of each cell, between pixels; the bitmap is already rounded.
    """
    written = json.loads((real_data / "balloon" / "val" / "via_region_data.json").read_text())
    shapes = []
    for entry in written.values():
        regions = entry["regions"].values() if isinstance(entry["regions"], dict) else entry["regions"]
        for region in regions:
            given = region["shape_attributes"]
            ring = np.stack([given["all_points_x"], given["all_points_y"]], 1).astype(float)
            shapes.append(PolygonOutline(((ring * 0.4,),)))
    random = np.random.default_rng(0)
    size = 1000
    places, masks = [], []
    for shape in shapes[:40]:
        found = shape.box(size, size)
        assert found is not None
        x1, y1, x2, y2 = found
        moves = random.uniform(-0.15, 0.15, 4) * np.array([x2 - x1, y2 - y1] * 2)
        places.append(torch.tensor(np.array([x1, y1, x2, y2]) + moves, dtype=torch.float32))
        masks.append(torch.from_numpy(shape.bitmap(size, size)).float())
    heads = StudioRoIHeads.__new__(StudioRoIHeads)
    torch.nn.Module.__init__(heads)
    heads.aligned_targets = aligned
    objects = torch.arange(len(places))
    ours = heads.mask_targets([shapes[:40]], [torch.stack(places)], [objects], torch.zeros(1, 1, 28, 28))
    theirs = torch.cat(
        [
            roi_align(mask[None, None], [place[None]], (28, 28), aligned=aligned)[:, 0]
            for mask, place in zip(masks, places, strict=True)
        ]
    )
    assert ours.shape == theirs.shape == (40, 28, 28)
    assert (ours - theirs).abs().mean() < 0.02
    assert ((ours >= 0.5) != (theirs >= 0.5)).float().mean() < 0.03
    assert (ours - theirs).mean().abs() < 0.005  # and not to one side


def test_an_outline_and_its_bitmap_are_the_same_mask_for_the_network() -> None:
    """Filled at the size of the picture an outline is what the rasteriser makes of the shape."""
    bitmap = STAR.bitmap(96, 96)
    assert np.array_equal(bitmap.astype(bool), raster.mask(raster.from_mask(bitmap.astype(bool)), 96, 96))
    painted = cv2.fillPoly(np.zeros((96, 96), np.uint8), [np.round(STAR.parts[0][0]).astype(np.int32)], 1)
    assert (bitmap & painted).sum() / (bitmap | painted).sum() > 0.85
