"""The kinds of errors and their costs: one example of each, worked by hand, and a slow twin on random pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from maskrcnn.evaluation import measure
from maskrcnn.evaluation.analysis.error_kinds import (
    CORRECT,
    KINDS,
    NOT_COUNTED,
    ErrorCost,
    ap_at,
    error_costs,
    error_kinds,
    special_costs,
)
from tests.evaluation.random_sets import random_set
from tests.evaluation.squares import TWO, found, truth

KIND_OF_CODE = {**dict(enumerate(KINDS)), CORRECT: "correct", NOT_COUNTED: "not counted"}


def kinds_of(document: dict[str, Any], detections: list[dict[str, Any]], **options: float) -> list[str]:
    """The kind of each detection, best score first."""
    return [KIND_OF_CODE[code] for code in error_kinds(measure(document, detections), **options).detection.tolist()]


# TWO has two objects of class 1, squares of 40 x 40 at (10, 10) and (100, 100). The first is found with the score .9.
# AP is then 51/101: precision 1 at the recalls 0, .01, ..., .50, which are 51 of 101, and nothing above.
RIGHT = found(0, 1, 10, 10, 40, 0.9)
AP = 51 / 101


def test_ap_of_the_example() -> None:
    assert ap_at(measure(TWO, [RIGHT])) == pytest.approx(AP)


def test_location() -> None:
    """Moved by 20 of 40 pixels: IoU 20 / 60 = 1/3, between .1 and .5. Mended, both objects are found: AP 1."""
    moved = found(0, 1, 120, 100, 40, 0.8)
    assert kinds_of(TWO, [RIGHT, moved]) == ["correct", "location"]
    costs = error_costs(measure(TWO, [RIGHT, moved]))
    assert costs["location"] == ErrorCost(1, pytest.approx(1 - AP))
    # The object that it should have found is not missed, too.
    assert costs["missed"] == ErrorCost(0, 0.0)


def test_class() -> None:
    """The second object is found as class 2. Class 2 has no objects, so AP is that of class 1. Mended, it is 1."""
    wrong = found(0, 2, 100, 100, 40, 0.8)
    assert kinds_of(TWO, [RIGHT, wrong]) == ["correct", "class"]
    costs = error_costs(measure(TWO, [RIGHT, wrong]))
    assert costs["class"] == ErrorCost(1, pytest.approx(1 - AP))
    assert costs["missed"] == ErrorCost(0, 0.0)


def test_a_wrong_class_costs_twice() -> None:
    """A dog at (100, 100) that is found as a cat with .95, above the right cat (.9).

    Class 1 (cat) has one object: wrong, right, so precision 1/2 at all recalls, AP 1/2. Class 2 (dog) has one object
    and no detection: AP 0. The mean is 1/4. Mended, both are 1. Taken out, and not given to the dog, it would be 1/2.
    """
    document = truth((0, 1, 10, 10, 40), (0, 2, 100, 100, 40))
    costs = error_costs(measure(document, [RIGHT, found(0, 1, 100, 100, 40, 0.95)]))
    assert costs["class"] == ErrorCost(1, pytest.approx(3 / 4))
    assert [costs[kind].ap_loss for kind in KINDS if kind != "class"] == [0.0] * 5


def test_both() -> None:
    """Class 2, moved to IoU 1/3, above the right one: class 2 has no objects, so it costs nothing.

    If class 2 has an object elsewhere that is found with a lower score (.5), its AP is 1/2 (wrong, right). AP is the
    mean of 51/101 and 1/2; without the wrong one class 2 has AP 1, so it costs half of 1/2.
    """
    wrong = found(0, 2, 120, 100, 40, 0.95)
    assert kinds_of(TWO, [RIGHT, wrong]) == ["both", "correct"]
    costs = error_costs(measure(TWO, [RIGHT, wrong]))
    assert costs["both"] == ErrorCost(1, 0.0)
    # The object is missed: nothing that could be mended finds it. Without it, class 1 has AP 1.
    assert costs["missed"] == ErrorCost(1, pytest.approx(1 - AP))

    document = truth((0, 1, 10, 10, 40), (0, 1, 100, 100, 40), (0, 2, 10, 100, 40))
    costs = error_costs(measure(document, [RIGHT, wrong, found(0, 2, 10, 100, 40, 0.5)]))
    assert costs["both"] == ErrorCost(1, pytest.approx(1 / 4))


def test_duplicate() -> None:
    """The first object twice (.9 and .8; IoU 38 / 42), then the second (.7): hits are yes, no, yes.

    Precision is 1 up to recall 1/2 (51 recalls) and 2/3 above (50 recalls). Without the duplicate AP is 1.
    """
    detections = [RIGHT, found(0, 1, 12, 10, 40, 0.8), found(0, 1, 100, 100, 40, 0.7)]
    assert kinds_of(TWO, detections) == ["correct", "duplicate", "correct"]
    costs = error_costs(measure(TWO, detections))
    assert costs["duplicate"] == ErrorCost(1, pytest.approx(1 - (51 + 50 * 2 / 3) / 101))


def test_background() -> None:
    """Nothing is there (.95), then the first object: precision is 1/2 at 51 recalls. Without it, it is 1."""
    detections = [RIGHT, found(0, 1, 10, 100, 40, 0.95)]
    assert kinds_of(TWO, detections) == ["background", "correct"]
    assert error_costs(measure(TWO, detections))["background"] == ErrorCost(1, pytest.approx(51 / 2 / 101))


def test_missed() -> None:
    """Nothing is near the second object. Without it, the one detection has found everything: AP 1."""
    measured = measure(TWO, [RIGHT])
    assert [KIND_OF_CODE[code] for code in error_kinds(measured).object.tolist()] == ["correct", "missed"]
    assert error_costs(measured)["missed"] == ErrorCost(1, pytest.approx(1 - AP))


def test_special_costs() -> None:
    """Background (.95), the first object (.9): AP is 51 / 202.

    Without the false positive, precision is 1 at 51 recalls: AP 51/101. Without the missed object, recall goes from 0
    to 1 with precision 1/2: AP 1/2.
    """
    costs = special_costs(measure(TWO, [RIGHT, found(0, 1, 10, 100, 40, 0.95)]))
    assert costs == {
        "false positives": ErrorCost(1, pytest.approx(51 / 202)),
        "missed objects": ErrorCost(1, pytest.approx(1 / 2 - 51 / 202)),
    }


def test_of_several_errors_of_one_object_the_best_score_is_mended() -> None:
    """Two loose detections of the second object (.8 and .7): mended, one of them is right and the other is gone.

    The ranking is then right (.9), right (.8): AP 1. If the other stayed below them, AP would be 1, too; so there is a
    third object with the score .5, which it would push down.
    """
    document = truth((0, 1, 10, 10, 40), (0, 1, 100, 100, 40), (0, 1, 10, 100, 40))
    detections = [RIGHT, *(found(0, 1, 120, 100, 40, score) for score in (0.8, 0.7)), found(0, 1, 10, 100, 40, 0.5)]
    costs = error_costs(measure(document, detections))
    # As it is: hits yes, no, no, yes with 3 objects. Recall 1/3 (34 recalls) at precision 1, 2/3 (33 more) at 1/2.
    assert costs["location"] == ErrorCost(2, pytest.approx(1 - (34 + 33 / 2) / 101))


def test_a_class_error_of_an_object_that_is_found_anyway_is_taken_out() -> None:
    """The first object as class 1 (.9) and as class 2 (.95): nothing is left to find, so the mended one is no hit.

    With an object of class 2 elsewhere (.5), class 2 has AP 1/2, and 1 without the error: it costs 1/4 of the mean.
    """
    document = truth((0, 1, 10, 10, 40), (0, 2, 10, 100, 40))
    detections = [RIGHT, found(0, 2, 10, 10, 40, 0.95), found(0, 2, 10, 100, 40, 0.5)]
    assert kinds_of(document, detections) == ["class", "correct", "correct"]
    assert error_costs(measure(document, detections))["class"] == ErrorCost(1, pytest.approx(1 / 4))


def test_what_lies_on_a_crowd_counts_neither_way() -> None:
    document = truth((0, 1, 10, 10, 40), (0, 1, 100, 100, 40))
    document["annotations"][1]["iscrowd"] = 1
    measured = measure(document, [RIGHT, found(0, 1, 110, 110, 20, 0.95)])
    kinds = error_kinds(measured)
    assert kinds.detection.tolist() == [NOT_COUNTED, CORRECT]
    assert kinds.object.tolist() == [CORRECT, NOT_COUNTED]
    assert kinds.target.tolist() == [-1, -1]
    assert {cost for cost in error_costs(measured).values()} == {ErrorCost(0, 0.0)}


def test_without_objects_there_is_no_ap_to_lose() -> None:
    document = {**TWO, "annotations": []}
    costs = error_costs(measure(document, [RIGHT]))
    assert costs["background"] == ErrorCost(1, None)
    assert ap_at(measure(document, [RIGHT])) is None


def test_without_detections_everything_is_missed() -> None:
    assert error_costs(measure(TWO, []))["missed"] == ErrorCost(2, 1.0)


def test_detections_below_the_score_take_no_part() -> None:
    detections = [RIGHT, found(0, 1, 120, 100, 40, 0.3)]
    assert kinds_of(TWO, detections, min_score=0.5) == ["correct", "not counted"]
    kinds = error_kinds(measure(TWO, detections), min_score=0.5)
    assert KIND_OF_CODE[kinds.object.tolist()[1]] == "missed"


def test_detections_beyond_cocos_limit_take_no_part() -> None:
    """The object has the 101st score of its class in the picture: COCO does not see it, so it is missed."""
    many = [found(0, 1, 150, 10, 20, 0.9 - n / 1000) for n in range(100)]
    measured = measure(truth((0, 1, 10, 10, 40)), [*many, found(0, 1, 10, 10, 40, 0.1)])
    kinds = error_kinds(measured)
    assert kinds.detection.tolist()[-1] == NOT_COUNTED
    assert KIND_OF_CODE[kinds.object.tolist()[0]] == "missed"
    assert ap_at(measured) == measured.coco("segm").summary()["AP50"] == 0.0


class SlowTide:
    """TIDE by loops over dictionaries, from decoded masks, with AP from the corners of the curve."""

    def __init__(
        self, document: dict[str, Any], detections: list[dict[str, Any]], iou: float, background: float
    ) -> None:
        self.objects = document["annotations"]
        self.detections = sorted(detections, key=lambda entry: (entry["image_id"], -entry["score"]))
        self.classes = sorted({entry["category_id"] for entry in self.objects if not entry["iscrowd"]})
        self.iou, self.background = iou, background
        masks = {id(entry): coco_mask.decode(entry["segmentation"]) for entry in [*self.objects, *detections]}
        self.ious = {
            (d, o): self._overlap(masks[id(one)], masks[id(other)], other["iscrowd"])
            for d, one in enumerate(self.detections)
            for o, other in enumerate(self.objects)
            if one["image_id"] == other["image_id"]
        }
        self.partner = self._match()
        self.kind = {d: self._kind(d) for d in range(len(self.detections)) if d not in self.partner}

    @staticmethod
    def _overlap(one: np.ndarray, other: np.ndarray, is_crowd: int) -> float:
        shared = int((one & other).sum())
        return shared / (int(one.sum()) if is_crowd else int((one | other).sum()))

    def _of(self, d: int, *, same: bool, crowd: bool = False) -> list[tuple[float, int]]:
        mine = self.detections[d]["category_id"]
        return [
            (value, o)
            for (one, o), value in self.ious.items()
            if one == d
            and (self.objects[o]["category_id"] == mine) == same
            and bool(self.objects[o]["iscrowd"]) == crowd
        ]

    def _match(self) -> dict[int, int]:
        partner: dict[int, int] = {}
        for d in range(len(self.detections)):
            free = [pair for pair in self._of(d, same=True) if pair[1] not in partner.values()]
            if free and max(free)[0] >= self.iou:
                partner[d] = max(free)[1]
            elif any(value >= self.iou for value, _ in self._of(d, same=True, crowd=True)):
                partner[d] = -1
        return partner

    def _kind(self, d: int) -> tuple[str, int]:
        none = (0.0, -1)
        same = max(self._of(d, same=True), default=none, key=lambda pair: (pair[0], -pair[1]))
        other = max(self._of(d, same=False), default=none, key=lambda pair: (pair[0], -pair[1]))
        if self.background <= same[0] < self.iou:
            return "location", same[1]
        if other[0] >= self.iou:
            return "class", other[1]
        if same[0] >= self.iou:
            return "duplicate", same[1]
        if max(same[0], other[0]) <= self.background:
            return "background", -1
        return "both", other[1]

    def ap(self, rows: list[tuple[float, int, bool]], n_objects: dict[int, int]) -> float:
        """The mean of the classes, from (score, class, hit); TIDE's rule for classes that have lost their objects."""
        values = []
        for category in self.classes:
            ranked = sorted([row for row in rows if row[1] == category], key=lambda row: -row[0])
            if n_objects[category] == 0:
                values += [0.0] if ranked else []
                continue
            curve, hits = [], 0
            for rank, (_, _, hit) in enumerate(ranked, start=1):
                hits += hit
                curve.append((hits / n_objects[category], hits / rank))
            levels = [
                max([precision for recall, precision in curve if recall >= level], default=0.0)
                for level in np.linspace(0, 1, 101)
            ]
            values.append(sum(levels) / 101)
        return sum(values) / len(values) if values else 1.0

    def costs(self) -> dict[str, tuple[int, float]]:
        unfound = [o for o, entry in enumerate(self.objects) if not entry["iscrowd"] and o not in self.partner.values()]
        could = {
            o: [d for d, (kind, goal) in self.kind.items() if goal == o and kind in ("class", "location")]
            for o in unfound
        }
        missed = [o for o in unfound if not could[o]]
        winners = {min(group): o for o, group in could.items() if group}  # in a picture the best score comes first
        labelled = [entry["category_id"] for entry in self.objects if not entry["iscrowd"]]
        n_objects = {category: labelled.count(category) for category in self.classes}

        def rows(mended: str) -> list[tuple[float, int, bool]]:
            found = []
            for d, entry in enumerate(self.detections):
                kind = self.kind.get(d, ("", -1))[0]
                if self.partner.get(d) == -1 or (kind and kind == mended and d not in winners):
                    continue
                is_mended = bool(kind) and kind == mended
                category = self.objects[winners[d]]["category_id"] if is_mended else entry["category_id"]
                found.append((entry["score"], category, is_mended or not kind))
            return found

        fewer = {c: n - sum(self.objects[o]["category_id"] == c for o in missed) for c, n in n_objects.items()}
        least = {c: n - sum(self.objects[o]["category_id"] == c for o in unfound) for c, n in n_objects.items()}
        now = self.ap(rows(""), n_objects)
        kinds = [kind for kind, _ in self.kind.values()]
        costs = {kind: (kinds.count(kind), self.ap(rows(kind), n_objects) - now) for kind in KINDS[:-1]}
        costs["missed"] = (len(missed), self.ap(rows(""), fewer) - now)
        only_hits = [row for row in rows("") if row[2]]
        costs["false positives"] = (len(kinds), self.ap(only_hits, n_objects) - now)
        costs["missed objects"] = (len(unfound), self.ap(rows(""), least) - now)
        return costs


def test_costs_are_those_of_the_slow_twin() -> None:
    for seed in range(60):
        document, detections = random_set(seed, images=3, objects=6, extra=seed % 4)
        if all(entry["iscrowd"] for entry in document["annotations"]):
            continue
        iou, background = (0.5, 0.1) if seed % 2 else (0.7, 0.25)
        measured = measure(document, detections)
        costs = {**error_costs(measured, iou, background), **special_costs(measured, iou)}
        expected = SlowTide(document, detections, iou, background).costs()
        assert {name: cost.count for name, cost in costs.items()} == {name: n for name, (n, _) in expected.items()}
        for name, (_, loss) in expected.items():
            assert costs[name].ap_loss == pytest.approx(loss, abs=1e-12), (seed, name)


@pytest.mark.parametrize("seed", range(4))
def test_ap_is_cocos(seed: int) -> None:
    document, detections = random_set(seed, images=6, objects=6, extra=3)
    measured = measure(document, detections)
    summary = measured.coco("segm").summary()
    assert (ap_at(measured, 0.5), ap_at(measured, 0.75)) == pytest.approx((summary["AP50"], summary["AP75"]))
