"""One zip with everything: whole or not there, one picture at a time, stopped when the person stops."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations import pictures, read
from maskrcnn.errors import ArgumentError, StudioError
from maskrcnn.inference.outputs import KINDS, FoundPicture, TakeAwayStopped, take_away
from tests.inference.outputs import made


def load(found: FoundPicture) -> np.ndarray:
    assert found.path is not None
    return pictures.load(found.path)


def names_in(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        return set(opened.namelist())


def test_everything_in_one_zip(tmp_path: Path) -> None:
    found = made.found_pictures(tmp_path / "photos")
    seen: list[tuple[int, int]] = []
    (tmp_path / "out").mkdir()
    target = take_away(KINDS, found, load, made.CONFIG, None, tmp_path / "out" / "all.zip", lambda *at: seen.append(at))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["all.zip"]
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    pngs = {"a.png", "b.png", "sub/a.png"}
    assert names_in(target) == {
        *(f"overlays/{name}" for name in pngs),
        *(f"masks/{name}" for name in pngs),
        *("masks/legend.csv", "cutouts/cutouts.csv", "coco.json", "via.json", "detections.csv", "notes.txt"),
        *(f"cutouts/a_{number}.png" for number in ("001_nut", "002_bolt-1", "003_nut", "005_nut")),
        "cutouts/sub/a_001_nut.png",
        *(f"labelme/{name}" for name in (*pngs, "a.json", "b.json", "sub/a.json")),
        "yolo/data.yaml",
        *(f"yolo/images/train/{name}" for name in pngs),
        *(f"yolo/labels/train/{name}.txt" for name in ("a", "b", "sub/a")),
    }
    with zipfile.ZipFile(target) as archive:
        archive.extractall(tmp_path / "again")
        notes = archive.read("notes.txt").decode().splitlines()
        mask = np.asarray(Image.open(io.BytesIO(archive.read("masks/sub/a.png"))))
    assert (
        "yolo: 5 regions no longer marked as suggested by a model because YOLO segmentation has no such mark" in notes
    )
    assert np.array_equal(mask, made.MASKS[2])  # its only object has the number 1
    for kind in ("coco.json", "via.json", "labelme", "yolo"):
        assert read(tmp_path / "again" / kind, tmp_path / "photos").n_regions == 5


def test_only_kinds_that_need_pixels_load_pictures(tmp_path: Path) -> None:
    found = [FoundPicture("a.png", made.WIDTH, made.HEIGHT, made.detections())]

    def never(_: FoundPicture) -> np.ndarray:
        raise AssertionError

    assert names_in(take_away(["csv"], found, never, made.CONFIG, None, tmp_path / "a.zip")) == {"detections.csv"}


def test_a_picture_that_is_gone_is_noted_and_the_others_go_on(tmp_path: Path) -> None:
    found = made.found_pictures(tmp_path)
    (tmp_path / "a.png").unlink()
    target = take_away(["masks"], found, load, made.CONFIG, None, tmp_path / "a.zip")
    assert names_in(target) == {"masks/b.png", "masks/sub/a.png", "masks/legend.csv", "notes.txt"}
    with zipfile.ZipFile(target) as archive:
        assert "a.png: there is no such picture" in archive.read("notes.txt").decode()


class MadeOnDemand(list[FoundPicture]):
    """Pictures that take long to be made; the second cannot be made."""

    def __init__(self, found: list[FoundPicture]) -> None:
        super().__init__(found)
        self.made: list[int] = []

    def __getitem__(self, number: Any) -> Any:
        self.made.append(number)
        if number == 1:
            raise StudioError("b.png: what was found in it is damaged; try it again")
        return super().__getitem__(number)


def test_what_was_found_is_read_once_and_what_cannot_be_read_is_noted(tmp_path: Path) -> None:
    found = MadeOnDemand(made.found_pictures(tmp_path / "photos"))
    target = take_away(KINDS, found, load, made.CONFIG, None, tmp_path / "a.zip")
    assert found.made == [0, 1, 2]
    with zipfile.ZipFile(target) as archive:
        assert "b.png: what was found in it is damaged" in archive.read("notes.txt").decode()
        archive.extractall(tmp_path / "again")
    assert [name for name in names_in(target) if "b." in name] == []
    for kind in ("coco.json", "via.json", "labelme", "yolo"):
        dataset = read(tmp_path / "again" / kind, tmp_path / "photos")
        assert {record.file_name: len(record.regions) for record in dataset.images} == {"a.png": 4, "sub/a.png": 1}


@pytest.mark.parametrize("calls", range(1, 9))
def test_stopped_at_any_moment_nothing_is_left(calls: int, tmp_path: Path) -> None:
    found = made.found_pictures(tmp_path / "photos")
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked == calls

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.zip").write_text("the one before")
    with pytest.raises(TakeAwayStopped):
        take_away(["masks", "coco", "yolo"], found, load, made.CONFIG, None, tmp_path / "out" / "a.zip", None, stopped)
    assert [path.read_text() for path in (tmp_path / "out").rglob("*")] == ["the one before"]


@pytest.mark.parametrize(
    "step", ["zipfile.ZipFile.write", "PIL.Image.Image.save", "csv.writer", "maskrcnn.atomic_files.os.replace"]
)
def test_a_full_disk_is_one_line_and_nothing_is_left(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = made.found_pictures(tmp_path / "photos")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(step, full)
    with pytest.raises(ArgumentError) as raised:
        take_away(["masks", "csv"], found, load, made.CONFIG, None, tmp_path / "out" / "a.zip")
    zip_file = tmp_path / "out" / "a.zip"
    assert str(raised.value) == f"{zip_file}: cannot be written (No space left on device); choose another place"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("kinds", "words"), [([], "nothing is chosen"), (["zip"], 'there is no output "zip"')])
def test_what_cannot_be_taken_away(kinds: list[str], words: str, tmp_path: Path) -> None:
    with pytest.raises(StudioError, match=words):
        take_away(kinds, [], load, made.CONFIG, None, tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []


def test_names_from_anywhere_stay_in_the_zip(tmp_path: Path) -> None:
    names = ["../../a.png", "C:\\b.png", "/etc/passwd.png", "con.png", "a.png"]
    found = [FoundPicture(name, made.WIDTH, made.HEIGHT, made.detections()[:2]) for name in names]
    kinds = ["overlays", "cutouts", "masks", "labelme", "yolo"]
    target = take_away(kinds, found, lambda _: made.pixels(), made.CONFIG, None, tmp_path / "a.zip")
    inside = names_in(target)
    assert len([name for name in inside if name.startswith("masks/") and name.endswith(".png")]) == len(names)
    assert not [name for name in inside if name.startswith("/") or ".." in name.split("/") or "\\" in name]
