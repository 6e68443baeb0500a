"""Thumbnails of a project's pictures, cached for all sessions, and the URLs from which a browser loads them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from streamlit import config, runtime
from streamlit.url_util import make_url_path

from maskrcnn.annotations.store import Project, StoredImage
from maskrcnn.drawing.jpeg import square_jpeg

_KEPT = 3000
"""Maximum number of thumbnails in memory: 30 MB at 10 kB each."""


def thumbnail(project: Project, image: StoredImage, side: int = 160) -> bytes:
    """Return a JPEG of the picture in display orientation, with a longer side of at most `side` pixels.

    Raises `StudioError` if the picture cannot be read.
    """
    return _cached_thumbnail(project.folder, image.id, image.sha256, side)


def square_thumbnail(project: Project, image: StoredImage, side: int = 160) -> bytes:
    """Return the thumbnail cropped to a square, so that thumbnails in a row have the same height.

    Raises `StudioError` if the picture cannot be read.
    """
    return _cached_square_thumbnail(project.folder, image.id, image.sha256, side)


def thumbnail_url(content: bytes, coordinates: str) -> str:
    """Return the URL of a thumbnail (JPEG), valid until the next script run; empty if no server is running.

    `coordinates` must be different for each thumbnail of a script run. A thumbnail in the data of a browser component
    would be sent again with each change of the data, and to each session.
    """
    if not runtime.exists():
        return ""
    place = runtime.get_instance().media_file_mgr.add(content, "image/jpeg", coordinates)
    return make_url_path(config.get_option("server.baseUrlPath"), place)


@lru_cache(maxsize=_KEPT)
def _cached_thumbnail(folder: Path, image_id: int, sha256: str, side: int) -> bytes:
    """Return a cached thumbnail. `sha256` is part of the cache key because ids are reused if a project is recreated."""
    return Project(folder).thumbnail(image_id, side)


@lru_cache(maxsize=_KEPT)
def _cached_square_thumbnail(folder: Path, image_id: int, sha256: str, side: int) -> bytes:
    """Return a cached square thumbnail of a project's picture; the arguments are those of `_cached_thumbnail`."""
    return square_jpeg(_cached_thumbnail(folder, image_id, sha256, side))
