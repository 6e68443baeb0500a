"""Overlays (pictures with drawn detections) as PNG files, with a mark that distinguishes them from other pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from maskrcnn.atomic_files import replacing
from maskrcnn.output_files import writing

MARK = "Mask R-CNN Studio: predict"
"""Value of the PNG text field `Software` of every overlay."""


def save_overlay(overlay: np.ndarray, path: Path) -> None:
    """Write an overlay, uint8 `(H, W, 3)` RGB, as a PNG file with `MARK`, atomically.

    Makes missing folders. Raises `ArgumentError` if the file cannot be written.
    """
    about = PngImagePlugin.PngInfo()
    about.add_text("Software", MARK)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, durable=False) as temporary:  # after a power failure it can be drawn again
            Image.fromarray(overlay).save(temporary, "PNG", pnginfo=about)


def is_overlay(path: Path) -> bool:
    """Whether a file is an overlay that predict wrote. Reads only the header of the file."""
    if path.suffix.lower() != ".png":
        return False
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            return picture.info.get("Software") == MARK
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
