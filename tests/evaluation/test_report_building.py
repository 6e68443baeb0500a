"""The figures of a report, on pictures small enough to work out by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import coco_summary, evaluate
from tests.evaluation.squares import FIRST, NOWHERE, SECOND, TWO, code, found, truth


@pytest.mark.parametrize(
    ("detections", "pooled", "coco", "counts"),
    [
        pytest.param([(1, *FIRST, 0.9), (1, *SECOND, 0.8)], 1.0, 1.0, (2, 0, 0), id="both found"),
        pytest.param([], 0.0, 0.0, (0, 0, 2), id="nothing predicted"),
        # Precision 0, 1/2: half of the recall at 1/2. COCO reads recalls 0, .01, ..., .50: 51 of 101 points.
        pytest.param([(1, *NOWHERE, 0.9), (1, *FIRST, 0.8)], 0.25, 51 / 101 / 2, (1, 1, 1), id="wrong one on top"),
        # Precision 1, 1/2, 2/3: recall 1/2 at 1, then 1/2 at 2/3. COCO: 51 points at 1 and 50 at 2/3.
        pytest.param(
            [(1, *FIRST, 0.9), (1, *NOWHERE, 0.8), (1, *SECOND, 0.7)],
            0.5 + 0.5 * 2 / 3,
            (51 + 50 * 2 / 3) / 101,
            (2, 1, 0),
            id="wrong one in the middle",
        ),
        # Precision 0, 1/2, 2/3: the envelope lifts the 1/2 to 2/3.
        pytest.param([(1, *NOWHERE, 0.9), (1, *FIRST, 0.8), (1, *SECOND, 0.7)], 2 / 3, 2 / 3, (2, 1, 0), id="envelope"),
        # Each object can be found once; the second time is a mistake, which here comes after all hits.
        pytest.param([(1, *FIRST, 0.9), (1, *SECOND, 0.8), (1, *FIRST, 0.7)], 1.0, 1.0, (2, 1, 0), id="found twice"),
        # Class 2 has no object here: COCO averages over class 1 alone, the single ranking counts the mistake.
        pytest.param([(2, *FIRST, 0.95), (1, *FIRST, 0.9), (1, *SECOND, 0.8)], 2 / 3, 1.0, (2, 1, 0), id="wrong class"),
        # Below the score of .5 it counts for AP, not for the matches.
        pytest.param([(1, *FIRST, 0.9), (1, *SECOND, 0.4)], 1.0, 1.0, (1, 0, 1), id="low score"),
    ],
)
def test_one_picture(
    detections: list[tuple[int, int, int, int, float]],
    pooled: float,
    coco: float,
    counts: tuple[int, int, int],
) -> None:
    report = evaluate(TWO, [found(0, *fields) for fields in detections])
    (row,) = report.per_image
    assert row.ap50_pooled == pytest.approx(pooled)
    # Masks fit exactly or not at all, so every IoU threshold gives the same.
    assert (row.ap50, row.ap) == pytest.approx((coco, coco))
    assert (report.segm["AP"], report.bbox["AP75"]) == pytest.approx((coco, coco))
    assert (row.tp, row.fp, row.fn) == counts
    assert row.n_gt == 2
    assert row.n_pred == row.tp + row.fp


def test_a_loose_mask_counts_up_to_its_iou() -> None:
    """40 x 40 over 40 x 40 moved by 5 in x: IoU 35 / 45 = .778, so a hit up to .75 and a miss from .80 on."""
    report = evaluate(truth((0, 1, 10, 10, 40)), [found(0, 1, 15, 10, 40, 0.9)])
    assert report.segm["AP"] == pytest.approx(6 / 10)
    assert (report.segm["AP50"], report.segm["AP75"]) == pytest.approx((1, 1))


def test_sizes_go_to_their_range() -> None:
    """20^2 = 400 is small, 40^2 = 1600 is medium, and nothing is large."""
    document = truth((0, 1, 10, 10, 20), (0, 1, 100, 100, 40))
    segm = evaluate(document, [found(0, 1, 100, 100, 40, 0.9)]).segm
    assert (segm["APs"], segm["APm"], segm["APl"]) == (0.0, pytest.approx(1), None)


def test_a_picture_without_objects_has_no_ap() -> None:
    document = truth((0, 1, *FIRST), images=2)
    report = evaluate(document, [found(0, 1, *FIRST, 0.9), found(1, 1, *FIRST, 0.9)])
    row = report.per_image[1]
    assert (row.ap, row.ap50, row.ap50_pooled) == (None, None, None)
    assert (row.n_gt, row.tp, row.fp, row.fn) == (0, 0, 1, 0)
    assert report.mean_ap50_pooled == 1.0


def test_nothing_at_all() -> None:
    report = evaluate(truth(images=1), [])
    ranges = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")
    assert report.segm == dict.fromkeys(ranges)
    assert report.mean_ap50_pooled is None
    assert evaluate({"images": [], "annotations": [], "categories": []}, []).per_image == ()


def test_a_crowd_counts_neither_way() -> None:
    document = truth((0, 1, *FIRST), (0, 1, 80, 80, 100))
    document["annotations"][1] |= {"iscrowd": 1, "segmentation": code(80, 80, 100)}
    # Two detections inside the crowd: both fall to it, and neither is a mistake.
    detections = [found(0, 1, 90, 90, 20, 0.99), found(0, 1, 120, 120, 20, 0.98), found(0, 1, *FIRST, 0.9)]
    report = evaluate(document, detections)
    (row,) = report.per_image
    assert (row.n_gt, row.tp, row.fp, row.fn) == (1, 1, 0, 0)
    assert (row.ap50_pooled, row.ap50, report.segm["AP"]) == (1.0, pytest.approx(1), pytest.approx(1))


def test_min_score_moves_the_counts_and_not_the_ap() -> None:
    detections = [found(0, 1, *FIRST, 0.9), found(0, 1, *NOWHERE, 0.3)]
    strict, lenient = (evaluate(TWO, detections, min_score=score) for score in (0.5, 0.1))
    assert [report.per_image[0].fp for report in (strict, lenient)] == [0, 1]
    assert strict.segm == lenient.segm
    assert "0.1" in lenient.definitions["fp"]


def test_the_report_is_plain_json_and_defines_its_numbers() -> None:
    report = evaluate(TWO, [])
    content = report.to_json()
    json.dumps(content, allow_nan=False)
    for name in [*content["segm"], *content["per_image"][0], "mean_ap50_pooled"]:
        assert name in ("image_id", "file") or report.definitions[name]


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(truth(images=3), [])
    assert capsys.readouterr() == ("", "")


def test_the_documents_are_left_as_they_were() -> None:
    detections = [found(0, 1, *FIRST, 0.9)]
    before = json.dumps([TWO, detections])
    evaluate(TWO, detections)
    assert json.dumps([TWO, detections]) == before


def test_boxes_alone_are_enough_for_box_ap() -> None:
    detection = {"image_id": 0, "category_id": 1, "bbox": [10, 10, 40, 40], "score": 0.9}
    assert coco_summary(truth((0, 1, *FIRST)), [detection], "bbox")["AP"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"image_id": 7}, "image_id 7"),
        ({"segmentation": {"size": [10, 10], "counts": "`0"}}, "10 x 10"),
        ({"score": None}, None),
    ],
)
def test_detections_that_do_not_belong_here(change: dict[str, Any], says: str | None) -> None:
    detection = {**found(0, 1, *FIRST, 0.9), **change}
    if says is None:
        del detection["score"]
    with pytest.raises(StudioError, match=says or '"score"'):
        evaluate(TWO, [detection])
