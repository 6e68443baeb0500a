"""Which picture to label next: the one that stands for most others of which the network is not sure.

`look` runs the network once on a picture. `rank` orders pictures that nobody has labelled by two figures:

- **unsureness**: each detection with score s adds 1 - |2 s - 1|, which is 1 at 0.5 and 0 for a sure answer, so that it
  is about the number of objects that a person has to decide (uncertainty sampling, Lewis and Gale 1994, summed over
  detections). A picture in which nothing is found counts like one such object;
- **distance** between the features of two pictures. Features are the mean of each channel of the maps that the heads
  read, so no other network is needed.

Each picture has a distance to the nearest picture that is labelled or stands before it in the list. The next picture is
the one that takes most off these distances, summed over all pictures and weighted by their unsureness (`cover`; without
weights it is facility location, the greedy algorithm of Nemhauser et al. 1978). The picture that is farthest from all
others (`different`; Sener and Savarese 2018, eq. 5) is often an odd one that stands for no other. The orders were
measured beside a random one (`benchmarks/label_next.py`, docs/results.md).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import numpy as np

from maskrcnn.words import counted

if TYPE_CHECKING:
    from maskrcnn.model.build import StudioRCNN

Order = Literal["cover", "both", "unsure", "different"]
"""`cover`: the picture that stands for most others of which the network is unsure. `both`: unsureness times difference.
`unsure`, `different`: one of them alone."""

_MOST_COMPARED = 2000
"""Maximum number of pictures that a picture may stand for; of more, as many are drawn."""

MIN_SCORE = 0.1
"""Detections with a lower score say nothing about how unsure the network is."""

_UNSURE = (0.2, 0.8)
"""A detection with a score between them is one that the network is unsure of."""

_SAME = 1e-3
"""Distances that differ by less are equal: features are float32."""

_ROWS = 256
"""Number of pictures with which all others are compared at a time."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Look:
    """What a network sees in one picture: `features (F,)` float32 and `detections`, COCO results, best first."""

    features: np.ndarray
    detections: tuple[dict[str, Any], ...]

    @property
    def unsureness(self) -> float:
        """About the number of objects that a person has to decide; 1 if nothing is found."""
        scores = np.array([found["score"] for found in self.detections if found["score"] >= MIN_SCORE])
        return float((1 - np.abs(2 * scores - 1)).sum()) if len(scores) else 1.0


@dataclass(frozen=True)
class Ranked(Generic[Key]):
    """A picture in the order in which pictures should be labelled.

    `unsureness` and `difference` are its places among the pictures that were compared, from 0 (least) to 1. `reason`
    says in words why it stands where it does.
    """

    key: Key
    unsureness: float
    difference: float
    reason: str


def look(model: StudioRCNN, picture: np.ndarray) -> Look:
    """Run a network once on a uint8 `(H, W, 3)` RGB picture. The network must be in eval mode.

    >>> from maskrcnn.inference import load
    >>> found = look(load("toy", device="cpu"), np.full((60, 80, 3), 90, np.uint8))
    >>> found.features.shape, found.unsureness  # 5 maps of 64 channels; nothing is found
    ((320,), 1.0)
    """
    import torch

    from maskrcnn.model.detect import box_answers, detections_of, network_picture, results_of

    with torch.inference_mode():
        answers = box_answers(model, network_picture(model, picture))
        height, width = answers.size
        means = []
        for level in answers.maps.values():
            # Of the cells of the picture alone: the map is padded on the right and at the bottom.
            rows = max(1, round(level.shape[2] * height / _padded(height)))
            columns = max(1, round(level.shape[3] * width / _padded(width)))
            means.append(level[0, :, :rows, :columns].float().mean(dim=(1, 2)))
        found = results_of(model.config, detections_of(model, answers), *picture.shape[:2])
    return Look(torch.cat(means).cpu().numpy(), tuple(found))


