"""The ONNX file finds what the network finds, and its script needs neither the studio nor torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from maskrcnn.annotations import pictures
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.inference import load
from maskrcnn.inference.export import onnx_file
from maskrcnn.inference.export.onnx_file import export_onnx
from maskrcnn.inference.export.onnx_graph import INPUT, output_names, write_graph
from maskrcnn.inference.export.source import export_source
from maskrcnn.model import build, detect
from maskrcnn.model.heads import last_head_layers
from maskrcnn.runs.folder import RunFolder
from tests.model.test_combinations import SMALL, combinations
from tests.sweeps import sweep

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "data" / "weights"
PICTURE = ROOT / "data" / "people" / "val" / "people2-0001.jpg"

RUN_ALONE = """
import runpy, sys
for name in ("maskrcnn", "torch", "torchvision", "pycocotools"):
    sys.modules[name] = None  # an import of it fails
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> onnx_file.OnnxExport:
    """An export of the network with masks and keypoints that ships."""
    folder = tmp_path_factory.mktemp("onnx")
    return export_onnx(export_source(SHIPPED / "toy-people"), folder / 'the "people".onnx')


def test_an_export_agrees_and_leaves_two_files(people: onnx_file.OnnxExport) -> None:
    assert people.pictures == 3
    assert people.agreement.objects >= 3
    assert people.agreement.box < 0.01
    assert people.agreement.iou >= 0.999
    assert sorted(path.name for path in people.file.parent.iterdir()) == ['the "people".onnx', 'the "people"_use.py']


def test_classes_and_all_that_a_program_needs_are_inside(people: onnx_file.OnnxExport) -> None:
    config = load(SHIPPED / "toy-people", "cpu").config
    about = {entry.key: entry.value for entry in onnx.load(str(people.file)).metadata_props}
    assert json.loads(about["classes"]) == list(config.names)
    assert (int(about["shorter_side"]), int(about["longer_side"])) == (config.image_min_dim, config.image_max_dim)
    assert json.loads(about["keypoints"]) == list(config.keypoint_names)
    assert json.loads(about["skeleton"]) == [list(edge) for edge in config.keypoint_edges]
    assert f"torch {torch.__version__}" in about["made_by"]
    assert json.loads(about["config"])["num_classes"] == config.num_classes


