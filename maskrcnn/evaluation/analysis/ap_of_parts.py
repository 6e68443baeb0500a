"""The AP of each class and of each size of objects, with how many objects it stands on and its 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maskrcnn.evaluation.bootstrap import MEASURED_COVERAGE, PictureSamples, ap_interval
from maskrcnn.evaluation.coco_matches import CocoMatches
from maskrcnn.evaluation.detection_evidence import Ranking
from maskrcnn.evaluation.measured_set import MeasuredSet
from maskrcnn.evaluation.measures import IouType
from maskrcnn.evaluation.ranking_ap import Progress, ap_from_rankings

FEWEST_PICTURES = min(MEASURED_COVERAGE)
"""A part has an interval if its objects are on at least so many pictures: for fewer, nobody has measured how often
intervals hold the truth."""


@dataclass(frozen=True)
class PartAp:
    """The AP of a part of the objects: of a class, or of a size ("small", "medium", "large").

    `objects` are those that count, on `pictures` pictures. `ap` is None without objects, `interval` [low, high] is None
    if the objects are on fewer than `FEWEST_PICTURES`, or there are no resamples.
    """

    name: str
    objects: int
    pictures: int
    ap: float | None
    interval: tuple[float, float] | None = None


def ap_of_classes(
    measured: MeasuredSet, kind: IouType, resamples: int = 0, seed: int = 0, progress: Progress | None = None
) -> tuple[PartAp, ...]:
    """The AP of each class in one measure, in the order of the classes.

    `progress(done, total)` is called after each class. The APs are COCO's, as in `Report.per_class`.

    >>> from maskrcnn.evaluation import measure
    >>> truth = {
    ...     "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 100}],
    ...     "categories": [{"id": 1, "name": "cell"}, {"id": 2, "name": "dust"}],
    ...     "annotations": [
    ...         {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "area": 400, "iscrowd": 0}
    ...     ],
    ... }
    >>> found = [{"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "score": 0.9}]
    >>> cell, dust = ap_of_classes(measure(truth, found, ["box"]), "bbox")
    >>> (cell.name, cell.objects, round(cell.ap, 3)), (dust.name, dust.objects, dust.ap)
    (('cell', 1, 1.0), ('dust', 0, None))
    """
    coco = measured.coco(kind)
    ap = coco.class_figures["AP"]
    samples = PictureSamples.draw(coco.pictures, resamples, seed) if resamples else None
    parts = []
    for place, name in enumerate(measured.names):
        own = _ranking(coco, name, place, size=0)
        parts.append(_part(name, [own], ap[place], samples))
        if progress is not None:
            progress(place + 1, len(measured.names))
    return tuple(parts)


def ap_of_sizes(
    measured: MeasuredSet, kind: IouType, resamples: int = 0, seed: int = 0, progress: Progress | None = None
) -> tuple[PartAp, ...]:
    """The AP of each size of objects in one measure: COCO's APs, APm and APl (keypoints have no "small").

    An object of exactly 32^2 or 96^2 pixels counts in two sizes, as in COCO. `progress(done, total)` is called after
    each size.
    """
    coco = measured.coco(kind)
    summary = coco.summary()
    samples = PictureSamples.draw(coco.pictures, resamples, seed) if resamples else None
    parts = []
    for size, name in enumerate(coco.sizes):
        if not size:
            continue  # "all"
        rankings = [_ranking(coco, label, place, size) for place, label in enumerate(measured.names)]
        ap = summary[f"AP{name[0]}"]
        parts.append(_part(name, rankings, np.nan if ap is None else ap, samples))
        if progress is not None:
            progress(size, len(coco.sizes) - 1)
    return tuple(parts)


def _ranking(coco: CocoMatches, name: str, category: int, size: int) -> Ranking:
    """The ranking of one class in one range of sizes (a place in `CocoMatches.sizes`), as in `class_rankings`.

    Detections that count neither way at any threshold are left out: most of those of other sizes.
    """
    counts_somewhere = ~coco.ignored[:, :, size].all(axis=1)
    mine = np.flatnonzero((coco.detections.category[coco.detection] == category) & counts_somewhere)
    picture = coco.detections.picture[coco.detection[mine]]
    score = coco.detections.score[coco.detection[mine]]
    order = np.lexsort((coco.picture_order[picture], -score))
    counts = coco.counted[:, size] & (coco.objects.category == category)
    objects = np.bincount(coco.objects.picture[counts], minlength=coco.pictures)
    rows = mine[order]
    return Ranking(name, objects, picture[order], coco.found[rows, :, size], coco.ignored[rows, :, size])


def _part(name: str, rankings: Sequence[Ranking], ap: float, samples: PictureSamples | None) -> PartAp:
    """The AP of a part from the rankings of its classes, with its interval if there are enough pictures."""
    by_picture = np.sum([ranking.objects for ranking in rankings], axis=0)
    pictures = int(np.count_nonzero(by_picture))
    interval = None
    if samples is not None and pictures >= FEWEST_PICTURES:
        interval = ap_interval(samples.figures(ap_from_rankings(rankings, samples.times))["AP"])
    return PartAp(
        name,
        int(np.sum(by_picture)),
        pictures,
        None if np.isnan(ap) else float(ap),
        None if interval is None else (interval[0], interval[1]),
    )
