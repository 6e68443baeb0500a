"""Pictures for the picture component: a whole picture in a size that fits, and sharp tiles of a part of it.

All picture formats of the studio are sent as JPEG in the displayed frame (EXIF orientation applied), so the browser
needs no support for HEIC, TIFF or 16 bits. Level n has 1 / 2**n of the picture's pixels in each direction.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from streamlit import config
from streamlit.url_util import make_url_path

from maskrcnn.annotations import pictures
from maskrcnn.errors import StudioError
from maskrcnn.studio.serving.addresses import address_key, thing_of
from maskrcnn.words import one_line

TILE = 1024
"""Side of a tile in pixels of its level; tiles at the right and lower border are smaller."""

SIDES = (1024, 2048, 4096)
"""Lengths of the longer side in which a whole picture is sent. A smaller picture is sent as it is."""

_DAY = 24 * 3600  # seconds
_QUALITY = 92
_KEPT_BYTES = 400_000_000
"""Maximum bytes of decoded pictures that are kept, in addition to the one in use."""


@dataclass(frozen=True)
class PictureFile:
    """A picture file in the state that its modification time and size name."""

    path: str
    modified: int
    size: int


def picture_url(path: Path) -> str:
    """Return the URL path of a picture. The browser appends `/whole/SIDE` or `/LEVEL/COLUMN/ROW`.

    Raises `OSError` if there is no such file.
    """
    state = path.stat()
    key = address_key(PictureFile(str(path), state.st_mtime_ns, state.st_size))
    return make_url_path(config.get_option("server.baseUrlPath"), f"studio/pictures/{key}")


def routes() -> list[Route]:
    """Return the routes of pictures and tiles."""
    return [
        Route("/studio/pictures/{key}/whole/{side:number}", _whole),
        Route("/studio/pictures/{key}/{level:number}/{column:number}/{row:number}", _tile),
    ]


def _whole(request: Request) -> Response:
    """Answer with the whole picture; its longer side has at most `side` pixels, one of `SIDES`."""
    side = request.path_params["side"]
    file = thing_of(request.path_params["key"])
    if not isinstance(file, PictureFile) or side not in SIDES:
        return PlainTextResponse("Not Found\n", 404)
    return _answer(_whole_jpeg, file, side)


def _tile(request: Request) -> Response:
    """Answer with one tile. A tile outside the picture is not found."""
    place = request.path_params
    file = thing_of(place["key"])
    if not isinstance(file, PictureFile) or place["level"] > 16:
        return PlainTextResponse("Not Found\n", 404)
    return _answer(_tile_jpeg, file, place["level"], place["column"], place["row"])


def _answer(make: Callable[..., bytes], file: PictureFile, *place: int) -> Response:
    """Answer with the JPEG that `make` returns, or with the reason why the picture cannot be shown (422)."""
    try:
        content = make(file, *place)
    except StudioError as error:
        # Only the name of the file is told, not its place on the computer.
        folder = one_line(f"{Path(file.path).parent}/")
        return PlainTextResponse(f"{error}\n".replace(folder, ""), 422)
    if not content:
        return PlainTextResponse("Not Found\n", 404)
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": f"private, max-age={_DAY}"})


@lru_cache(maxsize=48)  # about 1 MB each
def _whole_jpeg(file: PictureFile, side: int) -> bytes:
    """Return a JPEG of the whole picture, with at most `side` pixels on its longer side."""
    return _jpeg(pictures.reduced(file.path, side))


@lru_cache(maxsize=64)  # about 0.5 MB each
def _tile_jpeg(file: PictureFile, level: int, column: int, row: int) -> bytes:
    """Return a JPEG of one tile; empty if it is outside the picture."""
    pixels, side = _pixels(file), TILE << level
    part = pixels[row * side : (row + 1) * side, column * side : (column + 1) * side]
    if not part.size:
        return b""
    height, width = (max(1, -(-length >> level)) for length in part.shape[:2])
    return _jpeg(cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA) if level else part)


def _jpeg(pixels: np.ndarray) -> bytes:
    """Encode RGB pixels without colour subsampling, so that single pixels keep their colour when magnified."""
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        _QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    encoded, content = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), options)
    if not encoded:
        raise StudioError("the picture cannot be shown: it cannot be encoded as JPEG")
    return content.tobytes()


_decoded: OrderedDict[PictureFile, np.ndarray] = OrderedDict()
_decoding = threading.Lock()


def _pixels(file: PictureFile) -> np.ndarray:
    """Return the decoded picture, uint8 RGB `(h, w, 3)`. One is decoded at a time; the last ones are kept."""
    with _decoding:
        if file not in _decoded:
            pixels = pictures.load(file.path)
            _decoded[file] = pixels
            while len(_decoded) > 1 and sum(kept.nbytes for kept in _decoded.values()) > _KEPT_BYTES:
                _decoded.popitem(last=False)
        _decoded.move_to_end(file)
        return _decoded[file]
