"""Which picture is worst: by what is wrong in it, and not by its AP."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from maskrcnn.evaluation import SetMatches

WHY = (
    "Pictures are sorted by F1 = 2 TP / (2 TP + FP + FN), among equals by the number of wrong ones (FP + FN). AP "
    "cannot sort them: it forgives false positives with scores below those of the right detections."
)

BINS = 10
"""Number of bars of a histogram of values from 0 to 1."""


def worst_first(matches: SetMatches) -> np.ndarray:
    """The pictures, worst first: lowest F1, then the most wrong ones, then the given order. (P,) int64.

    A picture without objects and detections has no F1; nothing is wrong in it, so it is the best.

    >>> from maskrcnn.evaluation import measure
    >>> truth = {
    ...     "images": [{"id": n, "file_name": f"{n}.png", "width": 9, "height": 9} for n in (1, 2)],
    ...     "categories": [{"id": 1, "name": "cell"}],
    ...     "annotations": [{"id": 1, "image_id": 2, "category_id": 1, "bbox": [1, 1, 4, 4], "area": 16}],
    ... }
    >>> worst_first(measure(truth, [], tasks=["box"]).match()).tolist()  # its only object is missed
    [1, 0]
    """
    f1 = np.where(np.isnan(matches.f1), np.inf, matches.f1)
    return np.lexsort((np.arange(len(f1)), -(matches.fp + matches.fn), f1))


def histogram_bin(value: float) -> int:
    """The bar of a value from 0 to 1; 1 belongs to the last one.

    >>> [histogram_bin(value) for value in (0, 0.3, 0.999, 1)]
    [0, 3, 9, 9]
    """
    return min(BINS - 1, int(value * BINS + 1e-9))


def numbers_or_none(values: np.ndarray, decimals: int = 4) -> list[float | None]:
    """Numbers as a list for JSON, rounded, None for NaN."""
    return [None if np.isnan(value) else round(value, decimals) for value in values.tolist()]


def median_place(order: Sequence[int]) -> int:
    """The picture in the middle of an order; of two, the worse one. `order` has at least one.

    >>> median_place([7, 8, 9]), median_place([7, 8])
    (8, 7)
    """
    return order[(len(order) - 1) // 2]
