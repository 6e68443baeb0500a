"""Copies of pictures: to the pixel, saved anew, scaled; and pictures that only resemble one another."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations import duplicate_pictures
from maskrcnn.annotations.dataset import ImageRecord, Split
from maskrcnn.annotations.duplicate_pictures import Likeness
from maskrcnn.errors import StudioError


def scene(seed: int = 0, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Soft blobs with some fine grain, as a photograph has."""
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    grain = rng.normal(0, 6, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8))


def test_a_digest_is_of_the_pixels_and_not_of_the_file(tmp_path: Path) -> None:
    scene().save(tmp_path / "a.png")
    scene().save(tmp_path / "b.bmp")
    scene().save(tmp_path / "c.jpg")
    exif = Image.Exif()
    exif[0x0112] = 6
    scene().rotate(90, expand=True).save(tmp_path / "d.png", exif=exif)  # displayed a quarter clockwise: as it was
    digests = [duplicate_pictures.digest(tmp_path / name) for name in ("a.png", "b.bmp", "c.jpg", "d.png")]
    assert digests[0] == digests[1] == digests[3]
    assert digests[0] != digests[2]
    # As many bytes, another frame.
    Image.fromarray(np.zeros((2, 6, 3), np.uint8)).save(tmp_path / "e.png")
    Image.fromarray(np.zeros((3, 4, 3), np.uint8)).save(tmp_path / "f.png")
    assert duplicate_pictures.digest(tmp_path / "e.png") != duplicate_pictures.digest(tmp_path / "f.png")


@pytest.mark.parametrize("options", [{"quality": 30}, {"quality": 95}, {"quality": 75, "progressive": True}])
@pytest.mark.parametrize("size", [(640, 480), (320, 240), (1000, 750), (161, 120)])
def test_a_copy_saved_anew_or_scaled_is_alike(options, size, tmp_path: Path) -> None:
    scene().save(tmp_path / "a.png")
    scene().resize(size, Image.Resampling.LANCZOS).save(tmp_path / "b.jpg", **options)
    one, other = duplicate_pictures.likeness(tmp_path / "a.png"), duplicate_pictures.likeness(tmp_path / "b.jpg")
    assert other.size == size
    assert duplicate_pictures.alike(one, other)


def test_other_pictures_are_not_alike(tmp_path: Path) -> None:
    changed = scene()
    changed.paste((255, 255, 255), (300, 200, 332, 232))  # an object of 32 px came into the scene
    pictures = {"other": scene(1), "object": changed, "cropped": scene().crop((0, 0, 560, 480)), "mirrored": scene()}
    pictures["mirrored"] = pictures["mirrored"].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    scene().save(tmp_path / "a.png")
    one = duplicate_pictures.likeness(tmp_path / "a.png")
    for name, picture in pictures.items():
        picture.save(tmp_path / "b.png")
        assert not duplicate_pictures.alike(one, duplicate_pictures.likeness(tmp_path / "b.png")), name


def _grid(cells: np.ndarray, size: tuple[int, int] = (100, 100)) -> Likeness:
    """A likeness whose coarse cells, 16 x 16, are these."""
    return Likeness(size, cells.repeat(4, axis=0).repeat(4, axis=1).astype(np.uint8))


RAMP = np.add.outer(5 * np.arange(16), 5 * np.arange(16)) + 20
ONE_CELL = np.pad([[1]], ((3, 12), (5, 10)))
CHEQUERED = np.indices((16, 16)).sum(axis=0) % 2 * 2 - 1
STRIPED = np.indices((16, 16))[1] % 2 * 2 - 1  # as bright, and without any correlation to the former


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (_grid(RAMP), True),
        (_grid(RAMP + 5), True),
        (_grid(RAMP + 6), False),  # 6 in root mean square
        (_grid(RAMP + 20 * ONE_CELL), True),
        (_grid(RAMP + 21 * ONE_CELL), False),
        (_grid(RAMP, (102, 100)), True),
        (_grid(RAMP, (104, 100)), False),
        (_grid(RAMP, (1000, 1000)), True),
    ],
)
def test_the_thresholds(other: Likeness, same: bool) -> None:
    assert duplicate_pictures.alike(_grid(RAMP), other) is same
    assert duplicate_pictures.alike(other, _grid(RAMP)) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (4 * CHEQUERED, 4 * CHEQUERED, True),
        (4 * CHEQUERED, 3 * CHEQUERED, True),
        (2 * CHEQUERED, -2 * CHEQUERED, False),  # 4 in root mean square, and just the opposite
        (8 * CHEQUERED, 8 * CHEQUERED + 2 * STRIPED, True),  # 8 / sqrt(64 + 4) = 0.970
        (8 * CHEQUERED, 8 * CHEQUERED + 3 * STRIPED, False),  # 8 / sqrt(64 + 9) = 0.936
        (0 * CHEQUERED, 0 * CHEQUERED + 3, True),  # plain
        (0 * CHEQUERED, 2 * CHEQUERED, False),
    ],
)
def test_the_grain_tells_plain_surfaces_apart(one: np.ndarray, other: np.ndarray, same: bool) -> None:
    assert duplicate_pictures.alike(_grid(100 + one), _grid(100 + other)) is same


