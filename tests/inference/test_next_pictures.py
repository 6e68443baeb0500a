"""Which picture to label next: places, distances and reasons by hand."""

import numpy as np
import pytest

from maskrcnn.annotations import pictures
from maskrcnn.inference import load
from maskrcnn.inference.next_pictures import Look, Order, look, rank
from maskrcnn.install_folders import DATA
from maskrcnn.model import detect


def entry(*scores: float, at: tuple[float, float] = (0.0, 0.0)) -> Look:
    return Look(np.float32(at), tuple({"score": score} for score in scores))


def test_unsureness_is_the_sum_over_detections() -> None:
    # 1 - |2 * 0.5 - 1| = 1, 1 - |2 * 0.9 - 1| = 0.2, 1 - |2 * 0.25 - 1| = 0.5; below 0.1 nothing counts
    assert entry(0.9, 0.5, 0.25, 0.05).unsureness == pytest.approx(1.7)
    assert entry(1.0).unsureness == 0
    assert entry(0.05).unsureness == 1.0  # nothing is found


def test_unsure_pictures_first() -> None:
    looks = {"sure": entry(0.99), "two": entry(0.5, 0.5), "none": entry()}
    assert [found.key for found in rank(looks, [], order="unsure")] == ["two", "none", "sure"]
    assert [found.key for found in rank(looks, [], 1, order="unsure")] == ["two"]


def test_different_pictures_first_and_what_is_chosen_counts_as_labelled() -> None:
    """On a line with one labelled at 0: 10 is farthest; then 4 (4 from 0), 2 (2 from 0 and 4), and 9 (1 from 10)."""
    places = {"two": 2.0, "four": 4.0, "nine": 9.0, "ten": 10.0}
    looks = {name: entry(0.5, at=(place, 0)) for name, place in places.items()}
    found = rank(looks, [np.float32([0, 0])], order="different")
    assert [one.key for one in found] == ["ten", "four", "two", "nine"]


@pytest.mark.parametrize("order", ["cover", "both"])
def test_both_together(order: Order) -> None:
    """Equally different: the one that the network is less sure of. Equally unsure: the one that differs more."""
    left, right = (-5.0, 0.0), (5.0, 0.0)
    looks = {"sure": entry(0.99, at=left), "unsure": entry(0.5, at=right)}
    assert rank(looks, [np.float32([0, 0])], order=order)[0].key == "unsure"
    looks = {"close": entry(0.5, at=(1.0, 0.0)), "far": entry(0.5, at=(9.0, 0.0))}
    assert rank(looks, [np.float32([0, 0])], order=order)[0].key == "far"


def test_reasons_say_what_was_counted() -> None:
    # Each feature is divided by its spread, so "a" and "c" are equally far from what is labelled, and "b" is not.
    looks = {"a": entry(0.5, 0.4, 0.95, at=(9.0, 0.0)), "b": entry(0.95), "c": entry(at=(0.0, 1.0))}
    reasons = {found.key: found.reason for found in rank(looks, [np.float32([0, 0])], order="both")}
    assert reasons == {
        "a": "2 objects of which the network is not sure; very unlike the pictures that are labelled",
        "b": "1 object of which the network is sure; similar to the pictures that are labelled",
        "c": "the network finds nothing in it; very unlike the pictures that are labelled",
    }


def test_no_pictures_and_equal_pictures() -> None:
    assert rank({}, []) == []
    same = {number: entry(0.5) for number in range(3)}
    assert [found.key for found in rank(same, [])] == [0, 1, 2]


def test_a_look_has_the_detections_of_detect_and_features_that_tell_pictures_apart() -> None:
    toy = load(DATA / "weights" / "toy", device="cpu", precision="float32")
    paths = sorted((DATA / "shapes" / "val").glob("*.jpg"))[:2]
    one, other = (look(toy, pictures.load(path)) for path in paths)
    assert list(one.detections) == detect(toy, pictures.load(paths[0]))
    assert one.features.shape == (5 * 64,)
    assert one.features.dtype == np.float32
    again = look(toy, pictures.load(paths[0]))
    assert np.linalg.norm(one.features - again.features) < 1e-4 < np.linalg.norm(one.features - other.features)


def test_a_picture_that_stands_for_others_comes_first() -> None:
    """Three at 9, 10 and 11 and one at -30, one labelled at 0, all equally unsure (weight 0.55 each).

    What 10 takes off the distances: 9 - 1, 10 and 11 - 1, together 28, of which -30 has none; -30 takes off 30; 9 takes
    off 9, 10 - 1 and 11 - 2, together 27. So -30 is first here, and 10 with one more picture beside it.
    """
    at = {"nine": 9.0, "ten": 10.0, "eleven": 11.0, "far": -30.0}
    looks = {name: entry(0.5, at=(place, 0)) for name, place in at.items()}
    assert [found.key for found in rank(looks, [np.float32([0, 0])], 2, "cover")] == ["far", "ten"]
    looks["too"] = entry(0.5, at=(10.0, 0.0))
    assert [found.key for found in rank(looks, [np.float32([0, 0])], 2, "cover")] == ["ten", "far"]


def test_without_labels_the_most_typical_picture_comes_first() -> None:
    looks = {name: entry(0.5, at=(place, 0)) for name, place in (("left", -3.0), ("middle", 0.0), ("right", 4.0))}
    assert rank(looks, [], 1, "cover")[0].key == "middle"


def test_a_reason_counts_the_pictures_that_it_stands_for() -> None:
    """ "ten" is nearer to nine and eleven than the labelled one at 0. After it, "far" stands for nobody else."""
    at = {"nine": 9.0, "ten": 10.0, "eleven": 11.0, "far": -20.0}
    looks = {name: entry(0.5, at=(place, 0)) for name, place in at.items()}
    first, second, *_ = rank(looks, [np.float32([0, 0])])
    assert (first.key, first.reason) == (
        "ten",
        "1 object of which the network is not sure; it stands for 2 other pictures",
    )
    assert second.key == "far"
    assert second.reason == "1 object of which the network is not sure; very unlike the pictures that are labelled"
