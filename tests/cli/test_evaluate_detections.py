"""`evaluate DETECTIONS.json`: saved detections of any program, the words that are printed, and what bad files get."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.__main__ import main
from maskrcnn.annotations import read
from maskrcnn.cli.report_text import report_text
from maskrcnn.evaluation import compare, evaluate, measure, report_of
from maskrcnn.evaluation.report import Report
from maskrcnn.inference import evaluate_detections
from tests.evaluation.random_sets import random_set
from tests.evaluation.squares import FIRST, NOWHERE, SECOND, found, truth

LABELS, FOUND = random_set(seed=7, images=12, objects=5, extra=2)
"""Pictures that no disk has: for saved detections, none is needed."""


def written(folder: Path, labels: Any = LABELS, detections: Any = FOUND) -> tuple[str, str]:
    (folder / "labels.json").write_text(json.dumps(labels))
    (folder / "found.json").write_text(json.dumps(detections))
    return str(folder / "found.json"), str(folder / "labels.json")


def test_the_numbers_are_those_of_the_one_function(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The pages call `report_of(measure(...))`, a notebook `evaluate_detections`, the command line that."""
    file, data = written(tmp_path)
    options = ["--min-score", "0.3", "--iou", "0.6", "--resamples", "100", "--seed", "4"]
    assert main(["evaluate", file, "--data", data, "--out", str(tmp_path / "report.json"), *options]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    report = Report.read(tmp_path / "report.json")
    page = report_of(measure(LABELS, FOUND), min_score=0.3, iou=0.6, with_evidence=True, with_analyses=True)
    assert report.model_copy(update={"intervals": None}) == page
    notebook = evaluate_detections(FOUND, read(Path(data)), min_score=0.3, iou=0.6, resamples=100, seed=4)
    assert report == notebook
    assert f"masks: AP {page.segm['AP']:.3f} [" in printed.out
    assert report_text(report) in printed.out
    counts = [sum(getattr(row, name) for row in page.per_image) for name in ("tp", "fp", "fn")]
    assert "at score 0.3 and mask IoU 0.6: TP {}  FP {}  FN {}".format(*counts) in printed.out
    again = tmp_path / "again.json"
    assert main(["evaluate", file, "--data", data, "--out", str(again), *options[:-1], "5"]) == 0
    assert main(["compare", str(tmp_path / "report.json"), str(again), "--json", str(tmp_path / "c.json")]) == 0
    ours = compare(report, Report.read(again), ("report.json", "again.json"))
    assert json.loads((tmp_path / "c.json").read_text()) == json.loads(json.dumps(ours))


def test_detections_of_foreign_classes_are_counted_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = [FOUND[0] | {"category_id": 42}, FOUND[1] | {"category_id": 42}, FOUND[2] | {"category_id": 43}]
    file, data = written(tmp_path, detections=FOUND + foreign)
    assert main(["evaluate", file, "--data", data, "--resamples", "0"]) == 0
    assert "3 detections of category id 42 and 1 more, which the labels do not have" in capsys.readouterr().err


def test_torch_is_not_needed(tmp_path: Path) -> None:
    file, data = written(tmp_path)
    code = "import sys; sys.modules['torch'] = None; from maskrcnn.__main__ import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "evaluate", file, "--data", data, "--resamples", "0"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "masks: AP " in done.stdout


def test_the_worst_pictures_come_first_and_ap_does_not_tell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Picture 0: one object, found, above five wrong detections: AP 1.000, F1 2 / (2 + 5) = .286. Picture 1: two
    objects, one found: F1 2 / (2 + 1) = .667. Picture 2 is empty, and nothing is found there: it has no F1."""
    document = truth((0, 1, *FIRST), (1, 1, *FIRST), (1, 1, *SECOND), images=3, classes=1)
    wrong = [found(0, 1, 100 + 10 * n, 150, 10, 0.8 - n / 100) for n in range(5)]
    file, data = written(tmp_path, document, [found(0, 1, *FIRST, 0.9), *wrong, found(1, 1, *FIRST, 0.95)])
    assert main(["evaluate", file, "--data", data, "--resamples", "0"]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("picture "))
    assert [line.split() for line in lines[start : start + 3]] == [
        ["picture", "objects", "F1", "TP", "FP", "FN", "AP", "AP50"],
        ["0.jpg", "1", "0.286", "1", "5", "0", "1.000", "1.000"],
        ["1.jpg", "2", "0.667", "1", "0", "1", "0.505", "0.505"],
    ]
    assert lines[start + 3] == ""
    assert not any(line.startswith("class ") for line in lines)  # there is one class
    assert "TP 2  FP 5  FN 1  precision 0.286  recall 0.667" in printed  # 2 of 7, 2 of 3
    [nothing_there] = [line.split() for line in lines if line.startswith("nothing is there")]
    assert nothing_there[3] == "5"
    [missed] = [line.split() for line in lines if line.startswith("missed objects")]
    assert missed[2] == "1"


def test_classes_pictures_and_a_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, data = written(tmp_path)
    assert main(["evaluate", file, "--data", data, "--resamples", "0"]) == 0
    lines = capsys.readouterr().out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("class "))
    rows = {line.split()[0]: line.split()[1:] for line in lines[start + 1 : start + 4]}
    report = evaluate(LABELS, FOUND, with_analyses=True)
    for row in report.per_class:
        assert rows[row.name][0] == str(row.n_gt)
        assert rows[row.name][3:6] == [str(row.tp), str(row.fp), str(row.fn)]
    assert report.suggested_score is not None
    assert f"suggested score: {report.suggested_score.score:.2f}, the best F1 on half of the pictures" in lines[-1]
    assert "and 2 pictures more; --out writes all" in lines or len(report.per_image) - 2 <= 10


def test_boxes_alone_and_nothing_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boxes = [{key: value for key, value in entry.items() if key != "segmentation"} for entry in FOUND]
    file, data = written(tmp_path, detections=boxes)
    assert main(["evaluate", file, "--data", data, "--resamples", "0"]) == 0
    printed = capsys.readouterr().out
    assert "masks:" not in printed
    assert "and box IoU 0.5" in printed
    written(tmp_path, detections=[])
    assert main(["evaluate", file, "--data", data]) == 0
    printed = capsys.readouterr().out
    assert "masks: AP 0.000" in printed
    assert "TP 0  FP 0" in printed
    assert "no score is suggested: no detection is right at this IoU" in printed


def changed(**fields: Any) -> Any:
    detections = copy.deepcopy(FOUND)
    detections[1].update(fields)
    return detections


@pytest.mark.parametrize(
    ("labels", "detections", "says"),
    [
        (
            LABELS,
            LABELS,
            "found.json: this is a COCO document with labels, not a list of detections; write COCO results",
        ),
        (LABELS, changed(image_id=99), "found.json: entry 1 is for image_id 99, which the ground truth does not have"),
        (LABELS, changed(score=float("nan")), 'found.json: entry 1 has nan as "score"'),
        (LABELS, changed(segmentation={"size": [120, 160], "counts": "PP"}), "found.json: entry 1 (0.jpg) has a mask"),
        (FOUND, FOUND, "labels.json"),
    ],
)
def test_a_bad_file_is_one_line_and_status_1(
    labels: Any, detections: Any, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, data = written(tmp_path, labels, detections)
    assert main(["evaluate", file, "--data", data, "--out", str(tmp_path / "report.json")]) == 1
    printed = capsys.readouterr()
    [line] = printed.err.splitlines()
    assert line.startswith(f"error: {tmp_path}")
    assert says in line
    assert not (tmp_path / "report.json").exists()


@pytest.mark.parametrize("content", ["{", "[" * 100_000, "\xff"])
def test_a_file_that_is_no_json(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, data = written(tmp_path)
    Path(file).write_bytes(content.encode("latin-1"))
    assert main(["evaluate", file, "--data", data]) == 1
    assert capsys.readouterr().err == f"error: {file}: this is no JSON file; give detections as COCO results\n"


def test_a_report_is_not_written_over_its_detections(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, data = written(tmp_path)
    for place in (file, data):
        assert main(["evaluate", file, "--data", data, "--out", place]) == 2
        assert "this file is read; name another place" in capsys.readouterr().err
    assert json.loads(Path(file).read_text()) == FOUND


def test_reports_without_a_picture_in_common_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, file in (("a", "left.jpg"), ("b", "right.jpg")):
        document = truth((0, 1, *FIRST), images=1)
        document["images"][0]["file_name"] = file
        report = evaluate(document, [found(0, 1, *NOWHERE, 0.9)], with_evidence=True)
        (tmp_path / f"{name}.json").write_text(json.dumps(report.to_json()))
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "left.jpg" in line
    assert "evaluate both models on the same labels" in line


def test_a_class_of_a_hostile_name_is_printed_on_one_line() -> None:
    document = truth((0, 1, *FIRST), (0, 2, *SECOND), images=1)
    document["categories"][0]["name"] = "a\nb\x1b[31m" + "c" * 90
    text = report_text(evaluate(document, [found(0, 1, *FIRST, 0.9)]))
    assert "\x1b" not in text
    [line] = [line for line in text.splitlines() if line.startswith("a b")]
    assert line[45:48] == "..."
