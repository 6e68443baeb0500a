"""The command line from end to end, on pictures of a few thousand pixels."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.__main__ import COMMANDS, main
from maskrcnn.annotations import read
from maskrcnn.annotations.store import Project
from maskrcnn.runs.folder import PROCESS, RunFolder
from maskrcnn.training.hardware import processor
from tests import tiny
from tests.forked import in_child, struck
from tests.jobs.fakes import this_process

TRAIN = ["--backbone", "resnet18_fpn", "--epochs", "1", "--device", "cpu", *tiny.SETTINGS]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one epoch, made by the command itself."""
    folder = tmp_path_factory.mktemp("trained")
    labels = tiny.squares(folder / "data")
    assert main(["train", "--data", str(labels), "--val", str(labels), "--out", str(folder / "run"), *TRAIN]) == 0
    return folder / "run"


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert COMMANDS[command].lower() in " ".join(capsys.readouterr().out.lower().split())


def test_train_leaves_a_whole_run_folder(trained: Path) -> None:
    run = RunFolder.open(trained)
    assert run.config().class_names == ("square",)
    assert run.config().layers == "all"
    assert run.config().norm == "batch"
    assert run.result()["state"] == "done"
    assert f" cores of {processor()}" in run.result()["machine"]
    assert len(run.epochs()) == 1
    assert {f"val_{name}" for name in run.config().losses} <= set(run.epochs()[0])
    assert "epoch   1" in run.log_tail()
    document = run.dataset()
    assert [annotation["category_id"] for annotation in document["train"]["annotations"]] == [1, 1, 1]
    assert run.picture_path(document["val"]["images"][0]).is_file()


