"""The labelled objects of a training picture: boxes, outlines and keypoints, changed in the same way as the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from maskrcnn.annotations.polygon_outline import PolygonOutline


@dataclass(frozen=True)
class PictureObjects:
    """The N labelled objects of a training picture, immutable.

    `boxes (N, 4)` are float32 xyxy in pixels of the picture, `labels (N,)` int64 from 1. `outlines` has one per object
    and `keypoints (N, K, 3)` float32 x, y, visibility; each is None if it is not a task.
    """

    boxes: np.ndarray
    labels: np.ndarray
    outlines: list[PolygonOutline] | None = None
    keypoints: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.boxes)

    @property
    def nbytes(self) -> int:
        """Approximate memory in bytes: that of the vertices of the outlines."""
        return sum(ring.nbytes for outline in self.outlines or () for part in outline.parts for ring in part)

    def moved(self, scale: tuple[float, float], offset: tuple[float, float] = (0.0, 0.0)) -> PictureObjects:
        """The objects with each coordinate multiplied by `scale` plus `offset`, both (x, y). Negative scales mirror."""
        corners = self.boxes.reshape(-1, 2, 2) * as_floats(scale) + as_floats(offset)
        boxes = np.concatenate([corners.min(1), corners.max(1)], 1)
        outlines = self.outlines and [outline.moved(scale, offset) for outline in self.outlines]
        keypoints = self.keypoints
        if keypoints is not None:
            keypoints = keypoints.copy()
            keypoints[..., :2] = keypoints[..., :2] * as_floats(scale) + as_floats(offset)
        return PictureObjects(boxes, self.labels, outlines, keypoints)

    def chosen(self, which: Sequence[int] | np.ndarray) -> PictureObjects:
        """Return the objects with the given indices."""
        return PictureObjects(
            self.boxes[which],
            self.labels[which],
            None if self.outlines is None else [self.outlines[index] for index in which],
            None if self.keypoints is None else self.keypoints[which],
        )

    def under(self, others: PictureObjects) -> PictureObjects:
        """Return these objects, occluded by `others`, followed by `others`.

        All have outlines. Either both groups have keypoints, or neither.
        """
        assert self.outlines is not None  # an object without an outline cannot occlude another
        assert others.outlines is not None
        covered = [
            outline.under(
                [over for over, far in zip(others.outlines, others.disjoint_from(box), strict=True) if not far]
            )
            for outline, box in zip(self.outlines, self.boxes, strict=True)
        ]
        keypoints = self.keypoints
        if keypoints is not None and others.keypoints is not None:
            keypoints = np.concatenate([keypoints, others.keypoints])
        return PictureObjects(
            np.concatenate([self.boxes, others.boxes]),
            np.concatenate([self.labels, others.labels]),
            covered + others.outlines,
            keypoints,
        )

    def disjoint_from(self, box: np.ndarray) -> np.ndarray:
        """Whether the box of each object is disjoint from `box (4,)`: bool `(N,)`."""
        beyond: np.ndarray = np.concatenate([self.boxes[:, :2] >= box[2:], self.boxes[:, 2:] <= box[:2]], axis=1)
        return np.asarray(beyond.any(axis=1))

    def visible(self, height: int, width: int) -> PictureObjects:
        """The objects of which at least 1 x 1 pixel is visible in a picture of this size.

        Each box is shrunk to the visible part of its object: inside the picture and not occluded by other objects.
        """
        boxes = self.boxes.copy()
        edge = as_floats((width, height))
        inside = np.asarray((boxes[:, :2] >= -1e-3).all(1) & (boxes[:, 2:] <= edge + 1e-3).all(1))
        boxes = boxes.reshape(-1, 2, 2).clip(0, edge).reshape(-1, 4)
        for index, outline in enumerate(self.outlines or ()):
            if outline.hidden_by or not inside[index]:  # a part may be invisible
                boxes[index] = outline.box(height, width) or (0, 0, 0, 0)  # zeros: nothing is visible
        seen = np.flatnonzero((boxes[:, 2] - boxes[:, 0] >= 1) & (boxes[:, 3] - boxes[:, 1] >= 1))
        return replace(self.chosen(seen), boxes=boxes[seen])


def as_floats(values: tuple[float, float]) -> np.ndarray:
    """A pair (x, y) as a float32 array, to compute with coordinates of objects."""
    return np.array(values, np.float32)


def keypoint_rows(annotations: list[dict[str, Any]], count: int) -> np.ndarray:
    """The `keypoints` of `PictureObjects`, from the annotations of a picture in a training document (COCO).

    `(N, count, 3)` float32: x, y, visibility; zeros for an object without keypoints.
    """
    rows = np.zeros((len(annotations), count, 3), np.float32)
    for row, annotation in zip(rows, annotations, strict=True):
        if given := annotation.get("keypoints"):
            row[:] = np.reshape(given, (-1, 3))
    return rows


def labelled_inside(keypoints: Tensor, height: int, width: int) -> Tensor:
    """A copy of `keypoints (N, K, 3)`: each keypoint (x, y, visibility), but (0, 0, 0) if it is not labelled or outside
    the picture."""
    places = keypoints[..., :2]
    inside = (places >= 0).all(-1) & (places <= places.new_tensor([width, height])).all(-1)
    return keypoints * (inside & (keypoints[..., 2] > 0))[..., None]
