"""Which epoch is the best, when patience runs out, and the means of an epoch."""

from __future__ import annotations

import pytest

from maskrcnn.config import Config
from maskrcnn.training.run_history import RunHistory

CONFIG = Config.preset("classroom", patience=2)


def course_of(*scores: float | None, config: Config = CONFIG, validated: bool = True) -> RunHistory:
    course = RunHistory()
    for score in scores:
        course.finish(config, {"segm_ap": score, "bbox_ap": 0.9} if validated else {}, validated=validated)
    return course


def test_the_best_epoch_is_the_first_with_the_highest_ap() -> None:
    course = course_of(0.1, 0.3, 0.2, 0.3)
    assert (course.finished, course.best_epoch, course.best_score, course.stale) == (4, 2, 0.3, 2)


def test_an_ap_of_zero_is_no_reason_to_keep_nothing() -> None:
    assert course_of(0.0, 0.0).best_epoch == 1


def test_without_ground_truth_of_masks_boxes_decide() -> None:
    course = course_of(None, None)
    assert (course.best_epoch, course.best_score, course.best_measure) == (1, 0.9, "bbox_ap")
    assert course_of(None, 0.0).best_epoch == 2


def test_where_nothing_is_measured_the_last_epoch_is_the_best_and_patience_waits() -> None:
    course = RunHistory()
    for _ in range(4):
        course.finish(CONFIG, {"segm_ap": None, "bbox_ap": None}, validated=True)
    assert (course.best_epoch, course.best_score, course.stopped_early) == (4, None, False)


def test_a_state_of_an_older_studio_is_one_to_go_on_from() -> None:
    """It said -1 where nothing was measured, and not by what an epoch was the best."""
    course = RunHistory()
    course.restore({"finished": 2, "best_epoch": 1, "best_score": -1.0, "stale": 1})
    course.finish(CONFIG, {"segm_ap": 0.0}, validated=True)
    assert (course.best_epoch, course.best_score) == (3, 0.0)
    other = RunHistory()
    other.restore({"finished": 2, "best_epoch": 1, "best_score": 0.3, "stale": 1})
    other.finish(CONFIG, {"segm_ap": 0.3}, validated=True)
    assert (other.best_epoch, other.stopped_early) == (1, True)


def test_without_validation_every_epoch_is_the_best_so_far() -> None:
    course = course_of(None, None, None, validated=False)
    assert (course.best_epoch, course.stopped_early) == (3, False)


def test_patience_counts_epochs_since_the_best() -> None:
    assert not course_of(0.2, 0.1).stopped_early
    assert course_of(0.2, 0.1, 0.2).stopped_early
    assert not course_of(0.2, 0.1, 0.3).stopped_early
    assert not course_of(0.2, 0.1, 0.1, 0.1, config=Config.preset("classroom")).stopped_early


def test_patience_that_had_run_out_begins_anew() -> None:
    course = RunHistory()
    course.restore(course_of(0.2, 0.1, 0.1).state())
    assert (course.stopped_early, course.stale, course.best_epoch) == (False, 0, 1)
    course.finish(CONFIG, {"segm_ap": 0.1}, validated=True)
    assert not course.stopped_early


def test_the_means_of_an_epoch() -> None:
    course = RunHistory()
    course.add({"loss": 1.0, "waiting": 0.5}, "heads")
    course.add({"loss": 2.0, "waiting": 0.0}, "all")
    assert course.means(2) == {"layers": "all", "loss": 1.5, "waiting": 0.25}
    again = RunHistory()
    again.restore(course.state())
    again.add({"loss": 6.0, "waiting": 1.0}, "all")
    assert again.means(3) == {"layers": "all", "loss": 3.0, "waiting": 0.5}
    again.finish(CONFIG, {"segm_ap": 0.1}, validated=True)
    again.add({"loss": 4.0}, "all")
    assert again.means(1) == {"layers": "all", "loss": pytest.approx(4.0)}
