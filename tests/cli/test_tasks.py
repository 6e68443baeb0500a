"""Networks without masks and with keypoints, from labels to report by the command line."""

import json
from pathlib import Path

import pytest
from PIL import Image

from maskrcnn.__main__ import main
from maskrcnn.runs.folder import RunFolder
from tests import tiny
from tests.sweeps import sweep

TRAIN = [
    *("--backbone", "resnet18_fpn", "--epochs", "1", "--device", "cpu", *tiny.SETTINGS),
    *("--set", "keypoint_head_width=8", "--set", "keypoint_head_depth=1"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of boxes and five keypoints, from labels that have no outlines."""
    folder = tmp_path_factory.mktemp("kites")
    labels = tiny.kites(folder / "data", outlines=False)
    words = ["--data", str(labels), "--val", str(labels), "--out", str(folder / "run"), "--tasks", "box,keypoints"]
    assert main(["train", *words, *TRAIN, "--set", "keypoint_sigmas=0.1,0.1,0.1,0.1,0.2"]) == 0
    return folder / "run"


def test_five_keypoints_are_trained(trained: Path) -> None:
    run = RunFolder.open(trained)
    config = run.config()
    assert (config.tasks, config.num_keypoints) == (("box", "keypoints"), 5)
    assert config.keypoint_names == tiny.KEYPOINTS
    assert config.keypoint_edges == ((0, 4), (1, 4), (2, 4), (3, 4))
    assert config.sigmas == (0.1, 0.1, 0.1, 0.1, 0.2)
    (epoch,) = run.epochs()
    assert {"keypoints_ap", "mrcnn_keypoint_loss", "val_mrcnn_keypoint_loss"} <= set(epoch)
    assert not {"segm_ap", "mrcnn_mask_loss"} & set(epoch)
    assert "mrcnn_keypoint" in run.log_tail()
    assert "keypoints_ap" in run.log_tail()


def test_they_are_measured_with_the_models_own_sigmas(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tiny.kites(tmp_path / "data", pictures=2)
    words = [str(trained), "--data", str(labels), "--device", "cpu"]
    assert main(["evaluate", *words, "--out", str(tmp_path / "a.json"), "--detections", str(tmp_path / "d.json")]) == 0
    printed = capsys.readouterr().out
    assert "keypoints: AP" in printed
    assert "masks: AP" not in printed
    assert "and box IoU 0.5" in printed
    report = json.loads((tmp_path / "a.json").read_text())
    assert {"AP", "AP50", "AP75", "APm", "APl", "AR"} <= set(report["keypoints"])
    assert (report["segm"], report["matched_by"]) == (None, "bbox")
    assert [row["n_gt"] for row in report["per_image"]] == [1, 1]
    found = json.loads((tmp_path / "d.json").read_text())
    assert found
    assert {len(entry["keypoints"]) for entry in found} == {15}
    assert all("segmentation" not in entry for entry in found)


def test_a_picture_is_predicted(trained: Path, tmp_path: Path) -> None:
    tiny.kites(tmp_path / "data", pictures=1)
    picture = tmp_path / "data" / "kite0.png"
    assert main(["predict", str(trained), str(picture), "--out", str(tmp_path / "out"), "--min-score", "0"]) == 0
    assert Image.open(tmp_path / "out" / "kite0.png").size == (96, 64)
    entries = json.loads((tmp_path / "out" / "detections.json").read_text())
    assert all(len(entry["keypoints"]) == 15 for entry in entries)


def test_a_model_is_not_measured_on_other_keypoints(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tiny.kites(tmp_path / "data", pictures=1)
    labels.write_text(labels.read_text().replace('"top"', '"tip"'))
    out = tmp_path / "report.json"
    assert main(["evaluate", str(trained), "--data", str(labels), "--out", str(out)]) == 1
    assert "its objects have other keypoints" in capsys.readouterr().err
    assert not out.exists()


def test_masks_and_keypoints_go_together_and_faster_r_cnn_has_neither(tmp_path: Path) -> None:
    labels = tiny.kites(tmp_path / "data", pictures=2)
    for tasks, measured in (("box,mask,keypoints", {"bbox", "segm", "keypoints"}), ("box", {"bbox"})):
        run, out = tmp_path / tasks, tmp_path / f"{tasks}.json"
        assert main(["train", "--data", str(labels), "--out", str(run), "--tasks", tasks, *TRAIN]) == 0
        assert main(["evaluate", str(run), "--data", str(labels), "--out", str(out), "--device", "cpu"]) == 0
        report = json.loads(out.read_text())
        assert {kind for kind in ("bbox", "segm", "keypoints") if report[kind] is not None} == measured


@pytest.mark.parametrize(
    ("outlines", "tasks", "says"),
    [(False, "box,mask", "--tasks box,keypoints"), (True, "keypoints", "every network finds boxes first")],
)
def test_a_task_that_cannot_be_is_one_line_and_leaves_nothing(
    outlines: bool, tasks: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tiny.kites(tmp_path / "data", pictures=1, outlines=outlines)
    words = ["train", "--data", str(labels), "--out", str(tmp_path / "run"), "--tasks", tasks, *TRAIN]
    assert main(words) in (1, 2)
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@sweep
def test_what_a_user_may_not_expect_is_said(tmp_path: Path) -> None:
    labels = tiny.kites(tmp_path / "data", pictures=1)
    document = json.loads(labels.read_text())
    del document["categories"][0]["keypoints"], document["categories"][0]["skeleton"]
    labels.write_text(json.dumps(document))
    for tasks, says in (("box", "--tasks box,keypoints learns them"), ("box,keypoints", "are not mirrored")):
        run = tmp_path / tasks
        assert main(["train", "--data", str(labels), "--out", str(run), "--tasks", tasks, *TRAIN]) == 0
        assert says in RunFolder.open(run).log_tail()