def test_evaluate_writes_the_report(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tiny.squares(tmp_path / "data", pictures=2)
    out = tmp_path / "report.json"
    assert main(["evaluate", str(trained), "--data", str(labels), "--out", str(out), "--device", "cpu"]) == 0
    report = json.loads(out.read_text())
    assert {"AP", "AP50", "AP75", "APs", "APm", "APl", "AR100"} <= set(report["segm"])
    assert set(report["error_costs"]) == {"class", "location", "both", "duplicate", "background", "missed"}
    assert [entry["file"] for entry in report["per_image"]] == ["square0.png", "square1.png"]
    assert [entry["n_gt"] for entry in report["per_image"]] == [1, 1]
    assert report["evidence"]["classes"][0]["segm"]["objects"] == "1 1"
    low, high = report["intervals"]["segm"]["AP"]
    assert 0 <= low <= high <= 1
    printed = capsys.readouterr().out
    assert f"masks: AP {report['segm']['AP']:.3f} [{low:.3f}, {high:.3f}]  AP50" in printed
    assert "square1.png" in printed


def test_evaluate_needs_no_file_and_no_intervals(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tiny.squares(tmp_path / "data", pictures=1)
    before = sorted(tmp_path.rglob("*"))
    assert main(["evaluate", str(trained), "--data", str(labels), "--resamples", "0", "--device", "cpu"]) == 0
    assert sorted(tmp_path.rglob("*")) == before
    printed = capsys.readouterr().out
    assert "masks: AP" in printed
    assert "[" not in printed


def test_predict_draws_every_picture_and_keeps_the_detections(trained: Path, tmp_path: Path) -> None:
    tiny.squares(tmp_path / "a", pictures=1)
    tiny.squares(tmp_path / "b", pictures=1, seed=5)
    pictures = [str(tmp_path / name / "square0.png") for name in "ab"]
    assert main(["predict", str(trained), *pictures, "--out", str(tmp_path / "out"), "--min-score", "0"]) == 0
    written = {"square0.png", "square0-2.png", "detections.json", "journal.jsonl"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == written
    assert Image.open(tmp_path / "out" / "square0.png").size == (96, 64)
    for entry in json.loads((tmp_path / "out" / "detections.json").read_text()):
        assert entry["image_id"] in (1, 2)
        assert entry["category_name"] == "square"
        assert entry["segmentation"]["size"] == [64, 96]


def test_info_tells_configuration_and_parameters(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(trained)]) == 0
    printed = capsys.readouterr().out
    assert f"{'FPN_CHANNELS':29}8\n" in printed
    assert "written after epoch 1" in printed
    assert "total" in printed
    assert main(["info", str(trained / "best.safetensors"), "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["config"]["mask_head_width"] == 8
    assert about["parameters"]["total"] > about["parameters"]["body"] > 11_000_000  # ResNet-18 without its classifier


def test_info_prints_the_model_card_of_a_run(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(trained), "--card"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("---\n")
    assert "\n# run\n" in text
    assert main(["info", str(trained), "--card", "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    run = RunFolder.open(trained)
    row = run.epochs()[0]
    figures = {kind["kind"]: kind["figures"][0]["value"] for kind in card["measured"]["kinds"]}
    assert figures == pytest.approx({"segm": row["segm_ap"], "bbox": row["bbox_ap"]})
    assert card["learned"]["training"]["objects"] == 3  # a square on each of three pictures
    assert card["overlap"]["compared"] == len(card["overlap"]["alike"]) == 3  # it was validated on the same pictures
    assert card["training"]["versions"] == run.result()["versions"]
    assert card["training"]["command"].startswith("python -m maskrcnn train --data via.json --val via.json --epochs 1")
    assert card["training"]["started"] > 0


def test_info_shows_a_preset_before_anything_is_trained(capsys: pytest.CaptureFixture[str]) -> None:
    """261,888: three ratios at 256^2 + 128^2 + 64^2 + 32^2 + 16^2 places. 14 x 14 doubled is 28."""
    assert main(["info", "torchvision", "--set", "image_min_dim=1024", "--set", "image_max_dim=1024"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "preset torchvision with image_min_dim=1024 with image_max_dim=1024"
    table = {line.split()[0]: line[29:] for line in lines if line[:1].isupper()}
    assert list(table) == sorted(table)
    assert table["BACKBONE_SHAPES"] == "((256, 256), (128, 128), (64, 64), (32, 32), (16, 16))"
    assert (table["RPN_ANCHORS"], table["MASK_SHAPE"]) == ("261,888", "(28, 28)")
    assert any(line.split() == ["total", "44,401,393", "parameters"] for line in lines)  # as torchvision says of it
    assert main(["info", "classroom", "--why"]) == 0
    assert "Classes including the background" in capsys.readouterr().out


def test_a_project_trains_on_its_own_splits_and_can_be_moved(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    project.import_dataset(read(tiny.squares(tmp_path / "t", pictures=3)), "train")
    project.import_dataset(read(tiny.squares(tmp_path / "v", pictures=1, seed=9)), "val")
    out = project.runs_folder / "first"
    assert main(["train", "--data", str(project.folder), "--out", str(out), *TRAIN]) == 0
    assert [len(RunFolder.open(out).dataset()[split]["images"]) for split in ("train", "val")] == [3, 1]
    moved = project.folder.rename(tmp_path / "moved")
    run = RunFolder.open(moved / "runs" / "first")
    assert all(run.picture_path(image).is_file() for image in run.dataset()["train"]["images"])


def test_init_takes_the_network_of_the_run_it_starts_from(trained: Path, tmp_path: Path) -> None:
    labels = tiny.squares(tmp_path / "data", class_name="box")
    words = ["--data", str(labels), "--out", str(tmp_path / "run"), "--init", str(trained), "--epochs", "1"]
    assert main(["train", *words, "--device", "cpu"]) == 0
    config = RunFolder.open(tmp_path / "run").config()
    assert config.fpn_channels == 8
    assert config.class_names == ("box",)
    assert config.layers == "3+"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_training_cleanly(tmp_path: Path, number: int) -> None:
    """The real command, and what it goes on with, are in `test_resume.py`."""
    labels = tiny.squares(tmp_path / "data")
    words = [
        "--data",
        str(labels),
        "--out",
        str(tmp_path / "run"),
        *TRAIN,
        "--epochs",
        "5000",
        "--backbone",
        "mobilenet_v3_small_fpn",
    ]

    def work() -> int:
        with struck(5, number, "after a step"):
            return main(["train", *words])

    assert in_child(work) == 1
    run = RunFolder(tmp_path / "run")
    assert run.result()["state"] == "cancelled"
    assert run.metrics()[-1]["step"] == 5
    assert list(run.checkpoints()) == [1, 2]


BAD_LABELS = {
    "not JSON": ("{", "JSON"),
    "not VIA or COCO": ('{"a": 1}', "holds no labels"),
    "no region": ('{"a.png": {"filename": "a.png", "size": 1, "regions": [], "file_attributes": {}}}', "region"),
}


@pytest.mark.parametrize("kind", BAD_LABELS)
def test_bad_labels_are_one_line_and_leave_nothing(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, words = BAD_LABELS[kind]
    (tmp_path / "labels.json").write_text(content)
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "a.png")
    refused(
        ["train", "--data", str(tmp_path / "labels.json"), "--out", str(tmp_path / "run"), *TRAIN], 1, words, capsys
    )
    refused(["convert", str(tmp_path / "labels.json"), str(tmp_path / "b.json"), "--to", "coco"], 1, None, capsys, kind)
    assert sorted(path.name for path in tmp_path.iterdir()) in (
        ["a.png", "labels.json"],
        ["a.png", "b.json", "labels.json"],
    )


@pytest.mark.parametrize("kind", ["missing", "truncated", "text"])
def test_a_bad_picture_is_named(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tiny.squares(tmp_path / "data")
    picture = tmp_path / "data" / "square1.png"
    if kind == "missing":
        picture.unlink()
    else:
        picture.write_bytes(picture.read_bytes()[:900] if kind == "truncated" else b"hello")
    refused(["train", "--data", str(labels), "--out", str(tmp_path / "run"), *TRAIN], 1, "square1.png", capsys)
    assert not (tmp_path / "run").exists()


def test_a_region_without_a_class_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tiny.squares(tmp_path / "data")
    document = json.loads(labels.read_text())
    document["square2.png"]["regions"][0]["region_attributes"] = {}
    labels.write_text(json.dumps(document))
    refused(["train", "--data", str(labels), "--out", str(tmp_path / "run"), *TRAIN], 1, '"square2.png"', capsys)
    assert not (tmp_path / "run").exists()


def test_a_class_that_training_has_not_is_named(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tiny.squares(tmp_path / "data")
    other = tiny.squares(tmp_path / "other", class_name="circle")
    words = ["train", "--data", str(labels), "--val", str(other), "--out", str(tmp_path / "run"), *TRAIN]
    refused(words, 1, 'class "circle" is in the validation set but not in the training set (square)', capsys)
    assert not (tmp_path / "run").exists()
    report = tmp_path / "report.json"
    refused(["evaluate", str(trained), "--data", str(other), "--out", str(report)], 1, 'class "circle"', capsys)
    assert not report.exists()


def test_a_run_is_never_written_over(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = tiny.squares(tmp_path / "data")
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*")}
    refused(["train", "--data", str(labels), "--out", str(trained), *TRAIN], 2, "already holds a run", capsys)
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*")} == before


BAD_ARGUMENTS = {
    "no such file": (["train", "--data", "nowhere.json", "--out", "run"], "nowhere.json"),
    "no such picture": (["predict", "RUN", "nowhere.png", "--out", "out"], "nowhere.png"),
    "no such model": (["info", "nowhere"], "nowhere"),
    "a trained network changed": (["info", "RUN", "--set", "pooling=pool"], "--set is for presets"),
    "the card of a preset": (["info", "paper", "--card"], "only a run has a card"),
    "the card of a changed run": (["info", "RUN", "--card", "--set", "pooling=pool"], "leave it out"),
    "no such task": (["train", "--data", "DATA", "--out", "run", "--tasks", "box,masks"], "tasks = 'masks'"),
    "no boxes": (["train", "--data", "DATA", "--out", "run", "--tasks", "mask"], "every network finds boxes first"),
    "no such weights": (["train", "--data", "DATA", "--out", "run", "--backbone-weights", "no.pth"], "no.pth"),
    "no such field": (
        ["train", "--data", "DATA", "--out", "run", "--set", "learning_rat=1"],
        'did you mean "learning_rate"',
    ),
    "no such preset": (["train", "--data", "DATA", "--out", "run", "--preset", "huge"], "huge"),
    "no such format": (["convert", "DATA", "b", "--to", "xml"], "xml"),
    "not a number": (["train", "--data", "DATA", "--out", "run", "--set", "learning_rate=fast"], "learning_rate"),
    "no epochs": (["train", "--data", "DATA", "--out", "run", "--epochs", "0"], "epochs"),
    "both lengths": (["train", "--data", "DATA", "--out", "run", "--epochs", "2", "--minutes", "1"], "--minutes"),
    "a score of 2": (["predict", "RUN", "PICTURE", "--out", "out", "--min-score", "2"], "--min-score"),
    "an IoU of 50": (["evaluate", "RUN", "--data", "DATA", "--iou", "50"], "--iou 50: give a number from 0 to 1"),
    "an IoU of 0": (["evaluate", "RUN", "--data", "DATA", "--iou", "0"], "--iou 0: every detection"),
    "a score of -1": (["evaluate", "RUN", "--data", "DATA", "--min-score", "-1"], "--min-score -1: give a number"),
    "no such detections": (["evaluate", "found.json", "--data", "DATA"], "found.json does not exist"),
    "detections of detections": (
        ["evaluate", "found.json", "--data", "DATA", "--detections", "b.json"],
        "--detections is for a network",
    ),
    "few resamples": (["evaluate", "RUN", "--data", "DATA", "--resamples", "9"], "at least 100, or 0 to leave"),
    "no command": ([], "COMMAND"),
    "no such command": (["tarin"], "tarin"),
}


@pytest.mark.parametrize("kind", BAD_ARGUMENTS)
def test_bad_arguments_end_with_status_2(
    kind: str, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words, part = BAD_ARGUMENTS[kind]
    stand_for = {"RUN": str(trained), "DATA": str(tiny.squares(tmp_path / "data")), "PICTURE": "data/square0.png"}
    monkeypatch.chdir(tmp_path)
    refused([stand_for.get(word, word) for word in words], 2, part, capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_failure_that_the_studio_started_is_left_for_its_page(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text("{")
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.write_json(PROCESS, this_process())
    assert main(["train", "--data", str(tmp_path / "labels.json"), "--out", str(run.path), *TRAIN]) == 1
    assert run.result()["state"] == "failed"
    assert "labels.json" in run.result()["error"]


def refused(
    words: list[str], status: int, part: str | None, capsys: pytest.CaptureFixture[str], kind: str = ""
) -> None:
    """The command ends with that status and one line on standard error that holds `part`."""
    capsys.readouterr()
    try:
        ended = main(words)
    except SystemExit as exit_:
        ended = int(exit_.code or 0)
    if kind == "no region":  # labels without regions can be converted, only not learned from
        assert ended == 0
        return
    error = capsys.readouterr().err
    assert ended == status, error
    assert error.startswith("error: ")
    assert error.count("\n") == 1, error
    if part:
        assert part in error
