"""`export` and `open` on the command line: files, lines and exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskrcnn.__main__ import main

ROOT = Path(__file__).resolve().parents[2]
PICTURE = str(ROOT / "data" / "shapes" / "val" / "toy2-001.jpg")
TOY = str(ROOT / "data" / "weights" / "toy-c5-align")


def test_a_bundle_goes_out_and_comes_in_and_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", TOY, "--to", "bundle"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "toy-c5-align.zip: 7 MB, the weights of epoch 12, without pictures"

    # Its name is no model: the line says how to open it.
    assert main(["predict", "toy-c5-align.zip", PICTURE, "--out", "found"]) == 2
    assert "open it first: python -m maskrcnn open toy-c5-align.zip --out RUN" in capsys.readouterr().err

    assert main(["open", "toy-c5-align.zip", "--out", "runs/shapes"]) == 0
    assert "runs/shapes: 6 classes: circle, cross" in capsys.readouterr().out
    assert main(["open", "toy-c5-align.zip", "--out", "runs/shapes"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["predict", "runs/shapes", PICTURE, "--out", "found"]) == 0


def test_onnx_says_how_well_it_agrees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", TOY, "--to", "onnx"]) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("toy-c5-align.onnx: 13 MB")
    assert "python toy-c5-align_use.py PICTURE OVERLAY.png" in second
    assert third.startswith("checked on 3 pictures: ONNX Runtime finds the same ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy-c5-align.onnx", "toy-c5-align_use.py"]


@pytest.mark.parametrize(
    ("words", "status", "line"),
    [
        ([TOY, "--to", "torchvision"], 1, "no builder of torchvision makes this network: backbone is resnet18_slim_c5"),
        ([TOY, "--to", "onnx", "--out", "a.txt"], 2, "a.txt: does not end with .onnx; give --out a.onnx"),
        ([TOY, "--to", "onnx", "--out", "a.txt/b.onnx"], 2, "a.txt is no folder"),
        ([TOY, "--to", "bundle", "--out", "a"], 2, "a: a bundle is a zip; give --out a.zip"),
        ([TOY, "--to", "bundle", "--epoch", "3"], 2, "has no checkpoint of it; epoch 12 is left"),
        (["nothing", "--to", "onnx"], 2, "nothing does not exist"),
        ([f"{TOY}/best.safetensors", "--to", "onnx", "--epoch", "1"], 2, "is one file of weights"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    words: list[str],
    status: int,
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("mine")
    assert main(["export", *words]) == status
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert line in said
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
