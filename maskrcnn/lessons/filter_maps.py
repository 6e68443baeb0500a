"""Feature maps without a network: brightness and edges of a picture, averaged over the cells of a stride.

A page of the Learn section uses them as examples while there is no trained run. The page tells the user so.
"""

from __future__ import annotations

import cv2
import numpy as np

FILTERS = ("edges", "upright edges", "level edges", "brightness")


def hand_made_map(picture: np.ndarray, stride: int, kind: str = "edges") -> np.ndarray:
    """One feature map of a uint8 (H, W, 3) RGB picture: (ceil(H / stride), ceil(W / stride)) float32 in [0, 1].

    `kind` is one of `FILTERS`. "upright edges" and "level edges" are the absolute Sobel derivatives in x and in y,
    "edges" is the length of the gradient; each is divided by its largest possible value. Cell (row, column) is the mean
    over the pixels with x in [column * stride, (column + 1) * stride) and y in [row * stride, (row + 1) * stride).
    If the size is not a multiple of the stride, the last column and row of pixels are repeated.

    >>> picture = np.zeros((4, 4, 3), np.uint8)
    >>> picture[:, 2:] = 255
    >>> hand_made_map(picture, stride=2, kind="brightness").tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return _average(_filtered(grey, kind), stride)


def hand_made_maps(picture: np.ndarray, stride: int) -> np.ndarray:
    """The feature maps of all `FILTERS`, stacked: (4, h, w) float32."""
    return np.stack([hand_made_map(picture, stride, kind) for kind in FILTERS])


def _filtered(grey: np.ndarray, kind: str) -> np.ndarray:
    """The filter response of a grey picture (H, W) in [0, 1], at full resolution."""
    if kind == "brightness":
        return grey
    # A Sobel derivative of values in [0, 1] is at most 4.
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0) / 4
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1) / 4
    if kind == "upright edges":
        return np.abs(across)
    if kind == "level edges":
        return np.abs(down)
    if kind == "edges":
        return np.hypot(across, down) / np.sqrt(np.float32(2))
    raise ValueError(f"no filter {kind!r}; choose {', '.join(FILTERS)}")


def _average(values: np.ndarray, stride: int) -> np.ndarray:
    """The mean of each stride x stride block of `values` (H, W)."""
    height, width = values.shape
    padded = np.pad(values, ((0, -height % stride), (0, -width % stride)), mode="edge")
    rows, columns = padded.shape[0] // stride, padded.shape[1] // stride
    return padded.reshape(rows, stride, columns, stride).mean(axis=(1, 3))
