"""Mended shapes: the same mask where it can be, inside the picture, and sound."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from PIL import Image, ImageOps

from maskrcnn.annotations import raster
from maskrcnn.annotations.doctor import outside_picture, shape_checks, shape_repairs, turning_and_scaling
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Ellipse,
    Keypoints,
    MultiPolygon,
    Point,
    Polygon,
    Polyline,
    Rect,
    Region,
    Shape,
)

ORIENTATION = 0x0112


def iou(one: Shape, other: Shape, height: int = 120, width: int = 140) -> float:
    a, b = raster.mask(one, height, width), raster.mask(other, height, width)
    return float((a & b).sum() / (a | b).sum())


def test_a_bow_tie_becomes_its_two_triangles() -> None:
    bow_tie = Polygon(((10, 10), (50, 50), (50, 10), (10, 50)))
    mended = shape_repairs.redrawn(bow_tie)
    assert isinstance(mended, MultiPolygon)
    assert {frozenset(part[0]) for part in mended.parts} == {
        frozenset({(10, 10), (30, 30), (10, 50)}),
        frozenset({(50, 10), (30, 30), (50, 50)}),
    }
    assert iou(bow_tie, mended) > 0.99


def test_slivers_go_and_a_single_outline_stays_one() -> None:
    # The last vertices of a square are in the wrong order: a lobe of a pixel hangs on it.
    tangled = Polygon(((10, 10), (60, 10), (60, 60), (12, 60), (10, 58), (10.5, 61)))
    assert shape_checks.outline_fault(tangled.points)
    mended = shape_repairs.redrawn(tangled)
    assert isinstance(mended, Polygon)
    assert shape_checks.outline_fault(mended.points) is None
    assert iou(tangled, mended) > 0.99


def test_a_spike_goes_and_nothing_else() -> None:
    spiked = Polygon(((10, 10), (60, 10), (60, 60), (35, 60), (35, 90), (35, 60), (10, 60)))
    mended = shape_repairs.redrawn(spiked)
    assert isinstance(mended, Polygon)
    assert shapely.Polygon(mended.points).equals(shapely.box(10, 10, 60, 60))
    assert all(isinstance(value, int) for point in mended.points for value in point)


def test_a_hole_stays_and_a_hole_like_a_hair_is_filled() -> None:
    square, hole, hair = (
        ((10, 10), (90, 10), (90, 90), (10, 90)),
        ((20, 20), (40, 20), (40, 40), (20, 40)),
        ((50, 20), (50.3, 20), (50.3, 80), (50, 80)),
    )
    mended = shape_repairs.redrawn(MultiPolygon(((square, hole, hair),)))
    assert isinstance(mended, MultiPolygon)
    ((outer, *holes),) = mended.parts
    assert set(outer) == set(square)
    assert [set(ring) for ring in holes] == [set(hole)]
    # Outer ring and hole run in opposite senses, so a program that fills by winding number sees the hole too.
    signs = {math.copysign(1, shapely.LinearRing(ring).is_ccw - 0.5) for ring in (outer, *holes)}
    assert len(signs) == 2


@pytest.mark.parametrize("seed", range(30))
def test_the_mask_stays_what_the_even_odd_rule_makes_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(5, 115, (int(rng.integers(5, 11)), 2))
    shape = Polygon(tuple(map(tuple, corners.tolist())))
    mended = shape_repairs.redrawn(shape)
    assert mended is not None
    assert all(shape_checks.outline_fault(ring) is None for ring in raster.rings(mended))
    # What may differ is a row of pixels at the edges, on the rasteriser's grid of a fifth of a pixel, and slivers.
    assert iou(shape, mended) > 0.95


@pytest.mark.parametrize("seed", range(20))
def test_clipping_keeps_what_lies_inside(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-60, 200, (int(rng.integers(3, 8)), 2))
    shape = Polygon(tuple(map(tuple, corners.tolist())))
    clipped = outside_picture.clipped(shape, (140, 120))
    mask = raster.mask(shape, 120, 140)
    if clipped is None:
        assert mask.sum() < 50
        return
    x0, y0, x1, y1 = raster.bounds(clipped)
    assert x0 >= 0
    assert y0 >= 0
    assert x1 <= 140
    assert y1 <= 120
    assert iou(shape, clipped) > 0.96


def test_a_rect_stays_a_rect_and_the_rest_becomes_an_outline() -> None:
    assert outside_picture.clipped(Rect(-5, 100, 30, 30), (140, 120)) == Rect(0, 100, 25, 20)
    assert outside_picture.clipped(Rect(150, 0, 10, 10), (140, 120)) is None
    half = outside_picture.clipped(Circle(0, 60, 20), (140, 120))
    assert isinstance(half, Polygon)
    assert iou(half, Circle(0, 60, 20)) > 0.98
    parts = outside_picture.clipped(
        Polygon(((10, -20), (130, -20), (130, 30), (100, 30), (70, -10), (40, 30), (10, 30))), (140, 120)
    )
    assert isinstance(parts, MultiPolygon)  # the edge cuts the M in two
    assert len(parts.parts) == 2


@pytest.mark.parametrize(
    ("shape", "clamped"),
    [
        (Point(-3, 50), Point(0, 50)),
        (Polyline(((-3, 50), (150, 130), (20, 20))), Polyline(((0, 50), (140, 120), (20, 20)))),
        (Keypoints(((-3, 50, 2), (0, 0, 0), (20, 125, 1))), Keypoints(((0, 50, 2), (0, 0, 0), (20, 120, 1)))),
    ],
)
def test_places_beyond_an_edge_move_onto_it(shape: Shape, clamped: Shape) -> None:
    assert outside_picture.clamped(Region(shape), (140, 120)).shape == clamped


SHAPES: list[Shape] = [
    Polygon(((10, 20), (70, 25), (60, 90), (15, 80))),
    MultiPolygon(
        ((((5, 5), (60, 5), (60, 50), (5, 50)), ((20, 20), (40, 20), (40, 40))), (((80, 5), (99, 5), (99, 30)),))
    ),
    Rect(10, 20, 50, 30),
    Circle(40, 60, 25),
    Ellipse(50, 60, 35, 12, 0.4),
    Keypoints(((10, 20, 2), (0, 0, 0), (30, 90, 1))),
    Polyline(((10, 20), (30, 90))),
    Point(10, 20),
]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_labels_turn_as_their_picture_does(shape: Shape, orientation: int, tmp_path) -> None:
    """Pillow's own turning of the mask as a picture is the oracle; the stored frame is 140 x 120 px."""
    stored = raster.mask(shape, 120, 140)
    places = np.zeros((120, 140), dtype=np.uint8)
    for ring in raster.rings(shape):
        for number, (x, y) in enumerate(ring, start=1):
            places[min(int(y), 119), min(int(x), 139)] = number
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(np.dstack([stored * np.uint8(255), places, places])).save(tmp_path / "mask.png", exif=exif)
    displayed = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "mask.png")))
    height, width = displayed.shape[:2]

    turned = turning_and_scaling.turned(Region(shape), orientation, (140, 120)).shape
    assert type(turned) is type(shape)
    if raster.has_area(shape):
        ours, theirs = raster.mask(turned, height, width), displayed[:, :, 0] > 0
        assert (ours & theirs).sum() / (ours | theirs).sum() > 0.98
        assert abs(raster.area(turned, height, width) - stored.sum()) < 0.01 * stored.sum() + 3
    else:
        for number, ring in enumerate(raster.rings(turned), start=1):
            for x, y in ring if len(ring) == 1 else ring[:1]:
                # A place is a corner of the pixel that was marked, whichever way the picture was turned.
                around = displayed[max(int(y) - 1, 0) : int(y) + 1, max(int(x) - 1, 0) : int(x) + 1, 1]
                assert (around == (1 if len(ring) == 1 else number)).any()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_mask_turns_to_the_pixel(orientation: int, tmp_path) -> None:
    pixels = np.random.default_rng(0).random((12, 17)) < 0.5
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(pixels * np.uint8(255)).save(tmp_path / "mask.png", exif=exif)
    displayed = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "mask.png"))) > 0
    turned = turning_and_scaling.turned(Region(raster.from_mask(pixels)), orientation, (17, 12)).shape
    assert isinstance(turned, RLE)
    assert (raster.mask(turned, *turned.size) == displayed).all()


