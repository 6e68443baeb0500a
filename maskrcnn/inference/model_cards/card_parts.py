"""The typed parts of a model card: what a network is, what it learned from, how good it is and how it was trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maskrcnn.evaluation.analysis.ap_of_parts import PartAp
from maskrcnn.evaluation.measures import IouType

Size = tuple[int, int]
"""Width and height of a picture in pixels."""

SIZE_WORDS: dict[str, str] = {
    "small": "below 32 × 32 px",
    "medium": "32 × 32 to 96 × 96 px",
    "large": "above 96 × 96 px",
}
"""COCO's size of an object -> its area in words."""


@dataclass(frozen=True)
class NetworkFacts:
    """What the network is. `sentence` says it in one; `working_sides` are image_min_dim and image_max_dim.

    `weights` is the name of the file with the best weights, `bytes` its size, `parameters` the number of its learned
    numbers, `epoch` the epoch after which it was written. They are None if there is no such file, or it is damaged.
    """

    sentence: str
    backbone: str
    pooling: str
    tasks: tuple[str, ...]
    classes: tuple[str, ...]
    keypoints: tuple[str, ...]
    working_sides: Size
    weights: str | None = None
    bytes: int | None = None
    parameters: int | None = None
    epoch: int | None = None


@dataclass(frozen=True)
class ClassCount:
    """A class in a set of pictures: its objects (without crowds), and on how many pictures they are."""

    name: str
    objects: int
    pictures: int


@dataclass(frozen=True)
class LabelledPictures:
    """The pictures of a split and what is labelled on them, from dataset.json.

    `negatives` are pictures without objects. `crowds` are regions that count neither way. `small`, `medium` and `large`
    count the objects by COCO's sizes. The sizes of the pictures are those with the fewest and the most pixels and the
    median of each side; None without pictures.
    """

    pictures: int
    negatives: int
    objects: int
    crowds: int
    classes: tuple[ClassCount, ...]
    small: int
    medium: int
    large: int
    smallest: Size | None = None
    median: Size | None = None
    largest: Size | None = None


@dataclass(frozen=True)
class LearnedFrom:
    """What the network learned from. `drawn` describes training pictures that were drawn from a seed and are not
    stored; `training` is None then. `validation` is None without one. `left_out` are lines about labels that were not
    learned; None if the run does not say. `start` are the initial weights in words, "" if unknown."""

    training: LabelledPictures | None
    validation: LabelledPictures | None
    drawn: str
    left_out: tuple[str, ...] | None
    start: str


@dataclass(frozen=True)
class Overlap:
    """Whether validation pictures look like training pictures: `alike` are pairs (validation, training) of file names.

    `compared` is the number of validation pictures that were compared. `why_not` says why others were not, "" if all
    were.
    """

    alike: tuple[tuple[str, str], ...]
    compared: int
    why_not: str = ""


@dataclass(frozen=True)
class Figure:
    """A figure such as "AP50", in [0, 1], with its 95 % interval; None if it is not defined."""

    name: str
    value: float | None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class MeasuredKind:
    """AP, AP50 and AP75 of boxes, masks or keypoints. `word` is "box", "mask" or "keypoint"."""

    kind: IouType
    word: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class AdvisedScore:
    """The score from which detections give the best F1, and what to expect of them; `reason` says why there is none."""

    score: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    f1_interval: tuple[float, float] | None
    reason: str | None


@dataclass(frozen=True)
class ErrorCount:
    """A kind of error (`error_kinds.KINDS`) in words, how often it occurs, and how much higher AP would be without."""

    kind: str
    words: str
    count: int
    ap_loss: float | None


@dataclass(frozen=True)
class WorstPicture:
    """A picture with many errors, at the score and IoU of the report."""

    name: str
    objects: int
    f1: float
    tp: int
    fp: int
    fn: int


@dataclass(frozen=True)
class Measured:
    """How good the detections of an epoch are on the validation pictures, as on the Evaluation page.

    `kinds` are the measures, the finest first; `sizes` and `classes` are AP by part, in the first of them. `errors` and
    `worst` are matched by masks, or by boxes without masks. `is_of_weights` is false if the detections of the best
    epoch were not kept, so that these are of another one than the weights.
    """

    epoch: int
    is_of_weights: bool
    pictures: int
    objects: int
    kinds: tuple[MeasuredKind, ...]
    sizes: tuple[PartAp, ...]
    classes: tuple[PartAp, ...]
    score: AdvisedScore
    errors: tuple[ErrorCount, ...]
    worst: tuple[WorstPicture, ...]
    caution: str | None = None

    @property
    def first(self) -> MeasuredKind:
        """The finest measure: masks, else keypoints, else boxes."""
        return self.kinds[0]


@dataclass(frozen=True)
class TrainingFacts:
    """How the run was trained, as far as its folder says.

    `state` is "done", "cancelled", "failed", "training" or "not finished". Times are seconds since 1970. `versions`
    maps programs to versions. `command` makes the run again; `command_note` says what is not certain about it.
    """

    state: str
    error: str | None = None
    epochs: int | None = None
    best_epoch: int | None = None
    best_by: str | None = None
    stopped_early: bool = False
    seconds: float | None = None
    machine: str | None = None
    started: float | None = None
    versions: Mapping[str, str] | None = None
    command: str = ""
    command_note: str = ""


@dataclass(frozen=True)
class Shipped:
    """What the card of a model that ships with the studio says: its test pictures, figures, limits and licence.

    `held_apart` is how many of its test and validation pictures were compared with the training pictures, and how many
    of them are shared.
    """

    name: str
    what: str
    test: str
    kinds: tuple[MeasuredKind, ...]
    held_apart: tuple[int, int] | None
    limits: str
    licence: str


@dataclass(frozen=True)
class CardContent:
    """All parts of a model card.

    `measured` is None if nothing was measured on validation pictures; `why_not_measured` says why, as a sentence.
    `overlap` is None without validation pictures. `limits` are sentences that follow from the numbers. `shipped` is
    what the card of a model that ships with the studio says; None for all other runs.
    """

    name: str
    network: NetworkFacts
    learned: LearnedFrom
    overlap: Overlap | None
    measured: Measured | None
    why_not_measured: str
    training: TrainingFacts
    limits: tuple[str, ...]
    shipped: Shipped | None = None
