"""Epochs of a run: what one is, how many steps it has, and which one is the best. Knows no torch.

Every page, the log and the trainer ask here, so that all of them mean the same by these words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from maskrcnn.config import MEASURES, Config

EPOCHS_IN_A_BUDGET = 20
"""How many epochs a run of fixed minutes aims at, so that its curves have as many points."""

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
    """The best `epoch` of a run. `score` is its AP and `measure` the field of its row that says so ("segm_ap"); both
    are None where nothing was measured, and then it is the last epoch."""

    epoch: int
    score: float | None = None
    measure: str | None = None

    @property
    def judged_by(self) -> str | None:
        """What it is the best by, in words: "mask AP"; None where nothing was measured."""
        return ap_words(self.measure) if self.measure else None


def best_epoch(rows: Iterable[Mapping[str, Any]]) -> Best | None:
    """The best of these epoch rows of `metrics.jsonl`; None where there is none.

    It is the one with the highest AP of the finest task that was measured: masks, else keypoints, else boxes. Among
    equals it is the first. Where no row has an AP (there was no ground truth to measure on) it is the last epoch.

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
    """The better one of `best` and of `epoch`, which came later and has that row. See `best_epoch`."""
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
    """The name of the AP by which an epoch is judged: masks before keypoints before boxes; None where none has a value
    (None, or not a number).

    >>> finest_ap({"bbox_ap": 0.6, "segm_ap": 0.5}), finest_ap({"bbox_ap": 0.6, "segm_ap": None})
    ('segm_ap', 'bbox_ap')
    """
    return next((name for name in _ORDER if _is_number(row.get(name))), None)


_ORDER = tuple(f"{kind}_ap" for kind in MEASURES)


def ap_words(field: str) -> str:
    """An AP of an epoch row in words: `segm_ap` is "mask AP", `bbox_ap50` "box AP50".

    >>> ap_words("keypoints_ap")
    'keypoint AP'
    """
    kind, _, name = field.partition("_")
    return f"{MEASURES[kind]} {name.upper()}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def pictures_per_step(batch_size: int, pictures: int) -> int:
    """How many pictures a step learns from: a full batch, or all there are where they are fewer.

    >>> pictures_per_step(batch_size=8, pictures=5)
    5
    """
    return min(batch_size, pictures)


def steps_per_pass(batch_size: int, pictures: int) -> int:
    """Steps after which as many pictures were seen as there are, rounded up.

    >>> steps_per_pass(2, 61)
    31
    """
    return math.ceil(pictures / batch_size)


def passes(steps: float, batch_size: int, pictures: int) -> float:
    """How many times each of the training pictures was seen, on average, after so many steps.

    >>> passes(31, 2, 62)
    1.0
    """
    return steps * pictures_per_step(batch_size, pictures) / pictures


def passes_in_words(passes: float) -> str:
    """With one decimal, below a tenth with two figures that tell.

    >>> passes_in_words(12.84), passes_in_words(0.0169)
    ('12.8', '0.017')
    """
    return f"{passes:.2g}" if 0 < passes < 0.0995 else f"{passes:.1f}"


def steps_per_epoch(config: Config, pass_steps: int, seconds_per_step: float) -> int:
    """Steps of an epoch: what the config says; else a pass, and with `minutes` as many whole passes as make about
    `EPOCHS_IN_A_BUDGET` epochs at that many seconds a step, one at least."""
    if config.steps_per_epoch is not None:
        return config.steps_per_epoch
    if config.minutes is None:
        return pass_steps
    fitting = 60 * config.minutes / EPOCHS_IN_A_BUDGET / seconds_per_step
    return pass_steps * max(1, round(fitting / pass_steps))