def test_noise_of_one_brightness_is_not_alike(tmp_path: Path) -> None:
    for seed in (1, 2):
        pixels = np.random.default_rng(seed).integers(0, 255, (480, 640, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{seed}.bmp")
    one, other = duplicate_pictures.likeness(tmp_path / "1.bmp"), duplicate_pictures.likeness(tmp_path / "2.bmp")
    assert not duplicate_pictures.alike(one, other)


def test_pairs_are_those_of_the_slow_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicate_pictures, "_BLOCK", 7)
    rng = np.random.default_rng(0)
    originals = [RAMP, RAMP[::-1], RAMP[:, ::-1]]

    def several(count: int) -> list[Likeness]:
        made = []
        for number in range(count):
            cells = originals[rng.integers(0, 3)] + rng.integers(-5, 6, (16, 16)) + 7 * (number % 4) * ONE_CELL
            made.append(_grid(cells, (100 + int(rng.integers(0, 6)), 100)))
        return made

    ones, others = several(20), several(15)

    def slow(one: Likeness, other: Likeness) -> bool:
        aspects = sorted([one.size[0] / one.size[1], other.size[0] / other.size[1]])
        a, b = one.cells[::4, ::4].ravel().astype(float), other.cells[::4, ::4].ravel().astype(float)
        differences = [abs(x - y) for x, y in zip(a, b, strict=True)]
        mean = (sum(d * d for d in differences) / 256) ** 0.5
        correlation = np.corrcoef(a, b)[0, 1]
        return aspects[1] <= 1.03 * aspects[0] and max(differences) <= 20 and mean <= 5 and correlation >= 0.95

    expected = [(i, j) for i in range(20) for j in range(15) if slow(ones[i], others[j])]
    assert 10 < len(expected) < 100
    assert duplicate_pictures.pairs(ones, others) == expected
    assert duplicate_pictures.pairs(ones, []) == duplicate_pictures.pairs([], others) == []


def test_groups_pass_over_what_cannot_be_read(tmp_path: Path) -> None:
    scene().save(tmp_path / "a.png")
    scene(1).save(tmp_path / "b.png")
    scene().save(tmp_path / "c.jpg", quality=50)
    scene().resize((320, 240)).save(tmp_path / "d.png")
    (tmp_path / "e.png").write_bytes(b"nothing")
    records = [ImageRecord(name, path=tmp_path / name) for name in ("a.png", "b.png", "c.jpg", "d.png", "e.png")]
    calls: list[tuple[int, int]] = []
    found = duplicate_pictures.groups([*records, ImageRecord("f.png")], lambda done, total: calls.append((done, total)))
    assert found == [("a.png", "c.jpg", "d.png")]
    assert calls == [(n, 6) for n in range(1, 7)]
    with pytest.raises(StudioError, match=r"e\.png"):
        duplicate_pictures.likeness(tmp_path / "e.png")


def test_real_photographs_are_told_apart_and_their_copies_found(real_data: Path, tmp_path: Path) -> None:
    """A sixth of the photographs; the module's text has the figures of all."""
    paths = sorted(path for path in real_data.rglob("*.jpg") if path.parent.name != "test")[::6]
    names = [path.relative_to(real_data).as_posix() for path in paths]
    originals = [duplicate_pictures.likeness(path) for path in paths]
    copies = []
    for number, path in enumerate(paths):
        picture = Image.open(path).convert("RGB")
        content = io.BytesIO()
        if number % 2:
            picture.save(content, "JPEG", quality=30)
        else:
            quarter = (max(1, picture.width // 4), max(1, picture.height // 4))
            picture.resize(quarter, Image.Resampling.BICUBIC).save(content, "JPEG", quality=75)
        (tmp_path / "copy.jpg").write_bytes(content.getvalue())
        copies.append(duplicate_pictures.likeness(tmp_path / "copy.jpg"))
    found = duplicate_pictures.pairs(originals, copies)
    assert {(n, n) for n in range(len(paths))} <= set(found)
    mixed_up = {frozenset((names[i], names[j])) for i, j in found if i != j}
    # Two pictures of car_damage are there twice.
    twice = [("25.jpg", "48.jpg"), ("19.jpg", "79.jpg")]
    assert mixed_up <= {frozenset(f"car_damage/train/{name}" for name in pair) for pair in twice}


def test_leaks_are_groups_on_both_sides() -> None:
    splits: dict[str, Split] = {"a": "train", "b": "val", "c": "train", "d": "train"}
    groups = [["d", "b", "elsewhere"], ["a", "c"], ["b", "a"], ["b", "elsewhere"]]
    assert duplicate_pictures.duplicates_in_both_splits(splits, groups) == [("a", "b"), ("b", "d")]
