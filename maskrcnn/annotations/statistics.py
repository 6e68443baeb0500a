"""What a dataset holds, in numbers: objects of each class and picture, how large, which shape, where in the picture.

An object is a region that is learned from (`learned.why_not`); the others are counted by reason. Areas are those of
the rasterised masks, so what is counted here is what training sees: the part inside the picture, in pixels of the
picture's own size. That costs about 0.1 ms for a region; 100,000 regions take some seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from maskrcnn.annotations import raster
from maskrcnn.annotations.learnable_objects import REASONS, Reason, size_of, why_not
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import (
    RLE,
    Circle,
    Dataset,
    Ellipse,
    ImageRecord,
    MultiPolygon,
    Points,
    Polygon,
    Rect,
    Shape,
    classes_in,
)

SPLITS: tuple[Literal["train", "val"], ...] = ("train", "val")
SIZES = ("small", "medium", "large")
SIZE_BOUNDS = (32.0**2, 96.0**2)
"""COCO's bounds of the three size classes in px²: small is below the first one, large from the second one on."""

GRID = 32
"""Cells across and down of the coverage map."""
_FINER = 2  # each cell is looked at in 2 x 2 places


class ClassRow(NamedTuple):
    """The numbers of one class (None: what has none). `left` are its regions that are not learned from. `median_area`
    (px²) and `median_aspect` are NaN where no object of it could be measured."""

    name: str | None
    pictures: int
    objects: int
    small: int
    medium: int
    large: int
    left: int
    median_area: float
    median_aspect: float


@dataclass(frozen=True, eq=False)
class Statistics:
    """Small arrays about P pictures, their N objects and M other regions, in the order of the dataset.

    `classes` are C names; a class index of C stands for no class. `split` (P,) int8 is the place in `SPLITS`; a picture
    without a split counts as training, as it does when it is imported. `picture` (N,) int32 is the picture of each
    object and `class_index` (N,) int32 its class. `area` (N,) float64 is in px² (NaN: in a picture of unknown size);
    `width` and `height` (N,) float64 are those of its box inside the picture. `covered` (2, C + 2, GRID, GRID) float64
    sums up, for the pictures of each split, the share of each cell that objects of a class cover; C + 1 is for any
    object at all. `left_picture`, `left_class` and `left_reason` (M,) int32 are the regions that are no objects, and
    why: the place in `learned.REASONS`.
    """

    classes: tuple[str, ...]
    split: np.ndarray
    picture: np.ndarray
    class_index: np.ndarray
    area: np.ndarray
    width: np.ndarray
    height: np.ndarray
    covered: np.ndarray
    left_picture: np.ndarray
    left_class: np.ndarray
    left_reason: np.ndarray

    @property
    def n_pictures(self) -> int:
        return len(self.split)

    @property
    def n_objects(self) -> int:
        return len(self.picture)

    @property
    def names(self) -> tuple[str | None, ...]:
        """The name of each class index; the last one is None."""
        return (*self.classes, None)

    def of(self, split: Literal["train", "val"]) -> Statistics:
        """The same for the pictures of one split."""
        kept = self.split == SPLITS.index(split)
        renumbered = np.cumsum(kept) - 1
        mine = kept[self.picture] if self.n_objects else np.zeros(0, bool)
        left = kept[self.left_picture] if len(self.left_picture) else np.zeros(0, bool)
        covered = np.zeros_like(self.covered)
        covered[SPLITS.index(split)] = self.covered[SPLITS.index(split)]
        return replace(
            self,
            split=self.split[kept],
            picture=renumbered[self.picture[mine]].astype(np.int32),
            class_index=self.class_index[mine],
            area=self.area[mine],
            width=self.width[mine],
            height=self.height[mine],
            covered=covered,
            left_picture=renumbered[self.left_picture[left]].astype(np.int32),
            left_class=self.left_class[left],
            left_reason=self.left_reason[left],
        )

    def left(self) -> dict[Reason, int]:
        """How many regions are no objects, by reason; reasons that there are none of are left out."""
        counts = np.bincount(self.left_reason, minlength=len(REASONS)).tolist()
        return {reason: number for reason, number in zip(REASONS, counts, strict=True) if number}

    def per_picture(self) -> np.ndarray:
        """(P,) int64: how many objects each picture has."""
        return np.bincount(self.picture, minlength=self.n_pictures)

    def size_class(self) -> np.ndarray:
        """(N,) int64: the place in `SIZES` of each object, -1 for one that could not be measured."""
        sized = np.searchsorted(SIZE_BOUNDS, np.nan_to_num(self.area), side="right")
        return np.where(self.area > 0, sized, -1)

    def aspect(self) -> np.ndarray:
        """(N,) float64: width / height of each object's box, NaN for one that could not be measured."""
        there = (self.area > 0) & (self.height > 0)
        return np.divide(self.width, self.height, out=np.full(self.n_objects, np.nan), where=there)

    def coverage(self, class_name: str | Literal[True] = True) -> np.ndarray:
        """(GRID, GRID) float64 in [0, 1], rows from the top: the mean over the pictures of the share of each cell that
        objects cover. For objects of one class, or of any (True). All 0 without pictures."""
        index = len(self.classes) + 1 if class_name is True else self.names.index(class_name)
        return self.covered[:, index].sum(axis=0) / max(1, self.n_pictures)

    def table(self) -> list[ClassRow]:
        """A row for each class in order, and one for regions without a class where there are any."""
        rows, sizes, aspects = [], self.size_class(), self.aspect()
        for index, name in enumerate(self.names):
            mine, left = self.class_index == index, int((self.left_class == index).sum())
            if name is None and not left:
                continue
            small, medium, large = (int((mine & (sizes == size)).sum()) for size in range(3))
            seen = mine & (sizes >= 0)
            rows.append(
                ClassRow(
                    name,
                    len(np.unique(self.picture[mine])),
                    int(mine.sum()),
                    small,
                    medium,
                    large,
                    left,
                    float(np.median(self.area[seen])) if seen.any() else float("nan"),
                    float(np.median(aspects[seen])) if seen.any() else float("nan"),
                )
            )
        return rows


