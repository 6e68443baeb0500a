"""Reading pictures: the displayed frame, what every kind of pixel becomes, and what damaged files get."""

from __future__ import annotations

import os
import resource
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations import pictures
from maskrcnn.errors import StudioError

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)

# Pixels are stored as two rows of three. What each orientation shows follows from its definition in the EXIF standard
# (where row 0 and column 0 of the stored pixels come to lie), and is worked by hand.
STORED = [[10, 60, 110], [160, 210, 250]]
DISPLAYED: dict[int, list[list[int]]] = {
    1: [[10, 60, 110], [160, 210, 250]],  # row 0 at the top, column 0 at the left
    2: [[110, 60, 10], [250, 210, 160]],  # top, right
    3: [[250, 210, 160], [110, 60, 10]],  # bottom, right
    4: [[160, 210, 250], [10, 60, 110]],  # bottom, left
    5: [[10, 160], [60, 210], [110, 250]],  # left, top
    6: [[160, 10], [210, 60], [250, 110]],  # right, top
    7: [[250, 110], [210, 60], [160, 10]],  # right, bottom
    8: [[110, 250], [60, 210], [10, 160]],  # left, bottom
}


@pytest.mark.parametrize("suffix", ["png", "tif", "webp", "jpg"])
@pytest.mark.parametrize("orientation", [0, *DISPLAYED, 9])
def test_every_exif_orientation(orientation: int, suffix: str, tmp_path) -> None:
    path = tmp_path / f"a.{suffix}"
    exif = Image.Exif()
    exif[0x0112] = orientation
    blocks = np.array(STORED, np.uint8).repeat(16, 0).repeat(16, 1)  # JPEG keeps blocks of one grey
    Image.fromarray(blocks).convert("RGB").save(path, exif=exif, **({"lossless": True} if suffix == "webp" else {}))

    wanted = np.array(DISPLAYED.get(orientation, STORED))
    shown = pictures.load(path)
    assert np.abs(shown[8::16, 8::16, 0].astype(int) - wanted).max() <= 1
    height, width = 16 * wanted.shape[0], 16 * wanted.shape[1]
    assert shown.shape == (height, width, 3)
    assert pictures.size(path) == pictures.check(path) == pictures.quick_check(path) == (width, height)
    assert pictures.orientation(path) == (orientation if orientation in DISPLAYED else 1)


