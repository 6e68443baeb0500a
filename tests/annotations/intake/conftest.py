"""Uploads that the tests of intake make for themselves."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

POLYGON = {"name": "polygon", "all_points_x": [1, 30, 15], "all_points_y": [1, 2, 25]}


@pytest.fixture
def jpeg() -> Callable[..., bytes]:
    """`jpeg(seed)` is a picture of 40 x 30 px; other seeds are other pictures."""

    def make(seed: int = 0, kind: str = "JPEG") -> bytes:
        pixels = np.random.default_rng(seed).integers(0, 255, (30, 40, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, kind)
        return buffer.getvalue()

    return make


@pytest.fixture
def via() -> Callable[..., bytes]:
    """`via("a.jpg", "b.jpg", kind="leaf")` is a VIA 2.x file with one region of these attributes on each picture."""

    def make(*names: str, **attributes: Any) -> bytes:
        region = {"shape_attributes": POLYGON, "region_attributes": attributes}
        images = {name: {"filename": name, "size": -1, "regions": [region], "file_attributes": {}} for name in names}
        return json.dumps(images).encode()

    return make


@pytest.fixture
def zipped() -> Callable[[dict[str, bytes]], bytes]:
    def make(files: dict[str, bytes]) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return buffer.getvalue()

    return make


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """Where temporary folders are made; after the test nothing may be left there."""
    folder = tmp_path / "waiting"
    folder.mkdir()
    return folder


@pytest.fixture
def laid_out(tmp_path: Path) -> Callable[[dict[str, bytes]], Path]:
    """`laid_out({"sub/a.jpg": ...})` puts files into a folder."""

    def make(files: dict[str, bytes]) -> Path:
        for name, content in files.items():
            path = tmp_path / "set" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return tmp_path / "set"

    return make
