"""What became of every detection and every object of a set at one score and one IoU threshold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from maskrcnn.evaluation.columns import Detections, Objects, Pairs

TP, FP, FN, IGNORED, BELOW = 1, 2, 3, 4, 0
"""Status of a detection (TP, FP, IGNORED: it lies on a crowd, BELOW: its score is too low) or an object (TP, FN,
IGNORED: a crowd)."""


@dataclass(frozen=True)
class SetMatches:
    """The matches of a set at `min_score` and `iou`; `evaluation.match_image` gives the same for one picture.

    `detection_status` (D,) and `object_status` (G,) int8 are constants of this module. `detection_partner` (D,) and
    `object_partner` (G,) int64 are indices of the other one, -1 for none; for an ignored detection it is the crowd.
    `detection_iou` (D,) float64 is the IoU with the partner, else the best with an object of its class (no crowd);
    `object_iou` (G,) is that with the partner, else the best with a detection of its class of at least `min_score`.
    """

    objects: Objects
    detections: Detections
    pictures: int
    min_score: float
    iou: float
    detection_status: np.ndarray
    detection_partner: np.ndarray
    detection_iou: np.ndarray
    object_status: np.ndarray
    object_partner: np.ndarray
    object_iou: np.ndarray

    @cached_property
    def tp(self) -> np.ndarray:
        """Number of true positives of each picture: (P,) int64."""
        return self._by_picture(self.detections.picture, self.detection_status == TP)

    @cached_property
    def fp(self) -> np.ndarray:
        """Number of false positives of each picture: (P,) int64."""
        return self._by_picture(self.detections.picture, self.detection_status == FP)

    @cached_property
    def fn(self) -> np.ndarray:
        """Number of missed objects of each picture: (P,) int64."""
        return self._by_picture(self.objects.picture, self.object_status == FN)

    @cached_property
    def shown(self) -> np.ndarray:
        """Number of detections of at least `min_score` in each picture, also those on crowds: (P,) int64."""
        return self._by_picture(self.detections.picture, self.detection_status != BELOW)

    @cached_property
    def f1(self) -> np.ndarray:
        """F1 of each picture, 2 TP / (2 TP + FP + FN): (P,) float64; NaN without objects and detections."""
        both = 2 * self.tp
        whole = both + self.fp + self.fn
        return np.divide(both, whole, out=np.full(self.pictures, np.nan), where=whole > 0)

    @cached_property
    def mean_iou(self) -> np.ndarray:
        """Mean IoU of the true positives of each picture with their objects: (P,) float64; NaN without any."""
        hits = self.detection_status == TP
        total = np.bincount(self.detections.picture[hits], self.detection_iou[hits], minlength=self.pictures)
        return np.divide(total, self.tp, out=np.full(self.pictures, np.nan), where=self.tp > 0)

    @cached_property
    def count_error(self) -> np.ndarray:
        """Detections minus objects in each picture, without those that count neither way: (P,) int64."""
        return self.fp - self.fn

    def _by_picture(self, picture: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        return np.bincount(picture[chosen], minlength=self.pictures)


def set_matches(
    objects: Objects,
    detections: Detections,
    same_class: Pairs,
    partners: np.ndarray,
    pictures: int,
    min_score: float,
    iou: float,
) -> SetMatches:
    """The matches of at least `min_score` among `partners` (D,), those of all detections at the threshold `iou`.

    A detection is matched before those with lower scores, so leaving the latter out does not change its partner.
    `same_class` are the pairs of the same class.
    """
    is_shown = detections.score >= min_score
    partner = np.where(is_shown, partners, -1).astype(np.int64)
    is_matched = partner >= 0
    on_crowd = is_matched & objects.crowd[partner] if len(objects) else is_matched
    detection_status = np.full(len(detections), FP, dtype=np.int8)
    detection_status[is_matched] = TP
    detection_status[on_crowd] = IGNORED
    detection_status[~is_shown] = BELOW
    object_partner = np.full(len(objects), -1, dtype=np.int64)
    hits = np.flatnonzero(detection_status == TP)
    object_partner[partner[hits]] = hits
    object_status = np.where(objects.crowd, IGNORED, np.where(object_partner >= 0, TP, FN)).astype(np.int8)
    detection_iou, object_iou = np.zeros(len(detections)), np.zeros(len(objects))
    on_object = ~objects.crowd[same_class.object]
    np.maximum.at(detection_iou, same_class.detection[on_object], same_class.iou[on_object])
    visible = is_shown[same_class.detection]
    np.maximum.at(object_iou, same_class.object[visible], same_class.iou[visible])
    is_pair = partner[same_class.detection] == same_class.object
    detection_iou[same_class.detection[is_pair]] = same_class.iou[is_pair]
    is_pair &= detection_status[same_class.detection] == TP
    object_iou[same_class.object[is_pair]] = same_class.iou[is_pair]
    return SetMatches(
        objects=objects,
        detections=detections,
        pictures=pictures,
        min_score=min_score,
        iou=iou,
        detection_status=detection_status,
        detection_partner=partner,
        detection_iou=detection_iou,
        object_status=object_status,
        object_partner=object_partner,
        object_iou=object_iou,
    )