def test_a_damaged_exif_block_does_not_cost_the_picture(tmp_path) -> None:
    Image.new("RGB", (8, 6)).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\x7f")
    assert pictures.load(tmp_path / "a.jpg").shape == (6, 8, 3)
    assert pictures.check(tmp_path / "a.jpg") == (8, 6)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_every_mode_becomes_rgb(mode: str, tmp_path) -> None:
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.new("RGB", (5, 4), (255, 255, 255)).convert(mode).save(path)
    loaded = pictures.load(path)
    assert loaded.shape == (4, 5, 3)
    assert loaded.dtype == np.uint8
    assert loaded.min() >= 250


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes, *between: bytes) -> bytes:
    """A PNG written by hand, so that no library decides what its values mean. `between` stands before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(between) + pixels + chunk(b"IEND", b"")


GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
COLOURS = chunk(b"PLTE", bytes([*RED, *GREEN, *BLUE, *WHITE]))

PNGS: dict[str, tuple[bytes, list[tuple[int, int, int]]]] = {
    # One row each, after a filter byte of 0; the pixels it must open as.
    "8-bit grey": (png(3, 1, 8, GREY, bytes([0, 0, 77, 255])), [BLACK, (77, 77, 77), WHITE]),
    "1-bit": (png(3, 1, 1, GREY, bytes([0, 0b01000000])), [BLACK, WHITE, BLACK]),
    "2-bit grey": (png(4, 1, 2, GREY, bytes([0, 0b00011011])), [BLACK, (85,) * 3, (170,) * 3, WHITE]),
    "16-bit grey: the upper byte": (
        png(3, 1, 16, GREY, b"\0" + struct.pack(">HHH", 0x00FF, 0x4D80, 0xFFFF)),
        [BLACK, (0x4D,) * 3, WHITE],
    ),
    "16-bit RGB: the upper byte": (
        png(2, 1, 16, RGB, b"\0" + struct.pack(">HHHHHH", 0xFFFF, 0x4D80, 0x00FF, 0, 0, 0x80FF)),
        [(255, 0x4D, 0), (0, 0, 128)],
    ),
    "palette": (png(3, 1, 8, PALETTE, bytes([0, 2, 0, 1]), COLOURS), [BLUE, RED, GREEN]),
    "2-bit palette": (png(4, 1, 2, PALETTE, bytes([0, 0b11100100]), COLOURS), [WHITE, BLUE, GREEN, RED]),
    "palette with transparency": (
        # Red opaque, green gone, blue at 51/255 = a fifth: 255 * 4/5 = 204 of white remains.
        png(3, 1, 8, PALETTE, bytes([0, 0, 1, 2]), COLOURS, chunk(b"tRNS", bytes([255, 0, 51]))),
        [RED, WHITE, (204, 204, 255)],
    ),
    "grey with alpha": (png(3, 1, 8, GREY_ALPHA, bytes([0, 0, 255, 0, 0, 0, 51])), [BLACK, WHITE, (204, 204, 204)]),
    "RGBA": (png(2, 1, 8, RGBA, bytes([0, *RED, 255, *RED, 0])), [RED, WHITE]),
    "16-bit RGBA": (
        png(2, 1, 16, RGBA, b"\0" + struct.pack(">8H", 65535, 0, 0, 65535, 65535, 0, 0, 0)),
        [RED, WHITE],
    ),
    "RGB with a transparent colour": (
        png(2, 1, 8, RGB, bytes([0, *RED, *GREEN]), chunk(b"tRNS", struct.pack(">HHH", 0, 255, 0))),
        [RED, WHITE],
    ),
    "grey with a transparent grey": (
        png(2, 1, 8, GREY, bytes([0, 9, 77]), chunk(b"tRNS", struct.pack(">H", 77))),
        [(9, 9, 9), WHITE],
    ),
    "16-bit grey with a transparent grey": (
        png(2, 1, 16, GREY, b"\0" + struct.pack(">HH", 0x0100, 0x4D00), chunk(b"tRNS", struct.pack(">H", 0x4D00))),
        [(1, 1, 1), (0x4D,) * 3],  # grey of 16 bits is measurement, not artwork: it is shown whole
    ),
    "wholly transparent: its colours": (png(2, 1, 8, RGBA, bytes([0, *RED, 0, *GREEN, 0])), [RED, GREEN]),
}


@pytest.mark.parametrize("kind", PNGS)
def test_every_kind_of_png(kind: str, tmp_path) -> None:
    content, wanted = PNGS[kind]
    (tmp_path / "a.png").write_bytes(content)
    loaded = pictures.load(tmp_path / "a.png")
    assert loaded.dtype == np.uint8
    assert [tuple(pixel) for pixel in loaded[0].tolist()] == wanted
    assert pictures.check(tmp_path / "a.png") == (len(wanted), 1)


# The inks of red, of a grey and of paper: CMYK (0, 255, 255, 0), (0, 0, 0, 155) and nothing.
INKS = [[(0, 255, 255, 0), (0, 0, 0, 155), (0, 0, 0, 0)]]
INKED = [RED, (100, 100, 100), WHITE]


@pytest.mark.parametrize("suffix", ["tif", "jpg"])
def test_cmyk(suffix: str, tmp_path) -> None:
    """A TIFF holds the inks as they are, a JPEG with Adobe's marker holds them inverted; both show the same."""
    path = tmp_path / f"a.{suffix}"
    inks = np.array(INKS, np.uint8).repeat(16, 0).repeat(16, 1)
    options: dict[str, Any] = {"quality": 100} if suffix == "jpg" else {}
    Image.fromarray(inks, "CMYK").save(path, **options)
    assert (b"Adobe" in path.read_bytes()) == (suffix == "jpg")
    assert np.abs(pictures.load(path)[8, 8::16].astype(int) - np.array(INKED)).max() <= 2


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([[0, 0x4D80, 65535]], np.uint16), [0, 0x4D, 255]),
        (np.array([[0, 0x4D80, 65535]], np.int32), [0, 0x4D, 255]),  # 32 bits that hold 16
        (np.array([[-100, 0, 100]], np.int32), [0, 128, 255]),  # 127.5 rounds to the even number
        (np.array([[0.0, 0.2, 1.0]], np.float32), [0, 51, 255]),
        (np.array([[0.2, 0.2, 0.2]], np.float32), [51, 51, 51]),
        (np.array([[-1.0, 0.0, 4.0]], np.float32), [0, 51, 255]),
        (np.array([[5.0, 5.0, 5.0]], np.float32), [0, 0, 0]),
        (np.array([[np.nan, 0.4, np.inf]], np.float32), [0, 102, 0]),
        (np.array([[-3e38, 0, 3e38]], np.float32), [0, 128, 255]),
        (np.array([[np.nan, np.nan, np.nan]], np.float32), [0, 0, 0]),
    ],
)
def test_tiffs_of_measurements(values: np.ndarray, wanted: list[int], tmp_path) -> None:
    Image.fromarray(values).save(tmp_path / "a.tif")
    loaded = pictures.load(tmp_path / "a.tif")
    assert loaded.shape == (1, 3, 3)
    assert [pixel.tolist() for pixel in loaded[0]] == [[value] * 3 for value in wanted]


