"""Reading pictures: the displayed frame, and what damaged files get."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from maskrcnn.annotations import pictures
from maskrcnn.errors import StudioError


def test_load_and_size_follow_the_exif_orientation(picture, tmp_path) -> None:
    pixels = np.zeros((20, 40, 3), dtype=np.uint8)
    pixels[:, :20] = 255  # the left half is white
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to display: left becomes top
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    shown = pictures.load(tmp_path / "turned.png")
    assert shown.shape == (40, 20, 3)
    assert pictures.size(tmp_path / "turned.png") == pictures.check(tmp_path / "turned.png") == (20, 40)
    assert shown[:20].min() == 255
    assert shown[20:].max() == 0


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA"])
def test_every_mode_becomes_rgb(mode: str, tmp_path) -> None:
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    Image.new("RGB", (5, 4), (255, 255, 255)).convert(mode).save(path)
    loaded = pictures.load(path)
    assert loaded.shape == (4, 5, 3)
    assert loaded.dtype == np.uint8
    assert loaded.min() >= 250


def test_sixteen_bits_are_scaled_not_clipped(tmp_path) -> None:
    Image.fromarray(np.array([[0, 32768, 65535]], dtype=np.uint16)).save(tmp_path / "deep.png")
    assert pictures.load(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 128, 255]


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
    with pytest.raises(StudioError, match=r"cannot be decoded|not an image"):
        pictures.load(tmp_path)


def test_check_calls_the_picture_as_it_is_told(tmp_path) -> None:
    (tmp_path / "x.tmp").write_bytes(b"nothing")
    with pytest.raises(StudioError, match=r"^holiday\.jpg: "):
        pictures.check(tmp_path / "x.tmp", "holiday.jpg")
