"""What a person drew: shapes, regions, pictures and the dataset that holds them.

Everything here is immutable; an edit makes a new object. Coordinates are continuous pixels (x to the right, y down) of
the picture as displayed, EXIF orientation applied: the top-left pixel covers [0, 1] x [0, 1]. Vertices are kept exactly
as they were written, also where they lie outside the picture or where the outline crosses itself; what that means for a
mask is decided in one place, `annotations.raster`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

Points = tuple[tuple[float, float], ...]
"""Vertices (x, y) in drawing order; a closed outline does not repeat its first vertex."""

MOST_REGIONS = 20_000
"""Regions on one picture; beyond this neither a label file is read nor a picture saved. COCO's fullest has 93, and an
aerial picture with every tree of a forest has some thousands."""


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
    """An open line; it has no area, so training passes over it."""

    points: Points


@dataclass(frozen=True)
class Point:
    """A single place; it has no area, so training passes over it."""

    cx: float
    cy: float


@dataclass(frozen=True)
class RLE:
    """A mask as COCO's compressed run-length code, for a picture of `size` (height, width)."""

    size: tuple[int, int]
    counts: str


@dataclass(frozen=True)
class Keypoints:
    """Named places of one object as (x, y, visibility), in the order of its class's `Skeleton`.

    Visibility is COCO's: 0 not labelled (x and y are then 0), 1 labelled but hidden, 2 labelled and visible. As a
    region's shape it says that only the keypoints were drawn; it has no area, so masks are not learned from it.
    """

    points: tuple[tuple[float, float, int], ...]


Shape = Polygon | MultiPolygon | Rect | Circle | Ellipse | Polyline | Point | Keypoints | RLE


@dataclass(frozen=True)
class Skeleton:
    """The names of a class's keypoints and the bones between them, as pairs of places in `names` from 0."""

    names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...] = ()


def new_id() -> str:
    """A fresh region id, unique without a counter."""
    return uuid.uuid4().hex


@dataclass(frozen=True)
class Region:
    """One drawn object: its shape, its class and whatever else its file said about it.

    `attributes` are VIA's region attributes, whole and unchanged, without the one that names the class;
    `class_name` is None where no class was given. `score` is set only for regions that a model suggested. `keypoints`
    are those of an object that also has an outline. `extras` is what its label file said about the drawn shape and the
    studio does not interpret (COCO's id and area, say), by format: `{"coco": {...}}`, kept to be written back.

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

    def with_shape(self, shape: Shape) -> Region:
        """The same object drawn differently: what a file said about its old shape no longer holds, and goes."""
        return self if shape == self.shape else replace(self, shape=shape, extras={})


@dataclass(frozen=True)
class ImageRecord:
    """One picture and the regions on it.

    `path` is where the picture was found (None: nowhere); `width` and `height` are those of the displayed frame and
    None until somebody looked. `file_size` is what the label file said (None or -1: unknown). `attributes` are VIA's
    file attributes. `split` is set where the source has splits (a project, a YOLO folder). `extras` is what the source
    said beyond that, by format, as in `Region`; a project puts `{"project": {"id", "revision"}}` there.
    """

    file_name: str
    regions: tuple[Region, ...] = ()
    path: Path | None = None
    width: int | None = None
    height: int | None = None
    file_size: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    split: Literal["train", "val"] | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """Pictures with regions, and the classes in use.

    `class_attribute` is the VIA region attribute that named the class (None: none did, and every region is of one
    class). `extras` are the parts of a label file that the studio does not interpret (VIA settings, attribute
    definitions, COCO info), kept to be written back. `skeletons` are those of the classes that have keypoints.
    `warnings` are lines about what the source holds and the reader left out, or names and is not there; they are for a
    person to read and no part of the data, so two datasets can be equal and differ in them.
    """

    images: Sequence[ImageRecord]
    classes: tuple[str, ...] = ()
    class_attribute: str | None = None
    source: Path | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    skeletons: Mapping[str, Skeleton] = field(default_factory=dict)
    warnings: tuple[str, ...] = field(default=(), compare=False)

    @property
    def n_regions(self) -> int:
        return sum(len(image.regions) for image in self.images)


def classes_in(images: Iterable[ImageRecord]) -> tuple[str, ...]:
    """The class names that the regions use, sorted.

    >>> classes_in([ImageRecord("a.png", regions=(Region(Rect(0, 0, 2, 2), "nut"), Region(Rect(4, 4, 2, 2), "bolt")))])
    ('bolt', 'nut')
    """
    return tuple(sorted({region.class_name for image in images for region in image.regions if region.class_name}))
