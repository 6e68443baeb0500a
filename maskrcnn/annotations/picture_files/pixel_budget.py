"""Limit the number of pixels that all threads of this process decode at the same time.

Decoding takes up to 16 bytes of memory per pixel, even if the file is small. Several threads that each decode a picture
of 160 megapixels would fill the memory, so they wait for each other. Small pictures are decoded in parallel.
The pixels of a picture are counted before it is decoded: a small file can hold many tiles, scans or parts.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pi_heif
from PIL import Image, TiffImagePlugin

from maskrcnn.annotations.picture_files import heic_boxes
from maskrcnn.annotations.picture_files.exif import HEIF
from maskrcnn.errors import StudioError

MOST_PIXELS = 170_000_000
"""Maximum number of pixels of a picture. The pixels of a larger one would take more than 500 MB, and a file of a few
bytes can claim any size."""

MOST_SCANS = 100
"""Maximum number of scans of a JPEG; usual ones have about ten. Decoding a scan of a few bytes can take as long as
decoding a whole picture."""

MOST_CODED = 4
"""Limit for all tiles, thumbnails and pictures of a HEIC together, as a multiple of `MOST_PIXELS`."""

TOO_LARGE = f"scale it down below {MOST_PIXELS // 1_000_000} megapixels"
"""How to correct a picture of too many pixels, for messages."""


class PixelBudget:
    """A semaphore that counts pixels. Requests are served in order (FIFO), so that large pictures do not starve."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.reset()

    def reset(self) -> None:
        """Release everything. Needed in a process that was forked while threads of its parent were decoding."""
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._taken = 0

    @contextmanager
    def of(self, pixels: int) -> Iterator[None]:
        """Wait until `pixels` are free and hold them during the block. A picture above the limit is decoded alone.

        Do not nest: a thread that holds pixels must not request more.
        """
        wanted = min(pixels, self.most)
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is ticket and self._taken + wanted <= self.most)
                self._taken += wanted
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._taken -= wanted
                self._changed.notify_all()


DECODING = PixelBudget(MOST_PIXELS)
"""The budget for all decoding."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=DECODING.reset)


@contextmanager
def decoded(picture: Image.Image, path: Path | str, name: str | None = None) -> Iterator[None]:
    """Decode an open picture as soon as the budget of pixels allows. The budget is released when the block ends.

    Raises `StudioError` if decoding would take too long or too much memory. `name` is its name in the message.
    """
    name = name or str(path)
    pixels = picture.width * picture.height
    if picture.format in ("JPEG", "MPO"):
        if _jpeg_scans(path) > MOST_SCANS:
            raise StudioError(f"{name}: the JPEG has more than {MOST_SCANS} scans; save it again as an ordinary one")
        if "progressive" in picture.info:  # always decoded at full size, even if `draft` asked for a smaller picture
            reduction = max((1, *getattr(picture, "decoderconfig", ())))  # 2, 4 or 8 after `draft`, in both directions
            pixels *= reduction**2
    elif isinstance(picture, TiffImagePlugin.TiffImageFile):
        tile = picture.tag_v2.get(TiffImagePlugin.TILEWIDTH, 0) * picture.tag_v2.get(TiffImagePlugin.TILELENGTH, 0)
        if tile > MOST_PIXELS:
            raise StudioError(f"{name}: the picture is stored in tiles of {tile} px; {TOO_LARGE}")
        pixels = max(pixels, tile)
    elif picture.format == HEIF:
        pixels = max(pixels, _heic_pixels(path, name))
        if picture.mode == "RGBA":  # needs 18 bytes of memory per pixel; other modes need 10 to 14
            pixels *= 2
    with DECODING.of(pixels):
        picture.load()
        yield


def _heic_pixels(path: Path | str, name: str) -> int:
    """Return how many pixels libheif holds in memory at once to decode a HEIC. Raises `StudioError` if too many."""
    try:
        largest, total = heic_boxes.coded_pixels(path)
    except ValueError as error:
        raise StudioError(f"{name}: the HEIC picture is damaged ({error}); replace the file by a whole copy") from None
    if total > MOST_CODED * MOST_PIXELS:
        raise StudioError(f"{name}: the HEIC holds {total // 1_000_000} megapixels in its parts; {TOO_LARGE}")
    return min(total, largest * pi_heif.options.DECODE_THREADS)


def _jpeg_scans(path: Path | str) -> int:
    """Count the scans of a JPEG by its start-of-scan markers (FF DA), which never occur inside scan data."""
    with open(path, "rb") as file:
        return file.read().count(b"\xff\xda")
