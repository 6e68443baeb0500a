"""Overlays as PNG files, marked so that one is told from a picture of somebody's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from maskrcnn.atomic_files import replacing
from maskrcnn.errors import writing

MARK = "Mask R-CNN Studio: predict"
"""The text `Software` of every overlay PNG."""


def save(overlay: np.ndarray, path: Path) -> None:
    """Write an overlay, uint8 `(H, W, 3)`, whole and with its `MARK`; `ArgumentError` where that fails."""
    about = PngImagePlugin.PngInfo()
    about.add_text("Software", MARK)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, durable=False) as temporary:  # it can be drawn again
            Image.fromarray(overlay).save(temporary, "PNG", pnginfo=about)


def is_overlay(path: Path) -> bool:
    """Whether a file is an overlay that predict has made. Reads its header alone."""
    if path.suffix.lower() != ".png":
        return False
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            return picture.info.get("Software") == MARK
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
