"""Read the sizes of dropped pictures from their headers, so that the total is known before any picture is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.errors import StudioError

MOST_PIXELS = 300_000_000
MOST_PIXELS_PER_BYTE = 100
"""Maximum number of pixels per byte of all pictures of one import together. More is refused as an attack. Photos
have 2 to 10 pixels per byte, a JPEG of one colour 170, a PNG of one colour 340 or, in grey, 1,000."""


class PictureHeaders:
    """The sizes of pictures by their headers, each read once, and their total.

    `name` is the name of the import, for messages. `packed` is the number of bytes that were uploaded, if this is less
    than the size of the files: a zip of pictures padded with zeros is small.
    """

    def __init__(self, name: str, packed: int | None = None) -> None:
        self._name, self._packed = name, packed
        self._sizes: dict[Path, tuple[int, int] | StudioError] = {}
        self._pixels = self._bytes = 0

    def size(self, path: Path, name: str) -> tuple[int, int]:
        """Return `(width, height)` as displayed. Raises `StudioError` as `pictures.size` does, with `name` for the
        picture."""
        if path not in self._sizes:
            try:
                self._sizes[path] = pictures.size(path, name)
            except StudioError as error:
                self._sizes[path] = error
        known = self._sizes[path]
        if isinstance(known, StudioError):
            raise known
        return known

    def measure(self, files: Iterable[tuple[str, Path]]) -> None:
        """Add these pictures, each with its name, to the total. Raises `StudioError` if the total becomes too large."""
        for name, path in files:
            if path in self._sizes:
                continue
            try:
                width, height = self.size(path, names.brief(name))
                self._bytes += path.stat().st_size
            except (StudioError, OSError):
                continue  # the error is reported when the picture is opened
            self._pixels += width * height
        uploaded_bytes = min(self._bytes, self._packed or self._bytes)  # a zip may be smaller than its files
        if self._pixels > max(MOST_PIXELS, MOST_PIXELS_PER_BYTE * uploaded_bytes):
            raise StudioError(
                f"{self._name}: its pictures have {self._pixels // 1_000_000} megapixels in {uploaded_bytes / 1e6:.1f} "
                "MB, as no photos have; scale them down, or give them in parts"
            )
