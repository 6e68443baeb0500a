"""The evidence of a report: what became of each detection, by hand and against pycocotools."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pycocotools.cocoeval import COCOeval

from maskrcnn.evaluation import Report, evaluate
from maskrcnn.evaluation.detection_evidence import class_rankings, shortest_decimals
from maskrcnn.evaluation.ranking_ap import ap_from_rankings
from tests.evaluation.random_sets import random_poses, random_set
from tests.evaluation.squares import FIRST, NOWHERE, SECOND, code, found, truth


def evidence(document: dict[str, Any], detections: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = evaluate(document, detections, with_evidence=True).to_json()["evidence"]
    return found


def test_each_detection_has_its_thresholds() -> None:
    """Exact: all ten, 1023. Moved by 5 of 40 pixels: IoU 35 / 45 = .778, so .50 to .75, the six bits 63. Wrong: 0."""
    document = truth((0, 1, *FIRST), (0, 1, *SECOND), (1, 2, *FIRST), images=3)
    detections = [
        found(0, 1, *NOWHERE, 0.25),
        found(0, 1, 105, 100, 40, 0.5),
        found(0, 1, *FIRST, 0.75),
        found(2, 1, *FIRST, 0.625),
    ]
    one, two = evidence(document, detections)["classes"]
    expected = {"objects": "2 0 0", "found": ["1023 63 0", "", "0"], "ignored": []}
    assert one == {"name": "class 1", "scores": ["0.75 0.5 0.25", "", "0.625"], "bbox": expected, "segm": expected}
    nothing = {"objects": "0 1 0", "found": ["", "", ""], "ignored": []}
    assert two == {"name": "class 2", "scores": ["", "", ""], "bbox": nothing, "segm": nothing}


def test_what_falls_to_a_crowd_is_ignored_and_the_crowd_is_no_object() -> None:
    document = truth((0, 1, *FIRST), (0, 1, 80, 80, 100))
    document["annotations"][1] |= {"iscrowd": 1, "segmentation": code(80, 80, 100)}
    detections = [found(0, 1, 90, 90, 20, 0.75), found(0, 1, *FIRST, 0.5)]
    (one, _) = evidence(document, detections)["classes"]
    assert one["segm"] == {"objects": "1", "found": ["0 1023"], "ignored": ["1023 0"]}


def test_it_is_there_where_it_was_asked_for_only() -> None:
    assert "evidence" not in evaluate(truth((0, 1, *FIRST)), []).to_json()


def test_nothing_is_matched_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = COCOeval.evaluateImg
    monkeypatch.setattr(COCOeval, "evaluateImg", lambda self, *args: calls.append(args) or original(self, *args))
    document, detections = random_set(0, images=3, objects=3, extra=3)
    counts = []
    for asked in (False, True):
        calls.clear()
        evaluate(document, detections, with_evidence=asked)
        counts.append(len(calls))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("seed", range(3))
def test_the_ap_of_the_report_follows_from_it(seed: int) -> None:
    """With equal scores in one picture and across pictures, whose order decides, and ids in no order."""
    document, detections = random_set(seed, images=6, objects=6, extra=6)
    for entry in detections:
        entry["score"] = round(entry["score"], 1)
    document["images"] = document["images"][::-1]
    agrees(evaluate(document, detections, with_evidence=True), ("bbox", "segm"))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("own_score", [False, True])
def test_the_ap_of_keypoints_follows_from_it(seed: int, own_score: bool) -> None:
    """Some people have no labelled keypoints, some are crowds, and a picture has more than 20 detections. With scores
    of their own, poses are in another order than boxes."""
    document, detections = random_poses(seed)
    for number, entry in enumerate(detections if own_score else []):
        entry["pose_score"] = (number * 7 % 10) / 10
    detections += [{**entry, "score": entry["score"] / 2, "image_id": 1} for entry in detections * 2]
    assert sum(entry["image_id"] == 1 for entry in detections) > 20
    agrees(evaluate(document, detections, tasks=("box", "keypoints"), with_evidence=True), ("bbox", "keypoints"))


def agrees(report: Report, kinds: tuple[Any, ...]) -> None:
    """ReportEvidence that went through a file gives the figures that pycocotools gave."""
    report = Report.from_json(json.loads(json.dumps(report.to_json())), "report.json")
    once = np.ones((1, len(report.per_image)), dtype=np.int32)
    for kind in kinds:
        for name, values in ap_from_rankings(class_rankings(report, kind), once).items():
            assert values[0] == pytest.approx(report.summary(kind)[name], abs=1e-12)
            assert name == "AP75" or 0 < values[0] < 1


def test_a_picture_of_a_hundred_detections_stays_small() -> None:
    """500 such pictures are to stay below 1 MB: 20 bytes for each detection."""
    document, detections = random_set(3, images=4, objects=6, extra=92)
    written = json.dumps(evidence(document, detections), indent=1)
    assert len(written) < 20 * len(detections)


def test_scores_are_as_short_as_their_order_allows() -> None:
    """.12341 and .12349 meet at .12345: .123 is below it, .1235 above. Three decimals do for what stands alone."""
    assert shortest_decimals(np.array([0.5, 0.12349, 0.9996, 0.12341, 0.5])).tolist() == [0.5, 0.1235, 1.0, 0.123, 0.5]


def test_short_scores_keep_ranking_and_ties() -> None:
    random = np.random.default_rng(0)
    scores = (1 / (1 + np.exp(-random.normal(4, 6, 5000)))).astype(np.float32).astype(np.float64)
    scores = np.append(scores, [scores[0], np.nextafter(scores[1], 1), 1.0, np.nextafter(1.0, 0)])
    short = shortest_decimals(scores)
    read = np.array([float(repr(score)) for score in short.tolist()])
    assert (np.unique(read, return_inverse=True)[1] == np.unique(scores, return_inverse=True)[1]).all()
    assert np.mean([len(repr(score)) for score in short.tolist()]) < 9
