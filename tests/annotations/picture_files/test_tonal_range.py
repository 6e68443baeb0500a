"""Pictures that use a fraction of their range: which are told of, how, and that the command in the line mends it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from maskrcnn.__main__ import main
from maskrcnn.annotations import pictures
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.doctor import Finding, examine
from maskrcnn.annotations.picture_files import tonal_range
from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.cli import stretch

WIDTH, HEIGHT = 120, 100


def ramp(low: float, high: float, kind: str = "uint8") -> np.ndarray:
    """Values from `low` to `high`, both of them reached by many pixels."""
    columns = np.clip(np.linspace(-0.1, 1.1, WIDTH), 0, 1) * (high - low) + low
    values = np.tile(columns, (HEIGHT, 1))
    return values.astype(kind) if kind.startswith("f") else np.rint(values).astype(kind)


def colours(low: float, high: float, kind: str) -> np.ndarray:
    one = ramp(low, high, kind)
    return np.dstack([one, one[:, ::-1], one])


def with_hot_pixels(values: np.ndarray) -> np.ndarray:
    """One pixel of 12,000 at the upper end, one at the lower."""
    values = values.copy()
    values[0, 0], values[-1, -1] = np.iinfo(values.dtype).max, 0
    return values


# What is stored; the name of its file; the window to stretch from, worked by hand (None: nothing is told); its look.
Case = tuple[Callable[[], np.ndarray], str, tuple[float, float] | None, str]

KINDS: dict[str, Case] = {
    "10 bits in 16": (lambda: ramp(0, 1023, "uint16"), "a.png", (0, 1023), "nearly black (0 to 3 of 255)"),
    "12 bits in 16, not all used": (
        lambda: ramp(100, 3000, "uint16"),
        "a.png",
        (0, 4095),
        "nearly black (0 to 11 of 255)",
    ),
    "12 bits in 16, TIFF": (lambda: ramp(0, 4095, "uint16"), "a.tif", (0, 4095), "nearly black (0 to 15 of 255)"),
    "14 bits in 16": (lambda: ramp(0, 16383, "uint16"), "a.png", (0, 16383), "nearly black (0 to 63 of 255)"),
    "12 bits in 16, colours": (lambda: colours(0, 4095, "uint16"), "a.png", (0, 4095), "nearly black (0 to 15 of 255)"),
    "12 bits in 16, colours, TIFF": (lambda: colours(0, 4095, "uint16"), "a.tif", (0, 4095), "nearly black"),
    "12 bits in 32": (lambda: ramp(0, 4095, "int32"), "a.tif", (0, 4095), "nearly black (0 to 15 of 255)"),
    "hot and dead pixels": (lambda: with_hot_pixels(ramp(200, 4095, "uint16")), "a.png", (0, 4095), "nearly black"),
    "a window in the middle": (
        lambda: ramp(30000, 34000, "uint16"),
        "a.png",
        (30000, 34000),
        "nearly one brightness (117 to 132 of 255)",
    ),
    "a window in the middle of 14 bits": (
        lambda: ramp(9000, 12000, "uint16"),
        "a.png",
        (9000, 12000),
        "nearly black (35 to 46 of 255)",
    ),
    "a window at the top": (lambda: ramp(60000, 65535, "uint16"), "a.png", (60000, 65535), "nearly white (234 to 255"),
    "8 bits, dark": (lambda: ramp(2, 40), "a.png", (2, 40), "nearly black (2 to 40 of 255)"),
    "8 bits, light": (lambda: ramp(230, 255), "a.png", (230, 255), "nearly white (230 to 255 of 255)"),
    "8 bits, dark colours": (lambda: colours(0, 30, "uint8"), "a.png", (0, 30), "nearly black"),
    "0 and 1 in 8 bits": (lambda: ramp(0, 1), "a.png", (0, 1), "as masks have and pictures of two colours"),
    "fractions of 12 bits": (lambda: ramp(0, 0.0625, "float32"), "a.tif", (0, 0.0625), "nearly black (0 to 16 of 255)"),
    "16 bits, all used": (lambda: ramp(0, 65535, "uint16"), "a.png", None, ""),
    "15 bits": (lambda: ramp(0, 32767, "uint16"), "a.png", None, ""),
    "a photograph": (lambda: colours(10, 200, "uint8"), "a.png", None, ""),
    "fog": (lambda: colours(120, 200, "uint8"), "a.png", None, ""),
    "fractions from 0 to 1": (lambda: ramp(0, 1, "float32"), "a.tif", None, ""),
    "measurements that are stretched when they are read": (lambda: ramp(-4, 9, "float32"), "a.tif", None, ""),
    "two colours in 1 bit": (lambda: ramp(0, 1).astype(bool), "a.png", None, ""),
}


def saved(values: np.ndarray, place: Path) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    if values.dtype in (bool, np.int32):
        Image.fromarray(values).save(place)
    else:
        assert cv2.imwrite(str(place), values)
    return place


def examined(*places: Path, split: str | None = None) -> list[Finding]:
    records = [
        ImageRecord(place.name, (Region(Rect(10, 10, 60, 60), "cat"),), place, split=split)  # type: ignore[arg-type]
        for place in places
    ]
    return [finding for finding in examine(Dataset(tuple(records), ("cat",))) if finding.check == "narrow-range"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_told_and_that_the_command_mends_it(kind: str, tmp_path: Path, capsys) -> None:
    made, name, window, look = KINDS[kind]
    place = saved(made(), tmp_path / "in" / name)
    found = examined(place, split="train" if len(kind) % 2 else None)  # with a split, copies are looked for as well
    if window is None:
        assert found == []
        return
    (finding,) = found
    assert (finding.severity, finding.file_name) == ("hint", name)
    assert look in finding.what
    command = re.search(r"python -m maskrcnn stretch FOLDER NEW_FOLDER --black (\S+) --white (\S+) makes", finding.what)
    assert command is not None
    assert (float(command[1]), float(command[2])) == pytest.approx(window, abs=1e-4)
    before = place.read_bytes()
    where = str(place.parent), str(tmp_path / "out")
    assert main(["stretch", *where, "--black", command[1], "--white", command[2]]) == 0
    assert place.read_bytes() == before, "pixels are changed in copies alone"
    assert examined(tmp_path / "out" / name) == []
    assert np.ptp(pictures.load(tmp_path / "out" / name)) > 150


SETS: dict[str, tuple[dict[str, Callable[[], np.ndarray]], list[str | None], str]] = {
    "all of 12 bits": (
        {f"{n}.png": lambda n=n: ramp(10 * n, 1500 + 1200 * n, "uint16") for n in range(3)},  # type: ignore[misc]
        [None],
        "all 3 pictures: the values go from 0 to 3,900 of 65,535, as pictures of 12 bits in 16 have",
    ),
    "all dark": (
        {f"{n}.png": lambda: ramp(0, 20) for n in range(2)},
        [None],
        "all 2 pictures: the values go from 0 to 20",
    ),
    "one of three": (
        {"a.png": lambda: ramp(0, 4095, "uint16"), "b.png": lambda: ramp(0, 255), "c.png": lambda: ramp(9, 250)},
        ["a.png"],
        "--black 0 --white 4095",
    ),
    "two of three with one command": (
        {
            "a.png": lambda: ramp(0, 900, "uint16"),
            "b.png": lambda: ramp(0, 3000, "uint16"),
            "c.png": lambda: ramp(9, 250),
        },
        ["a.png", "b.png"],
        "--black 0 --white 4095",
    ),
    "all, in two ways": (
        {"a.png": lambda: ramp(0, 4095, "uint16"), "b.png": lambda: ramp(0, 30)},
        ["a.png", "b.png"],
        "so the network sees it nearly black",
    ),
    "blank ones": (
        {"a.png": lambda: ramp(0, 0), "b.png": lambda: ramp(7, 7), "c.png": lambda: ramp(0, 255)},
        ["a.png", "b.png"],
        "there is nothing to see",
    ),
    "of one colour": (
        {
            "a.png": lambda: np.full((9, 9, 3), (255, 0, 0), np.uint8),
            "b.png": lambda: np.full((9, 9, 3), (70, 70, 0), np.uint8),
            "c.png": lambda: np.full((9, 9, 3), (255, 0, 70), np.uint16) * np.uint16(256),
            "d.png": lambda: colours(0, 255, "uint8"),
        },
        ["a.png", "b.png", "c.png"],
        "every pixel has one colour: there is nothing to see",
    ),
    "none": ({"a.png": lambda: ramp(0, 255), "b.png": lambda: colours(0, 90, "uint8")}, [], ""),
}


@pytest.mark.parametrize("case", SETS)
def test_a_whole_set_is_told_of_once(case: str, tmp_path: Path) -> None:
    made, wanted, words = SETS[case]
    found = examined(*[saved(values(), tmp_path / name) for name, values in made.items()])
    assert [finding.file_name for finding in found] == wanted
    assert all(words in finding.what for finding in found)


def test_a_missing_picture_is_no_reason_to_name_each(tmp_path: Path) -> None:
    places = [saved(ramp(0, 4095, "uint16"), tmp_path / f"{n}.png") for n in range(3)]
    (finding,) = examined(*places, tmp_path / "gone.png")
    assert finding.file_name is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_stretched_copy_lies_as_its_picture_is_displayed(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    values = ramp(0, 40)
    values[:30, :30] = 40
    (tmp_path / "in").mkdir()
    Image.fromarray(values).convert("RGB").save(tmp_path / "in" / "a.png", exif=exif)
    assert main(["stretch", str(tmp_path / "in"), str(tmp_path / "out"), "--black", "0", "--white", "40"]) == 0
    before, after = pictures.load(tmp_path / "in" / "a.png"), pictures.load(tmp_path / "out" / "a.png")
    assert np.abs(before * (255 / 40) - after).max() <= 1


def arguments(
    tmp_path: Path, source: str = "in", destination: str = "out", black: str = "0", white: str = "9"
) -> list[str]:
    return ["stretch", str(tmp_path / source), str(tmp_path / destination), "--black", black, "--white", white]


REFUSED: dict[str, tuple[dict[str, str], int, str]] = {
    "no such folder": ({"source": "nowhere"}, 2, "this is no folder"),
    "a folder without pictures": ({"source": "empty"}, 1, "holds no pictures; name the folder that does"),
    "a place that is taken": ({"destination": "taken"}, 2, "is there already; name a new folder"),
    "a file in its place": ({"destination": "broken/bad.png"}, 2, "is there already; name a new folder"),
    "a place inside": ({"destination": "in/out"}, 2, "lies in the folder of the pictures"),
    "white below black": ({"black": "9", "white": "1"}, 2, "--black 9 must be less than --white 1"),
    "a picture that is none": ({"source": "broken"}, 1, "bad.png: this is not a picture that can be read"),
    "a HEIC": ({"source": "phone"}, 1, "is of a kind that cannot be stretched"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_stretch_refuses_in_one_line(case: str, tmp_path: Path, capsys) -> None:
    from tests.annotations.heic_files import heic

    saved(ramp(0, 9), tmp_path / "in" / "a.png")
    saved(ramp(0, 9), tmp_path / "taken" / "a.png")
    saved(ramp(0, 9), tmp_path / "broken" / "a.png")
    (tmp_path / "broken" / "bad.png").write_bytes(b"none")
    (tmp_path / "empty").mkdir()
    (tmp_path / "phone").mkdir()
    (tmp_path / "phone" / "a.heic").write_bytes(heic(colours(0, 9, "uint8")))
    changed, status, line = REFUSED[case]
    assert main(arguments(tmp_path, **changed)) == status
    said = capsys.readouterr().err
    assert line in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists(), "nothing half-written"


def test_copies_in_an_empty_folder_keep_what_is_transparent(tmp_path: Path, capsys) -> None:
    values = np.dstack([ramp(0, 40), ramp(0, 40), ramp(0, 40), ramp(0, 255)])
    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    Image.fromarray(values).save(tmp_path / "in" / "a.png")
    assert main(arguments(tmp_path, white="40")) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'out'}: 1 picture with 0 as black and 40 as white\n"
    after = np.asarray(Image.open(tmp_path / "out" / "a.png"))
    assert np.array_equal(after[..., 3], values[..., 3])
    assert np.abs(after[..., :3] - values[..., :3] * (255 / 40)).max() <= 0.5


def test_a_tiff_that_opencv_does_not_know_is_read_by_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(ramp(0, 4095, "uint16"), tmp_path / "in" / "a.tif")
    monkeypatch.setattr(stretch, "cv2", SimpleNamespace(**{**vars(cv2), "imread": lambda *_: None}))
    assert main(arguments(tmp_path, white="4095")) == 0
    assert np.asarray(Image.open(tmp_path / "out" / "a.tif")).max() == 65535


def test_the_seen_values_are_those_of_load(tmp_path: Path) -> None:
    for values, name in (
        (ramp(300, 4095, "uint16"), "a.png"),
        (ramp(3, 77), "b.png"),
        (ramp(0, 0.3, "float32"), "c.tif"),
    ):
        _, used = pictures.reduced_with_tones(saved(values, tmp_path / name), 64)
        shown = pictures.load(tmp_path / name)
        assert used is not None
        assert used.seen == (shown.min(), shown.max())


def test_share_by_hand() -> None:
    assert tonal_range.of_values(np.array([[0, 13107], [26214, 39321]], np.uint16)).share == 0.6  # type: ignore[union-attr]
