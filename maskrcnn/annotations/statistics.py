"""Statistics of a dataset: number, size, aspect ratio and position of the objects of each class.

An object is a region that training uses (`learnable_objects.why_not`); other regions are counted by reason. Areas are
those of the rasterised masks, as in training: only the part inside the picture, in pixels of the original size. This
takes about 0.1 ms for a region; 100,000 regions take some seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from maskrcnn.annotations import raster
from maskrcnn.annotations.dataset import SPLITS, Dataset, ImageRecord, Split, classes_in
from maskrcnn.annotations.learnable_objects import REASONS, Reason, why_not
from maskrcnn.annotations.progress_callback import Progress
from maskrcnn.annotations.regions import RLE, Circle, Ellipse, MultiPolygon, Points, Polygon, Rect, Shape

SIZES = ("small", "medium", "large")
SIZE_BOUNDS = (32.0**2, 96.0**2)
"""COCO's bounds of the three size classes in px²: small is below the first one, large from the second one on."""

GRID = 32
"""Cells across and down of the coverage map."""
_FINER = 2  # samples per side of each cell


class ClassRow(NamedTuple):
    """The numbers of one class (name None: regions without a class).

    `left` is the number of its regions that training does not use. `median_area` (px²) and `median_aspect` are NaN if
    no object could be measured.
    """

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
    """Arrays about P pictures, their N objects and M other regions, in the order of the dataset.

    - `classes`: C class names. Class index C means "no class".
    - `split` (P,) int8: index into `SPLITS`. A picture without a split counts as training, as in an import.
    - `picture` (N,) int32: index of the picture of each object.
    - `class_index` (N,) int32: class of each object.
    - `area` (N,) float64: area in px²; NaN if the size of the picture is unknown.
    - `width`, `height` (N,) float64: size in px of the bounding box inside the picture.
    - `covered` (2, C + 2, GRID, GRID) float64: for each split and class, the covered share of each cell, summed over
      the pictures. Index C + 1 is for objects of any class.
    - `left_picture`, `left_class`, `left_reason` (M,) int32: picture, class and reason (index into
      `learnable_objects.REASONS`) of each region that is not an object.
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
        """The number of pictures P."""
        return len(self.split)

    @property
    def n_objects(self) -> int:
        """The number of objects N."""
        return len(self.picture)

    @property
    def names(self) -> tuple[str | None, ...]:
        """The name of each class index; the last one is None."""
        return (*self.classes, None)

    def of(self, split: Split) -> Statistics:
        """Return the statistics of the pictures of one split only."""
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
        """Count the regions that are not objects, by reason. Reasons with a count of 0 are left out."""
        counts = np.bincount(self.left_reason, minlength=len(REASONS)).tolist()
        return {reason: number for reason, number in zip(REASONS, counts, strict=True) if number}

    def per_picture(self) -> np.ndarray:
        """Return the number of objects of each picture, (P,) int64."""
        return np.bincount(self.picture, minlength=self.n_pictures)

    def size_class(self) -> np.ndarray:
        """Return the index into `SIZES` of each object, (N,) int64; -1 if it could not be measured."""
        sized = np.searchsorted(SIZE_BOUNDS, np.nan_to_num(self.area), side="right")
        return np.where(self.area > 0, sized, -1)

    def aspect(self) -> np.ndarray:
        """Return the aspect ratio (width / height of the box) of each object, (N,) float64; NaN if not measured."""
        there = (self.area > 0) & (self.height > 0)
        return np.divide(self.width, self.height, out=np.full(self.n_objects, np.nan), where=there)

    def coverage(self, class_name: str | Literal[True] = True) -> np.ndarray:
        """Return the covered share of each cell, averaged over the pictures: (GRID, GRID) float64 in [0, 1].

        Rows go from top to bottom. `class_name` True: objects of any class. All 0 if there are no pictures.
        """
        index = _index_of_any_class(self.classes) if class_name is True else self.names.index(class_name)
        return self.covered[:, index].sum(axis=0) / max(1, self.n_pictures)

    def table(self) -> list[ClassRow]:
        """Return one row for each class, and a last row for regions without a class if there are any."""
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


def _index_of_any_class(classes: tuple[str, ...]) -> int:
    """Return the index in `Statistics.covered` for objects of any class: after all classes and "no class"."""
    return len(classes) + 1


def statistics(dataset: Dataset, progress: Progress | None = None) -> Statistics:
    """Compute the statistics of a dataset. `progress(done, total)` is called after each picture.

    Objects on a picture of unknown size have area NaN.

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
        covered_here: dict[int, np.ndarray] = {}  # {class index: samples of the grid that its objects cover}
        size = record.size
        for region in record.regions:
            if reason := why_not(region, size):
                left.append((number, place[region.class_name], REASONS.index(reason)))
                continue
            pictures.append(number)
            indices.append(place[region.class_name])
            measures.append(_measure_object(region.shape, record))
            if measures[-1][0] > 0:
                seen = _object_on_grid(region.shape, record)
                for index in (indices[-1], _index_of_any_class(classes)):
                    covered_here[index] = covered_here[index] | seen if index in covered_here else seen
        for index, seen in covered_here.items():
            covered[splits[-1], index] += seen
        if progress is not None:
            progress(number + 1, len(dataset.images))
    area, width, height = np.array(measures, dtype=float).reshape(-1, 3).T
    cells = covered.reshape(*covered.shape[:2], GRID, _FINER, GRID, _FINER)
    covered_share = cells.mean(axis=(3, 5))  # over the samples of each cell
    left_picture, left_class, left_reason = np.array(left, dtype=np.int32).reshape(-1, 3).T
    return Statistics(
        classes,
        np.array(splits, dtype=np.int8),
        np.array(pictures, dtype=np.int32),
        np.array(indices, dtype=np.int32),
        area,
        width,
        height,
        covered_share,
        left_picture,
        left_class,
        left_reason,
    )