def rank(
    unlabelled: Mapping[Key, Look],
    labelled: Sequence[np.ndarray],
    number: int | None = None,
    order: Order = "cover",
) -> list[Ranked[Key]]:
    """The pictures that nobody has labelled, the one that should be labelled first at the beginning.

    `labelled` are the features of the pictures that have labels; without any, the most typical picture comes first.
    `number` is the maximum length of the list.

    "c" is far from the rest and has one more sure object; after it, "b" is a little farther from what is labelled:

    >>> sure, unsure = {"score": 0.99}, {"score": 0.5}
    >>> looks = {"a": Look(np.float32([0, 1]), (unsure,)), "b": Look(np.float32([0, 1.1]), (unsure,)),
    ...     "c": Look(np.float32([9, 0]), (unsure, sure))}
    >>> [entry.key for entry in rank(looks, [np.float32([0, 0])])]
    ['c', 'b', 'a']
    """
    keys = list(unlabelled)
    if not keys:
        return []
    looks = [unlabelled[key] for key in keys]
    features = _scaled(np.stack([*(entry.features for entry in looks), *labelled]))
    own, known = features[: len(keys)], features[len(keys) :]
    unsureness = np.array([entry.unsureness for entry in looks])
    places = _places(unsureness)
    nearest = _nearest(own, known if len(known) else own.mean(axis=0, keepdims=True))
    differences = _places(np.round(nearest, 4))  # distances that differ by rounding alone are equal
    chosen: list[Ranked[Key]] = []
    left = np.ones(len(keys), bool)
    others, apart = _distances(own) if order == "cover" else (np.zeros(0, int), np.zeros((0, 0)))
    weights = 0.1 + 0.9 * places[others]
    if order == "cover" and not len(known):  # the first one is the most typical picture
        nearest = np.full(len(keys), apart.max(initial=0.0))
    while left.any() and (number is None or len(chosen) < number):
        match order:
            case "cover":
                worth = np.clip(nearest[others] - apart, 0, None) @ weights
            case "both":
                worth = _share(nearest, left) * (0.1 + 0.9 * places)
            case "unsure":
                worth = places
            case _:
                worth = nearest
        best = int(np.where(left, worth, -1.0).argmax())
        left[best] = False
        stands_for = int((apart[best] < nearest[others] - _SAME).sum()) - int(best in others) if len(others) else 0
        nearest = np.minimum(nearest, _nearest(own, own[best : best + 1]))
        reason = _reason(looks[best], differences[best], bool(len(known)), stands_for)
        chosen.append(Ranked(keys[best], float(places[best]), float(differences[best]), reason))
    return chosen


def _distances(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows that are compared `(M,)`, and the distance of each of the N rows to each of them, `(N, M)`."""
    others = np.arange(len(features))
    if len(others) > _MOST_COMPARED:
        others = np.sort(np.random.default_rng(0).choice(others, _MOST_COMPARED, replace=False))
    squares = (features**2).sum(axis=1)
    apart = squares[:, None] + squares[others][None] - 2 * features @ features[others].T
    return others, np.sqrt(np.clip(apart, 0, None))


def _padded(side: int) -> int:
    """The side of a batch with a picture of `side` pixels: a multiple of 32."""
    return -(-side // 32) * 32


def _scaled(features: np.ndarray) -> np.ndarray:
    """Features `(N, F)` with mean 0 and standard deviation 1 in each column; a constant column is 0."""
    spread = features.std(axis=0)
    return (features - features.mean(axis=0)) / np.where(spread > 1e-6, spread, 1.0)


def _nearest(own: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The distance of each row of `own` `(N, F)` to the nearest row of `others` `(M, F)`, M > 0.

    By |a - b|^2 = |a|^2 - 2 ab + |b|^2, some rows at a time: with 10,000 pictures the differences take minutes.
    """
    squares, nearest = (own**2).sum(axis=1), np.full(len(own), np.inf)
    for start in range(0, len(others), _ROWS):
        part = others[start : start + _ROWS]
        nearest = np.minimum(nearest, (squares[:, None] - 2 * own @ part.T + (part**2).sum(axis=1)).min(axis=1))
    return np.sqrt(np.maximum(nearest, 0.0))


def _places(values: np.ndarray) -> np.ndarray:
    """The share of the other values that are smaller, `(N,)` from 0 to 1; equal values have equal places.

    >>> _places(np.array([3.0, 1.0, 3.0, 2.0])).round(2).tolist()
    [0.83, 0.0, 0.83, 0.33]
    """
    if len(values) < 2:
        return np.zeros(len(values))
    ordered = np.sort(values)
    smaller = np.searchsorted(ordered, values, "left")
    equal = np.searchsorted(ordered, values, "right") - smaller - 1
    return (smaller + equal / 2) / (len(values) - 1)


def _share(distances: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Distances divided by the largest one among those that are left."""
    largest = distances[left].max()
    return distances / largest if largest > 0 else np.ones(len(distances))


def _reason(entry: Look, difference: float, has_labelled: bool, stands_for: int) -> str:
    """Why a picture should be labelled, in words. `stands_for`: number of other pictures that it stands for."""
    scores = [found["score"] for found in entry.detections if found["score"] >= MIN_SCORE]
    unsure = sum(_UNSURE[0] <= score <= _UNSURE[1] for score in scores)
    if not scores:
        words = "the network finds nothing in it"
    elif unsure:
        words = f"{counted(unsure, 'object')} of which the network is not sure"
    else:
        words = f"{counted(len(scores), 'object')} of which the network is sure"
    if stands_for > 0:
        return f"{words}; it stands for {counted(stands_for, 'other picture')}"
    others = "the pictures that are labelled" if has_labelled else "the other pictures"
    if difference >= 0.75:
        return f"{words}; very unlike {others}"
    if difference >= 0.5:
        return f"{words}; unlike {others}"
    return f"{words}; similar to {others}"