def test_a_tiff_of_sixteen_bits_per_colour(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / "a.tif"), np.array([[[0x00FF, 0x4D80, 0xFFFF]]], np.uint16))  # blue, green, red
    assert pictures.load(tmp_path / "a.tif").tolist() == [[[255, 0x4D, 0]]]


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tif", "mpo"])
def test_of_several_frames_the_first_is_shown(suffix: str, tmp_path) -> None:
    path = tmp_path / f"a.{suffix}"
    first, second = Image.new("RGB", (16, 16), RED), Image.new("RGB", (16, 16), BLUE)
    first.save(path, save_all=True, append_images=[second])
    with Image.open(path) as opened:
        assert opened.n_frames == 2
    loaded = pictures.load(path)
    assert loaded.shape == (16, 16, 3)
    assert np.abs(loaded[8, 8].astype(int) - RED).max() <= 2
    assert pictures.check(path) == (16, 16)


# What is refused


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp"])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_truncated_picture_is_found(picture, name: str, share: float) -> None:
    path = picture(name, 400, 300)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    for look in (pictures.load, pictures.check):
        with pytest.raises(StudioError, match=rf"{name}: the picture cannot be decoded .*; replace"):
            look(path)


def test_a_truncated_progressive_jpeg_is_found(picture) -> None:
    path = picture("a.jpg", 400, 300, progressive=True)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(StudioError, match="truncated"):
        pictures.check(path)


@pytest.mark.parametrize(
    "content", [b"", b"no picture at all", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n" + 50 * b"\0", b"II*\0abc"]
)
def test_what_is_not_an_image(content: bytes, tmp_path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(content)
    for look in (pictures.load, pictures.check, pictures.size):
        with pytest.raises(StudioError, match=r"a\.jpg: .+; .+"):
            look(path)


def test_a_missing_picture_and_a_folder(tmp_path) -> None:
    with pytest.raises(StudioError, match=r"there is no such picture; .*--images DIR"):
        pictures.load(tmp_path / "none.jpg")
    with pytest.raises(StudioError, match="this is not a file"):
        pictures.load(tmp_path)


def test_check_calls_the_picture_as_it_is_told(tmp_path) -> None:
    (tmp_path / "x.tmp").write_bytes(b"nothing")
    with pytest.raises(StudioError, match=r"^holiday\.jpg: "):
        pictures.check(tmp_path / "x.tmp", "holiday.jpg")


REFUSED_CONTENT: dict[str, bytes] = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>',
    "html": b"<!DOCTYPE html><html><body><img src=x onerror=alert(1)></body></html>",
    "pdf": b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%touch /tmp/x) (w) file\nshowpage\n",
    "psd": b"8BPS\0\1" + 6 * b"\0" + struct.pack(">HIIHH", 3, 1, 1, 8, 3) + 40 * b"\0",
    "ppm": b"P6 1 1 255\n\0\0\0",
    "zip": b"PK\3\4" + 30 * b"\0",
}


