"""The report as a file: its keys, files of earlier versions, files that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maskrcnn.errors import StudioError
from maskrcnn.evaluation import Report, evaluate
from tests.evaluation.squares import FIRST, TWO, found

KEYS = [
    "bbox",
    "segm",
    "keypoints",
    "matched_by",
    "per_image",
    "per_class",
    "mean_ap50_pooled",
    "min_score",
    "iou",
    "sigmas",
    "definitions",
]
ROW = {
    "image_id",
    "file",
    "n_gt",
    "n_pred",
    "ap",
    "ap50",
    "ap50_pooled",
    "tp",
    "fp",
    "fn",
}


def test_the_file_has_the_keys_that_it_has_always_had() -> None:
    content = evaluate(TWO, [found(0, 1, *FIRST, 0.9)], with_evidence=True).to_json()
    assert list(content) == [*KEYS, "evidence"]
    assert content["per_image"][0].keys() >= ROW
    assert [list(entry) for entry in content["evidence"]["classes"]] == [["name", "scores", "bbox", "segm"]] * 2
    assert content["keypoints"] is None


def test_a_file_of_before_is_read_and_its_missing_figures_are_none(tmp_path: Path) -> None:
    """As the first reports were: without sigmas, evidence and intervals, and with a figure of which nobody knows."""
    old = {
        "bbox": {"AP": 1, "AP50": 1.0, "AP75": None, "APs": None, "APm": 1.0, "APl": None},
        "segm": None,
        "keypoints": None,
        "per_image": [{"file": "a.png", "image_id": "a", "n_gt": 1, "n_pred": 2, "ap": 1.0, "tp": 1, "fp": 1, "fn": 0}],
        "something": 3,
    }
    (tmp_path / "old.json").write_text(json.dumps(old))
    report = Report.read(tmp_path / "old.json")
    assert (report.bbox["AP"], report.segm, report.evidence, report.intervals, report.sigmas) == (
        1,
        None,
        None,
        None,
        None,
    )
    (row,) = report.per_image
    assert (row.image_id, row.fp, row.ap50) == ("a", 1, None)
    assert report.kinds == ("bbox",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[]", "this is no report"),
        ("words", "this is no report"),
        ("[" * 100_000, "this is no report"),
        ('{"bbox": {}, "per_image": [], "segm": null, "keypoints": "none"}', "its keypoints is damaged"),
        ('{"bbox": {"AP": "1"}, "per_image": [], "segm": null, "keypoints": null}', "its bbox.AP is damaged"),
        (
            '{"bbox": {}, "per_image": [{"image_id": 1}], "segm": null, "keypoints": null}',
            "0.file is damaged",
        ),
    ],
)
def test_a_file_that_is_no_report_is_one_line(content: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(content)
    with pytest.raises(StudioError, match=says) as raised:
        Report.read(tmp_path / "r.json")
    assert str(raised.value).startswith(str(tmp_path / "r.json"))
