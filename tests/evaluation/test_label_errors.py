"""Label-error candidates: each kind on a few squares, and what must hold for any set."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import measure
from maskrcnn.evaluation.label_errors import Candidate, label_error_candidates
from maskrcnn.evaluation.label_evidence import lapses
from tests.evaluation.random_sets import random_set
from tests.evaluation.squares import FIRST, NOWHERE, SECOND, code, found, truth

Label = tuple[int, int, int, int, int]
Found = tuple[int, int, int, int, int, float]

CALM = 30
"""Pictures 1 to 30 hold two objects each, which are labelled and found: a network that is good, and labels that are."""

CALM_LABELS: tuple[Label, ...] = tuple((n, 1, *place) for n in range(1, CALM + 1) for place in (FIRST, SECOND))
CALM_FOUND: tuple[Found, ...] = tuple((*label, 0.97) for label in CALM_LABELS)


def candidates(labels: tuple[Label, ...], *epochs: tuple[Found, ...]) -> list[Candidate]:
    """The candidates where picture 0 has these labels (ids 0, 1, ...) and detections, and the others are calm."""
    document = truth(*labels, *CALM_LABELS, images=CALM + 1)
    return label_error_candidates(
        [measure(document, [found(*one) for one in (*detections, *CALM_FOUND)]) for detections in epochs]
    )


@pytest.mark.parametrize(
    ("labels", "detections", "kind", "annotation", "position", "place", "classes", "words"),
    [
        pytest.param(
            ((0, 1, *FIRST),),
            ((0, 1, *FIRST, 0.97), (0, 2, *NOWHERE, 0.98)),
            *("missing", None, 1, NOWHERE, ("class 2", "class 2"), "score 0.98 where nothing is labelled"),
            id="missing",
        ),
        pytest.param(
            ((0, 1, *FIRST), (0, 1, *SECOND)),
            ((0, 2, *SECOND, 0.98), (0, 1, *FIRST, 0.97)),
            *("wrong_class", 1, 0, SECOND, ("class 1", "class 2"), "found as class 2 with score 0.98"),
            id="wrong class",
        ),
        # 40 x 40 moved by 12 in x and y: 28^2 / (2 * 40^2 - 28^2) = 784 / 2416 = .32
        pytest.param(
            ((0, 1, *FIRST),),
            ((0, 1, 22, 22, 40, 0.98),),
            *("shifted", 0, 0, FIRST, ("class 1", "class 1"), "outline fits the label with an IoU of only 0.32"),
            id="shifted",
        ),
        # Moved by 2: 38^2 / (2 * 40^2 - 38^2) = 1444 / 1756 = .82. The detection is exactly on the first of both.
        pytest.param(
            ((0, 1, *FIRST), (0, 1, 12, 12, 40)),
            ((0, 1, *FIRST, 0.98),),
            *("double", 1, None, (12, 12, 40), ("class 1", None), "lie on each other, with an IoU of 0.82"),
            id="double",
        ),
        pytest.param(
            ((0, 1, *FIRST), (0, 1, *SECOND)),
            ((0, 1, *FIRST, 0.98),),
            *("spurious", 1, None, SECOND, ("class 1", None), "nothing was found here"),
            id="spurious",
        ),
    ],
)  # fmt: skip
def test_each_kind(
    labels: tuple[Label, ...],
    detections: tuple[Found, ...],
    kind: str,
    annotation: int | None,
    position: int | None,
    place: tuple[int, int, int],
    classes: tuple[str, str | None],
    words: str,
) -> None:
    (candidate,) = candidates(labels, detections)
    x, y, side = place
    assert (candidate.kind, candidate.picture, candidate.annotation_id) == (kind, 0, annotation)
    assert (candidate.position, candidate.box) == (position, (x, y, side, side))
    assert (candidate.class_name, candidate.found_class) == classes
    assert candidate.score == (0.98 if position is not None else 0.0)
    assert words in candidate.why
    assert 0.1 < candidate.suspicion <= 1


def test_right_labels_are_no_candidates() -> None:
    right = ((0, 1, *FIRST), (0, 1, *SECOND))
    assert candidates(right, tuple((*label, 0.97) for label in right)) == []


def test_a_detection_is_trusted_as_far_as_such_detections_are_right() -> None:
    """At a score of .5 half of the detections find nothing, at .97 one of 61 does: only that may be a missing label."""
    half = tuple((n, 1, *NOWHERE, 0.5) for n in range(1, CALM + 1))
    labels = tuple((n, 1, *NOWHERE) for n in range(1, CALM + 1, 2))
    listed = candidates(((0, 1, *FIRST), *labels), ((0, 1, *FIRST, 0.97), (0, 1, *NOWHERE, 0.97), *half))
    assert (listed[0].kind, listed[0].picture, listed[0].score) == ("missing", 0, 0.97)
    assert listed[0].suspicion > 0.2
    assert all(other.suspicion < 0.1 for other in listed[1:])


def test_what_two_epochs_agree_on_comes_first() -> None:
    """Two objects without a label have the same score in the newest epoch. The older epoch found one of them."""
    newest = ((0, 1, *FIRST, 0.97), (0, 1, *SECOND, 0.97))
    listed = candidates((), newest[1:], newest)
    assert [(one.kind, one.position) for one in listed[:1]] == [("missing", 1)]
    assert "(2 epochs agree)" in listed[0].why
    assert all(one.suspicion < listed[0].suspicion / 2 for one in listed[1:])
    in_one = candidates((), newest)
    assert [one.position for one in in_one] == [0, 1]
    assert in_one[0].suspicion == in_one[1].suspicion


def test_a_label_that_an_older_epoch_found_is_not_spurious() -> None:
    labels, both = ((0, 1, *FIRST), (0, 1, *SECOND)), ((0, 1, *FIRST, 0.97), (0, 1, *SECOND, 0.97))
    assert [one.kind for one in candidates(labels, both[:1], both[:1])] == ["spurious"]
    assert candidates(labels, both, both[:1]) == []


def test_crowds_are_never_candidates() -> None:
    document = truth((0, 1, *FIRST), (0, 1, 80, 80, 100), *CALM_LABELS, images=CALM + 1)
    document["annotations"][1] |= {"iscrowd": 1, "segmentation": code(80, 80, 100)}
    # A detection inside the crowd, and one beside it: the first is one of the crowd, the second has no label.
    detections = [(0, 1, 90, 90, 40, 0.97), (0, 1, *NOWHERE, 0.97), (0, 1, *FIRST, 0.97), *CALM_FOUND]
    listed = label_error_candidates([measure(document, [found(*one) for one in detections])])
    assert [(one.kind, one.position) for one in listed] == [("missing", 1)]
    unfound = label_error_candidates([measure(document, [found(*one) for one in CALM_FOUND])])
    assert [one.annotation_id for one in unfound] == [0]


def test_two_labels_that_are_both_found_are_two_objects() -> None:
    labels = ((0, 1, *FIRST), (0, 1, 22, 10, 40))  # IoU 28 / 52 = .54
    both = ((0, 1, *FIRST, 0.97), (0, 1, 24, 10, 40, 0.97))  # 26 / 54 = .48, and 38 / 42 = .90 with the second label
    assert [one.kind for one in candidates(labels, both[:1])] == ["double"]
    assert candidates(labels, both) == []


@pytest.mark.parametrize("tasks", [("box", "mask"), ("box",)])
def test_a_label_is_one_candidate_at_most_and_the_worst_come_first(tasks: tuple[str, ...]) -> None:
    kinds = set()
    for seed in range(5):
        document, detections = random_set(seed, images=12, objects=8, extra=3)
        measured = measure(document, detections, tasks=tasks)
        listed = label_error_candidates([measured])
        crowds = {entry["id"] for entry in document["annotations"] if entry["iscrowd"]}
        labels = [one.annotation_id for one in listed if one.annotation_id is not None]
        places = [one.position for one in listed if one.kind == "missing"]
        assert len(set(labels)) == len(labels)
        assert len(set(places)) == len(places)
        assert not crowds & set(labels)
        assert all(0 < one.suspicion <= 1 for one in listed)
        assert listed == sorted(listed, key=lambda one: -one.suspicion)
        assert [one.score for one in listed if one.position is not None] == [
            detections[one.position]["score"] for one in listed if one.position is not None
        ]
        kinds |= {one.kind for one in listed}
    assert {"missing", "shifted", "spurious"} <= kinds


def test_sets_with_little_in_them() -> None:
    empty: dict[str, Any] = {"images": [], "annotations": [], "categories": []}
    assert label_error_candidates([measure(empty, [])]) == []
    assert label_error_candidates([measure(truth(images=2), [])]) == []
    # A network that finds nothing at all says nothing about the labels.
    assert all(one.suspicion < 0.1 for one in label_error_candidates([measure(truth(*CALM_LABELS, images=40), [])]))


def test_what_cannot_be_compared_is_told() -> None:
    with pytest.raises(StudioError, match="choose an epoch"):
        label_error_candidates([])
    sets = [measure(truth((0, 1, *FIRST), images=number), []) for number in (1, 2)]
    with pytest.raises(StudioError, match="different labels"):
        label_error_candidates(sets)


def test_rates_of_label_errors_are_found_without_clean_labels() -> None:
    """A network that is right with the probability 1 / (1 + exp(-2 - 2 x)), and 3 % and 1 % of the labels wrong."""
    rng = np.random.default_rng(0)
    sure = rng.normal(0, 2, 40_000)
    network = np.where(rng.random(len(sure)) < 1 / (1 + np.exp(-2 - 2 * sure)), 0, rng.integers(1, 3, len(sure)))
    label = rng.choice(3, len(sure), p=[0.96, 0.03, 0.01])
    seen = np.eye(3)[np.where(network == 0, label, network)]
    expected = lapses.Expectation(np.array([[0.0]]), np.array([[1.0, 0.5, 0.5]]))
    fitted = lapses.fit(sure[:, None], seen, seen, usual_rate=0.01, expected=expected)
    assert fitted.rates == pytest.approx([0, 0.03, 0.01], abs=0.003)
    # Of the places with a probability near p, a share near p has a wrong label.
    suspicion, is_wrong = fitted.label.sum(axis=1), (network == 0) & (label > 0)
    for low, high in ((0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        chosen = (suspicion >= low) & (suspicion < high)
        assert is_wrong[chosen].mean() == pytest.approx(suspicion[chosen].mean(), abs=0.1)
