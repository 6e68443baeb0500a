"""The best epoch of a run: the epoch with the highest AP. The trainer, the log and the pages use this rule."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from maskrcnn.config import MEASURES


@dataclass(frozen=True)
class Best:
    """The best `epoch` of a run. `score` is its AP, and `measure` the field of the row with this AP ("segm_ap").

    Both are None if no AP was measured; then `epoch` is the last epoch.
    """

    epoch: int
    score: float | None = None
    measure: str | None = None

    @property
    def judged_by(self) -> str | None:
        """The name of the AP that was compared, for example "mask AP"; None if no AP was measured."""
        return ap_words(self.measure) if self.measure else None


def best_epoch(rows: Iterable[Mapping[str, Any]]) -> Best | None:
    """The best epoch among epoch rows of `metrics.jsonl`; None if there are no rows.

    It is the epoch with the highest mask AP; without mask AP, the highest keypoint AP, then box AP. Of equal epochs,
    the first is returned. If no row has an AP (no ground truth), it is the last epoch.

    >>> best_epoch([{"epoch": 1, "segm_ap": 0.2}, {"epoch": 2, "segm_ap": 0.3}, {"epoch": 3, "segm_ap": 0.3}]).epoch
    2
    >>> best_epoch([{"epoch": 1}, {"epoch": 2, "segm_ap": None}]).epoch
    2
    """
    best: Best | None = None
    for row in rows:
        best = better(best, row["epoch"], row)
    return best


def better(best: Best | None, epoch: int, row: Mapping[str, Any]) -> Best:
    """The better of `best` and the later `epoch` with the metrics `row`. See `best_epoch`."""
    measure = finest_ap(row)
    score = None if measure is None else float(row[measure])
    challenger = Best(epoch, score, measure)
    if best is None or best.score is None:
        return challenger
    if measure is None or score is None:
        return best
    if best.measure is not None and best.measure != measure:
        return challenger if _ORDER.index(measure) < _ORDER.index(best.measure) else best
    return challenger if score > best.score else best


def finest_ap(row: Mapping[str, Any]) -> str | None:
    """The field of the AP by which an epoch is compared: masks before keypoints before boxes. None if no AP is a finite
    number.

    >>> finest_ap({"bbox_ap": 0.6, "segm_ap": 0.5}), finest_ap({"bbox_ap": 0.6, "segm_ap": None})
    ('segm_ap', 'bbox_ap')
    """
    return next((name for name in _ORDER if _is_measured_ap(row.get(name))), None)


_ORDER = tuple(f"{kind}_ap" for kind in MEASURES)


def ap_words(field: str) -> str:
    """The name of an AP of an epoch for the user, from its field: "mask AP" for `segm_ap`, "box AP50" for `bbox_ap50`.

    >>> ap_words("keypoints_ap")
    'keypoint AP'
    """
    kind, _, name = field.partition("_")
    return f"{MEASURES[kind]} {name.upper()}"


def _is_measured_ap(value: Any) -> bool:
    """Whether the AP field of a row is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)
