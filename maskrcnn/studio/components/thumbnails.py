"""Small versions of a project's pictures, read once for all visits, and the address under which a browser gets one."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from streamlit import config, runtime
from streamlit.url_util import make_url_path

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.drawing.jpeg import square_jpeg

_KEPT = 3000
"""Thumbnails that stay in memory: 30 MB at 10 kB each."""


def thumbnail(project: Project, image: StoredImage, side: int = 160) -> bytes:
    """The picture as JPEG, its longer side `side` pixels at most, as displayed.

    Raises `StudioError` for a picture that cannot be read.
    """
    return _thumbnail(project.folder, image.id, image.sha256, side)


def square(project: Project, image: StoredImage, side: int = 160) -> bytes:
    """The middle of that JPEG as a square one, so that those in a row are of one height. Raises as `thumbnail` does."""
    return _square(project.folder, image.id, image.sha256, side)


def address(content: bytes, coordinates: str) -> str:
    """Where a browser finds a JPEG until the next run of this page. `coordinates` tell the pictures of a run apart.

    A picture in a component's data would be sent anew with each change of the data, and to each visit.
    """
    if not runtime.exists():
        return ""
    place = runtime.get_instance().media_file_mgr.add(content, "image/jpeg", coordinates)
    return make_url_path(config.get_option("server.baseUrlPath"), place)


@lru_cache(maxsize=_KEPT)
def _thumbnail(folder: Path, image_id: int, sha256: str, side: int) -> bytes:
    """`sha256` tells a picture from another one of the same number in a project that was made anew."""
    return Project(folder).thumbnail(image_id, side)


@lru_cache(maxsize=_KEPT)
def _square(folder: Path, image_id: int, sha256: str, side: int) -> bytes:
    return square_jpeg(_thumbnail(folder, image_id, sha256, side))
