"""The total size of dropped pictures, read from their headers, so that it is known before one is decoded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from maskrcnn.annotations import file_names as names
from maskrcnn.annotations import pictures
from maskrcnn.errors import StudioError

MOST_PIXELS = 300_000_000
MOST_PIXELS_PER_BYTE = 100
"""Pictures of one drop that have more pixels than that together, and more for each byte of their files, are refused:
nobody photographs or draws them. Photos have 2 to 10 pixels a byte, a JPEG of one colour 170, a PNG of one colour 340
or, in grey, 1,000."""


class Headers:
    """Sizes of pictures by their headers, each looked at once, and what they come to.

    `name` is what was dropped, for messages. `packed` is how many bytes came, where that is less than the files have: a
    zip of pictures that were made long with zeros is short.
    """

    def __init__(self, name: str, packed: int | None = None) -> None:
        self._name, self._packed = name, packed
        self._sizes: dict[Path, tuple[int, int] | StudioError] = {}
        self._pixels = self._bytes = 0

    def size(self, path: Path, name: str) -> tuple[int, int]:
        """`(width, height)` as displayed; raises `StudioError` as `pictures.size` does, with `name` for the picture."""
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
        """Add these pictures, each with its name, to what there is; raises `StudioError` where it becomes too much."""
        for name, path in files:
            if path in self._sizes:
                continue
            try:
                width, height = self.size(path, names.brief(name))
                self._bytes += path.stat().st_size
            except (StudioError, OSError):
                continue  # whoever opens it will say so
            self._pixels += width * height
        came = min(self._bytes, self._packed or self._bytes)
        if self._pixels > max(MOST_PIXELS, MOST_PIXELS_PER_BYTE * came):
            raise StudioError(
                f"{self._name}: its pictures have {self._pixels // 1_000_000} megapixels in {came / 1e6:.1f} MB, as no "
                "photos have; scale them down, or give them in parts"
            )
