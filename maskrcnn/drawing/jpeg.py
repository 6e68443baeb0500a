"""JPEG encoding of pictures for the browser."""

from __future__ import annotations

import cv2
import numpy as np

_QUALITY = 88


def jpeg(picture: np.ndarray, longest_side: int) -> bytes:
    """Encode a picture, uint8 RGB `(H, W, 3)`, as JPEG. Its longer side is scaled down to at most `longest_side`."""
    height, width = picture.shape[:2]
    if max(height, width) > longest_side:
        scale = longest_side / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return encoded.tobytes()


def square_jpeg(content: bytes) -> bytes:
    """Crop a JPEG to the square in its middle, and return it as JPEG. Square tiles in a row have the same height."""
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    picture = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return jpeg(picture[top : top + side, left : left + side], side)