def test_an_axis_parallel_outline_turns_exactly() -> None:
    rect = turning_and_scaling.turned(Region(Rect(10, 20, 50, 30)), 6, (140, 120)).shape
    # A quarter clockwise: (x, y) goes to (120 - y, x).
    assert rect == Rect(70, 10, 30, 50)
    assert turning_and_scaling.turned(Region(Polygon(((0, 0), (140, 0), (140, 120)))), 8, (140, 120)).shape == Polygon(
        ((0, 140), (0, 0), (120, 0))
    )


def test_labels_grow_with_their_picture() -> None:
    region = Region(Polygon(((10, 20), (30, 20), (30, 40))), keypoints=Keypoints(((10, 20, 2), (0, 0, 0))))
    grown = turning_and_scaling.scaled(region, (2.0, 3.0), (280, 360))
    assert grown.shape == Polygon(((20, 60), (60, 60), (60, 120)))
    assert grown.keypoints == Keypoints(((20, 60, 2), (0, 0, 0)))
    pixels = np.zeros((12, 14), dtype=bool)
    pixels[3:6, 4:9] = True
    mask = turning_and_scaling.scaled(Region(raster.from_mask(pixels)), (2.0, 3.0), (28, 36)).shape
    assert (raster.mask(mask, 36, 28) == np.repeat(np.repeat(pixels, 3, axis=0), 2, axis=1)).all()


def test_what_a_file_said_about_the_old_shape_goes() -> None:
    region = Region(Rect(10, 20, 50, 30), extras={"coco": {"id": 7}})
    assert turning_and_scaling.turned(region, 1, (140, 120)) == region
    assert turning_and_scaling.turned(region, 3, (140, 120)).extras == {}
    pointed = replace(region, keypoints=Keypoints(((1, 2, 2),)))
    assert shape_repairs.with_shape(pointed, pointed.shape, Keypoints(((1, 3, 2),))).extras == {}
