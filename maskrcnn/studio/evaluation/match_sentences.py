"""What is wrong in one picture, as one sentence in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from maskrcnn.evaluation import MeasuredSet, SetMatches
from maskrcnn.evaluation.analysis.error_kinds import KINDS, NOT_COUNTED
from maskrcnn.evaluation.set_matches import FN, FP
from maskrcnn.words import counted

MOST_CLASSES = 3

KIND_WORDS: Mapping[str, str] = {
    "class": "right place, wrong class",
    "location": "right class, fits too loosely",
    "both": "wrong class, and fits too loosely",
    "duplicate": "an object found once more",
    "background": "nothing is labelled here",
    "missed": "missed",
    "beyond": "beyond COCO's limit of 100 in a picture",
}
"""Kind of an error (`error_kinds.KINDS`) -> what it says below a crop."""

_FOUND_WORDS: Mapping[str, str] = {
    "background": "found where nothing is labelled",
    "duplicate": "found again",
    "class": "of another class",
    "location": "too loose",
    "both": "of another class and too loose",
    "beyond": "beyond COCO's limit of 100",
}


@dataclass(frozen=True)
class Clause:
    """A part of the sentence, and what it is about: `status` is "tp", "fp" or "fn"."""

    status: Literal["tp", "fp", "fn"]
    text: str


def sentence(measured: MeasuredSet, matches: SetMatches, kinds: np.ndarray, picture: int) -> list[Clause]:
    """What is missed, wrong and right in a picture, worst first. `kinds` (D,) are
    those of `ErrorKinds.detection`."""
    of_picture = measured.objects.picture == picture
    counts = ~measured.objects.crowd & of_picture
    missed = of_picture & (matches.object_status == FN)
    wrong = (measured.detections.picture == picture) & (matches.detection_status == FP)
    tp, n_objects = int(matches.tp[picture]), int(counts.sum())
    clauses = []
    if n_missed := int(missed.sum()):
        missed_names = _class_words([measured.names[place] for place in measured.objects.category[missed].tolist()])
        clauses.append(Clause("fn", f"{n_missed} of {counted(n_objects, 'object')} missed ({missed_names})"))
    if wrong.any():
        clauses.append(Clause("fp", _wrong_words([kind_name(kind) for kind in kinds[wrong].tolist()])))
    if not clauses:
        nothing = "Nothing is labelled, and nothing was found"
        every = "The only object was found" if n_objects == 1 else f"All {n_objects} objects were found"
        return [Clause("tp", f"{every}, and nothing else" if n_objects else nothing)]
    if n_objects and not n_missed:
        every = "the only object is found" if n_objects == 1 else f"all {n_objects} objects are found"
        clauses.append(Clause("tp", every))
    elif tp:
        clauses.append(Clause("tp", f"{tp} found right"))
    return clauses


def kind_name(kind: int) -> str:
    """The name of a kind of error of a false positive. COCO does not count those beyond its limit.

    >>> kind_name(3), kind_name(NOT_COUNTED)
    ('duplicate', 'beyond')
    """
    return "beyond" if kind == NOT_COUNTED else KINDS[kind]


def _wrong_words(kinds: Sequence[str]) -> str:
    """False positives by kind, such as `2 found where nothing is labelled, 1 found again`."""
    count = Counter(kinds)
    return ", ".join(f"{count[kind]} {words}" for kind, words in _FOUND_WORDS.items() if count[kind])


def _class_words(names: Sequence[str]) -> str:
    """The classes of some objects: `cup`, or `2 cup, 1 ball`.

    >>> _class_words(["cup", "cup"]), _class_words(["cup", "ball", "cup"])
    ('cup', '2 cup, 1 ball')
    """
    count = Counter(names)
    if len(count) == 1:
        return names[0]
    shown = [f"{number} {name}" for name, number in count.most_common(MOST_CLASSES)]
    return ", ".join([*shown, *["..."] * (len(count) > MOST_CLASSES)])