def statistics(dataset: Dataset, progress: Progress | None = None) -> Statistics:
    """Count and measure every object. `progress(done, total)` is called for each picture.

    Objects of a picture whose size is not known have no area.

    >>> from maskrcnn.annotations.regions import Region
    >>> cells = (Region(Rect(0, 0, 40, 50), "cell"), Region(Rect(90, 0, 40, 10), "cell"))  # the second ends at 100
    >>> found = statistics(Dataset((ImageRecord("a.png", width=100, height=60, regions=cells),), ("cell",)))
    >>> found.area.tolist()
    [2000.0, 100.0]
    >>> [(row.name, row.objects, row.small, row.medium) for row in found.table()]
    [('cell', 2, 1, 1)]
    """
    classes = (*dataset.classes, *(name for name in classes_in(dataset.images) if name not in dataset.classes))
    place: dict[str | None, int] = {None: len(classes), **{name: index for index, name in enumerate(classes)}}
    covered = np.zeros((len(SPLITS), len(classes) + 2, GRID * _FINER, GRID * _FINER), np.int32)
    splits: list[int] = []
    pictures: list[int] = []
    indices: list[int] = []
    measures: list[tuple[float, float, float]] = []
    left: list[tuple[int, int, int]] = []
    for number, record in enumerate(dataset.images):
        splits.append(SPLITS.index(record.split or "train"))
        covers: dict[int, np.ndarray] = {}
        size = size_of(record)
        for region in record.regions:
            if reason := why_not(region, size):
                left.append((number, place[region.class_name], REASONS.index(reason)))
                continue
            pictures.append(number)
            indices.append(place[region.class_name])
            measures.append(_measure(region.shape, record))
            if measures[-1][0] > 0:
                seen = _on_grid(region.shape, record)
                for index in (indices[-1], len(classes) + 1):
                    covers[index] = covers[index] | seen if index in covers else seen
        for index, seen in covers.items():
            covered[splits[-1], index] += seen
        if progress is not None:
            progress(number + 1, len(dataset.images))
    area, width, height = np.array(measures, dtype=float).reshape(-1, 3).T
    left_picture, left_class, left_reason = np.array(left, dtype=np.int32).reshape(-1, 3).T
    return Statistics(
        classes,
        np.array(splits, dtype=np.int8),
        np.array(pictures, dtype=np.int32),
        np.array(indices, dtype=np.int32),
        area,
        width,
        height,
        covered.reshape(*covered.shape[:2], GRID, _FINER, GRID, _FINER).mean(axis=(3, 5)),
        left_picture,
        left_class,
        left_reason,
    )


def _measure(shape: Shape, record: ImageRecord) -> tuple[float, float, float]:
    """Area in px², and width and height of the box inside the picture; NaN where there is none to measure."""
    if record.width is None or record.height is None:
        return np.nan, np.nan, np.nan
    frame_height, frame_width = shape.size if isinstance(shape, RLE) else (record.height, record.width)
    x0, y0, x1, y1 = raster.bounds(shape)
    width = min(x1, frame_width) - max(x0, 0)
    height = min(y1, frame_height) - max(y0, 0)
    return raster.area(shape, frame_height, frame_width), max(width, 0), max(height, 0)


def _on_grid(shape: Shape, record: ImageRecord) -> np.ndarray:
    """bool (GRID * _FINER, GRID * _FINER): the mask, with the picture stretched to that square."""
    side = GRID * _FINER
    if isinstance(shape, RLE):
        height, width = shape.size
        rows, columns = ((np.arange(side) + 0.5) / side * size for size in (height, width))
        return raster.mask(shape, height, width)[np.ix_(rows.astype(int), columns.astype(int))]
    assert record.width is not None
    assert record.height is not None
    return raster.mask(_stretched(shape, side / record.width, side / record.height), side, side)


def _stretched(shape: Shape, across: float, down: float) -> Shape:
    """The shape in a picture stretched by these factors; curves become polygons first, as they do in the rasteriser."""

    def moved(ring: Points) -> Points:
        return tuple((x * across, y * down) for x, y in ring)

    match shape:
        case Polygon() | Rect() | Circle() | Ellipse():
            return MultiPolygon(tuple((moved(ring),) for ring in raster.polygons(shape) or ()))
        case MultiPolygon():
            return MultiPolygon(tuple(tuple(moved(ring) for ring in part) for part in shape.parts))
        case _:
            return shape
