"""Two reports of the same pictures against each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import Report, compare, evaluate
from maskrcnn.evaluation.bootstrap import PictureSamples, difference_interval
from maskrcnn.evaluation.comparison import verdict
from maskrcnn.evaluation.detection_evidence import class_rankings
from maskrcnn.evaluation.figure_definitions import VERDICTS
from maskrcnn.evaluation.ranking_ap import FIGURES, PICTURES_AT_ONCE, ap_from_rankings, ap_of_each_picture
from tests.evaluation.random_sets import random_poses, random_set
from tests.evaluation.squares import FIRST, NOWHERE, found, truth

PICTURES = 40
ONE_EACH = truth(*((n, 1, *FIRST) for n in range(PICTURES)), images=PICTURES)
ALL_FOUND = [found(n, 1, *FIRST, 0.5 + n / 100) for n in range(PICTURES)]


def measured(document: dict[str, Any], detections: list[dict[str, Any]], **options: Any) -> Report:
    return evaluate(document, detections, with_evidence=True, **options)


def reread(content: dict[str, Any]) -> Report:
    """The report b.json with that content."""
    return Report.from_json(json.loads(json.dumps(content)), "b.json")


def test_a_network_against_itself_differs_by_nothing() -> None:
    report = measured(*random_set(1, images=8, objects=4, extra=4))
    same = compare(report, reread(report.to_json()), resamples=200)
    for kind in ("bbox", "segm"):
        for row in same[kind].values():
            assert (row["difference"], row["difference_interval"], row["verdict"]) == (0, [0, 0], "contains 0")
            assert row["a"] == row["b"]
            assert row["a_interval"] == row["b_interval"]
    assert same["keypoints"] is None
    pictures = same["per_image"]
    assert (pictures["a_better"], pictures["b_better"]) == (0, 0)
    assert pictures["equal"] + pictures["without_objects"] == 8


def test_one_that_misses_every_object_in_half_of_the_pictures_is_worse() -> None:
    """Precision 1 up to recall 1/2 is 51 of the 101 recalls."""
    half = [entry for entry in ALL_FOUND if entry["image_id"] % 2]
    report = compare(measured(ONE_EACH, ALL_FOUND), measured(ONE_EACH, half), resamples=400)
    for row in report["segm"].values():
        assert (row["a"], row["b"]) == pytest.approx((1, 51 / 101))
        assert row["difference"] == pytest.approx(-50 / 101)
        low, high = row["difference_interval"]
        # Without a picture, 19 or 20 of 39 objects are found: recall .487 or .513, precision 1 at 49 or 52 of the 101
        # recalls, so 1.5 / 101 from their mean. The standard error is sqrt(39 / 40 * 40) * .01485 = .0927, and the t of
        # 39 degrees of freedom 2.0227.
        assert (high - low) / 2 == pytest.approx(0.0927 * 2.0227, abs=5e-4)
        assert (high + low) / 2 == pytest.approx(-50 / 101)
        assert row["verdict"] == "away from 0"
    pictures = report["per_image"]
    assert (pictures["a_better"], pictures["b_better"], pictures["equal"]) == (20, 0, 20)
    assert pictures["pictures"][0] == {"file": "0.jpg", "a": pytest.approx(1), "b": 0, "difference": pytest.approx(-1)}


def test_swapping_the_reports_turns_the_sign() -> None:
    document, detections = random_set(2, images=10, objects=4, extra=4)
    reports = measured(document, detections), measured(document, detections[::2])
    one, other = compare(*reports, resamples=200), compare(*reversed(reports), resamples=200)
    for name in FIGURES:
        low, high = one["segm"][name]["difference_interval"]
        assert other["segm"][name]["difference_interval"] == pytest.approx([-high, -low])
        assert other["segm"][name]["difference"] == -one["segm"][name]["difference"]
        assert other["segm"][name]["a_interval"] == one["segm"][name]["b_interval"]
    assert one["per_image"]["a_better"] == other["per_image"]["b_better"]


def test_a_paired_interval_is_narrower_than_an_unpaired_one() -> None:
    """Both find what is easy and miss what is hard; B misses a little more. How many hard pictures a draw holds moves
    both APs together, and cancels in their difference only where both are measured on the same draw."""
    easy = [entry for entry in ALL_FOUND if entry["image_id"] % 2]
    a, b = measured(ONE_EACH, easy), measured(ONE_EACH, easy[1:])
    paired = compare(a, b, resamples=400)["segm"]["AP"]["difference_interval"]
    samples = PictureSamples.draw(PICTURES, 400)
    alone_a, alone_b = (
        samples.figures(ap_from_rankings(class_rankings(report, "segm"), samples.times))["AP"] for report in (a, b)
    )
    # Unpaired: another picture is left out of A than of B.
    shuffled = np.random.default_rng(1).permutation(alone_a.left_out, axis=1)
    unpaired = difference_interval(alone_b.minus(alone_a._replace(left_out=shuffled)))
    assert unpaired is not None
    # One picture of 40 makes the difference: sqrt(1/40 * 39/40 / 40) = .025; each AP alone has .079.
    assert np.ptp(paired) < 0.5 * np.ptp(unpaired)


def test_a_difference_that_only_pairing_finds() -> None:
    """Of 40 objects A finds 20, and B 13 of those: their intervals overlap, that of the difference is below 0."""
    worse = [entry for entry in ALL_FOUND[::2] if entry["image_id"] % 6]
    row = compare(measured(ONE_EACH, ALL_FOUND[::2]), measured(ONE_EACH, worse), resamples=400)["segm"]["AP"]
    assert row["a_interval"][0] < row["b_interval"][1]
    assert row["verdict"] == "away from 0"


@pytest.mark.parametrize("seed", range(2))
def test_pictures_are_those_of_the_reports(seed: int) -> None:
    document, detections = random_set(seed, images=7, objects=3, extra=3)
    a, b = measured(document, detections), measured(document, detections[1::2])
    rows = compare(a, b, resamples=100)["per_image"]
    assert rows["kind"] == "segm"
    for row, ours, theirs in zip(rows["pictures"], a.per_image, b.per_image, strict=True):
        assert row["file"] == ours.file
        assert (row["a"], row["b"]) == (approximate(ours.ap), approximate(theirs.ap))
    assert rows["a_better"] + rows["b_better"] + rows["equal"] + rows["without_objects"] == 7
    assert rows["without_objects"] == sum(row.ap is None for row in a.per_image)


def approximate(number: float | None) -> Any:
    return None if number is None else pytest.approx(number)


def test_keypoints_are_compared_where_both_have_them() -> None:
    document, detections = random_poses(0)
    both = measured(document, detections, tasks=("box", "keypoints"))
    boxes = measured(document, detections, tasks=("box",))
    assert compare(both, both, resamples=100)["keypoints"]["AP"]["a"] == pytest.approx(both.keypoints["AP"])
    assert compare(both, both, resamples=100)["per_image"]["kind"] == "keypoints"
    without = compare(both, boxes, resamples=100)
    assert (without["keypoints"], without["segm"], without["per_image"]["kind"]) == (None, None, "bbox")
    assert without["bbox"]["AP"]["difference"] == 0


def test_poses_are_compared_by_their_own_ranking() -> None:
    """The same detections with two scores of their poses: boxes are equal, keypoints are as each report says."""
    document, detections = random_poses(1)
    poses = [
        measured(document, [{**entry, "pose_score": score(n)} for n, entry in enumerate(detections)])
        for score in (lambda n: n / 100, lambda n: 1 - n / 100)
    ]
    found = compare(*poses, resamples=100)
    assert found["bbox"]["AP"]["difference"] == 0
    assert found["keypoints"]["AP"]["difference"] != 0
    for side, report in zip("ab", poses, strict=True):
        assert found["keypoints"]["AP"][side] == pytest.approx(report.keypoints["AP"])


def test_one_picture_has_no_interval() -> None:
    report = measured(truth((0, 1, *FIRST)), [found(0, 1, *FIRST, 0.9)])
    row = compare(report, report, resamples=100)["segm"]["AP"]
    assert (row["difference"], row["difference_interval"], row["verdict"]) == (0, None, "no interval")


def test_nothing_to_find() -> None:
    report = measured(truth(images=3), [found(0, 1, *FIRST, 0.9)])
    found_nothing = compare(report, report, resamples=100)
    assert found_nothing["segm"]["AP"] == {**dict.fromkeys(found_nothing["segm"]["AP"]), "verdict": "no interval"}
    assert found_nothing["per_image"]["without_objects"] == 3
    json.dumps(found_nothing, allow_nan=False)


@pytest.mark.parametrize(
    ("edges", "says"),
    [
        ([0.01, 0.2], "away from 0"),
        ([-0.2, -0.01], "away from 0"),
        ([-0.1, 0.1], "contains 0"),
        ([0.0, 0.1], "contains 0"),
        (None, "no interval"),
    ],
)
def test_verdicts(edges: list[float] | None, says: str) -> None:
    assert verdict(edges) == says
    assert VERDICTS[says]


def changed(change: Callable[[dict[str, Any]], Any]) -> Report:
    """The labels of two pictures after a change, measured."""
    document = truth((0, 1, *FIRST), (1, 2, *FIRST), images=2)
    change(document)
    return measured(document, [found(0, 1, *NOWHERE, 0.9)])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d["images"][1].update(file_name="x.jpg"), 'picture "1.jpg": in a.json, not in b.json'),
        (lambda d: d["images"].append({**d["images"][0], "id": 9, "file_name": "z"}), '"z": in b.json, not in a.json'),
        (lambda d: d["images"].reverse(), "b.json: holds the pictures of a.json in another order"),
        (lambda d: d["categories"][1].update(name="cat"), "class 1, class 2 in a.json, cat, class 1 in b.json"),
        (lambda d: d["annotations"].pop(), 'picture "1.jpg": objects: 1 in a.json, 0 in b.json'),
        (
            lambda d: d["annotations"][1].update(category_id=1),
            'picture "1.jpg": objects of the class "class 1": 0 in a',
        ),
    ],
)
def test_what_is_not_comparable_is_named(change: Callable[[dict[str, Any]], Any], says: str) -> None:
    with pytest.raises(StudioError) as raised:
        compare(changed(lambda document: None), changed(change), ("a.json", "b.json"), resamples=100)
    assert says in str(raised.value)


def test_another_min_score_is_no_matter() -> None:
    """It decides which detections are counted in a picture; AP looks at all of them."""
    a, b = (measured(ONE_EACH, ALL_FOUND, min_score=score) for score in (0.5, 0.9))
    assert compare(a, b, resamples=100)["segm"]["AP"]["difference_interval"] == [0, 0]


def test_keypoints_that_were_measured_by_other_sigmas_are_not_compared() -> None:
    document, detections = random_poses(0)
    tasks = ("box", "keypoints")
    count = len(document["annotations"][0]["keypoints"]) // 3
    a, b = (measured(document, detections, tasks=tasks, sigmas=[sigma] * count) for sigma in (0.05, 0.3))
    assert a.sigmas == (0.05,) * count
    with pytest.raises(StudioError, match=r"by other sigmas \(a.json, b.json\)"):
        compare(a, b, ("a.json", "b.json"), resamples=100)
    assert compare(a, a, resamples=100)["keypoints"]["AP"]["difference"] == 0
    boxes = measured(document, detections, tasks=("box",))
    assert boxes.sigmas is None
    assert compare(a, boxes, resamples=100)["keypoints"] is None


def test_pictures_alone_when_there_are_more_than_are_looked_at_together() -> None:
    """Two rounds of `each_alone`, and a part of a third."""
    count = 2 * PICTURES_AT_ONCE + 3
    document = truth(*((n, 1, *FIRST) for n in range(count)), images=count)
    missed = {0, PICTURES_AT_ONCE - 1, PICTURES_AT_ONCE, 2 * PICTURES_AT_ONCE + 2}
    detections = [found(n, 1, *FIRST, 0.9) for n in range(count) if n not in missed]
    alone = ap_of_each_picture(class_rankings(measured(document, detections), "segm"), count)
    assert alone.tolist() == pytest.approx([0.0 if n in missed else 1.0 for n in range(count)])


def test_reports_without_evidence_or_with_damaged_evidence_are_to_be_made_again() -> None:
    report = measured(ONE_EACH, ALL_FOUND)
    content = report.to_json()
    old = {key: value for key, value in content.items() if key != "evidence"}
    for without in (old, {**old, "evidence": None}):
        with pytest.raises(StudioError, match=r"old.json: holds no evidence .* `python -m maskrcnn evaluate"):
            compare(report, reread(without), ("new.json", "old.json"), resamples=100)
    for damage in ({}, {"classes": [{"name": "class 1"}]}, {"classes": None}, []):
        with pytest.raises(StudioError, match="is damaged"):
            compare(reread({**content, "evidence": damage}), report, resamples=100)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda r: r.update(bbox=None), "its bbox is damaged"),
        (lambda r: r.pop("segm"), "its segm is damaged"),
        (lambda r: r["per_image"][3].pop("file"), "its per_image.3.file is damaged"),
        (lambda r: r["per_image"][0].update(n_gt="one"), "its per_image.0.n_gt is damaged"),
        (lambda r: one_class(r).update(name=7), "its evidence.classes.0.name is damaged"),
        (lambda r: one_class(r)["segm"]["found"].pop(), "its evidence of each picture is damaged"),
        (lambda r: one_class(r)["scores"].pop(), "its evidence of each picture is damaged"),
        (lambda r: one_class(r).update(scores=[""] * PICTURES), "its evidence of each picture is damaged"),
        (lambda r: one_class(r)["bbox"].update(ignored=["0 0"] * PICTURES), "its evidence of each picture is damaged"),
        (lambda r: one_class(r)["bbox"].update(objects="many"), "its evidence of each picture is damaged"),
        (lambda r: one_class(r).pop("segm"), "its evidence of each picture is damaged"),
    ],
)
def test_a_damaged_report_is_named(damage: Callable[[dict[str, Any]], Any], says: str) -> None:
    report = measured(ONE_EACH, ALL_FOUND)
    torn = json.loads(json.dumps(report.to_json()))
    damage(torn)
    with pytest.raises(StudioError, match=r"^b\.json: ") as raised:
        compare(report, reread(torn), ("a.json", "b.json"), resamples=100)
    assert says in str(raised.value)


def one_class(report: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = report["evidence"]["classes"][0]
    return entry


def test_classes_may_come_in_another_order() -> None:
    """Two networks that were trained with their classes in different orders."""
    document, detections = random_set(5, images=5, objects=4, extra=2)
    turned = {**document, "categories": [{"id": 4 - c["id"], "name": c["name"]} for c in document["categories"][::-1]]}
    turned["annotations"] = [{**entry, "category_id": 4 - entry["category_id"]} for entry in document["annotations"]]
    moved = [{**entry, "category_id": 4 - entry["category_id"]} for entry in detections]
    row = compare(measured(document, detections), measured(turned, moved), resamples=100)["segm"]["AP"]
    assert row["difference_interval"] == pytest.approx([0, 0], abs=1e-12)