def _measure_object(shape: Shape, record: ImageRecord) -> tuple[float, float, float]:
    """Return area (px²), and width and height (px) of the box inside the picture; NaN if the size is unknown."""
    if record.size is None:
        return np.nan, np.nan, np.nan
    frame_height, frame_width = shape.size if isinstance(shape, RLE) else record.size[::-1]
    x0, y0, x1, y1 = raster.bounds(shape)
    width = min(x1, frame_width) - max(x0, 0)
    height = min(y1, frame_height) - max(y0, 0)
    return raster.area(shape, frame_height, frame_width), max(width, 0), max(height, 0)


def _object_on_grid(shape: Shape, record: ImageRecord) -> np.ndarray:
    """Rasterise a shape on the grid, with the picture stretched to a square: bool (GRID * _FINER, GRID * _FINER)."""
    side = GRID * _FINER
    if isinstance(shape, RLE):
        height, width = shape.size
        rows, columns = ((np.arange(side) + 0.5) / side * size for size in (height, width))
        return raster.mask(shape, height, width)[np.ix_(rows.astype(int), columns.astype(int))]
    assert record.width is not None
    assert record.height is not None
    return raster.mask(_stretched_to_grid(shape, side / record.width, side / record.height), side, side)


def _stretched_to_grid(shape: Shape, across: float, down: float) -> Shape:
    """Scale a shape to the grid of the coverage map by the factors `across` (x) and `down` (y)."""

    def moved(ring: Points) -> Points:
        return tuple((x * across, y * down) for x, y in ring)

    match shape:
        case Polygon() | Rect() | Circle() | Ellipse():
            return MultiPolygon(tuple((moved(ring),) for ring in raster.polygons(shape) or ()))
        case MultiPolygon():
            return MultiPolygon(tuple(tuple(moved(ring) for ring in part) for part in shape.parts))
        case _:
            return shape
