"""Keypoints by OKS, and networks that find no masks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import coco_summary, evaluate, match_image
from tests.evaluation.official import official, value
from tests.evaluation.random_sets import random_poses

SIDE = 60
"""Side of the square objects: s, the root of their area."""

Places = list[tuple[float, float]]


def truth(*poses: Places, visible: tuple[int, ...] = (), **changes: Any) -> dict[str, Any]:
    """One picture of objects over [100, 160] x [100, 160], one for each pose, and all of the class 1."""
    return {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 400, "height": 400}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [
            {
                "id": number,
                "image_id": 1,
                "category_id": 1,
                "iscrowd": 0,
                "bbox": [100, 100, SIDE, SIDE],
                "area": SIDE * SIDE,
                "segmentation": [[100, 100, 160, 100, 160, 160, 100, 160]],
                "keypoints": flat(pose, visible or (2,) * len(pose)),
                "num_keypoints": sum(v > 0 for v in visible or (2,) * len(pose)),
                **changes,
            }
            for number, pose in enumerate(poses, start=1)
        ],
    }


def flat(pose: Places, visible: tuple[int, ...]) -> list[float]:
    return [value for (x, y), v in zip(pose, visible, strict=True) for value in ((x, y, v) if v else (0, 0, 0))]


def found(pose: Places, score: float = 0.9, **changes: Any) -> dict[str, Any]:
    entry = {"image_id": 1, "category_id": 1, "score": score, "bbox": [100, 100, SIDE, SIDE]}
    return {**entry, "keypoints": flat(pose, (2,) * len(pose)), **changes}


FIGURES = ("AP", "AP50", "AP75", "APm", "APl", "AR", "AR50", "AR75", "ARm", "ARl")
POSE: Places = [(110.0, 110.0), (150.0, 150.0)]
SIGMAS = (0.05, 0.1)
"""k = 2 sigma = 0.1 and 0.2, so s k is 6 and 12 pixels: there the similarity is exp(-1/2) = 0.6065."""


def moved(first: float, second: float) -> Places:
    (x0, y0), (x1, y1) = POSE
    return [(x0 + first, y0), (x1, y1 - second)]


@pytest.mark.parametrize(
    ("pose", "visible", "sigmas", "thresholds"),
    [
        pytest.param(POSE, (2, 2), SIGMAS, 10, id="exact"),
        # (0.6065 + 1) / 2 = 0.803: a hit at .50 to .80.
        pytest.param(moved(6, 0), (2, 2), SIGMAS, 7, id="first off by s k"),
        pytest.param(moved(0, 12), (2, 2), SIGMAS, 7, id="second off by s k"),
        # 0.6065: a hit at .50, .55 and .60.
        pytest.param(moved(6, 12), (2, 2), SIGMAS, 3, id="both off by s k"),
        pytest.param(moved(6, 0), (2, 0), SIGMAS, 3, id="second not labelled"),
        pytest.param(moved(6, 0), (2, 1), SIGMAS, 7, id="a hidden one counts"),
        # exp(-2) = 0.135, so 0.568: .50 and .55.
        pytest.param(moved(12, 0), (2, 2), SIGMAS, 2, id="first off by 2 s k"),
        # The same with twice the sigma is half as far: exp(-1/8) = 0.8825, so 0.941: .50 to .90.
        pytest.param(moved(6, 0), (2, 2), (0.1, 0.1), 9, id="larger sigma"),
    ],
)
def test_oks_by_hand(pose: Places, visible: tuple[int, ...], sigmas: tuple[float, ...], thresholds: int) -> None:
    summary = coco_summary(truth(POSE, visible=visible), [found(pose)], "keypoints", sigmas)
    assert summary["AP"] == pytest.approx(thresholds / 10)
    # 60 x 60 is a medium object.
    assert (summary["APm"], summary["APl"]) == (pytest.approx(thresholds / 10), None)
    assert tuple(summary) == FIGURES


@pytest.mark.parametrize("count", [1, 5, 21])
def test_any_number_of_keypoints_with_the_usual_sigma(count: int) -> None:
    """0.05 for each: all off by 6 px of 60 give 0.6065."""
    pose = [(105.0 + 2 * n, 120.0) for n in range(count)]
    summary = coco_summary(truth(pose), [found([(x, y + 6) for x, y in pose])], "keypoints")
    assert summary["AP"] == pytest.approx(0.3)


def test_there_is_a_sigma_for_each_keypoint() -> None:
    with pytest.raises(StudioError, match="sigmas: there are 3, but the objects have 2 keypoints; give one for each"):
        coco_summary(truth(POSE), [found(POSE)], "keypoints", (0.1, 0.1, 0.1))


@pytest.mark.parametrize(("down", "medium"), [(2, 1.0), (20, 0.5), (93, 1.0)])
def test_a_pose_that_finds_nobody_is_as_large_as_the_box_around_its_places(down: float, medium: float) -> None:
    """100 px across: small up to 10.24 px down, large from 92.16 on; between it is a mistake of that size."""
    astray = found([(200.0, 200.0), (300.0, 200.0 + down)], 0.95)
    assert coco_summary(truth(POSE), [astray, found(POSE)], "keypoints", SIGMAS)["APm"] == pytest.approx(medium)


def test_seventeen_have_cocos_sigmas() -> None:
    """The nose (0.026, k = 0.052) is off by s k = 3.12 px, the rest exact: (0.6065 + 16) / 17 = 0.977."""
    pose = [(105.0 + 3 * n, 120.0) for n in range(17)]
    off = [(105.0, 120.0 + 0.052 * SIDE), *pose[1:]]
    only_the_nose = (2, *(0,) * 16)
    assert coco_summary(truth(pose), [found(off)], "keypoints")["AP"] == pytest.approx(1.0)
    assert coco_summary(truth(pose, visible=only_the_nose), [found(off)], "keypoints")["AP"] == pytest.approx(0.3)


@pytest.mark.parametrize("changes", [{"iscrowd": 1}, {"keypoints": [0] * 6, "num_keypoints": 0}, {"keypoints": None}])
def test_a_crowd_and_an_object_without_keypoints_count_neither_way(changes: dict[str, Any]) -> None:
    document = truth(POSE, [(310.0, 310.0), (350.0, 350.0)])
    document["annotations"][1] |= {"bbox": [300, 300, SIDE, SIDE], "segmentation": [[300, 300, 360, 300, 360, 360]]}
    document["annotations"][1] |= changes
    there = found([(310.0, 310.0), (350.0, 350.0)], score=0.99)
    assert coco_summary(document, [there, found(POSE)], "keypoints", SIGMAS)["AP"] == pytest.approx(1.0)


def test_twenty_detections_of_a_picture_count() -> None:
    nowhere = [found([(300.0, 300.0), (390.0, 390.0)], score=0.9) for _ in range(19)]
    best = found(POSE, score=0.1)
    assert coco_summary(truth(POSE), [*nowhere, best], "keypoints", SIGMAS)["AP"] == pytest.approx(0.05, abs=0.001)
    assert coco_summary(truth(POSE), [*nowhere, nowhere[0], best], "keypoints", SIGMAS)["AP"] == 0


def test_poses_are_ranked_by_their_own_score() -> None:
    """One exact, one nowhere: AP 1 with the exact one first, with the other first every recall has the precision 1 / 2.
    Boxes, the same for both, keep the order of the score; the box of the one nowhere lies aside."""
    exact = found(POSE, score=0.4, pose_score=0.4)
    nowhere = found([(300.0, 300.0), (390.0, 390.0)], score=0.9, bbox=[300, 300, SIDE, SIDE])
    by_pose = evaluate(truth(POSE), [exact, {**nowhere, "pose_score": 0.1}], sigmas=SIGMAS)
    assert by_pose.keypoints["AP"] == pytest.approx(1.0)
    assert by_pose.per_image[0].keypoints_ap == pytest.approx(1.0)
    assert by_pose.bbox["AP"] == pytest.approx(0.5)
    by_score = evaluate(truth(POSE), [found(POSE, score=0.4), nowhere], sigmas=SIGMAS)
    assert by_score.keypoints["AP"] == pytest.approx(0.5)


@pytest.mark.parametrize(("first", "says"), [(True, 'lacks the "pose_score" that entry 0 has'), (False, "has a")])
def test_all_poses_have_a_score_of_their_own_or_none_has(first: bool, says: str) -> None:
    with_one, without = found(POSE, pose_score=0.5), found(POSE)
    detections = [with_one, with_one, without] if first else [without, without, with_one]
    with pytest.raises(StudioError, match=f"entry 2 {says}"):
        evaluate(truth(POSE), detections, sigmas=SIGMAS)
    assert evaluate(truth(POSE), detections, tasks=("box",)).bbox["AP"] == pytest.approx(1.0)


def test_results_in_cocos_own_form_have_no_box() -> None:
    result = found(POSE)
    del result["bbox"]
    assert coco_summary(truth(POSE), [result], "keypoints", SIGMAS)["AP"] == pytest.approx(1.0)


# Against pycocotools' own demo


@pytest.mark.parametrize("seed", range(4))
def test_the_summary_is_pycocotools_own(seed: int) -> None:
    document, detections = random_poses(seed)
    ours = [value(number) for number in coco_summary(document, detections, "keypoints").values()]
    theirs = official(document, detections, "keypoints")
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert 0 < theirs[0] < 1


@pytest.mark.parametrize("name", ["train2017", "val2017"])
def test_people_of_coco_give_pycocotools_own_numbers(real_data: Path, name: str) -> None:
    path = real_data / "coco" / "pose_minicoco" / "annotations" / f"person_keypoints_{name}.json"
    document, detections = json.loads(path.read_text()), []
    rng = np.random.default_rng(0)
    for entry in document["annotations"] * 2:
        pose = np.reshape(entry["keypoints"], (-1, 3)).astype(float)
        pose[:, :2] += rng.normal(0, 0.06 * rng.random() * entry["area"] ** 0.5, (17, 2))
        about = {"image_id": entry["image_id"], "category_id": 1, "score": round(float(rng.random()), 2)}
        detections.append({**about, "keypoints": pose.ravel().tolist()})
    theirs = official(document, detections, "keypoints")
    assert 0.1 < theirs[0] < 0.9
    ours = coco_summary(document, detections, "keypoints")
    assert [value(number) for number in ours.values()] == pytest.approx(theirs, abs=1e-9)


def test_the_report_has_keypoints_of_the_set_and_of_each_picture() -> None:
    document, detections = random_poses(0)
    report = evaluate(document, detections)
    assert report.keypoints == coco_summary(document, detections, "keypoints")
    for row in report.per_image:
        stats = official(document, detections, "keypoints", row.image_id)
        assert (value(row.keypoints_ap), value(row.keypoints_ap50)) == pytest.approx((stats[0], stats[1]))
    json.dumps(report.to_json(), allow_nan=False)


# Networks without masks, and what does not fit


def test_without_masks_pictures_are_matched_by_boxes() -> None:
    """A box of 60 x 80 around the 60 x 60 object: IoU 0.75, a hit at .50 to .75, where its mask says nothing."""
    loose = found(POSE, bbox=[100, 100, SIDE, 80])
    report = evaluate(truth(POSE), [loose], sigmas=SIGMAS)
    assert report.segm is None
    assert report.matched_by == "bbox"
    assert report.bbox["AP"] == pytest.approx(0.6)
    assert report.keypoints["AP"] == pytest.approx(1.0)
    (row,) = report.per_image
    assert (row.ap, row.ap50, row.tp, row.fp, row.fn) == (pytest.approx(0.6), pytest.approx(1), 1, 0, 0)
    assert "box IoU" in report.definitions["tp"]
    assert {*row.model_dump(), "keypoints", "matched_by"} - {"image_id", "file"} <= set(report.definitions)

    matches = match_image(truth(POSE), [loose], 1)
    assert (matches.matched_by, matches.predictions[0].rle, matches.truths[0].rle) == ("bbox", None, None)
    assert matches.predictions[0].iou == pytest.approx(0.75)
    assert matches.predictions[0].keypoints == tuple(loose["keypoints"])


def test_what_a_network_finds_may_be_said_where_it_found_nothing() -> None:
    told = evaluate(truth(POSE), [], tasks=("box", "keypoints"))
    assert (told.segm, told.matched_by, told.keypoints["AP"]) == (None, "bbox", 0.0)
    guessed = evaluate(truth(POSE), [])
    assert (guessed.segm["AP"], guessed.matched_by, guessed.keypoints) == (0.0, "segm", None)


def test_labels_without_keypoints_leave_the_numbers_undefined() -> None:
    document = truth(POSE, keypoints=None, num_keypoints=0)
    report = evaluate(document, [found(POSE)])
    assert report.keypoints == dict.fromkeys(FIGURES)
    assert report.per_image[0].keypoints_ap is None


@pytest.mark.parametrize(
    ("detection", "sigmas", "says"),
    [
        (found(POSE[:1]), None, r"entry 0 has 1 keypoint, but ground truth, annotation 1 has 2"),
        (found(POSE), (0.1, 0.1, 0.1), "sigmas: there are 3, but the objects have 2"),
        (found(POSE, keypoints=None), None, 'entry 0 has no "keypoints"'),
    ],
)
def test_what_does_not_fit_is_one_line(detection: dict[str, Any], sigmas: Any, says: str) -> None:
    with pytest.raises(StudioError, match=says) as raised:
        evaluate(truth(POSE), [detection], tasks=("box", "keypoints"), sigmas=sigmas)
    assert "\n" not in str(raised.value)
