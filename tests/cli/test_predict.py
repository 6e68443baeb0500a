"""`predict` with a stand-in for the network: what it writes, what it says, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from maskrcnn.__main__ import main
from maskrcnn.config import Config
from maskrcnn.inference.overlay_files import is_overlay
from tests.inference.pictures import picture


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds one object in each picture, whose score is the picture's colour in percent; none where that is 0."""
    config = Config.preset("classroom", class_names=("nut",), num_classes=2)
    model = SimpleNamespace(config=config, parameters=lambda: iter([torch.zeros(1)]))

    def detect(_: object, seen: np.ndarray) -> list[dict[str, Any]]:
        box = {"image_id": 0, "category_id": 1, "bbox": [1, 1, 8, 8], "score": float(seen[0, 0, 0]) / 100}
        return [box] if seen[0, 0, 0] else []

    monkeypatch.setattr("maskrcnn.cli.predict.load_for_inference", lambda args: model)
    monkeypatch.setattr("maskrcnn.model.weights.find_checkpoint", lambda name: SimpleNamespace(path=Path(name)))
    monkeypatch.setattr("maskrcnn.inference.prediction_journal.file_digest", lambda path: f"digest of {path}")
    monkeypatch.setattr("maskrcnn.inference.prediction_work.detect", detect)


def test_the_detections_say_which_overlay_is_of_which_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, colour in (("10.png", 90), ("2.png", 80), ("2.bmp", 70), ("sub/2.png", 60), ("nothing.png", 0)):
        picture(tmp_path / "pics" / name, colour)
    assert main(["predict", "toy", str(tmp_path / "pics"), "--out", str(tmp_path / "out")]) == 0
    entries = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert {entry["file_name"]: (entry["overlay"], entry["score"]) for entry in entries} == {
        "2.bmp": ("2.png", 0.7),
        "2.png": ("2-2.png", 0.8),
        "10.png": ("10.png", 0.9),
        "sub/2.png": ("sub/2.png", 0.6),
    }
    for overlay in ("2.png", "2-2.png", "10.png", "sub/2.png", "nothing.png"):
        assert is_overlay(tmp_path / "out" / overlay)
    out = capsys.readouterr().out
    assert f"nothing.png: 0 of 0 detections drawn in {tmp_path / 'out' / 'nothing.png'}" in out
    assert out.endswith(f"5 pictures, 4 detections in {tmp_path / 'out' / 'detections.json'}\n")


def test_a_folder_that_is_predicted_into_itself_twice(tmp_path: Path) -> None:
    """Nothing of the person's is touched, and the second time finds the same pictures."""
    files = {name: picture(tmp_path / name, 90).read_bytes() for name in ("a.png", "a.jpg", "b/c.png")}
    for _ in range(2):
        assert main(["predict", "toy", str(tmp_path), "--out", str(tmp_path)]) == 0
        assert {name: (tmp_path / name).read_bytes() for name in files} == files
        made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")} - set(files)
        assert made == {"a-2.png", "a-3.png", "b/c-2.png", "detections.json", "journal.jsonl"}


def cut_off(path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])  # of some 4,900


def no_picture(path: Path) -> None:
    path.write_text("words")


def without_bytes(path: Path) -> None:
    path.write_bytes(b"")


def a_document(path: Path) -> None:
    path.write_bytes(b"%PDF-1.7\n")


def a_page(path: Path) -> None:
    path.write_text("<html><body>404</body></html>")


@pytest.mark.parametrize("break_it", [cut_off, no_picture, without_bytes, a_document, a_page])
@pytest.mark.parametrize("as_folder", [True, False])
def test_one_broken_picture_is_one_line_and_the_others_are_done(
    break_it: Any, as_folder: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pics"
    good = [picture(folder / "a.png", 90), picture(folder / "c.png", 80)]
    break_it(folder / "b.png")
    given = [folder] if as_folder else [good[0], folder / "b.png", good[1]]
    assert main(["predict", "toy", *map(str, given), "--out", str(tmp_path / "out")]) == 1
    told = capsys.readouterr()
    (line,) = [line for line in told.err.splitlines() if "error" in line]
    assert line.startswith(f"error: {folder / 'b.png'}: ")
    assert told.out.endswith("; 1 picture could not be read\n")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        *("a.png", "c.png", "detections.json", "journal.jsonl")
    ]
    entries = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert [(entry["image_id"], entry["file_name"]) for entry in entries] == [(1, "a.png"), (3, "c.png")]


def test_broken_pictures_alone_leave_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    no_picture(tmp_path / "a.png")
    assert main(["predict", "toy", str(tmp_path / "a.png"), "--out", str(tmp_path / "out")]) == 1
    assert "0 pictures, 0 detections; 1 picture could not be read" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


REFUSED = {
    "no such picture": (["nowhere.png"], "nowhere.png does not exist"),
    "no such folder": (["nowhere/"], "nowhere does not exist"),
    "a folder without pictures": (["empty"], "a folder without pictures"),
    "one that is there and one that is not": (["pics", "nowhere.png"], "nowhere.png does not exist"),
    "somebody's detections.json": (["pics", "--out", "theirs"], "was not written by predict"),
    "a file where a folder is needed": (["deep", "--out", "blocked"], "is a file, where a folder is needed"),
    "a file to write into": (["pics", "--out", "file"], "is a file; give --out a folder"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_is_one_line_before_any_work(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "pics" / "a.png", 90)
    picture(tmp_path / "deep" / "sub" / "a.png", 90)
    for folder in ("empty", "theirs", "blocked"):
        (tmp_path / folder).mkdir()
    (tmp_path / "theirs" / "detections.json").write_text('[{"image_id": 1, "bbox": [1, 2, 3, 4]}]')
    (tmp_path / "blocked" / "sub").write_text("")
    (tmp_path / "file").write_text("")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    words, part = REFUSED[kind]
    given = words if "--out" in words else [*words, "--out", "out"]
    assert main(["predict", "toy", *given]) == 2
    error = capsys.readouterr().err
    assert part in error
    assert error.count("\n") == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
