"""The pictures that files and folders stand for, and their names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskrcnn.errors import ArgumentError
from maskrcnn.inference.input_pictures import pictures_of
from maskrcnn.inference.overlay_files import save_overlay
from tests.inference.pictures import picture


def test_the_pictures_of_a_folder(tmp_path: Path) -> None:
    """Below it too, in natural order, without junk, hidden folders, labels and earlier overlays."""
    folder = tmp_path / "pics"
    for name in ("10.jpg", "2.jpg", "b/1.PNG", "B.tif", "._2.jpg", ".thumbs/2.jpg", "__MACOSX/2.jpg", "Thumbs.db.png"):
        picture(folder / name)
    (folder / "labels.json").write_text("{}")
    (folder / "Thumbs.db").write_bytes(b"")
    save_overlay(np.zeros((4, 4, 3), np.uint8), folder / "out" / "2.png")
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
    save_overlay(np.zeros((4, 4, 3), np.uint8), folder / "a.png")
    return "nothing but overlays of predict"


@pytest.mark.parametrize("content", [empty, labels_alone, junk_alone, folders_alone, overlays_alone])
def test_a_folder_without_pictures_is_one_line(content: Any, tmp_path: Path) -> None:
    words = content(tmp_path)
    with pytest.raises(ArgumentError, match="a folder without pictures") as refused:
        pictures_of([tmp_path])
    assert words in str(refused.value)


def test_videos_of_a_folder_are_named_by_the_person(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    folder.mkdir()
    (folder / "a.MP4").write_bytes(b"")
    with pytest.raises(ArgumentError, match="a folder without pictures, with 1 video; give videos by their names"):
        pictures_of(folder)
    picture(folder / "a.png")
    (folder / "notes.txt").write_text("")
    given, lines = pictures_of(folder)
    assert [entry.name for entry in given] == ["a.png"]
    assert lines == [
        f"passed over: {folder}: 2 files without the suffix of a picture (1 video: give videos by their names)"
    ]
