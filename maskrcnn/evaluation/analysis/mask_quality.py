"""How well found objects are outlined, and how well they are counted: what AP mixes with whether they are found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.measures import SIZES
from maskrcnn.evaluation.set_matches import FN, FP, TP, SetMatches


@dataclass(frozen=True)
class Quality:
    """The overlap of H matched detections with their objects.

    `iou` (H,) float64 is that by which they were matched: of masks, or of boxes if there are no masks. `detection` and
    `object` (H,) int64 are their indices; so `boundary_ious(...)[quality.detection]` are their boundary IoUs. See
    `by_class` and `by_size`.
    """

    iou: np.ndarray
    detection: np.ndarray
    object: np.ndarray


@dataclass(frozen=True)
class Spread:
    """A distribution: how many values, their mean, and the values that a tenth, a half and nine tenths are below.

    All but `count` are None without values.
    """

    count: int
    mean: float | None
    tenth: float | None
    median: float | None
    nine_tenths: float | None

    @classmethod
    def of(cls, values: np.ndarray) -> Spread:
        """The distribution of the values that are not NaN.

        >>> Spread.of(np.array([0.5, 0.7, 0.9, np.nan])).median
        0.7
        """
        defined = values[~np.isnan(values)]
        if not len(defined):
            return cls(0, None, None, None, None)
        tenth, median, nine_tenths = np.quantile(defined, (0.1, 0.5, 0.9)).tolist()
        return cls(len(defined), float(defined.mean()), tenth, median, nine_tenths)


@dataclass(frozen=True)
class CountError:
    """The error of the number of detections as a count of the objects of a picture.

    `mean_absolute` is the mean over pictures of |detections - objects|, `bias` that of detections - objects: above 0 if
    the detector counts too many. `exact` is the fraction of pictures that are counted right. None without pictures.
    """

    mean_absolute: float | None
    bias: float | None
    exact: float | None


def mask_quality(matches: SetMatches) -> Quality:
    """The overlaps of all true positives of `matches`, in the order of the detections."""
    hits = np.flatnonzero(matches.detection_status == TP)
    return Quality(matches.detection_iou[hits], hits, matches.detection_partner[hits])


def by_class(measured: MeasuredSet, quality: Quality, values: np.ndarray) -> dict[str, Spread]:
    """The distribution of `values` (H,), such as `quality.iou`, for the objects of each class, by its name."""
    category = measured.objects.category[quality.object]
    return {name: Spread.of(values[category == place]) for place, name in enumerate(measured.names)}


def by_size(measured: MeasuredSet, quality: Quality, values: np.ndarray) -> dict[str, Spread]:
    """The distribution of `values` (H,) for the objects of each of COCO's size ranges; limits belong to both."""
    area = measured.objects.area[quality.object]
    return {
        name: Spread.of(values[(least <= area) & (area <= most)])
        for name, (least, most) in SIZES.items()
        if name != "all"
    }


def count_error(errors: np.ndarray) -> CountError:
    """The error of counting, from detections minus objects of each picture (P,), such as `SetMatches.count_error`.

    Example: two too many in one picture, one too few in another, and a third that is right.

    >>> count_error(np.array([2, -1, 0]))
    CountError(mean_absolute=1.0, bias=0.3333333333333333, exact=0.3333333333333333)
    """
    if not len(errors):
        return CountError(None, None, None)
    return CountError(float(np.abs(errors).mean()), float(errors.mean()), float((errors == 0).mean()))


def count_errors_by_class(measured: MeasuredSet, matches: SetMatches) -> dict[str, CountError]:
    """The error of counting the objects of each class, by its name, over all pictures."""
    classes, pictures = len(measured.categories), len(measured.pictures)
    counts = np.zeros((classes, pictures), dtype=np.int64)
    wrong, unfound = matches.detection_status == FP, matches.object_status == FN
    np.add.at(counts, (measured.detections.category[wrong], measured.detections.picture[wrong]), 1)
    np.subtract.at(counts, (measured.objects.category[unfound], measured.objects.picture[unfound]), 1)
    return {name: count_error(counts[place]) for place, name in enumerate(measured.names)}
