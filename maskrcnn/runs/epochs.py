"""Epochs of a run: the definition and length of an epoch, and the best epoch. Does not import torch.

The pages, the log and the trainer use these functions, so that they all use the same definitions.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from maskrcnn.config import MEASURES, Config

EPOCHS_IN_A_BUDGET = 20
"""The intended number of epochs of a run whose length is set in minutes, so that its curves have enough points."""

EPOCH_MEANING = (
    "An epoch is the training between two validations. In a run of a number of epochs it is once through the training "
    "pictures, rounded up to whole steps. A run by minutes goes through them once or more in an epoch, so that about "
    f"{EPOCHS_IN_A_BUDGET} fit into its time; of few pictures the first one, in which the pace is measured, may be "
    "longer, and the last one ends with the time. steps_per_epoch sets any other length."
)
PASS_MEANING = (
    "Passes: how many times each training picture was seen, steps x batch size / training pictures; a batch has no "
    "more pictures than there are."
)


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
    return next((name for name in _ORDER if _is_number(row.get(name))), None)


_ORDER = tuple(f"{kind}_ap" for kind in MEASURES)


def ap_words(field: str) -> str:
    """The name of an AP field for the user: "mask AP" for `segm_ap`, "box AP50" for `bbox_ap50`.

    >>> ap_words("keypoints_ap")
    'keypoint AP'
    """
    kind, _, name = field.partition("_")
    return f"{MEASURES[kind]} {name.upper()}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def pictures_per_step(batch_size: int, pictures: int) -> int:
    """The number of pictures in a step: the batch size, or the number of all pictures if that is smaller.

    >>> pictures_per_step(batch_size=8, pictures=5)
    5
    """
    return min(batch_size, pictures)


def steps_per_pass(batch_size: int, pictures: int) -> int:
    """The number of steps for one pass through all pictures, rounded up.

    >>> steps_per_pass(2, 61)
    31
    """
    return math.ceil(pictures / batch_size)


def passes(steps: float, batch_size: int, pictures: int) -> float:
    """The mean number of times that each training picture was used in `steps` steps.

    >>> passes(31, 2, 62)
    1.0
    """
    return steps * pictures_per_step(batch_size, pictures) / pictures


def passes_in_words(passes: float) -> str:
    """A number of passes as text: with one decimal, or with two significant digits if it is below 0.1.

    >>> passes_in_words(12.84), passes_in_words(0.0169)
    ('12.8', '0.017')
    """
    return f"{passes:.2g}" if 0 < passes < 0.0995 else f"{passes:.1f}"


def steps_per_epoch(config: Config, pass_steps: int, seconds_per_step: float) -> int:
    """The number of steps in an epoch.

    It is `config.steps_per_epoch`, if set. For a run by epochs it is one pass. For a run by minutes it is one or more
    whole passes, so that about `EPOCHS_IN_A_BUDGET` epochs fit into the time.
    """
    if config.steps_per_epoch is not None:
        return config.steps_per_epoch
    if config.minutes is None:
        return pass_steps
    fitting = 60 * config.minutes / EPOCHS_IN_A_BUDGET / seconds_per_step
    return pass_steps * max(1, round(fitting / pass_steps))
