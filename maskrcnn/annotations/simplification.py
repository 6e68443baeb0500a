"""Simplification of outlines: fewer vertices, as close to the original as wanted.

The vertices that remain keep their exact coordinates (Douglas-Peucker). Outlines do not cross afterwards, and every
part and every hole remains, with at least three vertices. IoU is that of the exact areas, not of pixels.

Functions raise `StudioError` for shapes without an area.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import shapely
from shapely.geometry.base import BaseGeometry

from maskrcnn.annotations import raster
from maskrcnn.annotations.boolean_operations import NEGLIGIBLE_AREA, area_of, repaired, shape_of
from maskrcnn.annotations.regions import Shape

_FINEST = 0.01
"""Smallest tolerance that a search tries, in px."""

_STEPS = 14
"""Steps of a search for a tolerance. After them the tolerance is right to a thousandth of itself."""


@dataclass(frozen=True)
class Simplification:
    """A simplified shape, the number of its vertices, its IoU to the original, and the tolerance that was used (px)."""

    shape: Shape
    vertices: int
    iou: float
    tolerance: float


def vertex_count(shape: Shape) -> int:
    """Return the number of vertices of all outlines of a shape; for a mask, of the outlines along its pixels.

    >>> from maskrcnn.annotations.regions import Rect
    >>> vertex_count(Rect(0, 0, 2, 2))
    4
    """
    return sum(len(ring) for ring in raster.rings(shape))


def simplified(shape: Shape, tolerance: float) -> Simplification:
    """Return a shape whose outlines are at most `tolerance` px from the original vertices.

    >>> from maskrcnn.annotations.regions import Circle
    >>> result = simplified(Circle(50, 50, 20), tolerance=1.0)
    >>> result.vertices < 24, result.iou > 0.9
    (True, True)
    """
    return _Original(shape).simplified(tolerance).result()


def simplified_to_vertices(shape: Shape, most: int, least_iou: float = 0.0) -> Simplification:
    """Return the closest shape with at most `most` vertices, but with as many as an IoU of `least_iou` needs.

    >>> from maskrcnn.annotations.regions import Circle
    >>> simplified_to_vertices(Circle(50, 50, 20), most=12).vertices <= 12
    True
    >>> simplified_to_vertices(Circle(50, 50, 20), most=3, least_iou=0.95).iou >= 0.95
    True
    """
    original = _Original(shape)
    result = original.finest_with(lambda found: found.vertices <= most)
    if result.iou < least_iou:
        result = original.coarsest_with(lambda found: found.iou >= least_iou)
    return result.result()


def simplified_to_iou(shape: Shape, least_iou: float) -> Simplification:
    """Return the shape with the fewest vertices whose IoU to the original is at least `least_iou`.

    >>> from maskrcnn.annotations.regions import Circle
    >>> result = simplified_to_iou(Circle(50, 50, 20), 0.95)
    >>> result.iou >= 0.95, result.vertices < 20
    (True, True)
    """
    return _Original(shape).coarsest_with(lambda found: found.iou >= least_iou).result()


@dataclass
class _Candidate:
    """A simplified area that a search looks at. What it does not ask for is not computed: most steps of a search need
    only the number of vertices.

    `whole` is the area of the original. `unchanged` is set for the original itself, as it was drawn.
    """

    area: BaseGeometry
    whole: BaseGeometry
    tolerance: float
    unchanged: Shape | None = None

    @cached_property
    def shape(self) -> Shape | None:
        """The shape; None if nothing is left of the area."""
        return shape_of(self.area) if self.unchanged is None else self.unchanged

    @cached_property
    def vertices(self) -> int:
        """The number of vertices of the shape; 0 if there is none."""
        rings = shapely.get_rings(self.area)
        areas = shapely.area(shapely.polygons(rings)) if len(rings) else [0.0]
        if self.unchanged is None and min(areas) > NEGLIGIBLE_AREA:  # `shape_of` leaves out no ring
            return int(shapely.get_num_coordinates(rings).sum()) - len(rings)
        return 0 if self.shape is None else vertex_count(self.shape)

    @cached_property
    def iou(self) -> float:
        """The IoU of the area to the original."""
        if self.unchanged is not None:
            return 1.0
        common = self.area.intersection(self.whole).area
        return min(1.0, common / (self.area.area + self.whole.area - common))

    def result(self) -> Simplification:
        """All that is known of the candidate."""
        assert self.shape is not None
        return Simplification(self.shape, self.vertices, self.iou, self.tolerance)


class _Original:
    """A shape that is simplified with one or several tolerances."""

    def __init__(self, shape: Shape) -> None:
        outlines = repaired(shape)
        self._area = area_of(outlines)
        self._unchanged = _Candidate(self._area, self._area, 0.0, outlines)
        x0, y0, x1, y1 = self._area.bounds
        self._coarsest = max(x1 - x0, y1 - y0, 2 * _FINEST)

    def simplified(self, tolerance: float) -> _Candidate:
        """Return the shape simplified with a tolerance. It is halved while outlines would cross."""
        while tolerance >= _FINEST:
            area = self._area.simplify(tolerance, preserve_topology=True)
            found = _Candidate(area, self._area, tolerance)
            if area.is_valid and found.vertices:
                return found if found.vertices < self._unchanged.vertices else self._unchanged
            tolerance /= 2
        return self._unchanged

    def finest_with(self, condition: Callable[[_Candidate], bool]) -> _Candidate:
        """Return the result of the smallest tolerance that meets a condition; if none does, of the largest one."""
        if condition(self._unchanged):
            return self._unchanged
        low, high = _FINEST, self._coarsest
        best = self.simplified(high)
        for _ in range(_STEPS):
            middle = (low * high) ** 0.5
            result = self.simplified(middle)
            if condition(result):
                best, high = result, middle
            else:
                low = middle
        return best

    def coarsest_with(self, condition: Callable[[_Candidate], bool]) -> _Candidate:
        """Return the result of the largest tolerance that meets a condition, which the original meets."""
        low, high = _FINEST, self._coarsest
        best = self.simplified(high)
        if condition(best):
            return best
        best = self._unchanged
        for _ in range(_STEPS):
            middle = (low * high) ** 0.5
            result = self.simplified(middle)
            if condition(result):
                best, low = result, middle
            else:
                high = middle
        return best
