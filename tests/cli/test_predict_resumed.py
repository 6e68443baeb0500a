"""`predict` that was stopped, and is given the same command again; and with more kinds of outputs."""

from __future__ import annotations

import csv
import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools import mask as coco_mask

from maskrcnn.__main__ import main
from maskrcnn.config import Config
from maskrcnn.inference.video_frames import video_facts, video_writer
from tests.inference.pictures import picture


class Network:
    """It finds one object of 4 x 3 pixels in each picture, with a score of 0.9. `seen` are the colours it was shown."""

    def __init__(self) -> None:
        self.config = Config.preset("classroom", class_names=("nut",), num_classes=2)
        self.seen: list[int] = []
        self.at_picture: Any = lambda count: None

    def parameters(self) -> Any:
        return iter([torch.zeros(1)])

    def detect(self, _: object, shown: np.ndarray) -> list[dict[str, Any]]:
        self.seen.append(round(float(shown.mean())))
        self.at_picture(len(self.seen))
        inside = np.zeros(shown.shape[:2], np.uint8, order="F")
        inside[2:5, 1:5] = 1
        code = coco_mask.encode(inside)
        mask = {"size": code["size"], "counts": code["counts"].decode()}
        return [{"image_id": 0, "category_id": 1, "bbox": [1, 2, 4, 3], "score": 0.9, "segmentation": mask}]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    made = Network()
    monkeypatch.setattr("maskrcnn.cli.predict.load_for_inference", lambda args: made)
    monkeypatch.setattr("maskrcnn.model.weights.find_checkpoint", lambda name: SimpleNamespace(path=Path(name)))
    monkeypatch.setattr("maskrcnn.inference.prediction_journal.file_digest", lambda path: f"digest of {path}")
    monkeypatch.setattr("maskrcnn.inference.prediction_work.detect", made.detect)
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)  # one after the other
    return made


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five pictures, 10.png to 50.png, whose names are their colours."""
    for colour in range(10, 60, 10):
        picture(tmp_path / "photos" / f"{colour}.png", colour)
    return tmp_path / "photos"


def predict(photos: Path, *more: str) -> int:
    return main(["predict", "toy", str(photos), "--out", str(photos.parent / "out"), *more])


def press_ctrl_c_at(count: int) -> Any:
    return lambda number: os.kill(os.getpid(), signal.SIGINT) if number == count else None


def test_ctrl_c_ends_after_the_pictures_in_work_and_the_same_command_goes_on(
    network: Network, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network.at_picture = press_ctrl_c_at(2)
    assert predict(photos) == 130
    told = capsys.readouterr()
    done = len(network.seen)
    assert 2 <= done < 5
    assert f"stopped: {done} of 5 pictures are done; the same command goes on with the rest\n" in told.err
    assert "Traceback" not in told.err
    assert not (photos.parent / "out" / "detections.json").exists()
    network.at_picture = lambda count: None
    assert predict(photos) == 0
    assert network.seen == [10, 20, 30, 40, 50]  # none twice
    told = capsys.readouterr()
    assert told.out.startswith(f"{done} of 5 pictures were done before; goes on with {5 - done}\n")
    assert "5 pictures, 5 detections in" in told.out
    entries = json.loads((photos.parent / "out" / "detections.json").read_text())
    assert [(entry["image_id"], entry["file_name"]) for entry in entries] == [
        *((1, "10.png"), (2, "20.png"), (3, "30.png"), (4, "40.png"), (5, "50.png"))
    ]
    assert not list((photos.parent / "out").glob(".*"))


def test_what_is_done_is_the_same_as_in_one_go(network: Network, photos: Path) -> None:
    network.at_picture = press_ctrl_c_at(1)
    assert predict(photos, "--write", "overlays,coco,csv,masks") == 130
    assert predict(photos, "--write", "overlays,coco,csv,masks") == 0
    stopped = files_in(photos.parent / "out")
    (photos.parent / "out").rename(photos.parent / "stopped")
    assert predict(photos, "--write", "overlays,coco,csv,masks") == 0
    assert files_in(photos.parent / "out") == stopped


def files_in(folder: Path) -> dict[str, bytes]:
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: content for name, content in found.items() if name != "journal.jsonl"}


def test_a_changed_a_new_and_an_unfinished_picture_are_predicted_again(network: Network, photos: Path) -> None:
    assert predict(photos) == 0
    network.seen.clear()
    picture(photos / "20.png", 21)
    picture(photos / "60.png", 60)
    (photos.parent / "out" / "40.png").unlink()
    assert predict(photos) == 0
    assert network.seen == [21, 40, 60]
    network.seen.clear()
    (photos / "10.png").unlink()
    assert predict(photos) == 0
    assert network.seen == []
    entries = json.loads((photos.parent / "out" / "detections.json").read_text())
    assert [entry["file_name"] for entry in entries] == ["20.png", "30.png", "40.png", "50.png", "60.png"]


@pytest.mark.parametrize("cut", [1, 20, 10_000])
def test_a_line_that_was_cut_off_costs_its_picture_only(cut: int, network: Network, photos: Path) -> None:
    assert predict(photos) == 0
    journal = photos.parent / "out" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    network.seen.clear()
    assert predict(photos) == 0
    assert network.seen == ([50] if cut < 10_000 else [10, 20, 30, 40, 50])
    network.seen.clear()
    assert predict(photos) == 0
    assert network.seen == []


def test_a_damaged_line_costs_its_picture_only(network: Network, photos: Path) -> None:
    assert predict(photos) == 0
    journal = photos.parent / "out" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    (place,) = [number for number, line in enumerate(lines) if b'"30.png"' in line]
    lines[place] = b"\0" * 40 + b"\n"
    journal.write_bytes(b"".join(lines))
    network.seen.clear()
    assert predict(photos) == 0
    assert network.seen == [30]


def test_what_a_killed_run_left_unfinished_is_deleted(network: Network, photos: Path) -> None:
    assert predict(photos, "--write", "overlays,masks") == 0
    out = photos.parent / "out"
    code = "0123456789abcdef" * 2
    for name in (f".10.png.{code}.tmp", f"masks/.20.png.{code}.tmp", f".theirs.png.{code}.tmp", ".10.png.tmp"):
        (out / name).write_text("")
    (out / ".detections.json.abcdefgh.tmp").mkdir()
    assert predict(photos, "--write", "overlays,masks") == 0
    assert sorted(path.name for path in out.rglob(".*")) == [".10.png.tmp", f".theirs.png.{code}.tmp"]


OTHERS = {
    "another network": (["coco"], "holds predictions of another network (toy, now coco)"),
    "another score": (["toy", "--min-score", "0.7"], "was predicted with --min-score 0.5, and not 0.7"),
    "other pictures": (["toy", "--write", "cutouts"], "was predicted with --write overlays, and not cutouts"),
    "another precision": (["toy", "--precision", "float32"], "was predicted with --precision auto, and not float32"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_another_network_or_other_options_are_refused_until_again(
    kind: str, network: Network, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(photos) == 0
    (model, *options), words = OTHERS[kind]
    command = ["predict", model, str(photos), "--out", str(photos.parent / "out"), *options]
    before = (photos.parent / "out" / "journal.jsonl").read_bytes()
    assert main(command) == 2
    error = capsys.readouterr().err
    assert f"{words}; give --again to start over, or --out another folder" in error
    assert error.count("\n") == 1
    assert (photos.parent / "out" / "journal.jsonl").read_bytes() == before
    network.seen.clear()
    assert main([*command, "--again"]) == 0
    assert network.seen == [10, 20, 30, 40, 50]
    assert main(command) == 0
    assert network.seen == [10, 20, 30, 40, 50]


def test_more_files_about_the_same_pictures_need_no_network(network: Network, photos: Path) -> None:
    assert predict(photos) == 0
    network.seen.clear()
    assert predict(photos, "--write", "overlays,csv,coco") == 0
    assert predict(photos, "--write", "csv,overlays") == 0  # its own files are replaced
    assert network.seen == []
    rows = list(csv.DictReader((photos.parent / "out" / "detections.csv").open()))
    assert [(row["picture"], row["class"], row["area_px"]) for row in rows] == [
        (f"{colour}.png", "nut", "12") for colour in range(10, 60, 10)
    ]


def test_what_belongs_to_somebody_else_is_not_replaced(
    network: Network, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = photos.parent / "out"
    (out / "masks").mkdir(parents=True)
    (out / "masks" / "mine.png").write_text("mine")
    assert predict(photos, "--write", "masks") == 2
    assert "masks: is there already and was not written by predict" in capsys.readouterr().err
    assert predict(photos) == 0  # beside it there is room
    assert predict(photos, "--write", "masks", "--again") == 2
    assert files_in(out)["masks/mine.png"] == b"mine"
    (out / "journal.jsonl").write_text("my diary\n")
    assert predict(photos) == 2
    assert "journal.jsonl: is there already and is no journal of predict" in capsys.readouterr().err


def test_an_unknown_kind_and_a_wrong_distance_are_one_line(
    network: Network, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(photos, "--write", "overlays,pdf") == 2
    assert 'there is no output "pdf"; choose from overlays' in capsys.readouterr().err
    assert predict(photos, "--every", "-1") == 2
    assert "--every -1.0: give a number of seconds" in capsys.readouterr().err


def test_a_full_disk_is_one_line_and_what_is_done_stays(
    network: Network, photos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("maskrcnn.inference.overlay_files.replacing", fails_for("30.png"))
        assert predict(photos) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "30.png: cannot be written (No space left on device)" in error
    assert "make room and give the same command again: 2 of 5 pictures are done" in error
    network.seen.clear()
    assert predict(photos) == 0
    assert network.seen == [30, 40, 50]


def fails_for(name: str) -> Any:
    from maskrcnn.atomic_files import replacing

    def made(path: Path, **options: Any) -> Any:
        if path.name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replacing(path, **options)

    return made


def test_a_broken_picture_is_tried_again_and_told_again(
    network: Network, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "30.png").write_text("words")
    for _ in range(2):
        assert predict(photos) == 1
        told = capsys.readouterr()
        assert told.err.count("30.png") == 1
        assert "4 pictures, 4 detections in" in told.out
    picture(photos / "30.png", 30)
    assert predict(photos) == 0
    assert network.seen == [10, 20, 40, 50, 30]


# Videos


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Ten frames in two seconds, whose colours are 10, 20, ... 100."""
    with video_writer(tmp_path / "clip.webm", fps=5) as write:
        for number in range(1, 11):
            write(np.full((48, 64, 3), 10 * number, np.uint8))
    return tmp_path / "clip.webm"


