"""Random shapes of all kinds, and their areas as shapely alone reads them."""

from __future__ import annotations

import math

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from maskrcnn.annotations import raster
from maskrcnn.annotations.regions import Circle, Ellipse, MultiPolygon, Points, Polygon, Rect, Shape

SIDE = 200


def star(rng: np.random.Generator, centre: tuple[float, float], radius: float) -> Points:
    """A closed outline around a centre; with less than 25 vertices, half of the time with two decimals."""
    angles = np.sort(rng.uniform(0, 2 * math.pi, int(rng.integers(5, 25))))
    radii = rng.uniform(0.4, 1, len(angles)) * radius
    points = np.stack([centre[0] + radii * np.cos(angles), centre[1] + radii * np.sin(angles)], axis=1)
    return tuple(map(tuple, (np.round(points, 2) if rng.random() < 0.5 else points).tolist()))


def random_shape(rng: np.random.Generator) -> Shape:
    """A shape with an area: an outline, one that crosses itself, parts with holes, a rect, circle, ellipse or mask."""
    x, y = rng.uniform(60, 140, 2).tolist()
    match int(rng.integers(0, 7)):
        case 0:
            return Rect(x - 30, y - 20, *rng.uniform(10, 60, 2).tolist())
        case 1:
            return Circle(x, y, float(rng.uniform(10, 50)))
        case 2:
            return Ellipse(x, y, *rng.uniform(10, 50, 2).tolist(), float(rng.uniform(0, 3)))
        case 3:
            return Polygon(tuple(map(tuple, rng.uniform(20, 180, (int(rng.integers(4, 12)), 2)).tolist())))
        case 4:
            ring = star(rng, (60, 60), 40)
            hole = tuple((60 + (px - 60) * 0.3, 60 + (py - 60) * 0.3) for px, py in ring)
            return MultiPolygon(((ring, hole), (star(rng, (140, 140), 40),)))
        case 5:
            columns, rows = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
            blob = np.hypot(columns - x, rows - y) < rng.uniform(10, 50)
            return raster.from_mask(blob & ~(np.hypot(columns - x, rows - y) < 5))
        case _:
            return Polygon(star(rng, (x, y), 60))


def area_by_shapely(shape: Shape) -> BaseGeometry:
    """The area of a shape by the even-odd rule, with none of the studio's geometry."""
    if isinstance(shape, MultiPolygon):
        parts = [[shapely.make_valid(shapely.Polygon(ring)) for ring in part] for part in shape.parts]
        return shapely.union_all([outer.difference(shapely.union_all(holes)) for outer, *holes in parts])
    whole = shapely.Polygon()
    for ring in raster.rings(shape):
        whole = whole.symmetric_difference(shapely.make_valid(shapely.Polygon(ring)))
    return whole
