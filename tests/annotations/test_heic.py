"""HEIC and AVIF, as phones write them: the displayed frame, kinds of pixels, damage, limits, wrong names."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations import duplicate_pictures, intake, pictures
from maskrcnn.annotations.dataset import Dataset, ImageRecord
from maskrcnn.annotations.formats import writing
from maskrcnn.annotations.picture_files import heic_boxes
from maskrcnn.annotations.regions import Rect, Region
from maskrcnn.annotations.store import Project
from maskrcnn.errors import StudioError
from tests.annotations import heic_files
from tests.annotations.heic_files import claiming, exif, heic, without_container_turn, without_exif_turn
from tests.annotations.test_pictures import DISPLAYED, STORED

BLOCKS = np.array(STORED, np.uint8).repeat(32, 0).repeat(32, 1)
GREYS = np.dstack([BLOCKS] * 3)


def centres(shown: np.ndarray) -> np.ndarray:
    """The grey in the middle of each block of 32 x 32 px."""
    return shown[16::32, 16::32].astype(int).mean(axis=2)


def loaded(path: Path) -> tuple[np.ndarray | None, str | None]:
    """The picture, or what is said instead."""
    try:
        return pictures.load(path), None
    except StudioError as error:
        return None, str(error)


def shows(shown: np.ndarray, wanted: list[list[int]]) -> bool:
    expected = np.array(wanted)
    height, width = 32 * expected.shape[0], 32 * expected.shape[1]
    return shown.shape == (height, width, 3) and bool(np.abs(centres(shown) - expected).max() <= 4)


@pytest.mark.parametrize("told_by", ["both", "the container alone"])
@pytest.mark.parametrize("orientation", DISPLAYED)
def test_every_orientation_is_applied_once(orientation: int, told_by: str, tmp_path: Path) -> None:
    about = exif(orientation)
    content = heic(GREYS, about=about)
    if told_by == "the container alone" and orientation > 1:
        content = without_exif_turn(content, about, orientation)
    path = tmp_path / "a.heic"
    path.write_bytes(content)
    wanted = DISPLAYED[orientation]
    assert shows(pictures.load(path), wanted)
    assert pictures.size(path) == pictures.check(path) == (32 * len(wanted[0]), 32 * len(wanted))
    assert pictures.orientation(path) == 1


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_alone_does_not_turn_a_heic(orientation: int, tmp_path: Path) -> None:
    """ISO/IEC 23008-12: how a picture is turned is said by its properties; what EXIF says is for information."""
    path = tmp_path / "a.heic"
    path.write_bytes(without_container_turn(heic(GREYS, about=exif(orientation))))
    assert shows(pictures.load(path), STORED)


@pytest.mark.parametrize("orientation", DISPLAYED)
def test_every_orientation_of_an_avif(orientation: int, tmp_path: Path) -> None:
    """Pillow's writer moves EXIF's orientation into the container."""
    path = tmp_path / "a.avif"
    Image.fromarray(GREYS).save(path, exif=exif(orientation), quality=100)
    wanted = DISPLAYED[orientation]
    assert shows(pictures.load(path), wanted)
    assert pictures.size(path) == (32 * len(wanted[0]), 32 * len(wanted))


def ten_bits() -> bytes:
    return heic_files.heic_of_ten_bits(GREYS.astype(np.uint16) * 257)


def avif(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "AVIF", quality=100, **options)
    return buffer.getvalue()


ALPHA = np.dstack([GREYS, np.full(BLOCKS.shape, 255, np.uint8)])
CLEAR_LEFT = ALPHA.copy()
CLEAR_LEFT[:, :32, 3] = 0
NEGATIVE = 255 - GREYS

KINDS: dict[str, tuple[Callable[[], bytes], list[list[int]]]] = {
    "colours": (lambda: heic(GREYS), STORED),
    "grey": (lambda: heic(BLOCKS), STORED),
    "10 bits": (ten_bits, STORED),
    "opaque alpha": (lambda: heic(ALPHA), STORED),
    "a part that is transparent lies on white": (lambda: heic(CLEAR_LEFT), [[255, 60, 110], [255, 210, 250]]),
    "several, the first is the primary one": (lambda: heic(GREYS, NEGATIVE), STORED),
    "several, the second is": (
        lambda: heic(GREYS, NEGATIVE, primary=1),
        [[255 - grey for grey in row] for row in STORED],
    ),
    "several with smaller ones": (lambda: heic(GREYS, GREYS[:32, :32]), STORED),
    "AVIF": (lambda: avif(GREYS), STORED),
    "AVIF with alpha": (lambda: avif(CLEAR_LEFT), [[255, 60, 110], [255, 210, 250]]),
    "AVIF that calls itself mif1": (lambda: avif(GREYS).replace(b"ftypavif", b"ftypmif1", 1), STORED),
    "HEIC that calls itself mif1": (lambda: heic(GREYS).replace(b"ftypheic", b"ftypmif1", 1), STORED),
}


@pytest.mark.parametrize("suffix", ["heic", "jpg"])
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_files_under_any_name(kind: str, suffix: str, tmp_path: Path) -> None:
    made, wanted = KINDS[kind]
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(made())
    assert shows(pictures.load(path), wanted)
    assert shows(pictures.load_at_least(path, (1, 1)), wanted)
    assert pictures.reduced(path, 24).shape == (16, 24, 3)


def test_a_heic_that_is_a_jpeg_inside(tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    Image.fromarray(GREYS).save(path, "JPEG", quality=98)
    assert shows(pictures.load(path), STORED)


def test_the_same_picture_as_heic_and_as_jpeg_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.heic").write_bytes(heic(GREYS))
    Image.fromarray(GREYS).save(tmp_path / "a.jpg")
    assert duplicate_pictures.alike(
        duplicate_pictures.likeness(tmp_path / "a.heic"), duplicate_pictures.likeness(tmp_path / "a.jpg")
    )


@pytest.mark.parametrize("suffix", ["heic", "jpg", "avif"])
@pytest.mark.parametrize("left", [14, 40, 100, 0.5, 0.9, -3])
def test_what_is_cut_off_gets_one_clear_line(left: float, suffix: str, tmp_path: Path) -> None:
    whole = avif(GREYS) if suffix == "avif" else heic(GREYS)
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(whole[: int(left * len(whole)) if 0 < left < 1 else int(left)])
    for way in (pictures.load, pictures.check):
        with pytest.raises(StudioError, match=r"a\.\w+: .*(cut off|decoded|truncated).*whole copy$") as caught:
            way(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("left", [14, 40, 100, 0.5, 0.9, -3, None])
@pytest.mark.parametrize("suffix", ["heic", "avif"])
def test_a_glance_sees_what_is_cut_off(left: float | None, suffix: str, tmp_path: Path) -> None:
    """The boxes tell, without decoding: of a whole file they end where it ends."""
    whole = avif(GREYS) if suffix == "avif" else heic_files.grid(GREYS[:64, :64], 2, 3, (192, 128))
    path = tmp_path / "a.jpg"
    path.write_bytes(whole if left is None else whole[: int(left * len(whole)) if 0 < left < 1 else int(left)])
    assert pictures.has_its_end(path) == (left is None)


@pytest.mark.parametrize("seed", range(12))
def test_damage_is_opened_or_refused_in_one_line(seed: int, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    content = bytearray(heic(GREYS))
    for place in random.integers(0, len(content), 8):
        content[place] = random.integers(0, 256)
    path = tmp_path / "a.heic"
    path.write_bytes(bytes(content))
    shown, said = loaded(path)
    assert shown is None or shown.ndim == 3
    assert said is None or (said.startswith(f"{path}: ") and "\n" not in said)


@pytest.mark.parametrize("size", [(20_000, 20_000), (170_000_001, 1), (65_535, 65_535), (13_100, 13_100)])
def test_a_heic_that_claims_too_many_pixels_is_not_decoded(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(claiming(heic(GREYS), *size))
    with pytest.raises(StudioError, match="megapixels"):
        pictures.size(path)
    with pytest.raises(StudioError, match="megapixels"):
        pictures.load(path)


@pytest.mark.parametrize("size", [(8, 8), (1, 1), (64, 96), (97, 65), (300, 200)])
def test_a_heic_whose_container_lies_about_the_size(size: tuple[int, int], tmp_path: Path) -> None:
    """What is coded may be far larger than what the budget was asked for."""
    path = tmp_path / "a.heic"
    path.write_bytes(claiming(heic(GREYS), *size))
    shown, said = loaded(path)
    assert shown is None or shown.shape[:2] == size[::-1]
    assert said is None or "\n" not in said


TILE = GREYS[:64, :64]


@pytest.mark.parametrize(
    ("rows", "columns", "size", "turn"),
    [(1, 1, (64, 64), 0), (2, 3, (192, 128), 0), (2, 3, (150, 100), 0), (2, 3, (192, 128), 1), (6, 8, (512, 384), 3)],
)
def test_a_grid_of_tiles_as_phones_write_it(
    rows: int, columns: int, size: tuple[int, int], turn: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(heic_files.grid(TILE, rows, columns, size, turn))
    whole = np.rot90(np.tile(TILE, (rows, columns, 1))[: size[1], : size[0]], turn)
    shown = pictures.load(path)
    assert shown.shape == whole.shape
    assert pictures.size(path) == whole.shape[1::-1]
    assert np.abs(shown.astype(int) - whole).mean() < 4


@pytest.mark.parametrize(
    ("rows", "columns", "tile"),
    [
        (10, 10, (3000, 3000)),
        (30, 30, (900, 900)),
        (2, 2, (13_100, 13_100)),
        (1, 5, (12_000, 12_000)),
        (30, 1, (5000, 5000)),
    ],
)
def test_tiles_beyond_the_picture_are_not_decoded(
    rows: int, columns: int, tile: tuple[int, int], tmp_path: Path
) -> None:
    """A picture of 64 x 64 px, and 686 megapixels and more of tiles: libheif would decode each of them."""
    path = tmp_path / "a.heic"
    path.write_bytes(claiming(heic_files.grid(TILE, rows, columns, (64, 64)), *tile))
    assert pictures.size(path) == (64, 64)
    with pytest.raises(StudioError, match="megapixels in its parts"):
        pictures.load(path)


@pytest.mark.parametrize("brand", [b"heic", b"mif1", b"avif", b"heix", b"msf1"])
def test_a_file_that_would_be_read_whole_is_measured_first(brand: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    with path.open("wb") as file:
        file.write(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0" + brand * 2)
        file.truncate(pictures.MOST_BYTES_AT_ONCE + 1)  # which takes no room on the disk
    with pytest.raises(StudioError, match="more than 200 MB is not opened"):
        pictures.size(path)


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"qt  ", b"M4A ", b"crx "])
def test_films_and_sounds_are_no_pictures(brand: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0" + brand * 2 + bytes(100))
    with pytest.raises(StudioError, match="this is not a picture that can be read"):
        pictures.size(path)


def test_a_zip_of_what_a_phone_wrote_becomes_a_project(tmp_path: Path) -> None:
    turned = heic(GREYS, about=exif(6, "2021:03:04 05:06:07"))
    archive = tmp_path / "phone.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("IMG_1.HEIC", turned)
        file.writestr("IMG_2.heic", heic(NEGATIVE)[:-200])
        file.writestr("IMG_3.jpg", heic(NEGATIVE))
        file.writestr("IMG_4.heif", avif(GREYS))
    project = Project.create(tmp_path / "project")
    staged = intake.stage_path(archive, workspace=tmp_path)
    try:
        report = project.import_dataset(staged.dataset, "train")
    finally:
        staged.discard()
    assert report.added == 3
    assert any("IMG_2.heic: the HEIC picture is cut off" in line for line in staged.warnings)
    stored = {image.file_name: image for image in project.images()}
    assert project.picture(stored["IMG_1.HEIC"].id).read_bytes() == turned, "dates and all else are kept"
    assert (stored["IMG_1.HEIC"].width, stored["IMG_1.HEIC"].height) == (64, 96)
    with Image.open(io.BytesIO(project.thumbnail(stored["IMG_1.HEIC"].id))) as small:
        assert small.format == "JPEG", "a browser shows no HEIC"
        assert small.height > small.width


def test_headers_are_held_to_the_pixels_of_a_drop(tmp_path: Path) -> None:
    """Three files of 120 megapixels in a few hundred bytes each: refused before any of them is decoded."""
    for number in range(3):
        (tmp_path / f"{number}.heic").write_bytes(claiming(heic(GREYS), 12_000, 10_000))
    with pytest.raises(StudioError, match="360 megapixels"):
        intake.stage_path(tmp_path, workspace=tmp_path.parent)


DATE = "2021:03:04 05:06:07"


def with_exif(format: str, about: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(GREYS).save(buffer, format, exif=about)
    return buffer.getvalue()


DATED: dict[str, tuple[Callable[[], bytes], bool]] = {
    "HEIC": (lambda: heic(GREYS, about=exif(6, DATE)), True),
    "HEIC without a date": (lambda: heic(GREYS), False),
    "AVIF": (lambda: with_exif("AVIF", exif(1, DATE)), True),
    "JPEG": (lambda: with_exif("JPEG", exif(6, DATE)), True),
    "PNG": (lambda: with_exif("PNG", exif(None, DATE)), True),
    "WebP": (lambda: with_exif("WEBP", exif(None, DATE)), True),
    "a JPEG whose clock was never set": (lambda: with_exif("JPEG", exif(1, "0000:00:00 00:00:00")), False),
    **{
        f"a JPEG of a program that writes {written}": (
            lambda written=written: with_exif("JPEG", exif(1, written)),
            True,
        )
        for written in (
            "2021-03-04 05:06:07",
            "2021:03:04T05:06:07.120",
            "2021:03:04 05:06:07+02:00",
            "2021/03/04 05:06:07",
        )
    },
    "a JPEG with words for a date": (lambda: with_exif("JPEG", exif(1, "yesterday")), False),
}


@pytest.mark.parametrize("kind", DATED)
def test_when_a_picture_was_taken(kind: str, tmp_path: Path) -> None:
    made, has_date = DATED[kind]
    (tmp_path / "a").write_bytes(made())
    assert pictures.taken(tmp_path / "a") == (datetime(2021, 3, 4, 5, 6, 7) if has_date else None)


def test_boxes_of_every_width_are_read() -> None:
    """As ISO/IEC 14496-12 and 23008-12 have them: sizes of 32 and 64 bits and "to the end"; ids of 16 and 32 bits,
    numbers of properties of 7 and 15 bits beside a mark."""
    last = struct.pack(">I4s3s", 0, b"last", b"xyz")
    content = struct.pack(">I4s2s", 10, b"one ", b"ab") + struct.pack(">I4sQ1s", 1, b"wide", 17, b"c") + last
    assert list(heic_boxes._boxes(content, 0)) == [(b"one ", b"ab"), (b"wide", b"c"), (b"last", b"xyz")]
    assert list(heic_boxes._associations(struct.pack(">IIHB2BHB1B", 0, 2, 7, 2, 0x81, 5, 8, 1, 3))) == [[1, 5], [3]]
    wide = struct.pack(">IIIB2HIB1H", 1 << 24 | 1, 2, 70_000, 2, 0x8001, 0x0102, 70_001, 1, 3)
    assert list(heic_boxes._associations(wide)) == [[1, 258], [3]]


def test_the_bytes_of_a_heic_are_exported_as_they_came(tmp_path: Path) -> None:
    content = heic(GREYS, about=exif(6, "2021:03:04 05:06:07"))
    (tmp_path / "a.heic").write_bytes(content)
    region = Region(Rect(4, 4, 20, 20), "cat")
    record = ImageRecord("a.heic", (region,), tmp_path / "a.heic", 64, 96, len(content))
    dataset = Dataset((record,), ("cat",))
    for format in writing.FORMATS:
        encoded = writing.encode(dataset, format)
        with zipfile.ZipFile(io.BytesIO(writing.zipped_export(encoded, True))) as file:
            (name,) = [name for name in file.namelist() if name.endswith("a.heic")]
            assert file.read(name) == content
            assert file.getinfo(name).date_time == (2021, 3, 4, 5, 6, 6), "a zip counts by two seconds"
    writing.write(dataset, tmp_path / "out", "labelme")
    copy = tmp_path / "out" / "a.heic"
    assert copy.read_bytes() == content
    assert datetime.fromtimestamp(copy.stat().st_mtime) == datetime(2021, 3, 4, 5, 6, 7)
    assert os.path.getsize(tmp_path / "a.heic") == len(content)