def test_a_video_comes_back_drawn_with_the_times_of_its_frames(
    network: Network, clip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = clip.parent / "out"
    assert main(["predict", "toy", str(clip), "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["clip.webm", "detections.json", "journal.jsonl"]
    facts = video_facts(out / "clip.webm")
    assert (facts.width, facts.height, facts.frames, facts.seconds) == (64, 48, 10, 2)
    entries = json.loads((out / "detections.json").read_text())
    assert [(entry["image_id"], entry["file_name"], entry["overlay"]) for entry in entries] == [
        (number + 1, f"clip_{number:06d}.png", "clip.webm") for number in range(10)
    ]
    assert [entry["time"] for entry in entries] == pytest.approx([number / 5 for number in range(10)], abs=2e-3)
    told = capsys.readouterr().out
    assert f"clip.webm: 10 frames, 10 of 10 detections drawn in {out / 'clip.webm'}" in told
    assert told.endswith(f"10 frames, 10 detections in {out / 'detections.json'}\n")


def test_a_video_into_its_own_folder_with_a_frame_each_half_second(network: Network, clip: Path) -> None:
    before = clip.read_bytes()
    command = ["predict", "toy", str(clip), "--out", str(clip.parent), "--every", "0.5", "--write", "overlays,coco"]
    for _ in range(2):
        assert main(command) == 0
    assert clip.read_bytes() == before
    assert len(network.seen) == 4
    assert video_facts(clip.parent / "clip-2.webm").frames == 4
    coco = json.loads((clip.parent / "coco.json").read_text())
    # The first frames at or after 0, 0.5, 1 and 1.5 s, of 5 in a second.
    names = ["clip-2_000000.png", "clip-2_000003.png", "clip-2_000005.png", "clip-2_000008.png"]
    assert [Path(image["file_name"]).name for image in coco["images"]] == names
    assert sorted(path.name for path in (clip.parent / "frames").iterdir()) == names
    assert Image.open(clip.parent / "frames" / names[1]).size == (64, 48)


def test_a_stopped_video_goes_on_and_is_drawn_whole(network: Network, clip: Path) -> None:
    out = clip.parent / "out"
    network.at_picture = press_ctrl_c_at(3)
    assert main(["predict", "toy", str(clip), "--out", str(out)]) == 130
    assert sorted(path.name for path in out.iterdir()) == ["journal.jsonl"]
    assert len(network.seen) < 10
    network.at_picture = lambda count: None
    assert main(["predict", "toy", str(clip), "--out", str(out)]) == 0
    assert len(network.seen) == 10
    assert video_facts(out / "clip.webm").frames == 10


def test_a_broken_video_beside_pictures_is_one_line(
    network: Network, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = photos.parent / "b.mp4"
    broken.write_text("words")
    assert main(["predict", "toy", str(photos), str(broken), "--out", str(photos.parent / "out")]) == 1
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert f"error: {broken}: is not a video that can be read" in told.err
    assert told.out.endswith("; 1 picture could not be read\n")


# The real thing


def test_a_process_that_is_interrupted_ends_in_one_line_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = np.random.default_rng(0)
    for number in range(30):
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(random.integers(0, 255, (300, 400, 3), np.uint8)).save(tmp_path / "photos" / f"{number}.jpg")
    root = Path(__file__).resolve().parents[2]
    toy = str(root / "data" / "weights" / "toy")
    arguments = ["predict", toy, str(tmp_path / "photos"), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "maskrcnn", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while not (tmp_path / "out" / "0.png").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=200)
    assert process.returncode == 130
    assert b"Traceback" not in error
    lines = (tmp_path / "out" / "journal.jsonl").read_text().splitlines()
    done = [json.loads(line)["key"] for line in lines if '"key"' in line]
    assert 1 <= len(done) < 30
    assert f"stopped: {len(done)} of 30 pictures are done".encode() in error
    assert main(arguments) == 0
    assert f"{len(done)} of 30 pictures" in capsys.readouterr().out
    lines = (tmp_path / "out" / "journal.jsonl").read_text().splitlines()
    assert sorted(json.loads(line)["key"] for line in lines if '"key"' in line) == sorted(map(str, range(30)))
