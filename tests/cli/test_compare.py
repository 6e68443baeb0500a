"""`compare` from end to end, on reports of squares."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from maskrcnn.__main__ import main
from maskrcnn.evaluation import evaluate
from tests.evaluation.squares import FIRST, found, truth

PICTURES = 24
LABELS = truth(*((n, 1, *FIRST) for n in range(PICTURES)), images=PICTURES + 1)
ALL = [found(n, 1, *FIRST, 0.9 - n / 100) for n in range(PICTURES)]


def write(path: Path, detections: list[dict[str, Any]], labels: dict[str, Any] = LABELS) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(evaluate(labels, detections, with_evidence=True).to_json()))
    return path


@pytest.fixture
def all_and_half(tmp_path: Path) -> tuple[str, str]:
    """Reports of one that finds every object, and of one that misses those of the pictures with an odd number."""
    return str(write(tmp_path / "all.json", ALL)), str(write(tmp_path / "half.json", ALL[::2]))


def test_the_table_says_who_is_better_and_whether_it_is_chance(
    all_and_half: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of the recall is 51 of 101: .505."""
    assert main(["compare", *all_and_half, "--resamples", "200"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("A is all.json\nB is half.json\nThe same 25 pictures with 24 objects")
    masks = next(line for line in printed.splitlines() if line.startswith("masks"))
    assert masks.split()[:3] == ["masks", "AP", "1.000"]
    assert " 0.505 [" in masks
    assert " -0.495 [-0." in masks
    assert masks.endswith("away from 0")
    assert "away from 0: the difference is unlikely to be chance." in printed
    assert "contains 0" not in printed
    assert "all.json is better on 12, half.json on 0; they are equal on 12; without objects: 1" in printed
    assert (
        "all.json (A) is most ahead on\n  picture      A      B  B minus A\n  1.jpg    1.000  0.000  -1.000" in printed
    )
    assert "half.json (B) is most ahead" not in printed
    assert "Not compared: keypoints" in printed
    assert "caution" not in printed


def test_a_report_against_itself(all_and_half: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", all_and_half[1], all_and_half[1], "--resamples", "100"]) == 0
    printed = capsys.readouterr().out
    assert "+0.000 [+0.000, +0.000]" in printed
    assert "contains 0: these pictures cannot tell the two apart." in printed
    assert "away from 0" not in printed


def test_few_pictures_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = truth((0, 1, *FIRST), (1, 1, *FIRST), images=2)
    reports = [str(write(tmp_path / name, ALL[:n], labels)) for name, n in (("a.json", 2), ("b.json", 1))]
    assert main(["compare", *reports, "--resamples", "100"]) == 0
    assert "caution: intervals of 2 pictures say little" in capsys.readouterr().out


def test_reports_of_one_name_are_called_by_their_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reports = [str(write(tmp_path / folder / "report.json", ALL)) for folder in "ab"]
    assert main(["compare", *reports, "--resamples", "100"]) == 0
    assert capsys.readouterr().out.startswith(f"A is {reports[0]}\nB is {reports[1]}\n")


def test_the_json_holds_every_picture_and_follows_the_seed(all_and_half: tuple[str, str], tmp_path: Path) -> None:
    contents = []
    for seed in ("1", "1", "2"):
        out = tmp_path / "out.json"
        words = ["--resamples", "100", "--seed", seed, "--json", str(out)]
        assert main(["compare", *all_and_half, *words]) == 0
        contents.append(json.loads(out.read_text()))
    first, again, other = contents
    assert first == again
    assert first["segm"]["AP"]["b_interval"] != other["segm"]["AP"]["b_interval"]
    assert (first["a"], first["b"], first["seed"], first["resamples"]) == ("all.json", "half.json", 1, 100)
    assert len(first["per_image"]["pictures"]) == PICTURES + 1
    assert "half.json is better" in first["definitions"]["difference"]


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["all.json", "nowhere.json"], 2, "nowhere.json does not exist"),
        (["all.json", "text.json"], 1, "text.json: this is no report"),
        (["all.json", "list.json"], 1, "list.json: this is no report"),
        (["all.json", "."], 2, ".: cannot be read"),
        (["old.json", "all.json"], 1, "old.json: holds no evidence"),
        (["all.json", "other.json"], 1, 'picture "1.jpg" and 23 more: in all.json, not in other.json'),
        (["all.json", "all.json", "--resamples", "5"], 2, "--resamples 5: give at least 100"),
        (["all.json", "all.json", "--seed", "-1"], 2, "--seed -1"),
        (["all.json", "half.json", "--json", "half.json"], 2, "--json half.json: this is a report that is read"),
        (["all.json", "half.json", "--json", "text.json/x"], 2, "text.json/x: cannot be written"),
        (["all.json"], 2, "REPORT_B"),
    ],
)
def test_what_is_wrong_is_one_line(
    words: list[str],
    status: int,
    says: str,
    all_and_half: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = json.loads(Path(all_and_half[0]).read_text())
    (tmp_path / "old.json").write_text(json.dumps({key: report[key] for key in report if key != "evidence"}))
    (tmp_path / "text.json").write_text("hello")
    (tmp_path / "list.json").write_text("[]")
    write(tmp_path / "other.json", [], truth((0, 1, *FIRST)))
    monkeypatch.chdir(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    try:
        ended = main(["compare", *words])
    except SystemExit as exit_:
        ended = int(exit_.code or 0)
    error = capsys.readouterr().err
    assert ended == status
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert says in error
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_it_loads_no_torch() -> None:
    program = "import maskrcnn.cli.compare, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
