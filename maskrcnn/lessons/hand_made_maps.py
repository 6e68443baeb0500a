"""Feature maps that nobody had to train: brightness and edges, averaged over the cells of a stride.

They stand in for a network's map where there is no trained run yet. The page that uses them says so.
"""

from __future__ import annotations

import cv2
import numpy as np

FILTERS = ("edges", "upright edges", "level edges", "brightness")


def hand_made_map(picture: np.ndarray, stride: int, kind: str = "edges") -> np.ndarray:
    """(ceil(H / stride), ceil(W / stride)) float32 from a uint8 (H, W, 3) RGB picture; `kind` is one of `FILTERS`.

    Cell (row, column) is the mean over picture pixels [column * stride, (column + 1) * stride) and the same downwards;
    at the right and bottom border the picture is continued by its last pixels. "upright edges" and "level edges" are
    the absolute Sobel derivatives in x and in y, "edges" the length of both; all are in [0, 1] of the largest possible.

    >>> picture = np.zeros((4, 4, 3), np.uint8)
    >>> picture[:, 2:] = 255
    >>> hand_made_map(picture, stride=2, kind="brightness").tolist()
    [[0.0, 1.0], [0.0, 1.0]]
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    return _average(_filtered(grey, kind), stride)


def hand_made_maps(picture: np.ndarray, stride: int) -> np.ndarray:
    """All `FILTERS` as the channels of one (4, h, w) float32 map."""
    return np.stack([hand_made_map(picture, stride, kind) for kind in FILTERS])


def _filtered(grey: np.ndarray, kind: str) -> np.ndarray:
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
    height, width = values.shape
    padded = np.pad(values, ((0, -height % stride), (0, -width % stride)), mode="edge")
    rows, columns = padded.shape[0] // stride, padded.shape[1] // stride
    return padded.reshape(rows, stride, columns, stride).mean(axis=(1, 3))
