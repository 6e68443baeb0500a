"""The choice of a score: on paper, what is said if there is none, and that it looks no better than it is."""

from __future__ import annotations

import numpy as np
import pytest

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import measure
from maskrcnn.evaluation.analysis.score_threshold import best_score
from tests.evaluation.random_sets import random_set
from tests.evaluation.squares import found, truth


def pictures(number: int) -> dict:
    """Each has one object, at (10, 10)."""
    return truth(*((n, 1, 10, 10, 40) for n in range(number)), images=number)


def right(picture: int, score: float) -> dict:
    return found(picture, 1, 10, 10, 40, score)


def wrong(picture: int, score: float) -> dict:
    return found(picture, 1, 100, 100, 40, score)


def test_two_pictures_worked_out_on_paper() -> None:
    """One is chosen on, the other is reported on, and the other way round.

    The first picture has right .9, wrong .5: F1 is 1 at .9 (2 / 2) and 2/3 at .5 (2 / 3), so .9 is chosen. The second
    has wrong .8, right .6: F1 is 0 at .8 and 2/3 at .6, so .6 is chosen. The median is .75.

    At .9 the second picture has nothing: precision is not defined, recall and F1 are 0. At .6 the first has the right
    one: precision, recall and F1 are 1. The means are 1, 1/2, 1/2.
    """
    measured = measure(pictures(2), [right(0, 0.9), wrong(0, 0.5), wrong(1, 0.8), right(1, 0.6)])
    choice = best_score(measured, splits=3)
    assert sorted(choice.scores) == [0.6, 0.6, 0.6, 0.9, 0.9, 0.9]
    assert (choice.chosen_on, choice.reported_on) == (1, 1)
    assert (choice.score, choice.precision, choice.recall, choice.f1) == (pytest.approx(0.75), 1.0, 0.5, 0.5)
    assert choice.reason is None


def test_the_lowest_score_that_reaches_a_precision() -> None:
    """All pictures alike: right .9, wrong .8, right .7 (an object each), wrong .6.

    Precision is 1 at .9, 1/2 at .8, 2/3 at .7 and 1/2 at .6. So 2/3 is reached last at .7, although not at .8.
    """
    document = truth(*((n, 1, x, 10, 40) for n in range(6) for x in (10, 60)), images=6)
    second = [found(n, 1, 60, 10, 40, 0.7) for n in range(6)]
    detections = [entry for n in range(6) for entry in (right(n, 0.9), wrong(n, 0.8), wrong(n, 0.6))]
    measured = measure(document, detections + second)
    choice = best_score(measured, wanted_precision=2 / 3)
    assert (choice.score, choice.precision, choice.recall) == (0.7, pytest.approx(2 / 3), 1.0)
    assert best_score(measured, wanted_precision=0.9).score == 0.9
    assert best_score(measured, wanted_precision=0.1).score == 0.6


def test_equal_scores_are_kept_together() -> None:
    """Right and wrong have the score .9, so no score keeps only the right one: precision is 1/2."""
    detections = [entry for n in range(4) for entry in (right(n, 0.9), wrong(n, 0.9))]
    choice = best_score(measure(pictures(4), detections))
    assert (choice.score, choice.precision) == (0.9, 0.5)
    assert best_score(measure(pictures(4), detections), wanted_precision=0.6).score is None


def test_both_halves_have_objects() -> None:
    """Two of forty pictures have an object; a split that is blind to it has both in one half every other time."""
    document = {**truth((0, 1, 10, 10, 40), (1, 1, 10, 10, 40), images=40)}
    choice = best_score(measure(document, [right(0, 0.9), right(1, 0.8), *(wrong(n, 0.3) for n in range(40))]))
    assert choice.reason is None
    assert (choice.chosen_on, choice.reported_on) == (20, 20)
    assert set(choice.scores) == {0.9, 0.8}


def test_why_there_is_no_choice() -> None:
    nothing = {**pictures(3), "annotations": []}
    reasons = {
        "no picture has labelled objects": best_score(measure(nothing, [right(0, 0.9)])),
        "only one picture has labelled objects": best_score(measure(pictures(1), [right(0, 0.9)])),
        "no detection is right": best_score(measure(pictures(3), [wrong(0, 0.9)])),
        "a precision of 0.9": best_score(measure(pictures(2), [right(0, 0.5), wrong(0, 0.6), wrong(1, 0.7)]), 0.5, 0.9),
    }
    for words, choice in reasons.items():
        assert choice.reason is not None
        assert words in choice.reason
        assert (choice.score, choice.precision, choice.recall, choice.f1, choice.f1_interval) == (None,) * 5


@pytest.mark.parametrize("wanted", [0.0, -1.0, 1.5, float("nan")])
def test_a_precision_that_cannot_be(wanted: float) -> None:
    with pytest.raises(StudioError, match="wanted precision"):
        best_score(measure(pictures(2), []), wanted_precision=wanted)


def test_the_same_seed_gives_the_same_choice() -> None:
    measured = measure(*random_set(1, images=20, objects=6, extra=3))
    assert best_score(measured, seed=3) == best_score(measured, seed=3)
    assert best_score(measured, seed=3).scores != best_score(measured, seed=4).scores


def test_the_reported_f1_is_not_better_than_it_is() -> None:
    """Scores say nothing here: each picture has one right and one wrong detection, at random.

    On the same pictures the best score has an F1 above the 2/3 of keeping everything. On others it has not.
    """
    rng = np.random.default_rng(0)
    reported, best = [], []
    for _ in range(40):
        scores = rng.random((12, 2))
        detections = [entry for n, (a, b) in enumerate(scores) for entry in (right(n, a), wrong(n, b))]
        choice = best_score(measure(pictures(12), detections))
        assert choice.f1 is not None
        assert choice.f1_interval is not None
        assert choice.f1_interval[0] < choice.f1 < choice.f1_interval[1]
        reported.append(choice.f1)
        kept = [scores >= score for score in scores.ravel()]
        best.append(max(2 * chosen[:, 0].sum() / (chosen.sum() + 12) for chosen in kept))
    assert np.mean(best) > 2 / 3
    assert np.mean(reported) < 2 / 3