def test_the_script_runs_without_the_studio_and_torch(people: onnx_file.OnnxExport, tmp_path: Path) -> None:
    overlay = tmp_path / "overlay.png"
    command = [sys.executable, "-I", "-c", RUN_ALONE, str(people.script), str(PICTURE), str(overlay)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    picture = pictures.load(PICTURE)
    sure = [found for found in detect(load(SHIPPED / "toy-people", "cpu", "float32"), picture) if found["score"] >= 0.5]
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == ["person"] * len(sure)
    for (_, score, *box), found in zip(lines, sure, strict=True):
        x, y, width, height = found["bbox"]
        assert float(score) == pytest.approx(found["score"], abs=0.001)
        assert [float(side) for side in box] == pytest.approx([x, y, x + width, y + height], abs=0.051)
    assert not np.array_equal(pictures.load(overlay), picture)


def networks() -> list[Any]:
    """Every combination of backbone, pooling, tasks and masks; by default a few, with each pooling and decoding."""
    ways = [
        {"keypoint_decode": "argmax"},
        {"sampling_ratio": 0},
        {"head_norm": "group"},
        {"norm": "batch", "rpn_head_depth": 2, "box_head_depth": 2},
    ]
    found = []
    for number, entry in enumerate(combinations()):
        marks = [] if number % 83 == 5 else [sweep]
        found.append(pytest.param({**entry.values[0], **ways[number % len(ways)]}, id=entry.id, marks=marks))
    return found


@pytest.mark.parametrize("fields", networks())
def test_every_kind_of_network_becomes_a_graph(fields: dict[str, Any], tmp_path: Path) -> None:
    if "keypoints" not in fields["tasks"]:
        fields = {key: value for key, value in fields.items() if key != "keypoint_decode"}
    if fields.get("pooling_mode") == "max":  # of a number of samples that is fixed
        fields = {key: value for key, value in fields.items() if key != "sampling_ratio"}
    torch.manual_seed(0)
    model = build(Config.preset("classroom", **{**SMALL, **fields}))
    with torch.no_grad():
        for layer in last_head_layers(model).values():
            layer.weight.normal_(std=0.3)  # boxes and scores that differ
    random = np.random.default_rng(0)
    write_graph(model, random.integers(0, 255, (64, 96, 3), np.uint8), tmp_path / "net.onnx")
    network = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    for size in ((64, 80), (96, 64)):  # other sizes than the one it was traced with
        picture = random.integers(0, 255, (*size, 3), np.uint8)
        found = dict(zip(output_names(model.config), network.run(None, {INPUT: picture}), strict=True))
        with torch.inference_mode():
            model.transform.resized = True
            (expected,) = model([torch.from_numpy(picture).permute(2, 0, 1).float() / 255])
        # Scores of a random network can be equal, so their order and their partners can differ; the values cannot.
        assert np.sort(found["scores"]) == pytest.approx(np.sort(expected["scores"].numpy()), abs=1e-4)
        for name in found:
            assert len(found[name]) == len(expected["boxes"])


def test_a_picture_without_objects_gives_empty_results(people: onnx_file.OnnxExport) -> None:
    network = onnxruntime.InferenceSession(str(people.file), providers=["CPUExecutionProvider"])
    boxes, labels, scores, masks, keypoints, values = network.run(None, {INPUT: np.zeros((64, 64, 3), np.uint8)})
    assert [len(part) for part in (boxes, labels, scores, masks, keypoints, values)] == [0] * 6
    assert masks.shape[1:] == (28, 28)
    assert keypoints.shape[1:] == (17, 3)


def test_where_onnx_runtime_finds_something_else_no_file_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def moved(*args: Any) -> list[dict[str, Any]]:
        found = detect(*args)
        for one in found:
            one["bbox"][0] += 0.5
        return found

    monkeypatch.setattr(onnx_file, "detect", moved)
    with pytest.raises(StudioError, match=r"not written, because in picture 1 of 3 a box differs by 0\.5 px"):
        export_onnx(export_source(SHIPPED / "toy-c5-align"), tmp_path / "toy.onnx")
    assert list(tmp_path.iterdir()) == []


def test_what_torch_cannot_write_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("no such operator\n  %1 : Float(1)")

    monkeypatch.setattr(onnx_file, "write_graph", fail)
    with pytest.raises(StudioError, match=r"cannot write this network as ONNX \(RuntimeError: no such operator\)"):
        export_onnx(export_source(SHIPPED / "toy-c5-align"), tmp_path / "toy.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_script_that_was_changed_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "toy_use.py").write_text("# mine\n")
    with pytest.raises(ArgumentError, match="was changed, so it is not replaced"):
        export_onnx(export_source(SHIPPED / "toy-c5-align"), tmp_path / "toy.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["toy_use.py"]


def test_missing_packages_are_named_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StudioError, match="needs onnx and onnxruntime; install"):
        export_onnx(export_source(SHIPPED / "toy"), tmp_path / "toy.onnx")


def test_a_run_without_its_best_checkpoint_names_the_epochs_that_are_left(tmp_path: Path) -> None:
    toy = SHIPPED / "toy-c5-align"
    run = RunFolder(tmp_path / "cells")
    (run.path / "checkpoints").mkdir(parents=True)
    (run.path / "config.json").write_text((toy / "config.json").read_text())
    with pytest.raises(StudioError, match="has no checkpoint; one is written after the first epoch"):
        export_source(run.path)
    for epoch in (3, 7):
        run.checkpoint(epoch).write_bytes((toy / "best.safetensors").read_bytes())
    with pytest.raises(StudioError, match="its best checkpoint is gone; epochs 3, 7 are left, choose with --epoch 7"):
        export_source(run.path)
    assert export_source(run.path, 3).file == run.checkpoint(3)
    with pytest.raises(ArgumentError, match=r"--epoch 4: .* has no checkpoint of it; epochs 3, 7 are left"):
        export_source(run.path, 4)