@pytest.mark.parametrize("kind", REFUSED_CONTENT)
def test_what_is_no_format_of_pixels_is_refused_whatever_its_name(kind: str, tmp_path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(REFUSED_CONTENT[kind])
    for look in (pictures.load, pictures.check, pictures.quick_check, pictures.size):
        with pytest.raises(StudioError, match=r"a\.jpg: this is not a picture that can be read \(JPEG, .*; replace it"):
            look(path)


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (2**31 - 1, 1), (170_000_001, 1), (13_100, 13_000)])
def test_a_header_that_claims_too_many_pixels(width: int, height: int, tmp_path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png(width, height, 8, RGB, b""))
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    for look in (pictures.load, pictures.check, pictures.quick_check, pictures.size):
        with pytest.raises(StudioError, match=r"huge\.png: .*; scale it down below 170 megapixels"):
            look(path)
    assert time.process_time() - started < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes


@pytest.mark.parametrize("suffix", ["gif", "bmp", "webp", "tif", "jpg"])
def test_headers_of_other_formats_that_claim_too_many_pixels(suffix: str, tmp_path) -> None:
    """The sizes are written over those of a small picture, as far as the format can say them."""
    path = tmp_path / f"huge.{suffix}"
    Image.new(*("1", (0x1111, 0x1112)) if suffix == "tif" else ("RGB", (17, 18))).save(path)
    content = path.read_bytes()
    forged = {
        "gif": content.replace(struct.pack("<HH", 17, 18), struct.pack("<HH", 60_000, 60_000)),
        "bmp": content.replace(struct.pack("<ii", 17, 18), struct.pack("<ii", 60_000, 60_000)),
        "webp": content.replace(struct.pack("<HH", 17, 18), struct.pack("<HH", 16_383, 16_383)),
        "tif": content.replace(struct.pack("<H", 0x1111), b"\x60\xea").replace(struct.pack("<H", 0x1112), b"\x60\xea"),
        "jpg": content.replace(struct.pack(">HH", 18, 17), struct.pack(">HH", 60_000, 60_000)),
    }[suffix]
    assert forged != content
    path.write_bytes(forged)
    for look in (pictures.load, pictures.check, pictures.size):
        with pytest.raises(StudioError, match="below 170 megapixels"):
            look(path)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_text_in_a_png_that_inflates_without_end(kind: bytes, tmp_path) -> None:
    packed = zlib.compress(bytes(100_000_000), 1)
    inner = {
        b"zTXt": b"Comment\0\0" + packed,
        b"iTXt": b"Comment\0\1\0\0\0" + packed,
        b"iCCP": b"icc\0\0" + packed,
    }[kind]
    (tmp_path / "a.png").write_bytes(png(1, 1, 8, GREY, b"\0\0", chunk(kind, inner)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(StudioError, match=r"a\.png: the picture cannot be decoded"):
        pictures.load(tmp_path / "a.png")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


def test_what_is_no_file_does_not_keep_us_waiting(tmp_path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    for path in (tmp_path / "pipe.jpg", Path("/dev/zero"), tmp_path):
        for look in (pictures.load, pictures.check, pictures.quick_check, pictures.size, pictures.orientation):
            with pytest.raises(StudioError, match="this is not a file"):
                look(path)
    with pytest.raises(StudioError, match="; "):
        pictures.load("a\0.jpg")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp", "a.webp", "a.tif"])
def test_a_glance_sees_a_picture_without_its_end(picture, name: str) -> None:
    path = picture(name, 400, 300)
    assert pictures.quick_check(path) == (400, 300)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StudioError, match="cannot be decoded"):
        pictures.quick_check(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "tif", "bmp", "mpo"])
def test_random_damage_is_opened_or_refused_in_one_line(suffix: str, picture) -> None:
    path = picture(f"a.{suffix}", 24, 16, **({"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"} if suffix == "jpg" else {}))
    content, rng = path.read_bytes(), np.random.default_rng(3)
    for _ in range(150):
        damaged = bytearray(content)
        for place in rng.integers(0, min(len(content), 400), 4):
            damaged[place] = rng.integers(256)
        path.write_bytes(damaged)
        for look in (pictures.load, pictures.check):
            try:
                look(path)
            except StudioError as error:
                assert str(error).startswith(f"{path}: ")  # noqa: PT017
                assert "; " in str(error)  # noqa: PT017
