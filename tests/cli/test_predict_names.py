"""`predict`: folders are taken, each picture has its own overlay, and nothing of somebody else's is replaced."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskrcnn.cli import main
from maskrcnn.cli import predict as command
from maskrcnn.cli.overlay_files import Given, is_overlay, overlay_names, pictures_of, save
from maskrcnn.config import Config
from maskrcnn.errors import ArgumentError


def picture(path: Path, colour: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((12, 16, 3), colour, np.uint8)).save(path)
    return path


def named(names: list[str], out: Path) -> list[str]:
    return overlay_names([Given(Path("elsewhere") / name, name) for name in names], out)


@pytest.mark.parametrize(
    ("names", "overlays"),
    [
        (["a.jpg", "b.png"], ["a.png", "b.png"]),
        # The second a takes the first number that no picture has.
        (["a-2.png", "a.png", "a.jpg"], ["a-2.png", "a.png", "a-3.png"]),
        (["a.png", "a.jpg", "a-2.png"], ["a.png", "a-3.png", "a-2.png"]),
        (["a.png", "a.jpg", "a.tif", "a-3.png"], ["a.png", "a-2.png", "a-4.png", "a-3.png"]),
        # Two names on a disk that tells case apart, one on others.
        (["A.jpg", "a.jpg"], ["A.png", "a-2.png"]),
        (["Straße.jpg", "STRASSE.jpg"], ["Straße.png", "STRASSE-2.png"]),
        # é as one character and as two.
        (["caf\u00e9.jpg", "cafe\u0301.jpg"], ["caf\u00e9.png", "cafe\u0301-2.png"]),
        # Folders keep apart what they keep apart.
        (["x/a.jpg", "y/a.jpg", "a.jpg"], ["x/a.png", "y/a.png", "a.png"]),
        (["x/a.jpg", "X/A.jpg"], ["x/a.png", "X/A-2.png"]),
        # A folder of this name is needed beside it.
        (["a.jpg", "a.png/b.jpg"], ["a-2.png", "a.png/b.png"]),
        (["a.tar.jpg", "a.jpg"], ["a.tar.png", "a.png"]),
        (["b-2.jpg", "b-2.png", "b.jpg"], ["b-2.png", "b-2-2.png", "b.png"]),
        (["1.jpg"] * 4, ["1.png", "1-2.png", "1-3.png", "1-4.png"]),
    ],
)
def test_no_two_pictures_share_an_overlay(names: list[str], overlays: list[str], tmp_path: Path) -> None:
    assert named(names, tmp_path) == overlays


def somebodys_picture(out: Path) -> None:
    picture(out / "a.png")


def a_text(out: Path) -> None:
    (out / "a.png").write_text("notes")


def a_folder(out: Path) -> None:
    (out / "a.png").mkdir()


def a_link(out: Path) -> None:
    save(np.zeros((4, 4, 3), np.uint8), out.parent / "elsewhere.png")
    (out / "a.png").symlink_to(out.parent / "elsewhere.png")


def a_dangling_link(out: Path) -> None:
    (out / "a.png").symlink_to(out / "nowhere")


@pytest.mark.parametrize("there", [somebodys_picture, a_text, a_folder, a_link, a_dangling_link])
def test_what_predict_did_not_make_stays(there: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    there(out)
    assert named(["a.jpg"], out) == ["a-2.png"]


def test_an_overlay_of_an_earlier_time_is_replaced_unless_it_is_predicted_itself(tmp_path: Path) -> None:
    save(np.zeros((4, 4, 3), np.uint8), tmp_path / "a.png")
    assert is_overlay(tmp_path / "a.png")
    assert named(["a.jpg"], tmp_path) == ["a.png"]
    assert overlay_names([Given(tmp_path / "a.png", "a.png")], tmp_path) == ["a-2.png"]


def test_the_pictures_of_a_folder(tmp_path: Path) -> None:
    """Below it too, in natural order, without junk, hidden folders, labels and earlier overlays."""
    folder = tmp_path / "pics"
    for name in ("10.jpg", "2.jpg", "b/1.PNG", "B.tif", "._2.jpg", ".thumbs/2.jpg", "__MACOSX/2.jpg", "Thumbs.db.png"):
        picture(folder / name)
    (folder / "labels.json").write_text("{}")
    (folder / "Thumbs.db").write_bytes(b"")
    save(np.zeros((4, 4, 3), np.uint8), folder / "out" / "2.png")
    given, lines = pictures_of([folder])
    # Names in a folder: numbers by value first, then "B" (a file) and "b" (a folder) regardless of case.
    assert sorted(entry.name for entry in given) == ["10.jpg", "2.jpg", "B.tif", "Thumbs.db.png", "b/1.PNG"]
    assert [entry.name for entry in given][:2] == ["2.jpg", "10.jpg"]
    assert lines == [
        f"passed over: {folder}: 1 file without the suffix of a picture",
        f"passed over: {folder}: 1 overlay that predict made before",
    ]


def test_several_folders_begin_the_names_and_a_file_counts_once(tmp_path: Path) -> None:
    train, val = picture(tmp_path / "train" / "1.jpg"), picture(tmp_path / "val" / "1.jpg")
    given, lines = pictures_of([tmp_path / "train", tmp_path / "val", train])
    assert [(entry.path, entry.name) for entry in given] == [(train, "train/1.jpg"), (val, "val/1.jpg")]
    assert lines == [f"{train}: is given twice, and predicted once"]


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["a/pics", "b/pics"], ["a/pics/1.jpg", "b/pics/1.jpg"]),
        (["a/pics", "b/pics", "other"], ["a/pics/1.jpg", "b/pics/1.jpg", "other/1.jpg"]),
        (["x/a/pics", "y/a/pics"], ["x/a/pics/1.jpg", "y/a/pics/1.jpg"]),
        (["a/pics", "a/pics"], ["pics/1.jpg"]),  # one folder, given twice
        (["pics", "pics/pics"], ["{}/pics/1.jpg", "{}/pics/pics/1.jpg"]),  # one in the other
        (["a/Pics", "b/pics"], ["a/Pics/1.jpg", "b/pics/1.jpg"]),  # one name on a disk without case
    ],
)
def test_folders_of_one_name_begin_the_names_with_more_of_their_paths(
    folders: list[str], names: list[str], tmp_path: Path
) -> None:
    """So that a name in detections.json is that of one picture."""
    for folder in folders:
        picture(tmp_path / folder / "1.jpg")
    given, _ = pictures_of([tmp_path / folder for folder in folders])
    assert [entry.name for entry in given] == [name.format(tmp_path.name) for name in names]


def test_a_folder_whose_name_is_a_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture(tmp_path / "a" / "1.jpg")
    picture(tmp_path / "b" / "1.jpg")
    monkeypatch.chdir(tmp_path / "a")
    given, _ = pictures_of([Path("."), Path("../b")])
    assert [entry.name for entry in given] == ["a/1.jpg", "b/1.jpg"]


def empty(folder: Path) -> str:
    return "it holds nothing that could be one"


def labels_alone(folder: Path) -> str:
    (folder / "a.json").write_text("{}")
    return "it holds 1 file, none of them a picture"


def junk_alone(folder: Path) -> str:
    picture(folder / ".cache" / "a.png")
    return "it holds nothing that could be one"


def folders_alone(folder: Path) -> str:
    (folder / "deep" / "deeper").mkdir(parents=True)
    return "it holds nothing that could be one"


def overlays_alone(folder: Path) -> str:
    save(np.zeros((4, 4, 3), np.uint8), folder / "a.png")
    return "nothing but overlays of predict"


@pytest.mark.parametrize("content", [empty, labels_alone, junk_alone, folders_alone, overlays_alone])
def test_a_folder_without_pictures_is_one_line(content: Any, tmp_path: Path) -> None:
    words = content(tmp_path)
    with pytest.raises(ArgumentError, match="a folder without pictures") as refused:
        pictures_of([tmp_path])
    assert words in str(refused.value)


# The whole command, with a stand-in for the network


@pytest.fixture(autouse=True)
def network(monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds one object in each picture, whose score is the picture's colour in percent; none where that is 0."""
    model = SimpleNamespace(config=Config.preset("classroom", class_names=("nut",), num_classes=2))

    def detect(_: object, seen: np.ndarray, image_id: int) -> list[dict[str, Any]]:
        box = {"image_id": image_id, "category_id": 1, "bbox": [1, 1, 8, 8], "score": float(seen[0, 0, 0]) / 100}
        return [box] if seen[0, 0, 0] else []

    monkeypatch.setattr(command, "load_for_inference", lambda args: model)
    monkeypatch.setattr(command, "detect", detect)


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
        assert made == {"a-2.png", "a-3.png", "b/c-2.png", "detections.json"}


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
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "c.png", "detections.json"]
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
