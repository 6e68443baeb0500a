"""Keypoint definitions of a dataset: names and edges, and the left-right pairs for flipping."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from maskrcnn.annotations.dataset import Dataset
from maskrcnn.annotations.learnable_objects import keypoints_of
from maskrcnn.errors import StudioError
from maskrcnn.words import counted

_OTHER_SIDE = {"left": "right", "right": "left", "l": "r", "r": "l"}

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
"""Splits a name into words: `leftEye_2` gives left, eye, 2; `LEye` gives l, eye."""

_GENERIC_WORDS = {"keypoint", "keypoints", "kp", "kpt", "kps", "point", "pt", "p", "landmark", "joint", "key"}


@dataclass(frozen=True)
class KeypointLabels:
    """The keypoint definition that a network needs: the number of keypoints, their names (may be empty), and the edges
    (limbs) between them as pairs of indices from 0."""

    count: int
    names: tuple[str, ...] = ()
    edges: tuple[tuple[int, int], ...] = ()


def keypoint_labels(dataset: Dataset) -> KeypointLabels | None:
    """Return the keypoint definition of a dataset; None if no object has keypoints.

    All classes with keypoints must have the same definition, because a network has one set of heatmaps. Raises
    `StudioError` with the names of two classes that differ.
    """
    source = dataset.source or "the dataset"
    found: dict[str, KeypointLabels] = {}
    for record in dataset.images:
        for region in record.regions:
            if (keypoints := keypoints_of(region)) is None:
                continue
            name, count = region.class_name or "", len(keypoints.points)
            skeleton = dataset.skeletons.get(name)
            if skeleton is not None and len(skeleton.names) == count:
                labels = KeypointLabels(count, skeleton.names, skeleton.edges)
            else:
                labels = KeypointLabels(count)
            if found.setdefault(name, labels) != labels:
                raise StudioError(
                    f'{source}: objects of class "{name}" have {counted(found[name].count, "keypoint")}, but one on '
                    f'"{record.file_name}" has {count}; give each object the same ones'
                )
    if not found:
        return None
    # If some classes have keypoint names and others do not, use the names.
    first = max(found, key=lambda name: len(found[name].names))
    for name, labels in found.items():
        if labels.count != found[first].count or labels.names not in ((), found[first].names):
            raise StudioError(
                f'{source}: classes "{first}" and "{name}" have different keypoints ({_keypoint_text(found[first])}; '
                f"{_keypoint_text(labels)}); a network learns one set of them, so leave the objects of one class out"
            )
    return found[first]


def require_keypoints(dataset: Dataset, wanted: KeypointLabels, whose: str, give: str) -> None:
    """Raise `StudioError` if the objects of a dataset have another number of keypoints, or other names, than `wanted`.

    A dataset without keypoints passes. Names are compared only if both have names. `whose` ("the model has learned")
    and `give` ("labels") are parts of the message.

    >>> from maskrcnn.annotations.dataset import ImageRecord
    >>> from maskrcnn.annotations.regions import Keypoints, Region
    >>> hand = Region(Keypoints(((5, 5, 2), (9, 5, 2))), "hand")
    >>> labels = Dataset((ImageRecord("a.png", regions=(hand,)),), ("hand",), source="hands.json")
    >>> require_keypoints(labels, KeypointLabels(17), "the model has learned", "labels")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    maskrcnn.errors.StudioError: hands.json: its objects have other keypoints (2) than the model has learned (17); ...
    """
    found = keypoint_labels(dataset)
    if found is None:
        return
    if found.count != wanted.count or (found.names and wanted.names and found.names != wanted.names):
        raise StudioError(
            f"{dataset.source}: its objects have other keypoints ({found.count}) than {whose} ({wanted.count}); give "
            f"{give} with the same ones, in the same order"
        )


def _keypoint_text(labels: KeypointLabels) -> str:
    """Describe the keypoints of a class for a message: their number and the first three names."""
    shown = ", ".join(labels.names[:3]) + (", ..." if labels.count > 3 else "")
    return f"{labels.count}: {shown}" if labels.names else f"{labels.count} without names"


def mirrored(names: Sequence[str], count: int) -> tuple[int, ...] | None:
    """Return the index of the left-right partner of each keypoint, for flipping; None if it cannot be determined.

    When a picture is flipped, the left eye looks like a right eye, so the two keypoints are exchanged. Partners are
    found by name: left and right, or l and r, as a word of the name (left_eye, eye-l, LeftEye, L. Eye) or as its
    beginning or end (lefteye). A keypoint without a side is its own partner.

    The result is None if there are several keypoints and their names are missing or generic (only numbers), or if the
    partner of a name with a side as a word is missing. Flipping would then give wrong labels. If a name only begins or
    ends like a side (`bright`) and has no partner, it is a name without a side.

    >>> mirrored(["nose", "left_eye", "right_eye"], 3)
    (0, 2, 1)
    """
    if count == 1:
        return (0,)
    spelt = [tuple(word.lower() for word in _WORD.findall(name)) for name in names]
    if len(names) != count or any(all(w.isdigit() or w in _GENERIC_WORDS for w in words) for words in spelt):
        return None
    places = {words: place for place, words in enumerate(spelt)}
    if len(places) < count:  # two keypoints with the same name
        return None
    order = []
    for place, words in enumerate(spelt):
        other = tuple(_OTHER_SIDE.get(word, word) for word in words)
        if other == words:
            other = tuple(_glued_other_side(word) for word in words)
            order.append(places.get(other, place))  # without a partner, its own place
        elif other in places:
            order.append(places[other])
        else:
            return None
    return tuple(order)


def _glued_other_side(word: str) -> str:
    """Exchange a side at the start or end of a word: `lefteye` -> `righteye`. Words without a side are unchanged.

    A word such as `bright` gives `bleft`, which is not the name of a keypoint.
    """
    for side in ("left", "right"):
        if word.startswith(side):
            return _OTHER_SIDE[side] + word.removeprefix(side)
        if word.endswith(side):
            return word.removesuffix(side) + _OTHER_SIDE[side]
    return word
