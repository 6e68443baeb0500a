"""Shapes, and regions, which are shapes with a class.

All objects are immutable; an edit makes a new object. Coordinates are continuous pixels (x to the right, y down) of the
picture as displayed, with EXIF orientation applied: the top-left pixel covers [0, 1] x [0, 1]. Vertices are kept
exactly as they were written, even if they are outside the picture or the outline crosses itself. `annotations.raster`
defines the mask of such shapes.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Points = tuple[tuple[float, float], ...]
"""Vertices (x, y) in drawing order; a closed outline does not repeat its first vertex."""

MOST_REGIONS = 20_000
"""Maximum number of regions on one picture. Label files with more are not read, pictures with more are not saved. COCO
has at most 93; an aerial picture with every tree of a forest has some thousands."""


@dataclass(frozen=True)
class Polygon:
    """One closed outline of at least three vertices."""

    points: Points


@dataclass(frozen=True)
class MultiPolygon:
    """One object in several parts; a part is its outer ring followed by the rings of its holes."""

    parts: tuple[tuple[Points, ...], ...]


@dataclass(frozen=True)
class Rect:
    """An axis-parallel rectangle from its top-left corner."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Circle:
    """A circle around (cx, cy)."""

    cx: float
    cy: float
    r: float


@dataclass(frozen=True)
class Ellipse:
    """An ellipse with half axes rx, ry, turned by theta radians (clockwise on the screen, as y points down)."""

    cx: float
    cy: float
    rx: float
    ry: float
    theta: float = 0.0


@dataclass(frozen=True)
class Polyline:
    """An open line. It has no area, so training skips it."""

    points: Points


@dataclass(frozen=True)
class Point:
    """A single point. It has no area, so training skips it."""

    cx: float
    cy: float


@dataclass(frozen=True)
class RLE:
    """A mask as COCO's compressed run-length code, for a picture of `size` (height, width)."""

    size: tuple[int, int]
    counts: str


@dataclass(frozen=True)
class Keypoints:
    """The keypoints of one object as (x, y, visibility), in the order of its class's `Skeleton`.

    Visibility is as in COCO: 0 not labelled (then x = y = 0), 1 labelled but hidden, 2 labelled and visible. A region
    with `Keypoints` as its shape has no outline and no area, so no mask is learned from it.
    """

    points: tuple[tuple[float, float, int], ...]


Shape = Polygon | MultiPolygon | Rect | Circle | Ellipse | Polyline | Point | Keypoints | RLE


@dataclass(frozen=True)
class Skeleton:
    """The keypoint names of a class, and the edges (bones) between them as pairs of indices into `names`."""

    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()


def new_id() -> str:
    """Return a new unique region id (a random UUID)."""
    return uuid.uuid4().hex


@dataclass(frozen=True)
class Region:
    """One drawn region: its shape, its class, and further data from its label file.

    - `class_name` is None if no class was given.
    - `attributes` are VIA's region attributes, unchanged, without the one that gives the class.
    - `score` is set only for regions that a model suggested.
    - `keypoints` are set for an object that has both an outline and keypoints.
    - `extras` is data about the shape that the studio does not interpret (such as COCO's id and area), by format:
      `{"coco": {...}}`. It is kept for export.

    >>> region = Region(Rect(10, 10, 20, 20), "cell")
    >>> region.with_shape(Circle(20, 20, 10)).class_name
    'cell'
    """

    shape: Shape
    class_name: str | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    iscrowd: bool = False
    source: Literal["human", "model"] = "human"
    score: float | None = None
    keypoints: Keypoints | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    id: str = field(default_factory=new_id)

    @property
    def any_keypoints(self) -> Keypoints | None:
        """The keypoints of the region: its shape or those beside its outline, even if all are unlabelled; else None."""
        return self.shape if isinstance(self.shape, Keypoints) else self.keypoints

    def with_shape(self, shape: Shape) -> Region:
        """Return the region with another shape. `extras` are removed, because they describe the old shape."""
        return self if shape == self.shape else replace(self, shape=shape, extras={})
