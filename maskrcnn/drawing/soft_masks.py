"""A soft mask over a crop of its picture, cell by cell, and the pasted mask of the same crop."""

from __future__ import annotations

import cv2
import numpy as np

from maskrcnn.drawing.hex_colours import rgb
from maskrcnn.drawing.region_crops import window

LINE = "#f4511e"
"""Colour of the line where the mask is 0.5."""
_WEIGHT = 0.62  # of the colours of the cells over the grey picture
_GREY = 0.55  # of the picture outside of the pasted mask
_LINES_FROM = 6  # pixels of a cell from which on lines between cells are drawn


def soft_and_pasted(
    picture: np.ndarray, soft: np.ndarray, pasted: np.ndarray, box: np.ndarray, side: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return two drawings of a crop around a box: the soft mask as cells, and the pasted mask.

    `picture` is uint8 RGB `(H, W, 3)`, `soft` `(M, M)` in [0, 1] covers `box` (xyxy, picture pixels), `pasted` is bool
    `(H, W)`. Both results are uint8 RGB `(h, w, 3)` and show the same part of the picture; the longer side has `side`
    pixels. The first has each cell in the colour of its value (`ramp`), and the line where the mask, interpolated
    between the centres of the cells, is 0.5. The second has the picture inside the pasted mask, and greys the rest.
    """
    left, top, right, bottom = window(tuple(box.tolist()), picture.shape[1], picture.shape[0])
    left, top = max(0, left), max(0, top)
    piece, inside = picture[top:bottom, left:right], pasted[top:bottom, left:right]
    scale = side / max(piece.shape[:2])
    size = max(1, round(piece.shape[1] * scale)), max(1, round(piece.shape[0] * scale))
    ground = cv2.resize(piece, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    x0, y0, x1, y1 = ((box - [left, top, left, top]) * scale).tolist()
    return _cells(ground, soft, (x0, y0, x1, y1)), _cut_out(ground, inside)


def ramp(values: np.ndarray) -> np.ndarray:
    """Return the colours of values in [0, 1], uint8 RGB `(..., 3)`: from dark blue over grey to yellow (cividis).

    >>> ramp(np.array([0.0, 1.0])).tolist()
    [[0, 34, 78], [254, 232, 56]]
    """
    levels = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)
    table = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_CIVIDIS)[:, 0, ::-1]
    return table[levels]


def _cells(ground: np.ndarray, soft: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """The crop with the cells of a mask over the box (xyxy, crop pixels), lines between them, and the line of 0.5."""
    height, width = ground.shape[:2]
    x0, y0, x1, y1 = box
    rows, columns = soft.shape
    # Where in the mask the middle of each pixel lies, in cells.
    across = (np.arange(width) + 0.5 - x0) / max(x1 - x0, 1e-6) * columns
    down = (np.arange(height) + 0.5 - y0) / max(y1 - y0, 1e-6) * rows
    inside = ((down >= 0) & (down < rows))[:, None] & ((across >= 0) & (across < columns))
    row, column = (
        np.clip(np.floor(places), 0, most - 1).astype(int) for places, most in ((down, rows), (across, columns))
    )
    colours = ramp(soft)[row[:, None], column[None]].astype(np.float32)
    shown = ground.astype(np.float32)
    grey = cv2.cvtColor(ground, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)  # the picture's colours would mix in
    shown[inside] = ((1 - _WEIGHT) * grey + _WEIGHT * colours)[inside]
    if min((x1 - x0) / columns, (y1 - y0) / rows) >= _LINES_FROM:
        edges = (np.diff(row, prepend=row[0]) != 0)[:, None] | (np.diff(column, prepend=column[0]) != 0)[None]
        shown[edges & inside] *= 0.8
    drawn = np.ascontiguousarray(np.clip(shown, 0, 255).astype(np.uint8))
    cv2.rectangle(drawn, (round(x0), round(y0)), (round(x1), round(y1)), (255, 255, 255), 1, cv2.LINE_AA)
    # Interpolated as in pasting: between the centres of the cells, and 0 outside of the box.
    padded = np.pad(soft.astype(np.float32), 1)
    columns_at, rows_at = np.meshgrid((across + 0.5).astype(np.float32), (down + 0.5).astype(np.float32))
    fine = cv2.remap(padded, columns_at, rows_at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
    outlines, _ = cv2.findContours((fine >= 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, outlines, -1, (255, 255, 255), 4, cv2.LINE_AA)
    return cv2.drawContours(drawn, outlines, -1, rgb(LINE), 2, cv2.LINE_AA)


def _cut_out(ground: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The crop inside a mask, the rest greyed and darkened, with the mask's edge along its pixels."""
    mask = cv2.resize(inside.astype(np.uint8), ground.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    grey = cv2.cvtColor(cv2.cvtColor(ground, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    shown = np.where(mask[..., None] > 0, ground, (grey * _GREY).astype(np.uint8))
    outlines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, outlines, -1, (255, 255, 255), 4)
    return cv2.drawContours(shown, outlines, -1, rgb(LINE), 2)
