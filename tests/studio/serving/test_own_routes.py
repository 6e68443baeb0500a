"""The studio's own routes: modules and pictures, given out for keys that a page made, and nothing else."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from maskrcnn.studio.serving import addresses, browser_code, picture_files

STUDIO = Path(browser_code.__file__).parents[1]


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=[*browser_code.routes(), *picture_files.routes()]))


def picture(path: Path, width: int, height: int, **options: Any) -> Path:
    """A picture whose red value is the column and whose green value is the row, each modulo 256."""
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack([columns % 256, rows % 256, np.full_like(rows, 40)], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(path, **options)
    return path


def pixels_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(content)).convert("RGB")).astype(int)


def test_a_module_is_sent_as_it_is_and_kept_by_the_browser(client: TestClient) -> None:
    file = STUDIO / "components" / "gallery.js"
    answer = client.get(browser_code.module_url(file))
    assert answer.content == file.read_bytes()
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]


def test_an_address_of_another_version_is_answered_but_not_kept(client: TestClient) -> None:
    """A tab that was open during an update asks for the modules of before."""
    address = browser_code.module_url(STUDIO / "components" / "gallery.js")
    old = address.replace(address.split("/")[3], "0" * 16)
    assert client.get(old).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name", ["serving/uploads.py", "../config/presets.py", "..%2f..%2fapp.py", "components/none.js", "icon.svg", ""]
)
def test_only_modules_and_style_sheets_are_sent(client: TestClient, name: str) -> None:
    digest = browser_code.module_url(STUDIO / "components" / "gallery.js").split("/")[3]
    assert client.get(f"/studio/code/{digest}/{name}").status_code == 404


def test_the_whole_picture_has_the_asked_longer_side_and_the_displayed_frame(
    client: TestClient, tmp_path: Path
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: to be shown turned by 90 degrees to the right
    wide = picture(tmp_path / "a.jpg", 3000, 1500, exif=exif)
    answer = client.get(f"{picture_files.picture_url(wide)}/whole/1024")
    assert answer.headers["content-type"] == "image/jpeg"
    assert pixels_of(answer.content).shape == (1024, 512, 3)


def test_a_small_picture_is_sent_with_its_own_pixels(client: TestClient, tmp_path: Path) -> None:
    address = picture_files.picture_url(picture(tmp_path / "a.png", 200, 100))
    sent = pixels_of(client.get(f"{address}/whole/2048").content)
    assert sent.shape == (100, 200, 3)
    assert sent[50, 150] == pytest.approx([150, 50, 40], abs=6)  # what JPEG leaves of it


def test_tiles_of_a_level_cover_the_picture_and_nothing_else(client: TestClient, tmp_path: Path) -> None:
    """2,500 x 1,100 pixels: at level 0 three columns and two rows of 1,024; at level 1 two columns and one row."""
    address = picture_files.picture_url(picture(tmp_path / "a.png", 2500, 1100))
    sizes = {
        (level, column, row): pixels_of(answer.content).shape[:2]
        for level in (0, 1)
        for column in range(4)
        for row in range(3)
        if (answer := client.get(f"{address}/{level}/{column}/{row}")).status_code == 200
    }
    assert sizes == {
        (0, 0, 0): (1024, 1024),
        (0, 1, 0): (1024, 1024),
        (0, 2, 0): (1024, 452),
        (0, 0, 1): (76, 1024),
        (0, 1, 1): (76, 1024),
        (0, 2, 1): (76, 452),
        (1, 0, 0): (550, 1024),
        (1, 1, 0): (550, 226),
    }
    corner = pixels_of(client.get(f"{address}/0/2/1").content)
    assert corner[70, 400] == pytest.approx([(2048 + 400) % 256, (1024 + 70) % 256, 40], abs=8)


@pytest.mark.parametrize("place", ["whole/1000", "whole/0", "99/0/0", "0/9999999999/0", "0/-1/0"])
def test_what_no_picture_has_is_not_found(client: TestClient, tmp_path: Path, place: str) -> None:
    address = picture_files.picture_url(picture(tmp_path / "a.png", 20, 10))
    assert client.get(f"{address}/{place}").status_code == 404


def test_a_key_that_no_page_gave_out_opens_nothing(client: TestClient, tmp_path: Path) -> None:
    address = picture_files.picture_url(picture(tmp_path / "a.png", 20, 10))
    unknown = f"/studio/pictures/{'0' * 40}"
    assert len(address) == len(unknown)
    assert client.get(f"{unknown}/whole/1024").status_code == 404
    assert client.get(f"/studio/pictures/{addresses.address_key(('another', 'thing'))}/whole/1024").status_code == 404


@pytest.mark.parametrize("folder", [b"pictures", b"odd\xff  name"])
def test_a_picture_that_vanished_or_is_damaged_is_told_in_one_line(
    client: TestClient, tmp_path: Path, folder: bytes
) -> None:
    (tmp_path / os.fsdecode(folder)).mkdir()
    file = picture(tmp_path / os.fsdecode(folder) / "a.png", 2000, 1000)
    address = picture_files.picture_url(file)
    file.write_bytes(file.read_bytes()[:3000])
    damaged = client.get(f"{address}/0/0/0")
    assert (damaged.status_code, damaged.text.count("\n")) == (422, 1)
    file.unlink()
    gone = client.get(f"{address}/whole/1024")
    assert (gone.status_code, gone.text.count("\n")) == (422, 1)
    assert gone.text.startswith("a.png: ")  # nothing of where it was


def test_the_same_picture_has_the_same_address_until_it_changes(tmp_path: Path) -> None:
    file = picture(tmp_path / "a.png", 20, 10)
    address = picture_files.picture_url(file)
    assert picture_files.picture_url(file) == address
    picture(file, 30, 10)
    assert picture_files.picture_url(file) != address


def test_the_least_recently_used_key_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_MOST", 2)
    monkeypatch.setattr(addresses, "_things", type(addresses._things)())
    first, second = addresses.address_key("first"), addresses.address_key("second")
    assert addresses.thing_of(first) == "first"
    addresses.address_key("third")
    assert (addresses.thing_of(first), addresses.thing_of(second)) == ("first", None)
